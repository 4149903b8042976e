import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { deliverBy } from './deliver-by.js';

const list = [deliverBy()];
const atLeast60 = [deliverBy({ minimumSeconds: 60 })];
const by = (seconds: number, mode: 'return' | 'notify', trace = false) => ({
  parameters: { deliverBy: { seconds, mode, trace } },
});

describe('DELIVERBY (RFC 2852)', () => {
  it('is offered with the least time, if there is one (RFC 2852 §2)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['DELIVERBY']);
    expect(offeredKeywords(atLeast60, standing)).toEqual(['DELIVERBY 60']);
  });

  it.each([0, -1, 1.5, 1_000_000_000, Number.NaN])(
    'cannot be made with the least time %d',
    (minimumSeconds) => {
      expect(() => deliverBy({ minimumSeconds })).toThrow(`The option minimumSeconds is ${minimumSeconds}`);
    },
  );

  it.each([
    ['BY=120;R', by(120, 'return')],
    ['BY=+120;rt', by(120, 'return', true)],
    ['BY=0;N', by(0, 'notify')],
    ['BY=-0;N', by(0, 'notify')],
    ['BY=-5;NT', by(-5, 'notify', true)],
    ['BY=999999999;N', by(999_999_999, 'notify')],
    ['BY=-999999999;N', by(-999_999_999, 'notify')],
  ])('reads %s (RFC 2852 §4)', (parameter, expected) => {
    expect(readMail(parameter, list)).toEqual(expected);
  });

  it.each([
    'BY',
    'BY=120',
    'BY=120;',
    'BY=120;X',
    'BY=120;RN',
    'BY=;R',
    'BY=1000000000;N',
    'BY=1.5;N',
    'BY=--1;N',
  ])('is 501 when it is malformed: %s (RFC 2852 §4)', (parameter) => {
    expect(readMail(parameter, list)).toEqual(
      refusal(501, '5.5.4', 'BY takes seconds of 1 to 9 digits, ";", N or R, and possibly T'),
    );
  });

  it.each(['BY=0;R', 'BY=-1;R'])('is 501 to be returned at once: %s (RFC 2852 §4)', (parameter) => {
    const expected = refusal(501, '5.5.4', 'BY with R takes more than 0 seconds');
    expect(readMail(parameter, list)).toEqual(expected);
    expect(readMail(parameter, atLeast60)).toEqual(expected);
  });

  it('is 555 below the least time, which is one for R only (RFC 2852 §3)', () => {
    expect(readMail('BY=59;R', atLeast60)).toEqual(
      refusal(555, '5.5.4', 'BY with R takes 60 seconds at least'),
    );
    expect(readMail('BY=60;R', atLeast60)).toEqual(by(60, 'return'));
    expect(readMail('BY=59;N', atLeast60)).toEqual(by(59, 'notify'));
  });

  it('lengthens a MAIL command line by 17 octets (RFC 2852 §2)', () => {
    expect(deliverBy().additionalMailOctets).toBe(' BY=-999999999;NT'.length);
  });

  it.each([
    [0, 'return'],
    [1.5, 'return'],
    [1_000_000_000, 'return'],
    [-1_000_000_000, 'notify'],
    [Number.NaN, 'notify'],
  ] as const)('cannot be written: %d seconds, %s', (seconds, mode) => {
    expect(() => writeMail({ deliverBy: { seconds, mode, trace: false } }, list)).toThrow(
      `${seconds} is no time to deliver by`,
    );
  });

  it.each(['60', '60,x-more'])(
    'is not asked to be returned below the least time of the server, "%s" (RFC 2852 §4.1)',
    (offered) => {
      const write = (seconds: number, mode: 'return' | 'notify') => {
        const parameters = { deliverBy: { seconds, mode, trace: false } };
        return writeMailParameters(parameters, list, new Map([['DELIVERBY', offered]]));
      };
      expect(() => write(59, 'return')).toThrow(
        new RangeError(
          'The server returns a message after 60 seconds at least, not after 59 (RFC 2852 §4.1)',
        ),
      );
      expect(write(60, 'return')).toEqual([{ keyword: 'BY', value: '60;R' }]);
      expect(write(59, 'notify')).toEqual([{ keyword: 'BY', value: '59;N' }]);
    },
  );

  it.each(['', ',x-more', 'soon'])('has no least time where the server says none: "%s"', (offered) => {
    const parameters = { deliverBy: { seconds: 1, mode: 'return', trace: false } } as const;
    expect(writeMailParameters(parameters, list, new Map([['DELIVERBY', offered]]))).toEqual([
      { keyword: 'BY', value: '1;R' },
    ]);
  });

  it('is essential when the message is to be returned, and left out when the sender is to be notified', () => {
    const write = (mode: 'return' | 'notify') =>
      writeMailParameters({ deliverBy: { seconds: 5, mode, trace: false } }, list, new Map());
    expect(() => write('return')).toThrow(new ExtensionNotOfferedError('DELIVERBY'));
    expect(write('notify')).toEqual([]);
  });

  it('is read as it was meant', () => {
    const meant = fc.oneof(
      fc.record({
        seconds: fc.integer({ min: 1, max: 999_999_999 }),
        mode: fc.constant('return' as const),
        trace: fc.boolean(),
      }),
      fc.record({
        seconds: fc.integer({ min: -999_999_999, max: 999_999_999 }),
        mode: fc.constant('notify' as const),
        trace: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(meant, (one) => {
        expect(sendMail({ deliverBy: one }, list)).toEqual({ parameters: { deliverBy: one } });
      }),
    );
  });
});
