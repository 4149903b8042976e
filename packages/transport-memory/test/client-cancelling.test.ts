import { describe, expect, it } from 'vitest';
import { type Connected, connected, envelopeFor, expectEverySessionToEnd } from './connecting.js';
import { settle } from './peer.js';
import type { Script } from './scripted-server.js';

expectEverySessionToEnd();

type Canceller = (session: Connected, controller: AbortController) => void;

const ways: Readonly<Record<string, Canceller>> = {
  'the signal': (_, controller) => controller.abort(),
  'abort()': ({ client }) => client.abort(),
};

/** Where a message may stand: the server says nothing more there. */
const stages: readonly { stage: string; silentAt: string; verdict: string; phase: string }[] = [
  { stage: 'MAIL is unanswered', silentAt: 'MAIL', verdict: 'deferred', phase: 'mail' },
  { stage: 'RCPT is unanswered', silentAt: 'RCPT', verdict: 'deferred', phase: 'rcpt' },
  { stage: 'DATA is unanswered', silentAt: 'DATA', verdict: 'deferred', phase: 'data' },
  { stage: 'the body is being sent', silentAt: 'nothing', verdict: 'deferred', phase: 'message' },
  { stage: 'the final dot is unanswered', silentAt: '.', verdict: 'unknown', phase: 'message' },
];

/** One line, and then no end unless the server is to see one. */
async function* body(ends: boolean) {
  yield Buffer.from('text\r\n');
  if (!ends) await new Promise(() => {});
}

describe.each(Object.keys(ways))('%s', (way) => {
  it.each(stages)('while $stage gives the verdict $verdict and closes both ends', async (expected) => {
    const { silentAt, verdict, phase } = expected;
    const script: Script = { reply: (command) => (command.startsWith(silentAt) ? null : undefined) };
    const session = await connected({ ...script, keywords: [] });
    const { client, server, clock } = session;
    const controller = new AbortController();
    const sent = client.send(envelopeFor('a', 'b'), body(silentAt !== 'nothing'), {
      signal: controller.signal,
    });
    await clock.advanceAsync(1_000);
    ways[way]?.(session, controller);
    const each = { verdict, phase, failure: { kind: 'lost', phase } };
    expect(await sent).toEqual([each, each]);
    await client.closed;
    await settle();
    expect(server.closed).toBe(true);
    expect(server.messages).toHaveLength(verdict === 'unknown' ? 1 : 0);
    expect(clock.pending).toBe(0);
  });
});

describe('the signal', () => {
  it('aborted before send() drops the connection: nothing was sent', async () => {
    const { client, server } = await connected();
    const verdicts = await client.send(envelopeFor(), 'text', { signal: AbortSignal.abort() });
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'mail', failure: { kind: 'lost' } }]);
    await client.closed;
    await settle();
    expect(server.closed).toBe(true);
    expect(server.commands).toEqual(['EHLO c.example']);
  });

  it('aborted behind the verdicts does nothing', async () => {
    const { client, server } = await connected();
    const controller = new AbortController();
    expect(await client.send(envelopeFor(), 'text', { signal: controller.signal })).toMatchObject([
      { verdict: 'delivered' },
    ]);
    controller.abort();
    await settle();
    expect(server.closed).toBe(false);
    expect(await client.send(envelopeFor(), 'text')).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('aborted keeps the verdicts that were reached before', async () => {
    const { client } = await connected({
      reply: (command) => (command.startsWith('RCPT TO:<b@') ? '550 No' : command === '.' ? null : undefined),
    });
    const controller = new AbortController();
    const sent = client.send(envelopeFor('a', 'b'), 'text', { signal: controller.signal });
    await settle();
    controller.abort();
    expect(await sent).toMatchObject([
      { verdict: 'unknown', phase: 'message' },
      { verdict: 'rejected', phase: 'rcpt', reply: { code: 550 } },
    ]);
  });

  it('is listened to only while the message is under way', async () => {
    const { client } = await connected();
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener),
    };
    const sent = client.send(envelopeFor(), 'text', { signal });
    await Promise.resolve();
    expect(listeners.size).toBe(1);
    await sent;
    expect(listeners.size).toBe(0);
  });
});
