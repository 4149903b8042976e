/**
 * The log of a command, on stderr: lines for people, or NDJSON. It never gets secrets or what a message says.
 *
 * Lines are written at once and in order, so that none is missing when the process ends.
 *
 * What a peer has said cannot steer a terminal or make up a line, in either form. It goes into the fields of a record:
 * the message is words of ours.
 */
import type { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type { Logger };

/**
 * Control characters, ends of lines, and what turns the direction of text around. Within strings JSON itself escapes only the
 * first 32 of these. The line feeds that are left end lines of ours.
 */
function escaped(text: string): string {
  return text.replace(
    /[^\P{Cc}\n]|[\u2028\u2029]|\p{Bidi_Control}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function createLog(stderr: Writable, json: boolean): Logger {
  const options = { base: null };
  if (json) return pino(options, { write: (record: string) => stderr.write(escaped(record)) });
  const prettify = prettyFactory({ colorize: false, singleLine: true, translateTime: 'SYS:HH:MM:ss' });
  return pino(options, { write: (record: string) => stderr.write(escaped(prettify(record) ?? record)) });
}
