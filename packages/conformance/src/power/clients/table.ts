/** The table of what finds the faults of the small client, as it stands in docs/testing.md. */
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';

export const BEGIN =
  '<!-- power of the client side: npm run power:clients --workspace @sansmtp/conformance -->';
export const END = '<!-- end of the power of the client side -->';

/** @param found the case that finds each fault */
export function clientPowerTable(found: ReadonlyMap<FaultId, string>): string {
  const share = ((100 * found.size) / CLIENT_FAULTS.length).toFixed(1);
  const rows = CLIENT_FAULTS.map(
    ({ id, description, clause }) => `| ${description} | ${clause} | ${found.get(id) ?? 'none'} |`,
  );
  return [
    BEGIN,
    `| ${CLIENT_FAULTS.length} faults of a client | found |`,
    '|---|---|',
    `| by the fixed cases | ${share} % |`,
    '',
    '| what a client does wrong | breaks | found by |',
    '|---|---|---|',
    ...rows,
    END,
  ].join('\n');
}
