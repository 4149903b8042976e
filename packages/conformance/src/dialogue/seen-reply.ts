/**
 * Replies as they came (RFC 5321 §4.2), read from octets and not by the core: what is judged must not be what judges. A
 * reply that can be told from the next one is read in spite of its flaws, which it lists; else the server deviates.
 */
import { Deviation } from './findings.js';
import { printable } from './transcript.js';

export interface SeenReply {
  readonly code: number;
  /** What follows the code and its separator, a line each; octets beyond ASCII as Latin-1. */
  readonly lines: readonly string[];
  /** The enhanced status code that the last line begins with (RFC 2034 §4), or what looks like one. */
  readonly enhancedCode: string | undefined;
  readonly octets: Uint8Array;
  /** What is wrong with its form. */
  readonly flaws: readonly string[];
}

const CR = 13;
const LF = 10;
const MAXIMUM_LINE_OCTETS = 512;
/** What no reply is longer than: a server that goes on is not waited for. */
const ENDLESS_OCTETS = 65_536;

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

function flawsOf(line: Uint8Array): string[] {
  const flaws: string[] = [];
  const content = line.at(-2) === CR ? line.subarray(0, -2) : line.subarray(0, -1);
  if (line.at(-2) !== CR) flaws.push('a line ends in a bare LF');
  if (content.includes(CR)) flaws.push('a line holds a bare CR');
  if (line.length > MAXIMUM_LINE_OCTETS) flaws.push(`a line has ${line.length} octets, 512 are allowed`);
  const isText = (octet: number) => octet === 9 || (octet >= 0x20 && octet < 0x7f) || octet >= 0x80;
  if (!content.every((octet) => isText(octet) || octet === CR))
    flaws.push('a line holds octets that no text has');
  return flaws;
}

/** Puts the octets of a server together to replies. */
export class ReplyReader {
  #pending: Uint8Array = new Uint8Array();

  /** Octets that belong to no whole reply yet. */
  get pending(): Uint8Array {
    return this.#pending;
  }

  push(octets: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, octets]);
  }

  /** Drops what is there: nothing that was sent in the clear counts under TLS. */
  clear(): void {
    this.#pending = new Uint8Array();
  }

  /**
   * The next reply, as soon as it is whole.
   * @throws {Deviation} what came is no reply
   */
  next(): SeenReply | undefined {
    const codes: string[] = [];
    const texts: string[] = [];
    const flaws = new Set<string>();
    let begin = 0;
    for (;;) {
      const end = this.#pending.indexOf(LF, begin) + 1;
      if (end === 0) {
        if (this.#pending.length > ENDLESS_OCTETS)
          throw new Deviation('The server sends a reply that does not end');
        return undefined;
      }
      const line = this.#pending.subarray(begin, end);
      const text = latin1(line).replace(/\r?\n$/, '');
      const [, code, separator] = /^([2-5]\d\d)($|[ -])/.exec(text) ?? [];
      if (code === undefined)
        throw new Deviation(`This is no line of a reply: ${printable(line.subarray(0, 200))}`);
      codes.push(code);
      texts.push(text.slice(4));
      for (const flaw of flawsOf(line)) flaws.add(flaw);
      begin = end;
      if (separator !== '-') break;
    }
    if (new Set(codes).size > 1)
      flaws.add(`its lines have different codes: ${[...new Set(codes)].join(', ')}`);
    const octets = this.#pending.subarray(0, begin);
    this.#pending = this.#pending.subarray(begin);
    const [enhancedCode] = /^\d+\.\d+\.\d+(?=$| )/.exec(texts.at(-1) ?? '') ?? [];
    return { code: Number(codes.at(-1)), lines: texts, enhancedCode, octets, flaws: [...flaws] };
  }
}

/** The reply in one line, for a finding. */
export function shown({ octets }: SeenReply): string {
  const text = printable(octets.subarray(0, 300)).replaceAll('\\r\\n', ' / ').replace(/ \/ $/, '');
  return octets.length > 300 ? `${text} …` : text;
}

/** Whether the server says that it has had enough of this client (RFC 5321 §3.8, RFC 4954 §6). */
export function announcesLimit({ code, enhancedCode }: SeenReply): boolean {
  return code === 421 || (code === 454 && enhancedCode === '4.7.0');
}
