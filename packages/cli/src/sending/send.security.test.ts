/** What `send` needs before it shows a password, and what it says where that is not to be had. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openCertificate } from '../receiving/certificates.js';
import { type Result, sansmtp } from '../running.test-support.js';

/** A server with a certificate that nobody has signed; it counts the passwords that it was shown. */
async function selfSigned(mode: 'startTls' | 'implicit') {
  const certificate = await openCertificate({ tlsSelfSigned: true }, 'mx.example');
  if (certificate === undefined) throw new Error('No certificate');
  const passwords: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, host: '127.0.0.1', tls: { mode, context: certificate.context } }],
    session: {
      hostname: 'mx.example',
      authentication: { required: true, mechanisms: ['PLAIN'], allowInsecure: true },
    },
    handlers: {
      onAuth: (attempt) => {
        if ('password' in attempt) passwords.push(attempt.password.revealText() ?? '');
        return true;
      },
      async onMessage({ body }) {
        for await (const _ of body);
      },
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, passwords };
}

function send(port: number, ...words: string[]): Promise<Result> {
  vi.stubEnv('SANSMTP_PASSWORD', 'open-sesame');
  onTestFinished(() => void vi.unstubAllEnvs());
  const target = [
    '--host',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--from',
    'ann@a.example',
    '--to',
    'joe@b.example',
  ];
  return sansmtp(['send', ...target, '--user', 'ann', ...words], 'a\n');
}

describe('sansmtp send --user', () => {
  it.each([
    ['startTls', []],
    ['startTls', ['--tls', 'opportunistic']],
    ['startTls', ['--tls', 'required']],
    ['startTls', ['--allow-insecure-auth']],
    ['implicit', ['--tls', 'implicit']],
  ] as const)(
    'defers, exits 77 and shows no password to a server that cannot be verified (%s, %j)',
    async (mode, words) => {
      const { port, passwords } = await selfSigned(mode);
      const { stdout, exitCode } = await send(port, ...words);
      expect(stdout).toMatch(/^deferred joe@b\.example .*self.signed/);
      expect(exitCode).toBe(77);
      expect(passwords).toEqual([]);
    },
  );

  it.each([
    ['startTls', []],
    ['implicit', ['--tls', 'implicit']],
  ] as const)('takes any certificate by --tls-insecure (%s)', async (mode, words) => {
    const { port, passwords } = await selfSigned(mode);
    expect(await send(port, '--tls-insecure', ...words)).toMatchObject({ exitCode: 0 });
    expect(passwords).toEqual(['open-sesame']);
  });

  it('shows no password without TLS, but by --allow-insecure-auth', async () => {
    const { port, passwords } = await selfSigned('startTls');
    const refused = await send(port, '--tls', 'none', '--tls-insecure');
    expect(refused).toMatchObject({
      stdout: expect.stringMatching(/^deferred .*password was not sent/),
      exitCode: 77,
    });
    expect(passwords).toEqual([]);
    expect(await send(port, '--tls', 'none', '--allow-insecure-auth')).toMatchObject({ exitCode: 0 });
    expect(passwords).toEqual(['open-sesame']);
  });

  it('wants to be told so where a Unix socket has no name to verify', async () => {
    vi.stubEnv('SANSMTP_PASSWORD', 'open-sesame');
    onTestFinished(() => void vi.unstubAllEnvs());
    const words = ['send', '--unix', '/nowhere', '--user', 'ann', '--from', '<>', '--to', 'joe@b.example'];
    expect(await sansmtp(words, 'a\n')).toMatchObject({
      stderr: expect.stringContaining('give --host, --tls-insecure or --allow-insecure-auth'),
      exitCode: 64,
    });
    expect(await sansmtp([...words, '--allow-insecure-auth'], 'a\n')).toMatchObject({ exitCode: 75 });
  });
});

describe('sansmtp send', () => {
  it('suggests --tls implicit where a server says nothing in the clear', async () => {
    const { port } = await selfSigned('implicit');
    const words = [
      'send',
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--from',
      '<>',
      '--to',
      'joe@b.example',
    ];
    const { stdout, exitCode } = await sansmtp([...words, '--timeout', '0.5'], 'a\n');
    expect(stdout).toMatch(/^deferred joe@b\.example .*--tls implicit\n$/);
    expect(exitCode).toBe(75);
    const insecure = [...words, '--tls', 'implicit', '--tls-insecure', '--timeout', '60'];
    expect((await sansmtp(insecure, 'a\n')).stdout).not.toContain('--tls implicit');
  });

  it('says its local address in EHLO where the machine has no fully qualified name, localhost on a Unix socket', async () => {
    vi.doMock('node:os', async (original) => ({ ...(await original<object>()), hostname: () => 'vm' }));
    vi.resetModules();
    onTestFinished(() => {
      vi.doUnmock('node:os');
      vi.resetModules();
    });
    const { sansmtp: fresh } = await import('../running.test-support.js');
    const folder = await mkdtemp(join(tmpdir(), 'ehlo-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const said: string[] = [];
    const listening = async (where: object): Promise<number> => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.write('220 mx\r\n');
        socket.on('data', (bytes) => {
          said.push(bytes.toString().split('\r\n')[0] ?? '');
          socket.end('421 Later\r\n');
        });
      });
      onTestFinished(() => void server.close());
      await new Promise<void>((resolve) => server.listen(where, resolve));
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    };
    const path = join(folder, 'socket');
    const port = await listening({ port: 0, host: '127.0.0.1' });
    await listening({ path });
    const envelope = ['--from', '<>', '--to', 'joe@b.example'];
    await fresh(['send', '--host', '127.0.0.1', '--port', `${port}`, ...envelope], 'a\n');
    await fresh(['send', '--unix', path, ...envelope], 'a\n');
    expect(said).toEqual(['EHLO [127.0.0.1]', 'EHLO localhost']);
  });
});
