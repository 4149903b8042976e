import type { ClientEnvelope } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { transactionOf } from './fitting-envelope.js';

const recipients = ['a', 'b', 'c'].map((localPart) => ({ localPart, domain: 'example.com' }));
const envelope: ClientEnvelope = { reversePath: null, recipients };

describe('the envelope of one mail transaction', () => {
  it.each([
    ['some', [0, 2]],
    ['all of them in another order', [0, 2, 1]],
    ['all of them', [0, 1, 2]],
  ])('has the recipients of its batch, in the order of the batch: %s', (_, batch) => {
    const sent = transactionOf(envelope, batch, undefined).recipients;
    expect(sent.map(({ localPart }) => localPart)).toEqual(batch.map((place) => 'abc'[place]));
  });
});
