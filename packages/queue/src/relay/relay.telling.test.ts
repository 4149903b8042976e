/** Whom a relay tells of what; what it passes on; loops; what only some may ask for; shutdown. */
import type { RcptParameters } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { nextHopOf } from '../scheduler/routes.js';
import { TooManyHopsError } from './hop-count.js';
import type { RelayOptions } from './relay-options.js';
import {
  DELIVERED,
  listed,
  MESSAGE,
  MINUTE,
  openDisk,
  replied,
  type Script,
  SECOND,
  settle,
  text,
  World,
} from './relaying.test-support.js';

const ANN = 'ann@example.org';
const BOB = { localPart: 'bob', domain: 'example.com' };

async function relaying(script: Script = () => undefined, options: Partial<RelayOptions> = {}) {
  const world = new World(script);
  const store = await openDisk();
  const relay = world.relay(store, options);
  const close = async () => {
    await relay.stop();
    await store.close();
  };
  return { world, store, relay, close };
}

const to = (parameters: RcptParameters) => ({ from: ANN, to: { ...BOB, parameters } });

describe('a sender is told', () => {
  it.each<[string, RcptParameters, Script, Partial<RelayOptions>, string | undefined]>([
    ['of a failure, if nothing is said', {}, () => replied(550, '5.1.1'), {}, 'Action: failed'],
    ['of none with NOTIFY=NEVER', { notify: 'NEVER' }, () => replied(550, '5.1.1'), {}, undefined],
    ['of none with NOTIFY=SUCCESS', { notify: ['SUCCESS'] }, () => replied(550, '5.1.1'), {}, undefined],
    ['of no success, if nothing is said', {}, () => DELIVERED, {}, undefined],
    [
      'with NOTIFY=SUCCESS that a host has it that will not tell',
      { notify: ['SUCCESS'] },
      () => ({ ...DELIVERED, offersDsn: false }),
      {},
      'Action: relayed',
    ],
    [
      'of nothing by us where that host offers DSN',
      { notify: ['SUCCESS'] },
      () => ({ ...DELIVERED, offersDsn: true }),
      {},
      undefined,
    ],
    [
      'of nothing by mail, if that is off',
      {},
      () => replied(550, '5.1.1'),
      { notifications: false },
      undefined,
    ],
  ])('%s', async (_, parameters, script, options, action) => {
    const { world, relay, close } = await relaying(
      (address, tries, at) => (address.startsWith('bob@') ? script(address, tries, at) : undefined),
      options,
    );
    await relay.accept(to(parameters), text());
    await settle();
    const told = world.sent.filter(({ to }) => to.includes(ANN));
    expect(told).toHaveLength(action === undefined ? 0 : 1);
    if (action !== undefined) expect(told[0]?.text).toContain(action);
    await close();
  });

  it('that it arrived, where the next hop has the mailbox', async () => {
    const world = new World(() => undefined);
    const store = await openDisk();
    const hop = { name: 'maildir', mailer: world.mailer, isFinal: true };
    const relay = world.relay(store, { routes: new Map([['example.com', hop]]) });
    await relay.accept(to({ notify: ['SUCCESS'] }), text());
    await settle();
    expect(world.sent[1]?.text).toContain('Action: delivered\r\nStatus: 2.0.0');
    expect(world.of('recipient')[0]?.destination).toBe('maildir');
    await relay.stop();
    await store.close();
  });

  it('with ENVID, ORCPT and the header section; both go along with RET and NOTIFY', async () => {
    const { world, relay, close } = await relaying((address) =>
      address.startsWith('bob@') ? replied(550, '5.1.1') : undefined,
    );
    const orcpt = { addressType: 'rfc822', address: 'robert@example.com' };
    await relay.accept(
      { ...to({ orcpt, notify: ['FAILURE'] }), parameters: { envid: 'QQ314159', ret: 'HDRS', size: 5 } },
      text(),
    );
    await settle();
    expect(world.sent[0]?.parameters).toEqual({ envid: 'QQ314159', ret: 'HDRS' });
    expect(world.sent[1]?.text).toContain('Original-Envelope-Id: QQ314159');
    expect(world.sent[1]?.text).toContain('Original-Recipient: rfc822; robert@example.com');
    await close();
  });
});

describe('about a notification nobody is told', () => {
  const postmaster = { localPart: 'postmaster', domain: 'relay.example' };

  it('it is dropped, with an event', async () => {
    const { world, relay, store, close } = await relaying(() => replied(550, '5.1.1'));
    await relay.accept({ from: null, to: 'bob@example.com' }, text());
    await settle();
    expect(world.sent).toHaveLength(1);
    expect(world.of('notificationDropped')).toMatchObject([{ recipient: BOB, reason: '550 5.1.1 So it is' }]);
    expect(await listed(store)).toEqual([]);
    await close();
  });

  it('but the postmaster, who is told of no failure of that', async () => {
    const { world, relay, store, close } = await relaying(() => replied(550, '5.1.1'), { postmaster });
    await relay.accept({ from: null, to: 'bob@example.com' }, text());
    await settle();
    expect(world.sent.map(({ to, from }) => [to[0], from])).toEqual([
      ['bob@example.com', ''],
      ['postmaster@relay.example', ''],
    ]);
    expect(world.of('notificationDropped')).toMatchObject([{ recipient: postmaster }]);
    expect(await listed(store)).toEqual([]);
    await close();
  });
});

describe('a message that loops', () => {
  const passed = (hops: number) =>
    `${'ReceiVed : by a\r\n\tx\r\n'.repeat(hops)}Received-X: 1\r\n${MESSAGE}Received: a\r\n`;

  it.each([1, 5, 1_000_000])(
    'is refused with more than 100 Received fields, in pieces of %i octets',
    async (size) => {
      const { relay, store, close } = await relaying();
      const pieces = async function* (message: string) {
        for (let at = 0; at < message.length; at += size) yield Buffer.from(message.slice(at, at + size));
      };
      await expect(relay.accept(to({}), pieces(passed(101)))).rejects.toThrow(TooManyHopsError);
      expect(await listed(store)).toEqual([]);
      await relay.accept(to({}), pieces(passed(100)));
      await close();
    },
  );
});

describe('what only some may ask for', () => {
  const parameters = {
    mtPriority: 3,
    hold: { seconds: 60 },
    deliverBy: { seconds: 600, mode: 'return', trace: false },
  } as const;

  it('is left out, unless the client is trusted', async () => {
    const { world, relay, close } = await relaying();
    const { envelope } = await relay.accept({ ...to({}), parameters }, text());
    expect(envelope.parameters).toBeUndefined();
    await settle();
    expect(world.triesOf('bob@example.com')).toEqual([0]);
    await close();
  });

  it('is heeded: held, then passed on with the time that is left', async () => {
    const { world, relay, close } = await relaying();
    await relay.accept({ ...to({}), parameters }, text(), { trusted: true });
    await world.clock.advanceAsync(2 * MINUTE);
    expect(world.sent).toMatchObject([
      { at: MINUTE, parameters: { mtPriority: 3, deliverBy: { seconds: 540, mode: 'return' } } },
    ]);
    await close();
  });

  it('what is to be returned rather than late is returned in time', async () => {
    const { world, relay, close } = await relaying((address) =>
      address.startsWith('bob@') ? replied(451, '4.3.0', 'message') : undefined,
    );
    const { hold: _, ...timed } = parameters;
    await relay.accept({ ...to({}), parameters: timed }, text(), { trusted: true });
    await world.clock.advanceAsync(11 * MINUTE);
    const [told] = world.sent.filter(({ to }) => to.includes(ANN));
    expect(told).toMatchObject({ at: 10 * MINUTE });
    expect(told?.text).toContain('Action: failed\r\nStatus: 5.4.7');
    await close();
  });
});

it('REQUIRETLS that no host has waits until the message is given up, and then fails with 5.7.30', async () => {
  const { world, relay, close } = await relaying(
    (address) =>
      address.startsWith('bob@')
        ? { verdict: 'rejected', phase: 'mail', enhancedCode: '5.7.30', reason: 'no' }
        : undefined,
    { giveUpAfter: 90 * MINUTE },
  );
  await relay.accept({ ...to({}), parameters: { requireTls: true } }, text());
  await world.clock.advanceAsync(2 * 60 * MINUTE);
  const told = world.sent.filter(({ to }) => to.includes(ANN));
  expect(told).toHaveLength(1);
  expect(told[0]?.text).toContain('Status: 5.7.30');
  expect(world.triesOf('bob@example.com').length).toBeGreaterThan(1);
  await close();
});

it('a password that the smart host refuses is no fault of the message: it waits, and goes when that is mended', async () => {
  let isRefused = true;
  const { world, relay, close } = await relaying((address) =>
    isRefused && address.startsWith('bob@') ? replied(535, '5.7.8', 'auth') : undefined,
  );
  await relay.accept(to({}), text());
  await world.clock.advanceAsync(20 * MINUTE);
  expect(world.of('recipient')).toMatchObject([{ state: 'waiting', enhancedCode: '5.7.8' }]);
  isRefused = false;
  await world.clock.advanceAsync(20 * MINUTE);
  expect(world.of('recipient')[1]).toMatchObject({ state: 'delivered' });
  expect(world.of('notified')).toEqual([]);
  await close();
});

it('a shutdown lets what is under way end, for as long as it may, and the rest is due as before', async () => {
  const { world, relay, store } = await relaying();
  world.duration = 30 * SECOND;
  const due = world.now() + SECOND;
  for (let i = 0; i < 8; i++) await relay.accept({ from: ANN, to: `b${i}@example.com` }, text(), { due });
  await world.clock.advanceAsync(SECOND);
  expect(relay.status()).toMatchObject({ active: 5, destinations: [{ name: 'example.com', waiting: 3 }] });
  const stopping = relay.stop({ grace: 10 * SECOND });
  await world.clock.advanceAsync(11 * SECOND);
  await stopping;
  const left = await listed(store);
  expect(left.map(({ state, recipients }) => [state, recipients[0]?.attempts])).toEqual(
    Array(8).fill(['waiting', 0]),
  );
  await store.close();
});

it('the next hop is the route of a domain, then that of all others, then the domain itself', () => {
  const mailer = new World(() => undefined).mailer;
  const [own, other] = ['own', 'other'].map((name) => ({ name, mailer }));
  const routes = new Map([['a.example', own as NonNullable<typeof own>]]);
  expect(nextHopOf('a.example', routes, mailer).name).toBe('own');
  expect(nextHopOf('b.example', routes, mailer).name).toBe('b.example');
  routes.set('*', other as NonNullable<typeof other>);
  expect(nextHopOf('b.example', routes, mailer).name).toBe('other');
});

it('a smart host that is down holds up all but what has a route of its own', async () => {
  const world = new World((address) =>
    address.endsWith('.net') ? undefined : { ...replied(421, '4.3.2', 'greeting') },
  );
  const store = await openDisk();
  const [smart, local] = ['smart', 'local'].map((name) => ({ name, mailer: world.mailer })) as [never, never];
  const relay = world.relay(store, {
    routes: new Map([
      ['*', smart],
      ['b.net', local],
    ]),
  });
  await relay.accept({ from: ANN, to: 'x@a.example' }, text());
  await settle();
  expect(world.of('destinationDown')).toMatchObject([{ destination: 'smart' }]);
  await relay.accept({ from: ANN, to: ['x@c.example', 'x@b.net'] }, text());
  await settle();
  expect(world.sent.map(({ to }) => to[0])).toEqual(['x@a.example', 'x@b.net']);
  await world.clock.advanceAsync(5 * MINUTE + SECOND);
  expect(world.sent).toHaveLength(3);
  await relay.stop();
  await store.close();
});
