/** The tables of what finds the faults of the small client, as they stand in docs/testing.md. */
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import type { GenerationPower } from '../measuring.js';
import { median } from '../table.js';

export interface ClientFaultPower {
  readonly fault: FaultId;
  readonly case: string | undefined;
  /** One for each seed. */
  readonly generation: readonly GenerationPower[];
}

export const BEGIN =
  '<!-- power of the client side: npm run power:clients --workspace @sansmtp/conformance -->';
export const END = '<!-- end of the power of the client side -->';

const medianRuns = ({ generation }: ClientFaultPower): number =>
  median(generation.map(({ runs }) => runs ?? Number.POSITIVE_INFINITY));

export const byCases = ({ case: id }: ClientFaultPower): boolean => id !== undefined;

/** In the median over the seeds. */
export const byGeneration = (power: ClientFaultPower): boolean =>
  medianRuns(power) < Number.POSITIVE_INFINITY;

export function clientPowerTables(all: readonly ClientFaultPower[], runs: number, seeds: number): string {
  const share = (isFound: (power: ClientFaultPower) => boolean) =>
    `${((100 * all.filter(isFound).length) / all.length).toFixed(1)} %`;
  const rows = CLIENT_FAULTS.flatMap(({ id, description, clause }) => {
    const power = all.find(({ fault }) => fault === id);
    if (power === undefined) return [];
    const seconds = (median(power.generation.map(({ milliseconds }) => milliseconds)) / 1000).toFixed(1);
    const needed = byGeneration(power) ? `${medianRuns(power)} | ${seconds}` : `over ${runs} | `;
    return [`| ${description} | ${clause} | ${power.case ?? 'none'} | ${needed} |`];
  });
  return [
    BEGIN,
    `| ${all.length} faults of a client | found |`,
    '|---|---|',
    `| by the fixed cases | ${share(byCases)} |`,
    `| by generated servers, within ${runs}, ${seeds === 1 ? 'of one seed' : `in the median of ${seeds} seeds`} | ${share(byGeneration)} |`,
    `| by either | ${share((each) => byCases(each) || byGeneration(each))} |`,
    '',
    '| what a client does wrong | breaks | found by | servers | seconds |',
    '|---|---|---|---|---|',
    ...rows,
    END,
  ].join('\n');
}
