/**
 * Stretches of a dialogue that lead to where servers err: groups of commands, limits, ends of lines that are none, what is
 * left after a reset. Each is a few steps that fit anywhere; what does not fit is refused, which is judged as well.
 */
import * as fc from 'fast-check';
import { chunks } from './chunks.js';
import { longLine, nearEnvelope, oddLine, outOfOrder, parameters } from './commands.js';
import { login, proofs, tls } from './security.js';
import { lines, type Stretch, type Surroundings } from './surroundings.js';
import { atTheSize, crowd, leaving, leftAfter, oddMessage, transaction } from './transactions.js';

export { helloOf, type Surroundings } from './surroundings.js';

export function stretches(around: Surroundings): fc.Arbitrary<Stretch> {
  const { offers } = around;
  const all: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Stretch> }[] = [
    { weight: 8, arbitrary: transaction(around) },
    { weight: 4, arbitrary: leftAfter(around) },
    { weight: 3, arbitrary: oddMessage(around) },
    { weight: 3, arbitrary: oddLine() },
    { weight: 2, arbitrary: longLine() },
    { weight: 2, arbitrary: outOfOrder(around) },
    { weight: 4, arbitrary: parameters(around) },
    { weight: 3, arbitrary: nearEnvelope(around) },
    { weight: 1, arbitrary: crowd(around) },
    { weight: 1, arbitrary: fc.constant(Array.from({ length: 24 }, () => lines('XYZZY'))) },
    { weight: 1, arbitrary: leaving(around) },
  ];
  if (offers.has('SIZE')) all.push({ weight: 2, arbitrary: atTheSize(around) });
  if (offers.has('CHUNKING')) all.push({ weight: 8, arbitrary: chunks(around) });
  if (offers.has('STARTTLS')) all.push({ weight: 3, arbitrary: tls(around) });
  if (offers.has('AUTH')) all.push({ weight: 3, arbitrary: login(around) });
  if (/\b(?:CRAM-MD5|SCRAM-SHA-256)\b/i.test(offers.get('AUTH') ?? '')) {
    all.push({ weight: 2, arbitrary: proofs(around) });
  }
  return fc.oneof(...all);
}
