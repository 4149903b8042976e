import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BareNewline } from '../inbound.js';
import type { MailDataFlaw } from './line-flaws.js';
import { MailDataDecoder } from './mail-data-decoder.js';

// One character an octet in these tests, so that strings can stand for octets.
const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

interface Outcome {
  readonly data: string;
  readonly consumed: number;
  readonly ended: boolean;
  readonly flaw: MailDataFlaw | undefined;
}

/** What the chunks come to, as far as the decoder wants them. */
function decode(bareNewline: BareNewline, maximumLineLength: number, chunks: Iterable<string>): Outcome {
  const decoder = new MailDataDecoder({ bareNewline, maximumLineLength });
  let data = '';
  let consumed = 0;
  for (const chunk of chunks) {
    const decoded = decoder.decode(octetsOf(chunk));
    data += textOf(decoded.data);
    consumed += decoded.consumed;
    if (decoded.ended) return { data, consumed, ended: true, flaw: decoder.flaw };
    expect(decoded.consumed).toBe(chunk.length);
  }
  return { data, consumed, ended: false, flaw: decoder.flaw };
}

/** The same contract over one string, with no thought of speed. */
function decodeNaively(bareNewline: BareNewline, maximumLineLength: number, text: string): Outcome {
  // A CRLF in front makes the first line like any other.
  const wire = `\r\n${text}`;
  const end = wire.indexOf('\r\n.\r\n');
  const ended = end !== -1;
  const stuffed = ended ? wire.slice(0, end + 2) : wire.replace(/(?<=\r\n\.)\r$/, '');
  const normal = bareNewline === 'normalize';
  // A dot after a bare LF is dropped as it comes, and one after CRLF once it is known not to end the mail data.
  const data = normal
    ? stuffed
        .replace(/(?<=\n)\./g, '')
        .replace(/(?<!\r)\n/g, '\r\n')
        .slice(2)
    : stuffed.replaceAll('\r\n.', '\r\n').slice(2);

  let flaw: MailDataFlaw | undefined;
  const lines = (bareNewline === 'reject' ? /.*?\r\n|.+$/gs : /.*?\n|.+$/gs)[Symbol.match](data) ?? [];
  for (const [index, content] of lines.entries()) {
    const bare = /(?:\0|(?<!\r)\n|\r(?=[^\n]))/.exec(content);
    // A CR is known to be bare by the octet behind it.
    const bareAt =
      bare === null || bareNewline === 'keep' ? Infinity : bare.index + (bare[0] === '\r' ? 1 : 0);
    const lineEnd = bareNewline === 'keep' ? '\n' : '\r\n';
    const tooLong =
      content.length > maximumLineLength ||
      (content.length === maximumLineLength && !content.endsWith(lineEnd));
    const tooLongAt = tooLong ? maximumLineLength - 1 : Infinity;
    if (Math.min(bareAt, tooLongAt) === Infinity) continue;
    const kinds = { '\0': 'nul', '\n': 'bareLineFeed', '\r': 'bareCarriageReturn' } as const;
    const kind = bareAt <= tooLongAt ? kinds[bare?.[0] as keyof typeof kinds] : 'lineTooLong';
    flaw ??= { kind, line: index + 1 };
  }
  return { data, consumed: ended ? end + 3 : text.length, ended, flaw };
}

describe('the end of mail data', () => {
  it('is CRLF "." CRLF, and its first CRLF belongs to the data (RFC 5321 §4.1.1.4)', () => {
    expect(decode('reject', 1000, ['a\r\n.\r\nQUIT\r\n'])).toEqual({
      data: 'a\r\n',
      consumed: 6,
      ended: true,
      flaw: undefined,
    });
  });

  it('may be all there is', () => {
    expect(decode('reject', 1000, ['.\r\n'])).toEqual({
      data: '',
      consumed: 3,
      ended: true,
      flaw: undefined,
    });
  });

  it('is found across chunks', () => {
    for (const chunks of [
      'a\r\n.\r\nQ',
      ['a', '\r\n', '.', '\r', '\nQ'],
      ['a\r\n.\r', '', '\nQ'],
      ['a\r\n.', '\r\nQ'],
    ]) {
      expect(decode('reject', 1000, chunks)).toEqual({
        data: 'a\r\n',
        consumed: 6,
        ended: true,
        flaw: undefined,
      });
    }
  });

  it('is not a dot with anything else on its line', () => {
    expect(decode('reject', 1000, ['.a\r\n. \r\na.\r\n..\r\n']).ended).toBe(false);
  });
});

describe('transparency (RFC 5321 §4.5.2)', () => {
  it('is undone: the first dot of a line is dropped', () => {
    expect(decode('reject', 1000, ['..\r\na..b\r\n.c\r\n...\r\n.\r\n']).data).toBe(
      '.\r\na..b\r\nc\r\n..\r\n',
    );
  });

  it('knows no lines but those that CRLF ends', () => {
    expect(decode('keep', 1000, ['a\n.b\r.c\r\r\n.d\0.e\r\n']).data).toBe('a\n.b\r.c\r\r\nd\0.e\r\n');
  });

  it('gives back a CR that turned out not to end the message', () => {
    expect(decode('keep', 1000, ['.\r', 'a']).data).toBe('\ra');
    expect(decode('keep', 1000, ['.\r', '\r\n.', '.\r\n']).data).toBe('\r\r\n.\r\n');
  });
});

describe('flaws', () => {
  it.each([
    ['a bare LF', 'a\nb', 'bareLineFeed'],
    ['a bare LF after a dot', '.\n', 'bareLineFeed'],
    ['a bare CR', 'a\rb', 'bareCarriageReturn'],
    ['a bare CR after a dot', '.\ra', 'bareCarriageReturn'],
    ['a CR before CRLF', 'a\r\r\n', 'bareCarriageReturn'],
    ['a NUL', 'a\0', 'nul'],
  ] as const)('are reported for %s, unless it is to be kept', (_, text, kind) => {
    const flaw = { kind, line: 3 };
    expect(decode('reject', 1000, [`\r\nx\r\n${text}`]).flaw).toEqual(flaw);
    expect(decode('reject', 1000, `\r\nx\r\n${text}`).flaw).toEqual(flaw);
    expect(decode('normalize', 1000, [`\nx\n${text}`]).flaw).toEqual(
      kind === 'bareLineFeed' ? undefined : flaw,
    );
    expect(decode('keep', 1000, [text]).flaw).toBeUndefined();
  });

  it.each(['normalize', 'keep'] as const)(
    'are none where each of many lines ends in LF and is short enough (%s)',
    (mode) => {
      expect(decode(mode, 1000, ['twenty octets a line\n'.repeat(60)]).flaw).toBeUndefined();
      expect(decode(mode, 10, ['123456\n12345678\n123456789\n']).flaw).toEqual(
        mode === 'keep' ? undefined : { kind: 'lineTooLong', line: 3 },
      );
    },
  );

  it.each(['reject', 'normalize', 'keep'] as const)(
    'are reported for a line over the limit, CRLF included (%s)',
    (mode) => {
      const longest = 'x'.repeat(998);
      expect(decode(mode, 1000, [`${longest}\r\n`]).flaw).toBeUndefined();
      expect(decode(mode, 1000, [`${longest}x\r\n`]).flaw).toMatchObject({ kind: 'lineTooLong' });
      expect(decode(mode, 1000, [`${longest}x`]).flaw).toBeUndefined();
      expect(decode(mode, 1000, [`${longest}xx`]).flaw).toMatchObject({ kind: 'lineTooLong' });
    },
  );

  it('do not count a dropped dot towards the limit (RFC 5321 §4.5.3.1.6)', () => {
    expect(decode('reject', 1000, [`.${'x'.repeat(998)}\r\n`]).flaw).toBeUndefined();
    expect(decode('reject', 1000, [`.${'x'.repeat(999)}\r\n`]).flaw).toMatchObject({ kind: 'lineTooLong' });
  });

  it('stay what the first was, and do not hide the end', () => {
    expect(decode('reject', 8, ['a\nb\r\nxxxxxxxxxx\r\n.\r\nQUIT'])).toEqual({
      data: 'a\nb\r\nxxxxxxxxxx\r\n',
      consumed: 20,
      ended: true,
      flaw: { kind: 'bareLineFeed', line: 1 },
    });
    expect(decode('reject', 8, ['xxxxxxxxxx\r\na\nb\r\n.\r\n']).flaw).toMatchObject({ kind: 'lineTooLong' });
  });
});

describe('message smuggling', () => {
  const before = 'Subject: x\r\n\r\na';
  const after = 'MAIL FROM:<b@c.example>\r\n';

  /** The text whole, octet by octet, and at every cut into two and into three around the form. */
  function* cutsOf(text: string): Generator<string[]> {
    yield [text];
    yield text.split('');
    for (let first = before.length - 1; first < text.length - after.length + 2; first++) {
      yield [text.slice(0, first), text.slice(first)];
      for (let second = first + 1; second < text.length - after.length + 2; second++) {
        yield [text.slice(0, first), text.slice(first, second), text.slice(second)];
      }
    }
  }

  it.each(
    [
      ...['\n.\n', '\n.\r\n', '\n.\r', '\r\n.\n', '\r\n.\r', '\r.\r', '\r.\n', '\r.\r\n'],
      ...[
        '\n\n.\n\n',
        '\n\n.\r\n',
        '\r\r.\r\r',
        '\r\r.\r\n',
        '\r\r\n.\r',
        '\r\n.\r\r\n',
        '\n\r.\r\n',
        '\n\r.\n\r',
      ],
      ...[
        '\r\n\0.\r\n',
        '\r\n.\0\r\n',
        '\r\n.\r\0\n',
        '\r\0\n.\r\n',
        '\0\n.\r\n',
        '\n\0.\r\n',
        '\n.\0\n',
        '\r.\0\r\n',
      ],
      ...['\r\n.\n\r\n', '\r\n..\n', '\n..\r\n', '\r\n.\n.\r\n', '\n.\n.\r\n', '\r.\r.\r\n', '\r\n.\r.\r\n'],
    ].map((form) => [JSON.stringify(form), form]),
  )('does not succeed by %s', (_, form) => {
    const text = before + form + after;
    for (const chunks of cutsOf(text)) {
      for (const mode of ['reject', 'normalize', 'keep'] as const) {
        const { consumed, ended, flaw } = decode(mode, 1000, chunks);
        const flawed = mode === 'reject' || (mode === 'normalize' && /\0|\r(?!\n)/.test(form));
        expect({ ended, flawed: flaw !== undefined }).toEqual({ ended: false, flawed });
        expect(consumed).toBe(text.length);
        expect(decode(mode, 1000, [...chunks, '.\r\n']).ended).toBe(true);
        if (mode === 'normalize' && !flawed) {
          // No line of it is a dot alone, and none ends in LF alone.
          const { data } = decode(mode, 1000, chunks);
          expect(data).not.toMatch(/(?<!\r)\n/);
          expect(data).toBe(decodeNaively(mode, 1000, text).data);
        }
      }
    }
  });

  it.each(
    ['\r\r\n.\r\n', '\n\r\n.\r\n', '\0\r\n.\r\n', '\n.\n\r\n.\r\n', '\r.\r\r\n.\r\n'].map((form) => [
      JSON.stringify(form),
      form,
    ]),
  )('is reported in %s, which does end the message by its CRLF "." CRLF', (_, form) => {
    for (const chunks of cutsOf(before + form + after)) {
      for (const mode of ['reject', 'keep'] as const) {
        expect(decode(mode, 1000, chunks)).toEqual({
          data: before + form.slice(0, -3),
          consumed: before.length + form.length,
          ended: true,
          flaw: mode === 'reject' ? expect.anything() : undefined,
        });
      }
      const { ended, consumed } = decode('normalize', 1000, chunks);
      expect({ ended, consumed }).toEqual({ ended: true, consumed: before.length + form.length });
    }
  });
});

describe('bare LFs that are normalized', () => {
  const normalized = (text: string) => decode('normalize', 1000, [text]);

  it('end a line, which is stored with CRLF', () => {
    expect(normalized('a\nb\r\nc\n\n').data).toBe('a\r\nb\r\nc\r\n\r\n');
  });

  it('have the dot after them dropped, as after CRLF', () => {
    expect(normalized('a\n..b\n.c\n').data).toBe('a\r\n.b\r\nc\r\n');
    expect(decode('normalize', 1000, ['a\n', '.', '.b', '\n', '.']).data).toBe('a\r\n.b\r\n');
  });

  it.each(['a\n.\nb\r\n', 'a\n.\r\nb\r\n', 'a\r\n.\nb\r\n'])(
    'make an empty line of a dot that is no end: %j',
    (text) => {
      expect(normalized(text)).toMatchObject({ data: 'a\r\n\r\nb\r\n', ended: false });
      expect(normalized(`${text}.\r\n`)).toMatchObject({ data: 'a\r\n\r\nb\r\n', ended: true });
    },
  );

  it('do not let a dot end the mail data at once, where one ended the line before it', () => {
    const decoder = new MailDataDecoder(
      { bareNewline: 'normalize', maximumLineLength: 1000 },
      { afterBareLineFeed: true },
    );
    const { data, ended } = decoder.decode(octetsOf('.\r\n.\r\n'));
    expect({ data: textOf(data), ended }).toEqual({ data: '\r\n', ended: true });
  });
});

describe('chunks', () => {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('\r\n', '\r\n', '.', '\r\n.', 'x') },
    { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\0', '\t', '\xff', '\r\n.\r', '\r\n.\r\n') },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }).map((length) => 'y'.repeat(length)) },
  );
  const run = fc.integer({ min: 60, max: 200 }).map((length) => 'z'.repeat(length));
  const short = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
  const long = fc.array(fc.oneof(piece, run), { maxLength: 10 }).map((pieces) => pieces.join(''));
  const chunks = fc.oneof(
    fc.array(fc.oneof(short, long), { maxLength: 6 }),
    short.map((whole) => whole.split('')),
  );

  it('change nothing: data, end and flaw are those of a naive reading of the whole, after each of them', () => {
    const mode = fc.constantFrom<BareNewline>('reject', 'normalize', 'keep');
    const limit = fc.constantFrom(2, 3, 5, 16, 100, Infinity);
    fc.assert(
      fc.property(mode, limit, chunks, fc.nat({ max: 3 }), (bareNewline, maximumLineLength, cut, shift) => {
        const decoder = new MailDataDecoder({ bareNewline, maximumLineLength });
        let given = '';
        let data = '';
        let consumed = 0;
        for (const chunk of cut) {
          // Where a chunk begins in its buffer is up to the transport.
          const decoded = decoder.decode(octetsOf('.'.repeat(shift) + chunk).subarray(shift));
          given += chunk;
          data += textOf(decoded.data);
          consumed += decoded.consumed;
          const { ended } = decoded;
          expect({ data, consumed, ended, flaw: decoder.flaw }).toEqual(
            decodeNaively(bareNewline, maximumLineLength, given),
          );
          if (ended) break;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('are handed out without a copy when dots are dropped at their ends only', () => {
    const decoder = new MailDataDecoder({ bareNewline: 'reject', maximumLineLength: 1000 });
    const first = octetsOf('a.\r\nb\r\n');
    expect(decoder.decode(first).data).toBe(first);
    for (const [chunk, begin, end] of [
      ['.c\r\nd\r\n.', 1, 7],
      ['.e\r\n.\r', 0, 4],
      ['\nQUIT\r\n', 0, 0],
    ] as const) {
      const octets = octetsOf(chunk);
      const { data } = decoder.decode(octets);
      expect(data).toEqual(octets.subarray(begin, end));
      if (data.length > 0) {
        expect(data.buffer).toBe(octets.buffer);
        expect(data.byteOffset).toBe(begin);
      }
    }
  });

  it('are copied once, into an array no larger than needed, when dots are dropped inside', () => {
    const decoder = new MailDataDecoder({ bareNewline: 'reject', maximumLineLength: 1000 });
    const { data } = decoder.decode(octetsOf('..\r\n'.repeat(10_000)));
    expect(textOf(data)).toBe('.\r\n'.repeat(10_000));
    expect(data.buffer.byteLength).toBe(30_000);
  });
});
