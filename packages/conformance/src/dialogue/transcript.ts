/**
 * What was said, to the octet: a line for each line on the wire, `C:` or `S:` before it. CRLF at its end is not shown; what
 * ended otherwise says so. Octets that are not printable ASCII are escaped, and so is a backslash.
 */

export type Speaker = 'C' | 'S';

/** Lines of a transcript at most: the first and the last ones stay. */
const MAXIMUM_LINES = 120;

/** How many times an octet must be repeated for the repetition to be written as a number. */
const REPETITION = 40;

const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

function escapedOctet(octet: number): string {
  if (octet in ESCAPES) return ESCAPES[octet] ?? '';
  if (octet >= 0x20 && octet < 0x7f) return String.fromCharCode(octet);
  return `\\x${octet.toString(16).padStart(2, '0')}`;
}

/** Octets as text: an octet 1000 times over is `{a × 1000}`. */
export function printable(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; ) {
    const octet = octets[at] ?? 0;
    let end = at + 1;
    while (octets[end] === octet) end++;
    const shown = escapedOctet(octet);
    text += end - at >= REPETITION ? `{${shown} × ${end - at}}` : shown.repeat(end - at);
    at = end;
  }
  return text;
}

/** The octets' lines, each with its CRLF; the last one possibly without. */
export function linesOf(octets: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let begin = 0;
  for (let at = 0; at + 1 < octets.length; at++) {
    if (octets[at] !== 13 || octets[at + 1] !== 10) continue;
    lines.push(octets.subarray(begin, at + 2));
    begin = at + 2;
    at++;
  }
  if (begin < octets.length) lines.push(octets.subarray(begin));
  return lines;
}

function endsInCrlf(line: Uint8Array): boolean {
  return line.at(-2) === 13 && line.at(-1) === 10;
}

export class Transcript {
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  #omitted = 0;

  add(by: Speaker, octets: Uint8Array): void {
    for (const line of linesOf(octets)) {
      const whole = endsInCrlf(line);
      this.#push(`${by}: ${printable(whole ? line.subarray(0, -2) : line)}${whole ? '' : ' (no CRLF)'}`);
    }
  }

  /** For what is no octet, such as a handshake, and for what nobody is to read, such as a password. */
  note(by: Speaker, text: string): void {
    this.#push(`${by}: (${text})`);
  }

  get lines(): readonly string[] {
    const between = this.#omitted === 0 ? [] : [`(${this.#omitted} lines are not shown)`];
    return [...this.#first, ...between, ...this.#last];
  }

  #push(line: string): void {
    if (this.#first.length < MAXIMUM_LINES / 2) {
      this.#first.push(line);
      return;
    }
    this.#last.push(line);
    if (this.#last.length <= MAXIMUM_LINES / 2) return;
    this.#last.shift();
    this.#omitted++;
  }
}
