/**
 * Worker threads share the id of the process, its host name and, here, the moment, and count their deliveries each from
 * one on: all that names were once made of. They run the built files, for a worker thread knows no TypeScript.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';

const THREADS = 4;
const MESSAGES = 100;

const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const moment = Date.now();
  globalThis.Date = class extends Date {
    constructor() { super(moment); }
    static now() { return moment; }
  };
  (async () => {
    const { openMaildir } = await import(workerData.module);
    const maildir = await openMaildir(workerData.directory, { hostname: 'mx.example' });
    const session = { peer: {}, hello: { verb: 'EHLO', name: 'client.example' } };
    const envelope = {
      reversePath: null,
      parameters: {},
      recipients: [{ forwardPath: { localPart: 'ann', domain: 'mx.example' }, parameters: {} }],
    };
    const ids = [];
    for (let message = 0; message < workerData.messages; message++) {
      async function* body() { yield Buffer.from(\`\${workerData.thread} \${message}\\r\\n\`); }
      ids.push((await maildir.deliver({ envelope, body: body() }, session)).id);
    }
    parentPort.postMessage(ids);
  })();
`;

const directory = await mkdtemp(join(tmpdir(), 'maildir-threads-'));
afterAll(() => rm(directory, { recursive: true }));

function deliverInThread(thread: number): Promise<readonly string[]> {
  const module = new URL('../dist/index.js', import.meta.url).href;
  const workerData = { module, directory, thread, messages: MESSAGES };
  return new Promise((resolve, reject) => {
    const worker = new Worker(PROGRAM, { eval: true, execArgv: [], workerData });
    worker.once('message', resolve).once('error', reject);
  });
}

it('threads that deliver at the same moment lose no message', async () => {
  const ids = (
    await Promise.all(Array.from({ length: THREADS }, (_, thread) => deliverInThread(thread)))
  ).flat();
  expect(new Set(ids).size).toBe(THREADS * MESSAGES);
  const files = await readdir(join(directory, 'new'));
  const bodies = await Promise.all(
    files.map(async (file) => (await readFile(join(directory, 'new', file), 'latin1')).split('\r\n').at(-2)),
  );
  const expected = Array.from({ length: THREADS }, (_, thread) =>
    Array.from({ length: MESSAGES }, (_, message) => `${thread} ${message}`),
  );
  expect(bodies.sort()).toEqual(expected.flat().sort());
  expect(await readdir(join(directory, 'tmp'))).toEqual([]);
});
