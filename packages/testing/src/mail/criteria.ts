/** Which message a test means. */
import { checkNames, formatMailbox, readForwardPath, readReversePath } from '@sansmtp/core';
import type { ReceivedMessage } from './received-message.js';

/** All that is given has to hold. */
export interface MessageCriteria<Parsed = unknown> {
  /** The reverse-path; `<>` for the null reverse-path. Domains have no case. */
  readonly from?: string;
  /** One of the recipients, or several that must all be among them. */
  readonly to?: string | readonly string[];
  /** A part of the mail data, or an expression that it matches. */
  readonly text?: string | RegExp;
  /** Anything else. */
  readonly where?: (message: ReceivedMessage<Parsed>) => boolean;
}

/** Domains compare without case; local parts are their host's matter (RFC 5321 §2.4). */
function comparable(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at + 1) + address.slice(at + 1).toLowerCase();
}

interface Matching<Parsed> {
  matches(message: ReceivedMessage<Parsed>): boolean;
  /** `a message to bob@example.com with "hello"`. */
  readonly words: string;
}

/**
 * @throws {RangeError} an address is none
 * @throws {TypeError} a name or a value is not known
 */
export function matching<Parsed>(criteria: MessageCriteria<Parsed> = {}): Matching<Parsed> {
  checkNames('The criterion', criteria, ['from', 'to', 'text', 'where']);
  const { from, to, text, where } = criteria;
  if (text !== undefined && typeof text !== 'string' && !(text instanceof RegExp)) {
    throw new TypeError('The criterion text takes a part of the mail data, or a regular expression');
  }
  if (where !== undefined && typeof where !== 'function') {
    throw new TypeError('The criterion where takes a function of a message');
  }
  const sender = from === undefined ? undefined : comparable(formatMailbox(readReversePath(from)));
  const recipients = (to === undefined ? [] : [to])
    .flat()
    .map((each) => comparable(formatMailbox(readForwardPath(each))));
  const words = [
    'a message',
    from !== undefined && `from ${from}`,
    to !== undefined && `to ${[to].flat().join(', ')}`,
    text !== undefined && `with ${typeof text === 'string' ? JSON.stringify(text) : text}`,
    where !== undefined && 'that passes where()',
  ];
  return {
    words: words.filter((each) => each !== false).join(' '),
    matches(message) {
      if (sender !== undefined && comparable(message.from) !== sender) return false;
      const all = new Set(message.to.map(comparable));
      if (!recipients.every((each) => all.has(each))) return false;
      if (typeof text === 'string' && !message.text.includes(text)) return false;
      if (text instanceof RegExp && message.text.search(text) < 0) return false;
      return where === undefined || where(message);
    },
  };
}
