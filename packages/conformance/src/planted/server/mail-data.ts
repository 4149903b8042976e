/** The octets of a message: transparency undone, and what is wrong with them. Each way to do so wrongly is a fault. */
import { SIZE_LIMIT } from './arguments.js';
import type { Flags } from './faults.js';

/** Mail data without its final dot, made the message that it stands for (RFC 5321 §4.5.2). */
export function contentOf(data: string, has: Flags): string {
  const lines = data.split('\r\n').slice(0, -1);
  return lines.map((line, index) => `${unstuffed(line, index, has)}\r\n`).join('');
}

function unstuffed(line: string, index: number, has: Flags): string {
  if (!line.startsWith('.') || has('dots-stay')) return line;
  if (has('dot-of-first-line-stays') && index === 0) return line;
  if (has('dot-before-text-stays') && !/^\.+$/.test(line)) return line;
  return has('all-dots-removed') ? line.replace(/^\.+/, '') : line.slice(1);
}

/** The reply to a message that is not taken; undefined: it is. */
export function contentFlaw(content: string, raw: number, binary: boolean, has: Flags): string | undefined {
  const counted = has('size-counts-dots')
    ? raw
    : has('size-counts-final-dot')
      ? content.length + 3
      : content.length;
  const limit = has('size-off-by-one') ? SIZE_LIMIT - 1 : SIZE_LIMIT;
  if (counted > limit && !has('size-not-enforced')) return '552 5.3.4 Too large';
  if (binary) return undefined;
  if (/\r(?!\n)/.test(content)) return '554 5.6.0 A bare CR';
  if (/(?<!\r)\n/.test(content) && !has('bare-lf-mended')) return '554 5.6.0 A bare LF';
  if (content.includes('\0') && !has('nul-dropped')) return '554 5.6.0 A NUL';
  if (has('line-of-1000-refused') && content.split('\r\n').some((line) => line.length >= 998))
    return '554 5.6.0 A long line';
  return undefined;
}

/** What is stored of a message that is taken. */
export function storedOf(content: string, has: Flags): string {
  let stored = content;
  if (has('eighth-bit-cleared')) {
    stored = stored.replace(/[\x80-\xff]/g, (octet) => String.fromCharCode(octet.charCodeAt(0) & 0x7f));
  }
  if (has('blanks-trimmed')) stored = linesOf(stored, (line) => withoutEnd(line, ' '));
  if (has('lines-cut-at-512')) stored = linesOf(stored, (line) => line.slice(0, 512));
  if (has('tabs-become-blanks')) stored = stored.replaceAll('\t', ' ');
  if (has('empty-lines-at-end-lost')) stored = `${withoutEnd(stored, '\r\n')}\r\n`;
  if (has('bare-lf-mended')) stored = stored.replace(/(?<!\r)\n/g, '\r\n');
  if (has('nul-dropped')) stored = stored.replaceAll('\0', '');
  return stored;
}

const linesOf = (content: string, change: (line: string) => string): string =>
  content.split('\r\n').map(change).join('\r\n');

/** As often as it stands there. */
function withoutEnd(text: string, end: string): string {
  let length = text.length;
  while (length > 0 && text.endsWith(end, length)) length -= end.length;
  return text.slice(0, Math.max(0, length));
}
