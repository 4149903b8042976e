import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReturnedMessageOptions, returnedMessage } from './returned-message.js';

async function* chunksOf(octets: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield octets.subarray(at, at + size);
    at += size;
  }
  yield octets.subarray(at);
}

async function returned(
  message: string | Uint8Array,
  options: Partial<ReturnedMessageOptions> = {},
  sizes: readonly number[] = [],
): Promise<Buffer> {
  const octets = typeof message === 'string' ? Buffer.from(message) : message;
  const settings = {
    headersOnly: false,
    maximumOctets: 1_000_000,
    delimiter: '--b',
    ...options,
  };
  const parts: Uint8Array[] = [];
  for await (const part of returnedMessage(chunksOf(octets, sizes), settings)) parts.push(part);
  return Buffer.concat(parts);
}

const text = async (...parameters: Parameters<typeof returned>): Promise<string> =>
  String(await returned(...parameters));

describe('a returned message', () => {
  it('is as it came', async () => {
    const message = 'Subject: ü\r\nTo: joe\r\n\r\n--a\r\n\r\n.\r\n\tb\r\n';
    expect(await text(message)).toBe(message);
  });

  it('has every line ended by CRLF', async () => {
    expect(await text('a\nb\rc\r\n\n\r\n\r\rd')).toBe('a\r\nb\r\nc\r\n\r\n\r\n\r\n\r\nd\r\n');
  });

  it('ends with its header section where that is all that is wanted, and is read no further', async () => {
    for (const end of ['\r\n', '\n']) {
      let finished = false;
      async function* message(): AsyncGenerator<Uint8Array> {
        try {
          yield Buffer.from(`A: 1${end}B: 2${end}${end}body`);
          throw new Error('Nobody wants more');
        } finally {
          finished = true;
        }
      }
      const parts: string[] = [];
      const options = { headersOnly: true, maximumOctets: 1000, delimiter: '--b' };
      for await (const part of returnedMessage(message(), options)) parts.push(String(part));
      expect(parts.join('')).toBe('A: 1\r\nB: 2\r\n');
      expect(finished).toBe(true);
    }
    expect(await text('\r\nbody', { headersOnly: true })).toBe('');
  });

  it('has octets above 127 only if they are allowed, and never NUL', async () => {
    expect(await text('a\0ü')).toBe('a?ü\r\n');
    expect(await text('a\0ü')).toBe('a?ü\r\n');
  });

  it('has lines of 998 octets at most, longer ones broken', async () => {
    const x = (length: number): string => 'x'.repeat(length);
    expect(await text(`\r\n${x(998)}\r\n`)).toBe(`\r\n${x(998)}\r\n`);
    expect(await text(`\r\n${x(999)}\r\n`)).toBe(`\r\n${x(998)}\r\nx\r\n`);
    expect(await text(`\r\n${x(1997)}`)).toBe(`\r\n${x(998)}\r\n${x(998)}\r\nx\r\n`);
  });

  it('has long header fields folded (RFC 5322 §2.2.3)', async () => {
    const folded = `S: ${'x'.repeat(995)}\r\n ${'x'.repeat(997)}\r\n xy\r\nT: 1\r\n`;
    expect(await text(`S: ${'x'.repeat(995 + 997 + 1)}y\r\nT: 1\r\n\r\n`, { headersOnly: true })).toBe(
      folded,
    );
  });

  it('has no character of UTF-8 broken', async () => {
    for (const character of ['ü', '中', '𝄞']) {
      for (const before of [994, 995, 996, 997, 998]) {
        const body = `\r\n${'x'.repeat(before)}${character.repeat(600)}`;
        const result = await text(body);
        expect(result).not.toContain('\ufffd');
        expect(result.replaceAll('\r\n', '')).toBe(body.slice(2));
        for (const line of result.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
      }
    }
  });

  it('has broken lines where continuation octets never end, too', async () => {
    const lines = String((await returned(Buffer.alloc(3000, 0x80))).toString('latin1')).split('\r\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(998);
    expect(lines.join('').replaceAll(' ', '')).toHaveLength(3000);
  });

  it('has no line that begins with the delimiter', async () => {
    expect(await text('\r\n--b\r\n--b--\r\n --b\r\n--B\r\n')).toBe('\r\n -b\r\n -b--\r\n --b\r\n--B\r\n');
    const hidden = `\r\n${'x'.repeat(998)}--b\r\n`;
    expect(await text(hidden)).toBe(`\r\n${'x'.repeat(998)}\r\n -b\r\n`);
  });

  it('is cut behind the last line that fits', async () => {
    expect(await text('aaaa\r\nbb\r\nc\r\n', { maximumOctets: 10 })).toBe('aaaa\r\nbb\r\n');
    expect(await text('aaaa\r\nbb\r\nc\r\n', { maximumOctets: 9 })).toBe('aaaa\r\n');
    expect(await text('aaaa\r\nbb\r\nc', { maximumOctets: 13 })).toBe('aaaa\r\nbb\r\nc\r\n');
    expect(await text('aaaa\r\nbb\r\nc', { maximumOctets: 12 })).toBe('aaaa\r\nbb\r\n');
    expect(await text('aaaa', { maximumOctets: 0 })).toBe('');
  });

  const octet = fc.oneof(fc.constantFrom(0x0d, 0x0a, 0x2d, 0x62, 0, 0x80, 0xc3), fc.nat(255));
  const message = fc
    .array(
      fc.oneof(
        octet.map((code) => [code]),
        fc
          .tuple(octet, fc.integer({ min: 900, max: 2100 }))
          .map(([code, times]) => new Array<number>(times).fill(code)),
      ),
      { maxLength: 40 },
    )
    .map((parts) => Uint8Array.from(parts.flat()));
  const options = fc.record({
    headersOnly: fc.boolean(),
    maximumOctets: fc.nat(8000),
  });

  it('keeps all its promises, and is the same however it comes in', async () => {
    await fc.assert(
      fc.asyncProperty(message, options, fc.array(fc.nat(50)), async (message, options, sizes) => {
        const whole = await returned(message, options);
        expect((await returned(message, options, sizes)).equals(whole)).toBe(true);
        expect(whole.length).toBeLessThanOrEqual(options.maximumOctets);
        const lines = whole.toString('latin1').split('\r\n');
        expect(lines.pop()).toBe('');
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(998);
          expect(line).not.toMatch(/^--b|[\0\r\n]/);
          if (options.headersOnly) expect(line).not.toBe('');
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a header section', () => {
  it.each([
    ['that no empty line ends', 'A: 1\r\nB: 2\r\n', 'A: 1\r\nB: 2\r\n'],
    ['with lines that are continued', 'A: 1\r\n\t2\r\nB : 3\r\n\r\nC: 4\r\n', 'A: 1\r\n\t2\r\nB : 3\r\n'],
    ['that ends at a line of text', 'A: 1\r\nHow are you?\r\nB: 2\r\n', 'A: 1\r\n'],
    ['that is none', 'How are you?\r\nA: 1\r\n', ''],
    ['that is none, without a line end', 'How are you?', ''],
    ['that would begin with a blank', ' a\r\nA: 1\r\n', ''],
    ['that is one very long line of text', 'x'.repeat(3000), ''],
  ])('%s is what is returned', async (_, message, expected) => {
    expect(await text(message, { headersOnly: true })).toBe(expected);
    expect(await text(message, { headersOnly: true }, [1, 1, 3, 2])).toBe(expected);
  });

  it('keeps a field that is longer than a line may be', async () => {
    const long = await text(`A: ${'x'.repeat(2000)}\r\n\r\nB: 2\r\n`, { headersOnly: true });
    expect(long.replaceAll('\r\n ', '')).toBe(`A: ${'x'.repeat(2000)}\r\n`);
  });
});
