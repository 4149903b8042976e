/**
 * TLS between `sansmtp` and other people's programs: by STARTTLS (RFC 3207), and from the first octet on (RFC 8314 §3).
 */
import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createTransport } from 'nodemailer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aiosmtpd, npmSmtpServer } from './accepting-peers.js';
import { certificate, shown } from './certificates.js';
import { describeWith, python } from './peers.js';
import { type Finished, run, sansmtp, until } from './processes.js';
import { greeted } from './raw-client.js';
import { type Serving, serve } from './serving.js';

const ENVELOPE = ['--from', 'ann@example.com', '--to', 'joe@example.org'];

/** With implicit TLS on a port of its own. */
function serveTls(certificate: Parameters<typeof shown>[0], ...words: string[]): Promise<Serving> {
  return serve([...shown(certificate), '--tls-port', '0', ...words]);
}

/** The Received line of the only message (RFC 3848, RFC 8314 §4.3). */
async function receivedWith(server: Serving): Promise<string | undefined> {
  const stored = await server.messages();
  expect(stored).toHaveLength(1);
  return / with (.*);/.exec(stored[0]?.header ?? '')?.[1];
}

function send(port: number, ...words: string[]): Promise<Finished> {
  const target = ['--host', '127.0.0.1', '--port', `${port}`, '--hostname', 'client.example'];
  return run(...sansmtp('send', ...target, ...ENVELOPE, '--timeout', '50', ...words), 'Subject: a\n\nb\n');
}

describeWith('swaks', () => {
  it.each([
    { how: 'STARTTLS (RFC 3207)', kind: 'smtp', option: '--tls' },
    { how: 'implicit TLS (RFC 8314 §3.3)', kind: 'smtps', option: '--tlsc' },
  ] as const)('delivers by $how', async ({ kind, option }) => {
    const made = await certificate();
    const server = await serveTls(made);
    const port = kind === 'smtp' ? server.port : server.portOf(kind);
    const verify = ['--tls-verify', '--tls-ca-path', made.certFile];
    const { exit, stdout } = await run('swaks', [
      ...['--server', '127.0.0.1', '--port', `${port}`, '--helo', 'client.example', ...ENVELOPE],
      ...[option, ...verify],
    ]);
    expect({ exit, output: exit === 0 ? '' : stdout }).toEqual({ exit: 0, output: '' });
    // What it was offered in the clear does not count any more (RFC 3207 §4.2).
    expect(stdout.match(/ ~> EHLO client\.example$/gm)).toHaveLength(1);
    expect(stdout).not.toMatch(/^<~ {2}250.STARTTLS/m);
    expect(await receivedWith(server)).toMatch(/^ESMTPS id \S+ tls TLS_\w+$/);
  });

  it('is offered no STARTTLS where serve has no certificate, and gives up', async () => {
    const server = await serve();
    const words = ['--server', '127.0.0.1', '--port', `${server.port}`, ...ENVELOPE, '--tls'];
    const { exit, stdout } = await run('swaks', words);
    expect({ exit, offered: /STARTTLS$/m.test(stdout) }).toEqual({ exit: 29, offered: false });
  });
});

describeWith('msmtp', () => {
  it.each([
    { how: 'STARTTLS (RFC 3207)', kind: 'smtp', startTls: 'on' },
    { how: 'implicit TLS (RFC 8314 §3.3)', kind: 'smtps', startTls: 'off' },
  ] as const)('verifies the certificate, and delivers by $how', async ({ kind, startTls }) => {
    const made = await certificate();
    const server = await serveTls(made);
    const port = kind === 'smtp' ? server.port : server.portOf(kind);
    const words = [
      ...['--host=127.0.0.1', `--port=${port}`, '--from=ann@example.com', '--timeout=50', '--auth=off'],
      ...['--tls=on', `--tls-starttls=${startTls}`, `--tls-trust-file=${made.certFile}`, 'joe@example.org'],
    ];
    expect(await run('msmtp', words, 'Subject: a\n\nb\n')).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(await receivedWith(server)).toMatch(/^ESMTPS id \S+ tls TLS_\w+$/);
  });
});

describeWith('curl', () => {
  it.each([
    { how: 'STARTTLS (RFC 3207)', kind: 'smtp', scheme: 'smtp' },
    { how: 'implicit TLS (RFC 8314 §3.3)', kind: 'smtps', scheme: 'smtps' },
  ] as const)('verifies the certificate, and delivers by $how', async ({ kind, scheme }) => {
    const made = await certificate();
    const server = await serveTls(made);
    const port = kind === 'smtp' ? server.port : server.portOf(kind);
    const file = `${made.certFile}.message`;
    await writeFile(file, 'Subject: a\r\n\r\nb\r\n');
    const words = [
      ...['--silent', '--show-error', '--max-time', '50', '--ssl-reqd', '--cacert', made.certFile],
      ...['--mail-from', 'ann@example.com', '--mail-rcpt', 'joe@example.org', '--upload-file', file],
    ];
    const finished = await run('curl', [...words, `${scheme}://127.0.0.1:${port}/client.example`]);
    expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(await receivedWith(server)).toMatch(/^ESMTPS id \S+ tls TLS_\w+$/);
  });
});

const SMTPLIB = `
import smtplib, ssl, sys
kind, port, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if kind == 'smtps':
    client = smtplib.SMTP_SSL('127.0.0.1', int(port), context=context)
else:
    client = smtplib.SMTP('127.0.0.1', int(port))
    client.starttls(context=context)
with client:
    client.sendmail('ann@example.com', ['joe@example.org'], 'Subject: a\\r\\n\\r\\nb\\r\\n')
`;

describeWith('smtplib', () => {
  it.each(['smtp', 'smtps'] as const)('verifies the certificate, and delivers to %s', async (kind) => {
    const made = await certificate();
    const server = await serveTls(made);
    const port = kind === 'smtp' ? server.port : server.portOf(kind);
    const finished = await run(python, ['-c', SMTPLIB, kind, `${port}`, made.certFile]);
    expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(await receivedWith(server)).toMatch(/^ESMTPS id \S+ tls TLS_\w+$/);
  });
});

describe('nodemailer', () => {
  it.each(['smtp', 'smtps'] as const)('verifies the certificate, and delivers to %s', async (kind) => {
    const made = await certificate();
    const server = await serveTls(made);
    const secure = kind === 'smtps';
    const transport = createTransport({
      host: '127.0.0.1',
      port: secure ? server.portOf(kind) : server.port,
      secure,
      requireTLS: !secure,
      tls: { ca: made.cert },
    });
    const sent = await transport.sendMail({
      envelope: { from: 'ann@example.com', to: 'joe@example.org' },
      raw: 'Subject: a\r\n\r\nb\r\n',
    });
    expect(sent.accepted).toEqual(['joe@example.org']);
    expect(await receivedWith(server)).toMatch(/^ESMTPS id \S+ tls TLS_\w+$/);
  });
});

/** What servers have in common whom `send` gives messages to. */
const acceptors = { aiosmtpd, 'smtp-server': npmSmtpServer };

for (const [peer, accepting] of Object.entries(acceptors)) {
  const describePeer =
    peer === 'aiosmtpd'
      ? (body: () => void) => describeWith(peer, body)
      : (body: () => void) => describe(peer, body);

  describePeer(() => {
    it.each([
      { mode: 'startTls', tls: 'required' },
      { mode: 'implicit', tls: 'implicit' },
    ] as const)('gets a message by --tls $tls, verified by --tls-ca', async ({ mode, tls }) => {
      const made = await certificate();
      const server = await accepting({ tls: { mode, shown: made } });
      const { exit, stdout } = await send(server.port, '--tls', tls, '--tls-ca', made.certFile);
      expect({ exit, stdout }).toEqual({
        exit: 0,
        stdout: expect.stringMatching(/^delivered joe@example\.org 250 /),
      });
      expect(await server.received()).toMatchObject([{ from: 'ann@example.com', secure: true }]);
    });

    it('gets none where its certificate is not to be trusted, but by --tls-insecure (RFC 8314 §3)', async () => {
      const server = await accepting({ tls: { mode: 'startTls', shown: await certificate() } });
      const refused = await send(server.port, '--tls', 'required');
      expect({ exit: refused.exit, stdout: refused.stdout }).toEqual({
        exit: 77,
        stdout: expect.stringMatching(
          /^deferred joe@example\.org 127\.0\.0\.1: TLS could not be established .*self-signed/,
        ),
      });
      expect(await server.received()).toEqual([]);
      expect(await send(server.port, '--tls', 'required', '--tls-insecure')).toMatchObject({ exit: 0 });
      expect(await server.received()).toMatchObject([{ secure: true }]);
    });

    it('gets one by opportunistic STARTTLS, whoever signed the certificate (RFC 7435 §3)', async () => {
      const server = await accepting({ tls: { mode: 'startTls', shown: await certificate() } });
      const { exit, stderr } = await send(server.port, '--verbose');
      expect(exit).toBe(0);
      expect(stderr).toMatch(/^C: STARTTLS\nS: 220 .*\nC: EHLO client\.example\n/m);
      expect(await server.received()).toMatchObject([{ secure: true }]);
    });

    it('gets none in the clear where TLS is required (RFC 3207 §4)', async () => {
      const server = await accepting({});
      const { exit, stdout } = await send(server.port, '--tls', 'required', '--tls-insecure');
      expect({ exit, stdout }).toEqual({
        exit: 77,
        stdout: expect.stringMatching(
          /^deferred joe@example\.org 127\.0\.0\.1: The server does not offer STARTTLS/,
        ),
      });
      expect(await server.received()).toEqual([]);
      expect(await send(server.port)).toMatchObject({ exit: 0 });
      expect(await server.received()).toMatchObject([{ secure: false }]);
    });
  });
}

/** Answers each connection by a function of its own, for each line that comes. */
async function rawServer(
  answer: (line: string, socket: Socket) => void,
): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.write('220 mx.example ESMTP\r\n');
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) answer(line, socket);
    });
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
  };
}

describe('send', () => {
  it('goes on in the clear, on a new connection, where an opportunistic handshake fails (RFC 7435 §3)', async () => {
    const lines: string[] = [];
    const { port, connections } = await rawServer((line, socket) => {
      lines.push(line);
      // What follows 220 is no handshake, but the end.
      if (line === 'STARTTLS') socket.end('220 Go on\r\n');
      else if (line.startsWith('EHLO')) socket.write('250-mx.example\r\n250 STARTTLS\r\n');
      else if (line === 'DATA') socket.write('354 Go on\r\n');
      else if (line === '.' || /^(MAIL|RCPT|QUIT)/.test(line)) socket.write('250 OK\r\n');
    });
    expect(await send(port)).toMatchObject({ exit: 0, stdout: 'delivered joe@example.org 250 OK\n' });
    expect(connections()).toBe(2);
    expect(lines.slice(0, 4)).toEqual([
      'EHLO client.example',
      'STARTTLS',
      'EHLO client.example',
      'MAIL FROM:<ann@example.com>',
    ]);
  });

  it('does not when there is a password to be kept', async () => {
    const password = `${(await certificate()).certFile}.password`;
    await writeFile(password, 'secret');
    const { port, connections } = await rawServer((line, socket) => {
      if (line === 'STARTTLS') socket.end('220 Go on\r\n');
      else if (line.startsWith('EHLO')) socket.write('250-mx.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n');
    });
    expect(await send(port, '--user', 'ann', '--password-file', password)).toMatchObject({ exit: 77 });
    expect(connections()).toBe(1);
  });

  it('believes nothing that came in the clear behind 220 to STARTTLS (CVE-2011-0411)', async () => {
    const lines: string[] = [];
    const { port, connections } = await rawServer((line, socket) => {
      lines.push(line);
      if (line === 'STARTTLS') socket.write('220 Go on\r\n250-mx.example\r\n250 AUTH PLAIN\r\n');
      else if (line.startsWith('EHLO')) socket.write('250-mx.example\r\n250 STARTTLS\r\n');
    });
    const { exit, stdout } = await send(port, '--tls', 'required', '--tls-insecure');
    expect({ exit, stdout }).toEqual({
      exit: 76,
      stdout: expect.stringMatching(
        /^deferred joe@example\.org 127\.0\.0\.1: The server broke the protocol \(STARTTLS\)/,
      ),
    });
    expect({ lines, connections: connections() }).toEqual({
      lines: ['EHLO client.example', 'STARTTLS'],
      connections: 1,
    });
  });
});

describe('serve', () => {
  it('executes nothing that came in the clear behind STARTTLS, and ends the session (RFC 3207 §5, CVE-2011-0411)', async () => {
    const server = await serveTls(await certificate());
    const client = await greeted(server);
    await client.say('EHLO client.example\r\n', /^250 /m);
    client.socket.write('STARTTLS\r\nMAIL FROM:<mallory@example.com>\r\nRCPT TO:<joe@example.org>\r\n');
    await client.closed;
    expect(
      client.received
        .split('\r\n')
        .filter((line) => /^(?!250-)/.test(line))
        .slice(2),
    ).toEqual([expect.stringMatching(/^[245]\d\d /), '']);
    expect(client.received).not.toContain('2.1.0');
    expect(await server.messages()).toEqual([]);
  });

  it('forgets all that it learned in the clear, and offers STARTTLS no more (RFC 3207 §4.2)', async () => {
    const server = await serveTls(await certificate());
    const client = await greeted(server);
    await client.say('EHLO client.example\r\n', /^250-STARTTLS\r\n(?:.*\r\n)*250 /m);
    await client.say('STARTTLS\r\n', /^220 2\.0\.0/m);
    await client.secure();
    await client.say('MAIL FROM:<ann@example.com>\r\n', /^503 5\.5\.1/m);
    await client.say('EHLO client.example\r\n', /^250 (?![\s\S]*STARTTLS)/m);
    await client.say('STARTTLS\r\n', /^50[23] 5\.5\.1/m);
  });

  it('takes a new certificate at SIGHUP for those who connect next, and the others go on', async () => {
    const [before, after] = [await certificate(), await certificate()];
    const server = await serveTls(before);
    const fingerprint = async () => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: server.portOf('smtps'),
        rejectUnauthorized: false,
      });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const client = await greeted(server);
    await client.say('EHLO client.example\r\nSTARTTLS\r\n', /^220 2\.0\.0/m);
    await client.secure();
    expect(await fingerprint()).toBe(before.fingerprint);

    await writeFile(before.certFile, after.cert);
    await writeFile(before.keyFile, after.key);
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('SIGHUP: the certificate is read again'));
    expect(await fingerprint()).toBe(after.fingerprint);
    await client.say('EHLO client.example\r\n', /^250 /m);

    await writeFile(before.keyFile, before.key);
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('SIGHUP: the certificate stays as it was'));
    expect(await fingerprint()).toBe(after.fingerprint);
  });

  it('makes up a certificate by --tls-self-signed, for its own name', async () => {
    const server = await serve(['--tls-self-signed', '--tls-port', '0']);
    const { exit } = await send(server.portOf('smtps'), '--tls', 'implicit', '--tls-insecure');
    expect(exit).toBe(0);
    expect(await receivedWith(server)).toMatch(/^ESMTPS /);
  });
});
