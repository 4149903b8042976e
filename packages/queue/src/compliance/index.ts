/**
 * The compliance suite: what every store has to keep of the contract in `queue-store.ts`, as cases for any test runner. The
 * test file of a store is a few lines:
 *
 * ```ts
 * for (const { name, run } of storeComplianceCases) it(name, () => run(createStoreUnderTest));
 * ```
 */
import { administeringCases } from './administering.js';
import type { StoreComplianceCase } from './bench.js';
import { claimingCases } from './claiming.js';
import { crashingCases } from './crashing.js';
import { settlingCases } from './settling.js';
import { storingCases } from './storing.js';

export { type StoreComplianceCase, StoreComplianceError, type StoreUnderTest } from './bench.js';
export { Ledger, tellStory } from './ledger.js';

export const storeComplianceCases: readonly StoreComplianceCase[] = [
  ...storingCases,
  ...claimingCases,
  ...settlingCases,
  ...administeringCases,
  ...crashingCases,
];
