import { serveSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../src/index.js';
import { settle } from './peer.js';
import {
  address,
  data,
  expectEverySessionToEnd,
  type Pending,
  pending,
  read,
  type Served,
  serve,
} from './serving.js';
import { StubStream } from './stub-stream.js';

expectEverySessionToEnd();

const LINE = `${'X'.repeat(98)}\r\n`;
const ACCEPTED = '250 2.0.0 Message accepted';
const SHUTTING_DOWN = '421 4.3.2 The service is shutting down, closing the session';

/** Where a session may stand, with the handler that is under way there. */
const places: Readonly<Record<string, (handler: Pending) => Promise<Served>>> = {
  async 'before the greeting'({ promise }) {
    return serve({ onConnect: () => promise });
  },
  async 'greeted, idle'() {
    return serve();
  },
  async 'deciding, with commands waiting'({ promise }) {
    const session = await serve({ onMailFrom: () => promise });
    await session.peer.say('EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<r@b.example>', 'NOOP');
    return session;
  },
  async 'in a mail transaction'() {
    const session = await serve();
    await address(session);
    return session;
  },
  async 'receiving a message that is read'() {
    const session = await serve();
    await data(session);
    await session.peer.say('so far');
    return session;
  },
  async 'receiving a message that nobody reads'({ promise }) {
    const session = await serve({ onMessage: () => promise }, { chunkSize: 65_536 });
    await data(session);
    session.peer.write(LINE.repeat(5_000));
    await settle();
    return session;
  },
  async 'deciding on a whole message'({ promise }) {
    const session = await serve({ onMessage: ({ body }) => read(body).then(() => promise) });
    await data(session);
    await session.peer.say('text', '.');
    return session;
  },
  async 'waiting for a client that does not read'() {
    const session = await serve({}, { chunkSize: 65_536 });
    session.peer.stream.pause();
    session.peer.write('NOOP\r\n'.repeat(30_000));
    await settle();
    return session;
  },
  async 'after QUIT'() {
    const session = await serve();
    await session.peer.say('QUIT');
    return session;
  },
};

const endings: Readonly<Record<string, (session: Served) => void>> = {
  'the client says QUIT': ({ peer }) => peer.write('QUIT\r\n'),
  'the client ends its side': ({ peer }) => peer.stream.end(),
  'the client says QUIT and ends its side': ({ peer }) => {
    peer.write('QUIT\r\n');
    peer.stream.end();
  },
  'the client breaks off': ({ peer }) => peer.stream.abort(),
  'the server is aborted': ({ connection }) => connection.abort(new Error('Enough')),
  'the server is shut down': ({ connection }) => connection.shutdown(),
  'nothing happens any more': () => {},
};

describe.each(Object.keys(places))('%s', (place) => {
  describe.each(Object.keys(endings))('when %s', (ending) => {
    it.each([
      ['closes with it', true],
      ['never closes', false],
    ])(
      'the session ends in time though the client %s, once, and leaves nothing behind',
      async (_, polite) => {
        const handler = pending();
        const session = await places[place]?.(handler);
        if (session === undefined) throw new Error(`No such place: ${place}`);
        const { clock, connection, peer, closings, stream } = session;
        if (polite) peer.end = () => peer.stream.end();
        let closed = false;
        connection.closed.then(() => {
          closed = true;
        });
        endings[ending]?.(session);
        await clock.advanceAsync(1_000_000);
        expect(closings).toHaveLength(1);
        expect(closed).toBe(true);
        expect(clock.pending).toBe(0);

        const { written } = stream;
        handler.resolve();
        connection.shutdown();
        connection.abort();
        await clock.advanceAsync(1_000_000);
        expect(stream.written).toBe(written);
        expect(closings).toHaveLength(1);
        expect(clock.pending).toBe(0);
      },
    );
  });
});

describe('a client that ends its side', () => {
  it.each([
    ['as it comes', {}],
    ['octet by octet', { chunkSize: 1, bufferSize: 1 }],
  ])('at once behind a whole dialogue gets every reply, the 221 too (%s)', async (_, options) => {
    const later = async () => {};
    const handlers = { onConnect: later, onHello: later, onMailFrom: later, onRcptTo: later, onData: later };
    const { peer, closings, messages } = await serve(handlers, options);
    peer.write(
      [
        'EHLO c.example',
        'MAIL FROM:<s@a.example>',
        'RCPT TO:<r@b.example>',
        'DATA',
        'text',
        '.',
        'QUIT',
        '',
      ].join('\r\n'),
    );
    peer.stream.end();
    await settle();
    expect(messages).toEqual(['text\r\n']);
    expect(peer.news().slice(-5)).toEqual([
      '250 2.1.0 Sender OK',
      '250 2.1.5 Recipient OK',
      '354 Send the message; end it with <CRLF>.<CRLF>',
      ACCEPTED,
      '221 2.0.0 Closing the session',
    ]);
    expect(peer.closed).toBe(true);
    expect(peer.reason).toBeUndefined();
    expect(closings).toEqual([undefined]);
  });

  it('while the message is decided on still gets the reply', async () => {
    const kept = pending();
    const session = await serve({ onMessage: () => kept.promise });
    await data(session);
    await session.peer.say('text', '.');
    session.peer.stream.end();
    await settle();
    expect(session.closings).toEqual([]);
    kept.resolve();
    await settle();
    expect(session.peer.news()).toEqual([ACCEPTED]);
    expect(session.closings).toEqual([undefined]);
  });

  it('within a command gets no reply to it', async () => {
    const { peer, closings } = await serve();
    peer.news();
    peer.write('NOOP\r\nNOO');
    peer.stream.end();
    await settle();
    expect(peer.news()).toEqual(['250 2.0.0 OK']);
    expect(closings).toEqual([undefined]);
  });

  it('has five seconds to take the last octets', () => {
    const clock = createVirtualClock();
    const stream = new StubStream();
    serveSession(stream, { onMessage() {} }, { clock });
    stream.listener.end();
    expect(stream.calls).toEqual(['end']);
    clock.advance(4_999);
    expect(stream.calls).toEqual(['end']);
    clock.advance(1);
    expect(stream.calls).toEqual(['end', 'abort']);
    stream.listener.close();
    expect(clock.pending).toBe(0);
  });
});

describe('shutdown()', () => {
  it('ends an idle session by 421 at once (RFC 5321 §3.8)', async () => {
    const { connection, peer } = await serve();
    peer.news();
    connection.shutdown();
    await settle();
    expect(peer.news()).toEqual([SHUTTING_DOWN]);
    expect(peer.ended).toBe(true);
  });

  it('waits for the decision under way', async () => {
    const decided = pending();
    const { connection, peer } = await serve({ onHello: () => decided.promise });
    peer.news();
    await peer.say('HELO c.example', 'NOOP');
    connection.shutdown();
    await settle();
    expect(peer.news()).toEqual([]);
    decided.resolve();
    await settle();
    expect(peer.news()).toEqual(['250 mx.example OK', SHUTTING_DOWN]);
  });

  it('lets a message that is arriving arrive', async () => {
    const session = await serve();
    await data(session);
    await session.peer.say('one');
    session.connection.shutdown();
    expect(await session.peer.say('two')).toEqual([]);
    expect(await session.peer.say('.')).toEqual([ACCEPTED, SHUTTING_DOWN]);
    expect(session.messages).toEqual(['one\r\ntwo\r\n']);
  });

  it('lets a message that is decided on be decided', async () => {
    const kept = pending();
    const session = await serve({ onMessage: () => kept.promise });
    await data(session);
    await session.peer.say('text', '.');
    session.connection.shutdown();
    await settle();
    expect(session.peer.news()).toEqual([]);
    kept.resolve();
    await settle();
    expect(session.peer.news()).toEqual([ACCEPTED, SHUTTING_DOWN]);
  });

  it('may be called from within a handler', async () => {
    let shutdown = () => {};
    const session = await serve({ onHello: () => shutdown() });
    shutdown = () => session.connection.shutdown();
    session.peer.news();
    expect(await session.peer.say('HELO c.example', 'NOOP')).toEqual(['250 mx.example OK', SHUTTING_DOWN]);
  });
});

describe('abort()', () => {
  it('drops the connection at once, and tells onClose the reason', async () => {
    const session = await serve();
    await data(session);
    const { connection, peer, closings } = session;
    const reason = new Error('The certificate was revoked');
    connection.abort(reason);
    await connection.closed;
    expect(closings).toEqual([reason]);
    expect(peer.news()).toEqual([]);
    await settle();
    expect(peer.closed).toBe(true);
  });

  it('may be called from within a handler; no other is called then', async () => {
    const called: string[] = [];
    let abort = () => {};
    const session = await serve({
      onMailFrom() {
        called.push('onMailFrom');
        abort();
      },
      onClose() {
        called.push('onClose');
      },
    });
    abort = () => session.connection.abort();
    await session.peer.say('EHLO c.example', 'MAIL FROM:<>');
    await session.peer.say('RCPT TO:<r@b.example>');
    expect(called).toEqual(['onMailFrom', 'onClose']);
  });
});

describe('onClose', () => {
  it('is told no reason after QUIT, and is called when the client has closed too', async () => {
    const { peer, closings } = await serve();
    await peer.say('QUIT');
    expect(peer.ended).toBe(true);
    expect(closings).toEqual([]);
    peer.stream.end();
    await settle();
    expect(closings).toEqual([undefined]);
  });

  it('is told why the connection broke', async () => {
    const { peer, closings } = await serve({}, { dropAfter: { first: 4 } });
    await peer.say('NOOP');
    expect(closings).toEqual([new Error('The connection was lost')]);
  });

  it('comes five seconds after QUIT at the latest', async () => {
    const { clock, peer, closings } = await serve();
    await peer.say('QUIT');
    await clock.advanceAsync(4_999);
    expect(closings).toEqual([]);
    await clock.advanceAsync(1);
    expect(closings).toHaveLength(1);
  });

  it('is the last to be called, whatever the client had sent ahead', async () => {
    const called: string[] = [];
    const decided = pending();
    const { peer } = await serve({
      onHello: () => decided.promise,
      onMailFrom: () => void called.push('onMailFrom'),
      onClose: () => void called.push('onClose'),
    });
    await peer.say('EHLO c.example', 'MAIL FROM:<>');
    peer.stream.abort();
    await settle();
    decided.resolve();
    await settle();
    expect(called).toEqual(['onClose']);
  });
});
