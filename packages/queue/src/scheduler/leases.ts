/**
 * The claims that this process holds: their leases are renewed while they wait and are delivered, and whoever delivers hears
 * when a claim is over.
 */
import type { Clock } from '@sansmtp/transport';
import { StaleClaimError } from '../contract/errors.js';
import type { Claim } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';

/** A claim with the lease that it has now. */
export interface HeldClaim {
  readonly claim: Claim;
  /** Aborted, with a `StaleClaimError`, when the claim is over: nothing of the delivery counts any more. */
  readonly over: AbortSignal;
}

interface Held {
  claim: Claim;
  over: AbortSignal;
  readonly controller: AbortController;
  renewing: boolean;
}

export class Leases {
  readonly #store: QueueStore;
  readonly #lease: number;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #held = new Set<Held>();
  #cancelTimer: (() => void) | undefined;

  /** @param lease milliseconds */
  constructor(store: QueueStore, lease: number, clock: Clock, now: () => number) {
    this.#store = store;
    this.#lease = lease;
    this.#clock = clock;
    this.#now = now;
  }

  hold(claim: Claim): HeldClaim {
    const controller = new AbortController();
    const held: Held = { claim, over: controller.signal, controller, renewing: false };
    this.#held.add(held);
    this.#arm();
    return held;
  }

  /** The claim was settled or given back, or is over. */
  letGo(held: HeldClaim): void {
    this.#held.delete(held as Held);
    if (this.#held.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /**
   * Stores that the final dot may be sent.
   * @param places for these recipients
   * @throws {StaleClaimError} the claim is over
   */
  async commit(given: HeldClaim, places: readonly number[]): Promise<Claim> {
    const held = given as Held;
    this.#take(held, await this.#store.committing(held.claim, this.#now(), places));
    return held.claim;
  }

  /** The wall clock was set: leases run by the new one from now on, also those that would run for longer by the old one. */
  async renewAll(): Promise<void> {
    await Promise.all(
      [...this.#held].map((held) =>
        this.#renew(held, (claim) => {
          held.claim = claim;
        }),
      ),
    );
  }

  /** Of two calls under way at the same time the later lease holds. */
  #take(held: Held, claim: Claim): void {
    if (claim.leaseUntil > held.claim.leaseUntil) held.claim = claim;
  }

  #arm(): void {
    this.#cancelTimer ??= this.#clock.set(this.#clock.now() + this.#lease / 4, () => {
      this.#cancelTimer = undefined;
      for (const held of this.#held) if (this.#isToBeRenewed(held)) void this.#renew(held);
      if (this.#held.size > 0) this.#arm();
    });
  }

  #isToBeRenewed({ claim, renewing }: Held): boolean {
    return !renewing && claim.leaseUntil - this.#now() < (this.#lease * 3) / 4;
  }

  async #renew(held: Held, take = (claim: Claim) => this.#take(held, claim)): Promise<void> {
    held.renewing = true;
    try {
      const now = this.#now();
      take(await this.#store.renew(held.claim, { now, lease: this.#lease }));
    } catch (error) {
      // A store that cannot be asked is asked again: nobody else can have taken the claim before its lease is over.
      if (error instanceof StaleClaimError) held.controller.abort(error);
    } finally {
      held.renewing = false;
    }
  }
}
