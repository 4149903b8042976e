/** The examples of docs/receiving.md run as they are printed. */
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { Secret } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { connect, systemClock } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';
import { temporaryFolder } from './temporary-folder.js';

const { listen } = examplesOf('docs/receiving.md');

const clock = systemClock;
const envelope = (to: string) => ({ from: 'ann@example.org', to });

it('stores a message in a plain file before it says 250, and closes on SIGTERM', async () => {
  const { port, folder, until, signal } = await listen('store');
  const session = await openSession(await connect({ host: '127.0.0.1', port }), { clock });
  const [verdict] = await session.send(envelope('bob@example.com'), 'Subject: hello\n\nStored.\n');
  expect(verdict).toMatchObject({ verdict: 'delivered', reply: { code: 250 } });
  const [file = '', ...others] = await readdir(join(folder, 'messages'));
  expect(others).toEqual([]);
  expect(verdict?.reply?.lines).toEqual([`Stored as messages/${file}`]);
  expect(await readFile(join(folder, 'messages', file), 'utf8')).toBe('Subject: hello\r\n\r\nStored.\r\n');
  expect(await signal('SIGTERM')).toBe(0);
  expect(await until(/(closed)/)).toBe('closed');
  await session.closed;
}, 20_000);

it('offers AUTH to those inside, and refuses it to others as if there were none', async () => {
  const password = { kind: 'password', username: 'ann', password: new Secret('pencil') } as const;
  const authentication = { credentials: password, allowInsecure: true };
  const { port } = await listen('offers', { INSIDE: '127.0.0.0/8' });
  const inside = await openSession(await connect({ host: '127.0.0.1', port }), { clock, authentication });
  expect(inside.offer.authenticatedBy).toBe('SCRAM-SHA-256');
  await inside.quit();
  const other = await listen('offers');
  const outside = await openSession(await connect({ host: '127.0.0.1', port: other.port }), { clock });
  expect([...outside.offer.keywords.keys()]).not.toContain('AUTH');
  expect([...outside.offer.keywords.keys()]).toContain('SIZE');
  await outside.quit();
}, 20_000);

it('refuses who speaks before the greeting, and serves who waits', async () => {
  const { port, until } = await listen('early');
  const early = connectSocket({ host: '127.0.0.1', port });
  early.write('EHLO c.example\r\n');
  const [heard] = await once(early, 'data');
  expect(String(heard)).toMatch(/^554 5\.5\.1 Wait for the greeting\r\n/);
  early.destroy();
  expect(await until(/(.*) spoke too soon/)).toBe('127.0.0.1');
  const session = await openSession(await connect({ host: '127.0.0.1', port }), { clock });
  expect(await session.send(envelope('bob@example.com'), 'Hello\n')).toMatchObject([
    { verdict: 'delivered' },
  ]);
  await session.quit();
}, 30_000);

async function certificate(name: string) {
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
}

it('has two listeners with handlers of their own, state for each session, and a certificate that changes', async () => {
  const folder = await temporaryFolder();
  const [CERTIFICATE, KEY] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const write = async (made: { readonly cert: string; readonly private: string }) => {
    await writeFile(CERTIFICATE, made.cert);
    await writeFile(KEY, made.private);
    return made.cert;
  };
  const first = await write(await certificate('mail.example.com'));
  const { until, signal } = await listen('listeners', {
    MX_PORT: '0',
    SUBMISSION_PORT: '0',
    CERTIFICATE,
    KEY,
  });
  const ports = await until(/((?:listening on port \d+\n){2})/);
  const [mx = 0, submission = 0] = [...String(ports).matchAll(/\d+/g)].map(Number);

  const outside = await openSession(await connect({ host: '127.0.0.1', port: mx }), { clock });
  const to = ['a@example.com', 'b@example.com', 'c@example.com'];
  expect(
    (await outside.send({ from: 'eve@example.net', to }, 'Hello\n')).map(({ reply }) => reply?.code),
  ).toEqual([550, 550, 421]);
  await outside.closed;
  const inside = await openSession(await connect({ host: '127.0.0.1', port: mx }), { clock });
  expect(await inside.send(envelope('bob@example.com'), 'Hello\n')).toMatchObject([{ verdict: 'delivered' }]);
  await inside.quit();
  expect(await until(/(mx: .*)\n/)).toBe('mx: 7 octets from outside');

  const submit = async (ca: string) => {
    const tls = { mode: 'implicit', verify: true, servername: 'mail.example.com', ca } as const;
    const stream = await connect({ host: '127.0.0.1', port: submission, tls });
    const credentials = { kind: 'password', username: 'ann', password: new Secret('pencil') } as const;
    const session = await openSession(stream, { clock, authentication: { credentials } });
    const [{ verdict } = { verdict: undefined }] = await session.send(envelope('c@example.net'), 'Hello\n');
    await session.quit();
    return verdict;
  };
  expect(await submit(first)).toBe('delivered');
  expect(await until(/(submission: .*)\n/)).toBe('submission: 7 octets from ann');
  expect(await until(/(TLS.*)\n/)).toBe('TLSv1.3 for mail.example.com');
  const second = await write(await certificate('mail.example.com'));
  await signal('SIGHUP');
  await until(/(reloaded)/);
  expect(await submit(second)).toBe('delivered');
}, 30_000);
