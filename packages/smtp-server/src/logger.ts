/** Where entries of the log go: a logger such as bunyan or pino has it, the console, or nowhere. */
import { format } from 'node:util';
import type { SMTPServerLogger, SMTPServerOptions } from './types.js';

export type Level = 'debug' | 'info' | 'error';

export type Log = (level: Level, entry: object, message: string, ...values: unknown[]) => void;

/** Names of the fields, and no passwords: what is handed in here is shown. */
export function logOf({ logger, component = 'smtp-server' }: SMTPServerOptions): Log {
  if (!logger) return () => {};
  if (logger === true) {
    return (level, _entry, message, ...values) => {
      const write = level === 'error' ? console.error : console.log;
      write(
        '[%s] %s %s: %s',
        new Date().toISOString(),
        level.toUpperCase(),
        component,
        format(message, ...values),
      );
    };
  }
  return (level, entry, message, ...values) => write(logger, level, { component, ...entry }, message, values);
}

function write(
  logger: SMTPServerLogger,
  level: Level,
  entry: object,
  message: string,
  values: unknown[],
): void {
  logger[level]?.(entry, message, ...values);
}
