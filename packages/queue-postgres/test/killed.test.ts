/**
 * Two processes share a queue. Each is killed (SIGKILL) again and again while the other goes on, and once the database crashes under
 * both. They say what they were promised by synchronous writes; what they had begun may hold or not. They run the built files, for a child
 * process knows no TypeScript.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openPostgresQueue } from '../src/index.js';
import { type PostgresServer, startPostgres } from '../src/postgres-server.test-support.js';

const LIVES = 2;

const PROGRAM = `
  import { writeSync } from 'node:fs';
  const [module, connection, worker, life] = process.argv.slice(1);
  const { openPostgresQueue } = await import(module);
  const say = (what, label) => writeSync(1, what + ' ' + label + '\\n');
  const queue = await openPostgresQueue({ connection: JSON.parse(connection), worker, maximumConnections: 4 });
  const attempt = (now) => ({ at: now, verdict: 'delivered', reply: null, host: null, reason: 'ok' });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  let count = 0;
  async function putting() {
    for (;;) {
      const label = worker + '-' + life + '-' + count++;
      const size = count % 5 === 0 ? 150000 : 1000;
      const reversePath = { localPart: label, domain: 'example.org' };
      const recipients = [{ localPart: 'bob', domain: 'example.com' }];
      async function* body() { yield Buffer.alloc(size, label); }
      try {
        await queue.put({ envelope: { reversePath, recipients }, now: Date.now() }, body());
        say('put', label);
      } catch { await pause(); }
    }
  }
  async function settling() {
    for (;;) {
      try {
        for (const claim of await queue.claim({ now: Date.now(), lease: 60000, limit: 2 })) {
          const label = claim.message.envelope.reversePath.localPart;
          if (claim.message.recipients[0].last?.verdict === 'unknown') say('unknown', label);
          for await (const chunk of queue.body(claim.message.id)) if (!(label + label).includes(chunk.toString('latin1', 0, 3))) say('torn', label);
          say('begun', label);
          await queue.committing(claim, Date.now());
          say('sent', label);
          await queue.settle(claim, [{ place: 0, state: 'delivered', attempt: attempt(Date.now()) }]);
          say('settled', label);
        }
      } catch {}
      await pause();
    }
  }
  await Promise.all([putting(), putting(), settling()]);
`;

let server: PostgresServer;
const children: ChildProcess[] = [];
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterEach(() => children.map((child) => child.kill('SIGKILL')));
afterAll(() => server.stop());

/** How often what was said of which message, by all processes. */
const said = new Map<string, Map<string, number>>();
const times = (what: string, label: string) => said.get(what)?.get(label) ?? 0;
const labels = (what: string) => [...(said.get(what)?.keys() ?? [])];

/** @param puts after which it is killed, if it has settled some as well */
async function liveAndDie(worker: string, life: number, puts: number): Promise<void> {
  const module = new URL('../dist/index.js', import.meta.url).href;
  const values = [module, JSON.stringify(server.connection), worker, `${life}`];
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, ...values], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const left = { put: puts, settled: 3 };
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = '', label = ''] = line.split(' ');
    const known = said.get(what) ?? new Map<string, number>();
    said.set(what, known.set(label, (known.get(label) ?? 0) + 1));
    if (what !== 'put' && what !== 'settled') continue;
    left[what]--;
    if (left.put <= 0 && left.settled <= 0) child.kill('SIGKILL');
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
}

it('processes that are killed lose nothing that was put, and send nothing twice without a word', async () => {
  const worker = async (name: string, puts: (life: number) => number) => {
    for (let life = 0; life < LIVES; life++) await liveAndDie(name, life, puts(life));
  };
  let crashes = 0;
  const crashing = async () => {
    while (labels('settled').length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    await server.halt();
    await server.start();
    crashes++;
  };
  await Promise.all([
    worker('one', (life) => 15 + life * 11),
    worker('two', (life) => 40 - life * 7),
    crashing(),
  ]);

  // Whoever is left takes over the names, and so what was claimed.
  const queues = [];
  for (const name of ['one', 'two']) {
    queues.push(await openPostgresQueue({ connection: server.connection, worker: name }));
  }
  const [queue] = queues;
  const unknown = new Set(labels('unknown'));
  const found = new Map<string, number>();
  for await (const { id, size, envelope, recipients } of queue?.list() ?? []) {
    const label = envelope.reversePath?.localPart ?? '';
    found.set(label, (found.get(label) ?? 0) + 1);
    if (recipients[0]?.last?.verdict === 'unknown') unknown.add(label);
    const chunks: Uint8Array[] = [];
    for await (const chunk of queue?.body(id) ?? []) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(Buffer.alloc(size, label))).toBe(true);
  }
  await Promise.all(queues.map((each) => each.close()));

  expect(crashes).toBe(1);
  expect(labels('settled').length).toBeGreaterThan(5);
  expect(labels('torn')).toEqual([]);
  const lost = labels('put').filter((label) => times('begun', label) === 0 && !found.has(label));
  const back = labels('settled').filter((label) => found.has(label));
  const doubled = labels('sent').filter((label) => times('sent', label) > 1 && !unknown.has(label));
  const vanished = labels('begun').filter((label) => times('sent', label) === 0 && !found.has(label));
  expect({ lost, back, doubled, vanished }).toEqual({ lost: [], back: [], doubled: [], vanished: [] });
  expect([...found.values()].filter((each) => each > 1)).toEqual([]);
}, 240_000);
