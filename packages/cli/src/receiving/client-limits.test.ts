import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addClientLimits, connectionLimits, sessionLimits } from './client-limits.js';

function limitsOf(...words: string[]) {
  const options = addClientLimits(new Command()).parse(words, { from: 'user' }).opts();
  return { ...connectionLimits(options), ...sessionLimits(options, { idle: 1 }) };
}

describe('limits for a client', () => {
  it('that are not given are left to the library, which spares loopback then', () => {
    expect(limitsOf()).toEqual({ timeouts: { idle: 1 } });
  });

  it('that are given hold for all', () => {
    expect(
      limitsOf(
        ...['--max-connections-per-client', '7', '--max-handshakes', '8', '--min-rate', '9'],
        ...['--max-session', '1.5', '--max-junk', '10'],
      ),
    ).toEqual({
      maximumConnectionsPerClient: 7,
      maximumArriving: 8,
      minimumMailDataRate: 9,
      maximumJunkCommands: 10,
      timeouts: { idle: 1, session: 1500 },
    });
  });

  it('of 0 are none', () => {
    const none = Number.POSITIVE_INFINITY;
    expect(
      limitsOf(
        ...['--max-connections-per-client', '0', '--min-rate', '0', '--max-session', '0', '--max-junk', '0'],
      ),
    ).toEqual({
      maximumConnectionsPerClient: none,
      minimumMailDataRate: 0,
      maximumJunkCommands: none,
      timeouts: { idle: 1, session: none },
    });
  });
});
