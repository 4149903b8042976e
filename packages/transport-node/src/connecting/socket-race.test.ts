/** The addresses of one host: which of them are begun when, and which socket is taken (RFC 8305 §4, §5). */
import { connect as connectSocket, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually, expectNothingLeftOpen, listening, portOf } from '../listening.test-support.js';
import { inTurn, raceSockets, raceToHost } from './socket-race.js';

expectNothingLeftOpen();

const made: Socket[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const socket of made.splice(0)) socket.destroy();
});

/** Sockets by their addresses; one that never connects where there is none. What became of it, and which were begun. */
function racing(addresses: readonly string[], sockets: Readonly<Record<string, () => Socket>> = {}) {
  const begun: string[] = [];
  const outcomes: (Socket | Error)[] = [];
  const all = new Map<string, Socket>();
  const cancel = raceSockets(
    addresses,
    (address) => {
      const socket = sockets[address]?.() ?? new Socket();
      begun.push(address);
      made.push(socket);
      all.set(address, socket);
      return socket;
    },
    (outcome) => outcomes.push(outcome),
  );
  return { begun, outcomes, all, cancel };
}

describe('the addresses of a host', () => {
  it('are begun one beside the other while none stands, a quarter of a second apart', () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
    });
    const { begun, all, cancel } = racing(['a', 'b', 'c']);
    expect(begun).toEqual(['a']);
    vi.advanceTimersByTime(240);
    expect(begun).toEqual(['a']);
    vi.advanceTimersByTime(20);
    expect(begun).toEqual(['a', 'b']);
    vi.advanceTimersByTime(260);
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
    expect([...all.values()].some(({ destroyed }) => destroyed)).toBe(false);
    cancel();
    expect([...all.values()].every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('are taken by the first that stands, and the others are given up', async () => {
    const { listener, abortStreams } = await listening({ port: 0 });
    const port = portOf(listener);
    const { outcomes, all } = racing(['silent', 'there', 'last'], {
      there: () => connectSocket(port, '127.0.0.1'),
    });
    await eventually(() => expect(outcomes).toHaveLength(1));
    expect(outcomes[0]).toBe(all.get('there'));
    expect(all.get('silent')?.destroyed).toBe(true);
    expect(all.get('there')?.listenerCount('error')).toBe(0);
    expect(all.has('last')).toBe(false);
    all.get('there')?.destroy();
    abortStreams();
    await listener.close();
  });

  it('are begun at once where the one before has failed, and all failures are told of', async () => {
    const { listener } = await listening({ port: 0 });
    const port = portOf(listener);
    await listener.close();
    const refused = () => connectSocket(port, '127.0.0.1');
    const { begun, outcomes } = racing(['a', 'b'], { a: refused, b: refused });
    await eventually(() => expect(outcomes).toHaveLength(1));
    expect(begun).toEqual(['a', 'b']);
    expect(outcomes[0]).toMatchObject({ code: 'ECONNREFUSED', errors: [{}, {}] });
  });

  it('are IPv4 and IPv6 in turn, beginning as the system does', () => {
    const found = (...addresses: string[]) =>
      inTurn(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
    expect(found('::1', '::2', '::3', '127.0.0.1')).toEqual(['::1', '127.0.0.1', '::2', '::3']);
    expect(found('127.0.0.1', '127.0.0.2', '::1')).toEqual(['127.0.0.1', '::1', '127.0.0.2']);
  });
});

describe('a host without an address', () => {
  it('is told of', async () => {
    const outcome = await new Promise((resolve) =>
      raceToHost('nowhere.invalid', () => new Socket(), resolve),
    );
    expect(outcome).toMatchObject({ syscall: 'getaddrinfo' });
  });

  it('is not told of once it was given up', async () => {
    const outcomes: unknown[] = [];
    raceToHost(
      'localhost',
      () => new Socket(),
      (outcome) => outcomes.push(outcome),
    )();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(outcomes).toEqual([]);
  });
});
