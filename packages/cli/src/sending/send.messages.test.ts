/** Addresses and messages that cannot be sent, and faults of this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sansmtp } from '../running.test-support.js';

async function serving() {
  const recipients: string[] = [];
  const messages: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, host: '127.0.0.1' }],
    session: { hostname: 'mx.example', maximumTextLineLength: Number.POSITIVE_INFINITY },
    handlers: {
      onRcptTo: ({ forwardPath: { localPart, domain } }) => {
        recipients.push(`${localPart}@${domain}`);
      },
      async onMessage({ body }) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        messages.push(Buffer.concat(chunks).toString());
      },
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const port = address?.kind === 'tcp' ? address.port : 0;
  const target = ['send', '--host', '127.0.0.1', '--port', `${port}`, '--from', '<>'];
  return { target, recipients, messages };
}

describe('a recipient', () => {
  it('that cannot be sent to is rejected by itself, 5.1.3; the others get the message, and the exit code is 64', async () => {
    const { target, recipients, messages } = await serving();
    const to = ['a@b.example', 'joe@exa mple', 'joe@[192.0.2]', 'c@d.example'].flatMap((each) => [
      '--to',
      each,
    ]);
    const { stdout, stderr, exitCode } = await sansmtp([...target, ...to], 'a\n');
    expect(stdout.split('\n')).toEqual([
      'delivered a@b.example 250 2.0.0 Message accepted',
      expect.stringMatching(/^rejected joe@exa mple 5\.1\.3 /),
      expect.stringMatching(/^rejected joe@\[192\.0\.2\] 5\.1\.3 /),
      'delivered c@d.example 250 2.0.0 Message accepted',
      '',
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 64 });
    expect(recipients).toEqual(['a@b.example', 'c@d.example']);
    expect(messages).toHaveLength(1);
  });

  it('is not guessed at: what could mean two things is rejected, as what is no address at all', async () => {
    const { target, recipients } = await serving();
    const odd = [
      'a@b@c.example',
      '"a@b.example',
      'a"b@c.example',
      'a b@c.example',
      '@c.example',
      '<a@b.example',
    ];
    const odder = ['a@b.example, c@d.example', 'Ann <a@b.example>', 'a@b.example> NOTIFY=NEVER', 'a@'];
    const good = ['<a@b.example>', '"a@b"@c.example', '"a>b"@c.example'];
    const to = [...odd, ...odder, ...good].flatMap((each) => ['--to', each]);
    const { stdout, exitCode } = await sansmtp([...target, ...to], 'a\n');
    expect(stdout.split('\n').map((line) => line.replace(/ (?:5\.1\.3|250) .*/, ''))).toEqual([
      ...[...odd, ...odder].map((address) => `rejected ${address}`),
      ...['a@b.example', '"a@b"@c.example', '"a>b"@c.example'].map((address) => `delivered ${address}`),
      '',
    ]);
    expect({ exitCode, recipients }).toEqual({
      exitCode: 64,
      recipients: ['a@b.example', 'a@b@c.example', 'a>b@c.example'],
    });
  });

  it('that alone is there and cannot be sent to needs no server', async () => {
    const words = ['send', '--host', '127.0.0.1', '--port', '1', '--from', '<>', '--to', 'joe@exa mple'];
    expect(await sansmtp(words, 'a\n')).toMatchObject({
      stdout: expect.stringMatching(/^rejected joe@exa mple 5\.1\.3 /),
      exitCode: 64,
    });
  });

  it('may have a long local part, dots anywhere, and a domain with an underscore', async () => {
    const { target, recipients } = await serving();
    const odd = [`${'x'.repeat(120)}@b.example`, 'a..b@docomo.example', 'joe@my_host.example'];
    expect(await sansmtp([...target, ...odd.flatMap((each) => ['--to', each])], 'a\n')).toMatchObject({
      exitCode: 0,
    });
    expect(recipients).toEqual(odd);
  });

  it.each([['joe'], [''], ['joe\r\nDATA@b.example'], ['joe@b.example\n']])(
    'that no line can carry is wrong usage: %j',
    async (address) => {
      const { target, recipients } = await serving();
      const { stdout, exitCode } = await sansmtp([...target, '--to', 'a@b.example', '--to', address], 'a\n');
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
      expect(recipients).toEqual([]);
    },
  );
});

describe('a line over 998 octets', () => {
  const long = `Subject: a\n\n${'x'.repeat(998)}\n${'y'.repeat(999)}\nz\n`;

  it('is named, and the message is refused (RFC 5322 §2.1.1)', async () => {
    const { target, messages } = await serving();
    const { stdout, stderr, exitCode } = await sansmtp([...target, '--to', 'a@b.example'], long);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(stderr).toContain('line 4 of the message has 999 octets');
    expect(stderr).toContain('--long-lines pass');
    expect(messages).toEqual([]);
  });

  it('is sent by --long-lines pass', async () => {
    const { target, messages } = await serving();
    const words = [...target, '--to', 'a@b.example', '--long-lines', 'pass'];
    expect(await sansmtp(words, long)).toMatchObject({ exitCode: 0 });
    expect(messages[0]).toContain(`\r\n${'y'.repeat(999)}\r\n`);
  });
});

describe('a fault of this machine', () => {
  it('such as no place to keep standard input defers the message, and exits 75', async () => {
    const { target } = await serving();
    const folder = await mkdtemp(join(tmpdir(), 'spool-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'file');
    await writeFile(file, '');
    vi.stubEnv('TMPDIR', file);
    onTestFinished(() => void vi.unstubAllEnvs());
    const to = ['--to', 'a@b.example', '--to', 'c@d.example'];
    const { stdout, stderr, exitCode } = await sansmtp([...target, ...to], 'a\n');
    expect(stdout).toMatch(
      /^deferred a@b\.example .*cannot be stored .*\ndeferred c@d\.example .*cannot be stored .*\n$/,
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 75 });
  });

  it('is not what a message that is not there is', async () => {
    const { target } = await serving();
    const words = [...target, '--to', 'a@b.example', '--data', '/nowhere/message'];
    expect(await sansmtp(words)).toMatchObject({ exitCode: 64, stdout: '' });
  });
});

describe('--timeout', () => {
  it('does not blame the server for a pause of ours: a reply that has come meanwhile counts', async () => {
    const server = await startMailServer({
      addresses: [{ port: 0, host: '127.0.0.1' }],
      handlers: {
        async onMessage({ body }) {
          for await (const _ of body);
          // The reply leaves, and before anybody reads it, the event loop stands still.
          setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500));
        },
      },
    });
    onTestFinished(() => server.shutdown(0));
    const [address] = server.addresses;
    const port = address?.kind === 'tcp' ? address.port : 0;
    const words = ['--host', '127.0.0.1', '--port', `${port}`, '--from', '<>', '--to', 'a@b.example'];
    expect(await sansmtp(['send', ...words, '--timeout', '2'], 'a\n')).toMatchObject({
      stdout: 'delivered a@b.example 250 2.0.0 Message accepted\n',
      exitCode: 0,
    });
  });
});
