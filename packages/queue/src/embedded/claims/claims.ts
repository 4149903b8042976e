/**
 * The claims that are out. They are in memory only: they end with the process that made them. Whoever asks whether a claim still
 * holds does so in the turn of its message.
 */
import { StaleClaimError } from '../../contract/errors.js';
import type { Claim } from '../../contract/messages.js';
import { describe, type Live } from '../messages/live-message.js';

/** Fencing numbers of one opening of the queue; those of the next are above them. */
const FENCES_OF_AN_EPOCH = 2 ** 32;

export interface Granted {
  readonly fence: number;
  readonly live: Live;
  /** The recipients that are still to be settled. */
  readonly places: Set<number>;
  leaseUntil: number;
}

export class Claims {
  readonly #granted = new Map<number, Granted>();
  /** Is told of each claim that has ended. */
  readonly #onEnd: (live: Live) => void;
  #lastFence: number;

  constructor(epoch: number, onEnd: (live: Live) => void) {
    this.#onEnd = onEnd;
    this.#lastFence = epoch * FENCES_OF_AN_EPOCH;
  }

  grant(live: Live, domain: string, places: readonly number[], leaseUntil: number): Claim {
    const fence = ++this.#lastFence;
    for (const place of places) live.claimed.set(place, fence);
    this.#granted.set(fence, { fence, live, places: new Set(places), leaseUntil });
    return { fence, message: describe(live), domain, places, leaseUntil };
  }

  /** @throws {StaleClaimError} the claim is over */
  get({ fence, message }: Claim): Granted {
    const granted = this.#granted.get(fence);
    if (granted === undefined) throw new StaleClaimError(message.id, fence);
    return granted;
  }

  /** @throws {StaleClaimError} the claim is over */
  extend(claim: Claim, leaseUntil: number): Claim {
    const granted = this.get(claim);
    granted.leaseUntil = Math.max(granted.leaseUntil, leaseUntil);
    return { ...claim, leaseUntil: granted.leaseUntil };
  }

  /** Whether its lease is over, and it was not ended. */
  isOverdue(granted: Granted, now: number): boolean {
    return granted.leaseUntil <= now && this.#granted.has(granted.fence);
  }

  overdue(now: number): readonly Granted[] {
    return [...this.#granted.values()].filter((granted) => this.isOverdue(granted, now));
  }

  /** When the first lease is over; undefined: no claim is out. */
  nextEnd(): number | undefined {
    let next: number | undefined;
    for (const { leaseUntil } of this.#granted.values()) next = Math.min(next ?? leaseUntil, leaseUntil);
    return next;
  }

  /** These recipients are the claim's no more; with the last one it ends. */
  free({ fence, live, places }: Granted, freed: readonly number[]): void {
    for (const place of freed) {
      places.delete(place);
      live.claimed.delete(place);
    }
    if (places.size > 0 || !this.#granted.delete(fence)) return;
    this.#onEnd(live);
  }
}

/** @throws {RangeError} a place is not of this claim, or settled already */
export function checkPlaces({ fence, live, places }: Granted, given: readonly number[]): void {
  const seen = new Set<number>();
  for (const place of given) {
    if (!places.has(place) || seen.has(place)) {
      const open = [...places].join(', ');
      throw new RangeError(
        `Place ${place} of message ${live.state.id} is not the claim ${fence}'s to settle: still to be settled are ${open}`,
      );
    }
    seen.add(place);
  }
}
