/**
 * The command `sansmtp`: its subcommands put together, and how it ends.
 *
 * A mistake in the arguments is one line on stderr and exit code 64, whatever commander would make of it.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { defineChart } from './chart.js';
import { exitCodes } from './exit-codes.js';
import { definePlay } from './inspect/play.js';
import { defineProbe } from './probing/probe.js';
import { defineQueue } from './queue-care/queue.js';
import { defineRelay } from './relaying/define-relay.js';
import { defineSend } from './send.js';
import { defineServe } from './serve.js';
import { oneLine, type Terminal } from './terminal.js';
import { defineReplay } from './tracing/replay.js';

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('sansmtp')
    .description('Receive and deliver mail.')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => write(`${oneLine(text.trimEnd())}\n`),
    });
  defineServe(program, terminal);
  defineRelay(program, terminal);
  defineSend(program, terminal);
  defineQueue(program, terminal);
  defineProbe(program, terminal);
  defineChart(program, terminal);
  defineReplay(program, terminal);
  definePlay(program, terminal);
  return program;
}

/** Commander would show the help of the whole to `unknown --help` and `help unknown`, as if there were such a command. */
function refuseUnknownCommand(program: Command, [first, second]: readonly string[]): void {
  const name = first === 'help' ? second : first;
  if (name === undefined || name.startsWith('-')) return;
  const known = program.createHelp().visibleCommands(program);
  if (known.every((command) => command.name() !== name)) program.error(`error: unknown command '${name}'`);
}

/** Runs the command, and sets the exit code; the process ends when nothing is open any more. */
export async function run(words: readonly string[], terminal: Terminal): Promise<void> {
  const program = createProgram(terminal);
  try {
    refuseUnknownCommand(program, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // What commander finds wrong exits 1 with it, what we do has its own code, and help and version have 0.
    terminal.exitCode = error.exitCode === 1 ? exitCodes.usage : error.exitCode;
  }
}
