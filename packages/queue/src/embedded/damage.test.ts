/**
 * The disk changes an octet of what was synced to it, in each kind of record: it is told once, a copy of what is left is there, and all
 * other mail goes on. What was accepted is delivered, or told of.
 */
import { describe, expect, it } from 'vitest';
import type { Claim, Settlement } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import type { QueueDamage } from './damaged-folder.js';
import type { FileSystem } from './disk/file-system.js';
import { KEEPS_ALL, SimulatedDisk } from './disk/simulated-disk.test-support.js';
import { openStore } from './embedded-store.js';

const NOW = Date.UTC(2030, 0, 1);
const SEGMENT_OCTETS = 3000;

interface Opened {
  readonly store: QueueStore;
  readonly damages: QueueDamage[];
}

async function open(disk: FileSystem, epoch: number): Promise<Opened> {
  const damages: QueueDamage[] = [];
  const onDamage = (damage: QueueDamage) => damages.push(damage);
  const options = { epoch, reserve: 0, segmentOctets: SEGMENT_OCTETS, onDamage };
  return { store: await openStore(disk, '/queue', options), damages };
}

async function put(store: QueueStore, localPart: string, size = 200): Promise<string> {
  const recipients = [
    { localPart, domain: 'example.com' },
    { localPart, domain: 'example.net' },
  ];
  async function* body() {
    yield new Uint8Array(size).fill(98);
  }
  return (await store.put({ envelope: { reversePath: null, recipients }, now: NOW }, body())).id;
}

const claim = async (store: QueueStore, domain: string): Promise<Claim> => {
  const [claimed] = await store.claim({ now: NOW, lease: 60_000, domain });
  if (claimed === undefined) throw new Error('Nothing is due');
  return claimed;
};

const attempt = { at: NOW, verdict: 'deferred', reply: null, host: null, reason: '' } as const;
const deferred = (next = NOW): Settlement => ({ place: 0, state: 'waiting', next, attempt });
const delivered = (place: number): Settlement => ({
  place,
  state: 'delivered',
  attempt: { ...attempt, verdict: 'delivered' },
});

/** What is done to the message that is damaged; the record in question is the last one that has `text`. */
const RECORDS: Record<
  string,
  { readonly text: string; run(store: QueueStore, id: string): Promise<unknown> }
> = {
  'that it was put': { text: '"localPart":"damaged"', run: async () => {} },
  'that it is held': { text: '"t":"held"', run: (store, id) => store.hold(id) },
  'that an attempt is committing': {
    text: '"t":"committing"',
    run: async (store) => store.committing(await claim(store, 'example.com'), NOW),
  },
  'that it was given back': {
    text: '"t":"givenBack"',
    run: async (store) => store.giveBack(await store.committing(await claim(store, 'example.com'), NOW)),
  },
  'of a settlement': {
    text: '"t":"settled"',
    run: async (store) => store.settle(await claim(store, 'example.com'), [deferred()]),
  },
  'of a settlement with a notification': {
    text: '"settles"',
    run: async (store) => {
      async function* body() {
        yield new Uint8Array(10);
      }
      const envelope = { reversePath: null, recipients: [{ localPart: 'sender', domain: 'example.org' }] };
      await store.settle(await claim(store, 'example.com'), [delivered(0)], {
        message: { envelope, now: NOW },
        body: body(),
      });
    },
  },
  'that it was made due': {
    text: '"t":"due"',
    run: (store, id) => store.retry({ ids: [id] }, NOW),
  },
};

async function filesOf(disk: SimulatedDisk): Promise<readonly string[]> {
  return (await disk.list('/queue')).filter((name) => name.startsWith('journal-')).sort();
}

/** Changes an octet where a text stands last. @param after octets from its beginning */
async function flip(disk: SimulatedDisk, text: string, after = 1): Promise<string> {
  for (const name of [...(await filesOf(disk))].reverse()) {
    const file = await disk.open(`/queue/${name}`);
    const content = Buffer.from(await file.read(0, await file.size()));
    const at = content.lastIndexOf(text);
    if (at === -1) continue;
    await file.write(Uint8Array.of(content.readUInt8(at + after) ^ 1), at + after);
    await file.sync();
    return name;
  }
  throw new Error(`No segment has ${text}`);
}

async function listed(store: QueueStore): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { recipients } of store.list()) found.push(recipients[0]?.recipient.localPart ?? '');
  return found;
}

/** All mail of the others is delivered. */
async function deliverAll(store: QueueStore): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (;;) {
    const claims = await store.claim({ now: NOW, lease: 60_000, limit: 5 });
    if (claims.length === 0) return seen;
    for (const each of claims) {
      seen.add(each.message.recipients[0]?.recipient.localPart ?? '');
      for await (const _ of store.body(each.message.id));
      await store.settle(
        each,
        each.places.map((place) => delivered(place)),
      );
    }
  }
}

const OTHERS = ['one', 'two', 'three', 'four', 'five', 'six'];

describe('an octet that the disk has changed in the record', () => {
  for (const [kind, { text, run }] of Object.entries(RECORDS)) {
    for (const first of ['claim', 'list', 'show', 'hold'] as const) {
      it(`${kind}, met by ${first}`, async () => {
        const disk = new SimulatedDisk('/queue');
        const { store } = await open(disk, 1);
        const id = await put(store, 'damaged');
        await run(store, id);
        // So that what it is found with is no state in memory, nor the record the last one of its segment.
        for (const other of OTHERS) await put(store, other);
        await store.close();
        await flip(disk, text, 10);

        const { store: reopened, damages } = await open(disk, 2);
        // Nobody claims what is held.
        if (first === 'list' || (first === 'claim' && text === '"t":"held"')) await listed(reopened);
        if (first === 'show') expect(await reopened.show(id)).toBeUndefined();
        if (first === 'hold') expect(await reopened.hold(id)).toBe(false);
        const seen = await deliverAll(reopened);
        for (const other of OTHERS) expect(seen).toContain(other);
        expect(seen).not.toContain('damaged');
        const told = damages.filter((damage) => damage.id === id);
        expect(told).toHaveLength(1);
        expect(told[0]).toMatchObject({ copy: `/queue/damaged/${id}` });
        expect(told[0]?.message).toMatch(
          /^\/queue\/journal-.* is damaged at octet \d+: the disk has lost what was synced to it\. Message .* is not delivered any more; what is left of it is in /,
        );
        const copy = await disk.open(`/queue/damaged/${id}`);
        expect(Buffer.from(await copy.read(0, 10_000)).toString()).toContain('b'.repeat(200));
        expect(await reopened.count()).toMatchObject({ waiting: 0, held: 0, octets: 0 });
        // It was told: nobody hears of it again.
        for (const found of [disk.afterPowerFailure(KEEPS_ALL), disk]) {
          if (found === disk) await reopened.close();
          const again = await open(found, 3);
          expect(await listed(again.store)).toEqual([]);
          expect(again.damages).toEqual([]);
        }
      });
    }
  }

  it('of a body, met by whoever delivers it: it is tried no more after that', async () => {
    const disk = new SimulatedDisk('/queue');
    const { store } = await open(disk, 1);
    const id = await put(store, 'damaged');
    await store.close();
    const [name = ''] = await filesOf(disk);
    const file = await disk.open(`/queue/${name}`);
    const content = Buffer.from(await file.read(0, await file.size()));
    await file.write(Uint8Array.of(99), content.indexOf('bbbb'));
    const { store: reopened, damages } = await open(disk, 2);
    const claimed = await claim(reopened, 'example.com');
    await put(reopened, 'whole');
    await expect(
      (async () => {
        for await (const _ of reopened.body(id));
      })(),
    ).rejects.toThrow(/is damaged at octet/);
    await reopened.settle(claimed, [deferred()]);
    expect(await reopened.show(id)).toBeUndefined();
    expect(damages.map((damage) => damage.id)).toEqual([id]);
    expect(await deliverAll(reopened)).toEqual(new Set(['whole']));
  });

  it('does not keep its segment on the disk: that is removed when the rest is delivered', async () => {
    for (const where of ['"t":"message"', 'bbbb']) {
      const disk = new SimulatedDisk('/queue');
      const { store } = await open(disk, 1);
      const id = await put(store, 'damaged');
      await store.hold(id);
      await store.close();
      await flip(disk, where);
      const { store: reopened, damages } = await open(disk, 2);
      for (let i = 0; i < 60; i++) {
        await put(reopened, `${i}`);
        for (const domain of ['example.com', 'example.net']) {
          const each = await claim(reopened, domain);
          await reopened.settle(each, [delivered(each.places[0] as number)]);
        }
      }
      await reopened.close();
      expect((await filesOf(disk)).length).toBeLessThan(10);
      expect(damages.map((damage) => damage.id)).toEqual([id]);
      const copy = await disk.open(`/queue/damaged/${id}`);
      expect(Buffer.from(await copy.read(0, 10_000)).toString()).toContain('bbb');
    }
  });

  it('copies a long body, too', async () => {
    const disk = new SimulatedDisk('/queue');
    const { store } = await open(disk, 1);
    const id = await put(store, 'damaged', 100_000);
    await store.close();
    await flip(disk, '"t":"message"', 10);
    const { store: reopened, damages } = await open(disk, 2);
    expect(await listed(reopened)).toEqual([]);
    expect(damages).toHaveLength(1);
    const copy = await disk.open(`/queue/damaged/${id}`);
    expect(await copy.size()).toBeGreaterThan(100_000);
    expect(await disk.list('/queue/bodies')).toEqual([]);
    expect((await reopened.count()).octets).toBe(0);
  });
});

describe('an octet that the disk has changed', () => {
  /** A queue of some segments, the first of which has no message any more but these. */
  async function filled(): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk('/queue');
    const { store } = await open(disk, 1);
    for (const other of OTHERS) await put(store, other);
    for (let i = 0; i < 6; i++) await put(store, `later-${i}`);
    await store.close();
    return disk;
  }

  const all = [...OTHERS, ...Array.from({ length: 6 }, (_, i) => `later-${i}`)];

  it.each(['{"journal":"summary"', '{"journal":"end"', 'sansmtp queue, format'])(
    'in %s of any segment loses nothing',
    async (text) => {
      for (const [which] of (await filesOf(await filled())).entries()) {
        const disk = await filled();
        const file = await disk.open(`/queue/${(await filesOf(disk))[which]}`);
        const content = Buffer.from(await file.read(0, await file.size()));
        const at = content.indexOf(text);
        if (at === -1) continue;
        await file.write(Uint8Array.of(content.readUInt8(at + 5) ^ 1), at + 5);
        const { store, damages } = await open(disk, 2);
        expect(await listed(store)).toEqual(all);
        expect(damages).toEqual([]);
      }
    },
  );

  it('in a record and in the summary of its segment: all but that one are there, and it is told once', async () => {
    const disk = await filled();
    const [name = ''] = await filesOf(disk);
    const file = await disk.open(`/queue/${name}`);
    const content = Buffer.from(await file.read(0, await file.size()));
    for (const at of [content.indexOf('"two"'), content.indexOf('"journal":"summary"')]) {
      await file.write(Uint8Array.of(content.readUInt8(at + 1) ^ 1), at + 1);
    }
    const { store, damages } = await open(disk, 2);
    expect(await listed(store)).toEqual(all.filter((label) => label !== 'two'));
    expect(damages).toMatchObject([{ path: `/queue/${name}`, copy: `/queue/damaged/${name}` }]);
    expect(damages[0]?.message).toMatch(/is damaged after octet \d+ of \d+: .* look there for messages/);
    const copy = await disk.open(`/queue/damaged/${name}`);
    expect(await copy.size()).toBe(content.length);
    await store.close();
    expect((await open(disk, 3)).damages).toEqual([]);
  });

  it('in the segment of a process that was killed: those after it are there', async () => {
    const disk = new SimulatedDisk('/queue');
    const { store } = await open(disk, 1);
    for (const label of ['one', 'two', 'three']) await put(store, label);
    const found = disk.afterPowerFailure(KEEPS_ALL);
    await flip(found, '"two"');
    const { store: reopened, damages } = await open(found, 2);
    expect(await listed(reopened)).toEqual(['one', 'three']);
    expect(damages).toHaveLength(1);
  });
});
