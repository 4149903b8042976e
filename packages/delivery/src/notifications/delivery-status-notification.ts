/**
 * Delivery status notifications (RFC 3464, in the multipart/report of RFC 6522): the message that tells a sender what
 * became of theirs.
 *
 * - Never one about a notification: for the null reverse-path there is none, and each is sent from it, so that two
 *   hosts cannot keep each other busy (RFC 5321 §6.1, RFC 3461 §6).
 * - Only about recipients for whom it was asked for, or for whom nothing was said (RFC 3461 §4.1, §5.2).
 * - UTF-8 stands in it only if the message was sent with SMTPUTF8, so that its sender can read it (RFC 6533).
 * - Pure: dates and ids are arguments. The message that is returned streams through where it may have eight bits; else
 *   what is returned of it is held, to see whether it has to be encoded.
 */
import {
  checkObject,
  type ForwardPath,
  formatMailbox,
  formatPath,
  isHostName,
  type MailParameters,
  namesOf,
  type RcptParameters,
  type Reply,
  type ReversePath,
  replyText,
} from '@sansmtp/core';
import { isAscii } from '../text/ascii.js';
import { dateTime } from '../text/date-time.js';
import { field, fold, plainText, recipientAddress, typedAddress } from './delivery-status-fields.js';
import { quotedPrintable } from './quoted-printable.js';
import { returnedMessage } from './returned-message.js';

/** RFC 3464 §2.3.3. `expanded` is not among them: no mailing lists are kept here. */
export type DeliveryAction = 'failed' | 'delayed' | 'delivered' | 'relayed';

/** What became of the message for one recipient. */
export interface RecipientStatus {
  readonly forwardPath: ForwardPath;
  /** Those of RCPT: `notify` and `orcpt` count. */
  readonly parameters: RcptParameters;
  /** `relayed`: to a host that does not offer DSN and so will not report delivery (RFC 3461 §5.2.2). */
  readonly action: DeliveryAction;
  /** The enhanced status code (RFC 3463): class 4 or 5 for `failed`, 4 for `delayed`, 2 for the others. */
  readonly status: string;
  /** The name or address literal of the host that replied. */
  readonly remoteMta?: string;
  /** The reply of the remote host, or a sentence of ours where there was none. */
  readonly diagnostic?: Reply | string;
  readonly lastAttemptAt?: Date;
  /** For `delayed`: until when delivery is tried. */
  readonly willRetryUntil?: Date;
}

/** The message that the notification is about. */
export interface OriginalMessage {
  /** In octets. */
  readonly size: number;
  /** Read once at most, and not to its end where the header section is enough. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface DeliveryStatus {
  /** Of the message that the notification is about. */
  readonly reversePath: ReversePath;
  /** Those of its MAIL: `ret`, `envid`, `body`, `smtpUtf8` and `requireTls` count. */
  readonly parameters: MailParameters;
  /** When it came to this host. */
  readonly arrivedAt?: Date;
  readonly recipients: readonly RecipientStatus[];
  /** Nothing of it is returned if it is left out. */
  readonly original?: OriginalMessage;
}

export interface NotificationOptions {
  /** The name of this host: a domain or an address literal. */
  readonly hostname: string;
  /** For Message-ID and boundary: 1 to 50 letters, digits, dots, hyphens and underscores that nobody can guess. */
  readonly id: string;
  readonly date: Date;
  /** Octets of the message that are returned at most; of a larger one only the header section. @default 1048576 */
  readonly maximumReturnedOctets?: number;
}

/** A message to be sent. */
export interface DeliveryStatusNotification {
  readonly envelope: {
    readonly reversePath: null;
    readonly parameters: MailParameters;
    /** The sender of the message that it is about. */
    readonly recipients: readonly [ForwardPath];
  };
  /** Read it once. It throws what the content of the original message throws. */
  readonly body: AsyncIterable<Uint8Array>;
}

const STATUS_NAMES = namesOf<DeliveryStatus>({
  reversePath: true,
  parameters: true,
  arrivedAt: true,
  recipients: true,
  original: true,
});

const OPTION_NAMES = namesOf<NotificationOptions>({
  hostname: true,
  id: true,
  date: true,
  maximumReturnedOctets: true,
});

const MAXIMUM_RETURNED_OCTETS = 1_048_576;

/** Characters of a diagnostic that are passed on: a reply may have very many lines. */
const MAXIMUM_DIAGNOSTIC_CHARACTERS = 2_000;

/** RFC 3461 §4.1; without NOTIFY failures and, which it leaves to us, delays. */
function isWanted({ action, parameters: { notify = ['FAILURE', 'DELAY'] } }: RecipientStatus): boolean {
  if (notify === 'NEVER') return false;
  return notify.includes(action === 'failed' ? 'FAILURE' : action === 'delayed' ? 'DELAY' : 'SUCCESS');
}

/** What the first digit of a status must be (RFC 3463 §2). What is given up after a while was a temporary failure. */
const CLASSES: Readonly<Record<DeliveryAction, readonly string[]>> = {
  failed: ['4', '5'],
  delayed: ['4'],
  delivered: ['2'],
  relayed: ['2'],
};

function check(
  { recipients, arrivedAt, original }: DeliveryStatus,
  { hostname, id, date, maximumReturnedOctets }: NotificationOptions,
): void {
  const list: unknown = recipients;
  if (!Array.isArray(list)) {
    throw new TypeError(
      'A delivery status has recipients: a list of { forwardPath, parameters, action, status }',
    );
  }
  if (!isHostName(hostname)) {
    throw new RangeError(
      `hostname is ${JSON.stringify(hostname)}: give a domain, or an address literal such as [192.0.2.1]`,
    );
  }
  if (!/^[\w.-]{1,50}$/.test(id) || /^\.|\.\.|\.$/.test(id)) {
    throw new RangeError(
      `id is ${JSON.stringify(id)}: give 1 to 50 letters, digits, inner dots, hyphens and underscores`,
    );
  }
  checkOctets('maximumReturnedOctets', maximumReturnedOctets);
  checkOctets('original.size', original?.size);
  if (date === undefined) throw new TypeError('The option date is missing; give a Date');
  checkDates({ date, arrivedAt });
  for (const { action, status, lastAttemptAt, willRetryUntil } of recipients) {
    checkDates({ lastAttemptAt, willRetryUntil });
    if (!/^[245]\.\d{1,3}\.\d{1,3}$/.test(status)) {
      throw new RangeError(
        `${JSON.stringify(status)} is no enhanced status code; one is class.subject.detail`,
      );
    }
    const classes = Object.hasOwn(CLASSES, action) ? CLASSES[action] : undefined;
    if (classes === undefined) {
      throw new RangeError(
        `${JSON.stringify(action)} is no action; one is ${Object.keys(CLASSES).join(', ')}`,
      );
    }
    if (classes.some((each) => status.startsWith(each))) continue;
    throw new RangeError(
      `The action ${action} contradicts the status ${status}; it goes with ${classes.join(', ')}`,
    );
  }
}

function checkOctets(name: string, octets: number | undefined): void {
  if (octets === undefined || (typeof octets === 'number' && octets >= 0)) return;
  throw new RangeError(`${name} is ${octets}; it takes a number of octets, 0 or more`);
}

function checkDates(dates: Readonly<Record<string, Date | undefined>>): void {
  for (const [name, date] of Object.entries(dates)) {
    if (date === undefined || (date instanceof Date && Number.isFinite(date.getTime()))) continue;
    throw new RangeError(`${name} is an invalid Date: give one that has a time, or leave out what may be`);
  }
}

const SUBJECTS = {
  failed: 'Undelivered mail returned to sender',
  delayed: 'Delayed mail, still being tried',
  delivered: 'Delivered mail',
} as const;

const EXPLANATIONS: Readonly<Record<DeliveryAction, string>> = {
  failed: 'could not be delivered, and will not be tried again',
  delayed: 'could not be delivered yet, and is still being tried; you need not send it again',
  delivered: 'was delivered',
  relayed: 'was passed on to a host that does not report delivery',
};

/** The worst of what happened. */
function subjectOf(recipients: readonly RecipientStatus[]): string {
  const actions = recipients.map(({ action }) => action);
  if (actions.includes('failed')) return SUBJECTS.failed;
  return actions.includes('delayed') ? SUBJECTS.delayed : SUBJECTS.delivered;
}

/** Blanks in a row become one: folding could make a line of blanks alone of a long run (RFC 5322 §3.2.2). */
function diagnosticText(diagnostic: Reply | string): string {
  const given = typeof diagnostic === 'string' ? diagnostic : replyText(diagnostic);
  const text = given.replace(/ {2,}/g, ' ');
  return text.length <= MAXIMUM_DIAGNOSTIC_CHARACTERS
    ? text
    : `${text.slice(0, MAXIMUM_DIAGNOSTIC_CHARACTERS)}...`;
}

/** The part for people (RFC 6522 §3). */
function explanation(recipients: readonly RecipientStatus[], hostname: string, utf8: boolean): string {
  const paragraphs = recipients.map(({ forwardPath, action, status, diagnostic }) => {
    const cause = diagnostic === undefined ? status : diagnosticText(diagnostic);
    const address = plainText(formatPath(forwardPath), utf8);
    return `${fold(`${address}: your message ${EXPLANATIONS[action]}.`)}\r\n${fold(`    ${plainText(cause, utf8)}`)}`;
  });
  return [`This is the mail system at host ${hostname}.`, ...paragraphs, ''].join('\r\n\r\n');
}

/** The part for programs (RFC 3464 §2.1): fields of the message, then a group of fields for each recipient. */
function statusFields(
  { parameters, arrivedAt }: DeliveryStatus,
  recipients: readonly RecipientStatus[],
  hostname: string,
  utf8: boolean,
): string {
  const optional = <Value>(
    name: string,
    value: Value | undefined,
    format: (value: Value) => string,
  ): string => (value === undefined ? '' : field(name, format(value), utf8));

  const ofMessage =
    optional('Original-Envelope-Id', parameters.envid, String) +
    field('Reporting-MTA', `dns; ${hostname}`, utf8) +
    optional('Arrival-Date', arrivedAt, dateTime);
  const ofRecipients = recipients.map(
    (recipient) =>
      optional('Original-Recipient', recipient.parameters.orcpt, ({ addressType, address }) =>
        typedAddress(addressType, address, utf8),
      ) +
      field('Final-Recipient', recipientAddress(recipient.forwardPath, hostname, utf8), utf8) +
      field('Action', recipient.action, utf8) +
      field('Status', recipient.status, utf8) +
      optional('Remote-MTA', recipient.remoteMta, (name) => `dns; ${name}`) +
      optional('Diagnostic-Code', recipient.diagnostic, (diagnostic) => {
        // Types that begin with X- need no registration (RFC 3464 §2.1.2).
        const type = typeof diagnostic === 'string' ? 'X-sansmtp' : 'smtp';
        return `${type}; ${diagnosticText(diagnostic)}`;
      }) +
      optional('Last-Attempt-Date', recipient.lastAttemptAt, dateTime) +
      optional(
        'Will-Retry-Until',
        recipient.action === 'delayed' ? recipient.willRetryUntil : undefined,
        dateTime,
      ),
  );
  return [ofMessage, ...ofRecipients].join('\r\n');
}

/** The whole message is returned with failures only, if it was asked for and can be (RFC 3461 §4.3). */
function returnsAll(
  { parameters: { ret, body, requireTls }, original }: DeliveryStatus,
  recipients: readonly RecipientStatus[],
  maximumOctets: number,
): boolean {
  if (ret !== 'FULL' || original === undefined || original.size > maximumOctets) return false;
  // Binary mail data has no lines that would end (RFC 3030 §3), and RFC 8689 §5 overrides RET.
  if (body === 'BINARYMIME' || requireTls === true) return false;
  return recipients.some(({ action }) => action === 'failed');
}

/**
 * Writes the notification about a message.
 *
 * Without RET=FULL, with REQUIRETLS, for a message that is too large or is binary, and where nothing failed, the
 * header section is all that is returned.
 *
 * @returns `undefined` when there is nobody to tell (the null reverse-path), or nothing that they want to hear
 * @throws {RangeError} `hostname`, `id`, a status, a number, a date or a mailbox is malformed, or an action contradicts its
 *   status
 */
export function writeDeliveryStatusNotification(
  status: DeliveryStatus,
  options: NotificationOptions,
): DeliveryStatusNotification | undefined {
  checkObject('The property of a delivery status', status, STATUS_NAMES);
  checkObject('The option', options, OPTION_NAMES);
  const { reversePath, parameters, original } = status;
  const { hostname, id, date, maximumReturnedOctets = MAXIMUM_RETURNED_OCTETS } = options;
  check(status, options);
  const recipients = status.recipients.filter(isWanted);
  if (reversePath === null || recipients.length === 0) return undefined;

  const sender = formatMailbox(reversePath);
  const utf8 = parameters.smtpUtf8 === true || !isAscii(sender);
  const all = returnsAll(status, recipients, maximumReturnedOctets);
  const eightBit = utf8 || (all && parameters.body === '8BITMIME');
  const boundary = `report_${id}`;
  const part = (type: string, encoding: string): string =>
    `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  const ownEncoding = utf8 ? '8bit' : '7bit';

  const head =
    field('From', `Mail Delivery System <MAILER-DAEMON@${hostname}>`, utf8) +
    field('To', `<${sender}>`, utf8) +
    field('Subject', subjectOf(recipients), utf8) +
    field('Date', dateTime(date), utf8) +
    field('Message-ID', `<${id}@${hostname}>`, utf8) +
    field('Auto-Submitted', 'auto-replied', utf8) +
    field('MIME-Version', '1.0', utf8) +
    field('Content-Type', `multipart/report; report-type=delivery-status; boundary="${boundary}"`, utf8) +
    field('Content-Transfer-Encoding', eightBit ? '8bit' : '7bit', utf8) +
    part(`text/plain; charset=${utf8 ? 'utf-8' : 'us-ascii'}`, ownEncoding) +
    explanation(recipients, hostname, utf8) +
    part(utf8 ? 'message/global-delivery-status' : 'message/delivery-status', ownEncoding) +
    statusFields(status, recipients, hostname, utf8);
  const wholeType = utf8 ? 'message/global' : 'message/rfc822';
  const headersType = utf8 ? 'message/global-headers' : 'text/rfc822-headers';

  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from(head);
    if (original !== undefined) yield* returnedPart(original.content);
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }

  /** Nothing where there is nothing to be returned: the part may be left out (RFC 6522 §3). */
  async function* returnedPart(
    content: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const returned = returnedMessage(content, {
      headersOnly: !all,
      maximumOctets: maximumReturnedOctets,
      delimiter: `--${boundary}`,
    });
    const type = all ? wholeType : headersType;
    if (eightBit) {
      let begun = false;
      for await (const lines of returned) {
        if (!begun) yield Buffer.from(part(type, '8bit'));
        begun = true;
        yield lines;
      }
      return;
    }
    const held: Uint8Array[] = [];
    for await (const lines of returned) held.push(lines);
    const octets = Buffer.concat(held);
    if (octets.length === 0) return;
    if (octets.every((octet) => octet < 0x80)) {
      yield Buffer.from(part(type, '7bit'));
      yield octets;
      return;
    }
    // A message/rfc822 must not be encoded (RFC 2046 §5.2.1), a message/global may be (RFC 6532 §3.7).
    yield Buffer.from(part(all ? 'message/global' : type, 'quoted-printable'));
    yield Buffer.from(quotedPrintable(octets));
  }

  return {
    envelope: {
      reversePath: null,
      parameters: {
        ...(eightBit && { body: '8BITMIME' as const }),
        ...(!isAscii(sender) && { smtpUtf8: true as const }),
        ...(parameters.requireTls === true && { requireTls: true as const }),
      },
      recipients: [reversePath],
    },
    body: body(),
  };
}
