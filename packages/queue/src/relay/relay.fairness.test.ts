/** Nobody waits for another's mail: not for a destination that is slow, nor for a sender who has much. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Relay } from './relay.js';
import type { RelayOptions } from './relay-options.js';
import { MINUTE, openDisk, SECOND, text, World } from './relaying.test-support.js';

/** Deliveries to one destination at a time. */
const ROOM = 5;

async function relaying(options: Partial<RelayOptions> = {}) {
  const world = new World(() => undefined);
  world.duration = SECOND;
  const store = await openDisk();
  const relay = world.relay(store, { connections: 20, connectionsPerHost: ROOM, ...options });
  const close = async () => {
    await relay.stop({ grace: 0 });
    await store.close();
  };
  return { world, relay, store, close };
}

const accept = (relay: Relay, sender: string, to: string) =>
  relay.accept({ from: `${sender}@example.org`, to }, text());

it('a slow destination holds up no other, whatever is sent to both and in what order', async () => {
  const domain = fc.constantFrom('slow.example', 'slow.example', 'b.example', 'c.example');
  await fc.assert(
    fc.asyncProperty(fc.array(domain, { minLength: 1, maxLength: 80 }), async (domains) => {
      const { world, relay, close } = await relaying();
      world.durations.set('slow.example', 10 * MINUTE);
      for (const [index, domain] of domains.entries()) await accept(relay, 'ann', `m${index}@${domain}`);
      const toOthers = domains.filter((domain) => domain !== 'slow.example').length;
      // As long as the others would take if there were no slow one, and a second to spare for each.
      await world.clock.advanceAsync((toOthers / ROOM + 3) * SECOND);
      const begun = world.sent.filter(({ to }) => !to[0]?.endsWith('@slow.example'));
      expect(begun).toHaveLength(toOthers);
      expect(world.mostTo.get('slow.example') ?? 0).toBeLessThanOrEqual(ROOM);
      const stopping = close();
      await world.clock.advanceAsync(SECOND);
      await stopping;
    }),
    { numRuns: 10 },
  );
}, 240_000);

it("a sender with 10,000 messages does not hold up another's to the same destination", async () => {
  const { world, relay, store, close } = await relaying();
  const due = world.now() + SECOND;
  const flood = Array.from({ length: 10_000 }, (_, index) => ({
    from: 'ann@example.org',
    to: `m${index}@b.example`,
  }));
  for (let start = 0; start < flood.length; start += 500) {
    await Promise.all(flood.slice(start, start + 500).map((each) => relay.accept(each, text(), { due })));
  }
  await world.clock.advanceAsync(10 * SECOND);
  expect((await store.count()).waiting).toBeGreaterThan(9_000);
  const before = world.sent.length;
  expect(before).toBeGreaterThanOrEqual(8 * ROOM);
  await accept(relay, 'bob', 'x@b.example');
  await world.clock.advanceAsync(10 * SECOND);
  const place = world.sent.findIndex(({ to }) => to.includes('x@b.example')) - before;
  // What was claimed already goes first.
  expect(place).toBeGreaterThanOrEqual(0);
  expect(place).toBeLessThanOrEqual(32 + ROOM);
  const stopping = close();
  await world.clock.advanceAsync(SECOND);
  await stopping;
}, 240_000);

it('a flood that never ends starves nobody, wherever the others send to', async () => {
  const other = fc.record({
    second: fc.integer({ min: 0, max: 20 }),
    sender: fc.constantFrom('bob', 'eve'),
    domain: fc.constantFrom('b.example', 'c.example'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(other, { minLength: 1, maxLength: 12 }), async (others) => {
      const { world, relay, close } = await relaying();
      const asked = new Map<string, number>();
      for (let second = 0; second <= 20; second++) {
        // Twice as many as are delivered meanwhile.
        for (let i = 0; i < 2 * ROOM; i++) await accept(relay, 'ann', `flood${second}-${i}@b.example`);
        for (const [index, each] of others.entries()) {
          if (each.second !== second) continue;
          const address = `m${index}@${each.domain}`;
          asked.set(address, world.clock.now());
          await accept(relay, each.sender, address);
        }
        await world.clock.advanceAsync(SECOND);
      }
      await world.clock.advanceAsync(10 * SECOND);
      for (const [address, at] of asked) {
        const [begun = Number.POSITIVE_INFINITY] = world.triesOf(address);
        // Its turn comes after what is claimed already, and after the few of the other two.
        expect(begun - at, address).toBeLessThanOrEqual(((32 + 2 * ROOM) / ROOM + others.length) * SECOND);
      }
      const stopping = close();
      await world.clock.advanceAsync(SECOND);
      await stopping;
    }),
    { numRuns: 4 },
  );
}, 240_000);
