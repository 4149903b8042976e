/** What `serve` and `relay` read again at SIGHUP, together: two real processes, one of which is the other's smart host. */
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { certificate, shown } from './certificates.js';
import { type Running, run, sansmtp, scratchFolder, until } from './processes.js';
import { greeted } from './raw-client.js';
import { relay, submit } from './relaying.js';
import { serve } from './serving.js';

const TIMES = { timeout: 30_000 };
const SECRET = { mode: 0o600 };

/** Resolves once it has said so much of it. */
async function hangup(running: Running, ...lines: string[]): Promise<void> {
  running.stderr = '';
  running.child.kill('SIGHUP');
  await until(() => lines.every((line) => running.stderr.includes(`SIGHUP: ${line}`)));
}

async function fingerprintAt(port: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function replyToLogin(port: number, name: string, password: string): Promise<string> {
  const client = await greeted({ port });
  await client.say('EHLO client.example\r\nSTARTTLS\r\n', /^220 2\.0\.0/m);
  await client.secure();
  const words = Buffer.from(`\0${name}\0${password}`).toString('base64');
  await client.say(`EHLO client.example\r\nAUTH PLAIN ${words}\r\n`, /^[25]35 /m);
  client.socket.destroy();
  return /^[25]35/m.exec(client.received)?.[0] ?? '';
}

describe('at SIGHUP', () => {
  it('a relay goes on to a smart host that has another certificate and another password by now', async () => {
    const folder = await scratchFolder();
    const [users, password, authorities] = ['users', 'password', 'authorities'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const [before, after] = [await certificate(), await certificate()];
    await writeFile(users, 'relay:pencil\n', SECRET);
    await writeFile(password, 'pencil\n', SECRET);
    await writeFile(authorities, before.cert);
    const smartHost = await serve([...shown(before), '--users-file', users]);
    const server = await relay([
      ...['--relay-from', '127.0.0.1', '--via', `127.0.0.1:${smartHost.port}`],
      ...['--via-user', 'relay', '--via-password-file', password, '--via-tls', 'required'],
      ...['--tls-ca', authorities],
    ]);
    const arrived = async () => (await smartHost.messages()).length;
    await submit(server, 'bob@far.example');
    await expect.poll(arrived, TIMES).toBe(1);

    await writeFile(before.certFile, after.cert);
    await writeFile(before.keyFile, after.key);
    await writeFile(users, 'relay:paper\n', SECRET);
    await hangup(smartHost, 'the certificate is read again', 'the users file is read again');
    // The sessions with the old password end, and new ones are to a host with a certificate that nobody vouches for.
    const both = ['the --tls-ca file', 'the --via-password-file'];
    const said = (what: string) => both.map((each) => `${each} ${what}`);
    await hangup(server, ...said('is read again'));
    await submit(server, 'bob@far.example');
    await until(() => /deferred .*certificate/.test(server.stderr));
    await writeFile(authorities, after.cert);
    await hangup(server, ...said('is read again'));
    await server.queue('retry', '--all');
    await until(() => /deferred .*535/.test(server.stderr));
    await writeFile(password, 'paper\n', SECRET);
    await hangup(server, ...said('is read again'));
    await server.queue('retry', '--all');
    await expect.poll(arrived, TIMES).toBe(2);

    await writeFile(authorities, 'no certificate\n');
    await writeFile(password, '');
    await hangup(server, ...said('stays as it was'));
    await submit(server, 'bob@far.example');
    await expect.poll(arrived, TIMES).toBe(3);
  });

  it.each(['serve', 'relay'] as const)(
    '%s takes a new certificate and other users, and its trace goes on in a new file',
    async (command) => {
      const folder = await scratchFolder();
      const [users, trace] = [join(folder, 'users'), join(folder, 'trace')];
      const [before, after] = [await certificate(), await certificate()];
      await writeFile(users, 'ann:pencil\n', SECRET);
      const words = [...shown(before), '--tls-port', '0', '--users-file', users, '--trace', trace];
      const server = await (command === 'serve' ? serve(words) : relay(words));
      expect(await fingerprintAt(server.portOf('smtps'))).toBe(before.fingerprint);
      expect(await replyToLogin(server.port, 'ann', 'pencil')).toBe('235');

      await writeFile(before.certFile, after.cert);
      await writeFile(before.keyFile, after.key);
      await writeFile(users, 'bob:paper\n', SECRET);
      await rename(trace, `${trace}.1`);
      const files = ['the certificate', 'the users file'];
      await hangup(
        server,
        ...files.map((each) => `${each} is read again`),
        'the trace goes on in a new file',
      );
      expect(await fingerprintAt(server.portOf('smtps'))).toBe(after.fingerprint);
      expect(await replyToLogin(server.port, 'ann', 'pencil')).toBe('535');
      expect(await replyToLogin(server.port, 'bob', 'paper')).toBe('235');

      await writeFile(before.keyFile, before.key);
      await writeFile(users, 'hunter2\n', SECRET);
      await hangup(server, ...files.map((each) => `${each} stays as it was`));
      expect(await fingerprintAt(server.portOf('smtps'))).toBe(after.fingerprint);
      expect(await replyToLogin(server.port, 'bob', 'paper')).toBe('235');

      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      for (const path of [`${trace}.1`, trace]) {
        expect((await stat(path)).mode & 0o777).toBe(0o600);
        expect((await run(...sansmtp('replay', path))).stdout).toMatch(/^session /m);
      }
    },
  );
});
