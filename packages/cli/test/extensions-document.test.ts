/** The examples of docs/extensions.md run as they are printed. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { knownExtensions } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { connect, systemClock } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { expect, it, vi } from 'vitest';
import { colours, server } from '../../../docs/examples/extension.js';
import { examplesOf } from './document-examples.js';

const { run } = examplesOf('docs/extensions.md');

const top = fileURLToPath(new URL('../../..', import.meta.url));
const documented = await readFile(join(top, 'docs/extensions.md'), 'utf8');

it('shows the example of an extension as it is', async () => {
  const shown = /<!-- file: (\S+) -->\n```ts\n([\s\S]*?)```/.exec(documented);
  expect(shown?.[2]).toBe(await readFile(join(top, shown?.[1] ?? ''), 'utf8'));
});

it("speaks an embedder's extension at both ends: its keyword, its parameter and its verb", async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const [address] = server.addresses;
  if (address?.kind !== 'tcp') throw new Error('The example listens on TCP');
  const session = await openSession(await connect({ host: '127.0.0.1', port: address.port }), {
    clock: systemClock,
    extensions: [...knownExtensions, colours],
  });
  expect(session.offer.keywords.get('XCOLOUR')).toBe('red green blue');
  const command = { verb: 'extension', name: 'XCOLOURS', argument: '' } as const;
  expect(await session.inquire(command)).toEqual({
    code: 250,
    enhancedCode: '2.0.0',
    lines: ['red', 'green', 'blue'],
  });
  const envelope = { reversePath: null, recipients: [{ localPart: 'bob', domain: 'example.com' }] };
  const send = (colour: string) =>
    session.send({ ...envelope, parameters: { custom: { XCOLOUR: colour } } }, 'Subject: paint\n');
  expect(await send('green')).toMatchObject([{ verdict: 'delivered' }]);
  expect(await send('grey')).toMatchObject([{ verdict: 'rejected', reply: { code: 501 } }]);
  expect(printed.mock.calls).toEqual([['A message in', 'green']]);
  printed.mockRestore();
  await session.quit();
  await server.shutdown(1000);
});

it('shows a mechanism of the application at both ends', async () => {
  expect(await run('mechanism')).toBe('X-TICKET\nann by X-TICKET\n');
}, 30_000);

it('shows a submission server and its client, under TLS and bound to it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-extensions-'));
  try {
    const [, code = ''] = /<!-- example: submission -->\n```js\n([\s\S]*?)```/.exec(documented) ?? [];
    const altNames = [{ type: 2, value: 'localhost' } as const];
    const made = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames }],
    });
    await Promise.all([
      symlink(join(top, 'node_modules'), join(folder, 'node_modules')),
      writeFile(join(folder, 'submission.mjs'), code),
      writeFile(join(folder, 'cert.pem'), made.cert),
      writeFile(join(folder, 'key.pem'), made.private),
    ]);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['submission.mjs', 'cert.pem', 'key.pem'],
      { cwd: folder, timeout: 20_000 },
    );
    expect(stdout).toBe("SCRAM-SHA-256-PLUS\nTLSv1.3 ann { ret: 'HDRS', envid: 'A-1' }\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}, 30_000);
