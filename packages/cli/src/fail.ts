/** The end of a command that cannot go on: one line for a person, and the exit code for scripts. */
import type { Command } from 'commander';

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** @param cause its message is put behind `problem` */
export function fail(command: Command, exitCode: number, problem: string, cause?: unknown): never {
  const message = cause === undefined ? problem : `${problem}: ${wordsOf(cause)}`;
  return command.error(`error: ${message}`, { exitCode });
}
