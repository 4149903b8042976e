/**
 * A server in a process of its own, for the time of one measurement.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('../../..', import.meta.url));

export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  /**
   * What it has used of the processors so far, with all its threads and the processes that it has begun; NaN where the system
   * does not say.
   */
  processorSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a program that prints `listening smtp HOST:PORT` when it is ready, as `sansmtp serve` does.
 * @param kind `smtps`: it prints that, too, and the load is for that port
 */
export async function startPeer(
  name: string,
  command: string,
  args: readonly string[],
  kind: 'smtp' | 'smtps' = 'smtp',
): Promise<Peer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${name} ended before it listened`)));
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      const line = printed
        .split('\n')
        .slice(0, -1)
        .find((each) => each.startsWith(`listening ${kind} `));
      const found = /:(\d+)$/.exec(line ?? '')?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return peerOf(name, port, child);
}

/**
 * Starts `sansmtp serve --discard`.
 * @param folder the top folder of the commit whose command it is: this one's unless given
 */
export function startServe(
  name: string,
  folder = HERE,
  args: readonly string[] = [],
  kind: 'smtp' | 'smtps' = 'smtp',
): Promise<Peer> {
  const command = join(folder, 'packages/cli/bin/sansmtp.js');
  return startPeer(name, process.execPath, [command, 'serve', '--discard', '--port', '0', ...args], kind);
}

function peerOf(name: string, port: number, child: ChildProcess, signal?: NodeJS.Signals): Peer {
  const { pid } = child;
  return {
    name,
    port,
    pid,
    processorSeconds: () => processorSeconds(child),
    stop: () => stop(child, signal),
  };
}

/**
 * Linux counts in hundredths of a second, in what `ps` reads (proc(5): `utime` and `stime`, and those of processes that have
 * ended). A process may end while its parent is being read, and be counted in neither.
 */
async function processorSeconds({ pid }: { readonly pid?: number | undefined }): Promise<number> {
  const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // After the name in parentheses, which may hold anything.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const own = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0) / 100;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = children.split(' ').filter((each) => each !== '');
  const begun = await Promise.all(pids.map((each) => processorSeconds({ pid: Number(each) })));
  return begun.reduce((sum, each) => sum + (Number.isNaN(each) ? 0 : each), line === '' ? Number.NaN : own);
}

/** Starts Postfix's smtp-sink, which takes no port 0 and does not say when it is ready. */
export async function startSmtpSink(): Promise<Peer> {
  const port = await freePort();
  const asRoot = process.getuid?.() === 0; // which smtp-sink refuses to stay
  const args = [...(asRoot ? ['-u', 'nobody'] : []), `127.0.0.1:${port}`, '1000'];
  const child = spawn('smtp-sink', args, { stdio: 'ignore' });
  return untilItAnswers('smtp-sink', port, child);
}

/** @param signal ends it */
export async function untilItAnswers(
  name: string,
  port: number,
  child: ChildProcess,
  signal?: NodeJS.Signals,
): Promise<Peer> {
  for (let attempt = 0; !(await answers(port)); attempt += 1) {
    if (attempt === 300 || child.exitCode !== null) throw new Error(`${name} does not answer`);
    await setTimeout(100);
  }
  return peerOf(name, port, child, signal);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address !== 'object') throw new Error('No free port');
  return address.port;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
