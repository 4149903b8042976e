/** The wall clock is set while a relay runs: by hand, by NTP, or because the machine slept, and the monotonic clock with it. */
import { expect, it } from 'vitest';
import {
  DAY,
  HOUR,
  listed,
  MINUTE,
  openDisk,
  refusedConnection,
  replied,
  SECOND,
  text,
  World,
} from './relaying.test-support.js';

/** A world whose wall clock can be set. */
function settable(script: ConstructorParameters<typeof World>[0]) {
  const world = new World(script);
  const right = world.now;
  let by = 0;
  world.now = () => right() + by;
  return { world, set: (change: number) => (by += change) };
}

const ENVELOPE = { from: 'ann@example.org', to: ['bob@example.com'] };

it.each([DAY, -DAY])('a delivery that is under way is not disturbed (%i)', async (change) => {
  const { world, set } = settable(() => undefined);
  world.duration = 20 * MINUTE;
  world.replyDuration = 5 * MINUTE;
  const store = await openDisk();
  const relay = world.relay(store);
  await relay.accept(ENVELOPE, text());
  await world.clock.advanceAsync(10 * MINUTE);
  set(change);
  await world.clock.advanceAsync(12 * MINUTE);
  // Now its end was sent, and no reply is there yet.
  set(change);
  await world.clock.advanceAsync(5 * MINUTE);
  expect(world.sent).toHaveLength(1);
  expect(world.of('unknown')).toEqual([]);
  expect(world.of('recipient')).toMatchObject([{ state: 'delivered', duration: 25 * MINUTE }]);
  expect(world.of('clockSet')).toMatchObject([{ by: change }, { by: change }]);
  await relay.stop();
});

it('a destination that is down is tried again as soon as before, however far the clock was set back', async () => {
  let isDown = true;
  const { world, set } = settable(() => (isDown ? refusedConnection : undefined));
  const store = await openDisk();
  const relay = world.relay(store, { backOff: MINUTE });
  await relay.accept(ENVELOPE, text());
  await world.clock.advanceAsync(SECOND);
  expect(world.of('destinationDown')).toHaveLength(1);
  set(-DAY);
  isDown = false;
  await relay.accept(ENVELOPE, text());
  await world.clock.advanceAsync(3 * MINUTE);
  expect(world.of('destinationUp')).toHaveLength(1);
  expect(world.of('recipient').filter(({ state }) => state === 'delivered')).toHaveLength(1);
  await relay.stop();
});

it('what is due by the new time is due within a minute; set back, it waits for longer, and nothing is given up early', async () => {
  const { world, set } = settable((_, tries) => (tries < 2 ? replied(451, '4.3.0', 'message') : undefined));
  const store = await openDisk();
  const relay = world.relay(store, { giveUpAfter: 5 * DAY });
  await relay.accept(ENVELOPE, text());
  await world.clock.advanceAsync(SECOND);
  expect(world.sent).toHaveLength(1);
  set(HOUR);
  await world.clock.advanceAsync(MINUTE);
  expect(world.sent).toHaveLength(2);
  set(-10 * DAY);
  await world.clock.advanceAsync(2 * HOUR);
  expect(await listed(store)).toMatchObject([{ state: 'waiting' }]);
  await store.retry({ all: true }, world.now());
  await world.clock.advanceAsync(SECOND);
  expect(world.of('recipient').at(-1)).toMatchObject({ state: 'delivered', age: 0 });
  expect(world.of('notified')).toEqual([]);
  await relay.stop();
});

it('a clock that is only slewed was not set', async () => {
  const { world, set } = settable(() => undefined);
  const relay = world.relay(await openDisk());
  for (let minute = 0; minute < 60; minute++) {
    set(30);
    await world.clock.advanceAsync(MINUTE);
  }
  expect(world.of('clockSet')).toEqual([]);
  await relay.stop();
});
