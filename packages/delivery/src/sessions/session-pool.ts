/**
 * The session pool: sessions are opened when they are wanted, used one mail transaction after the other, kept for a
 * while when nobody wants them, and ended by QUIT.
 *
 * - The limits hold always: a connection counts from before it is opened until it is closed.
 * - Whoever waits for a session is served in turn among destinations, and within one in the order they came. While
 *   there is no room for a destination that waits, one that has more connections gives one of them up after a mail
 *   transaction; a destination without any need not wait longer than its turn.
 * - It waits for events only: a connection that closes, a session that is given back, a signal. One timer at most
 *   stands, for the session that has been idle the longest; and one for each mail transaction that is early, if their
 *   rate is limited.
 */
import type { ClientConnection, Clock } from '@sansmtp/transport';
import { SendRate } from './send-rate.js';
import { WaitingLine } from './waiting-line.js';

export interface PoolLimits {
  readonly connectionsPerHost: number;
  readonly connections: number;
  readonly messagesPerConnection: number;
  /** Milliseconds. */
  readonly idleTime: number;
  /** Mail transactions in `rateDelta` milliseconds; undefined for no limit. */
  readonly rateLimit?: number;
  readonly rateDelta: number;
}

/** What sessions can be opened to. */
export interface PoolDestination {
  /** Sessions are shared by destinations of the same key. */
  readonly key: string;
  /** What `connectionsPerHost` counts. */
  readonly address: string;
  /**
   * @param onClosed called once, when no connection is left that this has opened; after a failure too
   * @throws the signal's reason once it is aborted, and why the session could not be opened
   */
  open(signal: AbortSignal | undefined, onClosed: () => void): Promise<ClientConnection>;
}

/** A session that was lent: give it back by `release()`. */
export interface PooledSession {
  readonly connection: ClientConnection;
  /** Mail transactions before the one for which it was lent. While it waited, it may have been lost. */
  readonly transactions: number;
  /** Mail transactions that it may still have. */
  readonly transactionsLeft: number;
}

interface Session extends PooledSession {
  readonly queue: Queue;
  transactions: number;
  transactionsLeft: number;
  /** `closing`: it has said QUIT, or was lost. */
  state: 'lent' | 'idle' | 'closing';
  idleSince: number;
}

interface Waiter {
  waiting: boolean;
  /** Its own: of destinations with the same key, each opens on behalf of its own delivery. */
  readonly destination: PoolDestination;
  readonly signal: AbortSignal | undefined;
  readonly leave: () => void;
  readonly resolve: (session: Session) => void;
  readonly reject: (reason: unknown) => void;
}

interface Host {
  connections: number;
  closing: number;
  /** Destinations that are there. */
  queues: number;
}

/** All about one destination. */
interface Queue {
  readonly destination: PoolDestination;
  readonly host: Host;
  /** Open, being opened, or being closed. */
  connections: number;
  /** The one that was used last is used next: the others may then become idle for long enough. */
  readonly idle: Session[];
  readonly line: WaitingLine<Waiter>;
  /** Those who want a session that nobody has used before. They have waited already, and come first. */
  readonly freshLine: WaitingLine<Waiter>;
}

export class SessionPool {
  readonly #limits: PoolLimits;
  readonly #clock: Clock;
  readonly #rate: SendRate | undefined;
  readonly #queues = new Map<string, Queue>();
  readonly #hosts = new Map<string, Host>();
  /** Those with somebody waiting, whose turn comes first being first. */
  readonly #ring = new Set<Queue>();
  /** Of all destinations, the one that has been idle longest first. */
  readonly #idle = new Set<Session>();
  #connections = 0;
  #closing = 0;
  /** What drops each connection that there is. */
  readonly #drops = new Set<(reason: unknown) => void>();
  #aborted: { readonly reason: unknown } | undefined;
  #cancelTimer: (() => void) | undefined;
  #onDrained: (() => void) | undefined;

  constructor(limits: PoolLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    const { rateLimit, rateDelta } = limits;
    this.#rate = rateLimit === undefined ? undefined : new SendRate(rateLimit, rateDelta, clock);
  }

  /**
   * A session to a destination, as soon as the limits allow: at once if one is idle.
   * @param fresh one that has had no mail transaction yet
   * @throws the signal's reason once it is aborted, and why the session could not be opened
   */
  acquire(
    destination: PoolDestination,
    signal: AbortSignal | undefined,
    fresh = false,
  ): PooledSession | Promise<PooledSession> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#aborted !== undefined) return Promise.reject(this.#aborted.reason);
    const queue = this.#queueOf(destination);
    const session = fresh ? undefined : queue.idle.pop();
    if (session !== undefined) {
      this.#idle.delete(session);
      session.state = 'lent';
      return session;
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiter.waiting = false;
        reject(signal?.reason);
        if (this.#firstOf(queue) === undefined) this.#ring.delete(queue);
        this.#forgetIfUnused(queue);
      };
      const waiter: Waiter = { waiting: true, destination, signal, leave, resolve, reject };
      signal?.addEventListener('abort', leave, { once: true });
      (fresh ? queue.freshLine : queue.line).join(waiter);
      this.#ring.add(queue);
      this.#serve();
    });
  }

  /**
   * Resolves when the limit on their rate lets another mail transaction begin; undefined: it may now. Ask before each.
   * @throws the signal's reason once it is aborted, or that for which all connections were dropped
   */
  turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    return this.#rate?.turn(signal);
  }

  /** Counts a mail transaction; call it before each. */
  begin(lent: PooledSession): void {
    const session = lent as Session;
    session.transactions += 1;
    session.transactionsLeft -= 1;
  }

  /**
   * Gives a session back.
   * @param usable false: it is broken, or has to be ended
   */
  release(lent: PooledSession, usable: boolean): void {
    const session = lent as Session;
    if (session.state === 'closing') return;
    const { queue } = session;
    if (!usable || session.transactionsLeft <= 0 || this.#isWantedElsewhere(queue)) {
      this.#end(session);
      return;
    }
    const waiter = queue.line.first();
    if (waiter !== undefined) {
      this.#takeTurn(queue, waiter);
      waiter.resolve(session);
      return;
    }
    if (this.#onDrained !== undefined || this.#limits.idleTime === 0) {
      this.#end(session);
      return;
    }
    session.state = 'idle';
    session.idleSince = this.#clock.now();
    queue.idle.push(session);
    this.#idle.add(session);
    this.#armTimer();
    if (this.#ring.size > 0) this.#serve();
  }

  /** Ends the idle sessions, and all others once they are given back. Resolves when no connection is left. */
  async close(): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    for (const session of this.#idle) this.#end(session);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#connections === 0) this.#onDrained?.();
    await drained;
  }

  /** Drops all connections, now: whoever has one loses it, whoever waits for one is refused. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#rate?.abort(reason);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const queue of this.#ring) {
      const waiter = this.#firstOf(queue);
      if (waiter === undefined) {
        this.#ring.delete(queue);
        continue;
      }
      this.#takeTurn(queue, waiter);
      waiter.reject(reason);
      this.#forgetIfUnused(queue);
    }
    for (const drop of this.#drops) drop(reason);
  }

  #queueOf(destination: PoolDestination): Queue {
    const { key, address } = destination;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      const host = this.#hosts.get(address) ?? { connections: 0, closing: 0, queues: 0 };
      host.queues += 1;
      this.#hosts.set(address, host);
      const line = new WaitingLine<Waiter>();
      const freshLine = new WaitingLine<Waiter>();
      queue = { destination, host, connections: 0, idle: [], line, freshLine };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #firstOf({ line, freshLine }: Queue): Waiter | undefined {
    return freshLine.first() ?? line.first();
  }

  /** The waiter is served; its destination's next turn comes after those of all others. */
  #takeTurn(queue: Queue, waiter: Waiter): void {
    waiter.waiting = false;
    waiter.signal?.removeEventListener('abort', waiter.leave);
    this.#ring.delete(queue);
    if (this.#firstOf(queue) !== undefined) this.#ring.add(queue);
  }

  /** Opens what there is room for, and makes room by ending what is idle. */
  #serve(): void {
    const { connections, connectionsPerHost } = this.#limits;
    for (const queue of this.#ring) {
      const { host } = queue;
      const waiter = this.#firstOf(queue);
      if (waiter === undefined) {
        this.#ring.delete(queue);
      } else if (host.connections >= connectionsPerHost) {
        if (host.closing === 0) this.#endIdle((session) => session.queue.host === host);
      } else if (this.#connections >= connections) {
        if (this.#closing < this.#ring.size) this.#endIdle(() => true);
      } else {
        // The loop comes to it again, after the others, if anybody else waits for it.
        this.#takeTurn(queue, waiter);
        void this.#open(queue, waiter);
      }
    }
  }

  async #open(queue: Queue, waiter: Waiter): Promise<void> {
    queue.connections += 1;
    queue.host.connections += 1;
    this.#connections += 1;
    let session: Session | undefined;
    let closed = false;
    const opening = new AbortController();
    const onAbort = (): void => opening.abort(waiter.signal?.reason);
    waiter.signal?.addEventListener('abort', onAbort, { once: true });
    const drop = (reason: unknown): void => {
      opening.abort(reason);
      session?.connection.abort(reason instanceof Error ? reason : undefined);
    };
    this.#drops.add(drop);
    const onClosed = (): void => {
      closed = true;
      this.#drops.delete(drop);
      if (session !== undefined) this.#forget(session);
      queue.connections -= 1;
      queue.host.connections -= 1;
      this.#connections -= 1;
      this.#forgetIfUnused(queue);
      this.#serve();
      if (this.#connections === 0) this.#onDrained?.();
    };
    try {
      const connection = await waiter.destination.open(opening.signal, onClosed);
      const transactionsLeft = Math.min(this.#limits.messagesPerConnection, mailMaximum(connection));
      const state = closed ? 'closing' : 'lent';
      session = { connection, queue, transactions: 0, transactionsLeft, state, idleSince: 0 };
      waiter.resolve(session);
    } catch (error) {
      waiter.reject(error);
    } finally {
      waiter.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The connection is gone, whether or not we wanted it. */
  #forget(session: Session): void {
    const { queue, state } = session;
    if (state === 'idle') {
      this.#idle.delete(session);
      queue.idle.splice(queue.idle.indexOf(session), 1);
    }
    if (state === 'closing') {
      this.#closing -= 1;
      queue.host.closing -= 1;
    }
    session.state = 'closing';
  }

  /** Says QUIT. Harmless where the session has broken: its connection then closes by itself. */
  #end(session: Session): void {
    const { queue, state, connection } = session;
    if (state === 'idle') {
      this.#idle.delete(session);
      queue.idle.splice(queue.idle.indexOf(session), 1);
    }
    session.state = 'closing';
    this.#closing += 1;
    queue.host.closing += 1;
    // Somebody may have been cut off amid a message.
    connection.quit().catch(() => connection.abort());
  }

  #endIdle(fits: (session: Session) => boolean): void {
    for (const session of this.#idle) {
      if (!fits(session)) continue;
      this.#end(session);
      return;
    }
  }

  /** Whether a destination that waits should have the room of one of this one's connections. */
  #isWantedElsewhere(queue: Queue): boolean {
    if (this.#ring.size === 0 || this.#closing >= this.#ring.size) return false;
    const { connections, connectionsPerHost } = this.#limits;
    for (const other of this.#ring) {
      if (other === queue) {
        if (queue.freshLine.first() !== undefined) return true;
        continue;
      }
      const hostIsFull = other.host.connections >= connectionsPerHost;
      if (hostIsFull ? other.host !== queue.host : this.#connections < connections) continue;
      // Those who have as many, or nearly, would take it from each other all the time.
      if (other.connections === 0 || other.connections + 1 < queue.connections) return true;
    }
    return false;
  }

  #forgetIfUnused(queue: Queue): void {
    if (queue.connections > 0 || this.#firstOf(queue) !== undefined) return;
    const { key, address } = queue.destination;
    if (this.#queues.get(key) !== queue) return;
    this.#queues.delete(key);
    queue.host.queues -= 1;
    if (queue.host.queues === 0) this.#hosts.delete(address);
  }

  #armTimer(): void {
    if (this.#cancelTimer !== undefined) return;
    const [first] = this.#idle;
    if (first === undefined) return;
    const { idleTime } = this.#limits;
    this.#cancelTimer = this.#clock.set(first.idleSince + idleTime, () => {
      this.#cancelTimer = undefined;
      const due = this.#clock.now() - idleTime;
      for (const session of this.#idle) {
        if (session.idleSince > due) break;
        this.#end(session);
      }
      this.#armTimer();
    });
  }
}

/** Mail transactions that the server takes in a session (MAILMAX, RFC 9422 §4.1). */
function mailMaximum({ offer }: ClientConnection): number {
  const [, maximum] = /(?:^| )MAILMAX=([1-9]\d{0,5})(?: |$)/i.exec(offer.keywords.get('LIMITS') ?? '') ?? [];
  return maximum === undefined ? Number.POSITIVE_INFINITY : Number(maximum);
}
