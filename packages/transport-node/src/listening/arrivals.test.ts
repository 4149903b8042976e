import { describe, expect, it } from 'vitest';
import { Arrivals } from './arrivals.js';

describe('arrivals', () => {
  it('beyond the limit make room: the oldest of the client that has most gives way', () => {
    const gone: string[] = [];
    const arrivals = new Arrivals(4);
    const enter = (client: string, name: string) => arrivals.enter(client, () => gone.push(name));
    enter('honest', 'h1');
    for (const name of ['f1', 'f2', 'f3', 'f4', 'f5']) enter('flooding', name);
    expect(gone).toEqual(['f1', 'f2']);
    enter('other', 'o1');
    expect(gone).toEqual(['f1', 'f2', 'f3']);
  });

  it('that have left make room by that, and never give way', () => {
    const gone: string[] = [];
    const arrivals = new Arrivals(2);
    const leave = arrivals.enter('a', () => gone.push('a1'));
    arrivals.enter('a', () => gone.push('a2'));
    leave();
    leave();
    arrivals.enter('b', () => gone.push('b1'));
    expect(gone).toEqual([]);
    arrivals.enter('b', () => gone.push('b2'));
    expect(gone).toEqual(['b1']);
  });

  it('that are not counted neither give way nor make others', () => {
    const gone: string[] = [];
    const arrivals = new Arrivals(1);
    arrivals.enter('a', () => gone.push('a1'));
    for (let count = 0; count < 5; count += 1) arrivals.enter(undefined, () => gone.push('spared'));
    expect(gone).toEqual([]);
  });
});
