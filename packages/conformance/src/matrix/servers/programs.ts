/** Programs that the matrix runs: to their end, or as servers that are ended by their process group. */
import { execFile, spawn } from 'node:child_process';
import { createServer, connect as openSocket } from 'node:net';
import { type Launch, NotRun } from './server.js';

/** Debian keeps Postfix's programs where only root looks. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** Milliseconds for a server to listen, and for one to end by itself. */
const TIME_TO_START = 20_000;
const TIME_TO_END = 5000;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Runs a program to its end, for what it prints.
 * @throws {NotRun} (rejects) it is not there, or fails
 */
export function output(
  program: string,
  words: readonly string[],
  { environment = {}, cwd }: { environment?: Readonly<Record<string, string>>; cwd?: string } = {},
): Promise<string> {
  const env = { ...process.env, PATH, ...environment };
  return new Promise((resolve, reject) => {
    execFile(program, words, { env, cwd, timeout: 300_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else
        reject(new NotRun(`${program} ${words[0] ?? ''} fails: ${(stderr || error.message).split('\n')[0]}`));
    });
  });
}

/** Below the ports that systems give to whoever asks for any: nobody gets it between its choice and its use. */
const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 32_000];

/** A port that is free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = openSocket({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export interface Started {
  /** Ends it and what it has started. */
  end(): Promise<void>;
}

/**
 * Starts a server, and waits until its port accepts.
 * @throws {NotRun} (rejects) it ends, or never listens; the reason is the last line that it wrote
 */
export async function start({ program, words, environment = {} }: Launch, port: number): Promise<Started> {
  const env = { ...process.env, PATH, ...environment };
  // A process group of its own, so that it can be ended with all its children.
  const child = spawn(program, words, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      written = `${written}${bytes}`.slice(-4000);
    });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      written = error.message;
    });
    // Not 'close': its children may hold the pipes open.
    for (const event of ['exit', 'error'])
      child.on(event, () => {
        hasEnded = true;
        resolve();
      });
  });
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // All of it has ended.
    }
  };
  const end = async () => {
    signal('SIGTERM');
    await Promise.race([ended, pause(TIME_TO_END)]);
    signal('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
  };
  for (const begin = performance.now(); performance.now() - begin < TIME_TO_START; await pause(50)) {
    if (hasEnded) break;
    if (await accepts(port)) return { end };
  }
  await end();
  throw new NotRun(`${hasEnded ? 'it ended' : 'it does not listen'}: ${written.trim().split('\n').at(-1)}`);
}
