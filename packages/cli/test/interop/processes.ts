/**
 * Programs that a test runs. None outlives its test, and none is waited for longer than the test takes.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The root of the checkout. */
export const checkout = fileURLToPath(new URL('../../../../', import.meta.url));

/** The command as `npx sansmtp` finds it. */
const sansmtpScript = join(checkout, 'packages/cli/bin/sansmtp.js');

/** Debian keeps Postfix's programs where only root looks. */
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** What it has written so far. */
  stdout: string;
  stderr: string;
  /** Resolves when it has ended, with the exit code, or the signal that killed it. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

/** Starts a program; it is killed when the test is over, if it still runs. */
export function start(program: string, words: readonly string[], cwd = checkout): Running {
  const child = spawn(program, words, { cwd, env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const exit = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? 0));
  });
  const running: Running = { child, stdout: '', stderr: '', exit };
  child.stdout.on('data', (bytes) => {
    running.stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    running.stderr += bytes;
  });
  // A program that does not read to the end is no fault of the test.
  child.stdin.on('error', () => {});
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return running;
}

export interface Finished {
  readonly exit: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  words: readonly string[],
  input: Uint8Array | string = '',
): Promise<Finished> {
  const running = start(program, words);
  running.child.stdin.end(input);
  const exit = await running.exit;
  return { exit, stdout: running.stdout, stderr: running.stderr };
}

/** The words that run `sansmtp`, for `start` and `run`. */
export function sansmtp(...words: string[]): [program: string, words: string[]] {
  return [process.execPath, [sansmtpScript, ...words]];
}

/** Resolves once the condition holds; looks again and again until the test's time is over. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A folder for one test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-interop-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
