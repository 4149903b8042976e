/** The pictures and tables of docs/charts, and the layouts that the package ships: all that is made from the charts. */
import { phases, renderOverview, renderPhase, renderSvg, renderTable } from '@sansmtp/charts';
import { layOut } from '@sansmtp/charts/layout';
import { describeChart } from '@sansmtp/core';

/** Paths below the workspace, and what should stand there. */
export async function pictures(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const end of ['server', 'client'] as const) {
    const chart = describeChart(end);
    const layout = await layOut(chart);
    files.set(`packages/charts/src/layouts/${end}.ts`, moduleOf(`${end}Layout`, end, JSON.stringify(layout)));
    files.set(`docs/charts/${end}-overview.svg`, renderOverview(chart));
    for (const phase of phases) files.set(`docs/charts/${end}-${phase}.svg`, renderPhase(chart, phase));
    files.set(`docs/charts/${end}-full.svg`, renderSvg(chart, layout));
    files.set(`docs/charts/${end}.md`, renderTable(chart));
  }
  return files;
}

function moduleOf(name: string, end: string, json: string): string {
  return `/** Made by \`npm run charts\`: where the marks of the ${end}'s whole chart stand. */
import type { Layout } from '../whole/layout.js';

export const ${name}: Layout = JSON.parse(
  '${json}',
);
`;
}
