/**
 * An application's outbox: what is sent is stored first, and arrives later, whatever happens to the process meanwhile; or the application
 * hears that it does not.
 */

import type { EnvelopeInput } from '@sansmtp/core';
import { kindOf } from '@sansmtp/core';
import type { QueuedMessage } from '../contract/messages.js';
import { createRelay, type RelayStatus, type StopOptions } from '../relay/relay.js';
import type { RelayOptions } from '../relay/relay-options.js';

export interface OutboxOptions extends Omit<RelayOptions, 'notifications' | 'routes' | 'maximumHops'> {
  /** Tells the reverse-path by mail (RFC 3464) as well. @default false: `onBounce` is told */
  readonly notifications?: boolean;
}

/** A message, header section included: text is stored as UTF-8. */
export type OutboxBody = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface OutboxSendOptions {
  /** Whose mail it is: one with much of it does not hold up another's. @default the reverse-path */
  readonly sender?: string;
  /** When to deliver it first: milliseconds since 1970 UTC. @default now */
  readonly due?: number;
}

export interface Outbox {
  /**
   * Stores a message. Once it resolves, the message outlives the process, and arrives or bounces.
   * @throws {QueueFullError} the store takes no more
   * @throws {RangeError} {TypeError} the envelope cannot be read, or there is no body
   * @throws what the body throws, and what the store does: nothing was stored
   */
  send(envelope: EnvelopeInput, body: OutboxBody, options?: OutboxSendOptions): Promise<QueuedMessage>;
  status(): RelayStatus;
  /** Lets what is under way end within `grace`. Store and mailer are yours to close: the store last. */
  close(options?: StopOptions): Promise<void>;
}

/**
 * Makes an outbox, and begins to deliver what is in the store.
 * @throws {TypeError} an option is not known, is missing, or of another shape
 * @throws {RangeError} the value of an option is out of its range
 */
export function createOutbox({ notifications = false, ...options }: OutboxOptions): Outbox {
  const relay = createRelay({ ...options, notifications });
  relay.start();
  return {
    send: (envelope, body, { sender, due } = {}) =>
      relay.accept(envelope, octetsOf(body), {
        trusted: true,
        ...(sender !== undefined && { sender }),
        ...(due !== undefined && { due }),
      }),
    status: () => relay.status(),
    close: (options) => relay.stop(options),
  };
}

async function* octetsOf(body: OutboxBody): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) yield* body;
  else throw new TypeError(`The message is ${kindOf(body)}; give a text, octets or a stream of octets`);
}
