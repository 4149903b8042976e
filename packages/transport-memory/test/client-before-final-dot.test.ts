/** `beforeFinalDot`: whoever stores that a message may arrive does so before its end goes out, and may prevent it. */
import { describe, expect, it } from 'vitest';
import { connected, envelopeFor, expectEverySessionToEnd } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import { pending } from './serving.js';

expectEverySessionToEnd();

const DELIVERED = { verdict: 'delivered', phase: 'message' };
const TEXT = 'Subject: x\r\n\r\ntext\r\n';

/** A server with CHUNKING, which answers BDAT once as many octets have come. */
function chunking() {
  let left = 0;
  return {
    keywords: ['CHUNKING', 'PIPELINING'],
    reply(command: string) {
      if (left > 0) {
        left -= command.length + 2;
        return left > 0 ? null : '250 OK';
      }
      const [, size] = /^BDAT (\d+)/.exec(command) ?? [];
      if (size === undefined) return undefined;
      left = Number(size);
      return null;
    },
  };
}

async function* pieces() {
  for (const line of TEXT.split(/(?<=\n)/)) yield octetsOf(line);
}

describe.each([
  ['DATA', {}, undefined, '.\r\n'],
  ['BDAT', chunking(), 'bdat', ' LAST\r\n'],
] as const)('beforeFinalDot, by %s', (_, script, mailDataBy, end) => {
  const open = (more = script) => connected(more, mailDataBy && { mailDataBy });

  it.each([
    ['text', () => TEXT],
    ['octets', () => octetsOf(TEXT)],
    ['an iterable', pieces],
  ])('is called once, before the end of the message is written (%s)', async (_, body) => {
    const { client, wire } = await open();
    const stored = pending();
    let called = 0;
    const sending = client.send(envelopeFor('a'), body(), {
      beforeFinalDot: () => {
        called += 1;
        return stored.promise;
      },
    });
    await settle();
    expect(called).toBe(1);
    expect(wire.sent.endsWith(end)).toBe(false);
    expect(wire.sent).not.toContain(' LAST');
    stored.resolve();
    expect(await sending).toMatchObject([DELIVERED]);
    expect(wire.sent).toContain(end);
    expect(called).toBe(1);
  });

  it('lets nothing of the end out where it throws, drops the connection, and send() throws the same', async () => {
    const { client, server, wire } = await open();
    const error = new Error('The claim is over');
    await expect(
      client.send(envelopeFor('a'), TEXT, { beforeFinalDot: () => Promise.reject(error) }),
    ).rejects.toBe(error);
    await client.closed;
    expect(wire.sent).not.toContain('\r\n.\r\n');
    expect(wire.sent).not.toContain(' LAST');
    expect(server.messages).toEqual([]);
  });

  it('writes no end where the connection is lost meanwhile', async () => {
    const { client, server, wire } = await open();
    const stored = pending();
    const sending = client.send(envelopeFor('a'), TEXT, { beforeFinalDot: () => stored.promise });
    await settle();
    server.stream.abort();
    expect(await sending).toMatchObject([{ verdict: 'deferred', phase: 'message' }]);
    stored.resolve();
    await settle();
    expect(wire.sent).not.toContain(' LAST');
  });
});

it('is not called for a message that nobody takes, and has to be a function', async () => {
  const { client } = await connected({
    reply: (command) => (command.startsWith('RCPT') ? '550 No' : undefined),
  });
  let called = 0;
  const verdicts = await client.send(envelopeFor('a'), TEXT, {
    beforeFinalDot: async () => {
      called += 1;
    },
  });
  expect([verdicts[0]?.verdict, called]).toEqual(['rejected', 0]);
  // @ts-expect-error
  await expect(client.send(envelopeFor('a'), TEXT, { beforeFinalDot: true })).rejects.toThrow(
    'beforeFinalDot is a boolean; it takes a function',
  );
});
