/** What pg throws, made fit for its reader; nobody reads a password in it. */
import { QueueFullError } from '@sansmtp/queue';

/**
 * The database does not answer: the connection failed, was lost or timed out. What was called has happened or has not, and
 * nothing in between; the next call connects anew.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/** A transaction was given that is none. */
export class NoTransactionError extends Error {
  override readonly name = 'NoTransactionError';
}

/** What the server itself says has a code of five characters (SQLSTATE). */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Connection lost (08), no more connections (53300), the server ends, starts, or ended this connection (57P). */
const UNAVAILABLE = /^(?:08|53300|57P|25P0[34])/;

const DISK_FULL = '53100';

/** @param hide secrets that must not be read, should they stand in a message */
export function readable(error: unknown, hide: readonly string[]): unknown {
  const state = sqlState(error);
  const message = redacted(error instanceof Error ? error.message || error.name : String(error), hide);
  if (state === DISK_FULL) return new QueueFullError(`The database has no room for mail: ${message}`);
  if (state === undefined || UNAVAILABLE.test(state)) {
    return new DatabaseUnavailableError(
      `The database of the queue does not answer (${message}); what was called may have been done or not`,
    );
  }
  if (error instanceof Error) error.message = message;
  return error;
}

function redacted(text: string, hide: readonly string[]): string {
  return hide.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}
