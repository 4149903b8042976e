/**
 * The compliance suite: what every transport has to keep of the contract in `streams/byte-stream.ts`, as cases for any
 * test runner. The test file of a transport is a few lines:
 *
 * ```ts
 * for (const { name, run } of complianceCases) it(name, () => run(transport));
 * ```
 *
 * A transport that can start TLS runs `startTlsCases` over pairs that can, and all of `complianceCases` again over
 * pairs under TLS: those protected from the start, if it has them, and `upgraded(transport)`. One whose streams lend runs
 * them all once more for `borrowing(transport)`.
 */
import { backpressureCases } from './backpressure.js';
import { closingCases } from './closing.js';
import { deliveryCases } from './delivery.js';
import { listeningCases } from './listening.js';
import type { ComplianceCase } from './pair.js';
import { securingCases } from './securing.js';

export { borrowing, type ComplianceCase, ComplianceError, type TransportUnderTest } from './pair.js';
export { upgraded } from './securing.js';

export const complianceCases: readonly ComplianceCase[] = [
  ...deliveryCases,
  ...backpressureCases,
  ...closingCases,
  ...listeningCases,
];

export const startTlsCases: readonly ComplianceCase[] = securingCases;
