import { LocalProtocolError, MailDataError } from '@sansmtp/core';
import { type MessageSource, SessionError } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { type Connected, connected, envelopeFor, expectEverySessionToEnd } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import type { Script } from './scripted-server.js';
import { pending } from './serving.js';

expectEverySessionToEnd();

const DELIVERED = { verdict: 'delivered', phase: 'message', reply: { code: 250, lines: ['OK'] } };

/** A body that yields these pieces, and notes what is done to it. */
class Body implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  /** Pieces asked for. */
  asked = 0;
  returned = 0;
  readonly #pieces: readonly (string | Promise<string>)[];

  constructor(...pieces: readonly (string | Promise<string>)[]) {
    this.#pieces = pieces;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = await this.#pieces[this.asked++];
    return piece === undefined ? { done: true, value: undefined } : { done: false, value: octetsOf(piece) };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.returned++;
    return { done: true, value: undefined };
  }
}

/** Refuses some recipients by their local-parts. */
const choosy: Script = {
  reply(command) {
    const code = /^RCPT TO:<code(\d+)@/.exec(command)?.[1];
    return code && `${code} So it is`;
  },
};

describe('send()', () => {
  it.each([
    ['with PIPELINING', ['PIPELINING']],
    ['without', []],
  ])(
    'delivers to those recipients that the server takes, and says what became of each (%s)',
    async (_, keywords) => {
      const { client, server } = await connected({ ...choosy, keywords });
      const verdicts = await client.send(
        envelopeFor('a', 'code550', 'b', 'code452', 'code552'),
        'Subject: x\r\n\r\ntext\r\n',
      );
      const answered = (code: number) => ({ phase: 'rcpt', reply: { code, lines: ['So it is'] } });
      expect(verdicts).toEqual([
        DELIVERED,
        { verdict: 'rejected', ...answered(550) },
        DELIVERED,
        { verdict: 'deferred', ...answered(452) },
        { verdict: 'deferred', ...answered(552) },
      ]);
      expect(server.messages).toEqual(['Subject: x\r\n\r\ntext\r\n']);
      expect(server.commands.slice(1)).toEqual([
        'MAIL FROM:<s@a.example>',
        'RCPT TO:<a@b.example>',
        'RCPT TO:<code550@b.example>',
        'RCPT TO:<b@b.example>',
        'RCPT TO:<code452@b.example>',
        'RCPT TO:<code552@b.example>',
        'DATA',
        '.',
      ]);
    },
  );

  it('delivers to a thousand recipients, however small the buffers', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => (index % 3 === 0 ? 'code550' : `r${index}`));
    const { client } = await connected(choosy, { bufferSize: 1, chunkSize: 7 });
    const verdicts = await client.send(envelopeFor(...names), 'text');
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(
      names.map((name) => (name === 'code550' ? 'rejected' : 'delivered')),
    );
  });

  it.each<[string, MessageSource, string]>([
    ['a string, as UTF-8', 'Grüße\r\n', Buffer.from('Grüße\r\n').toString('latin1')],
    ['octets', octetsOf('\xfftext\r\n'), '\xfftext\r\n'],
    ['an iterable', new Body('one\r', '\ntw', '', 'o\r\n'), 'one\r\ntwo\r\n'],
    ['nothing', '', ''],
    ['an empty iterable', new Body(), ''],
    ['lines that end in LF, which become CRLF', 'one\ntwo\r\n\nthree', 'one\r\ntwo\r\n\r\nthree\r\n'],
    ['lines that begin with a dot, which is doubled', '.\r\n..\r\n.x', '..\r\n...\r\n..x\r\n'],
  ])('sends %s', async (_, message, expected) => {
    const { client, server } = await connected();
    expect(await client.send(envelopeFor(), message)).toEqual([DELIVERED]);
    expect(server.messages).toEqual([expected]);
  });

  it('sends several messages over one session', async () => {
    const { client, server } = await connected();
    for (const text of ['one\r\n', 'two\r\n', 'three\r\n']) {
      expect(await client.send(envelopeFor(), new Body(text))).toEqual([DELIVERED]);
    }
    await client.quit();
    expect(server.messages).toEqual(['one\r\n', 'two\r\n', 'three\r\n']);
    expect(server.commands.filter((command) => command === '.')).toHaveLength(3);
    expect(server.commands.at(-1)).toBe('QUIT');
  });

  it('goes on with the session after a message that was refused', async () => {
    let messages = 0;
    const { client } = await connected({
      reply: (command) => (command === '.' && ++messages === 1 ? '554 5.6.0 No' : undefined),
    });
    expect(await client.send(envelopeFor(), 'bad')).toEqual([
      { verdict: 'rejected', phase: 'message', reply: { code: 554, enhancedCode: '5.6.0', lines: ['No'] } },
    ]);
    expect(await client.send(envelopeFor(), 'good')).toEqual([DELIVERED]);
  });

  it('refuses a second message while one is under way, and minds the first', async () => {
    const { client, server } = await connected();
    const text = pending<string>();
    const first = client.send(envelopeFor('first'), new Body(text.promise));
    const second = new Body('second');
    await expect(client.send(envelopeFor('second'), second)).rejects.toThrow(LocalProtocolError);
    await settle();
    await expect(client.send(envelopeFor('second'), second)).rejects.toThrow(LocalProtocolError);
    await expect(client.quit()).rejects.toThrow(LocalProtocolError);
    text.resolve('first\r\n');
    expect(await first).toEqual([DELIVERED]);
    expect(server.messages).toEqual(['first\r\n']);
    expect(second.asked).toBe(0);
    expect(await client.send(envelopeFor('second'), second)).toEqual([DELIVERED]);
  });

  it.each<[string, (session: Connected) => unknown]>([
    ['QUIT was said', ({ client }) => void client.quit()],
    ['the connection is closed', ({ client }) => client.quit()],
  ])('rejects once %s', async (_, end) => {
    const session = await connected();
    await end(session);
    const body = new Body('text');
    await expect(session.client.send(envelopeFor(), body)).rejects.toThrow(LocalProtocolError);
    await settle();
    await expect(session.client.send(envelopeFor(), body)).rejects.toThrow(LocalProtocolError);
    expect(body.asked).toBe(0);
    expect(session.server.messages).toEqual([]);
  });

  it.each<[string, object, (session: Connected) => unknown]>([
    ['the server closed the connection', { code: 'ECONNECTION' }, ({ server }) => server.stream.end()],
    [
      'the server said 421',
      { code: 'EPROTOCOL', responseCode: 421 },
      ({ server }) => server.say('421 4.3.2 Going down'),
    ],
    ['the server sent nonsense', { code: 'EPROTOCOL' }, ({ server }) => server.say('What?')],
    [
      'the connection was dropped',
      { code: 'ECONNECTION', cause: new Error('Enough') },
      ({ client }) => client.abort(new Error('Enough')),
    ],
  ])('rejects with a SessionError that tells why once %s', async (_, fields, end) => {
    const session = await connected();
    await end(session);
    await settle();
    const body = new Body('text');
    const error = await session.client.send(envelopeFor(), body).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ command: 'CONN', ...fields });
    expect(body.asked).toBe(0);
    expect(session.server.messages).toEqual([]);
  });

  it.each([
    ['without recipients', { reversePath: null, recipients: [] }],
    ['with a domain that is none', { reversePath: null, recipients: [{ localPart: 'a', domain: 'b c' }] }],
  ])('rejects an envelope %s, and takes another', async (_, envelope) => {
    const { client, server } = await connected();
    await expect(client.send(envelope, 'text')).rejects.toThrow(LocalProtocolError);
    expect(server.commands).toEqual(['EHLO c.example']);
    expect(await client.send(envelopeFor(), 'text')).toEqual([DELIVERED]);
  });

  describe('with a message that is not wanted', () => {
    it.each<[string, Script]>([
      ['MAIL is refused', { reply: (command) => (command.startsWith('MAIL') ? '550 No' : undefined) }],
      [
        'every recipient is refused',
        { reply: (command) => (command.startsWith('RCPT') ? '550 No' : undefined) },
      ],
      ['DATA is refused', { reply: (command) => (command === 'DATA' ? '550 No' : undefined) }],
    ])('does not touch it when %s, so it may be sent elsewhere', async (_, script) => {
      const { client } = await connected({ ...script, keywords: [] });
      const body = new Body('text');
      expect(await client.send(envelopeFor(), body)).toMatchObject([
        { verdict: 'rejected', reply: { code: 550 } },
      ]);
      expect(body).toMatchObject({ asked: 0, returned: 0 });
    });
  });

  describe('with a slow server', () => {
    it('pulls the body no faster than the connection takes it', async () => {
      const session = await connected(
        {
          reply(command, { stream }) {
            if (command === 'DATA') stream.pause();
            return undefined;
          },
        },
        { bufferSize: 5_000 },
      );
      const { client, server, stream } = session;
      const body = new Body(...new Array<string>(100).fill(`${'x'.repeat(998)}\r\n`));
      const before = stream.written;
      const sent = client.send(envelopeFor(), body);
      await settle();
      expect(body.asked).toBe(5);
      expect(stream.written - before).toBeLessThan(6_000);
      server.stream.resume();
      expect(await sent).toEqual([DELIVERED]);
      expect(body.asked).toBe(101);
    });

    it('defers when the connection takes nothing more for three minutes (RFC 5321 §4.5.3.2.5)', async () => {
      const { client, clock } = await connected(
        {
          reply(command, { stream }) {
            if (command === 'DATA') stream.pause();
            return undefined;
          },
        },
        { bufferSize: 5_000 },
      );
      const body = new Body(...new Array<string>(100).fill(`${'x'.repeat(998)}\r\n`));
      const sent = client.send(envelopeFor(), body);
      await clock.advanceAsync(179_999);
      expect(body.returned).toBe(0);
      await clock.advanceAsync(1);
      expect(await sent).toMatchObject([
        { verdict: 'deferred', phase: 'message', failure: { kind: 'timeout' } },
      ]);
      await client.closed;
      await settle();
      expect(body).toMatchObject({ asked: 5, returned: 1 });
      expect(clock.pending).toBe(0);
    });
  });

  describe('with a body that', () => {
    /** What must hold whenever a message cannot be sent to its end. */
    async function expectNothingSent({ client, server, clock, wire }: Connected): Promise<void> {
      await client.closed;
      await settle();
      expect(server.closed).toBe(true);
      expect(server.messages).toEqual([]);
      expect(wire.sent).not.toContain('\r\n.\r\n');
      expect(server.heard).not.toContain('\r\n.\r\n');
      expect(clock.pending).toBe(0);
    }

    it.each([
      ['at once', []],
      ['half-way', ['one\r\n', 'two\r\n']],
      ['behind a whole line with a dot', ['text\r\n', '.\r\n']],
    ])(
      'throws %s, drops the connection without a final dot, and rejects with that error',
      async (_, pieces) => {
        const fault = new Error('The file is gone');
        const session = await connected();
        const body = new Body(...pieces, Promise.reject(fault));
        await expect(session.client.send(envelopeFor(), body)).rejects.toBe(fault);
        await expectNothingSent(session);
      },
    );

    it.each<[string, string[]]>([
      ['holds a bare CR', ['one\r\n', 'two\rthree\r\n']],
      ['ends in a CR', ['one\r\n', 'two\r']],
      ['holds a NUL', ['one\0\r\n']],
    ])(
      '%s, drops the connection without a final dot, and rejects with a MailDataError',
      async (_, pieces) => {
        const session = await connected();
        const body = new Body(...pieces);
        await expect(session.client.send(envelopeFor(), body)).rejects.toThrow(MailDataError);
        await expectNothingSent(session);
      },
    );

    it('holds a LF where only CRLF is wanted, does the same', async () => {
      const session = await connected({}, { newlines: 'reject' });
      await expect(session.client.send(envelopeFor(), 'one\ntwo')).rejects.toThrow(MailDataError);
      await expectNothingSent(session);
    });

    it.each<[string, unknown]>([
      [
        'yields text',
        (async function* () {
          yield 'QUIT\n.\n';
        })(),
      ],
      ['cannot be iterated', { [Symbol.asyncIterator]: undefined }],
    ])('%s, does the same, rejecting with a TypeError', async (_, message) => {
      const session = await connected();
      const sent = session.client.send(envelopeFor(), message as AsyncIterable<Uint8Array>);
      await expect(sent).rejects.toThrow(TypeError);
      await expectNothingSent(session);
    });

    it('was read to its end is not told to return', async () => {
      const { client } = await connected();
      const body = new Body('text');
      await client.send(envelopeFor(), body);
      await settle();
      expect(body.returned).toBe(0);
    });

    it('was not read to its end is told to return once, though it is still making its next piece', async () => {
      const { client, server } = await connected();
      const body = new Body('one\r\n', new Promise<string>(() => {}));
      const sent = client.send(envelopeFor(), body);
      await settle();
      server.say('421 4.3.2 Going down');
      expect(await sent).toMatchObject([{ verdict: 'deferred', reply: { code: 421 } }]);
      expect(body).toMatchObject({ asked: 2, returned: 1 });
      expect(server.messages).toEqual([]);
    });

    it('holds what cannot be sent is told to return', async () => {
      const { client } = await connected();
      const body = new Body('one\r two', 'three');
      await expect(client.send(envelopeFor(), body)).rejects.toThrow(MailDataError);
      expect(body).toMatchObject({ asked: 1, returned: 1 });
    });

    it.each<[string, () => unknown]>([
      ['throws', () => raise()],
      ['rejects', () => Promise.reject(new Error('Nor can it be closed'))],
      ['returns nothing', () => undefined],
    ])('%s when told to return, does no harm', async (_, back) => {
      const { client, server } = await connected();
      const body = { next: () => new Promise<never>(() => {}), return: back };
      const iterable = { [Symbol.asyncIterator]: () => body } as unknown as AsyncIterable<Uint8Array>;
      const sent = client.send(envelopeFor(), iterable);
      await settle();
      server.say('421 4.3.2 Going down');
      expect(await sent).toMatchObject([{ verdict: 'deferred', reply: { code: 421 } }]);
      await client.closed;
    });

    it('yields on when the session is over sends nothing of it', async () => {
      const late = pending<string>();
      const { client, server } = await connected();
      const body = new Body('one\r\n', late.promise, 'three\r\n');
      const sent = client.send(envelopeFor(), body);
      await settle();
      server.stream.end();
      expect(await sent).toMatchObject([
        { verdict: 'deferred', failure: { kind: 'lost', phase: 'message' } },
      ]);
      late.resolve('two\r\n');
      await settle();
      expect(server.heard.endsWith('one\r\n')).toBe(true);
      expect(body.asked).toBe(2);
    });

    it('takes too long, is deferred (RFC 5321 §4.5.3.2.5)', async () => {
      const { client, clock } = await connected();
      const body = new Body(new Promise<string>(() => {}));
      const sent = client.send(envelopeFor(), body);
      await clock.advanceAsync(180_000);
      expect(await sent).toMatchObject([
        { verdict: 'deferred', failure: { kind: 'timeout', phase: 'message' } },
      ]);
      expect(body.returned).toBe(1);
    });
  });

  it('says `unknown` when the reply to the final dot does not come in time (RFC 1047)', async () => {
    const { client, server, clock } = await connected({
      reply: (command) => (command === '.' ? null : undefined),
    });
    const sent = client.send(envelopeFor('a', 'b'), 'text');
    await clock.advanceAsync(600_000);
    const verdict = { verdict: 'unknown', phase: 'message', failure: { kind: 'timeout', phase: 'message' } };
    expect(await sent).toEqual([verdict, verdict]);
    expect(server.messages).toHaveLength(1);
    await client.closed;
  });
});

function raise(): never {
  throw new Error('Not here');
}
