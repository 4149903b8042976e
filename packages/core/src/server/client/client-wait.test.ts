import { describe, expect, it } from 'vitest';
import type { ServerInput } from '../contract/messages.js';
import { ClientWait } from './client-wait.js';

function waiting(before: 'greeting' | 'refusal') {
  const wait = new ClientWait();
  const ended: number[] = [];
  wait.begin(100, before, () => ended.push(1));
  return { wait, ended, take: (input: ServerInput) => wait.take(input) };
}

const bytes = new Uint8Array([0x51]);

describe.each(['greeting', 'refusal'] as const)('a wait before a %s', (before) => {
  it.each<ServerInput>([
    { type: 'timeout', now: 100 },
    { type: 'timeout', now: 101 },
    { type: 'eof', now: 1 },
    { type: 'shutdown', now: 1 },
  ])('is over, once, with %j', (input) => {
    const { wait, ended, take } = waiting(before);
    expect(wait).toMatchObject({ isOn: true, until: 100 });
    take(input);
    take(input);
    expect(ended).toHaveLength(1);
    expect(wait).toMatchObject({ isOn: false, until: undefined });
  });

  it('goes on before its time is up', () => {
    const { wait, ended, take } = waiting(before);
    take({ type: 'timeout', now: 99 });
    expect(wait.isOn).toBe(true);
    expect(ended).toEqual([]);
  });

  it('comes to nothing where the connection is lost, however late', () => {
    const { wait, ended, take } = waiting(before);
    take({ type: 'lost', now: 100 });
    expect(wait.isOn).toBe(false);
    expect(ended).toEqual([]);
  });

  it(`is ${before === 'greeting' ? 'over' : 'not over'} when the client speaks`, () => {
    const { ended, take } = waiting(before);
    take({ type: 'bytes', bytes, now: 1 });
    expect(ended).toHaveLength(before === 'greeting' ? 1 : 0);
  });
});
