import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BareNewline, InboundBuffer } from './inbound.js';

// One character an octet in these tests, so that strings can stand for octets.
const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** A result as text: a line in quotes, or the verdict and how the line begins. */
type Result = string | undefined;

function readLine(inbound: InboundBuffer, maximumLength: number): Result {
  const line = inbound.nextLine(maximumLength);
  if (line === undefined) return undefined;
  return line.kind === 'line'
    ? JSON.stringify(textOf(line.octets))
    : `${line.kind} ${textOf(line.beginning)}`;
}

function readLines(inbound: InboundBuffer, maximumLength: number): Result[] {
  const results: Result[] = [];
  for (;;) {
    const result = readLine(inbound, maximumLength);
    if (result === undefined) return results;
    results.push(result);
  }
}

function linesOf(mode: BareNewline, maximumLength: number, ...chunks: string[]): Result[] {
  const inbound = new InboundBuffer(mode);
  return chunks.flatMap((chunk) => {
    inbound.push(octetsOf(chunk));
    return readLines(inbound, maximumLength);
  });
}

/** The same contract over one string, with no thought of speed. */
class NaiveInbound {
  held = '';
  #lastSkipped = '';
  readonly #mode: BareNewline;

  constructor(mode: BareNewline) {
    this.#mode = mode;
  }

  get amidRefusedLine(): boolean {
    return this.#lastSkipped !== '';
  }

  nextLine(maximumLength: number): Result {
    if (this.#lastSkipped !== '') {
      const rest = this.#lastSkipped + this.held;
      const end = this.#endOfLine(rest);
      this.#lastSkipped = end === -1 ? rest.slice(-1) : '';
      this.held = end === -1 ? '' : rest.slice(end);
      if (end === -1) return undefined;
    }
    const end = this.#endOfLine(this.held);
    const line = end === -1 ? this.held : this.held.slice(0, end);
    const bare = (this.#mode === 'reject' ? /\0|(?<!\r)\n|\r(?=[^\n])/ : /\0|\r(?=[^\n])/).exec(line);
    // A CR is known to be bare by the octet behind it.
    const malformedAt = bare === null ? Infinity : bare.index + (bare[0] === '\r' ? 1 : 0);
    if (this.#mode !== 'keep' && malformedAt < maximumLength) return this.#refuse(malformedAt, 'malformed');
    if (line.length > maximumLength || (end === -1 && line.length === maximumLength)) {
      return this.#refuse(maximumLength - 1, 'tooLong');
    }
    if (end === -1) return undefined;
    this.held = this.held.slice(end);
    return JSON.stringify(line.replace(/\r?\n$/, ''));
  }

  /** The offset after the first line end, or -1. */
  #endOfLine(text: string): number {
    const lineEnd = this.#mode === 'normalize' ? '\n' : '\r\n';
    const at = text.indexOf(lineEnd);
    return at === -1 ? -1 : at + lineEnd.length;
  }

  #refuse(position: number, verdict: string): string {
    const beginning = this.held.slice(0, Math.min(position + 1, 9));
    this.#lastSkipped = this.held.charAt(position);
    this.held = this.held.slice(position + 1);
    return `${verdict} ${beginning}`;
  }
}

const mode = fc.constantFrom<BareNewline>('reject', 'normalize', 'keep');
const limit = fc.constantFrom(2, 3, 5, 8, 16, Infinity);
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\r\n', '\r\n', 'EHLO a', '.', 'x') },
  { weight: 2, arbitrary: fc.constantFrom('\r', '\n', '\0', '\t', '\x0c', '\x0e', '\xff') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }).map((length) => 'y'.repeat(length)) },
);
const stream = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
/** Chunks, possibly empty, and what they make together. */
const chunks = fc.oneof(
  fc.array(fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))),
  stream.map((text) => text.split('')),
);

describe('lines of the peer', () => {
  it('end in CRLF (RFC 5321 §2.3.8)', () => {
    expect(linesOf('reject', 512, 'EHLO a\r\nMAIL\r\n\r\nQU')).toEqual(['"EHLO a"', '"MAIL"', '""']);
  });

  it('are put together from chunks', () => {
    expect(linesOf('reject', 512, 'EH', 'LO a\r', '\nMAIL\r\nRC', 'PT\r\n')).toEqual([
      '"EHLO a"',
      '"MAIL"',
      '"RCPT"',
    ]);
  });

  it('may be as long as the limit, CRLF included, and no longer (RFC 5321 §4.5.3.1.4)', () => {
    const longest = 'x'.repeat(510);
    expect(linesOf('reject', 512, `${longest}\r\nQUIT\r\n`)).toEqual([JSON.stringify(longest), '"QUIT"']);
    expect(linesOf('reject', 512, `${longest}x\r\nQUIT\r\n`)).toEqual(['tooLong xxxxxxxxx', '"QUIT"']);
  });

  it('are reported as too long once, as soon as the limit is reached without an end', () => {
    expect(linesOf('reject', 8, 'xxxxxxx')).toEqual([]);
    expect(linesOf('reject', 8, 'xxxxxxx', 'x')).toEqual(['tooLong xxxxxxxx']);
    expect(linesOf('reject', 8, 'xxxxxxxx', 'xxxxxxxxx', 'x\nx\rx\0', 'x\r', '\nQUIT\r\n')).toEqual([
      'tooLong xxxxxxxx',
      '"QUIT"',
    ]);
  });

  it('are not ended by the LF that a CR at the limit is followed by, yet the next line starts there', () => {
    expect(linesOf('reject', 4, 'abc\r\nQ\r\n')).toEqual(['tooLong abc\r', '"Q"']);
    expect(linesOf('reject', 4, 'abc', '\r', '\n', 'Q\r\n')).toEqual(['tooLong abc\r', '"Q"']);
  });

  it.each([
    ['a bare LF', 'MAIL\n'],
    ['a bare LF after a CRLF', '\n'],
    ['a bare CR, known by the octet behind it', 'MAIL\rR'],
    ['a CR before a CRLF', 'MAIL\r\r'],
    ['a NUL', 'MAIL\0'],
  ])('are malformed at once by %s, and dropped up to their CRLF', (_, text) => {
    for (const cut of [text.length - 1, text.length]) {
      const inbound = new InboundBuffer('reject');
      inbound.push(octetsOf(`NOOP\r\n${text.slice(0, cut)}`));
      expect(readLine(inbound, 512)).toBe('"NOOP"');
      if (cut < text.length) {
        expect(readLine(inbound, 512)).toBeUndefined();
        inbound.push(octetsOf(text.slice(cut)));
      }
      expect(readLine(inbound, 512)).toBe(`malformed ${text}`);
      inbound.push(octetsOf('RCPT\nDATA\rQUIT\0\r\nRSET\r\n'));
      expect(readLines(inbound, 512)).toEqual(['"RSET"']);
    }
  });

  it('have a bare CR also where the chunk ends in it', () => {
    const first = (...chunks: string[]) => {
      const inbound = new InboundBuffer('reject');
      const lines = chunks.map((chunk) => {
        inbound.push(octetsOf(chunk));
        return inbound.nextLine(20);
      });
      return lines.find((line) => line !== undefined);
    };
    expect(first('ab\r', 'cd\r\n')).toEqual(first('ab\rcd\r\n'));
    expect(first('ab\r', 'cd\r\n')).toMatchObject({ kind: 'malformed' });
  });

  it('end, when malformed by a CR before their CRLF, in that CRLF', () => {
    expect(linesOf('reject', 512, 'NOOP\r\r\nQUIT\r\n')).toEqual(['malformed NOOP\r\r', '"QUIT"']);
  });

  it('keep bare CR, bare LF and NUL verbatim when asked to, and are never ended by them', () => {
    expect(linesOf('keep', 512, 'a\nb\rc\0d\r\r\n\n\r\n')).toEqual(['"a\\nb\\rc\\u0000d\\r"', '"\\n"']);
  });

  it('are the same however the octets are cut, by a naive reading of the whole', () => {
    fc.assert(
      fc.property(mode, limit, chunks, (bareNewline, maximumLength, cut) => {
        const naive = new NaiveInbound(bareNewline);
        naive.held = cut.join('');
        const expected: Result[] = [];
        for (;;) {
          const result = naive.nextLine(maximumLength);
          if (result === undefined) break;
          expected.push(result);
        }
        expect(linesOf(bareNewline, maximumLength, ...cut)).toEqual(expected);

        const whole = new InboundBuffer(bareNewline);
        for (const chunk of cut) whole.push(octetsOf(chunk));
        expect(readLines(whole, maximumLength)).toEqual(expected);
        expect(whole.length).toBe(naive.held.length);
      }),
      { numRuns: 1500 },
    );
  });

  it('are views when they lie in one chunk', () => {
    const inbound = new InboundBuffer('reject');
    const chunk = octetsOf('MAIL\r\nRCPT\r\n');
    inbound.push(chunk);
    for (const offset of [0, 6]) {
      const line = inbound.nextLine(512);
      if (line?.kind !== 'line') expect.fail('no line');
      expect(line.octets.buffer).toBe(chunk.buffer);
      expect(line.octets.byteOffset).toBe(offset);
    }
  });

  it('do not change when later lines are put together', () => {
    const inbound = new InboundBuffer('reject');
    const lines = ['fi', 'rst\r', '\nsec', 'ond\r\n'].map((chunk) => {
      inbound.push(octetsOf(chunk));
      return inbound.nextLine(512);
    });
    expect(lines.map((line) => (line?.kind === 'line' ? textOf(line.octets) : ''))).toEqual([
      '',
      '',
      'first',
      'second',
    ]);
  });

  it('do not keep a large chunk alive by the few octets of an unfinished one', () => {
    const inbound = new InboundBuffer('reject');
    const line = `${'x'.repeat(400)}\r\n`;
    inbound.push(octetsOf(`${line.repeat(150)}QUI`));
    expect(readLines(inbound, 512)).toHaveLength(150);
    const carry = inbound.nextChunk();
    expect(textOf(carry ?? octetsOf(''))).toBe('QUI');
    expect(carry?.buffer.byteLength).toBeLessThan(512);
  });

  it('take time in proportion to their length when they come octet by octet', () => {
    // Quadratic work on this many octets takes longer than the test may.
    const count = 300_000;
    const inbound = new InboundBuffer('reject');
    const octet = octetsOf('x');
    for (let i = 0; i < count; i++) {
      inbound.push(octet);
      inbound.nextLine(Infinity);
    }
    for (let i = 0; i < count; i++) inbound.push(octet);
    inbound.push(octetsOf('\r\n'));
    const line = inbound.nextLine(Infinity);
    expect(line?.kind === 'line' && line.octets.length).toBe(2 * count);
  });
});

describe('raw chunks', () => {
  it('begin right behind the last line', () => {
    const inbound = new InboundBuffer('reject');
    inbound.push(octetsOf('DATA\r\nSubject: x\r\n'));
    inbound.push(octetsOf('.\r\nQUIT\r\n'));
    expect(readLine(inbound, 512)).toBe('"DATA"');
    expect(textOf(inbound.nextChunk() ?? octetsOf(''))).toBe('Subject: x\r\n');
    inbound.consume(12);
    expect(textOf(inbound.nextChunk() ?? octetsOf(''))).toBe('.\r\nQUIT\r\n');
    inbound.consume(3);
    expect(readLine(inbound, 512)).toBe('"QUIT"');
    expect(inbound.nextChunk()).toBeUndefined();
  });

  it('hand out a chunk as it was pushed, without a copy', () => {
    const inbound = new InboundBuffer('reject');
    const chunk = octetsOf('Subject: x\r\n');
    inbound.push(chunk);
    expect(inbound.nextChunk()).toBe(chunk);
  });

  it('mix with lines as a naive reading of the whole does, also when chunks are overwritten once they are copied', () => {
    const step = fc.oneof(
      fc.record({ push: fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')) }),
      fc.record({ line: limit }),
      fc.record({ raw: fc.nat({ max: 12 }) }),
      fc.record({ copyHeld: fc.constant(true) }),
    );
    fc.assert(
      fc.property(mode, fc.array(step, { maxLength: 40 }), (bareNewline, steps) => {
        const inbound = new InboundBuffer(bareNewline);
        const naive = new NaiveInbound(bareNewline);
        const pushed: Uint8Array[] = [];
        for (const one of steps) {
          if ('push' in one) {
            const octets = octetsOf(one.push);
            inbound.push(octets);
            pushed.push(octets);
            naive.held += one.push;
          } else if ('copyHeld' in one) {
            inbound.copyHeld();
            for (const octets of pushed) octets.fill(0xaa);
          } else if ('line' in one) {
            expect(readLine(inbound, one.line)).toBe(naive.nextLine(one.line));
          } else if (!naive.amidRefusedLine) {
            const chunk = inbound.nextChunk();
            if (chunk === undefined) {
              expect(naive.held).toBe('');
              continue;
            }
            expect(chunk.length).toBeGreaterThan(0);
            expect(naive.held.slice(0, chunk.length)).toBe(textOf(chunk));
            const count = Math.min(one.raw, chunk.length);
            inbound.consume(count);
            naive.held = naive.held.slice(count);
          }
          // How soon the rest of a refused line is dropped is nobody's business.
          if (!naive.amidRefusedLine) expect(inbound.length).toBe(naive.held.length);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('clear', () => {
  it('drops what is held, the line under way included', () => {
    const inbound = new InboundBuffer('reject');
    inbound.push(octetsOf('STARTTLS\r\nRC'));
    expect(readLine(inbound, 512)).toBe('"STARTTLS"');
    expect(readLine(inbound, 512)).toBeUndefined();
    inbound.push(octetsOf('PT TO:<a@b.example>\r\n'));
    inbound.push(octetsOf('DATA\r\n'));
    expect(inbound.length).toBe(29);
    inbound.clear();
    expect(inbound.length).toBe(0);
    inbound.push(octetsOf('EHLO a\r\n'));
    expect(readLines(inbound, 512)).toEqual(['"EHLO a"']);
  });

  it.each([
    ['a CR at its end', 'NOOP\r'],
    ['a refused line under way', 'NOOP\0'],
  ])('forgets %s', (_, text) => {
    const inbound = new InboundBuffer('reject');
    inbound.push(octetsOf(text));
    inbound.nextLine(512);
    inbound.clear();
    inbound.push(octetsOf('NOOP\r\n'));
    expect(readLines(inbound, 512)).toEqual(['"NOOP"']);
  });
});
