import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated, standing } from '../parameters.test-support.js';
import { offeredKeywords } from '../table.js';
import { limits, parseLimits } from './limits.js';

const unlimited = { ...standing, maximumRecipients: Number.POSITIVE_INFINITY };

describe('LIMITS (RFC 9422)', () => {
  it('are offered as far as they are given', () => {
    expect(offeredKeywords([limits({ mailMaximum: 5, recipientMaximum: 20 })], standing)).toEqual([
      'LIMITS MAILMAX=5 RCPTMAX=20',
    ]);
    expect(offeredKeywords([limits({ recipientDomainMaximum: 1 })], unlimited)).toEqual([
      'LIMITS RCPTDOMAINMAX=1',
    ]);
  });

  it("hold the session's own limit of recipients where none is given", () => {
    expect(offeredKeywords([limits()], standing)).toEqual(['LIMITS RCPTMAX=100']);
    const many = { ...standing, maximumRecipients: 1_000_000 };
    expect(offeredKeywords([limits({ mailMaximum: 999_999 })], many)).toEqual(['LIMITS MAILMAX=999999']);
  });

  it('are not offered where there are none', () => {
    expect(offeredKeywords([limits()], unlimited)).toEqual([]);
  });

  it.each([0, 1_000_000, 1.5, Number.POSITIVE_INFINITY])('cannot be %d (RFC 9422 §4)', (mailMaximum) => {
    expect(() => limits({ mailMaximum })).toThrow(`The option mailMaximum is ${mailMaximum}`);
  });
});

describe('the limits that a client reads', () => {
  it.each([
    ['', {}],
    ['MAILMAX=5', { mailMaximum: 5 }],
    ['RCPTMAX=999999 mailmax=1', { mailMaximum: 1, recipientMaximum: 999_999 }],
    // Unknown ones, and values that are none, are passed over (RFC 9422 §3.7).
    ['RCPTDOMAINMAX=7 X_Y-Z=a,b FLAG', { recipientDomainMaximum: 7 }],
    ['MAILMAX=0 RCPTMAX=1000000', {}],
    ['MAILMAX=05 RCPTMAX=x RCPTDOMAINMAX', {}],
    // A text that is none as a whole says nothing (RFC 9422 §3.7).
    ['MAILMAX=5;RCPTMAX=5', {}],
    ['MAILMAX=5  RCPTMAX=5', {}],
    ['MAILMAX= RCPTMAX=5', {}],
    ['MAIL.MAX=1 RCPTMAX=5', {}],
  ])('in %j are %j', (value, expected) => {
    expect(parseLimits(value)).toEqual(expected);
  });

  const given = fc.record(
    {
      mailMaximum: fc.integer({ min: 1, max: 999_999 }),
      recipientMaximum: fc.integer({ min: 1, max: 999_999 }),
      recipientDomainMaximum: fc.integer({ min: 1, max: 999_999 }),
    },
    { requiredKeys: ['mailMaximum'] },
  );
  const offer = (options: Parameters<typeof limits>[0]) => limits(options).offer?.(unlimited) ?? '';

  it('are those that a server gives', () => {
    fc.assert(
      fc.property(given, (options) => {
        expect(parseLimits(offer(options))).toEqual(options);
      }),
    );
  });

  it('are within what they may be, whatever comes', () => {
    fc.assert(
      fc.property(mutated(given.map(offer)), (value) => {
        for (const limit of Object.values(parseLimits(value))) {
          expect(limit >= 1 && limit <= 999_999).toBe(true);
        }
      }),
    );
  });
});
