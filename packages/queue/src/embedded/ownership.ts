/**
 * One process at a time has the directory. Its sign is a Unix socket that it listens on: the kernel ends it with the
 * process, however that dies; it is seen from other containers, and no other process can get its number.
 *
 * Each opening of the directory is an epoch with a socket of its own, `owner-EPOCH`. A process binds the one after all that
 * it finds, and then looks: if any other is alive, or an epoch as high has come up, it withdraws. Because each makes
 * its sign before it looks, two cannot both stay; and no socket but one's own is ever unlinked while it may be alive.
 */
import { chmod, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { QueueInUseError } from '../contract/errors.js';
import { epochsOf } from './journal/segment.js';

/** Octets that the path of a Unix socket may have on all systems (macOS: 104 with the NUL). */
const MAXIMUM_SOCKET_PATH = 103;

export interface Ownership {
  /** Higher than that of every owner before. */
  readonly epoch: number;
  release(): Promise<void>;
}

const NAME = /^owner-(\d+)$/;

/**
 * @throws {QueueInUseError} another process has the directory
 * @throws {RangeError} its path is too long for a Unix socket
 */
export async function takeOwnership(directory: string): Promise<Ownership> {
  const before = await readdir(directory);
  if (await anyAlive(directory, ownersOf(before))) throw new QueueInUseError(directory);
  const epoch = 1 + Math.max(0, ...ownersOf(before), ...epochsOf(before));
  const server = await listen(directory, epoch);
  const release = () => new Promise<void>((resolve) => server.close(() => resolve()));
  try {
    // As for all that is made here: whatever the umask says, it is for this user only.
    await chmod(pathOf(directory, epoch), 0o600);
    const after = await readdir(directory);
    const others = ownersOf(after).filter((other) => other !== epoch);
    const isOvertaken = Math.max(0, ...others) > epoch || Math.max(0, ...epochsOf(after)) >= epoch;
    if (isOvertaken || (await anyAlive(directory, others))) throw new QueueInUseError(directory);
    for (const other of others) await unlink(pathOf(directory, other)).catch(() => {});
  } catch (error) {
    await release();
    throw error;
  }
  return { epoch, release };
}

function pathOf(directory: string, epoch: number): string {
  return join(directory, `owner-${epoch}`);
}

function ownersOf(names: readonly string[]): number[] {
  return names.flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []);
}

async function anyAlive(directory: string, epochs: readonly number[]): Promise<boolean> {
  const alive = await Promise.all(epochs.map((epoch) => isAlive(pathOf(directory, epoch))));
  return alive.includes(true);
}

/** Whether anybody listens. Only a clear no is one: a process that is stopped, or too busy to accept, is alive. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function listen(directory: string, epoch: number): Promise<Server> {
  const path = pathOf(directory, epoch);
  if (Buffer.byteLength(path) > MAXIMUM_SOCKET_PATH) {
    throw new RangeError(
      `${path} is ${Buffer.byteLength(path)} octets long, and the path of a Unix socket ${MAXIMUM_SOCKET_PATH} at most: ` +
        'choose a shorter path for the queue',
    );
  }
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    // Whoever forgets to close the queue is not held by it.
    server.unref();
    server.once('listening', () => resolve(server));
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new QueueInUseError(directory) : error);
    });
    server.listen(path);
  });
}
