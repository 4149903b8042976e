/**
 * Calls of what an application has given. Whatever that throws, at once or by a promise, is caught: nothing of it may end
 * the process, and with it all other sessions.
 */
import { isPromiseLike } from './handlers/handler-answers.js';

/** @param report told what was thrown; must not throw */
export function guarded(call: () => unknown, report: (error: unknown) => void): void {
  try {
    const result = call();
    if (isPromiseLike(result)) Promise.resolve(result).catch(report);
  } catch (error) {
    report(error);
  }
}

interface Host {
  readonly console?: { error(...values: unknown[]): void };
}

/**
 * For what nobody listens to: writes it to stderr.
 * @param callback the name of what threw
 */
export function complain(callback: string, error: unknown): void {
  try {
    (globalThis as Host).console?.error(`sansmtp: ${callback} threw:`, error);
  } catch {
    // An error that cannot even be shown, or a stderr that is closed: there is nobody left to tell.
  }
}
