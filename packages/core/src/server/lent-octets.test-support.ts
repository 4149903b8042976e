/**
 * Octets as a host hands them in that reads into one array over and over: when the session has given all that it had to
 * say, it is told to copy what it holds, and the array is overwritten. What was not copied would be seen to differ.
 */
import type { ServerSession } from './session.js';

/** What is read into the array next, as far as the session need know. */
const OVERWRITTEN = 0xaa;

/**
 * Hands in a copy of the octets, and overwrites it.
 * @param drain polls the session until it has nothing more to say
 */
export function handInLent(session: ServerSession, octets: Uint8Array, now: number, drain: () => void): void {
  const lent = new Uint8Array(octets);
  session.handle({ type: 'bytes', bytes: lent, now });
  drain();
  session.copyHeld();
  lent.fill(OVERWRITTEN);
}
