/**
 * `sansmtp chart`: draws the statechart that the sessions of one end run on.
 */
import { writeFile } from 'node:fs/promises';
import {
  inParts,
  type Level,
  renderDot,
  renderJson,
  renderMermaid,
  renderOutline,
  renderOverview,
  renderPhases,
  renderSvg,
  renderTable,
  renderXState,
} from '@sansmtp/charts';
import { type ChartDescription, describeChart } from '@sansmtp/core';
import { Argument, type Command, Option } from 'commander';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { path } from './option-values.js';
import type { Terminal } from './terminal.js';

type End = Parameters<typeof describeChart>[0];

const ENDS: readonly End[] = ['server', 'client'];
const LEVELS: readonly Level[] = ['overview', 'phases', 'full'];

const FORMATS = {
  svg: (chart: ChartDescription, level: Level) => {
    if (level === 'overview') return renderOverview(chart);
    return level === 'phases' ? renderPhases(chart) : renderSvg(chart);
  },
  mermaid: (chart: ChartDescription, level: Level) =>
    renderMermaid(level === 'phases' ? inParts(chart) : chart, {
      detail: level === 'overview' ? 'outline' : 'full',
    }),
  dot: (chart: ChartDescription, level: Level) =>
    renderDot(level === 'phases' ? inParts(chart) : chart, {
      detail: level === 'overview' ? 'outline' : 'full',
    }),
  json: (chart: ChartDescription) => renderJson(chart),
  outline: (chart: ChartDescription, level: Level) => renderOutline(chart, { level }),
  table: (chart: ChartDescription, level: Level) => renderTable(chart, { level }),
  xstate: (chart: ChartDescription) => renderXState(chart),
} as const satisfies Record<string, (chart: ChartDescription, level: Level) => string>;

interface ChartOptions {
  readonly format: keyof typeof FORMATS;
  readonly level: Level;
  readonly output?: string;
}

export function defineChart(program: Command, terminal: Terminal): void {
  const command = program.command('chart');
  command
    .description('draw the statechart of a session')
    .addArgument(new Argument('<end>', 'whose session').choices(ENDS))
    .addOption(new Option('--format <format>', 'how').choices(Object.keys(FORMATS)).default('mermaid'))
    .addOption(
      new Option('--level <level>', 'how much of it; json and xstate always hold all of it')
        .choices(LEVELS)
        .default('full'),
    )
    .option('-o, --output <file>', 'write to a file (default: standard output)', path)
    .addHelpText('after', '\nExit codes: 64 usage, 73 cannot write the file, 74 nor to standard output.')
    .action(async (end: End, { format, level, output }: ChartOptions) => {
      const drawing = FORMATS[format](describeChart(end), level);
      if (output === undefined) {
        terminal.stdout.write(drawing);
        return;
      }
      try {
        await writeFile(output, drawing);
      } catch (error) {
        fail(command, exitCodes.cannotCreate, `cannot write ${output}`, error);
      }
    });
}
