/**
 * Addresses as a caller writes them: a text such as `ann@example.org`, or a mailbox that has been read before.
 *
 * The null reverse-path is `null` or `'<>'`. An empty text is refused: it is what a variable holds that nobody set,
 * and mail that silently comes from nobody cannot be returned to anybody.
 */
import { type ForwardPath, type Mailbox, parseMailbox, type ReversePath } from './path.js';

/**
 * Whom mail is from, or for: a mailbox, or its text as it stands in a command, with angle brackets or without
 * (`ann@example.org`, `<ann@example.org>`, `"ann b"@[192.0.2.1]`). Display names do not belong here.
 */
export type Address = Mailbox | string;

/**
 * The reverse-path that an address stands for (RFC 5321 §4.1.1.2).
 * @param address `null` or `'<>'` for the null reverse-path (RFC 5321 §4.5.5)
 * @throws {RangeError} it is empty, or no mailbox; the message quotes it and says what is wrong with it
 */
export function readReversePath(address: Address | null): ReversePath {
  if (address === null || address === '<>') return null;
  return readMailboxOf(address, 'reverse-path', "or null or '<>' for the null reverse-path");
}

/**
 * The forward-path that an address stands for (RFC 5321 §4.1.1.3); `postmaster` alone needs no domain.
 * @throws {RangeError} it is empty, or no mailbox; the message quotes it and says what is wrong with it
 */
export function readForwardPath(address: Address): ForwardPath {
  if (typeof address === 'string' && withoutBrackets(address).toLowerCase() === 'postmaster') {
    return { localPart: withoutBrackets(address), domain: '' };
  }
  return readMailboxOf(address, 'forward-path', 'and each recipient needs one');
}

function readMailboxOf(address: Address, path: 'reverse-path' | 'forward-path', rest: string): Mailbox {
  if (typeof address === 'string' && address !== '') {
    const parsed = parseMailbox(withoutBrackets(address), true);
    if (!('failure' in parsed)) return parsed;
    throw new RangeError(`The ${path} ${JSON.stringify(address)} is no mailbox. ${parsed.problem}`);
  }
  if (isMailbox(address)) return address;
  const shown = typeof address === 'object' ? JSON.stringify(address) : `'${String(address)}'`;
  const given = address === undefined ? 'missing' : shown;
  throw new RangeError(`The ${path} is ${given}; give an address such as ann@example.org, ${rest}`);
}

function withoutBrackets(text: string): string {
  return text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
}

/** Not every caller is compiled. */
function isMailbox(address: unknown): address is Mailbox {
  if (typeof address !== 'object' || address === null) return false;
  const { localPart, domain } = address as Partial<Mailbox>;
  return typeof localPart === 'string' && typeof domain === 'string';
}
