import type { Reply } from '@sansmtp/core';
import type { ServerHandlers } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { settle } from './peer.js';
import { data, expectEverySessionToEnd, pending, type Served, serve } from './serving.js';

expectEverySessionToEnd();

/** As a socket reads: octets of a chunk at most, and of what waits on the way before a write says stop. */
const network = {
  chunkSize: 65_536,
  bufferSize: 65_536,
  maximumJunkCommands: Number.POSITIVE_INFINITY,
};

/** Octets that wait in the stream: its buffer, and the write that exceeded it. What waits for that one, the driver has. */
const MAXIMUM_WRITTEN = 65_536 + 20_000;

/** Sends `line` so many times in one go. */
function pipeline(peer: Served['peer'], line: string, count: number): void {
  peer.write(`${line}\r\n`.repeat(count));
}

describe('a client that pipelines more than it reads', () => {
  const help = (lines: readonly string[]) => ({ code: 214, lines });
  const long = new Array(5).fill('H'.repeat(400));
  it.each<[string, string, number, Partial<ServerHandlers>]>([
    ['100,000 short replies', 'NOOP', 100_000, {}],
    ['replies ten times as long as the commands', 'EHLO c', 15_000, {}],
    ['replies of 2 KiB', `HELP ${'?'.repeat(80)}`, 2_000, { onHelp: () => help(long) }],
    ['late decisions', 'HELP', 30_000, { onHelp: async () => help(['Patience'.repeat(4)]) }],
  ])(
    'is held back, costs no more than the bound, and gets %s all the same',
    async (_, line, count, handlers) => {
      const { peer, stream } = await serve(handlers, network);
      await peer.say('EHLO c.example');
      const first = stream.written;
      await peer.say(line);
      const octets = stream.written - first;
      peer.stream.pause();
      const before = stream.written;
      pipeline(peer, line, count);
      await settle();
      expect(peer.blocked).toBe(true);
      // All that the server wrote waits for the peer.
      expect(stream.written - before).toBeGreaterThan(65_536);
      expect(stream.written - before).toBeLessThan(MAXIMUM_WRITTEN);

      let heard = 0;
      peer.data = (bytes) => {
        heard += bytes.length;
      };
      peer.stream.resume();
      await settle();
      expect(peer.blocked).toBe(false);
      expect(heard).toBe(count * octets);
    },
  );

  it('gets every reply when it ends its side behind its commands', async () => {
    const { peer, closings } = await serve({}, network);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 40_000);
    peer.stream.end();
    await settle();
    peer.stream.resume();
    await settle();
    expect(peer.news()).toHaveLength(1 + 40_000);
    expect(peer.ended).toBe(true);
    expect(closings).toEqual([undefined]);
  });

  it('is held back while its commands wait for a decision', async () => {
    const decided = pending();
    const { peer, stream } = await serve({ onHello: () => decided.promise }, network);
    await peer.say('EHLO c.example');
    const before = stream.received;
    pipeline(peer, 'NOOP', 20_000);
    await settle();
    expect(peer.blocked).toBe(true);
    expect(stream.received - before).toBe(65_536);
    decided.resolve();
    await settle();
    expect(peer.blocked).toBe(false);
    expect(peer.news().filter((line) => line === '250 2.0.0 OK')).toHaveLength(20_000);
  });

  it('may have a stream that delivers it all as one chunk, while a decision is waited for', async () => {
    const decided = pending();
    const { peer } = await serve(
      { onConnect: () => decided.promise },
      { maximumJunkCommands: Number.POSITIVE_INFINITY },
    );
    pipeline(peer, 'NOOP', 50_000);
    pipeline(peer, 'NOOP', 10);
    await settle();
    expect(peer.closed).toBe(false);
    decided.resolve();
    await settle();
    expect(peer.news()).toHaveLength(1 + 50_010);
  });
});

describe('a client that never reads its replies', () => {
  it('is dropped when the deadline for its next command comes', async () => {
    const { clock, connection, peer, closings } = await serve({}, network);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 100_000);
    await clock.advanceAsync(299_999);
    expect(closings).toEqual([]);
    await clock.advanceAsync(1);
    await connection.closed;
    expect(closings).toEqual([new Error('The peer did not read its replies')]);
    expect(clock.pending).toBe(0);
  });

  it('has the whole time, however long the session was idle before', async () => {
    const { clock, peer, closings } = await serve({}, network);
    await clock.advanceAsync(200_000);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 30_000);
    await clock.advanceAsync(299_999);
    expect(closings).toEqual([]);
    await clock.advanceAsync(1);
    expect(closings).toHaveLength(1);
  });

  it.each([
    ['in the middle of its commands', 1_000],
    ['with its very last octets', 645],
  ])('is dropped when it has ended its side, and the bound is reached %s', async (_, lines) => {
    const decided = pending<Reply>();
    const { clock, peer, closings } = await serve({ onHelp: () => decided.promise }, network);
    await peer.say('EHLO c.example');
    peer.stream.pause();
    peer.write('HELP\r\n');
    pipeline(peer, 'RSET', 100);
    peer.stream.end();
    await settle();
    decided.resolve({ code: 214, lines: new Array(lines).fill('H'.repeat(400)) });
    await clock.advanceAsync(305_000);
    expect(closings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('is dropped when it said QUIT at the end', async () => {
    const { clock, peer, closings } = await serve({}, network);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 30_000);
    await peer.say('QUIT');
    await clock.advanceAsync(305_000);
    expect(closings).toEqual([expect.any(Error)]);
  });

  it('is dropped when it ended its side and does not read what is left', async () => {
    const { clock, peer, closings } = await serve({}, network);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 100_000);
    peer.stream.end();
    await clock.advanceAsync(310_000);
    expect(closings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('is dropped when it reads a little and stops again', async () => {
    const { clock, peer, closings } = await serve({}, network);
    peer.stream.pause();
    pipeline(peer, 'NOOP', 100_000);
    for (let minute = 0; minute < 4; minute++) {
      await clock.advanceAsync(60_000);
      peer.data = () => peer.stream.pause();
      peer.stream.resume();
    }
    expect(closings).toEqual([]);
    await clock.advanceAsync(300_000);
    expect(closings).toHaveLength(1);
  });
});

describe('a message for a handler that reads slowly', () => {
  const line = `${'X'.repeat(98)}\r\n`;
  const large = line.repeat(20_000);

  it('stays with the client but for what is waiting to be read, and arrives whole', async () => {
    let next = () => {};
    const session = await serve(
      {
        async onMessage({ body }) {
          let text = '';
          for await (const bytes of body) {
            text += Buffer.from(bytes).toString('latin1');
            await new Promise<void>((resolve) => {
              next = resolve;
            });
          }
          session.messages.push(text);
        },
      },
      network,
    );
    const { peer, stream } = session;
    await data(session);
    const before = stream.received;
    peer.write(`${large}.\r\n`);
    let taken = 0;
    for (let turn = 0; turn < 1000 && session.messages.length === 0; turn++) {
      await settle();
      // One chunk is with the reader, and what waits is full with the chunk that filled it.
      expect(stream.received - before - taken).toBeLessThanOrEqual(65_536 + 131_072 + 65_536);
      taken += 65_536;
      next();
    }
    expect(session.messages).toEqual([large]);
    expect(peer.news()).toEqual(['250 2.0.0 Message accepted']);
  });

  it('is waited for until the deadline of decisions, if the handler never reads on: the client is not to blame', async () => {
    const { promise } = pending();
    const session = await serve({ onMessage: () => promise }, network);
    const { clock, peer, stream } = session;
    await data(session);
    const before = stream.received;
    peer.write(large);
    await clock.advanceAsync(599_999);
    expect(stream.received - before).toBe(131_072);
    expect(peer.news()).toEqual([]);
    await clock.advanceAsync(1);
    expect(peer.news()).toEqual([expect.stringMatching(/^421 4\.3\.0 /)]);
    await clock.advanceAsync(5_000);
    expect(session.closings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('goes on once the handler gives up, and is refused at its end', async () => {
    const { promise, reject } = pending();
    const session = await serve({ onMessage: () => promise }, network);
    await data(session);
    session.peer.write(large);
    await settle();
    expect(session.peer.blocked).toBe(true);
    reject(Object.assign(new Error('No space left'), { responseCode: 452 }));
    await settle();
    expect(session.peer.blocked).toBe(false);
    expect(await session.peer.say('.')).toEqual(['452 4.0.0 No space left']);
  });

  it('does not keep commands behind it waiting once it is over', async () => {
    const { promise, resolve } = pending();
    const session = await serve({ onMessage: () => promise }, network);
    await data(session);
    session.peer.write(`${line.repeat(1_400)}.\r\n`);
    await settle();
    resolve();
    await settle();
    expect(await session.peer.say('NOOP')).toEqual(['250 2.0.0 Message accepted', '250 2.0.0 OK']);
  });
});
