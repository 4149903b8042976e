import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

/** The examples of the READMEs run as they are printed, against the built packages, like those of a newcomer. */

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sansmtp-readme-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const readme of ['README.md', 'packages/core/README.md']) {
    const text = await readFile(join(root, readme), 'utf8');
    for (const [, name, code] of text.matchAll(/<!-- example: (\w+) -->\n```js\n([\s\S]*?)```/g)) {
      await writeFile(join(folder, `${name}.mjs`), code ?? '', { flag: 'wx' }); // no two of one name
    }
  }
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function start(name: string, port: number): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [join(folder, `${name}.mjs`)], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child as ChildProcess & { readonly stdout: NodeJS.ReadableStream };
}

/** What the example prints until it ends. */
async function run(name: string, port = 0): Promise<string> {
  const child = start(name, port);
  let printed = '';
  for await (const chunk of child.stdout) printed += chunk;
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  return printed;
}

/** Starts an example that listens: its port, and how to wait for what it prints. */
async function listen(name: string) {
  let printed = '';
  start(name, 0).stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const until = (pattern: RegExp) =>
    vi.waitFor(
      () => pattern.exec(printed)?.[1] ?? Promise.reject(new Error(`Printed so far: ${printed}`)),
      10_000,
    );
  return { port: Number(await until(/listening on port (\d+)\n/)), until };
}

it('receives with one example what the other sends, and refuses what it says it refuses', async () => {
  const { port, until } = await listen('receive');
  expect(await run('send', port)).toBe('delivered 250\nrejected 550\n');
  // "Subject: hello", an empty line and "My first message.", each ended by CRLF
  expect(await until(/(\d+ octets for \d+ recipient\(s\))\n/)).toBe('37 octets for 1 recipient(s)');
}, 20_000);

it('serves the sockets of a server of its own', async () => {
  const { port, until } = await listen('socket');
  expect(await run('send', port)).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(Subject: hello\r\n\r\nMy first message\.\r\n)/)).toBeDefined();
}, 20_000);

it('holds a whole dialogue with nothing but the core', async () => {
  const replies = (await run('embed')).split('\r\n');
  expect(
    replies.map((line) => line.slice(0, 3)).filter((code, index, all) => code !== all[index - 1]),
  ).toEqual(['220', '250', '354', '250', '221', '']);
}, 20_000);

it('serves a connection with nothing but the core', async () => {
  const { port, until } = await listen('server');
  expect(await run('send', port)).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(Subject: hello\r\n\r\nMy first message\.\r\n)/)).toBeDefined();
}, 20_000);

it('delivers a message with nothing but the core', async () => {
  expect((await run('client')).split(/\r?\n/)).toEqual([
    'EHLO client.example.org',
    'MAIL FROM:<ann@example.org>',
    'RCPT TO:<bob@example.com>',
    'DATA',
    'Subject: hello',
    '',
    '..dots are no problem',
    '.',
    'delivered',
    'QUIT',
    '',
  ]);
}, 20_000);
