/** The compliance suite is a test of stores only if it notices broken ones: each of these breaks one promise. */
import { describe, expect, it } from 'vitest';
import type { Claim } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import { MortalFiles } from '../embedded/disk/mortal-files.test-support.js';
import { LOSES_ALL, SimulatedDisk } from '../embedded/disk/simulated-disk.test-support.js';
import { openStore } from '../embedded/embedded-store.js';
import { StoreComplianceError, type StoreUnderTest, storeComplianceCases } from './index.js';

/** The case that takes long is tried by itself, in `power-failure.test.ts`. */
const cases = storeComplianceCases.filter(({ name }) => !name.includes('at any step'));

async function under(change: (store: QueueStore) => Partial<QueueStore>): Promise<StoreUnderTest> {
  let disk = new SimulatedDisk('/queue');
  let mortal = new MortalFiles(disk);
  let epoch = 0;
  return {
    async open(limits) {
      const store = await openStore(mortal.files, '/queue', { epoch: ++epoch, reserve: 0, ...limits });
      return Object.assign(delegating(store), change(store));
    },
    dieAfter: (steps) => mortal.dieAfter(steps),
    async crash() {
      await mortal.die();
      disk = disk.afterPowerFailure(LOSES_ALL);
      mortal = new MortalFiles(disk);
    },
  };
}

function delegating(store: QueueStore): QueueStore {
  return {
    put: (message, body) => store.put(message, body),
    claim: (request) => store.claim(request),
    nextDue: () => store.nextDue(),
    subscribe: (listener) => store.subscribe(listener),
    renew: (claim, lease) => store.renew(claim, lease),
    committing: (claim, now, places) => store.committing(claim, now, places),
    settle: (claim, settlements, put) => store.settle(claim, settlements, put),
    giveBack: (claim) => store.giveBack(claim),
    body: (id) => store.body(id),
    hold: (id) => store.hold(id),
    release: (id) => store.release(id),
    drop: (id) => store.drop(id),
    retry: (selection, now) => store.retry(selection, now),
    list: () => store.list(),
    show: (id) => store.show(id),
    count: () => store.count(),
    domains: () => store.domains(),
    close: () => store.close(),
  };
}

async function* shortened(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield chunk.subarray(0, 65_535);
}

const broken: Record<string, (store: QueueStore) => Partial<QueueStore>> = {
  'loses an octet': (store) => ({ body: (id) => shortened(store.body(id)) }),
  'puts what the body did not end': (store) => ({
    put: async (message, body) => {
      async function* patient() {
        try {
          yield* body;
        } catch {}
      }
      return store.put(message, patient());
    },
  }),
  'forgets to be held': (store) => ({
    put: (message, body) => store.put({ ...message, held: false }, body),
  }),
  'puts before it reads': (store) => ({
    put: async (message, body) => {
      void store.put(message, body).catch(() => {});
      return store.put(message, body);
    },
  }),
  'gives what is not due': (store) => ({
    claim: (request) => store.claim({ ...request, now: request.now + 2e9 }),
  }),
  'gives more than was asked for': (store) => ({
    claim: (request) => store.claim({ ...request, limit: 1000 }),
  }),
  'does not heed the domain': (store) => ({ claim: ({ domain: _, ...request }) => store.claim(request) }),
  'does not heed exceptions': (store) => ({ claim: ({ except: _, ...request }) => store.claim(request) }),
  'does not heed where domains go': (store) => ({
    claim: ({ destinationOf: _, ...request }) => store.claim(request),
  }),
  'gives fencing numbers from one on': (store) => {
    let count = 0;
    const fences = new Map<number, number>();
    const real = (claim: Claim): Claim => ({ ...claim, fence: fences.get(claim.fence) ?? -1 });
    return {
      claim: async (request) =>
        (await store.claim(request)).map((claim) => {
          fences.set(++count, claim.fence);
          return { ...claim, fence: count };
        }),
      renew: async (claim, lease) => ({ ...(await store.renew(real(claim), lease)), fence: claim.fence }),
      committing: async (claim, now, places) => ({
        ...(await store.committing(real(claim), now, places)),
        fence: claim.fence,
      }),
      settle: (claim, settlements, put) => store.settle(real(claim), settlements, put),
      giveBack: (claim) => store.giveBack(real(claim)),
    };
  },
  'never takes a claim back': (store) => ({
    claim: (request) => store.claim({ ...request, lease: Number.MAX_SAFE_INTEGER }),
  }),
  'does not renew': () => ({ renew: async (claim) => claim }),
  'stores nothing of committing': (store) => ({
    committing: (claim, now) => store.renew(claim, { now, lease: 660_000 }),
  }),
  'takes all recipients of a claim for committing': (store) => ({
    committing: (claim, now) => store.committing(claim, now),
  }),
  'does not lengthen the lease for committing': (store) => ({
    committing: async (claim, now, places) => {
      const { leaseUntil } = claim;
      await store.committing(claim, now, places);
      return { ...claim, leaseUntil };
    },
  }),
  'settles anything without a word': (store) => ({
    settle: (claim, settlements, put) => store.settle(claim, settlements, put).catch(() => undefined),
  }),
  'settles all alike': (store) => ({
    settle: async (claim, settlements, put) => {
      for (const settlement of settlements) await store.settle(claim, [settlement]);
      return put && store.put(put.message, put.body);
    },
  }),
  'does not give back': () => ({ giveBack: async () => {} }),
  'does not hold': () => ({ hold: async () => true }),
  'does not release': () => ({ release: async () => true }),
  'does not drop': () => ({ drop: async () => true }),
  'retries all': (store) => ({ retry: (_, now) => store.retry({ all: true }, now) }),
  'does not know when': () => ({ nextDue: async () => undefined }),
  'tells nobody': () => ({ subscribe: () => () => {} }),
  'tells nobody once a listener has thrown': (store) => {
    let hasThrown = false;
    return {
      subscribe: (listener) =>
        store.subscribe(() => {
          try {
            if (!hasThrown) listener();
          } catch {
            hasThrown = true;
          }
        }),
    };
  },
  'tells for ever': (store) => ({
    subscribe: (listener) => {
      store.subscribe(listener);
      return () => {};
    },
  }),
  'counts nothing': () => ({
    count: async () => ({ waiting: 0, held: 0, delivering: 0, octets: 0, oldest: {} }),
  }),
  'does not know how old its mail is': (store) => ({
    count: async () => ({ ...(await store.count()), oldest: {} }),
  }),
  'counts recipients, not messages': (store) => ({
    async *domains() {
      const counts = new Map<string, number>();
      for await (const { recipients } of store.list())
        for (const { domain, state } of recipients)
          if (state === 'waiting') counts.set(domain, (counts.get(domain) ?? 0) + 1);
      for (const [domain, messages] of counts) yield { domain, messages };
    },
  }),
  'takes all for mail of one sender': (store) => ({
    put: (message, body) => store.put({ ...message, sender: 'one' }, body),
  }),
  'forgets marks': (store) => ({
    settle: (claim, settlements, put) =>
      store.settle(
        claim,
        settlements.map((each) => ({ ...each, marks: {} })),
        put,
      ),
  }),
  'counts an attempt where there was none': (store) => ({
    settle: (claim, settlements, put) => {
      const last = { at: 0, verdict: 'deferred', reply: null, host: null, reason: '' } as const;
      const attempted = settlements.map((each) => ({ ...each, attempt: each.attempt ?? last }));
      return store.settle(claim, attempted, put);
    },
  }),
  'settles before the notification is put': (store) => ({
    settle: async (claim, settlements, put) => {
      await store.settle(claim, settlements);
      return put && store.put(put.message, put.body);
    },
  }),
  'puts the notification before it settles': (store) => ({
    settle: async (claim, settlements, put) => {
      const notification = put && (await store.put(put.message, put.body));
      await store.settle(claim, settlements);
      return notification;
    },
  }),
};

async function runAll(change: (store: QueueStore) => Partial<QueueStore>): Promise<void> {
  for (const { run } of cases) await run(() => under(change));
}

describe('the compliance suite refuses a store that', () => {
  it.each(Object.entries(broken))('%s', async (_, change) => {
    await expect(runAll(change)).rejects.toThrow();
  });

  it('loses what it promised in a crash', async () => {
    const create = async (): Promise<StoreUnderTest> => {
      let lost = await under(() => ({}));
      return {
        open: () => lost.open(),
        dieAfter: () => {},
        async crash() {
          await lost.crash();
          lost = await under(() => ({}));
        },
      };
    };
    const run = async () => {
      for (const each of cases) await each.run(create);
    };
    await expect(run()).rejects.toThrow(StoreComplianceError);
  });

  it('does not heed its limits', async () => {
    const create = async (): Promise<StoreUnderTest> => {
      const store = await under(() => ({}));
      return { ...store, open: () => store.open() };
    };
    const run = async () => {
      for (const each of cases) await each.run(create);
    };
    await expect(run()).rejects.toThrow(StoreComplianceError);
  });

  it('(but none that is only wrapped)', async () => {
    await expect(runAll(() => ({}))).resolves.toBeUndefined();
  });
});
