/**
 * A peer is not blamed for a pause of ours: what has arrived meanwhile is read before a time-out is declared. Here the
 * event loop itself stands still for longer than the deadline; a process that is stopped wakes up no differently.
 */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { openSession, type SessionError, serveSession } from '@sansmtp/transport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from './connecting/connect.js';
import { listen } from './listening/listen.js';
import { eventually, portOf } from './listening.test-support.js';
import { secureStreamOf } from './streams/stream-of.js';
import { systemClock } from './system-clock.js';
import { createTlsContext } from './tls/tls-context.js';
import { generateCertificate } from './tls-certificates.test-support.js';

/** Milliseconds. */
const DEADLINE = 300;

/** Nothing in this process goes on meanwhile. */
function standStill(milliseconds = 2 * DEADLINE): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** A server whose client has to say something within the deadline. */
async function serving(): Promise<Socket & { heard: string }> {
  const listener = await listen({ port: 0 }, (stream) => {
    serveSession(
      stream,
      { onMessage() {} },
      { clock: systemClock, timeouts: { idle: DEADLINE, linger: 50 } },
    );
  });
  onTestFinished(() => listener.close());
  const socket = Object.assign(connectSocket(portOf(listener)), { heard: '' });
  onTestFinished(() => void socket.destroy());
  socket.on('data', (bytes) => {
    socket.heard += bytes;
  });
  await eventually(() => expect(socket.heard).toMatch(/^220 .*\r\n$/));
  return socket;
}

it('a server that stood still answers the command that came in the meantime', async () => {
  const socket = await serving();
  socket.write('NOOP\r\n');
  standStill();
  await eventually(() => expect(socket.heard).toMatch(/\r\n250 /));
  expect(socket.heard).not.toContain('421');
});

it('a server that stood still ends the session of a client that was silent all the same', async () => {
  const socket = await serving();
  standStill();
  await eventually(() => expect(socket.heard).toMatch(/\r\n421 4\.4\.2 /));
});

/** A client to a server that says nothing more after this. */
async function opening(greeting: string): Promise<'open' | SessionError> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write('250 mx.example\r\n');
    });
    onTestFinished(() => void socket.destroy());
    if (greeting !== '') socket.write(greeting);
    standStill();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const stream = await connect({ host: '127.0.0.1', port });
  onTestFinished(() => stream.abort());
  const timeouts = { greeting: DEADLINE };
  return openSession(stream, { clock: systemClock, hostname: 'c.example', timeouts }).then(
    () => 'open' as const,
    (error: SessionError) => error,
  );
}

it('a client that stood still takes the greeting that came in the meantime', async () => {
  expect(await opening('220 mx.example\r\n')).toBe('open');
});

it('a client that stood still gives up a server that was silent all the same', async () => {
  expect(await opening('')).toMatchObject({ code: 'ETIMEDOUT' });
});

describe('a TLS handshake', async () => {
  /** Of which half is waited for after the pause. */
  const TIME = 1000;
  const certificate = await generateCertificate('mx.example');

  /** A server that stands still once a client has connected; what becomes of the handshake. */
  async function atServer(begin: (port: number) => Socket): Promise<unknown> {
    const tls = { context: createTlsContext(certificate), handshakeTimeout: TIME };
    const server = createServer();
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = begin((server.address() as { port: number }).port);
    onTestFinished(() => void client.on('error', () => {}).destroy());
    const [socket] = await once(server, 'connection');
    const outcome = secureStreamOf(socket, { tls }).then(
      () => 'stands',
      (error: unknown) => error,
    );
    standStill(2 * TIME);
    return outcome;
  }

  it('at a server that stood still goes on, though it needs to hear from the client once more', async () => {
    const begin = (port: number) => connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    expect(await atServer(begin)).toBe('stands');
  });

  it('at a server that stood still is given up where the client was silent all the same', async () => {
    expect(await atServer((port) => connectSocket(port, '127.0.0.1'))).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('at a client that stood still goes on, though the server has yet to answer', async () => {
    const server = createTlsServer(certificate, (socket) => void socket.on('error', () => {}));
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const socket = connectSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    const tls = { mode: 'implicit', verify: false, handshakeTimeout: TIME } as const;
    const stream = connect({ socket, tls });
    standStill(2 * TIME);
    expect((await stream).tls).toBeDefined();
    (await stream).abort();
  });
});
