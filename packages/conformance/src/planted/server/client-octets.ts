/** What the client has sent, cut into lines, mail data and chunks; one character an octet. Each way to cut wrongly is a fault. */
import type { Flags } from './faults.js';

const LONGEST_LINE = 512;
/** With the parameters of service extensions. */
const LONGEST_ENVELOPE_LINE = 2048;
/** RFC 4954 §4. */
const LONGEST_AUTH_LINE = 12_288;

export type ReadLine = { readonly line: string } | { readonly tooLong: true };

export class ClientOctets {
  readonly #has: Flags;
  #octets = '';
  /** Where in `#octets` the last segment begins. */
  #segment = 0;

  constructor(has: Flags) {
    this.#has = has;
  }

  push(octets: string): void {
    if (this.#has('split-crlf-lost') && this.#octets.endsWith('\r') && octets.startsWith('\n')) {
      this.#octets = this.#octets.slice(0, -1);
      this.push(octets.slice(1));
      return;
    }
    this.#segment = this.#octets.length;
    this.#octets += octets;
    if (this.#has('chunk-ends-line') && !this.#octets.endsWith('\n')) this.#octets += '\r\n';
  }

  clear(): void {
    this.#octets = '';
    this.#segment = 0;
  }

  /** The next line without its end; undefined: it is not there yet. */
  line(limitFor: 'command' | 'response'): ReadLine | undefined {
    const end = this.#endOfLine();
    if (end === undefined) {
      // Of a line that is too long in any case only the end is waited for.
      if (this.#octets.length > 3 * LONGEST_AUTH_LINE)
        this.#drop(this.#octets.length - 2 * LONGEST_AUTH_LINE);
      return undefined;
    }
    const { length } = end;
    const whole = this.#octets.slice(0, end.at);
    const limit = limitFor === 'response' ? this.#longestAuthLine : this.#limitOf(whole);
    if (whole.length + 2 > limit) {
      if (this.#has('rest-of-long-line-runs')) {
        this.#drop(LONGEST_LINE);
        return { tooLong: true };
      }
      this.#drop(end.at + length);
      return { tooLong: true };
    }
    this.#drop(end.at + length);
    const nul = whole.indexOf('\0');
    return { line: this.#has('nul-ends-line') && nul >= 0 ? whole.slice(0, nul) : whole };
  }

  get #longestAuthLine(): number {
    return this.#has('auth-response-of-512-refused') ? LONGEST_LINE : LONGEST_AUTH_LINE;
  }

  #limitOf(line: string): number {
    if (/^(?:MAIL|RCPT)\b/i.test(line)) return LONGEST_ENVELOPE_LINE;
    if (/^AUTH\b/i.test(line)) return this.#longestAuthLine;
    if (this.#has('line-of-512-refused')) return LONGEST_LINE - 1;
    return this.#has('line-of-500-refused') ? 499 : LONGEST_LINE;
  }

  #endOfLine(): { readonly at: number; readonly length: number } | undefined {
    const ends = [
      '\r\n',
      ...(this.#has('lf-ends-line') ? ['\n'] : []),
      ...(this.#has('cr-ends-line') ? ['\r'] : []),
    ];
    return first(this.#octets, ends);
  }

  /**
   * Mail data without its final dot, dots of transparency still there; undefined: it is not there yet.
   * @param isBegun some of it was looked at before
   */
  mailData(): string | undefined {
    if (this.#octets.startsWith('.\r\n') && !this.#has('empty-message-never-ends')) {
      this.#drop(3);
      return '';
    }
    const ends = ['\r\n.\r\n'];
    if (this.#has('lf-dot-lf-ends-data')) ends.push('\n.\n');
    if (this.#has('lf-dot-crlf-ends-data')) ends.push('\n.\r\n');
    if (this.#has('crlf-dot-lf-ends-data')) ends.push('\r\n.\n');
    if (this.#has('cr-dot-cr-ends-data')) ends.push('\r.\r');
    if (this.#has('dot-at-end-of-line-ends-data')) ends.push('.\r\n');
    const from = this.#has('split-dot-lost') ? this.#segment : 0;
    const end = first(this.#octets, ends, from);
    if (end === undefined) return undefined;
    const data = `${this.#octets.slice(0, end.at)}\r\n`;
    this.#drop(end.at + end.length);
    return data;
  }

  /** So many octets, when they are there. */
  chunk(size: number): string | undefined {
    if (this.#octets.length < size) return undefined;
    const end = this.#has('bdat-ends-at-dot') ? this.#octets.slice(0, size).indexOf('\r\n.\r\n') : -1;
    const chunk = this.#octets.slice(0, end < 0 ? size : end + 5);
    this.#drop(chunk.length);
    return end < 0 ? chunk : chunk.slice(0, -3);
  }

  /** Octets that were not looked at. */
  get rest(): string {
    return this.#octets;
  }

  #drop(octets: number): void {
    this.#octets = this.#octets.slice(octets);
    this.#segment = Math.max(0, this.#segment - octets);
  }
}

function first(
  text: string,
  ends: readonly string[],
  from = 0,
): { readonly at: number; readonly length: number } | undefined {
  let found: { readonly at: number; readonly length: number } | undefined;
  for (const end of ends) {
    const at = text.indexOf(end, from);
    if (at >= 0 && (found === undefined || at < found.at)) found = { at, length: end.length };
  }
  return found;
}
