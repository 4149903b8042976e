import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import { decodeText, encodeText } from '../octets.js';
import { formatReply } from '../replies/reply.js';
import { type Command, isName, type Parameter } from './command.js';
import { formatCommand } from './format-command.js';
import { type CommandFailure, parseCommand } from './parse-command.js';
import type { Mailbox } from './path.js';

const parse = (text: string) => parseCommand(encodeText(text));
const format = (command: Command) => decodeText(formatCommand(command));
const mail = (reversePath: Mailbox | null, ...parameters: Parameter[]): Command => ({
  verb: 'MAIL',
  reversePath,
  parameters,
});
const rcpt = (forwardPath: Mailbox, ...parameters: Parameter[]): Command => ({
  verb: 'RCPT',
  forwardPath,
  parameters,
});
const joe: Mailbox = { localPart: 'joe', domain: 'b.example' };

function failureOf(text: string): CommandFailure {
  const result = parse(text);
  if ('failure' in result) return result;
  throw new Error(`${text} is the command ${JSON.stringify(result)}`);
}

/** `syntax 501 5.5.4`, say. */
function verdict(text: string): string {
  const { failure, reply } = failureOf(text);
  return `${failure} ${reply.code} ${reply.enhancedCode}`;
}

describe('a verb', () => {
  it.each(['QUIT', 'quit', 'QuIt'])('is read in any case: %s (RFC 5321 §2.4)', (text) => {
    expect(parse(text)).toEqual({ verb: 'QUIT' });
  });

  it.each([
    'XYZZY',
    'FOO bar',
    'GET / HTTP/1.1',
    'MAILFROM:<a@b>',
    'QUITS',
    'Q',
    ' QUIT',
    'MAIL:',
    'constructor',
  ])('that is not known is answered 500 5.5.1: %j (RFC 5321 §4.2.4)', (text) => {
    expect(verdict(text)).toBe('unrecognized 500 5.5.1');
  });

  it.each([...['SEND FROM:<a@b>', 'SOML FROM:<a@b>', 'SAML FROM:<a@b>', 'TURN'], 'ATRN'])(
    'that is known but not implemented is answered 502 5.5.1: %s (RFC 5321 §4.2.4)',
    (text) => {
      expect(verdict(text)).toBe('notImplemented 502 5.5.1');
    },
  );

  it.each(['', ' ', ' \t '])('that is missing is answered 500 5.5.2: %j', (text) => {
    expect(verdict(text)).toBe('unrecognized 500 5.5.2');
  });
});

describe('a line', () => {
  it.each(['QUIT ', 'QUIT \t ', 'RSET\t', 'QUIT\t ', 'DATA   '])(
    'may end in white space: %j (RFC 5321 §4.1.1)',
    (text) => {
      expect(parse(text)).toEqual({ verb: text.trim() });
    },
  );

  it('may have more than one space between its parts', () => {
    expect(parse('EHLO   b.example')).toEqual({ verb: 'EHLO', name: 'b.example' });
    expect(parse('MAIL  FROM:<>  SIZE=1  BODY=7BIT ')).toEqual(
      mail(null, { keyword: 'SIZE', value: '1' }, { keyword: 'BODY', value: '7BIT' }),
    );
  });

  it.each([
    'NOOP a\tb',
    'NOOP a\0',
    'EHLO\tb.example',
    'MAIL FROM:<a@b>\tSIZE=1',
    'NOOP \x7f',
    'X\x1b[2J',
    '\x16\x03\x01',
  ])('with a control character inside is answered 501 5.5.2: %j', (text) => {
    expect(verdict(text)).toBe('syntax 501 5.5.2');
  });

  it.each(['NOOP é', 'VRFY jösé', 'ÉHLO b', 'DATA é', 'STARTTLS é', 'MAIL é', 'RCPT TÖ:<a@b>'])(
    'with characters outside ASCII in no path is answered 500 5.5.2: %s',
    (text) => {
      expect(verdict(text)).toBe('unrecognized 500 5.5.2');
    },
  );

  it('that is not UTF-8 is answered 500 5.5.2, in a path too (RFC 6531 §3.3)', () => {
    const latin1 = Uint8Array.from('MAIL FROM:<jös@b>', (character) => character.charCodeAt(0));
    expect(parseCommand(latin1)).toMatchObject({
      failure: 'unrecognized',
      reply: { code: 500 },
      verb: 'MAIL',
      aboutAddress: true,
    });
  });

  it('does not become a command by case mapping of other alphabets', () => {
    expect(verdict('ma\u0131l FROM:<a@b>')).toBe('unrecognized 500 5.5.2');
    expect(verdict('r\u017fet')).toBe('unrecognized 500 5.5.2');
  });
});

describe.each(['EHLO', 'HELO'] as const)('%s', (verb) => {
  it.each([
    'b.example',
    'localhost',
    'my_host',
    '[127.0.0.1]',
    '[IPv6:::1]',
    'a..b',
    '!#$%',
    'a'.repeat(400),
    'ANNS  PC (2)',
    'Jürgens Büro',
    '<a@b> "c',
  ])('takes anything printable for a name: %s (RFC 5321 §4.1.1.1, §4.1.4)', (name) => {
    expect(parse(`${verb} ${name}`)).toEqual({ verb, name });
  });

  it.each(['', ' '])('is answered 501 5.5.4 with %j for a name', (rest) => {
    expect(verdict(verb + rest)).toBe('syntax 501 5.5.4');
  });

  it.each(['a\tb', 'a\x7f', 'a\x1b[2J', 'a\u009b'])(
    'is answered 501 5.5.2 with control characters: %j',
    (name) => {
      expect(verdict(`${verb} ${name}`)).toBe('syntax 501 5.5.2');
    },
  );
});

describe('MAIL', () => {
  it.each([
    ['MAIL FROM:<joe@b.example>', mail(joe)],
    ['mail from:<joe@b.example>', mail(joe)],
    ['MAIL FROM: <joe@b.example>', mail(joe)],
    ['MAIL FROM:   <joe@b.example> ', mail(joe)],
    ['MAIL FROM:<@r.example:joe@b.example>', mail(joe)],
    ['MAIL FROM:<>', mail(null)],
    ['MAIL FROM:<"a b> SIZE=1"@c>', mail({ localPart: 'a b> SIZE=1', domain: 'c' })],
    ['MAIL FROM:<> SIZE=1', mail(null, { keyword: 'SIZE', value: '1' })],
    ['MAIL FROM:<> smtputf8', mail(null, { keyword: 'SMTPUTF8' })],
    [
      'MAIL FROM:<joe@b.example> size=1000 BODY=8bitMIME AUTH=<> X-1',
      mail(
        joe,
        { keyword: 'SIZE', value: '1000' },
        { keyword: 'BODY', value: '8bitMIME' },
        { keyword: 'AUTH', value: '<>' },
        { keyword: 'X-1' },
      ),
    ],
    ['MAIL FROM:<> A=!<>~', mail(null, { keyword: 'A', value: '!<>~' })],
    // As stock software writes what xtext should have encoded.
    ['MAIL FROM:<> A=b=c==', mail(null, { keyword: 'A', value: 'b=c==' })],
  ])('is read from %s (RFC 5321 §4.1.1.2)', (text, command) => {
    expect(parse(text)).toEqual(command);
  });

  it.each([
    'MAIL',
    'MAIL FROM',
    'MAIL FROM:',
    'MAIL FROM: ',
    'MAIL <a@b>',
    'MAIL FROM :<a@b>',
    'MAIL TO:<a@b>',
  ])('without FROM: and something behind it is answered 501 5.5.4: %s', (text) => {
    // A valid verb whose argument is not: X.5.4 rather than X.5.2 (RFC 3463 §3.6).
    expect(verdict(text)).toBe('syntax 501 5.5.4');
    expect(failureOf(text).reply.lines).toEqual(['Syntax: MAIL FROM:<address> [parameters]']);
  });

  it.each(['a@b', '<a@b', '<a b@c>', '<Postmaster>', '<a@my/host>', `<a@${'b'.repeat(64)}>`])(
    'with the malformed reverse-path %s is answered 501 5.1.7 (RFC 3463 §3.2)',
    (path) => {
      expect(verdict(`MAIL FROM:${path}`)).toBe('syntax 501 5.1.7');
    },
  );

  it.each([
    ...[' SIZE=', ' =1', ' -A', ' A_B=1', ' SIZE =1', ' SIZE= 1', ' "A"=1'],
    ...['SIZE=1', '>', 'x', ','],
  ])('with %j behind the path is answered 501 5.5.4 (RFC 5321 §4.1.2)', (rest) => {
    expect(verdict(`MAIL FROM:<a@b>${rest}`)).toBe('syntax 501 5.5.4');
  });

  it('with a parameter twice is answered 501 5.5.4, and the parameter is named', () => {
    expect(verdict('MAIL FROM:<> SIZE=1 size=1')).toBe('syntax 501 5.5.4');
    expect(failureOf('MAIL FROM:<> A SIZE=1 B size=2').reply.lines).toEqual([
      'Parameter SIZE is given more than once',
    ]);
  });

  it('with a character outside ASCII in a parameter is answered 500 5.5.2', () => {
    expect(verdict('MAIL FROM:<> ENVID=é')).toBe('unrecognized 500 5.5.2');
    expect(verdict('MAIL FROM:<>é')).toBe('unrecognized 500 5.5.2');
  });
});

describe('RCPT', () => {
  it.each([
    ['RCPT TO:<joe@b.example>', rcpt(joe)],
    ['rcpt to: <joe@b.example>', rcpt(joe)],
    ['RCPT TO:<Postmaster>', rcpt({ localPart: 'Postmaster', domain: '' })],
    ['RCPT TO:<@a,@b:joe@b.example>', rcpt(joe)],
    ['RCPT TO:<joe@b.example> NOTIFY=NEVER', rcpt(joe, { keyword: 'NOTIFY', value: 'NEVER' })],
  ])('is read from %s (RFC 5321 §4.1.1.3)', (text, command) => {
    expect(parse(text)).toEqual(command);
  });

  it.each(['RCPT', 'RCPT TO', 'RCPT TO:', 'RCPT <a@b>', 'RCPT TO :<a@b>', 'RCPT FROM:<a@b>'])(
    'without TO: and something behind it is answered 501 5.5.4: %s',
    (text) => {
      expect(verdict(text)).toBe('syntax 501 5.5.4');
      expect(failureOf(text).reply.lines).toEqual(['Syntax: RCPT TO:<address> [parameters]']);
    },
  );

  it.each(['a@b', '<>', '<a>', '<a b@c>', `<a@${'b'.repeat(64)}>`])(
    'with the malformed forward-path %s is answered 501 5.1.3 (RFC 3463 §3.2)',
    (path) => {
      expect(verdict(`RCPT TO:${path}`)).toBe('syntax 501 5.1.3');
    },
  );

  it('says in its reply which limit a domain exceeds', () => {
    expect(failureOf(`RCPT TO:<a@${'b'.repeat(63)}${`.${'b'.repeat(63)}`.repeat(4)}>`).reply.lines).toEqual([
      'The domain is longer than 255 octets',
    ]);
  });

  it('with a malformed or repeated parameter is answered 501 5.5.4', () => {
    expect(verdict('RCPT TO:<a@b> NOTIFY=')).toBe('syntax 501 5.5.4');
    expect(verdict('RCPT TO:<a@b> NOTIFY=NEVER NOTIFY=NEVER')).toBe('syntax 501 5.5.4');
  });
});

describe('an address outside ASCII', () => {
  it.each([
    'MAIL FROM:<jösé@b>',
    'MAIL FROM: <a@bücher.example> SIZE=1',
    'RCPT TO:<"jösé"@b>',
    'rcpt to:<é@b>',
  ])('is answered 553 5.6.7: %s (RFC 5321 §4.3.2, RFC 6531 §3.5)', (text) => {
    expect(verdict(text)).toBe('syntax 553 5.6.7');
  });
});

describe.each(['DATA', 'RSET', 'QUIT'] as const)('%s', (verb) => {
  it('is read without an argument', () => {
    expect(parse(verb)).toEqual({ verb });
  });

  it('with an argument is answered 501 5.5.4 (RFC 5321 §4.1.1)', () => {
    expect(verdict(`${verb} now`)).toBe('syntax 501 5.5.4');
  });
});

describe.each(['NOOP', 'HELP'] as const)('%s', (verb) => {
  it('may have an argument (RFC 5321 §4.1.1.8, §4.1.1.9)', () => {
    expect(parse(verb)).toEqual({ verb, argument: '' });
    expect(parse(`${verb} some  text `)).toEqual({ verb, argument: 'some  text' });
  });
});

describe.each(['VRFY', 'EXPN'] as const)('%s', (verb) => {
  it('takes any text (RFC 5321 §4.1.1.6, §4.1.1.7)', () => {
    expect(parse(`${verb} Joe Bloggs <joe@b.example>`)).toEqual({
      verb,
      argument: 'Joe Bloggs <joe@b.example>',
    });
  });

  it('without an argument is answered 501 5.5.4 (RFC 5321 §4.3.2)', () => {
    expect(verdict(verb)).toBe('syntax 501 5.5.4');
    expect(verdict(`${verb} `)).toBe('syntax 501 5.5.4');
  });
});

describe('formatCommand', () => {
  it.each<[string, Command]>([
    ['EHLO [192.0.2.1]\r\n', { verb: 'EHLO', name: '[192.0.2.1]' }],
    ['HELO b.example\r\n', { verb: 'HELO', name: 'b.example' }],
    ['MAIL FROM:<>\r\n', mail(null)],
    [
      'MAIL FROM:<"a b"@c> SIZE=1 SMTPUTF8\r\n',
      mail({ localPart: 'a b', domain: 'c' }, { keyword: 'SIZE', value: '1' }, { keyword: 'SMTPUTF8' }),
    ],
    ['RCPT TO:<joe@b.example>\r\n', rcpt(joe)],
    ['RCPT TO:<Postmaster>\r\n', rcpt({ localPart: 'Postmaster', domain: '' })],
    ['DATA\r\n', { verb: 'DATA' }],
    ['NOOP\r\n', { verb: 'NOOP', argument: '' }],
    ['HELP MAIL\r\n', { verb: 'HELP', argument: 'MAIL' }],
    ['VRFY joe\r\n', { verb: 'VRFY', argument: 'joe' }],
  ])('writes %j', (line, command) => {
    expect(format(command)).toBe(line);
  });

  it.each<[string, Command]>([
    ['a line end in a name', { verb: 'EHLO', name: 'a\r\nQUIT' }],
    ['a space in a name', { verb: 'EHLO', name: 'a b' }],
    ['an empty name', { verb: 'HELO', name: '' }],
    ['a name of 256 octets', { verb: 'EHLO', name: 'a'.repeat(256) }],
    ['a name outside ASCII', { verb: 'EHLO', name: 'bücher.example' }],
    ['a line end in a local-part', mail({ localPart: 'a\r\nRSET', domain: 'b' })],
    ['a bare LF in a local-part', rcpt({ localPart: 'a\nb', domain: 'b' })],
    ['a NUL in a local-part', rcpt({ localPart: 'a\0', domain: 'b' })],
    ['a local-part outside ASCII', mail({ localPart: 'jösé', domain: 'b' })],
    ['a domain outside ASCII', rcpt({ localPart: 'a', domain: 'bücher.example' })],
    ['a domain that ends the path', rcpt({ localPart: 'a', domain: 'b> NOTIFY=NEVER' })],
    ['a reverse-path without a domain', mail({ localPart: 'Postmaster', domain: '' })],
    ['a forward-path without a domain', rcpt({ localPart: 'joe', domain: '' })],
    ['a label of 64 octets', rcpt({ localPart: 'a', domain: 'b'.repeat(64) })],
    ['a malformed keyword', mail(null, { keyword: 'SI ZE', value: '1' })],
    ['an empty keyword', mail(null, { keyword: '' })],
    ['a keyword twice', mail(null, { keyword: 'SIZE' }, { keyword: 'size' })],
    ['an empty value', mail(null, { keyword: 'SIZE', value: '' })],
    ['a value that adds a parameter', mail(null, { keyword: 'SIZE', value: '1 BODY=8BITMIME' })],
    ['a value with an equals sign', mail(null, { keyword: 'ENVID', value: 'a=b' })],
    ['a value with a line end', rcpt(joe, { keyword: 'ORCPT', value: 'a\r\nRSET' })],
    ['a line end in an argument', { verb: 'NOOP', argument: 'a\r\nQUIT' }],
    ['a CR at the end of an argument', { verb: 'NOOP', argument: 'a\r' }],
    ['a tab in an argument', { verb: 'HELP', argument: 'a\tb' }],
    ['an argument outside ASCII', { verb: 'VRFY', argument: 'jösé' }],
    ['spaces before an argument', { verb: 'VRFY', argument: ' joe' }],
    ['an argument that is missing', { verb: 'EXPN', argument: '' }],
  ])('throws a RangeError for %s', (_, command) => {
    expect(() => formatCommand(command)).toThrow(RangeError);
  });

  it('writes lines of 512 octets with their CRLF and no longer (RFC 5321 §4.5.3.1.4)', () => {
    expect(formatCommand({ verb: 'NOOP', argument: 'a'.repeat(505) })).toHaveLength(512);
    expect(() => formatCommand({ verb: 'NOOP', argument: 'a'.repeat(506) })).toThrow(
      'NOOP would take 513 octets; a command line has 512, its CRLF included',
    );
  });

  it('leaves the length of parameters to the extensions that define them (RFC 5321 §4.5.3.1.4)', () => {
    expect(formatCommand(rcpt(joe, { keyword: 'ORCPT', value: 'a'.repeat(500) })).length).toBeGreaterThan(
      512,
    );
  });
});

const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,10}$/);
const localPart = fc.oneof(
  fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.')),
  fc.stringMatching(/^[ -~]{0,30}$/),
);
const label = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?$/);
const domain = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.ipV4().map((address) => `[${address}]`),
  fc.constantFrom('[IPv6:::1]', '[IPv6:2001:db8::192.0.2.1]', '[tag:a>b]'),
);
const mailbox = fc.record({ localPart, domain });
const postmaster = fc
  .constantFrom('Postmaster', 'postmaster')
  .map((name) => ({ localPart: name, domain: '' }));
const parameter = fc.oneof(
  fc.record({ keyword: fc.stringMatching(/^[A-Z0-9][A-Z0-9-]{0,9}$/) }),
  fc.record({
    keyword: fc.stringMatching(/^[A-Z0-9][A-Z0-9-]{0,9}$/),
    value: fc.stringMatching(/^[!-<>-~]{1,20}$/),
  }),
);
const parameters = fc.uniqueArray(parameter, { selector: ({ keyword }) => keyword, maxLength: 4 });
const argument = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ verb: fc.constantFrom('EHLO', 'HELO'), name: fc.stringMatching(/^[!-~]{1,40}$/) }),
  fc.record({ verb: fc.constant('MAIL'), reversePath: fc.oneof(mailbox, fc.constant(null)), parameters }),
  fc.record({ verb: fc.constant('RCPT'), forwardPath: fc.oneof(mailbox, postmaster), parameters }),
  fc.record({ verb: fc.constantFrom('DATA', 'RSET', 'QUIT', 'STARTTLS') }),
  fc.record({ verb: fc.constant('BDAT'), size: fc.maxSafeNat(), last: fc.boolean() }),
  fc.record({ verb: fc.constantFrom('ETRN', 'XCLIENT', 'XFORWARD'), argument }),
  fc.record(
    {
      verb: fc.constant('AUTH'),
      mechanism: fc.stringMatching(/^[A-Z\d_-]{1,20}$/),
      initialResponse: fc.base64String({ minLength: 1 }).map((text) => new Secret(text)),
    },
    { requiredKeys: ['verb', 'mechanism'] },
  ),
  fc.record({ verb: fc.constantFrom('NOOP', 'HELP'), argument: fc.oneof(argument, fc.constant('')) }),
  fc.record({ verb: fc.constantFrom('VRFY', 'EXPN'), argument }),
);

/** Lines that are nearly commands: a command with some of its octets replaced, removed or added. */
const damagedLine = fc
  .tuple(command, fc.array(fc.tuple(fc.nat(80), fc.nat(2), fc.nat(255)), { maxLength: 4 }))
  .map(([undamaged, damages]) => {
    const octets = [...formatCommand(undamaged).subarray(0, -2)];
    for (const [at, removed, octet] of damages) octets.splice(at, removed, octet);
    return Uint8Array.from(octets);
  });

describe('any line', () => {
  it('that formatCommand writes is parsed to the same command', () => {
    fc.assert(
      fc.property(command, (any) => {
        const line = formatCommand(any);
        expect(line.indexOf(0x0d)).toBe(line.length - 2);
        expect(line.indexOf(0x0a)).toBe(line.length - 1);
        const parsed = parseCommand(line.subarray(0, -2));
        expect(parsed).toEqual(any);
        if (any.verb === 'AUTH' && !('failure' in parsed) && parsed.verb === 'AUTH') {
          expect(parsed.initialResponse?.revealText()).toBe(any.initialResponse?.revealText());
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is a command that can be written again, or a failure with a reply that can be sent', () => {
    const kinds: Record<number, CommandFailure['failure']> = {
      500: 'unrecognized',
      501: 'syntax',
      502: 'notImplemented',
      553: 'syntax',
    };
    const line = fc.oneof(damagedLine, fc.uint8Array({ maxLength: 60 }), fc.string().map(encodeText));
    fc.assert(
      fc.property(line, (octets) => {
        const result = parseCommand(octets);
        if (!('failure' in result)) {
          // More is read than is written: any name of a client, and `=` in a parameter.
          if ('name' in result && !isName(result.name)) return;
          if ('parameters' in result && result.parameters.some(({ value }) => value?.includes('='))) return;
          expect(parseCommand(formatCommand(result).subarray(0, -2))).toEqual(result);
          return;
        }
        expect(result.failure).toBe(result.verb === 'BDAT' ? 'unframed' : kinds[result.reply.code]);
        expect(result.reply.lines).toHaveLength(1);
        expect(decodeText(formatReply(result.reply))).toMatch(/^5\d\d 5\.\d\.\d [ -~]{1,120}\r\n$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('is answered without quoting it', () => {
    const secret = 'qzxjv';
    for (const text of [
      secret,
      `NOOP ${secret}\x1b`,
      `DATA ${secret}`,
      `AUTH PLAIN ${secret} ${secret}`,
      `BDAT ${secret}`,
      `VRFY é${secret}`,
      `MAIL ${secret}`,
      `MAIL FROM:${secret}`,
      `MAIL FROM:<${secret}>`,
      `MAIL FROM:<é${secret}@b>`,
      `MAIL FROM:<a@b> A=${secret} A=${secret}`,
      `RCPT TO:<a@b> A= ${secret}`,
    ]) {
      expect(failureOf(text).reply.lines.join()).not.toContain(secret);
    }
  });

  it('names a repeated parameter in bounded length', () => {
    const keyword = 'K'.repeat(400);
    expect(failureOf(`MAIL FROM:<> ${keyword} ${keyword}`).reply.lines).toEqual([
      `Parameter ${'K'.repeat(32)} is given more than once`,
    ]);
  });
});

describe('BDAT (RFC 3030 §2)', () => {
  it.each([
    ['BDAT 0', 0, false],
    ['bdat 1000 last', 1000, true],
    ['BDAT  86  LAST ', 86, true],
    ['BDAT 9007199254740991', Number.MAX_SAFE_INTEGER, false],
  ])('takes a size, and LAST: %s', (text, size, last) => {
    expect(parse(text)).toEqual({ verb: 'BDAT', size, last });
  });

  it.each([
    'BDAT',
    'BDAT LAST',
    'BDAT -1',
    'BDAT 1 FIRST',
    'BDAT 1LAST',
    'BDAT 0x10',
    'BDAT 9007199254740992',
  ])('without a size that can be counted leaves open where the next command begins: %s', (text) => {
    expect(failureOf(text)).toMatchObject({ failure: 'unframed', verb: 'BDAT', reply: { code: 501 } });
  });

  it('is not written with a size that is none', () => {
    for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => formatCommand({ verb: 'BDAT', size, last: true })).toThrow(RangeError);
    }
  });
});

describe('ETRN, XCLIENT and XFORWARD', () => {
  it.each(['ETRN', 'XCLIENT', 'XFORWARD'] as const)('%s is not written without an argument', (verb) => {
    expect(() => formatCommand({ verb, argument: '' })).toThrow(`${verb} needs an argument`);
  });
});

describe('LHLO (RFC 2033 §4.1)', () => {
  it('is read as EHLO is', () => {
    expect(parse('LHLO c.example')).toEqual({ ...parse('EHLO c.example'), verb: 'LHLO' });
  });
});

describe('AUTH (RFC 4954 §4)', () => {
  it.each([
    ['AUTH PLAIN', 'PLAIN', undefined],
    ['auth scram-sha-256-plus biws', 'SCRAM-SHA-256-PLUS', 'biws'],
    ['AUTH EXTERNAL =', 'EXTERNAL', '='],
    ['AUTH LOGIN not*base64', 'LOGIN', 'not*base64'],
    ['AUTH  PLAIN   =', 'PLAIN', '='],
  ])('takes a mechanism and an initial response: %s', (text, mechanism, response) => {
    const read = parse(text);
    expect(read).toMatchObject({ verb: 'AUTH', mechanism });
    expect('initialResponse' in read ? read.initialResponse?.revealText() : undefined).toBe(response);
  });

  it.each(['AUTH', 'AUTH PLAIN a b', 'AUTH A+B', `AUTH ${'A'.repeat(21)}`])(
    'of another form is answered 501 5.5.4: %s',
    (text) => {
      expect(verdict(text)).toBe('syntax 501 5.5.4');
      expect(failureOf(text).verb).toBe('AUTH');
    },
  );

  it('is written in lines of 12288 octets with their CRLF and no longer', () => {
    const initialResponse = (length: number) => new Secret('A'.repeat(length));
    const auth = (length: number) =>
      formatCommand({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse: initialResponse(length) });
    expect(auth(12_275)).toHaveLength(12_288);
    expect(() => auth(12_276)).toThrow('AUTH would take 12289 octets');
  });

  it.each(['', 'A B', 'PLAIN\r\nRSET', 'A+B', 'A'.repeat(21)])(
    'is not written of a mechanism %j',
    (mechanism) => {
      expect(() => formatCommand({ verb: 'AUTH', mechanism })).toThrow('AUTH takes the name of a mechanism');
    },
  );

  it('shows nothing of a response that cannot be written', () => {
    const initialResponse = new Secret('pässword');
    expect(() => formatCommand({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('ssword') }),
    );
  });
});

describe('STARTTLS (RFC 3207 §4)', () => {
  it('takes no argument: 501 5.5.4', () => {
    expect(parse('starttls')).toEqual({ verb: 'STARTTLS' });
    expect(verdict('STARTTLS now')).toBe('syntax 501 5.5.4');
  });
});

describe('with SMTPUTF8 (RFC 6531)', () => {
  const utf8 = { utf8: true, lenient: false, extensionVerbs: new Set<string>() };
  const parseUtf8 = (text: string) => parseCommand(encodeText(text), utf8);

  it('paths hold UTF-8, and are written so (§3.3)', () => {
    const command = mail({ localPart: 'jösé', domain: 'bücher.example' }, { keyword: 'SMTPUTF8' });
    const line = 'MAIL FROM:<jösé@bücher.example> SMTPUTF8';
    expect(parseUtf8(line)).toEqual(command);
    expect(decodeText(formatCommand(command, { utf8: true }))).toBe(`${line}\r\n`);
    expect(() => formatCommand(command)).toThrow('can only be written in printable ASCII');
  });

  it('values of parameters hold UTF-8, and are passed on as they are (§3.3)', () => {
    const line = 'RCPT TO:<jösé@b.example> ORCPT=utf-8;jösé@b.example';
    expect(parseUtf8(line)).toMatchObject({ parameters: [{ value: 'utf-8;jösé@b.example' }] });
    expect(parse(line)).toMatchObject({ reply: { code: 553 } });
  });

  it('is not a licence for control characters', () => {
    expect(parseUtf8('MAIL FROM:<jösé@b> \x01')).toMatchObject({ reply: { code: 501 } });
    const command = mail({ localPart: 'jö\u0085sé', domain: 'b.example' });
    expect(() => formatCommand(command, { utf8: true })).toThrow(RangeError);
  });

  it.each(['VRFY', 'EXPN'] as const)('%s declares it behind what it asks about (§3.7.4)', (verb) => {
    expect(parseUtf8(`${verb} jösé smtputf8`)).toEqual({ verb, argument: 'jösé', utf8: true });
    expect(parseUtf8(`${verb} jose SMTPUTF8`)).toEqual({ verb, argument: 'jose', utf8: true });
    expect(parseUtf8(`${verb} SMTPUTF8`)).toEqual({ verb, argument: 'SMTPUTF8' });
    expect(parseUtf8(`${verb} jösé`)).toMatchObject({ reply: { code: 553, enhancedCode: '5.6.7' } });
    const written = formatCommand({ verb, argument: 'jösé', utf8: true }, { utf8: true });
    expect(decodeText(written)).toBe(`${verb} jösé SMTPUTF8\r\n`);
  });

  it.each(['\u0080', '\u009b31m', '\u009f', '\x7f'])(
    'is not a licence for control characters behind ASCII: %j is answered 501 5.5.2 (RFC 5198 §2)',
    (controls) => {
      for (const text of [
        `MAIL FROM:<a${controls}@b>`,
        `RCPT TO:<"${controls}"@b>`,
        `RCPT TO:<a@b${controls}>`,
      ]) {
        expect(parseUtf8(text)).toMatchObject({ reply: { code: 501, enhancedCode: '5.5.2' } });
      }
      for (const text of [
        `VRFY a${controls} SMTPUTF8`,
        `MAIL FROM:<a@b> X=${controls}`,
        `NOOP ${controls}`,
      ]) {
        expect(parseUtf8(text)).toMatchObject({ reply: { code: 501, enhancedCode: '5.5.2' } });
      }
    },
  );

  it('lets every command be written again that it lets be read', () => {
    const character = fc.oneof(
      fc.constantFrom('a', 'b', '.', '"', '\\', ' ', '@', 'é', '\u00a0', '😀', '\u2028'),
      fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    );
    const text = fc.string({ unit: character, maxLength: 8 });
    const line = fc.oneof(
      text.map((name) => `MAIL FROM:<${name}@b>`),
      text.map((name) => `RCPT TO:<"${name}"@b>`),
      text.map((name) => `RCPT TO:<a@${name}>`),
      text.map((name) => `VRFY ${name} SMTPUTF8`),
    );
    fc.assert(
      fc.property(line, (any) => {
        const command = parseUtf8(any);
        if ('failure' in command) return;
        const written = formatCommand(command, { utf8: true });
        expect(parseCommand(written.subarray(0, -2), utf8)).toEqual(command);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not extend to other commands', () => {
    expect(parseUtf8('NOOP bücher.example')).toMatchObject({ reply: { code: 500 } });
  });
});

describe('a verb of an extension', () => {
  const grammar = { utf8: false, lenient: false, extensionVerbs: new Set(['XHELLO', 'QUIT']) };

  it('is a command with its argument as it stands', () => {
    expect(parseCommand(encodeText('xhello  big World '), grammar)).toEqual({
      verb: 'extension',
      name: 'XHELLO',
      argument: 'big World',
    });
    const command: Command = { verb: 'extension', name: 'XHELLO', argument: 'world' };
    expect(format(command)).toBe('XHELLO world\r\n');
    expect(() => format({ ...command, name: 'X Y' })).toThrow(RangeError);
  });

  it('does not take the place of a verb of ours', () => {
    expect(parseCommand(encodeText('QUIT'), grammar)).toEqual({ verb: 'QUIT' });
  });
});

describe('lenient reading', () => {
  const grammar = { utf8: false, lenient: true, extensionVerbs: new Set<string>() };
  const parseLeniently = (text: string) => parseCommand(encodeText(text), grammar);

  /** The line that strict reading is to understand so, by the rules of docs/receiving.md written down a second time. */
  function strictly(line: string): string {
    const untabbed = line.replace(/("(?:[^"\\]|\\.)*"?)|\t/g, (_, quoted?: string) => quoted ?? ' ');
    if (/^QUIT /.test(untabbed)) return 'QUIT';
    const [, beginning, rest = ''] = /^((?:MAIL +FROM|RCPT +TO):) *(.*?) *$/.exec(untabbed) ?? [];
    if (beginning === undefined || rest === '') return untabbed;
    if (rest.startsWith('<')) {
      return beginning + rest.replace(/^< *((?:"(?:[^"\\]|\\.)*"|[^">])*?) *>/, '<$1>');
    }
    const [, path = '', parameters = ''] = /^([^ ]*)(.*)$/.exec(rest) ?? [];
    const cutsQuotes = path.replace(/\\./g, '').split('"').length % 2 === 0;
    return cutsQuotes ? `${beginning}<` : `${beginning}<${path}>${parameters}`;
  }

  const piece = fc.constantFrom(
    ...['a', 'a@b', '@b', '"a b"@c', '"a\tb"', '"', '\\', '@a:b@c', 'postmaster', 'SIZE=1', 'X', '(c)'],
    ...['<', '>', ' ', ' ', '  ', '\t', '<a@b>', '< a@b >', '<>', '.', ',', ';', ':', '=', '[192.0.2.1]'],
  );
  const noise = fc.array(piece, { maxLength: 3 }).map((some) => some.join(''));
  const address = fc.constantFrom(
    'a@b',
    'a@b',
    'a@b ',
    ' a@b',
    '<a@b',
    '< a@b >',
    'a.@b',
    '"a"@b',
    '@a:b@c',
    '',
  );
  const pieces = fc.tuple(noise, address, noise).map((three) => three.join(''));
  const beginnings = fc.constantFrom(
    'MAIL FROM:',
    'MAIL\tFROM:',
    'RCPT TO:',
    'RCPT \tTO:',
    'MAIL FROM :',
    'MAIL ',
  );

  it('takes what strict reading takes of the line written out, and nothing else', () => {
    let taken = 0;
    fc.assert(
      fc.property(beginnings, pieces, (beginning, rest) => {
        const line = beginning + rest;
        const [lenient, strict] = [parseLeniently(line), parse(strictly(line))];
        if ('failure' in strict) expect(lenient).toMatchObject({ reply: { code: expect.any(Number) } });
        else expect(lenient).toEqual(strict);
        if (!('failure' in lenient) && 'failure' in parse(line)) taken += 1;
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('takes all that strict reading takes, for what it is there', () => {
    const strict = fc.oneof(
      fc.tuple(beginnings, pieces).map(([first, rest]) => first + rest),
      fc.constantFrom('QUIT', 'NOOP "x', 'EHLO a  b', 'BDAT 5 LAST', 'AUTH PLAIN =', 'VRFY <a b>', 'HELP  x'),
    );
    fc.assert(
      fc.property(strict, (line) => {
        const command = parse(line);
        if (!('failure' in command)) expect(parseLeniently(line)).toEqual(command);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['QUIT now', 'QUIT\tnow', 'quit  <a@b>'])('takes an argument of QUIT alone: %j', (text) => {
    expect(parseLeniently(text)).toEqual({ verb: 'QUIT' });
    for (const verb of ['RSET', 'DATA', 'STARTTLS']) {
      expect(parseLeniently(text.replace(/quit/i, verb))).toMatchObject({ reply: { code: 501 } });
    }
  });

  it.each(['QUIT \x01', 'QUIT "\t"', 'NOOP a\0', 'MAIL FROM:a@b\x7f'])(
    'takes no control character but a TAB outside of quotes: %j',
    (text) => {
      expect(parseLeniently(text)).toMatchObject({ reply: { code: 501, enhancedCode: '5.5.2' } });
    },
  );
});
