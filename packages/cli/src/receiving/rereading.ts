/**
 * What is read again at SIGHUP: certificates, users, lists, keys. Each by itself: what cannot be read again stays as it was,
 * with a line in the log, and the others are renewed all the same.
 */
import type { Logger } from '../log.js';

/** Something that a file says, and that may change while the server runs. */
export interface Reread {
  /** For the log: `the certificate`. */
  readonly what: string;
  /** Puts the new in the place of the old. Throws where it cannot; the old then stays whole. */
  read(): Promise<void>;
}

export async function readAgain(all: readonly Reread[], log: Logger): Promise<void> {
  for (const { what, read } of all) {
    try {
      await read();
      log.info(`SIGHUP: ${what} is read again`);
    } catch (error) {
      log.error({ reason: (error as Error).message }, `SIGHUP: ${what} stays as it was`);
    }
  }
}

/** Calls it at each SIGHUP, and gives what lets go of the signal. */
export type OnHangup = (listener: () => void) => () => void;

export const onHangupSignal: OnHangup = (listener) => {
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
};

/**
 * @param reopen goes on in new files, where there are any, and logs it
 * @returns what lets go of the signal
 */
export function readAgainOnHangup(
  all: readonly Reread[],
  reopen: (() => Promise<void>) | undefined,
  log: Logger,
  onHangup: OnHangup = onHangupSignal,
): () => void {
  // One after the other: the last one has the last word.
  let work: Promise<void> = Promise.resolve();
  return onHangup(() => {
    work = work.then(async () => {
      if (reopen === undefined && all.length === 0) log.info('SIGHUP: there is no file to be read again');
      await reopen?.();
      await readAgain(all, log);
    });
  });
}
