/** How many deliveries a destination gets, and when it is down. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Destinations } from './destinations.js';

const NOW = 1_000_000;
const BACK_OFF = 300_000;

function destinations(perDestination = 20, inAll = 500): Destinations {
  return new Destinations({ perDestination, inAll, backOff: BACK_OFF });
}

function begin(all: Destinations, name: string, many: number): void {
  for (let i = 0; i < many; i++) all.begin(name);
}

describe('a destination', () => {
  it('gets five deliveries at first, and one more each time that as many as there may be have arrived', () => {
    const all = destinations();
    expect(all.roomAt('a', NOW)).toBe(5);
    for (let window = 5; window < 20; window++) {
      begin(all, 'a', window);
      expect(all.roomAt('a', NOW)).toBe(0);
      for (let i = 0; i < window; i++) {
        all.end('a', 'reached', NOW, '');
        // It is used to the full again, as with a long queue.
        if (i < window - 1) all.begin('a');
      }
      for (let i = 1; i < window; i++) all.end('a', 'nothing', NOW, '');
      expect(all.roomAt('a', NOW)).toBe(window + 1);
    }
  });

  it('never gets more than the limit, however well it goes', () => {
    const all = destinations(7);
    for (let i = 0; i < 200; i++) {
      while (all.roomAt('a', NOW) > 0) all.begin('a');
      all.end('a', 'reached', NOW, '');
    }
    expect(all.status()).toMatchObject([{ name: 'a', window: 7 }]);
  });

  it('is down when a delivery that was alone fails, for a while, and is then tried by one alone', () => {
    const all = destinations();
    all.begin('a');
    expect(all.end('a', 'failed', NOW, 'refused')).toBe('down');
    expect(all.downAt('a')).toEqual({ since: NOW, until: NOW + BACK_OFF, reason: 'refused' });
    expect([...all.full(NOW + BACK_OFF - 1)]).toEqual(['a']);
    expect(all.nextProbe(NOW)).toBe(NOW + BACK_OFF);
    expect(all.roomAt('a', NOW + BACK_OFF)).toBe(1);
    expect([...all.toBeProbed(NOW + BACK_OFF)]).toEqual(['a']);
    all.begin('a');
    expect(all.roomAt('a', NOW + BACK_OFF)).toBe(0);
    expect(all.end('a', 'failed', NOW + BACK_OFF, 'again')).toBe('down');
    expect(all.downAt('a')).toEqual({ since: NOW, until: NOW + 2 * BACK_OFF, reason: 'again' });
    all.begin('a');
    expect(all.end('a', 'reached', NOW + 2 * BACK_OFF, '')).toBe('up');
    expect(all.downAt('a')).toBeUndefined();
  });

  it('of many deliveries is down when as many in a row have failed, and gets fewer with each', () => {
    const all = destinations();
    begin(all, 'a', 5);
    expect(all.end('a', 'failed', NOW, '')).toBeUndefined();
    expect(all.end('a', 'reached', NOW, '')).toBeUndefined();
    begin(all, 'a', 1);
    expect(all.end('a', 'failed', NOW, '')).toBeUndefined();
    expect(all.end('a', 'failed', NOW, '')).toBeUndefined();
    expect(all.status()).toMatchObject([{ window: 2, active: 2 }]);
    expect(all.end('a', 'failed', NOW, '')).toBe('down');
    // Those that were under way meanwhile say nothing new.
    expect(all.end('a', 'failed', NOW, '')).toBeUndefined();
  });

  it('is not down by what says nothing of it', () => {
    const all = destinations();
    all.begin('a');
    expect(all.end('a', 'nothing', NOW, '')).toBeUndefined();
    expect(all.status()).toEqual([]);
  });
});

it('in all there are no more deliveries than may be', () => {
  const all = destinations(20, 6);
  begin(all, 'a', 4);
  expect([all.room, all.roomAt('a', NOW), all.roomAt('b', NOW)]).toEqual([2, 1, 2]);
});

it('a destination has room again when it has answered, and in all there is when what it said is stored', () => {
  const all = destinations(20, 6);
  begin(all, 'a', 5);
  all.end('a', 'reached', NOW, '');
  expect([all.room, all.roomAt('a', NOW)]).toEqual([1, 1]);
  all.stored();
  expect([all.room, all.roomAt('a', NOW)]).toEqual([2, 1]);
});

it('what is remembered has a bound', () => {
  const all = destinations();
  for (let i = 0; i < 10_500; i++) {
    begin(all, `d${i}`, 2);
    all.end(`d${i}`, 'failed', NOW, '');
    all.end(`d${i}`, 'reached', NOW, '');
    all.stored();
    all.stored();
  }
  expect(all.status().length).toBeLessThanOrEqual(10_000);
  expect(all.active).toBe(0);
});

it('whatever happens, the limits hold, and each that is down is tried again', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    reach: fc.constantFrom('reached' as const, 'failed' as const, 'nothing' as const),
    later: fc.nat({ max: BACK_OFF }),
    begins: fc.nat({ max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const all = destinations(6, 10);
      const active: Record<string, number> = { a: 0, b: 0, c: 0 };
      let now = NOW;
      for (const { name, reach, later, begins } of steps) {
        now += later;
        for (let i = 0; i < begins && all.roomAt(name, now) > 0; i++) {
          all.begin(name);
          active[name] = (active[name] ?? 0) + 1;
        }
        if ((active[name] ?? 0) > 0) {
          all.end(name, reach, now, '');
          all.stored();
          active[name] = (active[name] ?? 0) - 1;
        }
        const total = Object.values(active).reduce((sum, each) => sum + each, 0);
        expect(all.active).toBe(total);
        expect(total).toBeLessThanOrEqual(10);
        for (const each of Object.values(active)) expect(each).toBeLessThanOrEqual(6);
      }
      for (const name of Object.keys(active)) {
        for (; (active[name] ?? 0) > 0; active[name] = (active[name] ?? 0) - 1)
          all.end(name, 'nothing', now, '');
      }
      for (const name of Object.keys(active)) expect(all.roomAt(name, now + BACK_OFF)).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
