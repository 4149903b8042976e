/** What the generator knows of the server, and the pieces that stretches are made of. */
import { concatenate, encodeText } from '@sansmtp/core';
import { message } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import type { GeneratedStep } from '../steps.js';

/** What the generator knows of the server. */
export interface Surroundings {
  readonly protocol: 'smtp' | 'lmtp';
  readonly offers: ReadonlyMap<string, string>;
  /** Paths of MAIL, with their angle brackets. */
  readonly senders: fc.Arbitrary<string>;
  /** Paths of RCPT for which the server takes mail; where anything may be tried, others too. */
  readonly recipients: fc.Arbitrary<string>;
  /** A recipient that is surely taken. */
  readonly recipient: string;
  /** Recipients of the second kind: refused, or without room for the message. */
  readonly others: fc.Arbitrary<string>;
  /** What a message begins with, so that who finds it knows what it is. */
  readonly preface: Uint8Array;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

export type Stretch = readonly GeneratedStep[];

export const lines = (...all: readonly string[]): GeneratedStep => ({ kind: 'lines', lines: all });

export const each = (...all: readonly string[]): Stretch => all.map((line) => lines(line));

export const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** EHLO, or LHLO. */
export const helloOf = ({ protocol }: Surroundings): string =>
  protocol === 'lmtp' ? 'LHLO c.example' : 'EHLO c.example';

export const contentOf = (around: Surroundings, wellFormed = true): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom('', '', '', '.a\r\n', '..\r\n'),
      message({ wellFormed, eightBit: around.offers.has('8BITMIME') }),
    )
    .map(([first, body]) => concatenate([around.preface, encodeText(first), body]));

export const mailLine = ({ senders, offers }: Surroundings): fc.Arbitrary<string> => {
  const body = offers.has('8BITMIME') ? ' BODY=8BITMIME' : '';
  return fc
    .tuple(senders, fc.constantFrom(body, body, ''))
    .map(([path, parameters]) => `MAIL FROM:${path}${parameters}`);
};

export const rcptLine = ({ recipients, others }: Surroundings): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 5, arbitrary: recipients }, { weight: 2, arbitrary: others })
    .map((path) => `RCPT TO:${path}`);
