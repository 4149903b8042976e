import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { dateTimes, readRcpt, refusal, sendRcpt, writeRcpt } from '../parameters.test-support.js';
import { writeRcptParameters } from '../table.js';
import { rrvs } from './rrvs.js';

const list = [rrvs];
const since = '2014-04-03T23:01:00Z';

describe('RRVS (RFC 7293)', () => {
  it.each([
    [`RRVS=${since}`, { since }],
    [`RRVS=${since};R`, { since, otherwise: 'reject' }],
    [`RRVS=${since};c`, { since, otherwise: 'continue' }],
    ['RRVS=2014-04-03T23:01:00+01:00', { since: '2014-04-03T23:01:00+01:00' }],
  ])('reads %s (RFC 7293 §3.1)', (parameter, expected) => {
    expect(readRcpt(parameter, list)).toEqual({ parameters: { rrvs: expected } });
  });

  it.each([
    'RRVS',
    'RRVS=2014-04-03',
    'RRVS=2014-04-31T00:00:00Z',
    'RRVS=2014-04-03T23:01:00.5Z',
    `RRVS=${since};`,
    `RRVS=${since};X`,
    `RRVS=${since};C;R`,
    'RRVS=;C',
  ])('is 501 otherwise: %s', (parameter) => {
    expect(readRcpt(parameter, list)).toEqual(
      refusal(
        501,
        '5.5.4',
        'RRVS takes a date-time of RFC 3339 without fractions of a second, and possibly ";C" or ";R"',
      ),
    );
  });

  it('lengthens a RCPT command line by 33 octets (RFC 7293 §3.1)', () => {
    expect(rrvs.additionalRcptOctets).toBe(' RRVS=2014-04-03T23:01:00+01:00;R'.length);
  });

  it.each(['2014', '2014-04-03T23:01:00.5Z', `${since};C`])('cannot be written: %s', (text) => {
    expect(() => writeRcpt({ rrvs: { since: text } }, list)).toThrow(`"${text}" is no date-time`);
  });

  it('is essential, unless the sender said to go on without it (RFC 7293 §5.1.1)', () => {
    const write = (otherwise?: 'continue' | 'reject') =>
      writeRcptParameters({ rrvs: otherwise ? { since, otherwise } : { since } }, list, new Map());
    expect(() => write()).toThrow(new ExtensionNotOfferedError('RRVS'));
    expect(() => write('reject')).toThrow(new ExtensionNotOfferedError('RRVS'));
    expect(write('continue')).toEqual([]);
  });

  it('is read as it was meant', () => {
    const meant = fc.record(
      { since: dateTimes, otherwise: fc.constantFrom('continue' as const, 'reject' as const) },
      { requiredKeys: ['since'] },
    );
    fc.assert(
      fc.property(meant, (one) => {
        expect(sendRcpt({ rrvs: one }, list)).toEqual({ parameters: { rrvs: one } });
      }),
    );
  });
});
