import { RemoteProtocolError, type TransitionRecord } from '@sansmtp/core';
import { openSession, SessionError } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { connect, connected, expectEverySessionToEnd } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import type { Script } from './scripted-server.js';
import { StubStream } from './stub-stream.js';

expectEverySessionToEnd();

/** The error with which a session fails to open. */
async function failure(opening: Promise<unknown>): Promise<SessionError> {
  const error = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SessionError);
  return error as SessionError;
}

describe('openSession', () => {
  it('awaits the greeting, says EHLO, and tells what the server offers (RFC 5321 §3.1, §3.2)', async () => {
    const { client, server, wire } = await connected({ keywords: ['PIPELINING', 'SIZE 1000'] });
    expect(server.commands).toEqual(['EHLO c.example']);
    expect(client.offer).toEqual({
      verb: 'EHLO',
      name: 'mx.example',
      keywords: new Map([
        ['PIPELINING', ''],
        ['SIZE', '1000'],
      ]),
    });
    expect(wire).toEqual({
      sent: 'EHLO c.example\r\n',
      received: '220 mx.example ESMTP\r\n250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n',
    });
  });

  it('says HELO to a server that does not know EHLO', async () => {
    const { client, server } = await connected({
      reply: (command) => (command.startsWith('EHLO') ? '502 Not implemented' : undefined),
    });
    expect(server.commands).toEqual(['EHLO c.example', 'HELO c.example']);
    expect(client.offer.verb).toBe('HELO');
  });

  it('opens however the octets come', async () => {
    const { client } = await connected({}, { chunkSize: 1, bufferSize: 1 });
    expect(client.offer.name).toBe('mx.example');
  });

  it('leaves no deadline running once it is open', async () => {
    const { clock, client } = await connected();
    await clock.advanceAsync(10_000_000);
    expect(clock.pending).toBe(0);
    let closed = false;
    client.closed.then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
  });

  it('rejects a hostname that no EHLO can hold', async () => {
    const [stream] = createMemoryPair();
    const opening = openSession(stream, { hostname: 'two words', clock: createVirtualClock() });
    await expect(opening).rejects.toThrow(RangeError);
  });

  it.each<[string, Script, object]>([
    [
      'the greeting refuses',
      { greeting: '554 5.7.1 Not\t you' },
      { command: 'CONN', responseCode: 554, response: '554 5.7.1 Not\t you' },
    ],
    [
      'the greeting is 421',
      { greeting: '421-4.3.2 Busy\r\n421 4.3.2 Come back later' },
      { command: 'CONN', responseCode: 421, response: '421 4.3.2 Busy Come back later' },
    ],
    [
      'EHLO is refused',
      { reply: (command) => (command.startsWith('EHLO') ? '550 Bad name' : undefined) },
      { command: 'EHLO', responseCode: 550, response: '550 Bad name' },
    ],
    [
      'HELO is refused as well',
      { reply: (command) => (/^..LO/.test(command) ? '504 Bad name' : undefined) },
      { command: 'EHLO', responseCode: 504, response: '504 Bad name' },
    ],
  ])('rejects when %s, and takes its leave', async (_, script, fields) => {
    const { opening, server, clock } = connect(script);
    const error = await failure(opening);
    expect(error).toMatchObject({ code: 'EPROTOCOL', ...fields });
    expect(error.message).toContain(String(error.responseCode));
    expect(error.failure.kind).toBe('refused');
    await settle();
    expect(server.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each<[string, string, Script]>([
    ['the greeting', 'CONN', { greeting: '' }],
    ['EHLO', 'EHLO', { reply: () => null }],
    ['HELO', 'EHLO', { reply: (command) => (command.startsWith('EHLO') ? '500 What?' : null) }],
  ])('rejects when there is no %s reply in time (RFC 5321 §4.5.3.2)', async (_, command, script) => {
    const { opening, server, clock } = connect(script);
    let settled = false;
    opening.catch(() => {
      settled = true;
    });
    await clock.advanceAsync(299_999);
    expect(settled).toBe(false);
    await clock.advanceAsync(1);
    expect(await failure(opening)).toMatchObject({
      code: 'ETIMEDOUT',
      command,
      responseCode: undefined,
      response: undefined,
    });
    await settle();
    expect(server.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each<[string, string, Script]>([
    ['before the greeting', 'CONN', { greeting: '' }],
    ['after half a greeting', 'CONN', { greeting: '220-mx.example' }],
    ['before the reply to EHLO', 'EHLO', { reply: () => null }],
  ])('rejects when the server closes the connection %s', async (_, command, script) => {
    const { opening, server } = connect(script);
    await settle();
    server.stream.end();
    expect(await failure(opening)).toMatchObject({ code: 'ECONNECTION', command, responseCode: undefined });
    await settle();
    expect(server.closed).toBe(true);
  });

  it('gives the last octets five seconds to leave when the server closed first', async () => {
    const clock = createVirtualClock();
    const stream = new StubStream();
    const opening = openSession(stream, { clock });
    stream.listener.end();
    await failure(opening);
    clock.advance(4_999);
    expect(stream.calls).toEqual(['end']);
    clock.advance(1);
    expect(stream.calls).toEqual(['end', 'abort']);
    stream.listener.close();
    expect(clock.pending).toBe(0);
  });

  it('rejects when the connection breaks, and tells why', async () => {
    const { opening } = connect({}, { dropAfter: { second: 5 } });
    const error = await failure(opening);
    expect(error).toMatchObject({ code: 'ECONNECTION', command: 'CONN' });
    expect(error.cause).toEqual(new Error('The connection was lost'));
  });

  it.each<[string, string, Script]>([
    ['a greeting that is none', 'CONN', { greeting: 'HTTP/1.1 400 Bad Request' }],
    ['a greeting of 354', 'CONN', { greeting: '354 Go on' }],
    ['text behind the greeting of a server that ends lines in LF', 'EHLO', { greeting: '220 mx\nhello' }],
    ['a reply of two codes', 'EHLO', { reply: () => '250-mx.example\r\n550 No' }],
    ['a greeting that never ends', 'CONN', { greeting: `220-${'x'.repeat(10_000)}` }],
    ['more lines than a reply has', 'EHLO', { reply: () => '250-mx.example\r\n'.repeat(1_000) }],
  ])('rejects %s, and drops the connection', async (_, command, script) => {
    const { opening, server } = connect(script);
    const error = await failure(opening);
    expect(error).toMatchObject({ code: 'EPROTOCOL', command, responseCode: undefined });
    expect(error.failure).toMatchObject({ kind: 'protocol', error: expect.any(RemoteProtocolError) });
    await settle();
    expect(server.closed).toBe(true);
  });

  it.each([
    ['before it begins', 0],
    ['before the greeting', 1],
  ])('drops the connection when the signal is aborted %s, and tells its reason', async (_, turns) => {
    const controller = new AbortController();
    const reason = new Error('Not wanted any more');
    if (turns === 0) controller.abort(reason);
    const { opening, server, wire } = connect({ greeting: '' }, { signal: controller.signal });
    await settle();
    controller.abort(reason);
    const error = await failure(opening);
    expect(error).toMatchObject({ code: 'ECONNECTION', cause: reason });
    await settle();
    expect(server.closed).toBe(true);
    expect(wire.sent).toBe('');
  });

  it('does not listen to the signal once the session is open', async () => {
    const controller = new AbortController();
    const { server, client } = await connected({}, { signal: controller.signal });
    controller.abort();
    await settle();
    expect(server.closed).toBe(false);
    await client.quit();
    expect(server.commands).toEqual(['EHLO c.example', 'QUIT']);
  });

  it('tells onTransition each step of the chart', async () => {
    const records: TransitionRecord[] = [];
    const { client } = await connected({}, { onTransition: (record) => records.push(record) });
    expect(records.length).toBeGreaterThan(1);
    for (const record of records) {
      expect(record).toMatchObject({
        event: expect.any(String),
        from: expect.any(String),
        to: expect.any(String),
        effects: expect.any(Array),
        guards: expect.any(Array),
      });
    }
    expect(records.slice(1).map(({ from }) => from)).toEqual(records.slice(0, -1).map(({ to }) => to));
    await client.quit();
  });
});

describe('quit()', () => {
  it('says QUIT, and resolves when the connection is closed (RFC 5321 §4.1.1.10)', async () => {
    const { client, server, clock } = await connected();
    await client.quit();
    await client.closed;
    expect(server.commands.at(-1)).toBe('QUIT');
    await settle();
    expect(server.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is harmless when repeated, and when the session is over', async () => {
    const { client, server } = await connected();
    await Promise.all([client.quit(), client.quit()]);
    await client.quit();
    expect(server.commands).toEqual(['EHLO c.example', 'QUIT']);
  });

  it.each<[string, (server: Awaited<ReturnType<typeof connected>>['server']) => void]>([
    ['the server closed the connection', (server) => server.stream.end()],
    ['the server said 421', (server) => server.say('421 4.3.2 Going down')],
    [
      'the server said 421 and keeps the connection',
      (server) => {
        server.end = () => {};
        server.say('421 4.3.2 Going down');
      },
    ],
    ['the connection broke', (server) => server.stream.abort()],
    ['the server sent nonsense', (server) => server.say('What?')],
  ])('is harmless when %s', async (_, end) => {
    const { client, server, clock } = await connected();
    end(server);
    await settle();
    const quit = client.quit();
    await clock.advanceAsync(60_000);
    await quit;
    expect(server.commands).toEqual(['EHLO c.example']);
    expect(server.closed).toBe(true);
  });

  it.each<[string, Script, number]>([
    ['does not answer', { reply: (command) => (command === 'QUIT' ? null : undefined) }, 10_000],
    ['answers 500', { reply: (command) => (command === 'QUIT' ? '500 What?' : undefined) }, 0],
    ['answers nonsense', { reply: (command) => (command === 'QUIT' ? 'What?' : undefined) }, 0],
  ])('resolves all the same when the server %s', async (_, script, time) => {
    const { client, clock } = await connected(script);
    const quit = client.quit();
    await clock.advanceAsync(time);
    await quit;
    expect(clock.pending).toBe(0);
  });

  it('waits five seconds for the server to close', async () => {
    const { client, clock, server } = await connected({
      reply(command, { stream }) {
        if (command !== 'QUIT') return undefined;
        stream.write(octetsOf('221 Bye\r\n'));
        return null;
      },
    });
    server.end = () => {};
    let closed = false;
    client.quit().then(() => {
      closed = true;
    });
    await clock.advanceAsync(4_999);
    expect(closed).toBe(false);
    await clock.advanceAsync(1);
    expect(closed).toBe(true);
  });
});
