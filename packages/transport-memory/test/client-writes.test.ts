import { type OpenSessionOptions, openSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../src/index.js';
import { envelopeFor } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import { StubStream } from './stub-stream.js';

/** A session behind EHLO, and what it says from then on, a string for each write. */
async function session(keywords: readonly string[], options: Partial<OpenSessionOptions> = {}) {
  const stream = new StubStream();
  const clock = createVirtualClock({ settle });
  const opening = openSession(stream, { clock, ...options });
  const say = async (...lines: readonly string[]) => {
    stream.listener.data(octetsOf(lines.map((line) => `${line}\r\n`).join('')));
    await settle();
  };
  await say('220 mx.example');
  await say(
    ...['mx.example', ...keywords].map((line, index) => `250${index < keywords.length ? '-' : ' '}${line}`),
  );
  const client = await opening;
  const { writes } = stream;
  writes.length = 0;
  return { client, clock, say, stream, writes };
}

const COMMANDS = 'MAIL FROM:<s@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n';
const GO_AHEAD = ['250 OK', '250 OK', '354 Go ahead'];

describe('What is written at once', () => {
  it.each([
    ['text', 'line\r\n'],
    ['octets', octetsOf('line\r\n')],
  ])('is a message of %s with its end, behind the 354', async (_, message) => {
    const { client, say, writes } = await session(['PIPELINING']);
    const sent = client.send(envelopeFor(), message);
    expect(writes).toEqual([COMMANDS]);
    await say(...GO_AHEAD);
    expect(writes).toEqual([COMMANDS, 'line\r\n.\r\n']);
    await say('250 Taken');
    expect(await sent).toMatchObject([{ verdict: 'delivered' }]);
  });

  it.each([
    [65_536, 1],
    [65_537, 2],
  ])('is no more than 64 KiB of it: a message of %d octets takes %d', async (size, count) => {
    const { client, say, stream, writes } = await session(['PIPELINING']);
    const message = `${'x'.repeat(size - 2)}\r\n`;
    void client.send(envelopeFor(), message);
    await say(...GO_AHEAD);
    expect(writes.slice(1).join('')).toBe(`${message}.\r\n`);
    // The message alone is what the limit speaks of; behind it, its end goes out as it is.
    expect(writes.slice(1)).toHaveLength(count);
    stream.listener.close();
  });

  it('is nothing of a small message whose last octet forbids to end it', async () => {
    const { client, say, stream, writes } = await session(['PIPELINING']);
    const sent = client.send(envelopeFor(), 'line\r');
    const failure = expect(sent).rejects.toThrow('bare CR');
    await say(...GO_AHEAD);
    await failure;
    expect(writes).toEqual([COMMANDS]);
    expect(stream.calls).toContain('abort');
    stream.listener.close();
  });

  it.each([[['PIPELINING', 'CHUNKING']], [['CHUNKING']]])(
    'is the one chunk of a message, its command and its octets, to a server with %j (RFC 3030 §2)',
    async (keywords) => {
      const pieces = inPieces(...Array.from({ length: 3000 }, () => octetsOf('x')), octetsOf('\r\n'));
      for (const message of ['line\r\n', octetsOf('line\r\n'), pieces]) {
        const { client, say, writes } = await session(keywords, { mailDataBy: 'bdat' });
        const sent = client.send(envelopeFor(), message);
        await say('250 OK');
        await say('250 OK');
        expect(writes.at(-1)).toBe(
          message === pieces ? `BDAT 3002 LAST\r\n${'x'.repeat(3000)}\r\n` : 'BDAT 6 LAST\r\nline\r\n',
        );
        await say('250 Taken');
        expect(await sent).toMatchObject([{ verdict: 'delivered' }]);
      }
    },
  );
});

describe('A message to a connection that is slow', () => {
  const line = `${'x'.repeat(1_022)}\r\n`;
  const octets = octetsOf(line.repeat(200));

  it.each([
    ['octets', () => octets],
    ['text', () => line.repeat(200)],
    ['a body of one piece', () => inPieces(octets)],
  ])(
    'of %s has a time limit for each 64 KiB, not for its whole (RFC 5321 §4.5.3.2.5)',
    async (_, message) => {
      for (const mailDataBy of ['data', 'bdat'] as const) {
        const { client, clock, say, stream, writes } = await session(['PIPELINING', 'CHUNKING'], {
          mailDataBy,
        });
        const sent = client.send(envelopeFor(), message());
        stream.hasRoom = false;
        await say(...(mailDataBy === 'data' ? GO_AHEAD : GO_AHEAD.slice(0, 2)));
        for (const octetsSoFar of [65_536, 131_072, 196_608]) {
          const text = writes
            .slice(1)
            .join('')
            .replace(/BDAT \d+\r\n/g, '');
          expect(text).toHaveLength(octetsSoFar);
          await clock.advanceAsync(179_999);
          stream.listener.drain();
          await settle();
        }
        stream.hasRoom = true;
        stream.listener.drain();
        await settle();
        const chunks = mailDataBy === 'data' ? [] : ['250 OK', '250 OK', '250 OK'];
        await say(...chunks, '250 Taken');
        expect(await sent).toMatchObject([{ verdict: 'delivered', reply: { lines: ['Taken'] } }]);
      }
    },
  );

  it('by BDAT is read once, though room for more and the reply to a chunk come in the same moment', async () => {
    const { client, say, stream, writes } = await session(['CHUNKING'], { mailDataBy: 'bdat' });
    const [one, two] = [octetsOf('1'.repeat(65_537)), octetsOf('2'.repeat(65_536))];
    // It could be read any number of times.
    const body = { [Symbol.asyncIterator]: () => inPieces(one, two) };
    const sent = client.send(envelopeFor(), body);
    await say('250 OK');
    stream.hasRoom = false;
    await say('250 OK');
    stream.hasRoom = true;
    stream.listener.drain();
    await say('250 OK');
    await say('250 OK');
    await say('250 Taken');
    const chunk = `1${'2'.repeat(65_535)}`;
    expect(writes.slice(2).join('')).toBe(
      `BDAT 65536\r\n${'1'.repeat(65_536)}BDAT 65536\r\n${chunk}BDAT 3 LAST\r\n2\r\n`,
    );
    expect(await sent).toMatchObject([{ verdict: 'delivered' }]);
  });
});

async function* inPieces(...pieces: readonly Uint8Array[]) {
  yield* pieces;
}
