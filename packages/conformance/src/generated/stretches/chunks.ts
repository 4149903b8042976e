/** Messages in chunks (RFC 3030). */
import { encodeText } from '@sansmtp/core';
import { message } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import { type GeneratedStep, mailDataOf } from '../steps.js';
import { each, helloOf, lines, type Stretch, type Surroundings } from './surroundings.js';

const isReset = (step: GeneratedStep | undefined): boolean =>
  step?.kind === 'lines' && step.lines[0] === 'RSET';

/** RFC 3030. */
export function chunks(around: Surroundings): fc.Arbitrary<Stretch> {
  const octets = fc.oneof(
    fc
      .constantFrom('', 'a\r\n', '.a\r\n..\r\n', '\r\n.\r\n', 'QUIT\r\n', 'XYZZY\r\nRSET\r\n')
      .map(encodeText),
    message({ eightBit: around.offers.has('8BITMIME') }),
  );
  const chunk = fc
    .record({ octets, last: fc.constantFrom(false, false, false, true) })
    .map((one): GeneratedStep => ({ kind: 'chunk', ...one }));
  const first: GeneratedStep = { kind: 'chunk', octets: around.preface, last: false };
  const between = fc.constantFrom<GeneratedStep>(
    lines('RSET'),
    lines('NOOP'),
    { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) },
    lines('MAIL FROM:<>'),
    lines(`RCPT TO:${around.recipient}`),
    lines('QUIT'),
    lines(helloOf(around)),
    { kind: 'chunk', octets: new Uint8Array(), last: true, size: 'x' },
  );
  const body = around.offers.has('BINARYMIME')
    ? fc.constantFrom('', ' BODY=8BITMIME', ' BODY=BINARYMIME')
    : fc.constant('');
  return fc
    .record({
      body,
      recipient: fc.nat(4),
      before: fc.array(chunk, { maxLength: 2 }),
      middle: fc.option(between, { nil: undefined, freq: 3 }),
      after: fc.array(chunk, { maxLength: 2 }),
      again: fc.boolean(),
      /** Before the first chunk: refused if the body is binary (RFC 3030 §3). */
      data: fc.constantFrom(false, false, true),
    })
    .map(({ body, recipient, before, middle, after, again, data }) => [
      ...each('RSET', `MAIL FROM:<>${body}`, ...(recipient === 0 ? [] : [`RCPT TO:${around.recipient}`])),
      ...(data ? [{ kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) } as const] : []),
      first,
      ...before,
      ...(middle === undefined ? [] : [middle]),
      ...(again || isReset(middle) ? each('MAIL FROM:<>', `RCPT TO:${around.recipient}`) : []),
      ...after,
      { kind: 'chunk', octets: encodeText('end\r\n'), last: true },
      lines('NOOP'),
    ]);
}
