/** `sansmtp probe` judges `sansmtp serve` in its usual forms, and finds nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, sansmtp, scratchFolder } from './processes.js';
import { serve } from './serving.js';

const probe = (port: number, ...words: string[]) => run(...sansmtp('probe', `127.0.0.1:${port}`, ...words));

const USER = ['--user', 'ann:pencil'];

async function login(): Promise<string[]> {
  const file = join(await scratchFolder(), 'password');
  await writeFile(file, 'pencil');
  return ['--user', 'ann', '--password-file', file, '--tls-insecure'];
}

const NOTHING_FOUND = {
  exit: 0,
  stderr: '',
  stdout: expect.stringMatching(/^[1-9]\d+ passed, 0 failed, \d+ skipped\n$/),
};

/** Where the forms differ; the first one has all. */
const FEW = 'sequence,size,pipelining,replies/*-enhanced-code,disconnects/*-batch';

/** Hundreds of cases, some of which wait for silence; and the machine may be busy. */
const PATIENCE = 300_000;

describe('sansmtp probe finds nothing in sansmtp serve', () => {
  it('in the clear', { timeout: PATIENCE }, async () => {
    const { port } = await serve(['--discard']);
    expect(await probe(port, '--runs', '20')).toEqual(NOTHING_FOUND);
  });

  it('with TLS and users', { timeout: PATIENCE }, async () => {
    const server = await serve(['--discard', '--tls-self-signed', '--tls-port', '0', ...USER]);
    const tls = ['--tls-port', String(server.portOf('smtps'))];
    expect(await probe(server.port, ...tls, '--only', FEW, ...(await login()))).toEqual(NOTHING_FOUND);
  });

  it('as submission', { timeout: PATIENCE }, async () => {
    const server = await serve(['--discard', '--tls-self-signed', '--submission-port', '0', ...USER]);
    const port = server.portOf('submission');
    expect(await probe(port, '--only', FEW, ...(await login()))).toEqual(NOTHING_FOUND);
  });

  it('as LMTP', { timeout: PATIENCE }, async () => {
    const server = await serve(['--discard', '--lmtp-port', '0']);
    expect(await probe(server.portOf('lmtp'), '--lmtp', '--only', FEW)).toEqual(NOTHING_FOUND);
  });
});
