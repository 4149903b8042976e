/** The name that a client's address resolves to (RFC 1035 §3.5): unverified, and never waited for long. */
import { reverse } from 'node:dns';
import { systemClock } from '@sansmtp/transport-node';
import type { SMTPServerResolver } from '../types.js';

/** Milliseconds. */
const PATIENCE = 1500;

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Whoever owns an address may publish any octets as its name (RFC 2181 §11): these would go into replies and logs. */
export function isHostname(name: string): boolean {
  return (
    name.length <= 253 &&
    name
      .replace(/\.$/, '')
      .split('.')
      .every((label) => LABEL.test(label))
  );
}

/** In lower case and without the final dot; undefined where there is none. */
export function lookUpHostname(
  address: string,
  resolver: SMTPServerResolver = { reverse },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancelTimer = systemClock.set(systemClock.now() + PATIENCE, () => resolve(undefined));
    const done = (_error: Error | null, names: string[] = []) => {
      cancelTimer();
      const [name] = names;
      resolve(name !== undefined && isHostname(name) ? name.toLowerCase().replace(/\.$/, '') : undefined);
    };
    try {
      resolver.reverse(address, done);
    } catch {
      done(null); // it is no address
    }
  });
}
