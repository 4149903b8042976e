import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parameter } from '../wire/command.js';
import { formatReply } from '../wire/reply.js';
import type { MailParameters } from './parameters.js';
import {
  ADDITIONAL_MAIL_OCTETS,
  offeredKeywords,
  readMailParameters,
  unknownParameter,
  writeMailParameters,
} from './table.js';

const options = { maximumMessageSize: 1000 };
const ALL_KEYWORDS = new Map([
  ['PIPELINING', ''],
  ['SIZE', '1000'],
  ['8BITMIME', ''],
  ['ENHANCEDSTATUSCODES', ''],
  ['HELP', ''],
]);

/** Reads the parameters as they stand on a command line. */
function read(text: string, maximumMessageSize = options.maximumMessageSize) {
  const parameters: Parameter[] = text.split(' ').map((word) => {
    const [keyword = '', value] = word.split('=');
    return value === undefined ? { keyword } : { keyword, value };
  });
  return readMailParameters(parameters, { maximumMessageSize });
}

const refusal = (code: number, enhancedCode: string, text: string) => ({
  refusal: { code, enhancedCode, lines: [text] },
});

describe('the offer', () => {
  it('lists the service extensions in the order of the table (RFC 5321 §4.1.1.1)', () => {
    expect(offeredKeywords(options)).toEqual([
      'PIPELINING',
      'SIZE 1000',
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
      'HELP',
    ]);
  });

  it('says 0 where no maximum size is in force (RFC 1870 §4)', () => {
    expect(offeredKeywords({ maximumMessageSize: Number.POSITIVE_INFINITY })).toContain('SIZE 0');
  });

  it('lengthens a MAIL command line by 26 octets for SIZE and 17 for BODY (RFC 1870 §3, RFC 6152 §2)', () => {
    expect(ADDITIONAL_MAIL_OCTETS).toBe(26 + 17);
    expect(' SIZE=12345678901234567890'.length).toBe(26);
    expect(' BODY=8BITMIME'.length).toBeLessThanOrEqual(17);
  });
});

describe('parameters of MAIL', () => {
  it('are typed', () => {
    expect(readMailParameters([], options)).toEqual({ parameters: {} });
    expect(read('SIZE=0')).toEqual({ parameters: { size: 0 } });
    expect(read('BODY=8BITMIME SIZE=1000')).toEqual({ parameters: { body: '8BITMIME', size: 1000 } });
  });

  it.each(['FOO', 'FOO=bar', 'PIPELINING', 'SMTPUTF8', 'RET=FULL', 'AUTH=<>'])(
    'are 555 5.5.4 where no offered extension defines them: %s (RFC 5321 §4.1.1.11)',
    (parameter) => {
      const [keyword] = parameter.split('=');
      const expected = refusal(555, '5.5.4', `${keyword} is not a parameter of MAIL that was offered`);
      expect(read(parameter)).toEqual(expected);
      expect(read(`SIZE=1 ${parameter}`)).toEqual(expected);
      expect(read(`${parameter} SIZE=x`)).toEqual(expected);
    },
  );

  it('are refused by a text that stays within one line of a reply (RFC 5321 §4.5.3.1.5)', () => {
    for (const verb of ['MAIL', 'RCPT'] as const) {
      const reply = formatReply(unknownParameter('X'.repeat(500), verb));
      expect(reply.length).toBeLessThan(512);
      expect(reply.filter((octet) => octet === 10)).toHaveLength(1);
    }
  });
});

describe('SIZE (RFC 1870)', () => {
  const malformed = refusal(501, '5.5.4', 'SIZE takes a number of 1 to 20 digits');

  it.each([
    'SIZE',
    'SIZE=',
    'SIZE=x',
    'SIZE=1.5',
    'SIZE=-1',
    'SIZE=+1',
    'SIZE=1e3',
    `SIZE=${'1'.repeat(21)}`,
  ])('is 501 when it is no number of 1 to 20 digits: %s (RFC 1870 §3)', (parameter) => {
    expect(read(parameter)).toEqual(malformed);
  });

  it('is 552 5.3.4 over the limit (RFC 1870 §6.1)', () => {
    expect(read('SIZE=1000')).toEqual({ parameters: { size: 1000 } });
    const tooLarge = refusal(552, '5.3.4', 'The message exceeds the size limit of 1000 octets');
    expect(read('SIZE=1001')).toEqual(tooLarge);
    expect(read(`SIZE=${'9'.repeat(20)}`)).toEqual(tooLarge);
  });

  it('may be anything where no limit is in force', () => {
    expect(read(`SIZE=${'9'.repeat(20)}`, Number.POSITIVE_INFINITY)).toEqual({ parameters: { size: 1e20 } });
  });
});

describe('the size that a client declares', () => {
  const sizeOf = (octets: number) => writeMailParameters({ size: octets }, ALL_KEYWORDS)[0]?.value;

  it.each([0, 1, Number.MAX_SAFE_INTEGER])('may be %i', (octets) => {
    expect(sizeOf(octets)).toBe(String(octets));
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 2 ** 53])(
    'may not be %d, which is no number of octets (RFC 1870 §3)',
    (octets) => {
      expect(() => sizeOf(octets)).toThrow(
        new RangeError(`The size ${octets} is no number of octets: an integer of 0 or more`),
      );
    },
  );
});

describe('BODY (RFC 6152)', () => {
  it.each(['7BIT', '8BITMIME'] as const)('takes %s, in upper or lower case', (body) => {
    expect(read(`BODY=${body}`)).toEqual({ parameters: { body } });
    expect(read(`BODY=${body.toLowerCase()}`)).toEqual({ parameters: { body } });
  });

  it('is 501 without a value, which its syntax demands (RFC 6152 §2, RFC 5321 §4.2.2)', () => {
    expect(read('BODY')).toEqual(refusal(501, '5.5.4', 'BODY takes 7BIT or 8BITMIME'));
  });

  // BINARYMIME is a value of RFC 3030's, which is not offered. Not 501, for the syntax of RFC 5321 §4.1.2 is kept,
  // and not 555, for the parameter itself was offered.
  it.each(['BODY=9BIT', 'BODY=BINARYMIME'])(
    'is 504 for a value that is not implemented: %s (RFC 5321 §4.2.2)',
    (parameter) => {
      expect(read(parameter)).toEqual(refusal(504, '5.5.4', 'BODY takes 7BIT or 8BITMIME'));
    },
  );
});

describe('parameters that a client sends', () => {
  it('are those of which the server offered the extension (RFC 5321 §2.2.1)', () => {
    const parameters: MailParameters = { size: 5, body: '8BITMIME' };
    expect(writeMailParameters(parameters, ALL_KEYWORDS)).toEqual([
      { keyword: 'SIZE', value: '5' },
      { keyword: 'BODY', value: '8BITMIME' },
    ]);
    expect(writeMailParameters(parameters, new Map([['8BITMIME', '']]))).toEqual([
      { keyword: 'BODY', value: '8BITMIME' },
    ]);
    expect(writeMailParameters(parameters, new Map([['PIPELINING', '']]))).toEqual([]);
  });

  it('are none where there is nothing to say', () => {
    expect(writeMailParameters({}, ALL_KEYWORDS)).toEqual([]);
  });

  it('are read by a server as they were meant', () => {
    const parameters = fc.record(
      {
        size: fc.nat({ max: 1000 }),
        body: fc.constantFrom('7BIT' as const, '8BITMIME' as const),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(parameters, (meant) => {
        expect(readMailParameters(writeMailParameters(meant, ALL_KEYWORDS), options)).toEqual({
          parameters: meant,
        });
      }),
    );
  });
});
