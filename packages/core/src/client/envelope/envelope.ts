/**
 * The envelope as a caller writes it, `{ from, to }` in text or the parts of one that was received, and the one form
 * that the rest of the code reads.
 */
import type { MailParameters, RcptParameters } from '../../extensions/contract/parameters.js';
import { checkNames, namesOf } from '../../option-names.js';
import { type Address, readForwardPath, readReversePath } from '../../wire/commands/address.js';
import type { ForwardPath, ReversePath } from '../../wire/commands/path.js';

/** Whom to deliver to, and what to say with it. */
export type ClientRecipient = ForwardPath & {
  /** Sent or left out, or essential, like those of the envelope. */
  readonly parameters?: RcptParameters;
};

/** What to deliver: the envelope of one mail transaction. */
export interface ClientEnvelope {
  readonly reversePath: ReversePath;
  /**
   * Sent where the server offers the service extension that defines them. Elsewhere they are left out; but those
   * without which the mail would not be what it is, such as `body: 'BINARYMIME'` or `requireTls`, let `send` throw
   * an `ExtensionNotOfferedError`. `smtpUtf8` need not be given on account of an address, which speaks for itself.
   *
   * They declare, and change nothing of what is sent but for `body: 'BINARYMIME'`: octets above 127 go out as they
   * are, also to a server that does not offer 8BITMIME (RFC 6152 §3 would have the message encoded anew, which is
   * not a session's work); and `size` is not compared with the SIZE that the server offers: its own 552 decides
   * (RFC 1870 §6.1).
   */
  readonly parameters?: MailParameters;
  /**
   * One at least. Those beyond the RCPTMAX and RCPTDOMAINMAX that the server offers (RFC 9422 §4) are not sent, and
   * `deferred`: they want another mail transaction, or another session.
   */
  readonly recipients: readonly ClientRecipient[];
}

/** Whom to deliver to; with an object, parameters of RCPT may be given. */
export type RecipientAddress = Address | ClientRecipient;

/** The envelope of one mail transaction, as a caller may write it. */
export type EnvelopeInput = AddressedEnvelope | ReceivedEnvelope;

/** In short: `{ from: 'ann@example.org', to: ['bob@example.com'] }`. */
export interface AddressedEnvelope {
  /** The reverse-path; `null` or `'<>'` for the null one (RFC 5321 §4.5.5). */
  readonly from: Address | null;
  /** The forward-path, or several. */
  readonly to: RecipientAddress | readonly RecipientAddress[];
  /** As in `ClientEnvelope`. */
  readonly parameters?: MailParameters;
}

/** In the words of an envelope that a server received, to pass it on. */
export interface ReceivedEnvelope {
  /** `null` or `'<>'` for the null reverse-path (RFC 5321 §4.5.5). */
  readonly reversePath: Address | null;
  readonly recipients: readonly RecipientAddress[];
  /** As in `ClientEnvelope`. */
  readonly parameters?: MailParameters;
}

const NAMES = Object.keys({
  from: true,
  to: true,
  reversePath: true,
  recipients: true,
  parameters: true,
} satisfies Record<keyof AddressedEnvelope | keyof ReceivedEnvelope, true>);

const MAIL_PARAMETERS = namesOf<MailParameters>({
  size: true,
  body: true,
  smtpUtf8: true,
  auth: true,
  ret: true,
  envid: true,
  deliverBy: true,
  hold: true,
  mtPriority: true,
  requireTls: true,
  solicit: true,
  custom: true,
});

const RCPT_PARAMETERS = namesOf<RcptParameters>({ notify: true, orcpt: true, rrvs: true, custom: true });

/** One that is misspelt would be left out without a word, REQUIRETLS among them. */
function checkParameters(
  parameters: MailParameters | undefined,
  recipients: readonly RecipientAddress[],
): void {
  checkNames('The property of an envelope', parameters, MAIL_PARAMETERS, 'parameters.');
  for (const recipient of recipients) {
    if (typeof recipient !== 'object' || recipient === null || !('parameters' in recipient)) continue;
    checkNames('The property of a recipient', recipient.parameters, RCPT_PARAMETERS, 'parameters.');
  }
}

/**
 * Reads an envelope as a caller wrote it. One that has nothing to be read is given back as it is, its recipients too.
 * @param readRecipient reads each forward-path, for whoever does something else with one that is no address
 * @throws {RangeError} an address is none, or there is no recipient; the message quotes it and says what is wrong
 * @throws {TypeError} it has other properties than an envelope, or none of them
 */
export function readEnvelope(
  envelope: EnvelopeInput,
  readRecipient: (address: RecipientAddress) => ClientRecipient = readForwardPath,
): ClientEnvelope {
  if (typeof envelope !== 'object' || envelope === null) throw noEnvelope(String(envelope));
  const { from, to, reversePath, recipients, parameters } = envelope as Partial<
    AddressedEnvelope & ReceivedEnvelope
  >;
  checkNames('The property of an envelope', envelope, NAMES);
  const sender = from === undefined ? reversePath : from;
  const receivers = to === undefined ? recipients : to;
  if (receivers === undefined) throw noEnvelope('without recipients');
  const list: readonly RecipientAddress[] = isList(receivers) ? receivers : [receivers];
  checkParameters(parameters, list);
  if (list.length === 0) throw new RangeError('The envelope has no recipient; it takes one at least');
  if (from === undefined && to === undefined && isRead(sender, list)) return envelope as ClientEnvelope;
  return {
    reversePath: readReversePath(sender as Address | null),
    recipients: list.map((each) => readRecipient(each)),
    ...(parameters && { parameters }),
  };
}

/** Only texts have to be read; any other wrong shape is found by reading, too. */
function isRead(sender: unknown, recipients: readonly RecipientAddress[]): boolean {
  const isPath = sender === null || (typeof sender === 'object' && 'localPart' in sender);
  return (
    isPath && recipients.every((each) => typeof each === 'object' && each !== null && 'localPart' in each)
  );
}

function isList(value: RecipientAddress | readonly RecipientAddress[]): value is readonly RecipientAddress[] {
  return Array.isArray(value);
}

function noEnvelope(given: string): TypeError {
  return new TypeError(
    `The envelope is ${given}; it takes from and to: { from: 'ann@example.org', to: ['bob@example.com'] }`,
  );
}
