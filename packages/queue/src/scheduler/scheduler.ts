/**
 * The scheduler: claims what is due, destination by destination, and has it delivered.
 *
 * - Which domain and which sender comes next, the store says: each has its turn. How many deliveries a destination gets at a time,
 *   and whether it is down, `Destinations` knows.
 * - A destination that is down gets nothing, new mail included, until one delivery alone may try it again. Its mail stays in the
 *   store meanwhile, unclaimed; only what is overdue is taken out, so that the sender hears of it.
 * - More may be claimed than a destination has room for: that waits here, in line, and is next.
 * - A store that cannot be asked is asked again, less and less often, for as long as it takes.
 * - Where the wall clock was set, what is held in memory goes by the new one before anything is claimed by it: else the store would take
 *   back what is being delivered, or a destination would stay down for as long as the clock was set back.
 */
import type { Clock } from '@sansmtp/transport';
import { QueueClosedError } from '../contract/errors.js';
import type { Claim } from '../contract/messages.js';
import type { ClaimRequest, QueueStore } from '../contract/queue-store.js';
import type { Destinations, Down, Reach } from './destinations.js';
import type { HeldClaim, Leases } from './leases.js';
import {
  claimable,
  type Deliverer,
  EVERY_OTHER_DOMAIN,
  type NextHop,
  nextHopOf,
  type Routes,
} from './routes.js';
import { WallClock } from './wall-clock.js';

/** What a delivery came to, for the destination. */
export interface Delivered {
  readonly reach: Reach;
  /** For people: why the destination was not reached. */
  readonly reason: string;
}

export interface SchedulerParts {
  readonly store: QueueStore;
  readonly destinations: Destinations;
  readonly leases: Leases;
  readonly mailer: Deliverer;
  readonly clock: Clock;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** Milliseconds of the lease of a claim. */
  readonly lease: number;
  /**
   * Delivers, and settles or gives back. Never rejects.
   * @param onEnd called once, when the destination has room for another one: what came of it may still be on its way into the store
   */
  readonly deliver: (held: HeldClaim, hop: NextHop, onEnd: (delivered: Delivered) => void) => Promise<void>;
  /**
   * From when on something is to be done with a claim although its destination is down: its sender is to be told, say.
   * Milliseconds since 1970 UTC.
   */
  readonly overdueAt: (claim: Claim) => number;
  /** Does that, without a delivery. Never rejects. */
  readonly attend: (held: HeldClaim, hop: NextHop, down: Down) => Promise<void>;
  readonly onDestination: (change: 'down' | 'up', name: string, down: Down | undefined) => void;
  /** @param retryAt when the store is asked again: milliseconds since 1970 UTC; undefined: never */
  readonly onStoreFailure: (error: unknown, retryAt: number | undefined) => void;
  readonly onStoreRecovery: () => void;
  /** The wall clock was set by so many milliseconds. */
  readonly onClockSet: (by: number) => void;
}

/** Claims that are asked for at once. */
const CLAIMS_AT_ONCE = 32;

/** Milliseconds until the store is asked again whatever it said: what another process has put may not have been told. */
const LONGEST_SLEEP = 60_000;

/** Likewise where the store says that something is due, and gave nothing. */
const SLEEP_AMID_DUE = 250;

/** Milliseconds of the waits for a store that fails: doubled each time, up to the longest. */
const FIRST_STORE_WAIT = 250;
const LONGEST_STORE_WAIT = 30_000;

/** Claims that are looked through for overdue ones at once, while their destination is down. */
const LOOKED_THROUGH = 1_000;

/** Milliseconds until they are looked through again where there were more; and whatever was found, for what has come since. */
const NEXT_LOOK = 900_000;
const LONGEST_LOOK_AWAY = 3_600_000;

export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #wallClock: WallClock;
  #routes: Routes;
  /** What is claimed and waits for room, by destination. */
  readonly #lines = new Map<string, { readonly held: HeldClaim; readonly hop: NextHop }[]>();
  readonly #underWay = new Set<Promise<void>>();
  /** When to look through what a destination that is down would get. */
  readonly #looks = new Map<string, number>();
  /** What had no room when the store was asked last. */
  #full = new Set<string>();
  #mustClaim = true;
  #wakeUp: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(parts: SchedulerParts, routes: Routes) {
    this.#parts = parts;
    this.#wallClock = new WallClock(parts.clock, parts.now);
    this.#routes = routes;
  }

  set routes(routes: Routes) {
    this.#routes = routes;
    this.wake();
  }

  /** Claims that wait here for room at their destination. */
  waitingFor(name: string): number {
    return this.#lines.get(name)?.length ?? 0;
  }

  start(): void {
    this.#unsubscribe ??= this.#parts.store.subscribe(() => this.wake());
    this.#running ??= this.#run();
  }

  /** Something was put, or may be due. */
  wake(): void {
    this.#mustClaim = true;
    this.#goOn();
  }

  /** Claims nothing more, gives back what waits, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#unsubscribe?.();
    this.#goOn();
    await this.#running;
    await Promise.all([...this.#lines.keys()].map((name) => this.#giveBackLine(name)));
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      let until: number;
      try {
        until = await this.#round();
        if (failures > 0) this.#parts.onStoreRecovery();
        failures = 0;
      } catch (error) {
        if (error instanceof QueueClosedError) {
          this.#parts.onStoreFailure(error, undefined);
          return;
        }
        until = this.#parts.now() + Math.min(LONGEST_STORE_WAIT, FIRST_STORE_WAIT * 2 ** failures++);
        this.#parts.onStoreFailure(error, until);
        this.#mustClaim = false;
      }
      await this.#sleep(until);
    }
  }

  /** Starts and claims what there is room for; says when to look again. */
  async #round(): Promise<number> {
    const { destinations, now } = this.#parts;
    await this.#heedWallClock();
    for (const name of this.#lines.keys()) this.#startWaiting(name);
    const limit = Math.min(CLAIMS_AT_ONCE, destinations.room);
    if (!this.#mustClaim || limit <= 0) return now() + LONGEST_SLEEP;
    this.#mustClaim = false;
    const time = now();
    // What waits in line already has as much as can be started.
    this.#full = new Set([...destinations.full(time), ...this.#lines.keys()]);
    const claims = await this.#claim(time, limit, new Set([...this.#full, ...destinations.toBeProbed(time)]));
    for (const claim of claims) this.#takeIn(claim);
    await this.#probe(time);
    if (claims.length >= limit) {
      this.#mustClaim = true;
      return now();
    }
    for (const name of destinations.full(time)) this.#full.add(name);
    const due = await this.#nextDue();
    const probe = destinations.nextProbe(time) ?? Number.POSITIVE_INFINITY;
    const next = due === undefined ? Number.POSITIVE_INFINITY : due > time ? due : now() + SLEEP_AMID_DUE;
    return Math.min(next, probe, now() + LONGEST_SLEEP);
  }

  async #heedWallClock(): Promise<void> {
    const by = this.#wallClock.look();
    if (by === 0) return;
    const { destinations, leases, onClockSet } = this.#parts;
    onClockSet(by);
    destinations.clockSet(by);
    for (const [name, at] of this.#looks) this.#looks.set(name, at + by);
    await leases.renewAll();
  }

  async #nextDue(): Promise<number | undefined> {
    const { store } = this.#parts;
    const wanted = claimable(this.#full, this.#routes);
    if ('except' in wanted) return store.nextDue({ except: wanted.except });
    const all = await Promise.all(wanted.only.map((domain) => store.nextDue({ domain })));
    const known = all.filter((due) => due !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** One delivery alone may try a destination that was down: no more is claimed for it. */
  async #probe(now: number): Promise<void> {
    const { store, destinations, lease } = this.#parts;
    for (const name of [...destinations.toBeProbed(now)]) {
      for (const request of this.#requestsFor(name)) {
        const [claim] = await store.claim({ ...request, ...this.#sharing(), now, lease });
        if (claim === undefined) continue;
        this.#takeIn(claim);
        break;
      }
    }
  }

  async #claim(now: number, limit: number, full: ReadonlySet<string>): Promise<readonly Claim[]> {
    const { store, lease } = this.#parts;
    const wanted = claimable(full, this.#routes);
    const common = { now, lease, ...this.#sharing() };
    if ('except' in wanted) return store.claim({ ...common, limit, except: wanted.except });
    const claims: Claim[] = [];
    for (const domain of wanted.only) {
      if (claims.length >= limit) break;
      claims.push(...(await store.claim({ ...common, limit: limit - claims.length, domain })));
    }
    return claims;
  }

  /** The recipients of a message whose domains have the same next hop share a claim, and so a mail transaction. */
  #sharing(): Pick<ClaimRequest, 'destinationOf'> {
    const routes = this.#routes;
    if (routes.size === 0) return {};
    return { destinationOf: (domain) => nextHopOf(domain, routes, this.#parts.mailer).name };
  }

  #takeIn(claim: Claim): void {
    const hop = nextHopOf(claim.domain, this.#routes, this.#parts.mailer);
    const held = this.#parts.leases.hold(claim);
    const line = this.#lines.get(hop.name);
    if (line === undefined) this.#lines.set(hop.name, [{ held, hop }]);
    else line.push({ held, hop });
    this.#startWaiting(hop.name);
  }

  #startWaiting(name: string): void {
    const { destinations, leases, now } = this.#parts;
    const line = this.#lines.get(name);
    if (line === undefined) return;
    let left = 0;
    for (const { held, hop } of line) {
      if (held.over.aborted) leases.letGo(held);
      else if (destinations.roomAt(name, now()) > 0) this.#begin(held, hop);
      else line[left++] = { held, hop };
    }
    line.length = left;
    if (left === 0) this.#lines.delete(name);
  }

  #begin(held: HeldClaim, hop: NextHop): void {
    this.#parts.destinations.begin(hop.name);
    this.#follow(
      (async () => {
        await this.#parts.deliver(held, hop, ({ reach, reason }) => this.#learn(hop, reach, reason));
        this.#parts.leases.letGo(held);
        const isFull = this.#parts.destinations.room <= 0;
        this.#parts.destinations.stored();
        if (isFull) this.#goOn();
      })(),
    );
  }

  #learn(hop: NextHop, reach: Reach, reason: string): void {
    const { destinations, now, onDestination } = this.#parts;
    const { name } = hop;
    const change = destinations.end(name, reach, now(), reason);
    const down = destinations.downAt(name);
    if (change !== undefined) onDestination(change, name, down);
    if (change === 'up') this.#looks.delete(name);
    if (change === 'down' && down !== undefined) {
      const line = this.#giveBackLine(name);
      const isToBeLookedThrough = (this.#looks.get(name) ?? 0) <= now();
      this.#follow(isToBeLookedThrough ? line.then(() => this.#lookThrough(hop, down)) : line);
    }
    this.#startWaiting(name);
    if (!this.#lines.has(name) || this.#full.has(name)) this.#mustClaim = true;
    this.#goOn();
  }

  #follow(work: Promise<void>): void {
    const settled = work.finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  async #giveBackLine(name: string): Promise<void> {
    const line = this.#lines.get(name) ?? [];
    this.#lines.delete(name);
    await this.#giveBack(line.map(({ held }) => held));
  }

  /** Where that fails, the lease ends by itself. */
  async #giveBack(all: readonly HeldClaim[]): Promise<void> {
    const { store, leases } = this.#parts;
    await Promise.allSettled(
      all.map(async (held) => {
        leases.letGo(held);
        await store.giveBack(held.claim);
      }),
    );
  }

  /** Of what is due for a destination that is down, attends to what is overdue. The oldest comes first. */
  async #lookThrough(hop: NextHop, down: Down): Promise<void> {
    const { leases, overdueAt, attend, now: clock } = this.#parts;
    const others: HeldClaim[] = [];
    let next = clock() + LONGEST_LOOK_AWAY;
    try {
      for (const request of this.#requestsFor(hop.name)) {
        for (let found = true; found && others.length < LOOKED_THROUGH && !this.#stopping; ) {
          const { store, now, lease } = this.#parts;
          await this.#heedWallClock();
          const claims = await store.claim({
            ...request,
            ...this.#sharing(),
            now: now(),
            lease,
            limit: CLAIMS_AT_ONCE,
          });
          const overdue: HeldClaim[] = [];
          for (const claim of claims) {
            const at = overdueAt(claim);
            if (at > now()) next = Math.min(next, at);
            (at > now() ? others : overdue).push(leases.hold(claim));
          }
          await Promise.all(
            overdue.map(async (each) => {
              await attend(each, hop, down);
              leases.letGo(each);
            }),
          );
          // The rest was not seen.
          if (claims.length === CLAIMS_AT_ONCE) next = Math.min(next, now() + NEXT_LOOK);
          found = overdue.length > 0;
        }
      }
    } catch {
      // The store fails: the next round finds that too, and says so. What is overdue is so still when it is back.
      next = clock();
    } finally {
      this.#looks.set(hop.name, next);
      await this.#giveBack(others);
    }
  }

  /** How to claim what a destination alone gets. */
  *#requestsFor(destination: string): Generator<Pick<ClaimRequest, 'domain' | 'except'>> {
    const routed = [...this.#routes].filter(([domain]) => domain !== EVERY_OTHER_DOMAIN);
    const own = routed.filter(([, { name }]) => name === destination).map(([domain]) => domain);
    for (const domain of own) yield { domain };
    const others = this.#routes.get(EVERY_OTHER_DOMAIN);
    if (others?.name === destination) yield { except: new Set(routed.map(([domain]) => domain)) };
    else if (own.length === 0 && others === undefined) yield { domain: destination };
  }

  #goOn(): void {
    this.#wakeUp?.();
  }

  async #sleep(until: number): Promise<void> {
    const { clock, now } = this.#parts;
    if (this.#stopping || (this.#mustClaim && this.#parts.destinations.room > 0)) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.set(clock.now() + Math.max(0, until - now()), () => {
        this.#mustClaim = true;
        resolve();
      });
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }
}
