/**
 * The way to a queue that a relay has open: a Unix socket in its directory, for its owner alone. A connection is one
 * request, a line of JSON, and its answer, lines of JSON.
 */
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Administered, perform, type QueueAnswer, type QueueRequest, readRequest } from './requests.js';

const NAME = 'control';
const MAXIMUM_REQUEST = 1024 * 1024;
const MAXIMUM_CONNECTIONS = 16;

/** Milliseconds without a word, after which the other end is given up. */
const SILENCE = 30_000;

export interface ControlSocket {
  close(): Promise<void>;
}

/** @throws what the system says, if it cannot listen there */
export async function serveControl(directory: string, store: Administered): Promise<ControlSocket> {
  const path = join(directory, NAME);
  // Whoever has the queue open has the directory: a socket that is there is a dead one's.
  await unlink(path).catch(() => undefined);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, store).catch(() => socket.destroy());
  });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(socket: Socket, store: Administered): Promise<void> {
  socket.setTimeout(SILENCE, () => socket.destroy());
  const request = readRequest(await firstLine(socket));
  if (request === undefined) {
    socket.end(lineOf({ failed: 'that is no request of sansmtp queue' }));
    return;
  }
  await pipeline(Readable.from(answers(store, request)), socket);
}

async function* answers(store: Administered, request: QueueRequest): AsyncGenerator<string> {
  try {
    for await (const answer of perform(store, request, Date.now())) yield lineOf(answer);
  } catch (error) {
    yield lineOf({ failed: (error as Error).message });
  }
}

function lineOf(answer: QueueAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    const onData = (piece: string) => {
      text += piece;
      const end = text.indexOf('\n');
      if (end === -1 && text.length <= MAXIMUM_REQUEST) return;
      socket.off('data', onData);
      resolve(end === -1 ? '' : text.slice(0, end));
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('It left without a request')));
  });
}

/** Nobody listens: no relay has the queue open. */
export class NoRelayError extends Error {}

/**
 * Asks the relay that has the queue in this directory open.
 * @throws {NoRelayError} there is none
 * @throws {Error} it does not answer
 */
export async function* askRelay(directory: string, request: QueueRequest): AsyncGenerator<QueueAnswer> {
  const socket = connect(join(directory, NAME));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isNobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR';
      reject(isNobody ? new NoRelayError(error.message) : error);
    });
  });
  socket.setTimeout(SILENCE, () => socket.destroy(new Error('the relay does not answer')));
  socket.write(`${JSON.stringify(request)}\n`);
  let isOver = false;
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  try {
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as QueueAnswer;
      isOver = !('message' in answer);
      yield answer;
    }
  } finally {
    socket.destroy();
  }
  if (!isOver) throw failure ?? new Error('the relay broke off');
}
