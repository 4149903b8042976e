/**
 * The destinations that something is known of: how much room each has, which are down and until when. No clock: whoever asks
 * says what time it is (milliseconds since 1970 UTC).
 *
 * - Destinations that nothing is under way to and that are not down are forgotten once their pace is that of a new one, or when
 *   there are too many of them: what is remembered has a bound.
 */
import { begun, ended, failed, isDown, newPace, type Pace, probing, reached, room } from './pace.js';

/** What a delivery says of its destination: it answered; no connection, or a greeting of 421; nothing. */
export type Reach = 'reached' | 'failed' | 'nothing';

export interface DestinationLimits {
  /** Deliveries to one destination at a time. */
  readonly perDestination: number;
  /** Deliveries in all at a time. */
  readonly inAll: number;
  /** Milliseconds for which a destination that is down is left alone. */
  readonly backOff: number;
}

export interface Down {
  readonly since: number;
  readonly until: number;
  /** For people: what the last delivery met. */
  readonly reason: string;
}

interface Destination {
  pace: Pace;
  down: Down | undefined;
}

/** As `Relay.status()` shows it. */
export interface DestinationStatus {
  readonly name: string;
  /** Deliveries under way. */
  readonly active: number;
  /** Deliveries that there may be at a time. */
  readonly window: number;
  /** Absent: it is not. */
  readonly down?: Down;
}

/** Destinations without a delivery that are remembered for their pace. */
const REMEMBERED = 10_000;

export class Destinations {
  readonly #limits: DestinationLimits;
  readonly #all = new Map<string, Destination>();
  #active = 0;

  constructor(limits: DestinationLimits) {
    this.#limits = limits;
  }

  /** How many more deliveries may begin, to whatever destination: those whose results are being stored count as well. */
  get room(): number {
    return this.#limits.inAll - this.#active;
  }

  get active(): number {
    return this.#active;
  }

  /** The wall clock was set by so many milliseconds: those that are down stay so for as long as before. */
  clockSet(by: number): void {
    for (const destination of this.#all.values()) {
      const { down } = destination;
      if (down !== undefined) destination.down = { ...down, since: down.since + by, until: down.until + by };
    }
  }

  /** How many more deliveries to it may begin now. */
  roomAt(name: string, now: number): number {
    const destination = this.#all.get(name);
    if (destination === undefined) return Math.min(this.room, newPace(this.#limits.perDestination).window);
    const { pace, down } = destination;
    if (down !== undefined) return down.until > now || pace.active > 0 ? 0 : Math.min(this.room, 1);
    return Math.min(this.room, room(pace));
  }

  downAt(name: string): Down | undefined {
    return this.#all.get(name)?.down;
  }

  begin(name: string): void {
    const destination = this.#at(name);
    destination.pace = begun(destination.down === undefined ? destination.pace : probing(destination.pace));
    this.#active += 1;
  }

  /**
   * The destination has answered, or was given up; what came of it is still to be stored.
   * @param reason for people: why it was not reached
   * @returns `down`: it is now, also once more; `up`: it was down until now
   */
  end(name: string, reach: Reach, now: number, reason: string): 'down' | 'up' | undefined {
    const destination = this.#at(name);
    const { down } = destination;
    if (reach === 'nothing') {
      destination.pace = ended(destination.pace);
      this.#forget(name, destination);
      return undefined;
    }
    if (reach === 'reached') {
      destination.pace = reached(destination.pace, this.#limits.perDestination);
      destination.down = undefined;
      this.#forget(name, destination);
      return down && 'up';
    }
    const isAlreadyDown = down !== undefined && down.until > now;
    destination.pace = failed(destination.pace);
    // Those that were under way when it went down add nothing to it.
    if (isAlreadyDown || !isDown(destination.pace)) return undefined;
    destination.pace = { ...destination.pace, failed: 0 };
    destination.down = { since: down?.since ?? now, until: now + this.#limits.backOff, reason };
    return 'down';
  }

  /** What came of a delivery is stored. */
  stored(): void {
    this.#active -= 1;
  }

  /** Those to which no delivery may begin now. */
  *full(now: number): Generator<string> {
    for (const name of this.#all.keys()) if (this.roomAt(name, now) <= 0) yield name;
  }

  /** Those that are down, and may not be asked yet. */
  *down(now: number): Generator<[name: string, down: Down]> {
    for (const [name, { down }] of this.#all) if (down !== undefined && down.until > now) yield [name, down];
  }

  /** Those that are down, and that one delivery may try now. */
  *toBeProbed(now: number): Generator<string> {
    for (const [name, { down }] of this.#all)
      if (down !== undefined && this.roomAt(name, now) > 0) yield name;
  }

  /** When the next one that is down may be asked; undefined: none is, or each is being asked. */
  nextProbe(now: number): number | undefined {
    let next: number | undefined;
    for (const [, { until }] of this.down(now)) next = Math.min(until, next ?? until);
    return next;
  }

  status(): DestinationStatus[] {
    return [...this.#all].map(([name, { pace, down }]) => ({
      name,
      active: pace.active,
      window: pace.window,
      ...(down && { down }),
    }));
  }

  #at(name: string): Destination {
    let destination = this.#all.get(name);
    if (destination === undefined) {
      destination = { pace: newPace(this.#limits.perDestination), down: undefined };
    } else {
      this.#all.delete(name);
    }
    // The one that was used last comes last, and is forgotten last.
    this.#all.set(name, destination);
    return destination;
  }

  #forget(name: string, { pace, down }: Destination): void {
    if (pace.active > 0 || down !== undefined) return;
    const isAsNew = pace.window === newPace(this.#limits.perDestination).window && pace.arrived === 0;
    if (isAsNew && pace.failed === 0) this.#all.delete(name);
    if (this.#all.size <= REMEMBERED) return;
    for (const [other, { pace, down }] of this.#all) {
      if (pace.active > 0 || down !== undefined) continue;
      this.#all.delete(other);
      return;
    }
  }
}
