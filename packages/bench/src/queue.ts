/**
 * How long a queue in a directory takes with 1,000 to 1,000,000 messages of 1 KiB in it: to be opened, after it was closed and
 * after its process was killed, to claim and to put; and what is in memory. Usage: `node queue.js [messages…]`, for which
 * it needs 1.7 KB of disk a message.
 *
 * With `rate` it measures how many messages a second are put, stored as committing and settled, one at a time and 16 at a
 * time, beside the bare system calls of a spool that has a file for each.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openQueue, type QueueStore, type Settlement } from '@sansmtp/queue';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const BODY = new Uint8Array(1024).fill(97);
const PUT_AT_ONCE = 500;
const DOMAINS = 10_000;
const SENDERS = 1_000;

const envelope = (i: number) => ({
  reversePath: { localPart: `sender${i % SENDERS}`, domain: 'example.org' },
  recipients: [{ localPart: `recipient${i}`, domain: `domain${i % DOMAINS}.example` }],
});

async function* body(): AsyncGenerator<Uint8Array> {
  yield BODY;
}

const put = (queue: QueueStore, i: number) =>
  queue.put({ envelope: envelope(i), now: Date.now(), due: Date.now() }, body());

const settlement: Settlement = {
  place: 0,
  state: 'delivered',
  attempt: { at: Date.now(), verdict: 'delivered', reply: '250 2.0.0 OK', host: 'mx.example', reason: 'ok' },
};

async function milliseconds(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
}

async function median(times: number, task: (i: number) => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) taken.push(await milliseconds(() => task(i)));
  return taken.sort((one, other) => one - other)[times >> 1] as number;
}

/** Octets that are in use, without garbage. */
async function octetsInUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    global.gc?.();
    await turn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** In a process of its own. */
const STEPS: Record<string, (directory: string, messages: number) => Promise<object>> = {
  async fill(directory, messages) {
    const queue = await openQueue(directory, { maximumMessages: Number.POSITIVE_INFINITY });
    const taken = await milliseconds(async () => {
      for (let i = 0; i < messages; i += PUT_AT_ONCE) {
        const some = Array.from({ length: Math.min(PUT_AT_ONCE, messages - i) }, (_, j) => put(queue, i + j));
        await Promise.all(some);
      }
    });
    await queue.close();
    return { filledPerSecond: Math.round((messages / taken) * 1000) };
  },

  async measure(directory, messages) {
    const before = await octetsInUse();
    let queue!: QueueStore;
    const used = process.cpuUsage();
    const opened = await milliseconds(async () => {
      queue = await openQueue(directory, { maximumMessages: Number.POSITIVE_INFINITY });
    });
    const { user, system } = process.cpuUsage(used);
    const openedProcessor = (user + system) / 1000;
    const octets = ((await octetsInUse()) - before) / messages;
    const residentMebibytes = process.memoryUsage().rss / 2 ** 20;
    const request = { now: Date.now(), lease: 60_000 };
    const firstClaim = await milliseconds(() => queue.claim(request));
    const claim = await median(200, () => queue.claim(request));
    const count = await median(5, () => queue.count());
    const putting = await median(50, (i) => put(queue, messages + i));
    process.stdout.write(
      `${JSON.stringify({ opened, openedProcessor, octets, residentMebibytes, firstClaim, claim, count, put: putting })}\n`,
    );
    process.kill(process.pid, 'SIGKILL');
    return {};
  },

  async reopen(directory) {
    let queue!: QueueStore;
    const openedAfterKill = await milliseconds(async () => {
      queue = await openQueue(directory, { maximumMessages: Number.POSITIVE_INFINITY });
    });
    let listed = 0;
    const list = await milliseconds(async () => {
      for await (const _ of queue.list()) if (++listed === 1000) break;
    });
    await queue.close();
    return { openedAfterKill, list1000: list };
  },
};

function step(name: string, directory: string, messages: number): object {
  const self = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, ['--expose-gc', self, name, directory, `${messages}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(child.stdout.toString());
}

async function octetsOnDisk(directory: string): Promise<number> {
  let octets = 0;
  for (const name of await readdir(directory)) octets += (await stat(join(directory, name))).size;
  return octets;
}

async function measureLength(messages: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'queue-bench-'));
  const filled = step('fill', directory, messages);
  const diskOctets = Math.round((await octetsOnDisk(directory)) / messages);
  const measured = step('measure', directory, messages);
  const reopened = step('reopen', directory, messages);
  const all = Object.entries({ ...filled, diskOctets, ...measured, ...reopened });
  console.log(messages, all.map(([name, value]) => `${name} ${(value as number).toFixed(2)}`).join(', '));
  await rm(directory, { recursive: true });
}

/** Messages a second, so many at a time. */
async function rate(atOnce: number, task: (i: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + 3000;
  let count = 0;
  const begun = performance.now();
  const worker = async () => {
    while (performance.now() < end) await task(count++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (count / (performance.now() - begun)) * 1000;
}

async function measureRates(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'queue-bench-'));
  const queue = await openQueue(join(directory, 'queue'));
  const pass = async (i: number) => {
    await put(queue, i);
    const now = Date.now();
    const [claim] = await queue.claim({ now, lease: 60_000 });
    if (claim === undefined) throw new Error('Nothing is due');
    await queue.settle(await queue.committing(claim, now), [settlement]);
  };
  // A file that is written, synced and renamed, its folder synced; an octet of state, synced; the file unlinked.
  const folder = await open(directory, 'r');
  const spool = async (i: number) => {
    const path = join(directory, `file-${i}`);
    const file = await open(`${path}.new`, 'wx');
    await file.write(BODY);
    await file.datasync();
    await rename(`${path}.new`, path);
    await folder.sync();
    await file.write(new Uint8Array(1), 0, 1, 0);
    await file.datasync();
    await file.close();
    await unlink(path);
    await folder.sync();
  };
  for (const atOnce of [1, 16]) {
    const rounds: string[] = [];
    for (let round = 0; round < 5; round++) {
      rounds.push(`${(await rate(atOnce, pass)).toFixed(0)}/${(await rate(atOnce, spool)).toFixed(0)}`);
    }
    console.log(`${atOnce} at a time, queue/spool: ${rounds.join(' ')}`);
  }
  await folder.close();
  await queue.close();
  await rm(directory, { recursive: true });
}

const [first, directory, messages] = process.argv.slice(2);
const inChild = STEPS[first ?? ''];
if (inChild !== undefined) {
  console.log(JSON.stringify(await inChild(directory as string, Number(messages))));
} else if (first === 'rate') await measureRates();
else {
  const sizes = process.argv.slice(2).map(Number);
  for (const size of sizes.length > 0 ? sizes : SIZES) await measureLength(size);
}
