import { describe, expect, it } from 'vitest';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords } from '../table.js';
import { size } from './size.js';

const unlimited = { ...standing, maximumMessageSize: Number.POSITIVE_INFINITY };

describe('SIZE (RFC 1870)', () => {
  it('is offered with the limit, 0 where there is none (RFC 1870 §4)', () => {
    expect(offeredKeywords([size], standing)).toEqual(['SIZE 1000']);
    expect(offeredKeywords([size], unlimited)).toEqual(['SIZE 0']);
  });

  it.each(['SIZE', 'SIZE=x', 'SIZE=1.5', 'SIZE=-1', 'SIZE=+1', 'SIZE=1e3', `SIZE=${'1'.repeat(21)}`])(
    'is 501 when it is no number of 1 to 20 digits: %s (RFC 1870 §3)',
    (parameter) => {
      expect(readMail(parameter, [size])).toEqual(
        refusal(501, '5.5.4', 'SIZE takes a number of 1 to 20 digits'),
      );
    },
  );

  it('is 552 5.3.4 over the limit (RFC 1870 §6.1)', () => {
    expect(readMail('SIZE=0', [size])).toEqual({ parameters: { size: 0 } });
    expect(readMail('SIZE=1000', [size])).toEqual({ parameters: { size: 1000 } });
    const tooLarge = refusal(552, '5.3.4', 'The message exceeds the size limit of 1000 octets');
    expect(readMail('SIZE=1001', [size])).toEqual(tooLarge);
    expect(readMail(`SIZE=${'9'.repeat(20)}`, [size])).toEqual(tooLarge);
  });

  it('may be anything where no limit is in force', () => {
    expect(readMail(`SIZE=${'9'.repeat(20)}`, [size], unlimited)).toEqual({ parameters: { size: 1e20 } });
  });

  it('lengthens a MAIL command line by 26 octets (RFC 1870 §3)', () => {
    expect(size.additionalMailOctets).toBe(' SIZE=12345678901234567890'.length);
  });
});

describe('the size that a client declares', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('may be %i', (octets) => {
    expect(writeMail({ size: octets }, [size])).toBe(`SIZE=${octets}`);
  });

  it('is read as it was meant', () => {
    expect(sendMail({ size: 1000 }, [size])).toEqual({ parameters: { size: 1000 } });
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 2 ** 53])(
    'may not be %d, which is no number of octets (RFC 1870 §3)',
    (octets) => {
      expect(() => writeMail({ size: octets }, [size])).toThrow(
        new RangeError(`The size ${octets} is no number of octets: an integer of 0 or more`),
      );
    },
  );
});
