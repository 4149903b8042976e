import { MailDataAbandonedError, Rejection } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from './peer.js';
import { address, expectEverySessionToEnd, pending, read, serve } from './serving.js';

expectEverySessionToEnd();

const RECEIVED = '250 2.0.0 Chunk received';
const ACCEPTED = '250 2.0.0 Message accepted';

/** A served session with a recipient. */
async function addressed(
  handlers: Parameters<typeof serve>[0] = {},
  options: Parameters<typeof serve>[1] = {},
) {
  const session = await serve(handlers, options);
  await address(session);
  /** Writes octets, and gives the lines heard in reply. */
  const write = async (octets: string) => {
    session.peer.write(octets);
    await settle();
    return session.peer.news();
  };
  return { ...session, write };
}

/** An application that notes why bodies were given up. */
const noting = (reasons: unknown[]) => ({
  async onMessage({ body }: { body: AsyncIterable<Uint8Array> }) {
    await read(body).catch((error: unknown) => {
      reasons.push(error);
      throw error;
    });
  },
});

describe('BDAT (RFC 3030)', () => {
  it('is answered chunk by chunk; what looks like a command or an end within one is neither', async () => {
    const { write, messages } = await addressed();
    const first = '.\r\n.\r\nRSET\r\n';
    expect(await write(`BDAT ${first.length}\r\n${first}`)).toEqual([RECEIVED]);
    expect(await write('BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n')).toEqual([
      RECEIVED,
      ACCEPTED,
      '250 2.0.0 OK',
    ]);
    expect(messages).toEqual([`${first}QUIT\r\n`]);
  });

  it('has the same replies and message however the octets are cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, async (read) => {
        let reads = 0;
        const { write, messages } = await addressed(
          {},
          { chunkSize: () => read[reads++ % read.length] ?? 1 },
        );
        expect(await write('BDAT 5\r\nabc\r\nBDAT 0\r\nBDAT 3 LAST\r\nd\r\nNOOP\r\n')).toEqual([
          RECEIVED,
          RECEIVED,
          ACCEPTED,
          '250 2.0.0 OK',
        ]);
        expect(messages).toEqual(['abc\r\nd\r\n']);
      }),
      { numRuns: 30 },
    );
  });

  it.each(['RSET', 'EHLO c.example'])('is given up by %s between two chunks', async (command) => {
    const reasons: unknown[] = [];
    const session = await addressed(noting(reasons));
    await session.write('BDAT 5\r\nabc\r\n');
    await session.peer.say(command);
    expect(reasons).toEqual([new MailDataAbandonedError('reset')]);
    expect(session.errors).toEqual([]);
    await address(session);
    expect(await session.write('BDAT 5 LAST\r\nabc\r\n')).toEqual([ACCEPTED]);
  });

  it.each<[string, (session: Awaited<ReturnType<typeof addressed>>) => unknown]>([
    ['is lost', ({ peer }) => peer.stream.abort()],
    ['ends', ({ peer }) => peer.stream.end()],
    ['is silent for too long', ({ clock }) => clock.advanceAsync(600_000)],
    ['says QUIT', ({ peer }) => peer.write('QUIT\r\n')],
    ['sees an abort', ({ connection }) => connection.abort()],
  ])('is given up when the client %s, between two chunks', async (_, stop) => {
    const reasons: unknown[] = [];
    const session = await addressed(noting(reasons));
    expect(await session.write('BDAT 5\r\nabc\r\n')).toEqual([RECEIVED]);
    await stop(session);
    await settle();
    expect(reasons).toEqual([new MailDataAbandonedError('closed')]);
    expect(session.errors).toEqual([]);
  });

  it.each<[string, (session: Awaited<ReturnType<typeof addressed>>) => unknown]>([
    ['is lost', ({ peer }) => peer.stream.abort()],
    ['ends', ({ peer }) => peer.stream.end()],
    ['is silent for too long', ({ clock }) => clock.advanceAsync(600_000)],
  ])('is given up when the client %s, within a chunk', async (_, stop) => {
    const reasons: unknown[] = [];
    const session = await addressed(noting(reasons));
    expect(await session.write('BDAT 9 LAST\r\nabc\r\n')).toEqual([]);
    await stop(session);
    await settle();
    expect(reasons).toEqual([new MailDataAbandonedError('closed')]);
    expect(session.messages).toEqual([]);
  });

  it('lets all chunks of a message come before a shutdown', async () => {
    const { write, connection, messages } = await addressed();
    expect(await write('BDAT 2\r\nab')).toEqual([RECEIVED]);
    connection.shutdown();
    expect(await write('BDAT 3 LAST\r\nc\r\n')).toEqual([
      ACCEPTED,
      '421 4.3.2 The service is shutting down, closing the session',
    ]);
    expect(messages).toEqual(['abc\r\n']);
  });

  it('that onData refuses has its octets read away, and none of them executed', async () => {
    const asked: string[] = [];
    const { write, messages } = await addressed({
      async onData() {
        throw new Rejection(552, '5.2.2', 'Over quota');
      },
      onMailFrom: ({ reversePath }) => void asked.push(reversePath?.localPart ?? ''),
    });
    const evil = 'MAIL FROM:<evil@a.example>\r\n';
    expect(await write(`BDAT ${evil.length} LAST\r\n${evil}NOOP\r\n`)).toEqual([
      '552 5.2.2 Over quota',
      '250 2.0.0 OK',
    ]);
    expect(asked).toEqual(['s']);
    expect(messages).toEqual([]);
  });

  it('is received on behind a handler that has settled early, and answered as it has decided', async () => {
    for (const [result, reply] of [
      [undefined, ACCEPTED],
      [{ code: 550, enhancedCode: '5.7.1', lines: ['Spam'] }, '550 5.7.1 Spam'],
    ] as const) {
      const { write, errors } = await addressed({ onMessage: () => result });
      expect(await write('BDAT 5\r\nabc\r\n')).toEqual([RECEIVED]);
      expect(await write('BDAT 5\r\ndef\r\n')).toEqual([RECEIVED]);
      expect(await write('BDAT 0 LAST\r\n')).toEqual([reply]);
      expect(errors).toEqual([]);
    }
  });

  it('waits, in its last chunk, for the handler; nothing that is pipelined overtakes it', async () => {
    const kept = pending();
    const { write, peer } = await addressed({ onMessage: () => kept.promise });
    expect(await write('BDAT 5 LAST\r\nabc\r\nNOOP\r\n')).toEqual([]);
    kept.resolve();
    await settle();
    expect(peer.news()).toEqual([ACCEPTED, '250 2.0.0 OK']);
  });

  it('holds a client back whose message is not read, whatever its chunks, in bounded memory', async () => {
    for (const size of [100, 20_000, 3_000_000]) {
      const go = pending();
      let taken = 0;
      const { peer, stream } = await addressed({
        async onMessage({ body }) {
          await go.promise;
          for await (const octets of body) taken += octets.length;
        },
      });
      const line = `${'x'.repeat(98)}\r\n`;
      const chunk = `BDAT ${size}\r\n${line.repeat(size / 100)}`;
      const before = stream.received;
      let written = 0;
      // As a client that writes while its stream takes it.
      for (; written < 3_000_000 && !peer.blocked; written += size) {
        for (let at = 0; at < chunk.length; at += 50_000) {
          peer.write(chunk.slice(at, at + 50_000));
          await settle();
        }
      }
      expect(stream.received - before).toBeLessThan(400_000);
      go.resolve();
      await settle();
      peer.write('BDAT 0 LAST\r\n');
      await settle();
      expect(peer.news().at(-1)).toBe(ACCEPTED);
      expect(taken).toBe(written);
    }
  });
});
