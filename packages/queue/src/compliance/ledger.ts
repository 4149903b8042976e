/**
 * A ledger of what a store was told and what it promised, to be compared with what it has after a crash.
 *
 * What was promised must hold. What was begun and never answered may hold or not, but whole. What was never begun must not.
 */
import type { Claim, NewMessage, Settlement } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import {
  chunksOf,
  collect,
  envelopeTo,
  isBody,
  NOW,
  octetsOf,
  pattern,
  StoreComplianceError,
} from './bench.js';

const ANN = 'ann@example.org';

/** begun: may hold or not. */
type Promised = 'no' | 'begun' | 'yes';

interface PlaceEntry {
  finished: Promised;
  committing: Promised;
}

interface Entry {
  readonly label: string;
  readonly body: Uint8Array;
  readonly places: readonly PlaceEntry[];
  put: Promised;
  /** Absent: it was last said to be free, and promised. */
  held: Promised;
  dropped: Promised;
  /** What it was put with: the one is stored if and only if the other is. */
  settledWith?: { readonly entry: Entry; readonly place: number };
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  #highestFence = 0;

  /** Puts a message whose sender is the label, by which it is known again. */
  async put(
    store: QueueStore,
    label: string,
    to: readonly string[],
    size: number,
    more: Partial<NewMessage> = {},
  ): Promise<string> {
    const { entry, message } = this.#begin(label, to, size, more);
    const { id } = await store.put(message, chunksOf(entry.body));
    entry.put = 'yes';
    if (more.held === true) entry.held = 'yes';
    return id;
  }

  #begin(label: string, to: readonly string[], size: number, more: Partial<NewMessage>) {
    // What could be taken for a record of a journal, if a store were careless.
    const body = size > 0 ? pattern(size, label.length) : octetsOf('\0\0\0\0\0\0\0\0');
    const entry: Entry = {
      label,
      body,
      places: to.map(() => ({ finished: 'no', committing: 'no' })),
      put: 'begun',
      held: more.held === true ? 'begun' : 'no',
      dropped: 'no',
    };
    this.#entries.set(label, entry);
    const message: NewMessage = { envelope: envelopeTo(to, label), now: NOW, ...more };
    return { entry, message };
  }

  async claims(store: QueueStore, now: number): Promise<readonly Claim[]> {
    const claims = await store.claim({ now, lease: 60_000, limit: 1000 });
    for (const { fence } of claims) {
      if (fence <= this.#highestFence) fail(`the number ${fence} is higher than ${this.#highestFence}`);
      this.#highestFence = fence;
    }
    return claims;
  }

  async committing(store: QueueStore, claim: Claim): Promise<void> {
    const places = this.#places(claim);
    for (const place of places) place.committing = 'begun';
    await store.committing(claim, NOW);
    for (const place of places) place.committing = 'yes';
  }

  async settle(store: QueueStore, claim: Claim, settlements: readonly Settlement[]): Promise<void> {
    const entry = this.#entryOf(claim.message.envelope);
    const settled = settlements.map((settlement) => ({
      settlement,
      place: entry.places[settlement.place] as PlaceEntry,
    }));
    for (const { settlement, place } of settled) {
      if (settlement.state !== 'waiting') place.finished = 'begun';
      if (place.committing === 'yes') place.committing = 'begun';
    }
    await store.settle(claim, settlements);
    for (const { settlement, place } of settled) {
      if (settlement.state !== 'waiting') place.finished = 'yes';
      place.committing = 'no';
    }
  }

  /** Bounces the first recipient of a claim, with a notification of that size. */
  async bounce(store: QueueStore, claim: Claim, settlement: Settlement, size: number): Promise<void> {
    const bounced = this.#entryOf(claim.message.envelope);
    const place = bounced.places[settlement.place] as PlaceEntry;
    const more = { due: NOW + 1e9 };
    const { entry, message } = this.#begin(`notification-${bounced.label}`, [ANN], size, more);
    entry.settledWith = { entry: bounced, place: settlement.place };
    place.finished = 'begun';
    await store.settle(claim, [settlement], { message, body: chunksOf(entry.body) });
    place.finished = 'yes';
    entry.put = 'yes';
  }

  async hold(store: QueueStore, label: string, id: string): Promise<void> {
    const entry = this.#entry(label);
    entry.held = 'begun';
    await store.hold(id);
    entry.held = 'yes';
  }

  async release(store: QueueStore, label: string, id: string): Promise<void> {
    const entry = this.#entry(label);
    entry.held = 'begun';
    await store.release(id);
    entry.held = 'no';
  }

  async drop(store: QueueStore, label: string, id: string): Promise<void> {
    const entry = this.#entry(label);
    entry.dropped = 'begun';
    await store.drop(id);
    entry.dropped = 'yes';
  }

  /** As it stands now; what is entered into the one is not in the other. */
  copy(): Ledger {
    const copy = new Ledger();
    copy.#highestFence = this.#highestFence;
    for (const [label, entry] of this.#entries) {
      copy.#entries.set(label, { ...entry, places: entry.places.map((place) => ({ ...place })) });
    }
    for (const entry of copy.#entries.values()) {
      if (entry.settledWith === undefined) continue;
      const { entry: bounced, place } = entry.settledWith;
      entry.settledWith = { entry: copy.#entry(bounced.label), place };
    }
    return copy;
  }

  /** Compares a store that was opened after a crash. It is not changed, except that claims are taken. */
  async check(store: QueueStore): Promise<void> {
    const found = new Set<string>();
    /** Recipients that are still to be delivered to, as `label place`. */
    const waiting = new Set<string>();
    for (const message of await collect(store.list())) {
      const entry = this.#entryOf(message.envelope);
      const { label } = entry;
      if (found.has(label)) fail(`${label} is there once`);
      found.add(label);
      if (entry.dropped === 'yes') fail(`${label} was dropped and does not come back`);
      if (!(await isBody(store.body(message.id), entry.body))) fail(`${label} has its body`);
      if (entry.held === 'yes' && message.state !== 'held') fail(`${label} is held`);
      if (entry.held === 'no' && message.state !== 'waiting') fail(`${label} waits`);
      for (const [i, place] of entry.places.entries()) {
        const recipient = message.recipients[i];
        const isFinished = recipient?.state !== 'waiting';
        if (!isFinished) waiting.add(`${label} ${i}`);
        if (place.finished === 'yes' && !isFinished)
          fail(`${label} is not delivered again to recipient ${i}`);
        if (place.finished === 'no' && isFinished)
          fail(`${label} is still to be delivered to recipient ${i}`);
        if (place.committing === 'yes' && recipient?.last?.verdict !== 'unknown') {
          fail(`${label} may have been sent to recipient ${i}, and says so`);
        }
        if (place.committing === 'no' && recipient?.last?.verdict === 'unknown') {
          fail(`${label} was never sent to recipient ${i}, or it was settled, and says so`);
        }
      }
    }
    for (const { label, put, places, dropped, settledWith } of this.#entries.values()) {
      if (settledWith !== undefined) {
        const { entry, place } = settledWith;
        const isWaiting = waiting.has(`${entry.label} ${place}`);
        if (found.has(label) === isWaiting) fail(`${label} is there if and only if that was settled`);
      }
      const mayBeGone = dropped !== 'no' || places.every(({ finished }) => finished !== 'no');
      if (put === 'yes' && !mayBeGone && !found.has(label)) fail(`${label} was accepted and is there`);
    }
    await this.claims(store, NOW + 86_400_000);
  }

  #places({ message, places }: Claim): PlaceEntry[] {
    const entry = this.#entryOf(message.envelope);
    return places.map((place) => entry.places[place] as PlaceEntry);
  }

  #entryOf({ reversePath }: NewMessage['envelope']): Entry {
    return this.#entry(reversePath?.localPart ?? '');
  }

  #entry(label: string): Entry {
    return this.#entries.get(label) ?? fail(`the message of ${label} was ever put`);
  }
}

function fail(what: string): never {
  throw new StoreComplianceError(`Does not hold after the crash: ${what}`);
}

/**
 * A story in which each method of a store has its part, many at a time. It ends early where the store dies.
 * @returns whether it came to its end
 */
export async function tellStory(store: QueueStore, ledger: Ledger): Promise<boolean> {
  try {
    await chapters(store, ledger);
    return true;
  } catch (error) {
    if (error instanceof StoreComplianceError) throw error;
    return false;
  }
}

const BOB = 'bob@example.com';
const EVE = 'eve@example.net';

/** Waits for all, so that nothing goes on behind a failure. */
async function together(tasks: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function chapters(store: QueueStore, ledger: Ledger): Promise<void> {
  const attempt = (verdict: 'delivered' | 'rejected' | 'deferred' | 'unknown') =>
    ({ at: NOW, verdict, reply: null, host: null, reason: verdict }) as const;
  const delivered = (place: number) =>
    ({ place, state: 'delivered', attempt: attempt('delivered') }) as const;
  const deferred = (place: number) =>
    ({ place, state: 'waiting', next: NOW + 5_000, attempt: attempt('deferred') }) as const;

  const staying = await ledger.put(store, 'staying', [BOB, EVE], 300, { due: NOW + 1e9 });
  await together([
    ledger.put(store, 'small', [BOB, 'joe@example.com', EVE], 200),
    ledger.put(store, 'large', [BOB, EVE], 150_000),
    ledger.put(store, 'empty', [EVE], 0),
    ledger.put(store, 'asleep', [BOB], 70_000, { held: true }),
  ]);
  await ledger.hold(store, 'staying', staying);

  const claims = await ledger.claims(store, NOW);
  await together(claims.map((claim) => ledger.committing(store, claim)));
  await together(
    claims.map(async (claim) => {
      const { places } = claim;
      const settlement = claim.domain === 'example.com' ? deferred : delivered;
      for (const place of places) await ledger.settle(store, claim, [settlement(place)]);
    }),
  );

  for (let round = 0; round < 4; round++) {
    const labels = [1, 2, 3].map((i) => `round${round}-${i}`);
    await together(labels.map((label) => ledger.put(store, label, [BOB], 150)));
    const due = await ledger.claims(store, NOW);
    await together(due.map((claim) => ledger.settle(store, claim, claim.places.map(delivered))));
  }
  await ledger.release(store, 'staying', staying);

  for (const size of [200, 70_000]) {
    await ledger.put(store, `bouncing-${size}`, [BOB], 100);
    for (const claim of await ledger.claims(store, NOW)) {
      const settlement = { place: 0, state: 'bounced', attempt: attempt('rejected') } as const;
      await ledger.bounce(store, claim, settlement, size);
    }
  }

  const doomed = await ledger.put(store, 'doomed', [BOB], 90_000);
  await ledger.drop(store, 'doomed', doomed);
  for (const claim of await ledger.claims(store, NOW + 5_000)) await ledger.committing(store, claim);
}
