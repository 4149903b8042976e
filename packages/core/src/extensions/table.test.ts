import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerSession } from '../server/session.js';
import { formatReply } from '../wire/replies/reply.js';
import type { ParameterRule, ServiceExtension } from './contract/extension.js';
import type { MailParameters, RcptParameters } from './contract/parameters.js';
import { knownExtensions, standardExtensions } from './lists.js';
import { eightBitMime } from './mail-data/eight-bit-mime.js';
import { size } from './mail-data/size.js';
import { ExtensionNotOfferedError } from './not-offered.js';
import {
  mutated,
  readMail,
  readRcpt,
  refusal,
  sendMail,
  sendRcpt,
  standing,
  writeMail,
} from './parameters.test-support.js';
import {
  additionalMailOctets,
  additionalRcptOctets,
  customVerbs,
  isOffered,
  offeredKeywords,
  unknownParameter,
  writeMailParameters,
  writeRcptParameters,
} from './table.js';

/** An embedder's own. */
const colour: ServiceExtension = {
  keyword: 'X-COLOUR',
  offer: ({ secured }) => (secured ? 'RED BLUE' : undefined),
  additionalMailOctets: 14,
  additionalRcptOctets: 9,
  mailParameters: [
    {
      keyword: 'X-COLOUR',
      parse: (value) =>
        value === 'RED' || value === 'BLUE'
          ? { custom: { 'X-COLOUR': value } }
          : { code: 501, enhancedCode: '5.5.4', lines: ['X-COLOUR takes RED or BLUE'] },
      format: ({ custom }) => custom?.['X-COLOUR'] as string | undefined,
      isEssential: ({ custom }) => custom?.['X-COLOUR'] === 'RED',
    },
    {
      keyword: 'X-SHADE',
      parse: (value) => ({ custom: { 'X-SHADE': value } }),
      format: ({ custom }) => custom?.['X-SHADE'] as string | undefined,
    },
  ],
  rcptParameters: [
    {
      keyword: 'X-BRIGHT',
      parse: () => ({ custom: { 'X-BRIGHT': true } }),
      format: ({ custom }) => (custom?.['X-BRIGHT'] === true ? true : undefined),
    },
  ],
  verbs: ['X-PAINT'],
};

describe('the offer', () => {
  it('lists the service extensions in the order of the list (RFC 5321 §4.1.1.1)', () => {
    expect(offeredKeywords(standardExtensions, standing)).toEqual([
      'PIPELINING',
      'SIZE 1000',
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
      'CHUNKING',
      'BINARYMIME',
      'SMTPUTF8',
      'DSN',
      'STARTTLS',
      'AUTH PLAIN',
      'XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT',
      'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
      'HELP',
    ]);
  });

  it('leaves out what cannot be had as things stand', () => {
    const bare = { ...standing, startTls: false, secured: false, mechanisms: [], trusted: false };
    const offered = offeredKeywords(knownExtensions, bare);
    for (const keyword of ['STARTTLS', 'AUTH', 'XCLIENT', 'XFORWARD', 'REQUIRETLS']) {
      expect(offered.filter((line) => line.split(' ')[0] === keyword)).toEqual([]);
      expect(isOffered(knownExtensions, keyword, bare)).toBe(false);
      expect(isOffered(knownExtensions, keyword, standing)).toBe(true);
    }
    expect(isOffered(knownExtensions, 'PIPELINING', bare)).toBe(true);
    expect(isOffered([size], 'PIPELINING', bare)).toBe(false);
    expect(isOffered([], 'X', bare)).toBe(false);
  });

  it('is in lines that fit into a reply (RFC 5321 §4.5.3.1.5)', () => {
    for (const line of offeredKeywords(knownExtensions, standing)) {
      expect(formatReply({ code: 250, lines: [line] })).toHaveLength(`250 ${line}\r\n`.length);
    }
  });

  it('lengthens the command lines by the octets of all its extensions (RFC 5321 §4.5.3.1.4)', () => {
    expect(additionalMailOctets([])).toBe(0);
    expect(additionalMailOctets([size, eightBitMime])).toBe(26 + 17);
    expect(additionalMailOctets(standardExtensions)).toBe(26 + 17 + 16 + 10 + 116 + 500);
    expect(additionalRcptOctets(standardExtensions)).toBe(536);
  });
});

describe('a list of extensions', () => {
  it('holds none twice', () => {
    expect(() => offeredKeywords([size, size], standing)).toThrow(
      new RangeError('The service extension SIZE is listed twice; leave one out'),
    );
  });

  it('has none that require each other, or themselves', () => {
    const requiring = (keyword: string, requires: string) => ({ keyword, requires });
    for (const circle of [
      [requiring('A', 'A')],
      [requiring('A', 'B'), requiring('B', 'A')],
      [requiring('A', 'B'), requiring('B', 'C'), requiring('C', 'B')],
    ]) {
      expect(() => offeredKeywords(circle, standing)).toThrow(
        /^The service extensions .* require each other/,
      );
      expect(() => new ServerSession({ extensions: circle, now: 0 })).toThrow(RangeError);
    }
    const chain = Array.from({ length: 1000 }, (_, index) => requiring(`X${index}`, `X${index + 1}`));
    expect(offeredKeywords([...chain, { keyword: 'X1000' }], standing)).toHaveLength(1001);
    expect(offeredKeywords(chain, standing)).toEqual([]);
  });

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, '10'])(
    'lengthens command lines by numbers only: not by %s',
    (octets) => {
      const longer = { keyword: 'X', additionalRcptOctets: octets as number };
      expect(() => additionalRcptOctets([longer])).toThrow(/^The option X\.additionalRcptOctets is /);
    },
  );

  it.each(['NOOP', 'MAIL', 'ETRN', 'AUTH', 'LHLO', 'BDAT', 'TURN'])(
    'adds no verb of ours, which would never become the question `extension`: %s',
    (verb) => {
      expect(() => customVerbs([{ ...colour, verbs: ['X-PAINT', verb] }])).toThrow(
        new RangeError(
          `The service extension X-COLOUR adds the verb ${verb}, which the session answers itself; give it another name`,
        ),
      );
    },
  );

  it('adds no verb twice, for only one of its extensions would be asked whether it is offered', () => {
    const message =
      'The verb X-PAINT is listed twice, by the service extensions X-COLOUR and X-HUE; leave one out';
    expect(() => customVerbs([colour, { keyword: 'X-HUE', verbs: ['X-PAINT'] }])).toThrow(
      new RangeError(message),
    );
  });

  it.each<Partial<ServiceExtension>>([
    { keyword: 'x-colour' },
    { keyword: 'X COLOUR' },
    { keyword: '' },
    { verbs: ['paint'] },
    { mailParameters: [{ keyword: 'x', parse: () => ({}), format: () => undefined }] },
  ])('holds none whose words are against RFC 5321 §4.1.2: %j', (wrong) => {
    expect(() => customVerbs([{ ...colour, ...wrong }])).toThrow(RangeError);
  });
});

describe('parameters', () => {
  it('are typed', () => {
    expect(sendMail({}, standardExtensions)).toEqual({ parameters: {} });
    expect(readMail('BODY=8BITMIME SIZE=1000 RET=FULL', standardExtensions)).toEqual({
      parameters: { body: '8BITMIME', size: 1000, ret: 'FULL' },
    });
    expect(sendRcpt({}, standardExtensions)).toEqual({ parameters: {} });
  });

  it.each(['FOO', 'FOO=bar', 'PIPELINING', 'REQUIRETLS', 'BY=1;R', 'NOTIFY=NEVER'])(
    'are 555 5.5.4 where no offered extension defines them: %s (RFC 5321 §4.1.1.11)',
    (parameter) => {
      const [keyword] = parameter.split('=');
      const expected = refusal(555, '5.5.4', `${keyword} is not a parameter of MAIL that was offered`);
      expect(readMail(parameter, standardExtensions)).toEqual(expected);
      expect(readMail(`SIZE=1 ${parameter}`, standardExtensions)).toEqual(expected);
      expect(readMail(`${parameter} SIZE=x`, standardExtensions)).toEqual(expected);
    },
  );

  it.each(['SIZE=1', 'RET=FULL', 'RRVS=2024-01-01T00:00:00Z'])('of RCPT are its own: %s', (parameter) => {
    const [keyword] = parameter.split('=');
    expect(readRcpt(parameter, standardExtensions)).toEqual(
      refusal(555, '5.5.4', `${keyword} is not a parameter of RCPT that was offered`),
    );
  });

  it('are refused by a text that stays within one line of a reply (RFC 5321 §4.5.3.1.5)', () => {
    for (const verb of ['MAIL', 'RCPT'] as const) {
      const reply = formatReply(unknownParameter('X'.repeat(500), verb));
      expect(reply.length).toBeLessThan(512);
      expect(reply.filter((octet) => octet === 10)).toHaveLength(1);
    }
  });
});

describe('parameters that a client sends', () => {
  it('are those of which the server offered the extension (RFC 5321 §2.2.1)', () => {
    const parameters: MailParameters = { size: 5, body: '8BITMIME', ret: 'HDRS' };
    expect(writeMail(parameters, standardExtensions)).toBe('SIZE=5 BODY=8BITMIME RET=HDRS');
    expect(writeMailParameters(parameters, standardExtensions, new Map([['8BITMIME', '']]))).toEqual([
      { keyword: 'BODY', value: '8BITMIME' },
    ]);
    expect(writeMailParameters(parameters, standardExtensions, new Map([['PIPELINING', '']]))).toEqual([]);
  });

  it.each<[string, MailParameters]>([
    ['REQUIRETLS', { requireTls: true }],
    ['FUTURERELEASE', { hold: { seconds: 1 } }],
    ['DELIVERBY', { deliverBy: { seconds: 1, mode: 'return', trace: false } }],
    ['SMTPUTF8', { smtpUtf8: true }],
    ['BINARYMIME', { body: 'BINARYMIME' }],
  ])(
    'are not left out where they are essential, though the client does not list %s',
    (keyword, parameters) => {
      const offered = new Map([[keyword, '']]);
      expect(() => writeMailParameters(parameters, [size], offered)).toThrow(
        new ExtensionNotOfferedError(keyword),
      );
    },
  );

  it('of RCPT are not left out either', () => {
    const parameters: RcptParameters = { rrvs: { since: '2024-01-01T00:00:00Z' } };
    expect(() => writeRcptParameters(parameters, [size], new Map())).toThrow(
      new ExtensionNotOfferedError('RRVS'),
    );
  });
});

describe("an embedder's extension", () => {
  const list = [...standardExtensions, colour];

  it('is offered as ours are', () => {
    expect(offeredKeywords(list, standing).at(-1)).toBe('X-COLOUR RED BLUE');
    expect(isOffered(list, 'X-COLOUR', { ...standing, secured: false })).toBe(false);
    expect(additionalMailOctets(list)).toBe(additionalMailOctets(standardExtensions) + 14);
    expect(additionalRcptOctets(list)).toBe(additionalRcptOctets(standardExtensions) + 9);
    expect([...customVerbs(list)]).toEqual(['X-PAINT']);
    expect([...customVerbs(standardExtensions)]).toEqual([]);
  });

  it('has its parameters read, and what they say gathered', () => {
    expect(readMail('X-COLOUR=RED SIZE=1 X-SHADE=dark', list)).toEqual({
      parameters: { size: 1, custom: { 'X-COLOUR': 'RED', 'X-SHADE': 'dark' } },
    });
    expect(readRcpt('NOTIFY=NEVER X-BRIGHT', list)).toEqual({
      parameters: { notify: 'NEVER', custom: { 'X-BRIGHT': true } },
    });
    expect(readMail('X-COLOUR=GREEN', list)).toEqual(refusal(501, '5.5.4', 'X-COLOUR takes RED or BLUE'));
    expect(readMail('X-COLOUR=RED', list, { ...standing, secured: false })).toEqual({
      refusal: unknownParameter('X-COLOUR', 'MAIL'),
    });
  });

  it.each([
    ['an error', new SyntaxError('Cannot convert twelve to a BigInt')],
    ['no error', 'twelve'],
  ])('has a value refused whose rule throws %s, which is not quoted: 501 (RFC 5321 §4.2.2)', (_, thrown) => {
    const parse = () => {
      throw thrown;
    };
    const rule = { keyword: 'X-COUNT', parse, format: () => undefined };
    const counting = [{ keyword: 'X-COUNT', mailParameters: [rule], rcptParameters: [rule] }];
    const refused = refusal(501, '5.5.4', 'X-COUNT does not take this value');
    expect(readMail('X-COUNT=twelve', counting)).toEqual(refused);
    expect(readRcpt('X-COUNT=twelve', counting)).toEqual(refused);
    expect(readMail('X-COUNT', counting)).toEqual(refused);
  });

  it('has its parameters written, those that are essential or none', () => {
    const custom = { 'X-COLOUR': 'RED', 'X-SHADE': 'dark' };
    expect(sendMail({ custom }, list)).toEqual({ parameters: { custom } });
    expect(sendRcpt({ custom: { 'X-BRIGHT': true } }, list)).toEqual({
      parameters: { custom: { 'X-BRIGHT': true } },
    });
    expect(() => writeMailParameters({ custom }, list, new Map())).toThrow(
      new ExtensionNotOfferedError('X-COLOUR'),
    );
    expect(writeMailParameters({ custom: { 'X-COLOUR': 'BLUE' } }, list, new Map())).toEqual([]);
  });
});

/** For each parameter, values that it takes. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  SIZE: ['0', '1000'],
  BODY: ['7BIT', '8BITMIME', 'BINARYMIME'],
  AUTH: ['<>', 'e+3Dmc2@example.com', '+22a+20b+22@[192.0.2.1]'],
  RET: ['FULL', 'HDRS'],
  ENVID: ['QQ314159', 'a+20b'],
  BY: ['120;R', '-5;NT'],
  HOLDFOR: ['1', '86400'],
  HOLDUNTIL: ['2030-01-01T00:00:00Z', '2030-01-01T00:00:00.25+01:00'],
  'MT-PRIORITY': ['-9', '0', '9'],
  SOLICIT: ['net.example:ADV,org.example:ADV:ADLT'],
  NOTIFY: ['NEVER', 'SUCCESS,FAILURE,DELAY'],
  ORCPT: ['rfc822;Dana+2B1@Ivory.example.net'],
  RRVS: ['2014-04-03T23:01:00Z;R', '2014-04-03T23:01:00+01:00'],
};

/** Whatever stands for a value, nothing is thrown; and what a server takes, it can pass on as it was. */
function holdsForAnyValue<Parameters extends object>({ keyword, parse, format }: ParameterRule<Parameters>) {
  const values = mutated(fc.constantFrom(...(EXAMPLES[keyword] ?? ['1'])));
  fc.assert(
    fc.property(fc.option(values, { nil: undefined }), (value) => {
      const read = parse(value, standing);
      if ('code' in read) {
        expect(formatReply(read).filter((octet) => octet === 10)).toHaveLength(1);
        return;
      }
      const written = format(read, '');
      if (written === undefined) expect(read).toHaveProperty('body');
      else expect(parse(written === true ? undefined : written, standing)).toEqual(read);
    }),
    { numRuns: 300 },
  );
}

describe('every parameter of ours', () => {
  const mail = knownExtensions.flatMap(({ mailParameters = [] }) => mailParameters);
  const rcpt = knownExtensions.flatMap(({ rcptParameters = [] }) => rcptParameters);

  it.each(mail.map((rule) => [rule.keyword, rule] as const))(
    'copes with any value: %s of MAIL',
    (_, rule) => {
      holdsForAnyValue(rule);
    },
  );

  it.each(rcpt.map((rule) => [rule.keyword, rule] as const))(
    'copes with any value: %s of RCPT',
    (_, rule) => {
      holdsForAnyValue(rule);
    },
  );

  it('has examples here', () => {
    const withValue = [...mail, ...rcpt].filter(
      ({ keyword }) => !['SMTPUTF8', 'REQUIRETLS'].includes(keyword),
    );
    for (const { keyword } of withValue) {
      for (const value of EXAMPLES[keyword] ?? ['']) {
        const read = [...mail, ...rcpt]
          .filter((rule) => rule.keyword === keyword)
          .map((rule) => rule.parse(value, standing));
        expect(read.some((one) => !('code' in one))).toBe(true);
      }
    }
  });
});
