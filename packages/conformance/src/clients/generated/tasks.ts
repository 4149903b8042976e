/** What a client is asked to send: mostly what any server takes. */
import { message } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import { messageWith } from '../client-case.js';
import type { Task } from '../contract.js';

const RECIPIENTS = ['bob@example.com', 'Eve.Smith@example.com', 'joe@example.com'];

/** Lines at which clients slip: dots, blanks, ends, lengths, octets beyond ASCII. */
const TELLING = [
  '.\r\n',
  '..\r\n...\r\n',
  '.a\r\n.b\r\n',
  ' .a\r\n',
  'x  \r\n',
  'Grüße\r\n',
  `${'y'.repeat(1200)}\r\n`,
  'no end',
  '.no end',
  'a\0b\r\n',
  '\r\n\r\n',
];

/** What may not be sent at all (RFC 5321 §2.3.8). */
const BARE = ['a\rb\r\n', 'a\nb\r\n', 'a\r.\rb\r\n', 'a\n.\nb\r\n'];

/** Wherever a client cuts what it sends, there is a dot. */
const CUT_ANYWHERE = `x${'.'.repeat(70)}\r\n`.repeat(200);

/** With a header that says what it is. */
const content: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.subarray(TELLING, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('')),
    },
    { weight: 1, arbitrary: fc.constantFrom(...BARE) },
    { weight: 1, arbitrary: fc.constant(CUT_ANYWHERE) },
    { weight: 3, arbitrary: message() },
  )
  .map((body) => Uint8Array.from(Buffer.concat([messageWith(''), Buffer.from(body)])));

export const task: fc.Arbitrary<Pick<Task, 'from' | 'to' | 'message'>> = fc.record({
  from: fc.constantFrom('ann@example.org', 'ann@example.org', 'Ann@Example.org', ''),
  to: fc
    .tuple(fc.subarray(RECIPIENTS, { minLength: 1 }), fc.nat(7))
    .map(([to, chance]) => (chance === 7 ? [...to, 'jürgen@example.com'] : to)),
  message: fc.oneof(
    { weight: 2, arbitrary: fc.constant(messageWith('Nothing to do.\r\n')) },
    { weight: 3, arbitrary: content },
  ),
});
