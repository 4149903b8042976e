/** The planted server: without a fault it conforms, or a fault that is found would say nothing. */
import { describe, expect, it } from 'vitest';
import { serverGroups } from '../../cases/index.js';
import { generate } from '../../generated/generation.js';
import { examine } from '../../running/examination.js';
import { serverFaultNames, serverFaults } from './faults.js';
import { CONFIGURATION, plantedFacts, plantedServer } from './planted-target.js';

describe('the planted server', () => {
  it.each(['smtp', 'lmtp'] as const)(
    'passes every case without a fault, in %s',
    async (protocol) => {
      const examination = await examine(plantedServer(undefined, protocol));
      const failed: unknown[] = [];
      for (const each of serverGroups.flatMap(({ cases }) => cases)) {
        const { id, outcome, dialogue } = await examination.judge(each);
        if (outcome.result === 'failed' && id !== CONFIGURATION) failed.push({ id, outcome, dialogue });
      }
      expect(failed).toEqual([]);
    },
    120_000,
  );

  it.each(['smtp', 'lmtp'] as const)(
    'says what the model has, in %s',
    async (protocol) => {
      const examination = await examine(plantedServer(undefined, protocol));
      const facts = plantedFacts(protocol);
      const { outcome, dialogue } = await generate(examination, { anything: true, runs: 40, facts });
      expect(outcome, dialogue.join('\n')).toEqual({ result: 'passed' });
    },
    60_000,
  );

  it('can have at least 100 faults, each of its own', () => {
    expect(serverFaultNames.length).toBeGreaterThanOrEqual(100);
    const texts = Object.values(serverFaults).map(({ does }) => does);
    expect(new Set(texts).size).toBe(texts.length);
    for (const { clause } of Object.values(serverFaults)) expect(clause).toMatch(/^RFC \d+ §/);
  });
});
