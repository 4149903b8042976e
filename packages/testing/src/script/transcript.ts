/** What was said, as the error of a test shows it. Secrets are not: of an AUTH exchange, and of messages, only lengths. */

/** One line, or what stands for it. */
export interface SpokenLine {
  readonly by: 'client' | 'server';
  /** Without CRLF; octets beyond ASCII escaped. */
  readonly text: string;
  /** Milliseconds of the server's time. */
  readonly time: number;
}

export const formatTranscript = (lines: readonly SpokenLine[]): string =>
  lines.map(({ by, text }) => `${by === 'client' ? 'C' : 'S'}: ${text}`).join('\n');

/** Octets as a line of text: ASCII as it is, the rest escaped, so that nothing in it can pass for something else. */
export function printable(octets: Uint8Array): string {
  return Array.from(octets, (octet) =>
    octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, '0')}`,
  ).join('');
}

/** Only how long: `(27 octets)`. */
export const withheld = (length: number): string => (length === 1 ? '(1 octet)' : `(${length} octets)`);
