import { MailDataAbandonedError, Rejection, type ServerHandlers } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { settle } from './peer.js';
import { data, expectEverySessionToEnd, pending, read, serve } from './serving.js';

expectEverySessionToEnd();

const ACCEPTED = '250 2.0.0 Message accepted';

/** A message that fills every buffer there is several times over. */
const LARGE = `${'X'.repeat(98)}\r\n`.repeat(20_000);

/** What a handler that reads its message to the end was given. */
function reader() {
  const outcomes: unknown[] = [];
  const onMessage: ServerHandlers['onMessage'] = async ({ body }) => {
    try {
      outcomes.push(await read(body));
    } catch (error) {
      outcomes.push(error);
      throw error;
    }
  };
  return { outcomes, onMessage };
}

describe('onMessage', () => {
  it('is given the mail data, transparency undone, as it arrives (RFC 5321 §4.5.2)', async () => {
    const chunks: string[] = [];
    const session = await serve({
      async onMessage({ body }) {
        for await (const bytes of body) chunks.push(Buffer.from(bytes).toString('latin1'));
      },
    });
    await data(session);
    expect(await session.peer.say('Subject: x', '')).toEqual([]);
    expect(chunks).toEqual(['Subject: x\r\n\r\n']);
    expect(await session.peer.say('..', '.')).toEqual([ACCEPTED]);
    expect(chunks.join('')).toBe('Subject: x\r\n\r\n.\r\n');
  });

  it('is called when the mail data begins, before any of it came', async () => {
    let called = 0;
    const session = await serve({
      onMessage() {
        called++;
      },
    });
    await data(session);
    expect(called).toBe(1);
  });

  it('is given an empty message whole', async () => {
    const session = await serve();
    await data(session);
    expect(await session.peer.say('.')).toEqual([ACCEPTED]);
    expect(session.messages).toEqual(['']);
  });

  it('is given a message larger than every buffer', async () => {
    const session = await serve({}, { chunkSize: 65_536 });
    await data(session);
    session.peer.write(LARGE);
    expect(await session.peer.say('.')).toEqual([ACCEPTED]);
    expect(session.messages).toEqual([LARGE]);
  });

  it('is called for each message of a session', async () => {
    const session = await serve();
    await data(session);
    await session.peer.say('one', '.');
    for (const text of ['two', 'three']) {
      await session.peer.say('MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>', 'DATA');
      expect(await session.peer.say(text, '.')).toEqual([ACCEPTED]);
    }
    expect(session.messages).toEqual(['one\r\n', 'two\r\n', 'three\r\n']);
  });

  it('has its answer given once it settles, though the message was complete long before', async () => {
    const kept = pending();
    const session = await serve({
      async onMessage({ body }) {
        await read(body);
        await kept.promise;
      },
    });
    await data(session);
    expect(await session.peer.say('text', '.', 'NOOP')).toEqual([]);
    kept.resolve();
    await settle();
    expect(session.peer.news()).toEqual([ACCEPTED, '250 2.0.0 OK']);
  });

  it.each<[string, ServerHandlers['onMessage']]>([
    ['returns without reading', () => {}],
    ['resolves without reading', async () => {}],
    [
      'reads the first half',
      async ({ body }) => {
        for await (const _ of body) break;
      },
    ],
    [
      'takes one piece by hand',
      async ({ body }) => {
        await body[Symbol.asyncIterator]().next();
      },
    ],
  ])('accepts a message of any size when it %s: the rest is dropped', async (_, onMessage) => {
    const session = await serve({ onMessage }, { chunkSize: 65_536 });
    await data(session);
    session.peer.write(LARGE);
    await settle();
    expect(session.stream.received).toBeGreaterThan(LARGE.length);
    expect(session.peer.news()).toEqual([]);
    expect(await session.peer.say('.', 'NOOP')).toEqual([ACCEPTED, '250 2.0.0 OK']);
  });

  it.each<[string, ServerHandlers['onMessage']]>([
    [
      'throws',
      () => {
        throw new Rejection(552, '5.2.2', 'Mailbox full');
      },
    ],
    ['rejects', () => Promise.reject(new Rejection(552, '5.2.2', 'Mailbox full'))],
    [
      'rejects half-way',
      async ({ body }) => {
        for await (const _ of body) throw new Rejection(552, '5.2.2', 'Mailbox full');
      },
    ],
    ['resolves with a reply', async () => ({ code: 552, enhancedCode: '5.2.2', lines: ['Mailbox full'] })],
  ])(
    'refuses when it %s early, behind the end of the mail data (RFC 5321 §4.1.1.4)',
    async (_, onMessage) => {
      const session = await serve({ onMessage }, { chunkSize: 65_536 });
      await data(session);
      session.peer.write(LARGE);
      await settle();
      expect(session.peer.news()).toEqual([]);
      expect(await session.peer.say('.')).toEqual(['552 5.2.2 Mailbox full']);
      expect(session.errors).toEqual([]);
      expect(await session.peer.say('MAIL FROM:<s@a.example>')).toEqual(['250 2.1.0 Sender OK']);
    },
  );

  it('answers 451 when it throws a fault, though the message is still arriving', async () => {
    const fault = new Error('The disk is gone');
    const session = await serve({ onMessage: () => Promise.reject(fault) });
    await data(session);
    expect(await session.peer.say('text')).toEqual([]);
    expect(session.errors).toEqual([fault]);
    expect(await session.peer.say('.')).toEqual(['451 4.3.0 Local error in processing; try again later']);
  });

  it('loses nothing of a message that came with its DATA, whatever it calls', async () => {
    let shutdown = () => {};
    const bodies: string[] = [];
    const session = await serve({
      onData: async () => {},
      onMessage({ body }) {
        shutdown();
        return read(body).then((text) => void bodies.push(text));
      },
    });
    shutdown = () => session.connection.shutdown();
    await session.peer.say('EHLO c.example', 'MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>');
    expect(await session.peer.say('DATA', 'text', '.')).toEqual([
      '354 Send the message; end it with <CRLF>.<CRLF>',
      ACCEPTED,
      '421 4.3.2 The service is shutting down, closing the session',
    ]);
    expect(bodies).toEqual(['text\r\n']);
  });

  describe('is given a MailDataAbandonedError, whose text the client never sees,', () => {
    it.each([
      [
        'malformed',
        'bare\nLF',
        '554 5.6.0 Line 2 of the message ends in LF alone; end every line in CRLF (RFC 5321 section 2.3.8)',
      ],
      ['tooLarge', 'X'.repeat(100), '552 5.3.4 The message exceeds the size limit'],
    ])('when the message is %s', async (reason, line, refusal) => {
      const { outcomes, onMessage } = reader();
      const session = await serve({ onMessage }, { maximumMessageSize: 99 });
      await data(session);
      expect(await session.peer.say('so far', line, 'and more')).toEqual([]);
      expect(outcomes).toEqual([new MailDataAbandonedError(reason as 'malformed')]);
      expect(await session.peer.say('.')).toEqual([refusal]);
      expect(session.errors).toEqual([]);
      expect(await session.peer.say('MAIL FROM:<s@a.example>')).toEqual(['250 2.1.0 Sender OK']);
    });

    it.each<[string, (session: Awaited<ReturnType<typeof serve>>) => unknown]>([
      ['the client ends half-way', ({ peer }) => peer.stream.end()],
      ['the client breaks off', ({ peer }) => peer.stream.abort()],
      ['the server is aborted', ({ connection }) => connection.abort()],
      ['the client sends nothing more in time', ({ clock }) => clock.advanceAsync(300_000)],
    ])('when %s', async (_, end) => {
      const { outcomes, onMessage } = reader();
      const session = await serve({ onMessage });
      await data(session);
      await session.peer.say('so far');
      await end(session);
      await settle();
      expect(outcomes).toEqual([new MailDataAbandonedError('closed')]);
      expect(session.errors).toEqual([]);
      expect(session.peer.heard).not.toContain(ACCEPTED);
    });

    it('when it reads on only later', async () => {
      const later = pending();
      const outcomes: unknown[] = [];
      const session = await serve({
        async onMessage({ body }) {
          await later.promise;
          await read(body).catch((error: unknown) => outcomes.push(error));
        },
      });
      await data(session);
      await session.peer.say('so far');
      session.peer.stream.abort();
      await settle();
      later.resolve();
      await settle();
      expect(outcomes).toEqual([new MailDataAbandonedError('closed')]);
    });

    it('when it has settled, and something goes on reading', async () => {
      const outcomes: unknown[] = [];
      const session = await serve({
        onMessage({ body }) {
          read(body).catch((error: unknown) => outcomes.push(error));
        },
      });
      await data(session);
      expect(await session.peer.say('text', '.')).toEqual([ACCEPTED]);
      expect(outcomes).toEqual([new MailDataAbandonedError('dropped')]);
    });
  });

  it('cannot have a message accepted that the server refuses by itself', async () => {
    const session = await serve({
      onMessage: ({ body }) =>
        read(body)
          .catch(() => {})
          .then(() => {}),
    });
    await data(session);
    expect(await session.peer.say('bare\nLF', '.')).toEqual([expect.stringMatching(/^554 5\.6\.0 /)]);
  });

  it('is reported to onError when it fails for another reason behind an abandoned message', async () => {
    const fault = new Error('Cannot remove the file');
    const session = await serve({
      onMessage: ({ body }) =>
        read(body).then(
          () => {},
          () => Promise.reject(fault),
        ),
    });
    await data(session);
    session.peer.stream.abort();
    await settle();
    expect(session.errors).toEqual([fault]);
  });

  it('is not called when DATA is refused', async () => {
    let called = 0;
    const session = await serve({
      onData: () => Promise.reject(new Rejection(451, '4.7.1', 'Greylisted')),
      onMessage() {
        called++;
      },
    });
    await session.peer.say('EHLO c.example', 'MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>');
    expect(await session.peer.say('DATA')).toEqual(['451 4.7.1 Greylisted']);
    expect(called).toBe(0);
  });
});
