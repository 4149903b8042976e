/**
 * The header lines that final delivery puts in front of a message (RFC 5321 §4.4): whom to tell of failures, whom
 * it was for, and how it came here.
 *
 * Nothing a client sends can add a line: paths are formatted anew, and of its own name for itself, which may be
 * any printable characters, all but those of names and address literals are escaped.
 */
import { type Envelope, encodeText, formatMailbox, formatPath, type TlsInformation } from '@sansmtp/core';
import type { ServerSessionInformation } from '@sansmtp/transport';
import { dateTime } from '../text/date-time.js';

/** How a message came here. */
export interface Receipt {
  readonly envelope: Envelope;
  readonly session: ServerSessionInformation;
  /** By whom it was received: the name of this host. */
  readonly hostname: string;
  /** Names the message here, or its delivery: an atom. */
  readonly id: string;
  readonly date: Date;
}

/** RFC 5321 §4.1.3. */
function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}

/**
 * The name that a client gave itself, which may be anything printable. A parenthesis or a semicolon would end the clause
 * for those who read it later: what is neither a name nor an address literal stands as in xtext, by its octets.
 */
function escaped(name: string): string {
  return name.replace(/[^\w.:[\]-]/gu, (character) =>
    Array.from(
      encodeText(character),
      (octet) => `+${octet.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
}

function receivedFrom({ hello, peer }: ServerSessionInformation): string {
  const name = hello === undefined ? 'unknown' : escaped(hello.name);
  return peer.address === undefined ? name : `${name} (${addressLiteral(peer.address)})`;
}

/** The words that RFC 3848 and RFC 6531 §4.3 have for how it came: `ESMTPSA`. */
function receivedWith({ hello, tls, identity }: ServerSessionInformation, { parameters }: Envelope): string {
  // Without any hello nothing was offered either.
  if (hello === undefined || hello.verb === 'HELO') return 'SMTP';
  const lmtp = hello.verb === 'LHLO';
  const extended = lmtp ? 'LMTP' : 'ESMTP';
  const internationalized = lmtp ? 'UTF8LMTP' : 'UTF8SMTP';
  const protocol = parameters.smtpUtf8 ? internationalized : extended;
  return `${protocol}${tls === undefined ? '' : 'S'}${identity === undefined ? '' : 'A'}`;
}

/** RFC 8314 §4.3; as a registered clause it stands behind the others (RFC 5321 §4.4). */
function tlsClause(tls: TlsInformation | undefined): string {
  return tls !== undefined && /^\w+$/.test(tls.cipher) ? ` tls ${tls.cipher}` : '';
}

/** The `Received` field (RFC 5321 §4.4), which each host on the way puts in front of a message; with its CRLFs. */
export function receivedField({ envelope, session, hostname, id, date }: Receipt): string {
  return [
    `Received: from ${receivedFrom(session)}`,
    `\tby ${hostname} with ${receivedWith(session, envelope)} id ${id}${tlsClause(session.tls)};`,
    `\t${dateTime(date)}`,
    '',
  ].join('\r\n');
}

/** The lines of final delivery (RFC 5321 §4.4), each with its CRLF; a `Received` field goes after them. */
export function deliveryHeader({ reversePath, recipients }: Envelope): string {
  return [
    `Return-Path: ${formatPath(reversePath)}`,
    ...recipients.map(({ forwardPath }) => `Delivered-To: ${formatMailbox(forwardPath)}`),
    '',
  ].join('\r\n');
}
