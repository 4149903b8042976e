/**
 * A process that puts and settles is killed (SIGKILL), again and again in the same directory. It says what it was promised
 * by synchronous writes; what it had begun may hold or not. It runs the built files, for a child process knows no TypeScript.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, expect, it } from 'vitest';
import { openQueue, QueueInUseError } from '../src/index.js';

const KILLS = 4;

/** Messages put by a process before it is killed: a different number each time. */
const puts = (kill: number): number => 15 + kill * 23;

const PROGRAM = `
  import { writeSync } from 'node:fs';
  const { openQueue } = await import(process.argv[1]);
  const [directory, life] = process.argv.slice(2);
  const say = (what, label) => writeSync(1, what + ' ' + label + '\\n');
  const queue = await openQueue(directory, { reserve: 0 });
  say('open', life);
  const attempt = (now) => ({ at: now, verdict: 'delivered', reply: null, host: null, reason: 'ok' });
  let count = 0;
  async function putting() {
    for (;;) {
      const label = life + '-' + count++;
      const size = count % 10 === 0 ? 100000 : 1000;
      const reversePath = { localPart: label, domain: 'example.org' };
      const recipients = [{ localPart: 'bob', domain: 'example.com' }];
      async function* body() { yield Buffer.alloc(size, label); }
      await queue.put({ envelope: { reversePath, recipients }, now: Date.now() }, body());
      say('put', label);
    }
  }
  async function settling() {
    for (;;) {
      const now = Date.now();
      const claims = await queue.claim({ now, lease: 60000, limit: 3 });
      for (const claim of claims) {
        const label = claim.message.envelope.reversePath.localPart;
        await queue.committing(claim, now);
        say('begun', label);
        await queue.settle(claim, [{ place: 0, state: 'delivered', attempt: attempt(now) }]);
        say('settled', label);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  await Promise.all([putting(), putting(), putting(), putting(), settling()]);
`;

const directory = await mkdtemp(join(tmpdir(), 'queue-killed-'));
afterAll(() => rm(directory, { recursive: true }));

const children: ChildProcess[] = [];
afterEach(() => children.map((child) => child.kill('SIGKILL')));

/** What was said of messages, by all processes. */
const said = {
  open: new Set<string>(),
  put: new Set<string>(),
  begun: new Set<string>(),
  settled: new Set<string>(),
};

async function liveAndDie(life: number): Promise<void> {
  const module = new URL('../dist/index.js', import.meta.url).href;
  const options = ['--input-type=module', '--eval', PROGRAM, module, directory, `${life}`];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let left = puts(life);
  let isFirst = true;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = '', label = ''] = line.split(' ');
    said[what as keyof typeof said].add(label);
    if (isFirst) await expect(openQueue(directory)).rejects.toThrow(QueueInUseError);
    isFirst = false;
    if (what !== 'put' || --left !== 0) continue;
    // One that is stopped is alive.
    child.kill('SIGSTOP');
    await expect(openQueue(directory)).rejects.toThrow(QueueInUseError);
    child.kill('SIGKILL');
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
}

it('a process that is killed loses nothing that was put, and nothing that was settled comes back', async () => {
  for (let kill = 0; kill < KILLS; kill++) {
    await liveAndDie(kill);
    const queue = await openQueue(directory, { reserve: 0 });
    const found = new Map<string, number>();
    for await (const { id, size, envelope, recipients } of queue.list()) {
      const label = envelope.reversePath?.localPart ?? '';
      found.set(label, (found.get(label) ?? 0) + 1);
      const chunks: Uint8Array[] = [];
      for await (const chunk of queue.body(id)) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(Buffer.alloc(size, label))).toBe(true);
      if (said.begun.has(label)) expect(recipients[0]?.last?.verdict).toBe('unknown');
    }
    expect([...found.values()].filter((times) => times > 1)).toEqual([]);
    const lost = [...said.put].filter((label) => !said.begun.has(label) && !found.has(label));
    const doubled = [...said.settled].filter((label) => found.has(label));
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
    await queue.close();
  }
  expect(said.open.size).toBe(KILLS);
  expect(said.settled.size).toBeGreaterThan(0);
}, 120_000);
