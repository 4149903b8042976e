import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownExtensions } from '../lists.js';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { dateTimes, readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { futureRelease } from './future-release.js';

const bounds = { maximumSeconds: 86_400, maximumDate: '2030-01-01T00:00:00Z' };
const list = [futureRelease(bounds)];
const unbounded = [futureRelease({ maximumSeconds: 999_999_999, maximumDate: '9999-12-31T23:59:59Z' })];

describe('FUTURERELEASE (RFC 4865)', () => {
  it('is offered with its bounds (RFC 4865 §3)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['FUTURERELEASE 86400 2030-01-01T00:00:00Z']);
  });

  it.each([
    { ...bounds, maximumSeconds: 0 },
    { ...bounds, maximumSeconds: 1_000_000_000 },
    { ...bounds, maximumSeconds: 1.5 },
    { ...bounds, maximumDate: '2030-01-01' },
    { ...bounds, maximumDate: '2030-01-01T00:00:00+01:00' },
  ])('cannot be made with %j', (options) => {
    expect(() => futureRelease(options)).toThrow(RangeError);
  });

  it('lengthens a MAIL command line by 34 octets (RFC 4865 §3)', () => {
    expect(list[0]?.additionalMailOctets).toBe(34);
  });

  it('takes one of its parameters only (RFC 4865 §4.2)', () => {
    expect(readMail('HOLDFOR=1 HOLDUNTIL=2029-01-01T00:00:00Z', list)).toEqual(
      refusal(501, '5.5.4', 'HOLDFOR and HOLDUNTIL exclude each other'),
    );
    expect(readMail('HOLDUNTIL=2029-01-01T00:00:00Z HOLDFOR=1', list)).toEqual(
      refusal(501, '5.5.4', 'HOLDUNTIL and HOLDFOR exclude each other'),
    );
  });

  it('is essential: elsewhere the message would be delivered at once', () => {
    for (const hold of [{ seconds: 1 }, { until: '2029-01-01T00:00:00Z' }]) {
      expect(() => writeMailParameters({ hold }, list, new Map())).toThrow(
        new ExtensionNotOfferedError('FUTURERELEASE'),
      );
    }
  });

  it('is read as it was meant', () => {
    const hold = fc.oneof(
      fc.record({ seconds: fc.integer({ min: 1, max: 999_999_999 }) }),
      fc.record({ until: dateTimes }),
    );
    fc.assert(
      fc.property(hold, (meant) => {
        expect(sendMail({ hold: meant }, unbounded)).toEqual({ parameters: { hold: meant } });
      }),
    );
  });
});

describe('HOLDFOR', () => {
  it('takes 1 second up to the bound', () => {
    expect(readMail('HOLDFOR=1', list)).toEqual({ parameters: { hold: { seconds: 1 } } });
    expect(readMail('HOLDFOR=86400', list)).toEqual({ parameters: { hold: { seconds: 86_400 } } });
    expect(readMail('HOLDFOR=999999999', unbounded)).toEqual({
      parameters: { hold: { seconds: 999_999_999 } },
    });
  });

  it.each(['HOLDFOR', 'HOLDFOR=0', 'HOLDFOR=86401', 'HOLDFOR=01', 'HOLDFOR=-1', 'HOLDFOR=1e2'])(
    'is 501 5.5.4 otherwise: %s (RFC 4865 §4.2)',
    (parameter) => {
      expect(readMail(parameter, list)).toEqual(refusal(501, '5.5.4', 'HOLDFOR takes 1 to 86400 seconds'));
    },
  );

  it.each([0, -1, 1.5, 1_000_000_000])('cannot be written: %d seconds', (seconds) => {
    expect(() => writeMail({ hold: { seconds } }, unbounded)).toThrow(RangeError);
  });
});

describe('HOLDUNTIL', () => {
  it('takes date-times up to the bound, whatever their offset', () => {
    for (const until of ['2030-01-01T00:00:00Z', '2030-01-01T01:00:00+01:00', '1999-12-31T23:59:60Z']) {
      expect(readMail(`HOLDUNTIL=${until}`, list)).toEqual({ parameters: { hold: { until } } });
    }
  });

  it.each([
    'HOLDUNTIL',
    'HOLDUNTIL=2029',
    'HOLDUNTIL=2029-02-29T00:00:00Z',
    'HOLDUNTIL=2030-01-01T00:00:01Z',
    'HOLDUNTIL=2030-01-01T00:00:00.001Z',
    'HOLDUNTIL=2030-01-01T00:00:00-00:01',
  ])('is 501 5.5.4 otherwise: %s (RFC 4865 §4.2)', (parameter) => {
    expect(readMail(parameter, list)).toEqual(
      refusal(501, '5.5.4', 'HOLDUNTIL takes a date-time of RFC 3339, 2030-01-01T00:00:00Z at the latest'),
    );
  });

  it('cannot be written when it is no date-time', () => {
    expect(() => writeMail({ hold: { until: 'tomorrow' } }, unbounded)).toThrow('"tomorrow" is no date-time');
  });
});

describe('a client', () => {
  const offered = new Map([['FUTURERELEASE', '86400 2030-01-01T00:00:00Z']]);
  const write = (hold: { seconds: number } | { until: string }, keywords = offered) =>
    writeMailParameters({ hold }, knownExtensions, keywords);

  it('asks for no more than the server offers (RFC 4865 §4.1)', () => {
    expect(write({ seconds: 86_400 })).toEqual([{ keyword: 'HOLDFOR', value: '86400' }]);
    expect(() => write({ seconds: 86_401 })).toThrow('The server holds a message for 86400 seconds at most');
    const until = '2030-01-01T00:00:00Z';
    expect(write({ until })).toEqual([{ keyword: 'HOLDUNTIL', value: until }]);
    expect(() => write({ until: '2030-01-01T00:00:01Z' })).toThrow(
      `The server holds a message until ${until}`,
    );
  });

  it.each(['', 'forever and-ever'])('leaves bounds that it cannot read to the server: %j', (text) => {
    const keywords = new Map([['FUTURERELEASE', text]]);
    expect(write({ seconds: 999_999_999 }, keywords)).toHaveLength(1);
    expect(write({ until: '9999-01-01T00:00:00Z' }, keywords)).toHaveLength(1);
  });
});
