/**
 * `sansmtp probe` judges `sansmtp serve` in its usual forms, and finds nothing of level MUST, SHOULD or SECURITY. What it finds
 * of INTEROP is known, and argued in docs/decisions.md.
 */
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

/** Why some cases were skipped, and not a word besides. */
const REASONS_ONLY = expect.stringMatching(/^(?:skipped \d+: .+\n)*$/);

const NOTHING_FOUND = {
  exit: 0,
  stderr: REASONS_ONLY,
  stdout: expect.stringMatching(/^[1-9]\d+ passed, 0 failed, \d+ skipped\n$/),
};

/** Where the forms differ; the first one has all. */
const FEW = 'sequence,size,pipelining,replies/*-enhanced-code,disconnects/*-batch';

/** Hundreds of cases, some of which wait for silence; and the machine may be busy. */
const PATIENCE = 300_000;

/** What the grammar lacks and we take (docs/decisions.md, "An address is read liberally"). */
const KNOWN = [
  'dsn/envid-in-lower-case-refused',
  'dsn/orcpt-in-lower-case-refused',
  ...['mail', 'rcpt'].flatMap((verb) =>
    [
      'leading-dot',
      'space-after-colon',
      'trailing-dot',
      'two-dots',
      'underscore-domain',
      'untagged-ipv6',
    ].map((name) => `syntax/${verb}-path-${name}`),
  ),
];

describe('sansmtp probe finds nothing serious in sansmtp serve', () => {
  it('in the clear, but for the known liberties', { timeout: PATIENCE }, async () => {
    const { port } = await serve(['--discard']);
    const { exit, stdout, stderr } = await probe(port, '--runs', '20');
    const findings = stdout.split('\n').slice(0, -2);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: REASONS_ONLY });
    expect(findings.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual(
      KNOWN.map((id) => `${id} INTEROP`).sort(),
    );
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
