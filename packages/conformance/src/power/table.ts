/** The tables of what finds the planted faults, as they stand in docs/testing.md. */
import { type ServerFault, serverFaults } from '../planted/server/faults.js';
import type { GenerationPower } from './measuring.js';

export interface FaultPower {
  readonly fault: ServerFault;
  readonly cases: readonly string[];
  /** One for each seed. */
  readonly generation: readonly GenerationPower[];
}

export const BEGIN = '<!-- power of the server side: npm run power --workspace @sansmtp/conformance -->';
export const END = '<!-- end of the power of the server side -->';

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Runs of a seed that found nothing count as more than any. */
const medianRuns = ({ generation }: FaultPower): number =>
  median(generation.map(({ runs }) => runs ?? Number.POSITIVE_INFINITY));

/** In a hundred. */
function share(all: readonly FaultPower[], isFound: (power: FaultPower) => boolean): string {
  return `${((100 * all.filter(isFound).length) / all.length).toFixed(1)} %`;
}

export const byCases = ({ cases }: FaultPower): boolean => cases.length > 0;

/** In the median over the seeds. */
export const byGeneration = (power: FaultPower): boolean => medianRuns(power) < Number.POSITIVE_INFINITY;

export function powerTables(all: readonly FaultPower[], runs: number, seeds: number): string {
  const rows = all.map((power) => {
    const { fault, cases, generation } = power;
    const { does, clause } = serverFaults[fault];
    const more = cases.length > 3 ? ' and others' : '';
    const found = cases.length === 0 ? 'none' : `${cases.slice(0, 3).join(', ')}${more}`;
    const dialogues = medianRuns(power);
    const seconds = (median(generation.map(({ milliseconds }) => milliseconds)) / 1000).toFixed(1);
    const needed = byGeneration(power) ? `${dialogues} | ${seconds}` : `over ${runs} | `;
    return `| ${does} | ${clause} | ${found} | ${needed} |`;
  });
  return [
    BEGIN,
    `| ${all.length} faults of a server | found |`,
    '|---|---|',
    `| by the fixed cases | ${share(all, byCases)} |`,
    `| by generated dialogues, within ${runs}, in the median of ${seeds} seeds | ${share(all, byGeneration)} |`,
    `| by either | ${share(all, (each) => byCases(each) || byGeneration(each))} |`,
    '',
    '| a server that | breaks | found by | dialogues | seconds |',
    '|---|---|---|---|---|',
    ...rows,
    END,
  ].join('\n');
}
