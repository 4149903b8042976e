/**
 * What one connection can make the process hold: the number in docs/receiving.md, with thousands of connections' worth of
 * the worst that clients can do. What is measured is all of the heap and of the arrays outside of it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serveSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../src/index.js';
import { octetsOf, settle } from './peer.js';
import { StubStream } from './stub-stream.js';

/** As docs/receiving.md has it. */
const MOST_A_CONNECTION = 512 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function held(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A stream whose client reads nothing: what is written to it stays. */
class UnreadStream extends StubStream {
  override hasRoom = false;
}

/** The same, once what the tests before have left is gone. */
async function heldAtRest(): Promise<number> {
  for (let last = held(); ; ) {
    await settle();
    const now = held();
    if (Math.abs(now - last) < 65_536) return now;
    last = now;
  }
}

/** Octets that each of so many connections holds after the client did this. */
async function heldByEach(connections: number, act: (stream: StubStream) => void): Promise<number> {
  const clock = createVirtualClock();
  const before = await heldAtRest();
  const streams = Array.from({ length: connections }, () => {
    const stream = new UnreadStream();
    const waiting = new Promise<void>(() => {});
    serveSession(
      stream,
      { onMessage: () => waiting },
      { clock, maximumJunkCommands: Number.POSITIVE_INFINITY },
    );
    act(stream);
    return stream;
  });
  for (let turn = 0; turn < 20; turn += 1) await settle();
  const each = (held() - before) / connections;
  expect(streams.every(({ calls }) => calls.at(-1) === 'pause')).toBe(true);
  for (const { listener } of streams) listener.close();
  return each;
}

describe('what one connection can make the process hold', () => {
  it.each([
    ['commands, and never reads a reply', 'NOOP\r\n'],
    ['commands with long replies, and never reads one', 'EHLO c\r\n'],
  ])(
    'is bounded for a client that pipelines %s',
    async (_, command) => {
      const octets = command.repeat(65_536 / command.length);
      const each = await heldByEach(1000, ({ listener }) => listener.data(octetsOf(octets)));
      expect(each).toBeGreaterThan(65_536);
      expect(each).toBeLessThan(MOST_A_CONNECTION);
    },
    300_000,
  );

  it('is bounded for a message that comes octet by octet to a handler that does not read', async () => {
    const each = await heldByEach(20, (stream) => {
      const { listener, calls } = stream;
      listener.data(octetsOf('EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n'));
      for (let octet = 0; octet < 200_000 && calls.at(-1) !== 'pause'; octet += 1) {
        listener.data(octetsOf(octet % 64 === 62 ? '\r' : octet % 64 === 63 ? '\n' : 'x'));
      }
    });
    expect(each).toBeGreaterThan(131_072);
    expect(each).toBeLessThan(MOST_A_CONNECTION);
  }, 300_000);
});
