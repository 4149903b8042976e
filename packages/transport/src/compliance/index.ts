/**
 * The compliance suite: what every transport has to keep of the contract in `byte-stream.ts`, as cases for any
 * test runner. The test file of a transport is a few lines:
 *
 * ```ts
 * for (const { name, run } of complianceCases) it(name, () => run(transport));
 * ```
 */
import { backpressureCases } from './backpressure.js';
import { closingCases } from './closing.js';
import { deliveryCases } from './delivery.js';
import { listeningCases } from './listening.js';
import type { ComplianceCase } from './pair.js';

export { type ComplianceCase, ComplianceError, type TransportUnderTest } from './pair.js';

export const complianceCases: readonly ComplianceCase[] = [
  ...deliveryCases,
  ...backpressureCases,
  ...closingCases,
  ...listeningCases,
];
