/**
 * The command `sansmtp`: its subcommands put together, and how it ends.
 *
 * A mistake in the arguments is one line on stderr and exit code 64, whatever commander would make of it.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.js';
import { oneLine, type Terminal } from './terminal.js';

type Define = (program: Command, terminal: Terminal) => void;

/** In the order in which help shows them. Each is loaded when it is called: none has to wait for the others. */
const commands: Readonly<Record<string, () => Promise<Define>>> = {
  serve: async () => (await import('./serving/serve.js')).defineServe,
  relay: async () => (await import('./relaying/define-relay.js')).defineRelay,
  send: async () => (await import('./sending/send.js')).defineSend,
  queue: async () => (await import('./queue-care/queue.js')).defineQueue,
  probe: async () => (await import('./probing/probe.js')).defineProbe,
  chart: async () => (await import('./chart.js')).defineChart,
  replay: async () => (await import('./tracing/replay.js')).defineReplay,
  play: async () => (await import('./inspect/play.js')).definePlay,
};

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

/** The commands that these words are about: the one that is called, none where the version is asked for, else all. */
function concerned([first = '']: readonly string[]): readonly (() => Promise<Define>)[] {
  if (first === '--version' || first === '-V') return [];
  const called = Object.hasOwn(commands, first) ? commands[first] : undefined;
  return called === undefined ? Object.values(commands) : [called];
}

async function createProgram(words: readonly string[], terminal: Terminal): Promise<Command> {
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
  for (const define of await Promise.all(concerned(words).map((load) => load()))) define(program, terminal);
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
  const program = await createProgram(words, terminal);
  try {
    refuseUnknownCommand(program, words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // What commander finds wrong exits 1 with it, what we do has its own code, and help and version have 0.
    terminal.exitCode = error.exitCode === 1 ? exitCodes.usage : error.exitCode;
  }
}
