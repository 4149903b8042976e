/**
 * The relay: messages go in, are safe, and go out; and their senders hear when they do not arrive.
 *
 * `accept()` puts a message into the store, which wakes the scheduler; that claims what is due, destination by destination, and has
 * `Attempts` deliver it. Nothing but the store remembers anything: a relay that dies is begun anew over the same store.
 */
import { setMaxListeners } from 'node:events';
import { type ClientEnvelope, type EnvelopeInput, type MailParameters, readEnvelope } from '@sansmtp/core';
import { complain, guarded } from '@sansmtp/transport';
import { QueueClosedError } from '../contract/errors.js';
import type { NewMessage, QueuedMessage } from '../contract/messages.js';
import { type DestinationStatus, Destinations } from '../scheduler/destinations.js';
import { Leases } from '../scheduler/leases.js';
import type { Routes } from '../scheduler/routes.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { Attempts } from './attempting/attempt.js';
import { releaseTime } from './deciding/times.js';
import { withHopsCounted } from './hop-count.js';
import { checkRoutes, type RelayOptions, resolveRelayOptions } from './relay-options.js';
import type { RelayEvent } from './telling/relay-events.js';

export interface AcceptOptions {
  /** Whose mail it is: see `NewMessage`. A user's name, say. @default the reverse-path */
  readonly sender?: string;
  /**
   * The client may ask for an order, a time to hold and a time to deliver by (MT-PRIORITY, FUTURERELEASE, DELIVERBY): it has
   * authenticated, or is trusted. What others ask of these is left out. @default false
   */
  readonly trusted?: boolean;
  /** When to deliver it first: milliseconds since 1970 UTC. @default when the envelope says (`hold`), or now */
  readonly due?: number;
  /** Hold it until it is released by hand. @default false */
  readonly held?: boolean;
}

export interface StopOptions {
  /** Milliseconds for which what is under way may go on; then it is ended, and is due again. @default 10000 */
  readonly grace?: number;
}

/** As it stands now. */
export interface RelayStatus {
  /** Deliveries under way. */
  readonly active: number;
  /** Deliveries that there may be at a time. */
  readonly connections: number;
  /** Of each destination that something is under way to or known of, and how many claims wait here for room. */
  readonly destinations: readonly (DestinationStatus & { readonly waiting: number })[];
  /** Since when the store has not answered: milliseconds since 1970 UTC; absent: it does. */
  readonly storeFailingSince?: number;
}

export interface Relay {
  /**
   * Takes a message. Once it resolves, the message is safe: only then answer 250.
   * @param envelope as a server received it, or in text
   * @param body the message as it is to go on, trace and all; read once
   * @throws {TooManyHopsError} it loops: 554 5.4.6
   * @throws {QueueFullError} 452 4.3.1
   * @throws what the body throws, and what the store does: it was not taken
   * @throws {RangeError} {TypeError} the envelope is none, or has no recipient
   */
  accept(
    envelope: EnvelopeInput,
    body: AsyncIterable<Uint8Array>,
    options?: AcceptOptions,
  ): Promise<QueuedMessage>;
  /** Begins to deliver. */
  start(): void;
  /** Looks at the store now. The store tells by itself of what changes in it; this is for one that does not. */
  wake(): void;
  /** Mail that is claimed from now on goes by these routes. */
  setRoutes(routes: Routes): void;
  status(): RelayStatus;
  /**
   * Claims nothing more, lets what is under way end within `grace`, and gives the rest back. Resolves when nothing is under way. Store and
   * mailer are yours to close: the store last.
   */
  stop(options?: StopOptions): Promise<void>;
}

const DEFAULT_GRACE = 10_000;

/**
 * Makes a relay. Call `start()` next.
 * @throws {TypeError} an option is not known, is missing, or of another shape
 * @throws {RangeError} the value of an option is out of its range
 */
export function createRelay(options: RelayOptions): Relay {
  const resolved = resolveRelayOptions(options);
  const { store, mailer, hostname, retry, warnAfter, giveUpAfter, postmaster, maximumHops } = resolved;
  const { clock, now, random, lease, observer, onError, onBounce, notifications } = resolved;
  const stopping = new AbortController();
  // Each delivery under way listens; Node warns of more than ten.
  setMaxListeners(0, stopping.signal);
  let storeFailingSince: number | undefined;
  let stopped: Promise<void> | undefined;

  const tell = (event: RelayEvent): void => {
    if (event.type === 'storeFailed') storeFailingSince ??= now();
    if (event.type === 'storeRecovered') storeFailingSince = undefined;
    if (observer === undefined) return;
    guarded(
      () => observer(event),
      (error) => (onError === undefined ? complain('observer', error) : onError(error)),
    );
  };
  const leases = new Leases(store, lease, clock, now);
  const destinations = new Destinations({
    perDestination: resolved.connectionsPerHost,
    inAll: resolved.connections,
    backOff: resolved.backOff,
  });
  const attempts = new Attempts({
    store,
    leases,
    clock,
    now,
    retrying: { retry, warnAfter, giveUpAfter, random },
    notifications: { hostname, postmaster, isOn: notifications },
    onBounce,
    onError: (error) => (onError === undefined ? complain('onBounce', error) : onError(error)),
    tell,
    stopped: stopping.signal,
  });
  const scheduler = new Scheduler(
    {
      store,
      destinations,
      leases,
      mailer,
      clock,
      now,
      lease,
      deliver: (held, hop, onEnd) => attempts.deliver(held, hop, onEnd),
      overdueAt: (claim) => attempts.overdueAt(claim),
      attend: (held, hop, down) => attempts.attend(held, hop, down),
      onDestination(change, destination, down) {
        if (change === 'up') tell({ type: 'destinationUp', destination });
        else if (down) tell({ type: 'destinationDown', destination, until: down.until, reason: down.reason });
      },
      onStoreFailure(thrown, retryAt) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        tell({ type: 'storeFailed', error, ...(retryAt !== undefined && { retryAt }) });
      },
      onStoreRecovery: () => tell({ type: 'storeRecovered' }),
      onClockSet: (by) => tell({ type: 'clockSet', by }),
    },
    resolved.routes,
  );

  /** A store that has closed itself is told of at once, and not when something is to be claimed from it, which may be much later. */
  const put = async (message: NewMessage, body: AsyncIterable<Uint8Array>): Promise<QueuedMessage> => {
    try {
      return await store.put(message, body);
    } catch (error) {
      if (error instanceof QueueClosedError && stopped === undefined) tell({ type: 'storeFailed', error });
      throw error;
    }
  };

  return {
    async accept(input, body, { sender, trusted = false, held = false, due: given } = {}) {
      const envelope = acceptedEnvelope(readEnvelope(input), trusted);
      const time = now();
      const due = Math.max(given ?? time, releaseTime(envelope.parameters, time));
      const message = { envelope, now: time, due, held, ...(sender !== undefined && { sender }) };
      const queued = await put(message, withHopsCounted(body, maximumHops));
      const { id, size, recipients } = queued;
      tell({ type: 'accepted', id, sender: queued.sender, recipients: recipients.length, size, due });
      return queued;
    },
    start: () => scheduler.start(),
    wake: () => scheduler.wake(),
    setRoutes(routes) {
      scheduler.routes = checkRoutes(routes);
    },
    status: () => ({
      active: destinations.active,
      connections: resolved.connections,
      destinations: destinations
        .status()
        .map((each) => ({ ...each, waiting: scheduler.waitingFor(each.name) })),
      ...(storeFailingSince !== undefined && { storeFailingSince }),
    }),
    stop({ grace = DEFAULT_GRACE } = {}) {
      stopped ??= (async () => {
        const cancel = clock.set(clock.now() + grace, () =>
          stopping.abort(new Error('The relay was stopped')),
        );
        await scheduler.stop();
        cancel();
      })();
      return stopped;
    },
  };
}

/** The envelope as it is stored: without the size that the client declared, and without what only some may ask for. */
function acceptedEnvelope(envelope: ClientEnvelope, trusted: boolean): ClientEnvelope {
  const { parameters, ...rest } = envelope;
  if (parameters === undefined) return envelope;
  const { size: _, ...said } = parameters;
  const { mtPriority: __, hold: ___, deliverBy: ____, ...common } = said;
  const kept: MailParameters = trusted ? said : common;
  return Object.keys(kept).length === 0 ? rest : { ...rest, parameters: kept };
}
