/**
 * `sansmtp chart`: draws the statechart that the sessions of one end run on.
 */
import { writeFile } from 'node:fs/promises';
import { renderMermaid } from '@sansmtp/charts';
import { type ChartDescription, describeChart } from '@sansmtp/core';
import { Argument, type Command, Option } from 'commander';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { path } from './option-values.js';
import type { Terminal } from './terminal.js';

type End = Parameters<typeof describeChart>[0];

const ENDS: readonly End[] = ['server', 'client'];

const FORMATS = {
  mermaid: (chart: ChartDescription) => renderMermaid(chart),
};

interface ChartOptions {
  readonly format: keyof typeof FORMATS;
  readonly output?: string;
}

export function defineChart(program: Command, terminal: Terminal): void {
  const command = program.command('chart');
  command
    .description('draw the statechart of a session')
    .addArgument(new Argument('<end>', 'whose session').choices(ENDS))
    .addOption(new Option('--format <format>', 'how').choices(Object.keys(FORMATS)).default('mermaid'))
    .option('-o, --output <file>', 'write to a file (default: standard output)', path)
    .addHelpText('after', '\nExit codes: 64 usage, 73 cannot write the file, 74 nor to standard output.')
    .action(async (end: End, { format, output }: ChartOptions) => {
      const drawing = FORMATS[format](describeChart(end));
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
