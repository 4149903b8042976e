/**
 * Fields of header sections and of delivery status reports (RFC 5322 §2.2, RFC 3464 §2.1), and the addresses in
 * them.
 *
 * Much of what stands in them comes from peers. A field is one field whatever its value holds: line ends and other
 * control characters become "?", and lines are folded where they are long.
 */
import { formatMailbox, type Mailbox } from '@sansmtp/core';
import { isAscii } from '../text/ascii.js';

/** Where lines are folded if they can be; with CRLF (RFC 5322 §2.1.1). */
const PREFERRED_LINE_OCTETS = 78 - 2;

/** Where a line is broken even within a word; no address is as long. Below 998 octets, with room for a name. */
const MAXIMUM_WORD_OCTETS = 900;

/** The text without control characters, and without characters outside ASCII unless they are allowed. */
export function plainText(text: string, utf8: boolean): string {
  return text.replace(utf8 ? /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu : /[^ -~]/gu, '?');
}

function pieces(word: string): string[] {
  if (Buffer.byteLength(word) <= MAXIMUM_WORD_OCTETS) return [word];
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const character of word) {
    octets += Buffer.byteLength(character);
    if (octets > MAXIMUM_WORD_OCTETS) {
      parts.push(part);
      part = ' ';
      octets = 1 + Buffer.byteLength(character);
    }
    part += character;
  }
  return [...parts, part];
}

/**
 * The text in lines that can be put together again by taking the CRLFs out: each but the first begins with a space
 * of the text (RFC 5322 §2.2.3).
 */
export function fold(text: string): string {
  const lines: string[] = [];
  let line = '';
  let octets = 0;
  // Spaces that nothing follows come as a match of their own, and are left out.
  const words = (text.match(/ *[^ ]+| +/g) ?? []).filter((word) => !word.endsWith(' '));
  for (const piece of words.flatMap(pieces)) {
    const length = Buffer.byteLength(piece);
    if (line !== '' && octets + length > PREFERRED_LINE_OCTETS) {
      lines.push(line);
      line = '';
      octets = 0;
    }
    line += piece;
    octets += length;
  }
  return [...lines, line].join('\r\n');
}

/** The field with its CRLF. */
export function field(name: string, value: string, utf8: boolean): string {
  return `${fold(`${name}: ${plainText(value, utf8)}`)}\r\n`;
}

/**
 * An address of the type utf-8 (RFC 6533 §3). What could end or disguise it is written by its code point, and where
 * UTF-8 is not allowed everything outside ASCII is.
 */
function utf8Address(address: string, utf8: boolean): string {
  const special = utf8 ? /[\p{Cc}\p{Z}+=\\]/gu : /[^!-~]|[+=\\]/gu;
  const encoded = address.replace(/\p{Cs}/gu, '\ufffd').replace(special, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return `\\x{${codePoint.toString(16).toUpperCase().padStart(2, '0')}}`;
  });
  return `utf-8; ${encoded}`;
}

/** `type; address`, of the type utf-8 where rfc822 cannot say it. */
export function typedAddress(addressType: string, address: string, utf8: boolean): string {
  const type = addressType.toLowerCase();
  if (type === 'utf-8' || (type === 'rfc822' && !isAscii(address))) return utf8Address(address, utf8);
  // An address type is an atom (RFC 3464 §2.1.2); a ";" in it would move the border to the address.
  return `${type.replace(/[^\w!#$%&'*+/=?^`{|}~.-]/g, '?')}; ${address}`;
}

/** A recipient's address. The postmaster without a domain is the one of this host. */
export function recipientAddress(mailbox: Mailbox, hostname: string, utf8: boolean): string {
  return typedAddress('rfc822', formatMailbox({ ...mailbox, domain: mailbox.domain || hostname }), utf8);
}
