/**
 * What nodemailer says of an envelope, in our words. Its spellings are taken as its own SMTP transport takes them.
 */
import {
  type ClientEnvelope,
  type Mailbox,
  type MailParameters,
  parseMailbox,
  type RcptParameters,
} from '@sansmtp/core';
import { type NodemailerError, nodemailerError } from './nodemailer-error.js';

/** What delivery status notifications the sender wants (DSN, RFC 3461). */
export interface NodemailerDsn {
  readonly ret?: string | null | undefined;
  /** The same as `ret`. */
  readonly return?: string | undefined;
  readonly envid?: string | null | undefined;
  /** The same as `envid`. */
  readonly id?: string | undefined;
  readonly notify?: string | readonly string[] | null | undefined;
  /** The recipient as the sender first wrote it. */
  readonly recipient?: string | undefined;
  /** The same as `recipient`. */
  readonly orcpt?: string | null | undefined;
}

/** An envelope as nodemailer hands it to a transport. */
export interface NodemailerEnvelope {
  /** `false` for the null reverse-path. */
  readonly from: string | false;
  readonly to: string[];
  /** Octets of the message. */
  readonly size?: unknown;
  readonly use8BitMime?: unknown;
  readonly dsn?: unknown;
  readonly requireTLSExtensionEnabled?: unknown;
}

/**
 * The envelope of a message that nodemailer hands to a transport, in our words.
 * @param data of the same message: its options `dsn` and `requireTLSExtensionEnabled` count
 * @throws {NodemailerError} `EENVELOPE`: an address or the DSN options cannot be sent, or there is no recipient
 */
export function clientEnvelopeOf(
  envelope: NodemailerEnvelope,
  data: {
    readonly dsn?: NodemailerDsn | undefined;
    readonly requireTLSExtensionEnabled?: boolean | undefined;
  },
): ClientEnvelope {
  const { dsn, requireTLSExtensionEnabled } = data;
  return clientEnvelope({
    ...envelope,
    ...(dsn && { dsn }),
    ...(requireTLSExtensionEnabled && { requireTLSExtensionEnabled }),
  });
}

const NOTIFY = ['SUCCESS', 'FAILURE', 'DELAY'] as const;

/** @throws {NodemailerError} `EENVELOPE`: an address or the DSN options cannot be sent, or there is no recipient */
export function clientEnvelope(envelope: NodemailerEnvelope): ClientEnvelope {
  const { from, to } = envelope;
  if (to.length === 0) throw invalid('No recipients defined');
  const dsn = (envelope.dsn ?? {}) as NodemailerDsn;
  const parameters = rcptParameters(dsn);
  return {
    reversePath: from === false || from.trim() === '' ? null : mailbox(from, 'sender'),
    parameters: mailParameters(envelope, dsn),
    recipients: to.map((address) => ({ ...mailbox(address, 'recipient'), parameters })),
  };
}

function mailbox(address: string, whose: 'sender' | 'recipient'): Mailbox {
  const parsed = parseMailbox(address.trim(), true);
  if ('failure' in parsed) throw invalid(`Invalid ${whose} ${JSON.stringify(address)}: ${parsed.problem}`);
  return parsed;
}

function mailParameters(envelope: NodemailerEnvelope, dsn: NodemailerDsn): MailParameters {
  const size = Number(envelope.size);
  const ret = retOf((dsn.ret || dsn.return || '').toUpperCase());
  const envid = dsn.envid || dsn.id;
  return {
    ...(Number.isSafeInteger(size) && size > 0 && { size }),
    ...(envelope.use8BitMime === true && { body: '8BITMIME' }),
    ...(ret && { ret }),
    ...(envid && { envid }),
    ...(envelope.requireTLSExtensionEnabled === true && { requireTls: true }),
  };
}

function retOf(word: string): MailParameters['ret'] {
  switch (word) {
    case '':
      return undefined;
    case 'FULL':
    case 'BODY':
      return 'FULL';
    case 'HDRS':
    case 'HEADERS':
      return 'HDRS';
    default:
      throw invalid(`Invalid DSN ret: ${JSON.stringify(word)}; it is FULL or HDRS`);
  }
}

function rcptParameters(dsn: NodemailerDsn): RcptParameters {
  const notify = notifyOf(dsn.notify ?? []);
  const original = dsn.recipient || dsn.orcpt;
  return { ...(notify && { notify }), ...(original && { orcpt: originalRecipient(original) }) };
}

function notifyOf(given: string | readonly string[]): RcptParameters['notify'] {
  const list = typeof given === 'string' ? given.split(',') : given;
  const words = list.map((word) => word.trim().toUpperCase()).filter((word) => word !== '');
  if (words.length === 0) return undefined;
  if (words.length === 1 && words[0] === 'NEVER') return 'NEVER';
  const known = NOTIFY.filter((word) => words.includes(word));
  if (words.every((word) => known.some((other) => other === word))) return known;
  throw invalid(
    `Invalid DSN notify: ${JSON.stringify(words.join(','))}; it is NEVER, or some of ${NOTIFY.join(', ')}`,
  );
}

/** RFC 3461 §4.2; an address without a type is one of Internet mail. */
function originalRecipient(text: string): NonNullable<RcptParameters['orcpt']> {
  const semicolon = text.indexOf(';');
  return semicolon < 0
    ? { addressType: 'rfc822', address: text }
    : { addressType: text.slice(0, semicolon), address: text.slice(semicolon + 1) };
}

function invalid(message: string): NodemailerError {
  return nodemailerError(message, { code: 'EENVELOPE', command: 'API' });
}
