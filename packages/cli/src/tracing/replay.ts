/**
 * `sansmtp replay`: the sessions of a trace as ladders, each when its connection was closed, and at last those that were
 * not. With `--follow`, each as it goes on.
 */
import {
  Ladder,
  type ReadRecord,
  type Rung,
  sessionsOf,
  TraceReader,
  testFileOf,
} from '@sansmtp/charts/trace';
import { type Command, Option } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { path } from '../option-values.js';
import { oneLine, type Terminal } from '../terminal.js';
import { piecesOf } from './following.js';
import { LadderText } from './ladder-text.js';

const NOTES = `
A trace is what serve --trace and send --trace write. Each refusal has its reason:
"503 because no recipient was accepted: session.transaction.opened takes RCPT, RSET, …".
In the margin: ┃ under TLS, ┊ within an AUTH exchange, ┌ │ └ commands that were pipelined.
Colours are for terminals, and not where NO_COLOR is set.
With --follow and --connection it ends when that connection is closed.
--as-test writes a test of one session to standard output, for vitest and @sansmtp/core: it says the same
again, and expects the same. Others stand for the messages and the secrets, which the trace does not have.
Exit codes: 64 usage, a file that cannot be read, or no such session in it.`;

interface ReplayOptions {
  readonly connection?: string;
  readonly follow?: true;
  readonly asTest?: true;
}

/** Rungs that wait for the end of their sessions. When there are more, sessions are written as far as they have come. */
const MAXIMUM_PENDING = 20_000;

/** One session, and how far it was written. */
interface Told {
  readonly ladder: Ladder;
  readonly text: LadderText;
  /** Not written yet. */
  rungs: Rung[];
}

/** Puts the records of a trace into the terminal's ladders. */
class Replay {
  readonly #terminal: Terminal;
  readonly #color: boolean;
  readonly #wanted: string | undefined;
  readonly #open = new Map<string, Told>();
  /** Whose rungs were written last. */
  #last: Told | undefined;
  #pending = 0;
  #found = false;

  constructor(terminal: Terminal, { connection }: ReplayOptions) {
    this.#terminal = terminal;
    this.#color = isColored(terminal);
    this.#wanted = connection;
  }

  /** A session that was asked for was in the trace. */
  get found(): boolean {
    return this.#found;
  }

  /** The session that was asked for is over. */
  isOver = false;

  /** @param atOnce do not wait for the end of a session to write it */
  take(records: readonly ReadRecord[], atOnce: boolean): void {
    for (const { end, record } of records) {
      if (this.#wanted !== undefined && record.group_id !== this.#wanted) continue;
      this.#found = true;
      const key = `${end} ${record.group_id}`;
      const told = this.#open.get(key) ?? this.#begin(key, new Ladder(record.group_id, end));
      const rungs = told.ladder.take(record);
      told.ladder.forget();
      told.rungs.push(...rungs);
      this.#pending += rungs.length;
      if (this.#pending > MAXIMUM_PENDING) this.writeRest();
      if (told.ladder.closed === undefined) continue;
      this.#write(told);
      this.#open.delete(key);
      this.isOver ||= this.#wanted !== undefined;
    }
    if (atOnce) this.writeRest();
  }

  writeRest(): void {
    for (const told of this.#open.values()) this.#write(told);
  }

  #begin(key: string, ladder: Ladder): Told {
    const told = { ladder, text: new LadderText(ladder, this.#color), rungs: [] };
    this.#open.set(key, told);
    return told;
  }

  #write(told: Told): void {
    if (told.rungs.length === 0) return;
    const gap = this.#last === undefined ? '' : '\n';
    const heading = told === this.#last ? '' : gap + told.text.heading();
    this.#last = told;
    this.#terminal.stdout.write(heading + told.text.text(told.rungs));
    this.#pending -= told.rungs.length;
    told.rungs = [];
  }
}

function isColored({ stdout }: Terminal): boolean {
  const { NO_COLOR: noColor = '' } = process.env;
  return noColor === '' && 'isTTY' in stdout && stdout.isTTY === true;
}

async function replay(
  command: Command,
  file: string,
  options: ReplayOptions,
  terminal: Terminal,
): Promise<void> {
  const { connection, follow = false } = options;
  if (options.asTest) return await writeTest(command, file, connection, terminal);
  const reader = new TraceReader();
  const output = new Replay(terminal, options);
  try {
    for await (const piece of piecesOf(file, follow)) {
      output.take(reader.push(piece), follow);
      if (follow && output.isOver) break;
    }
  } catch (error) {
    fail(command, exitCodes.usage, `${oneLine(file)} cannot be read`, error);
  }
  output.take(reader.end(), false);
  output.writeRest();
  tellSkipped(reader, terminal);
  if (output.found) return;
  failWithout(command, file, connection);
}

async function writeTest(
  command: Command,
  file: string,
  connection: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const reader = new TraceReader();
  const records: ReadRecord[] = [];
  const take = (read: readonly ReadRecord[]) => {
    const wanted = read.filter(({ record }) => connection === undefined || record.group_id === connection);
    records.push(...wanted);
  };
  try {
    for await (const piece of piecesOf(file, false)) take(reader.push(piece));
  } catch (error) {
    fail(command, exitCodes.usage, `${oneLine(file)} cannot be read`, error);
  }
  take(reader.end());
  const [session, second] = sessionsOf(records);
  if (session === undefined) return failWithout(command, file, connection);
  if (second !== undefined) {
    fail(command, exitCodes.usage, `${oneLine(file)} has several sessions: say which by --connection`);
  }
  terminal.stdout.write(testFileOf(session));
}

function failWithout(command: Command, file: string, connection: string | undefined): never {
  const what = connection === undefined ? 'no record of a session' : `no session ${oneLine(connection)}`;
  return fail(command, exitCodes.usage, `${oneLine(file)} has ${what}`);
}

function tellSkipped({ skipped }: TraceReader, { stderr }: Terminal): void {
  const [first] = skipped;
  if (first === undefined) return;
  const more = skipped.length === 1 ? '' : `, and ${skipped.length - 1} more`;
  stderr.write(`left out: line ${first.number}: ${oneLine(first.reason)}${more}\n`);
}

export function defineReplay(program: Command, terminal: Terminal): void {
  const command = program.command('replay');
  command
    .description('show the sessions of a trace')
    .argument('<trace>', 'a file that serve --trace or send --trace wrote', path)
    .option('--connection <id>', 'only this session')
    .option('--follow', 'go on as the trace grows')
    .addOption(new Option('--as-test', 'write a test that says the same again').conflicts('follow'))
    .addHelpText('after', NOTES)
    .action((file: string, options: ReplayOptions) => replay(command, file, options, terminal));
}
