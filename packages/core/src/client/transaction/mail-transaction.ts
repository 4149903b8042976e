/**
 * A mail transaction, made from an envelope: all its commands, the recipients that are left out, and how the message
 * goes.
 *
 * - All commands are made before the first is written: whether an envelope can be sent is known before any of it is.
 * - What the envelope says is sent where the server offers the service extension for it. Where it does not, it is
 *   left out, or the envelope is not sent, as the extension has it (RFC 6531 §3.2, RFC 3030 §3).
 * - A message goes by BDAT if it must, being BINARYMIME, or if the options have it and the server offers it.
 */
import type { Limits } from '../../extensions/session/limits.js';
import { writeMailParameters, writeRcptParameters } from '../../extensions/table.js';
import { formatCommand } from '../../wire/commands/format-command.js';
import type { ReversePath } from '../../wire/commands/path.js';
import { type MailDataCoding, MailDataEncoder, VERBATIM } from '../../wire/mail-data/mail-data-encoder.js';
import type { ResolvedClientOptions } from '../contract/options.js';
import type { ClientEnvelope, ClientRecipient } from '../envelope/envelope.js';
import type { RecipientLimit } from '../envelope/outcomes.js';
import { withheldRecipients } from '../envelope/recipient-limits.js';
import { Verdicts } from '../envelope/verdicts.js';
import { ChunkGathering } from './chunk-gathering.js';
import { CommandPipeline } from './command-pipeline.js';

export interface MailTransaction {
  readonly envelope: ClientEnvelope;
  /** Octets of the message that were handed in. */
  octets: number;
  readonly commands: CommandPipeline;
  readonly verdicts: Verdicts;
  readonly encoder: MailDataCoding;
  /** What of a message that goes in chunks is not written yet. */
  readonly gathering: ChunkGathering;
  /** The chunk to be written, which is not the last. */
  chunk: Uint8Array | undefined;
  /** How many RCPTs there are. */
  readonly recipients: number;
  /** How many chunks may be in flight at once; 0: the message goes by DATA. */
  readonly chunks: number;
  /** Domains of the recipients that were sent in the session, and in this transaction. */
  readonly recipientDomains: ReadonlySet<string>;
}

/**
 * Chunks that may be in flight at once, to a server that offers PIPELINING. More would not be faster, and all that
 * are in flight when one is refused were sent in vain.
 */
const MAXIMUM_CHUNKS_IN_FLIGHT = 64;

const NONE_WITHHELD: ReadonlyMap<number, RecipientLimit> = new Map();

const DATA = formatCommand({ verb: 'DATA' });

/** By code units: `\P{ASCII}` would have to look at code points, and takes longer. */
const NON_ASCII = /[\u0080-\uffff]/;

/**
 * @param keywords from the reply to the last EHLO
 * @param limits that the server set, if it did
 * @param domainsBefore domains of the recipients that were sent earlier in the session, where the server limits them
 * @throws {ExtensionNotOfferedError} a service extension that the envelope needs is not offered
 * @throws {RangeError} an address or a parameter cannot be written
 */
export function makeMailTransaction(
  envelope: ClientEnvelope,
  keywords: ReadonlyMap<string, string>,
  limits: Limits | undefined,
  domainsBefore: ReadonlySet<string>,
  options: ResolvedClientOptions,
): MailTransaction {
  const { recipients } = envelope;
  let withheld = NONE_WITHHELD;
  let recipientDomains = domainsBefore;
  if (limits !== undefined) {
    const domains = new Set(domainsBefore);
    withheld = withheldRecipients(recipients, limits, domains);
    recipientDomains = domains;
  }
  const sent = withheld.size === 0 ? recipients : recipients.filter((_, index) => !withheld.has(index));

  const pipelining = keywords.has('PIPELINING');
  const verbatim = envelope.parameters?.body === 'BINARYMIME';
  const chunked = verbatim || (options.mailDataBy === 'bdat' && keywords.has('CHUNKING'));
  const commands = commandsOf(envelope, sent, chunked, keywords, options);
  return {
    envelope,
    octets: 0,
    commands: new CommandPipeline(commands, pipelining ? options.maximumOctetsInFlight : 0),
    verdicts: new Verdicts(recipients.length, withheld),
    encoder: verbatim
      ? VERBATIM
      : new MailDataEncoder({ newlines: options.newlines, transparency: !chunked }),
    gathering: new ChunkGathering(),
    chunk: undefined,
    recipients: sent.length,
    chunks: chunked ? (pipelining ? MAXIMUM_CHUNKS_IN_FLIGHT : 1) : 0,
    recipientDomains,
  };
}

/** MAIL, a RCPT for each recipient, and DATA unless the message goes in chunks. */
function commandsOf(
  { reversePath, parameters = {} }: ClientEnvelope,
  recipients: readonly ClientRecipient[],
  chunked: boolean,
  keywords: ReadonlyMap<string, string>,
  { extensions }: ResolvedClientOptions,
): Uint8Array[] {
  const utf8 =
    parameters.smtpUtf8 === true || isInternational(reversePath) || recipients.some(isInternational);
  const mailParameters = writeMailParameters(
    utf8 ? { ...parameters, smtpUtf8: true } : parameters,
    extensions,
    keywords,
  );
  const mail = formatCommand({ verb: 'MAIL', reversePath, parameters: mailParameters }, { utf8 });
  const rcpts = recipients.map((recipient) => {
    const rcptParameters =
      recipient.parameters === undefined
        ? []
        : writeRcptParameters(recipient.parameters, extensions, keywords);
    return formatCommand({ verb: 'RCPT', forwardPath: recipient, parameters: rcptParameters }, { utf8 });
  });
  return chunked ? [mail, ...rcpts] : [mail, ...rcpts, DATA];
}

/** Whether an address needs SMTPUTF8 (RFC 6531 §3.3). */
function isInternational(path: ReversePath): boolean {
  return path !== null && (NON_ASCII.test(path.localPart) || NON_ASCII.test(path.domain));
}
