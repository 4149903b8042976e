/**
 * Nothing is lost, and nothing arrives twice that no `unknown` tells of: under servers that refuse, stall and drop at random, a store
 * that fails at random, and a process that dies at random, power and all. That these stories would show it: relays that are broken on
 * purpose, each with the shortest story that it does not survive.
 */
import { formatMailbox } from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMITTING_LEASE } from '../contract/lease.js';
import type { QueuedMessage } from '../contract/messages.js';
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

const SENDER = 'ann@sender.org';
const DOMAINS = ['example.com', 'example.net', 'example.edu'];

/** What a server does in a delivery. `lost`: the message arrives, and no reply comes. */
const deed = fc.constantFrom('take', 'take', 'take', 'later', 'never', 'refuse', 'lost');
type Deed = 'take' | 'later' | 'never' | 'refuse' | 'lost';

type Happening =
  | { readonly kind: 'accept'; readonly to: readonly number[] }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'die'; readonly steps: number }
  | { readonly kind: 'falter'; readonly after: number; readonly calls: number }
  | { readonly kind: 'stop' };

/** What happens to the relay. `die`: power fails, after some more steps of the disk; `falter`: after some more
 * calls, the store fails for some. */
const happening = fc.oneof<fc.WeightedArbitrary<Happening>[]>(
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
    arbitrary: fc.record({
      kind: fc.constant('falter' as const),
      after: fc.nat({ max: 5 }),
      calls: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
);

/** A store of which calls fail that come after some others, as one of a database that is gone. */
function faltering(store: QueueStore, left: { after: number; calls: number }): QueueStore {
  const fails = () => {
    if (left.calls <= 0) return false;
    left.after -= 1;
    if (left.after >= 0) return false;
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

/** What a broken relay makes of its store. */
type Breakage = (store: QueueStore) => Partial<QueueStore>;

function replacing(store: QueueStore, methods: Partial<QueueStore>): QueueStore {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(name in methods ? methods : target, name) as unknown;
      return typeof member === 'function' && !(name in methods) ? member.bind(target) : member;
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
  readonly #left = { after: 0, calls: 0 };
  relay!: Relay;
  store!: QueueStore;
  #messages = 0;
  readonly #breakage: Breakage;

  constructor(deeds: readonly Deed[], breakage: Breakage) {
    this.#breakage = breakage;
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
    this.world.replyDuration = SECOND;
  }

  async open(): Promise<void> {
    const store = await openStore(this.#mortal.files, '/queue', { epoch: ++this.#epoch, reserve: 0 });
    const sound = faltering(store, this.#left);
    this.store = replacing(sound, this.#breakage(sound));
    const { world } = this;
    const process = this.#mortal;
    this.relay = world.relay(this.store, {
      // A process that has died says nothing any more, and sends nothing.
      observer: (event) => {
        if (!process.isDead) world.events.push(event);
      },
      mailer: {
        send: (envelope, body, options) =>
          world.mailer.send(envelope, body, {
            ...options,
            async beforeFinalDot(accepted) {
              await options?.beforeFinalDot?.(accepted);
              if (process.isDead) throw new Error('The process has died');
            },
          }),
      },
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
      const accepting = this.relay.accept({ from: SENDER, to: recipients }, text());
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
    expect(await listed(this.store), 'The queue is not empty').toEqual([]);
    await this.relay.stop();
    await this.store.close();
  }

  falter(after: number, calls: number): void {
    this.#left.after = after;
    this.#left.calls = calls;
  }
}

/** @throws something was lost, or came twice without an `unknown` */
async function live(
  deeds: readonly Deed[],
  happenings: readonly Happening[],
  breakage: Breakage = () => ({}),
): Promise<void> {
  const run = new Run(deeds, breakage);
  await run.open();
  for (const each of happenings) {
    if (each.kind === 'accept') await run.accept(each.to);
    else if (each.kind === 'wait') await run.world.clock.advanceAsync(each.seconds * SECOND);
    else if (each.kind === 'die') await run.die(each.steps);
    else if (each.kind === 'falter') run.falter(each.after, each.calls);
    else await run.stop();
  }
  await run.end();
  const { world, accepted } = run;
  const notifications = world.sent.filter(({ taken }) => taken.includes(SENDER));
  const unknown = new Map<string, number>();
  for (const { recipient } of world.of('unknown')) {
    const address = formatMailbox(recipient);
    unknown.set(address, (unknown.get(address) ?? 0) + 1);
  }
  for (const address of accepted) {
    const copies = world.sent.filter(({ taken }) => taken.includes(address)).length;
    const isBounced = notifications.some(({ text }) => text?.includes(address));
    expect(copies > 0 || isBounced, `${address} is lost`).toBe(true);
    expect(copies <= 1 + (unknown.get(address) ?? 0), `${address} came ${copies} times`).toBe(true);
  }
}

it('a relay among faults loses nothing, and doubles nothing without an unknown', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(deed, { maxLength: 60 }),
      fc.array(happening, { minLength: 1, maxLength: 12 }),
      (deeds, happenings) => live(deeds, happenings),
    ),
    { numRuns: Number(process.env.RELAY_RUNS ?? 15) },
  );
}, 240_000);

interface BrokenRelay {
  readonly breakage: () => Breakage;
  readonly deeds: readonly Deed[];
  readonly happenings: readonly Happening[];
  readonly seen: RegExp;
}

const BROKEN: Readonly<Record<string, BrokenRelay>> = {
  'stores neither what a server said nor that it was asked': {
    breakage: () => {
      let skipped = false;
      return (store) => ({
        committing: (claim, now) => store.renew(claim, { now, lease: COMMITTING_LEASE }),
        async settle(...given) {
          if (skipped) return store.settle(...given);
          skipped = true;
          return undefined;
        },
      });
    },
    deeds: [],
    happenings: [{ kind: 'accept', to: [0] }],
    seen: /came 2 times/,
  },
  'does not store that the end of the message follows': {
    breakage: () => (store) => ({
      committing: (claim, now) => store.renew(claim, { now, lease: COMMITTING_LEASE }),
    }),
    deeds: [],
    happenings: [
      { kind: 'accept', to: [0] },
      { kind: 'die', steps: 0 },
    ],
    seen: /came 2 times/,
  },
  'gives back what a server has taken': {
    breakage: () => {
      let given = false;
      return (store) => ({
        async settle(claim, ...rest) {
          if (given) return store.settle(claim, ...rest);
          given = true;
          await store.giveBack(claim);
          return undefined;
        },
      });
    },
    deeds: [],
    happenings: [{ kind: 'accept', to: [0] }],
    seen: /came 2 times/,
  },
  'puts the notification after the settlement': {
    breakage: () => (store) => ({
      async settle(claim, settlements, put) {
        await store.settle(claim, settlements);
        return put && store.put(put.message, put.body);
      },
    }),
    deeds: ['never'],
    happenings: [{ kind: 'accept', to: [0] }],
    seen: /is lost/,
  },
  'forgets whom it is to try again': {
    breakage: () => (store) => ({
      settle: (claim, settlements, put) =>
        store.settle(
          claim,
          settlements.map((each) => {
            const { place, attempt } = each;
            return attempt === undefined ? each : { place, state: 'delivered', attempt };
          }),
          put,
        ),
    }),
    deeds: ['later'],
    happenings: [{ kind: 'accept', to: [0] }],
    seen: /is lost/,
  },
  'answers before the message is safe': {
    breakage: () => (store) => ({
      async put(message, body) {
        void store.put(message, body).catch(() => {});
        return { id: 'x', sender: '', size: 0, recipients: [] } as unknown as QueuedMessage;
      },
    }),
    deeds: [],
    happenings: [
      { kind: 'accept', to: [0] },
      { kind: 'die', steps: 0 },
    ],
    seen: /is lost/,
  },
};

describe('it would be seen of a relay that', () => {
  it.each(Object.entries(BROKEN))('%s', async (_, { breakage, deeds, happenings, seen }) => {
    await expect(live(deeds, happenings, breakage())).rejects.toThrow(seen);
    await live(deeds, happenings);
  });
});
