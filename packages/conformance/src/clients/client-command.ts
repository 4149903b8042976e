/** A client that is a command: run anew for each message, without a shell, for a bounded time and with bounded output. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPlaceholders, filledIn, wordsOf } from './command-words.js';
import type { ClientVerdict, Setup, SmtpClient, Task } from './contract.js';

export interface ClientCommands {
  /** The command for each setup: words with `{host}`, `{port}`, `{from}`, `{to}`, `{file}` and so on. */
  readonly commands: Partial<Readonly<Record<Setup, string>>>;
  /** Milliseconds that the command waits for a reply, if that is known. @default 300_000 */
  readonly replyTimeout?: number;
}

/** Octets of output that are looked at; what follows is read and dropped. */
const OUTPUT_OCTETS = 65_536;
/** Milliseconds between the request to end and the order. */
const PATIENCE = 1000;
/** Milliseconds in which what a command printed is still read after its end: a process of its own may hold its output open. */
const READING_TIME = 200;

/** Process groups of the commands that run. */
const running = new Set<number>();

/** The command with all that it has started. */
function endGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left of it.
  }
}

/** Commands have groups of their own, which a terminal's interruption does not reach. */
function endWithThisProcess(signal: NodeJS.Signals): void {
  for (const group of running) endGroup(group, 'SIGKILL');
  process.removeListener(signal, endWithThisProcess);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function began(group: number): void {
  if (running.size === 0)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, endWithThisProcess);
  running.add(group);
}

function ended(group: number): void {
  running.delete(group);
  if (running.size === 0)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, endWithThisProcess);
}

/** What exit codes say (sysexits.h): 0 delivered, 75 not now. Others say only that it failed. */
function verdictOf(code: number | null): ClientVerdict {
  if (code === 0) return 'delivered';
  return code === 75 ? 'deferred' : 'failed';
}

/** The command did not exit by 0. */
export class CommandFailed extends Error {
  readonly verdict: ClientVerdict;
  readonly output: string;
  constructor(code: number | null, output: string) {
    super(`the command exited with ${code ?? 'a signal'}`);
    this.verdict = verdictOf(code);
    this.output = output;
  }
}

/**
 * A client whose commands are run.
 * @throws {RangeError} a command is empty, has a placeholder that is not known, or no `{port}`
 */
export function clientOfCommands({ commands, replyTimeout }: ClientCommands): SmtpClient {
  const given = Object.entries(commands) as [Setup, string][];
  const words = new Map(given.map(([setup, line]) => [setup, wordsOf(line)]));
  for (const each of words.values()) checkPlaceholders(each);
  return {
    setups: [...words.keys()],
    ...(replyTimeout !== undefined && { replyTimeout }),
    run: async (task) => void (await runCommand(words.get(task.setup) ?? [], task)),
  };
}

/**
 * Runs a command for one message, which is in its `{file}` and on its standard input. Resolves with what it printed.
 * @throws {CommandFailed} (rejects) it did not exit by 0
 * @throws {Error} (rejects) there is no such command
 */
export async function runCommand(words: readonly string[], task: Task): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-probe-'));
  try {
    const file = join(folder, 'message.eml');
    const ca = join(folder, 'ca.pem');
    await writeFile(file, task.message, { mode: 0o600 });
    await writeFile(ca, task.ca, { mode: 0o600 });
    const passwordfile = join(folder, 'password');
    await writeFile(passwordfile, task.password, { mode: 0o600 });
    const { host, from, to, user, password } = task;
    const values = { host, port: String(task.port), from, to, file, ca, user, password, passwordfile };
    return await runProcess(filledIn(words, values), task);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Standard input is the message, for commands that have no `{file}`. */
function runProcess(
  [command = '', ...parameters]: readonly string[],
  { message, signal }: Task,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      detached: true,
    });
    const { pid: group } = child;
    if (group !== undefined) began(group);
    const output: Buffer[] = [];
    let length = 0;
    const keep = (octets: Buffer) => {
      if (length < OUTPUT_OCTETS) output.push(octets.subarray(0, OUTPUT_OCTETS - length));
      length += octets.length;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.stdin.on('error', () => {}); // it need not read it
    child.stdin.end(message);
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      if (group === undefined) return;
      endGroup(group, 'SIGTERM');
      timer = setTimeout(() => endGroup(group, 'SIGKILL'), PATIENCE);
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    child.on('error', (error) => reject(Object.assign(error, { output: error.message })));
    child.on('exit', () => {
      clearTimeout(timer);
      if (group !== undefined) endGroup(group, 'SIGKILL');
      timer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, READING_TIME);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (group !== undefined) ended(group);
      signal.removeEventListener('abort', end);
      const text = Buffer.concat(output).toString('utf8');
      if (code === 0) resolve(text);
      else reject(new CommandFailed(code, text));
    });
  });
}
