import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated, standing } from '../parameters.test-support.js';
import { offeredKeywords } from '../table.js';
import {
  attributeNames,
  type ClientAttributes,
  formatClientAttributes,
  parseClientAttributes,
} from './client-attributes.js';
import { xclient } from './xclient.js';
import { xforward } from './xforward.js';

const NAMES = {
  XCLIENT: 'NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT',
  XFORWARD: 'NAME ADDR PORT PROTO HELO IDENT SOURCE',
};
const refusal = (text: string) => ({ code: 501, enhancedCode: '5.5.4', lines: [text] });
const unavailable = { unavailable: 'permanently' };

describe('XCLIENT and XFORWARD', () => {
  it('are offered to a trusted client only, with their attributes', () => {
    expect(offeredKeywords([xclient, xforward], standing)).toEqual([
      `XCLIENT ${NAMES.XCLIENT}`,
      `XFORWARD ${NAMES.XFORWARD}`,
    ]);
    expect(offeredKeywords([xclient, xforward], { ...standing, trusted: false })).toEqual([]);
  });
});

describe('the attributes of XCLIENT', () => {
  it.each<[string, ClientAttributes]>([
    [
      'NAME=spike.porcupine.org ADDR=168.100.189.2',
      { name: 'spike.porcupine.org', address: '168.100.189.2' },
    ],
    [
      'name=[unavailable] Addr=[Unavailable]',
      { name: { unavailable: 'permanently' }, address: { unavailable: 'permanently' } },
    ],
    ['NAME=[TEMPUNAVAIL]', { name: { unavailable: 'temporarily' } }],
    ['ADDR=IPV6:2001:db8::1 DESTADDR=ipv6:::1', { address: '2001:db8::1', destinationAddress: '::1' }],
    ['PORT=0 DESTPORT=65535', { port: 0, destinationPort: 65_535 }],
    ['PROTO=esmtp HELO=[192.0.2.1]', { protocol: 'ESMTP', helo: '[192.0.2.1]' }],
    ['LOGIN=a+20b+40c  PORT=[UNAVAILABLE]', { login: 'a b@c', port: { unavailable: 'permanently' } }],
    ['LOGIN=+C3+A9', { login: 'é' }],
  ])('%s', (argument, expected) => {
    expect(parseClientAttributes(argument, 'XCLIENT')).toEqual(expected);
  });

  it.each(['', ' ', 'NAME', 'NAME=', '=a', 'NAME=a ADDR'])('are 501 without a value: %j', (argument) => {
    expect(parseClientAttributes(argument, 'XCLIENT')).toEqual(refusal('Syntax: XCLIENT attribute=value...'));
  });

  it.each(['FOO=a', 'IDENT=a', 'SOURCE=LOCAL'])('are 501 when they are not known: %s', (argument) => {
    expect(parseClientAttributes(argument, 'XCLIENT')).toEqual(
      refusal(`XCLIENT takes the attributes ${NAMES.XCLIENT}`),
    );
  });

  it('are 501 when one is given twice', () => {
    expect(parseClientAttributes('NAME=a name=b', 'XCLIENT')).toEqual(
      refusal('NAME is given more than once'),
    );
  });

  it.each([
    'ADDR=1.2.3',
    'ADDR=1.2.3.256',
    'ADDR=::1',
    'ADDR=IPV6:1.2.3.4',
    'ADDR=IPV6:xyz',
    'ADDR=[1.2.3.4]',
    'ADDR=tag:x',
    'PORT=65536',
    'PORT=-1',
    'PORT=smtp',
    'PROTO=HTTP',
    'NAME=a+20b',
    'NAME=a+0D+0Ab',
    'NAME=a(b)',
    'HELO=a+0Ab',
    'NAME=+C3+A9',
    'NAME=a+',
    'LOGIN=a+00',
  ])('are 501 when the value is wrong: %s', (argument) => {
    const reply = parseClientAttributes(argument, 'XCLIENT');
    expect(reply).toMatchObject({ code: 501, enhancedCode: '5.5.4' });
    const [name = ''] = argument.split('=');
    expect(reply).toHaveProperty('lines.0', expect.stringMatching(`^${name} takes .*\\[UNAVAILABLE\\]$`));
  });

  it('have 255 characters at most', () => {
    const longest = 'a'.repeat(255);
    expect(parseClientAttributes(`NAME=${longest}`, 'XCLIENT')).toEqual({ name: longest });
    expect(parseClientAttributes(`NAME=${longest}a`, 'XCLIENT')).toHaveProperty('code', 501);
    expect(formatClientAttributes({ name: longest }, 'XCLIENT', NAMES.XCLIENT)).toBe(`NAME=${longest}`);
    expect(() => formatClientAttributes({ name: `${longest}a` }, 'XCLIENT', NAMES.XCLIENT)).toThrow(
      RangeError,
    );
  });
});

describe('the attributes of XFORWARD', () => {
  it('are its own', () => {
    expect(
      parseClientAttributes('IDENT=4A5B SOURCE=local PROTO=QMQP NAME=[UNAVAILABLE]', 'XFORWARD'),
    ).toEqual({
      identifier: '4A5B',
      source: 'LOCAL',
      protocol: 'QMQP',
      name: unavailable,
    });
    expect(parseClientAttributes('LOGIN=a', 'XFORWARD')).toEqual(
      refusal(`XFORWARD takes the attributes ${NAMES.XFORWARD}`),
    );
    expect(parseClientAttributes('SOURCE=ELSEWHERE', 'XFORWARD')).toHaveProperty('code', 501);
  });

  it("have a protocol's name of 64 characters at most", () => {
    const longest = 'a'.repeat(64);
    expect(parseClientAttributes(`PROTO=${longest}`, 'XFORWARD')).toEqual({ protocol: longest });
    expect(parseClientAttributes(`PROTO=${longest}a`, 'XFORWARD')).toHaveProperty('code', 501);
  });
});

describe('attributes that a client sends', () => {
  it('are those that the server takes', () => {
    const attributes = { name: 'a.example', address: '::1', login: 'x', identifier: 'y' };
    expect(formatClientAttributes(attributes, 'XCLIENT', 'NAME addr PROTO')).toBe(
      'NAME=a.example ADDR=IPV6:::1',
    );
    expect(formatClientAttributes(attributes, 'XFORWARD', '')).toBe('');
  });

  it.each<ClientAttributes>([
    { name: 'a b' },
    { name: '' },
    { helo: 'a\r\nb' },
    { address: 'localhost' },
    { port: 65_536 },
    { port: 1.5 },
    { protocol: 'HTTP' },
  ])('are refused when they cannot be written: %j', (attributes) => {
    expect(() => formatClientAttributes(attributes, 'XCLIENT', NAMES.XCLIENT)).toThrow('is no value for');
  });

  const token = fc.stringMatching(/^[A-Za-z0-9.+=_-]{1,50}$/);
  const orUnavailable = <Value>(value: fc.Arbitrary<Value>) =>
    fc.oneof(
      value,
      fc.record({ unavailable: fc.constantFrom('permanently' as const, 'temporarily' as const) }),
    );
  const address = fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::1', '1:2:3:4:5:6:7:8'));
  const shared = {
    name: orUnavailable(token),
    address: orUnavailable(address),
    port: orUnavailable(fc.nat({ max: 65_535 })),
    protocol: fc.constantFrom('SMTP', 'ESMTP'),
    helo: orUnavailable(token),
  };
  const attributesOf = {
    XCLIENT: fc.record(
      {
        ...shared,
        login: orUnavailable(fc.constantFrom('a', 'a b', 'é@b', '+=')),
        destinationAddress: orUnavailable(address),
        destinationPort: orUnavailable(fc.nat({ max: 65_535 })),
      },
      { requiredKeys: ['name'] },
    ),
    XFORWARD: fc.record(
      {
        ...shared,
        identifier: orUnavailable(token),
        source: orUnavailable(fc.constantFrom('LOCAL' as const, 'REMOTE' as const)),
      },
      { requiredKeys: ['name'] },
    ),
  };

  it.each(['XCLIENT', 'XFORWARD'] as const)('are read as they were meant: %s', (verb) => {
    expect(attributeNames(verb).join(' ')).toBe(NAMES[verb]);
    const written = fc.tuple(attributesOf[verb]);
    fc.assert(
      fc.property(written, ([meant]) => {
        const argument = formatClientAttributes(meant, verb, NAMES[verb]);
        expect(argument).toMatch(/^[!-~]+(?: [!-~]+)*$/);
        expect(parseClientAttributes(argument, verb)).toEqual(meant);
      }),
    );
  });

  it.each(['XCLIENT', 'XFORWARD'] as const)(
    'never make %s throw, and hold nothing unfit for a log',
    (verb) => {
      const argument = attributesOf[verb].map((meant) => formatClientAttributes(meant, verb, NAMES[verb]));
      fc.assert(
        fc.property(mutated(argument), (text) => {
          const read = parseClientAttributes(text, verb);
          if ('code' in read) expect(read.code).toBe(501);
          else expect(JSON.stringify(read)).not.toMatch(/\\u00|\\[nrt]/);
        }),
      );
    },
  );
});
