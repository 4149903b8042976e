/** A session under test, of either end. */
import type { Host, Move } from './story.js';

export interface Target {
  /** How the host answers by itself; it waits at first. */
  host: Host;
  readonly state: string;
  readonly isClosed: boolean;
  /** What was seen so far: transitions of the chart, replies, verdicts. An input that brings a new one is worth keeping. */
  readonly seen: ReadonlySet<string>;
  /** Undefined, or what the session did that it never may. */
  readonly fault: string | undefined;
  /** @throws whatever the session throws, but what the host has deserved */
  take(move: Move): void;
}

/** More outputs than any input of ours can lead to: a session that gives them never comes to an end. */
export const MOST_OUTPUTS = 5_000_000;

/** In place of a digest: no exchange succeeds by it, but all of it is read. */
export const COMPUTED = new Uint8Array(32).fill(7);

export const TLS = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBindings: { 'tls-exporter': COMPUTED },
};
