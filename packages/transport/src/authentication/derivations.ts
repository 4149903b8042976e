/**
 * Derivations of keys (PBKDF2), a few at a time: they are made to take long, and take the threads that files need.
 */
import { Rejection } from '../handlers/handlers.js';

/** Has one derivation done when it is its turn. Rejects by 454 4.7.0 where too many wait. */
export type DerivationQueue = <Result>(derive: () => Promise<Result>) => Promise<Result>;

export function derivationQueue(maximumAtOnce: number, maximumWaiting: number): DerivationQueue {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (derive) => {
    if (running >= maximumAtOnce) {
      if (waiting.length >= maximumWaiting) {
        throw new Rejection(454, '4.7.0', 'Too many authentications at once; try again later');
      }
      // Whoever ends gives its place to the next, so that nobody gets in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await derive();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

const queues = new WeakMap<object, DerivationQueue>();
const WEB = {};

/**
 * One at a time, whoever asks: sessions whose application gives passwords in the place of keys, and `passwordUsers` where
 * it has no number of its own.
 * @param cryptography undefined: that of the platform
 */
export function derivationsOf(cryptography: object = WEB): DerivationQueue {
  const known = queues.get(cryptography) ?? derivationQueue(1, 64);
  queues.set(cryptography, known);
  return known;
}
