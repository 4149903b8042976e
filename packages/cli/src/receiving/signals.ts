/** The signals by which a server is told to end. */
import { constants } from 'node:os';

/** Resolves at the first signal to end; the second ends the process. */
export function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!first) process.exit(128 + constants.signals[signal]);
      first = false;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
