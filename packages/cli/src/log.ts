/**
 * The log of a command, on stderr: lines for people, or NDJSON. It never gets secrets or what a message says.
 *
 * Lines are written at once and in order, so that none is missing when the process ends.
 */
import type { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type { Logger };

export function createLog(stderr: Writable, json: boolean): Logger {
  const options = { base: null };
  if (json) return pino(options, stderr);
  const prettify = prettyFactory({ colorize: false, singleLine: true, translateTime: 'SYS:HH:MM:ss' });
  return pino(options, { write: (record: string) => stderr.write(prettify(record) ?? record) });
}
