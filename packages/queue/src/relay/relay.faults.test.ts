/**
 * Nothing is lost, and nothing arrives twice that no `unknown` tells of: under servers that refuse, stall and drop at random, a store
 * that fails at random, and a process that dies at random, power and all.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QueueStore } from '../contract/queue-store.js';
import { MortalFiles } from '../embedded/disk/mortal-files.test-support.js';
import { LOSES_ALL, SimulatedDisk } from '../embedded/disk/simulated-disk.test-support.js';
import { openStore } from '../embedded/embedded-store.js';
import type { Relay } from './relay.js';
import {
  DELIVERED,
  listed,
  MINUTE,
  refusedConnection,
  replied,
  SECOND,
  settle,
  text,
  World,
} from './relaying.test-support.js';

const DOMAINS = ['example.com', 'example.net', 'example.edu'];

/** What a server does in a delivery. `lost`: the message arrives, and no reply comes. */
const deed = fc.constantFrom('take', 'take', 'take', 'later', 'never', 'refuse', 'lost');
type Deed = 'take' | 'later' | 'never' | 'refuse' | 'lost';

/** What happens to the relay. `die`: power fails; `falter`: the next calls of the store fail. */
const happening = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('accept' as const),
      to: fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), steps: fc.nat({ max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('falter' as const), calls: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
);

/** A store whose next calls fail, as one of a database that is gone. */
function faltering(store: QueueStore, left: { calls: number }): QueueStore {
  const fails = () => {
    if (left.calls <= 0) return false;
    left.calls -= 1;
    return true;
  };
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      if (!['claim', 'settle', 'committing', 'renew', 'giveBack', 'nextDue'].includes(String(name)))
        return member.bind(target);
      return (...given: unknown[]) =>
        fails() ? Promise.reject(new Error('The database is gone')) : member.apply(target, given);
    },
  });
}

class Run {
  readonly world: World;
  readonly #deeds: Iterator<Deed>;
  readonly accepted = new Set<string>();
  readonly arrived = new Map<string, number>();
  disk = new SimulatedDisk('/queue');
  #epoch = 0;
  #mortal = new MortalFiles(this.disk);
  readonly #left = { calls: 0 };
  relay!: Relay;
  store!: QueueStore;
  #messages = 0;

  constructor(deeds: readonly Deed[]) {
    this.#deeds = deeds[Symbol.iterator]();
    this.world = new World((address) => {
      if (!address.includes('@example.')) return DELIVERED;
      const next = this.#deeds.next();
      switch (next.done ? 'take' : next.value) {
        case 'take':
          return DELIVERED;
        case 'later':
          return replied(451, '4.3.0');
        case 'never':
          return replied(550, '5.1.1');
        case 'refuse':
          return refusedConnection;
        case 'lost':
          return { ...DELIVERED, verdict: 'unknown', reason: 'lost' };
      }
    });
    this.world.duration = SECOND;
  }

  async open(): Promise<void> {
    const store = await openStore(this.#mortal.files, '/queue', { epoch: ++this.#epoch, reserve: 0 });
    this.store = faltering(store, this.#left);
    this.relay = this.world.relay(this.store, {
      retry: [MINUTE],
      giveUpAfter: 90 * MINUTE,
      lease: 2 * MINUTE,
      hostname: 'relay.example',
    });
  }

  async accept(to: readonly number[]): Promise<void> {
    const name = `m${this.#messages++}`;
    const recipients = to.map((index) => `${name}-${index}@${DOMAINS[index % DOMAINS.length]}`);
    try {
      const accepting = this.relay.accept({ from: 'ann@sender.org', to: recipients }, text());
      await Promise.race([accepting, this.world.clock.advanceAsync(SECOND).then(() => settle())]);
      await accepting;
      for (const recipient of recipients) this.accepted.add(recipient);
    } catch {
      // It was not answered 250.
    }
  }

  async die(steps: number): Promise<void> {
    this.#mortal.dieAfter(steps);
    await this.world.clock.advanceAsync(5 * SECOND);
    const dead = this.relay;
    await this.#mortal.die();
    void dead.stop({ grace: 0 });
    await this.world.clock.advanceAsync(MINUTE);
    this.disk = this.disk.afterPowerFailure(LOSES_ALL);
    this.#mortal = new MortalFiles(this.disk);
    await this.open();
  }

  async stop(): Promise<void> {
    const stopping = this.relay.stop({ grace: 100 });
    await this.world.clock.advanceAsync(MINUTE);
    await stopping;
    await this.store.close();
    await this.open();
  }

  async end(): Promise<void> {
    this.#left.calls = 0;
    await this.world.clock.advanceAsync(110 * MINUTE);
    expect(await listed(this.store)).toEqual([]);
    await this.relay.stop();
    await this.store.close();
  }

  falter(calls: number): void {
    this.#left.calls = calls;
  }
}

describe('a relay among faults', () => {
  it('loses nothing, and doubles nothing without an unknown', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(deed, { maxLength: 60 }),
        fc.array(happening, { minLength: 1, maxLength: 12 }),
        async (deeds, happenings) => {
          const run = new Run(deeds);
          await run.open();
          for (const each of happenings) {
            if (each.kind === 'accept') await run.accept(each.to);
            else if (each.kind === 'wait') await run.world.clock.advanceAsync(each.seconds * SECOND);
            else if (each.kind === 'die') await run.die(each.steps);
            else if (each.kind === 'falter') run.falter(each.calls);
            else await run.stop();
          }
          await run.end();
          const { world, accepted } = run;
          const bounced = new Set(
            world
              .of('recipient')
              .filter(({ state }) => state === 'bounced')
              .map(({ recipient }) => `${recipient.localPart}@${recipient.domain}`),
          );
          const unknown = new Map<string, number>();
          for (const { recipient } of world.of('unknown')) {
            const address = `${recipient.localPart}@${recipient.domain}`;
            unknown.set(address, (unknown.get(address) ?? 0) + 1);
          }
          for (const address of accepted) {
            const copies = world.sent.filter(({ taken }) => taken.includes(address)).length;
            expect(copies > 0 || bounced.has(address), `${address} is lost`).toBe(true);
            expect(copies <= 1 + (unknown.get(address) ?? 0), `${address} came ${copies} times`).toBe(true);
          }
        },
      ),
      { numRuns: Number(process.env.RELAY_RUNS ?? 25) },
    );
  }, 120_000);
});
