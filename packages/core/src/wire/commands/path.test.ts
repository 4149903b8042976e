import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatMailbox,
  formatPath,
  type Mailbox,
  type PathFailureKind,
  parseForwardPath,
  parseMailbox,
  parseReversePath,
} from './path.js';

const reverse = (text: string) => parseReversePath(text, 0, false);
const forward = (text: string) => parseForwardPath(text, 0, false);
const whole = (text: string, path: Mailbox | null) => ({ path, end: text.length });
const failure = (kind: PathFailureKind) => expect.objectContaining({ failure: kind });

const label63 = 'd'.repeat(63);
const domain255 = `${label63}.${label63}.${label63}.${label63}`;
/** As long as a command line lets one be, about: VERP, SRS and forwarding put an address into an address. */
const long = `bounces+${'srs0=abcd=ef=example.org=ann='.repeat(10)}list`;

describe('a path', () => {
  it.each([
    // Dot-string (RFC 5321 §4.1.2)
    ['<a@b.example>', 'a', 'b.example'],
    ['<a.b.c@d>', 'a.b.c', 'd'],
    ["<!#$%&'*+-/=?^_`{|}~0@d>", "!#$%&'*+-/=?^_`{|}~0", 'd'],
    ['<Joe.Bloggs@Example.COM>', 'Joe.Bloggs', 'Example.COM'],
    // Dots anywhere, as some hosts give out (RFC 5321 §2.3.11)
    ['<a..b@docomo.example>', 'a..b', 'docomo.example'],
    ['<.a@b>', '.a', 'b'],
    ['<a.@b>', 'a.', 'b'],
    ['<.@b>', '.', 'b'],
    // Quoted-string (RFC 5321 §4.1.2)
    ['<"a b"@c.d>', 'a b', 'c.d'],
    ['<"a\\"b"@c.d>', 'a"b', 'c.d'],
    ['<"a\\\\b"@c.d>', 'a\\b', 'c.d'],
    ['<"\\a\\ \\@"@c.d>', 'a @', 'c.d'],
    ['<"joe"@c.d>', 'joe', 'c.d'],
    ['<"@"@c.d>', '@', 'c.d'],
    ['<"> SIZE=1"@c.d>', '> SIZE=1', 'c.d'],
    ['<".a..b."@c.d>', '.a..b.', 'c.d'],
    ['<""@c.d>', '', 'c.d'],
    ['<"Postmaster"@c.d>', 'Postmaster', 'c.d'],
    // Address literals (RFC 5321 §4.1.3)
    ['<a@[192.0.2.1]>', 'a', '[192.0.2.1]'],
    ['<a@[IPv6:2001:db8::1]>', 'a', '[IPv6:2001:db8::1]'],
    ['<a@[tag:b>c]>', 'a', '[tag:b>c]'],
    // Domains as DNS has them
    ['<a@my_host.example>', 'a', 'my_host.example'],
    ['<a@_a._b.example>', 'a', '_a._b.example'],
    ['<a@b.example.>', 'a', 'b.example'],
    ['<a@localhost.>', 'a', 'localhost'],
    // Source routes are accepted and ignored (RFC 5321 §3.6.1, §4.1.2 A-d-l)
    ['<@a:c@d>', 'c', 'd'],
    ['<@a,@b:c@d>', 'c', 'd'],
    ['<@a_b.,@c.:d@e.>', 'd', 'e'],
    ['<@a.example,@b.example:"c d"@[192.0.2.1]>', 'c d', '[192.0.2.1]'],
  ])('reads %s', (text, localPart, domain) => {
    expect(reverse(text)).toEqual(whole(text, { localPart, domain }));
    expect(forward(text)).toEqual(whole(text, { localPart, domain }));
  });

  it.each([
    // Without brackets, or with too few or too many (RFC 5321 §4.1.2 Path)
    '',
    'a@b',
    '<',
    '<<a@b>>',
    '<a@b',
    'a@b>',
    ' <a@b>',
    '<a@b >',
    '< a@b>',
    '<a@b;c>',
    // Local-part
    '<@b>',
    '<a b@c>',
    '<a"b@c>',
    '<a\\b@c>',
    '<a(b)@c>',
    '<a,b@c>',
    '<a:b@c>',
    '<a@b@c>',
    '<"a@b>',
    '<"a"b@c>',
    '<a"b"@c>',
    '<"a".b@c>',
    '<"a"b"@c>',
    '<"a\\"@c>',
    '<"a\tb"@c>',
    '<"a\\\tb"@c>',
    '<"a\0b"@c>',
    '<"a\x7fb"@c>',
    '<a\x7f@c>',
    // Domain
    '<a>',
    '<a@>',
    '<a@.b>',
    '<a@b..c>',
    '<a@b..>',
    '<a@.>',
    '<a@[192.0.2.1].>',
    '<a@my/host>',
    '<a@-b>',
    '<a@b-.c>',
    `<a@d${label63}>`,
    '<a@[192.0.2.256]>',
    '<a@[192.0.2.1>',
    '<a@[192.0.2.1]b>',
    // Source route
    '<@a>',
    '<@a:>',
    '<@a,b:c@d>',
    '<@a@b:c@d>',
    '<@a;@b:c@d>',
    '<@a,@b,c@d>',
    '<@a, @b:c@d>',
    '<@[192.0.2.1]:c@d>',
    '<@:c@d>',
    '<@a:Postmaster>',
    '<@a:@b:c@d>',
  ])('does not read %j', (text) => {
    expect(reverse(text)).toEqual(failure('syntax'));
    expect(forward(text)).toEqual(failure('syntax'));
  });

  it('starts at the offset given, and leaves the rest to the caller', () => {
    const argument = 'FROM:<a@b> SIZE=1';
    expect(parseReversePath(argument, 5, false)).toEqual({ path: { localPart: 'a', domain: 'b' }, end: 10 });
    expect(parseForwardPath('TO:<Postmaster>x', 3, false)).toEqual({
      path: { localPart: 'Postmaster', domain: '' },
      end: 15,
    });
    expect(parseReversePath('FROM:<>x', 5, false)).toEqual({ path: null, end: 7 });
  });
});

describe('a reverse-path', () => {
  it('may be null (RFC 5321 §4.5.5)', () => {
    expect(reverse('<>')).toEqual({ path: null, end: 2 });
  });

  it('needs a domain, also for the postmaster (RFC 5321 §4.1.1.2)', () => {
    expect(reverse('<Postmaster>')).toEqual(failure('syntax'));
  });
});

describe('a forward-path', () => {
  it('is not null (RFC 5321 §4.1.1.3)', () => {
    expect(forward('<>')).toEqual(failure('syntax'));
  });

  it.each(['<Postmaster>', '<postmaster>', '<POSTMASTER>'])('may be %s (RFC 5321 §4.1.1.3)', (text) => {
    expect(forward(text)).toEqual(whole(text, { localPart: text.slice(1, -1), domain: '' }));
  });

  it.each(['<Postmaster', '<Postmasters>', '<"Postmaster">', '<po\u017ftmaster>'])('is not %s', (text) => {
    expect(forward(text)).toHaveProperty('failure');
  });
});

describe('limits of a path', () => {
  it('are none for a local-part, which its host alone judges (RFC 5321 §2.3.11, §4.5.3.1)', () => {
    expect(long.length).toBeGreaterThan(64);
    expect(reverse(`<${long}@b.example>`)).toEqual(
      whole(`<${long}@b.example>`, { localPart: long, domain: 'b.example' }),
    );
    const quoted = `<"${'\\a b'.repeat(1000)}"@b>`;
    expect(forward(quoted)).toEqual(whole(quoted, { localPart: 'a b'.repeat(1000), domain: 'b' }));
  });

  it('are those of DNS for a domain: 255 octets, without the final dot (RFC 5321 §4.5.3.1.2)', () => {
    expect(reverse(`<a@${domain255}>`)).toEqual(
      whole(`<a@${domain255}>`, { localPart: 'a', domain: domain255 }),
    );
    expect(reverse(`<a@${domain255}.>`)).not.toHaveProperty('failure');
    expect(reverse(`<a@${domain255}.d>`)).toEqual(failure('domainTooLong'));
    expect(reverse(`<a@[tag:${'x'.repeat(250)}]>`)).toEqual(failure('domainTooLong'));
  });

  it('are told', () => {
    expect(reverse(`<a@${domain255}.d>`)).toHaveProperty('problem', 'The domain is longer than 255 octets');
  });

  it('count octets, not characters', () => {
    const domain = (octets: number) => `${`${'é'.repeat(31)}.`.repeat(4)}${'d'.repeat(octets - 252)}`;
    expect(parseReversePath(`<a@${domain(255)}>`, 0, true)).not.toHaveProperty('failure');
    expect(parseReversePath(`<a@${domain(256)}>`, 0, true)).toEqual(failure('domainTooLong'));
  });
});

describe('characters outside ASCII', () => {
  it.each([
    '<jösé@b>',
    '<"jösé"@b>',
    '<a@bücher.example>',
    '<a@é>',
    '<é@b>',
    '<@é:a@b>',
    '<a@[tag:é]>',
    '<"\\é"@b>',
  ])('are told apart from other failures: %s (RFC 6531 §3.5)', (text) => {
    expect(reverse(text)).toEqual(failure('nonAscii'));
    expect(forward(text)).toEqual(failure('nonAscii'));
  });

  it('do not hide a limit that was exceeded before them', () => {
    expect(reverse(`<a@${domain255}.d é>`)).toEqual(failure('domainTooLong'));
  });

  it('do not count when they stand behind the path', () => {
    expect(reverse('<a b> é')).toEqual(failure('syntax'));
    expect(reverse('<a@b> é')).toEqual({ path: { localPart: 'a', domain: 'b' }, end: 5 });
  });

  it.each([
    ['<jösé@bücher.example>', 'jösé', 'bücher.example'],
    ['<"jö sé"@b>', 'jö sé', 'b'],
    ['<😀.é@b>', '😀.é', 'b'],
    ['<@é:a@b>', 'a', 'b'],
  ])('are read when allowed: %s (RFC 6531 §3.3)', (text, localPart, domain) => {
    expect(parseReversePath(text, 0, true)).toEqual(whole(text, { localPart, domain }));
  });

  it.each(['<"\\é"@b>', '<a@[tag:é]>', '<jösé>'])('do not mend %s when allowed (RFC 6531 §3.3)', (text) => {
    expect(parseReversePath(text, 0, true)).toEqual(failure('syntax'));
  });

  it.each(['\u0080', '\u009b31m', '\u009f'])('are no control characters: %j (RFC 5198 §2)', (controls) => {
    for (const text of [`<a${controls}@b>`, `<"a${controls}"@b>`, `<a@b${controls}>`]) {
      expect(parseReversePath(text, 0, true)).toEqual(failure('syntax'));
      expect(parseForwardPath(text, 0, true)).toEqual(failure('syntax'));
    }
    expect(parseMailbox(`a${controls}@b`, true)).toEqual(failure('syntax'));
    expect(() => formatMailbox({ localPart: `a${controls}`, domain: 'b' })).toThrow(RangeError);
    expect(parseMailbox('a\u00a0@b', true)).toEqual({ localPart: 'a\u00a0', domain: 'b' });
  });
});

describe('parseMailbox', () => {
  it('reads an address without brackets', () => {
    expect(parseMailbox('joe@example.com')).toEqual({ localPart: 'joe', domain: 'example.com' });
    expect(parseMailbox('"joe b"@[192.0.2.1]')).toEqual({ localPart: 'joe b', domain: '[192.0.2.1]' });
    expect(parseMailbox('jösé@b', true)).toEqual({ localPart: 'jösé', domain: 'b' });
  });

  it.each([
    '',
    'joe',
    'postmaster',
    '<a@b>',
    'a@b ',
    ' a@b',
    'a@b>',
    'a@b,c@d',
    '@r:a@b',
    'Joe <a@b>',
    'a@b\r\nDATA',
  ])('does not read %j', (text) => {
    expect(parseMailbox(text)).toEqual(failure('syntax'));
  });

  it('tells characters outside ASCII apart', () => {
    expect(parseMailbox('jösé@b')).toEqual(failure('nonAscii'));
    expect(parseMailbox('a@bé')).toEqual(failure('nonAscii'));
  });
});

describe('formatMailbox', () => {
  it.each([
    ['a.b', 'c.example', 'a.b@c.example'],
    ['a b', 'c', '"a b"@c'],
    ['a"b\\c', 'd', '"a\\"b\\\\c"@d'],
    ['.a', 'b', '".a"@b'],
    ['a..b', 'docomo.example', '"a..b"@docomo.example'],
    ['a.', 'b', '"a."@b'],
    ['.é', 'b', '".é"@b'],
    ['a', 'my_host', 'a@my_host'],
    ['a', 'b.example.', 'a@b.example'],
    [long, 'b', `${long}@b`],
    ['a', domain255, `a@${domain255}`],
    ['', 'b', '""@b'],
    ['a@b', 'c', '"a@b"@c'],
    ['jösé', 'bücher.example', 'jösé@bücher.example'],
    ['a', '[IPv6:::1]', 'a@[IPv6:::1]'],
    ['Postmaster', '', 'Postmaster'],
  ])('writes %j at %j, with quotes only where they must be (RFC 5321 §4.1.2)', (localPart, domain, text) => {
    expect(formatMailbox({ localPart, domain })).toBe(text);
  });

  it.each([
    ['a\r\nDATA', 'b'],
    ['a\0', 'b'],
    ['a', 'b\r\nDATA'],
    ['a', 'b> SIZE=1'],
    ['a', 'b c'],
    ['a', 'b@c'],
    ['a', 'my/host'],
    ['a', 'b..'],
    ['a', '.'],
    ['a', ''],
    ['', ''],
    ['a', `${domain255}.d`],
  ])('throws a RangeError for %j at %j, which no text means', (localPart, domain) => {
    expect(() => formatMailbox({ localPart, domain })).toThrow(RangeError);
  });

  it('says what is wrong', () => {
    expect(() => formatMailbox({ localPart: 'a', domain: 'my/host' })).toThrow(
      '"a@my/host" is no mailbox. The domain is malformed: dot-separated labels of letters, digits, underscores and ' +
        'inner hyphens, 63 at most a label',
    );
  });

  it('is undone by parseMailbox for every mailbox that it writes', () => {
    const localPart = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '.', ' ', '"', '\\', '@', '>', 'é', '\n'),
    });
    const domain = fc.constantFrom('b', 'b.example', '[192.0.2.1]', '[IPv6:::1]', 'bücher.example', 'b..c');
    fc.assert(
      fc.property(fc.record({ localPart, domain }), (mailbox) => {
        let text: string;
        try {
          text = formatMailbox(mailbox);
        } catch {
          expect(mailbox.localPart.includes('\n') || mailbox.domain === 'b..c').toBe(true);
          return;
        }
        expect(parseMailbox(text, true)).toEqual(mailbox);
      }),
    );
  });

  it('writes every path that was read, and it means the same', () => {
    const piece = fc.constantFrom(
      'a',
      '"',
      '\\',
      '@',
      '.',
      '_',
      ' ',
      'b.c',
      '[192.0.2.1]',
      '"x y"',
      '@r:',
      'é',
      '\u009b',
      '\u00a0',
      ',',
      ':',
      '>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, utf8) => {
        const read = parseForwardPath(`<${pieces.join('')}@d>`, 0, utf8);
        if ('failure' in read) return;
        expect(parseForwardPath(formatPath(read.path), 0, utf8)).toHaveProperty('path', read.path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatPath', () => {
  it('writes angle brackets around the mailbox', () => {
    expect(formatPath({ localPart: 'a b', domain: 'c' })).toBe('<"a b"@c>');
    expect(formatPath({ localPart: 'postmaster', domain: '' })).toBe('<postmaster>');
  });

  it('writes the null reverse-path as <> (RFC 5321 §4.5.5)', () => {
    expect(formatPath(null)).toBe('<>');
  });
});

describe('the problem of a failure', () => {
  it.each([
    ['a@b', 'An address stands in angle brackets: <local-part@domain>'],
    ['<a@b', 'The domain must be followed by ">"'],
    ['<a@b SIZE=1', 'The domain must be followed by ">"'],
    ['<a>', 'The local-part must be followed by "@" and a domain; spaces and the like need quotes'],
    ['<a b@c>', 'The local-part must be followed by "@" and a domain; spaces and the like need quotes'],
    ['<"a@c>', 'The local-part is malformed; what an atom cannot hold needs quotes'],
    ['<a@[1.2.3]>', 'The address literal is malformed; valid ones are [192.0.2.1] and [IPv6:2001:db8::1]'],
  ])('of %s says what to mend', (text, problem) => {
    expect(reverse(text)).toEqual({ failure: 'syntax', problem });
  });

  it.each(['<a@my/host>', '<a@b..c>', '<a@b->'])('of %s says what a domain is', (text) => {
    expect(reverse(text)).toHaveProperty('problem', expect.stringMatching(/^The domain is malformed: /));
  });

  it('never quotes the text, and is printable ASCII', () => {
    const problems = new Set<string>();
    const piece = fc.constantFrom(
      'a',
      '"',
      '\\',
      '@',
      '.',
      '<',
      '>',
      '[',
      ']',
      'é',
      '\x1b',
      'q'.repeat(70),
      ',',
      ':',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const read = reverse(pieces.join(''));
        if ('failure' in read) problems.add(read.problem);
      }),
      { numRuns: 2000 },
    );
    expect(problems.size).toBeGreaterThan(3);
    // Were the text quoted, there would be nearly as many problems as texts.
    expect(problems.size).toBeLessThan(15);
    for (const problem of problems) expect(problem).toMatch(/^[ -~]+$/);
  });
});

describe('what is no mailbox', () => {
  it.each<[unknown, string]>([
    ['a@b.example', 'The mailbox is "a@b.example"'],
    [undefined, 'The mailbox is undefined'],
    [7, 'The mailbox is a number'],
    [{ localPart: 'a' }, 'The mailbox is an object'],
  ])('is not written, and named: %j', (value, problem) => {
    expect(() => formatMailbox(value as Mailbox)).toThrow(problem);
    expect(() => formatMailbox(value as Mailbox)).toThrow(TypeError);
  });

  it('is not read where nothing is given', () => {
    expect(() => parseMailbox(null as never)).toThrow('The mailbox is null');
    expect(() => parseMailbox(undefined as never)).toThrow('The mailbox is undefined');
  });
});
