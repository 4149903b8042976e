/** A relay from what is accepted to what arrives, on virtual time. */
import { afterEach, describe, expect, it } from 'vitest';
import { QueueClosedError } from '../contract/errors.js';
import type { QueueStore } from '../contract/queue-store.js';
import { withFiles } from '../embedded/disk/faulty-files.test-support.js';
import { LOSES_ALL, SimulatedDisk } from '../embedded/disk/simulated-disk.test-support.js';
import { openStore } from '../embedded/embedded-store.js';
import type { Relay } from './relay.js';
import type { RelayOptions } from './relay-options.js';
import {
  DAY,
  DELIVERED,
  HOUR,
  listed,
  MESSAGE,
  MINUTE,
  openDisk,
  refusedConnection,
  replied,
  type Script,
  SECOND,
  settle,
  text,
  World,
} from './relaying.test-support.js';

let begun: { world: World; relay: Relay; store: QueueStore } | undefined;

async function relaying(script: Script = () => undefined, options: Partial<RelayOptions> = {}) {
  const world = new World(script);
  const store = await openDisk();
  const relay = world.relay(store, options);
  begun = { world, relay, store };
  return begun;
}

afterEach(async () => {
  const { world, relay, store } = begun ?? {};
  begun = undefined;
  await relay?.stop();
  await store?.close();
  expect(world?.clock.pending ?? 0).toBe(0);
});

const ANN = 'ann@example.org';
const BOB = 'bob@example.com';

describe('a message', () => {
  it('is safe, then delivered, and leaves the queue', async () => {
    const { world, relay, store } = await relaying();
    const { id } = await relay.accept({ from: ANN, to: [BOB, 'eve@example.net'] }, text());
    await settle();
    expect(world.sent.map(({ to, text }) => [to, text])).toEqual([
      [[BOB], MESSAGE],
      [['eve@example.net'], MESSAGE],
    ]);
    expect(await listed(store)).toEqual([]);
    expect(world.of('accepted')).toMatchObject([{ id, sender: ANN, recipients: 2, size: MESSAGE.length }]);
    expect(world.of('recipient')).toMatchObject([
      {
        id,
        state: 'delivered',
        verdict: 'delivered',
        host: 'mx.example',
        destination: 'example.com',
        attempts: 1,
      },
      { id, state: 'delivered', destination: 'example.net' },
    ]);
  });

  it('is tried by the schedule of RFC 5321 §4.5.4.1 for five days; its sender hears of the delay once, and of the end', async () => {
    const { world, relay, store } = await relaying((address) =>
      address === BOB ? replied(451, '4.3.0', 'message') : undefined,
    );
    await relay.accept({ from: ANN, to: BOB }, text());
    await world.clock.advanceAsync(6 * DAY);
    const tries = world.triesOf(BOB);
    expect(tries.slice(0, 7)).toEqual([0, 0.5, 1, 2, 4, 8, 12].map((hours) => hours * HOUR));
    expect(tries.at(-1)).toBe(5 * DAY);
    const told = world.sent.filter(({ to }) => to.includes(ANN));
    expect(told.map(({ at, from }) => [at, from])).toEqual([
      [4 * HOUR, ''],
      [5 * DAY, ''],
    ]);
    expect(told[0]?.text).toContain('Action: delayed');
    expect(told[1]?.text).toContain('Action: failed\r\nStatus: 4.3.0');
    expect(world.of('notified').map(({ actions }) => actions)).toEqual([['delayed'], ['failed']]);
    expect(await listed(store)).toEqual([]);
  });

  it('that may have arrived is told as unknown before that is stored: a process may be killed in between', async () => {
    const { world, relay, store } = await relaying((_, tries) =>
      tries === 0 ? { ...DELIVERED, verdict: 'unknown', reason: 'lost' } : undefined,
    );
    const told: number[] = [];
    const settle = store.settle.bind(store);
    store.settle = ((...given: Parameters<typeof settle>) => {
      told.push(world.of('unknown').length);
      return settle(...given);
    }) as typeof settle;
    await relay.accept({ from: ANN, to: BOB }, text());
    await world.clock.advanceAsync(HOUR);
    expect(told).toEqual([1, 1]);
    expect(world.of('unknown')).toMatchObject([{ cause: 'lost' }]);
  });

  it('is tried once more after five minutes when RCPT is first refused for now, beside the schedule', async () => {
    const { world, relay } = await relaying((_, tries) => (tries < 3 ? replied(451, '4.7.1') : undefined));
    await relay.accept({ from: ANN, to: BOB }, text());
    await world.clock.advanceAsync(3 * HOUR);
    expect(world.triesOf(BOB)).toEqual([0, 5 * MINUTE, 30 * MINUTE, 60 * MINUTE]);
  });

  it('is tried after exactly the waits that are given, each a tenth longer at most', async () => {
    const { world, relay } = await relaying(() => replied(451, '4.7.1'), {
      retry: [2 * SECOND, 5 * SECOND],
      random: () => 0.99999,
    });
    await relay.accept({ from: ANN, to: BOB }, text());
    await world.clock.advanceAsync(20 * SECOND);
    const tries = world.triesOf(BOB);
    const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(waits).toEqual([2_200, 5_500, 5_500, 5_500]);
  });

  it('that is refused for good comes back, with its header section', async () => {
    const { world, relay } = await relaying((address) =>
      address === BOB ? replied(550, '5.1.1') : undefined,
    );
    const { id } = await relay.accept({ from: ANN, to: BOB }, text());
    await settle();
    const [, bounce] = world.sent;
    expect(bounce).toMatchObject({ from: '', to: [ANN] });
    expect(bounce?.text).toContain(
      'Final-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1',
    );
    expect(bounce?.text).toContain('Subject: hello');
    const [notified] = world.of('notified');
    expect(world.of('accepted').map((event) => event.id)).toEqual([id]);
    expect(world.of('recipient').map((event) => event.id)).toEqual([id, notified?.notification]);
  });

  it('to several domains: one that is down holds up no other', async () => {
    const { world, relay } = await relaying((address) => (address === BOB ? refusedConnection : undefined));
    await relay.accept({ from: ANN, to: [BOB, 'eve@example.net'] }, text());
    await settle();
    expect(world.of('recipient').map(({ state }) => state)).toEqual(['waiting', 'delivered']);
  });
});

describe('a destination that is down', () => {
  it('gets nothing for a while, new mail included; then one delivery alone, and all when that has arrived', async () => {
    let isDown = true;
    const { world, relay } = await relaying(() => (isDown ? refusedConnection : undefined));
    await relay.accept({ from: ANN, to: BOB }, text());
    await settle();
    expect(world.of('destinationDown')).toMatchObject([
      { destination: 'example.com', reason: 'mx.example refuses connections' },
    ]);
    for (let i = 0; i < 10; i++) await relay.accept({ from: ANN, to: `b${i}@example.com` }, text());
    await world.clock.advanceAsync(5 * MINUTE - 1);
    expect(world.sent).toHaveLength(1);
    await world.clock.advanceAsync(2);
    expect(world.sent).toHaveLength(2);
    isDown = false;
    await world.clock.advanceAsync(5 * MINUTE);
    expect(world.of('destinationUp')).toHaveLength(1);
    expect(world.of('recipient').filter(({ state }) => state === 'delivered')).toHaveLength(9);
  });

  it('is not one that refuses recipients, or mail', async () => {
    const { world, relay } = await relaying((_, tries) =>
      tries === 0 ? replied(450, '4.2.1') : replied(421, '4.3.2', 'message'),
    );
    for (let i = 0; i < 10; i++) await relay.accept({ from: ANN, to: `b${i}@example.com` }, text());
    await world.clock.advanceAsync(HOUR);
    expect(world.of('destinationDown')).toEqual([]);
    expect(world.sent.length).toBeGreaterThanOrEqual(30);
  });

  it('whose mail was never tried: its sender hears of the delay, and of the end', async () => {
    const { world, relay, store } = await relaying(
      (address) => (address.endsWith('@example.com') ? refusedConnection : undefined),
      { giveUpAfter: 6 * HOUR },
    );
    for (let i = 0; i < 40; i++) await relay.accept({ from: ANN, to: `b${i}@example.com` }, text());
    await world.clock.advanceAsync(7 * HOUR);
    const told = world.of('notified').map(({ actions }) => actions[0]);
    expect(told.filter((action) => action === 'delayed')).toHaveLength(40);
    expect(told.filter((action) => action === 'failed')).toHaveLength(40);
    expect(await listed(store)).toEqual([]);
    // One attempt each five minutes, and not forty each half hour.
    expect(world.sent.filter(({ to }) => to[0]?.endsWith('.com')).length).toBeLessThan(7 * 12 + 5);
  });
});

describe('recipients in several domains', () => {
  const to = ['bob@a.example', 'eve@b.example', 'joe@c.example', 'ann@own.example'];

  it('with one next hop share a mail transaction, and count once there', async () => {
    const world = new World(() => undefined);
    world.duration = SECOND;
    const store = await openDisk();
    const hop = (name: string) => ({ name, mailer: world.mailer });
    const routes = new Map([
      ['*', hop('smart.example')],
      ['own.example', hop('own')],
    ]);
    const relay = world.relay(store, { routes });
    begun = { world, relay, store };
    await relay.accept({ from: ANN, to }, text());
    await settle();
    expect(relay.status().destinations).toMatchObject([
      { name: 'smart.example', active: 1 },
      { name: 'own', active: 1 },
    ]);
    await world.clock.advanceAsync(MINUTE);
    expect(world.sent.map(({ taken }) => taken)).toEqual([to.slice(0, 3), to.slice(3)]);
    expect(await listed(store)).toEqual([]);
  });

  it('without routes go each to its own', async () => {
    const { world, relay } = await relaying();
    await relay.accept({ from: ANN, to }, text());
    await settle();
    const sent = world.sent.map(({ taken }) => taken);
    expect(sent.toSorted()).toEqual(to.map((each) => [each]).toSorted());
  });
});

it('a process that ends has asked no more than one mail transaction of a server that takes few recipients in each', async () => {
  const world = new World(() => undefined);
  const disk = new SimulatedDisk('/queue');
  const store = await openDisk(disk);
  const relay = world.relay(store, {
    mailer: {
      // The first has its reply, which is never heard of; the second the end of the message; the third nothing yet.
      async send(_, __, { signal, beforeFinalDot } = {}) {
        await beforeFinalDot?.([0]);
        await beforeFinalDot?.([1]);
        return world.wait(DAY, signal) as never;
      },
    },
  });
  await relay.accept({ from: ANN, to: ['a@b.example', 'b@b.example', 'c@b.example'] }, text());
  await settle();
  const reopened = await openDisk(disk.afterPowerFailure(LOSES_ALL), 2);
  const [message] = await listed(reopened);
  const verdicts = message?.recipients.map(({ last }) => last?.verdict);
  expect(verdicts).toEqual(['unknown', 'unknown', undefined]);
  await reopened.close();
  const stopping = relay.stop({ grace: 0 });
  await world.clock.advanceAsync(SECOND);
  await stopping;
  await store.close();
});

it('a store that has closed itself over a message is told of at once, and not when something is due', async () => {
  const world = new World(() => undefined);
  const disk = new SimulatedDisk('/queue');
  let isWell = true;
  const files = withFiles(disk, (file) => ({
    ...file,
    sync: () => (isWell ? file.sync() : Promise.reject(new Error('EIO'))),
  }));
  const store = await openStore(files, '/queue', { epoch: 1, reserve: 0 });
  const relay = world.relay(store);
  isWell = false;
  await expect(relay.accept({ from: ANN, to: [BOB] }, text())).rejects.toThrow(QueueClosedError);
  expect(world.of('storeFailed')).toEqual([{ type: 'storeFailed', error: expect.any(QueueClosedError) }]);
  await relay.stop();
});
