import { expect, it } from 'vitest';
import { Mutations } from './mutating.js';
import { run } from './running.js';
import { shrunk } from './shrinking.js';
import { host, peer, type Story, textOf } from './story.js';

const story = (...moves: Story['moves']): Story => ({
  end: 'server',
  mode: 'reject',
  state: 'session.greeted',
  host: 'accepts',
  moves,
});

const octets = ({ moves }: Story): string =>
  moves.map((move) => (move.by === 'peer' ? textOf(move.octets) : '')).join('');

it('what fails is shrunk to what it takes to fail', () => {
  const faultOf = (some: Story) => (octets(some).includes('\0') ? 'Error: a NUL\nat here' : undefined);
  const long = story(peer('EHLO c\r\n'), host('timeout'), peer('NOOP\r\nRSET \0 x\r\n'), peer('QUIT\r\n'));
  expect(shrunk(long, faultOf).moves).toEqual([peer('\0')]);
});

// It walks into the states of all modes, which a busy machine takes its time for.
it('the same seed makes the same stories', { timeout: 240_000 }, () => {
  const some = (seed: number) => {
    const mutations = new Mutations(seed);
    return Array.from({ length: 50 }, () => mutations.changed(mutations.story(), mutations.story()));
  };
  expect(some(7)).toEqual(some(7));
  expect(some(7)).not.toEqual(some(8));
});

it('a story tells where it led', () => {
  const { fault, seen } = run(story(peer('EHLO c\r\n'), host('shutdown'), peer('NOOP\r\n')));
  expect(fault).toBeUndefined();
  expect([...seen]).toEqual(expect.arrayContaining(['250 ', 'session|command.EHLO|0', '421 4.3.2', 'close']));
});
