/** A message as it goes out: transparent, and ended by the final dot (RFC 5321 §4.5.2). */
import type { FaultId } from './faults.js';

const PIECE = 4096;

function doubleDots(text: string, fault: FaultId | undefined): string {
  switch (fault) {
    case 'dot-not-doubled':
      return text;
    case 'first-dot-only':
      return text.replace(/^\./m, '..');
    case 'lone-dots-only':
      return text.replace(/^\.(?=\r\n)/gm, '..');
    case 'dots-within-lines':
      return text.replace(/(?:^|(?<=\n| ))\./g, '..');
    case 'dots-at-chunk-ends': {
      const count = Math.ceil(text.length / PIECE);
      const pieces = Array.from({ length: count }, (_, at) => text.slice(at * PIECE, (at + 1) * PIECE));
      return pieces.map((piece) => piece.replace(/^\./, '..').replace(/(?<=\n)\./g, '..')).join('');
    }
    default:
      return text.replace(/(?:^|(?<=\n))\./g, '..');
  }
}

/** The message as the fault leaves it, before it is framed. */
export function damaged(message: string, fault: FaultId | undefined): string {
  switch (fault) {
    case 'blanks-trimmed':
      return message
        .split('\r\n')
        .map((line) => line.trimEnd())
        .join('\r\n');
    case 'long-lines-cut':
      return message
        .split('\r\n')
        .map((line) => line.slice(0, 998))
        .join('\r\n');
    case 'nul-cuts':
      return message.split('\0', 1)[0] ?? '';
    case 'eighth-bit-lost':
      return Array.from(message, (octet) => String.fromCharCode(octet.charCodeAt(0) & 0x7f)).join('');
    default:
      return message;
  }
}

/** Why the message cannot go out; undefined: it can. */
export function flawOf(message: string, fault: FaultId | undefined): string | undefined {
  if (/(?<!\r)\n/.test(message) && fault !== 'bare-lf-passed') return 'a bare LF';
  if (/\r(?!\n)/.test(message) && fault !== 'bare-cr-passed') return 'a bare CR';
  return undefined;
}

/** For DATA, with the final dot. */
export function forData(message: string, fault: FaultId | undefined): string {
  const transparent = doubleDots(message, fault);
  const isEnded = transparent === '' || transparent.endsWith('\r\n');
  const end = isEnded || fault === 'final-crlf-missing' ? '' : '\r\n';
  return `${transparent}${end}${fault === 'empty-line-added' ? '\r\n' : ''}.\r\n`;
}

/** For BDAT: as it is. */
export const forChunks = (message: string, fault: FaultId | undefined): string =>
  fault === 'bdat-dots-doubled' ? doubleDots(message, undefined) : message;
