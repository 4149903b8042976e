import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateTimes, mutated } from '../parameters.test-support.js';
import { instantOf } from './date-time.js';

describe('a date-time (RFC 3339 §5.6)', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:01.5Z', 1.5],
    ['1985-04-12T23:20:50.52Z', 482_196_050.52],
    ['1996-12-19T16:39:57-08:00', 851_042_397],
    ['2024-02-29t12:00:00z', 1_709_208_000],
    ['2000-02-29T00:00:00Z', 951_782_400],
    ['1969-12-31T23:59:59Z', -1],
    ['1937-01-01T12:00:27.87+00:20', -1_041_337_172.13],
    // RFC 3339 §5.8: leap seconds
    ['1990-12-31T23:59:60Z', 662_688_000],
    ['1990-12-31T15:59:60-08:00', 662_688_000],
  ])('%s means the instant %d', (text, instant) => {
    expect(instantOf(text)).toBeCloseTo(instant, 6);
  });

  it.each([
    '',
    '2024-01-01',
    '2024-01-01T00:00:00',
    '2024-01-01 00:00:00Z',
    '2024-1-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T23:59:61Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00:00+0100',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Z\n',
  ])('is none: %j', (text) => {
    expect(instantOf(text)).toBeUndefined();
  });

  it('means the instant that ECMAScript takes it for', () => {
    fc.assert(fc.property(dateTimes, (text) => instantOf(text) === Date.parse(text) / 1000));
  });

  it('is nothing that ECMAScript does not know, but for leap seconds', () => {
    fc.assert(
      fc.property(mutated(dateTimes), (text) => {
        const instant = instantOf(text);
        if (instant === undefined || text.slice(17, 19) === '60') return;
        expect(instant).toBeCloseTo(Date.parse(text.toUpperCase()) / 1000, 2);
      }),
    );
  });
});
