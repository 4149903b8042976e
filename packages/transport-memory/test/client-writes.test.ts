import { type OpenSessionOptions, openSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../src/index.js';
import { envelopeFor } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import { StubStream } from './stub-stream.js';

/** A session behind EHLO, and what it says from then on, a string for each write. */
async function session(keywords: readonly string[], options: Partial<OpenSessionOptions> = {}) {
  const stream = new StubStream();
  const opening = openSession(stream, { clock: createVirtualClock({ settle }), ...options });
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
  return { client, say, stream, writes };
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

  it('is both chunks of a small message to a server with CHUNKING and PIPELINING (RFC 3030 §2)', async () => {
    const { client, say, writes } = await session(['PIPELINING', 'CHUNKING'], { mailDataBy: 'bdat' });
    const sent = client.send(envelopeFor(), 'line\r\n');
    await say('250 OK', '250 OK');
    expect(writes.slice(1)).toEqual(['BDAT 6\r\nline\r\nBDAT 0 LAST\r\n']);
    await say('250 OK', '250 Taken');
    expect(await sent).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('is the first chunk alone where its reply has to come first', async () => {
    const { client, say, writes } = await session(['CHUNKING'], { mailDataBy: 'bdat' });
    const sent = client.send(envelopeFor(), 'line\r\n');
    await say('250 OK');
    await say('250 OK');
    expect(writes.at(-1)).toBe('BDAT 6\r\nline\r\n');
    await say('250 OK');
    expect(writes.at(-1)).toBe('BDAT 0 LAST\r\n');
    await say('250 Taken');
    expect(await sent).toMatchObject([{ verdict: 'delivered' }]);
  });
});
