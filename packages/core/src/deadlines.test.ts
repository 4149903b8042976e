import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from './deadlines.js';

/** All ids that are due at `now`, in the order in which they are taken out. */
const takeAll = (deadlines: Deadlines, now: number): string[] => [...deadlines.takeAllDue(now)];

describe('deadlines', () => {
  it('are none at first', () => {
    const deadlines = new Deadlines();
    expect(deadlines.next()).toBeUndefined();
    expect(takeAll(deadlines, Number.MAX_VALUE)).toEqual([]);
  });

  it('are due from their very millisecond on, and once', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 100, 1000);
    expect(deadlines.next()).toBe(1100);
    expect(takeAll(deadlines, 1099)).toEqual([]);
    expect(takeAll(deadlines, 1100)).toEqual(['a']);
    expect(takeAll(deadlines, 1100)).toEqual([]);
    expect(deadlines.next()).toBeUndefined();
  });

  it('are due at once without a delay', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 0, 5);
    expect(takeAll(deadlines, 5)).toEqual(['a']);
  });

  it('come earliest first, and those of one moment in the order in which they were set', () => {
    const deadlines = new Deadlines();
    deadlines.set('late', 300, 0);
    deadlines.set('early', 100, 0);
    deadlines.set('first', 100, 100);
    deadlines.set('second', 200, 0);
    expect(deadlines.next()).toBe(100);
    expect(takeAll(deadlines, 250)).toEqual(['early', 'first', 'second']);
    expect(deadlines.next()).toBe(300);
  });

  it('are replaced when they are set again', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 100, 0);
    deadlines.set('a', 100, 50);
    expect(takeAll(deadlines, 149)).toEqual([]);
    expect(takeAll(deadlines, 150)).toEqual(['a']);
  });

  it('can be cleared, also when they are not running', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 100, 0);
    deadlines.set('b', 200, 0);
    deadlines.clear('a');
    deadlines.clear('a');
    deadlines.clear('unheard of');
    expect(takeAll(deadlines, 1000)).toEqual(['b']);
  });

  it('begin anew all together, each with its own delay', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 100, 0);
    deadlines.set('b', 200, 50);
    deadlines.restart(90);
    expect(deadlines.next()).toBe(190);
    expect(takeAll(deadlines, 289)).toEqual(['a']);
    expect(takeAll(deadlines, 290)).toEqual(['b']);
    deadlines.restart(300);
    expect(deadlines.next()).toBeUndefined();
  });

  it('do not come when one that came before has cleared them', () => {
    const deadlines = new Deadlines();
    deadlines.set('a', 100, 0);
    deadlines.set('b', 200, 0);
    const taken: string[] = [];
    for (const id of deadlines.takeAllDue(1000)) {
      taken.push(id);
      deadlines.clear('b');
    }
    expect(taken).toEqual(['a']);
  });

  it('can be infinite, and never come then', () => {
    const deadlines = new Deadlines();
    deadlines.set('never', Number.POSITIVE_INFINITY, 0);
    expect(deadlines.next()).toBeUndefined();
    expect(takeAll(deadlines, Number.MAX_VALUE)).toEqual([]);
    deadlines.set('a', 100, 0);
    expect(deadlines.next()).toBe(100);
  });

  it('behave like a sorted list, whatever is done with them', () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), id, delay: fc.nat({ max: 20 }) }),
      fc.record({ do: fc.constant('clear' as const), id }),
      fc.record({ do: fc.constant('restart' as const) }),
      fc.record({ do: fc.constant('wait' as const), time: fc.nat({ max: 15 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const deadlines = new Deadlines();
        let model: { id: string; delay: number; at: number }[] = [];
        let now = 0;
        for (const action of steps) {
          if (action.do === 'set') {
            deadlines.set(action.id, action.delay, now);
            model = model.filter((each) => each.id !== action.id);
            model.push({ id: action.id, delay: action.delay, at: now + action.delay });
          } else if (action.do === 'clear') {
            deadlines.clear(action.id);
            model = model.filter((each) => each.id !== action.id);
          } else if (action.do === 'restart') {
            deadlines.restart(now);
            model = model.map((each) => ({ ...each, at: now + each.delay }));
          } else {
            now += action.time;
            const due = model.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
            model = model.filter(({ at }) => at > now);
            expect(takeAll(deadlines, now)).toEqual(due.map((each) => each.id));
          }
          const times = model.map(({ at }) => at);
          expect(deadlines.next()).toBe(times.length === 0 ? undefined : Math.min(...times));
        }
      }),
    );
  });
});
