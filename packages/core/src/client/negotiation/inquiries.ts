/**
 * Inquiries, the commands beside all mail transactions: which service extension each needs, and their lines.
 *
 * What needs an extension is not sent to a server that does not offer it: it could only answer that it does not know
 * the command (RFC 5321 §4.2.4).
 */
import { LocalProtocolError } from '../../errors.js';
import type { ServiceExtension } from '../../extensions/contract/extension.js';
import { ExtensionNotOfferedError } from '../../extensions/not-offered.js';
import { formatCommand } from '../../wire/commands/format-command.js';
import type { ClientState } from '../chart/chart-events.js';
import type { ClientInquiry } from '../contract/messages.js';

const ALLOWED = "VRFY, EXPN, HELP, NOOP, ETRN, and as 'extension' verbs of the option extensions";

/**
 * The line to send.
 *
 * @param state for the error: where the session stands
 * @param extensions of the options
 * @param keywords from the reply to the last EHLO
 * @throws {LocalProtocolError} the verb is that of no inquiry, or of none of the extensions
 * @throws {ExtensionNotOfferedError} the service extension that the inquiry needs is not offered
 * @throws {RangeError} the command cannot be written
 */
export function formatInquiry(
  inquiry: ClientInquiry,
  state: ClientState,
  extensions: readonly ServiceExtension[],
  keywords: ReadonlyMap<string, string>,
): Uint8Array {
  const needed = keywordFor(inquiry, state, extensions);
  if (needed !== undefined && !keywords.has(needed)) throw new ExtensionNotOfferedError(needed);
  const { argument = '' } = inquiry;
  return formatCommand({ ...inquiry, argument }, { utf8: 'utf8' in inquiry && inquiry.utf8 === true });
}

/** The EHLO keyword of the service extension that an inquiry needs. */
function keywordFor(
  inquiry: ClientInquiry,
  state: ClientState,
  extensions: readonly ServiceExtension[],
): string | undefined {
  // Not every caller is compiled, and what is no inquiry would pass by all rules of the chart.
  const verb: unknown = inquiry?.verb;
  switch (inquiry?.verb) {
    case 'VRFY':
    case 'EXPN':
      return inquiry.utf8 ? 'SMTPUTF8' : undefined; // RFC 6531 §3.7.4
    case 'ETRN':
      return 'ETRN'; // RFC 1985 §5
    case 'extension': {
      const name = String(inquiry.name).toUpperCase();
      const extension = extensions.find(({ verbs = [] }) => verbs.includes(name));
      if (extension !== undefined) return extension.keyword;
      throw new LocalProtocolError(
        state,
        `inquire came with ${JSON.stringify(name)}, a verb of none of the option extensions`,
        ALLOWED,
      );
    }
    case 'HELP':
    case 'NOOP':
      return undefined;
    default:
      throw new LocalProtocolError(
        state,
        `inquire came ${typeof verb === 'string' ? `with the verb ${JSON.stringify(verb)}` : 'without a verb'}`,
        ALLOWED,
      );
  }
}
