/**
 * What a compliance case is made of: a store to try, and how to end it. Nothing here knows a test runner, a timer or a
 * runtime.
 */
import type { Attempt, Claim, NewMessage, QueuedMessage, Settlement } from '../contract/messages.js';
import type { QueueLimits, QueueStore } from '../contract/queue-store.js';

/** One place where a store stores, empty at first. */
export interface StoreUnderTest {
  /** Opens a store on what is stored; called again after a crash or `close()`. @param limits default: its own */
  open(limits?: QueueLimits): Promise<QueueStore>;
  /**
   * The process that has the store open dies, and all power fails: whatever it has not made safe is gone. It resolves when
   * nothing of it is under way any more; what was called of it may reject, or never settle.
   */
  crash(): Promise<void>;
  /**
   * From now on the store dies by itself after so many steps that reach the disk or the database: each call then rejects
   * and does nothing. Zero: at once. `crash()` follows.
   */
  dieAfter(steps: number): void;
}

/** Thrown by a case: what the store did, and what the contract says. */
export class StoreComplianceError extends Error {
  override readonly name = 'StoreComplianceError';
}

/** One promise of the contract. `run` resolves when it is kept and rejects when it is broken. */
export interface StoreComplianceCase {
  readonly name: string;
  /** @param create makes a place that is empty; some cases need many */
  readonly run: (create: () => Promise<StoreUnderTest>) => Promise<void>;
}

/** When the cases begin: milliseconds since 1970 UTC. */
export const NOW = Date.UTC(2030, 0, 1);

export const MINUTE = 60_000;

export class Bench {
  readonly under: StoreUnderTest;
  store: QueueStore;

  constructor(under: StoreUnderTest, store: QueueStore) {
    this.under = under;
    this.store = store;
  }

  expect(what: string, holds: boolean): void {
    if (!holds) throw new StoreComplianceError(`Does not hold: ${what}`);
  }

  equal(what: string, found: unknown, expected: unknown): void {
    const [one, other] = [written(found), written(expected)];
    if (one !== other)
      throw new StoreComplianceError(`Does not hold: ${what}; expected ${other}, found ${one}`);
  }

  /** @param name the name of the error that it has to throw */
  async rejects(what: string, promise: Promise<unknown>, name: string): Promise<void> {
    const thrown: unknown = await promise.then(
      () => undefined,
      (error) => error,
    );
    const found = thrown instanceof Error ? thrown.name : thrown;
    if (found !== name)
      throw new StoreComplianceError(`Does not hold: ${what} throws ${name}; found ${found}`);
  }

  async crash(): Promise<void> {
    await this.under.crash();
    this.store = await this.under.open();
  }

  async reopen(limits?: QueueLimits): Promise<void> {
    await this.store.close();
    this.store = await this.under.open(limits);
  }

  put(
    to: readonly string[],
    more: Partial<NewMessage> = {},
    body = 'Subject: a\r\n\r\n',
  ): Promise<QueuedMessage> {
    return this.store.put({ envelope: envelopeTo(to), now: NOW, ...more }, chunksOf(octetsOf(body)));
  }

  async claims(now = NOW, limit = 100): Promise<readonly Claim[]> {
    return this.store.claim({ now, lease: MINUTE, limit });
  }

  /** The claim of what has to be due. */
  async claim(now = NOW): Promise<Claim> {
    const [claim, ...others] = await this.claims(now);
    if (claim === undefined || others.length > 0) {
      throw new StoreComplianceError(
        `Does not hold: one claim is given; found ${others.length + (claim ? 1 : 0)}`,
      );
    }
    return claim;
  }

  async shown(id: string): Promise<QueuedMessage> {
    const message = await this.store.show(id);
    if (message === undefined) throw new StoreComplianceError(`Does not hold: message ${id} is in the queue`);
    return message;
  }

  async listed(): Promise<readonly QueuedMessage[]> {
    return collect(this.store.list());
  }
}

/** As JSON, properties in the order of their names. */
function written(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}

export function storeCase(name: string, run: (bench: Bench) => Promise<void>): StoreComplianceCase {
  return {
    name,
    async run(create) {
      const under = await create();
      const bench = new Bench(under, await under.open());
      await run(bench);
      await bench.store.close();
    },
  };
}

export function envelopeTo(to: readonly string[], from = 'ann'): NewMessage['envelope'] {
  const recipients = to.map((address) => {
    const [localPart = '', domain = ''] = address.split('@');
    return { localPart, domain };
  });
  return { reversePath: { localPart: from, domain: 'example.org' }, recipients };
}

export function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Octets that differ from place to place. */
export function pattern(length: number, seed: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let i = 0; i < length; i++) octets[i] = i * 7 + (i >> 8) * 13 + seed;
  return octets;
}

export async function* chunksOf(octets: Uint8Array, size = 16_384): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < octets.length; start += size) yield octets.subarray(start, start + size);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Whether a body is these octets. */
export async function isBody(body: AsyncIterable<Uint8Array>, expected: Uint8Array): Promise<boolean> {
  let position = 0;
  for await (const chunk of body) {
    for (let i = 0; i < chunk.length; i++) if (chunk[i] !== expected[position + i]) return false;
    position += chunk.length;
  }
  return position === expected.length;
}

const VERDICTS = { delivered: 'delivered', bounced: 'rejected', waiting: 'deferred' } as const;

export function attemptOf(state: Settlement['state'], at = NOW): Attempt {
  return { at, verdict: VERDICTS[state], reply: '250 2.0.0 OK', host: 'mx.example', reason: state };
}

export function finished(place: number, state: 'delivered' | 'bounced' = 'delivered'): Settlement {
  return { place, state, attempt: attemptOf(state) };
}

export function deferred(place: number, next: number): Settlement {
  return { place, state: 'waiting', next, attempt: attemptOf('waiting') };
}
