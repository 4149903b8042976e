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

describe('a path', () => {
  it.each([
    // Dot-string (RFC 5321 §4.1.2)
    ['<a@b.example>', 'a', 'b.example'],
    ['<a.b.c@d>', 'a.b.c', 'd'],
    ["<!#$%&'*+-/=?^_`{|}~0@d>", "!#$%&'*+-/=?^_`{|}~0", 'd'],
    ['<Joe.Bloggs@Example.COM>', 'Joe.Bloggs', 'Example.COM'],
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
    // Source routes are accepted and ignored (RFC 5321 §3.6.1, §4.1.2 A-d-l)
    ['<@a:c@d>', 'c', 'd'],
    ['<@a,@b:c@d>', 'c', 'd'],
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
    '<.a@b>',
    '<a.@b>',
    '<a..b@c>',
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
    '<a@b.>',
    '<a@b..c>',
    '<a@-b>',
    '<a@b-.c>',
    '<a@my_host.example>',
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
  it('takes a local-part of 64 octets and no longer (RFC 5321 §4.5.3.1.1)', () => {
    expect(reverse(`<${'a'.repeat(64)}@b>`)).not.toHaveProperty('failure');
    expect(reverse(`<${'a'.repeat(65)}@b>`)).toEqual(failure('localPartTooLong'));
  });

  it('counts the quotes and backslashes of the local-part as written', () => {
    expect(reverse(`<"${'a'.repeat(62)}"@b>`)).not.toHaveProperty('failure');
    expect(reverse(`<"${'a'.repeat(63)}"@b>`)).toEqual(failure('localPartTooLong'));
    expect(reverse(`<"${'\\a'.repeat(31)}"@b>`)).not.toHaveProperty('failure');
    expect(reverse(`<"${'\\a'.repeat(31)}a"@b>`)).toEqual(failure('localPartTooLong'));
  });

  it('takes a domain of 255 octets and no longer, where the path has room (RFC 5321 §4.5.3.1.2)', () => {
    expect(reverse(`<a@${domain255}>`)).toEqual(failure('pathTooLong'));
    expect(reverse(`<a@${domain255}.d>`)).toEqual(failure('domainTooLong'));
    expect(reverse(`<a@[tag:${'x'.repeat(250)}]>`)).toEqual(failure('domainTooLong'));
  });

  it('takes a path of 256 octets with its brackets and no longer (RFC 5321 §4.5.3.1.3)', () => {
    const path = `<${'a'.repeat(64)}@${domain255.slice(0, 189)}>`;
    expect(path).toHaveLength(256);
    expect(reverse(path)).toEqual(
      whole(path, { localPart: 'a'.repeat(64), domain: domain255.slice(0, 189) }),
    );
    expect(forward(path)).not.toHaveProperty('failure');
    expect(reverse(path.replace('>', 'd>'))).toEqual(failure('pathTooLong'));
  });

  it('counts the source route to the path', () => {
    const route = `@${domain255.slice(0, 200)}:`;
    const path = `<${route}${'a'.repeat(50)}@bc>`;
    expect(path).toHaveLength(257);
    expect(reverse(path)).toEqual(failure('pathTooLong'));
    expect(reverse(path.replace('bc', 'b'))).not.toHaveProperty('failure');
  });

  it('tells which limit it was', () => {
    expect(reverse(`<${'a'.repeat(65)}@b>`)).toHaveProperty(
      'problem',
      'The local-part is longer than 64 octets',
    );
    expect(reverse(`<a@${domain255}.d>`)).toHaveProperty('problem', 'The domain is longer than 255 octets');
    expect(reverse(`<a@${domain255}>`)).toHaveProperty(
      'problem',
      'The path is longer than 256 octets, angle brackets included',
    );
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
    expect(reverse(`<${'a'.repeat(65)}@é>`)).toEqual(failure('localPartTooLong'));
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

  it('count as octets, not as characters', () => {
    expect(parseReversePath(`<${'é'.repeat(32)}@b>`, 0, true)).not.toHaveProperty('failure');
    expect(parseReversePath(`<${'é'.repeat(32)}a@b>`, 0, true)).toEqual(failure('localPartTooLong'));
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

  it('leaves room for the brackets of a path (RFC 5321 §4.5.3.1.3)', () => {
    expect(parseMailbox(`a@${domain255.slice(0, 252)}`)).not.toHaveProperty('failure');
    expect(parseMailbox(`a@${domain255.slice(0, 253)}`)).toEqual(failure('pathTooLong'));
  });
});

describe('formatMailbox', () => {
  it.each([
    ['a.b', 'c.example', 'a.b@c.example'],
    ['a b', 'c', '"a b"@c'],
    ['a"b\\c', 'd', '"a\\"b\\\\c"@d'],
    ['.a', 'b', '".a"@b'],
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
    ['a', 'my_host'],
    ['a', ''],
    ['', ''],
    ['a'.repeat(65), 'b'],
    ['"'.repeat(32), 'b'],
    ['a', `${domain255}.d`],
    ['a', domain255],
  ])('throws a RangeError for %j at %j, which no text means', (localPart, domain) => {
    expect(() => formatMailbox({ localPart, domain })).toThrow(RangeError);
  });

  it('says what is wrong', () => {
    expect(() => formatMailbox({ localPart: 'a', domain: 'my_host' })).toThrow(
      '"a@my_host" is no mailbox. The domain is malformed: dot-separated labels of letters, digits and inner ' +
        'hyphens, 63 at most a label',
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
          const writable = /^[^\n]{0,30}$/.test(mailbox.localPart) && mailbox.domain !== 'b..c';
          expect(writable && mailbox.localPart.length * 2 + 2 <= 64).toBe(false);
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
    ['<a..b@c>', 'The local-part is malformed; what an atom cannot hold needs quotes'],
    ['<a@[1.2.3]>', 'The address literal is malformed; valid ones are [192.0.2.1] and [IPv6:2001:db8::1]'],
  ])('of %s says what to mend', (text, problem) => {
    expect(reverse(text)).toEqual({ failure: 'syntax', problem });
  });

  it.each(['<a@my_host>', '<a@b..c>', '<a@b->'])('of %s says what a domain is', (text) => {
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
    expect(problems.size).toBeGreaterThan(5);
    // Were the text quoted, there would be nearly as many problems as texts.
    expect(problems.size).toBeLessThan(15);
    for (const problem of problems) expect(problem).toMatch(/^[ -~]+$/);
  });
});
