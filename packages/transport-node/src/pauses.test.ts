/**
 * A peer is not blamed for a pause of ours: what has arrived meanwhile is read before a time-out is declared. Here the
 * event loop itself stands still for longer than the deadline; a process that is stopped wakes up no differently.
 */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { openSession, type SessionError, serveSession } from '@sansmtp/transport';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from './connect.js';
import { listen } from './listen.js';
import { eventually, portOf } from './listening.test-support.js';
import { systemClock } from './system-clock.js';

/** Milliseconds. */
const DEADLINE = 300;

/** Nothing in this process goes on meanwhile. */
function standStill(): void {
  const until = performance.now() + 2 * DEADLINE;
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
