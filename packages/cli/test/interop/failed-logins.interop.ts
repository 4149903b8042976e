/**
 * Failed logins at `serve`: their limit, what fail2ban makes of their lines, the users' file, and that a flood of them
 * does not keep mail from being stored.
 */
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeWith } from './peers.js';
import { run, scratchFolder, until } from './processes.js';
import { connectRaw, greeted, type RawClient } from './raw-client.js';
import { type Serving, serve } from './serving.js';

const FILTER = fileURLToPath(new URL('../../../../docs/examples/fail2ban-sansmtp.conf', import.meta.url));
const ANN = ['--user', 'ann:pencil', '--allow-insecure-auth'];

const plain = (name: string, password: string) =>
  `AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString('base64')}\r\n`;

/** A client whose address a PROXY header tells. */
async function from(server: Serving, address: string): Promise<RawClient> {
  const client = connectRaw(server);
  await client.say(`PROXY TCP4 ${address} 198.51.100.1 4321 25\r\n`, /^220 /m);
  await client.say('EHLO client.example\r\n', /^250 /m);
  return client;
}

describeWith('fail2ban', () => {
  it.each([[[]], [['--json']]])('finds the address of each failure in the log of serve %j', async (json) => {
    const server = await serve([...ANN, '--proxy-protocol', ...json]);
    for (const address of ['192.0.2.7', '192.0.2.7', '192.0.2.8']) {
      const client = await from(server, address);
      await client.say(plain('ann', 'wrong'), /^535 /m);
      await client.say(plain('ann', 'pencil'), /^235 /m);
    }
    await until(() => server.stderr.split('authentication failed').length === 4);
    const log = join(await scratchFolder(), 'log');
    await writeFile(log, server.stderr);
    const { stdout } = await run('fail2ban-regex', ['-o', 'ip', log, FILTER]);
    expect(stdout.trim().split('\n')).toEqual(['192.0.2.7', '192.0.2.7', '192.0.2.8']);
    expect(server.stderr).not.toMatch(/wrong|pencil/);
  });
});

describe('serve --auth-failures', () => {
  it('answers 454 beyond it, for address and name, the right password too, and stays silent', async () => {
    const server = await serve([...ANN, '--proxy-protocol', '--auth-failures', '2']);
    for (const reply of [/^535 /m, /^535 /m, /^454 4\.7\.0 /m]) {
      const client = await from(server, '192.0.2.7');
      await client.say(plain('ann', 'wrong'), reply);
    }
    const [same, other] = [await from(server, '192.0.2.7'), await from(server, '192.0.2.8')];
    await same.say(plain('ann', 'pencil'), /^454 4\.7\.0 /m);
    await other.say(plain('ann', 'pencil'), /^235 /m);
    expect(server.stderr.split('authentication failed')).toHaveLength(3);
  });
});

describe('serve --users-file', () => {
  it('lets its users in, is read again at SIGHUP, and stays as it was where that is malformed', async () => {
    const file = join(await scratchFolder(), 'users');
    await writeFile(file, 'ann:pencil\n');
    await chmod(file, 0o644);
    const server = await serve(['--users-file', file, '--allow-insecure-auth']);
    await until(() => server.stderr.includes('can read the --users-file'));
    const isIn = async (name: string, password: string, reply: RegExp) => {
      const client = await greeted(server);
      await client.say('EHLO client.example\r\n', /^250 /m);
      await client.say(plain(name, password), reply);
    };
    await isIn('ann', 'pencil', /^235 /m);
    await writeFile(file, 'bob:paper\n');
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('the users file is read again'));
    await isIn('ann', 'pencil', /^535 /m);
    await isIn('bob', 'paper', /^235 /m);
    await writeFile(file, 'carl:stone\nhunter2\n');
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('the users file stays as it was'));
    expect(server.stderr).toMatch(/line 2 is not NAME:PASSWORD/);
    expect(server.stderr).not.toMatch(/hunter2|stone/);
    await isIn('bob', 'paper', /^235 /m);
    const secret = await stat(join(server.maildir, 'sansmtp-authentication-secret'));
    expect(secret.mode & 0o777).toBe(0o600);
  });

  it('exits 64 where it is malformed, with the line and without its text', async () => {
    const file = join(await scratchFolder(), 'users');
    await writeFile(file, 'hunter2\n', { mode: 0o600 });
    await expect(serve(['--users-file', file])).rejects.toThrow(
      /ended with 64: .*line 1 is not NAME:PASSWORD/s,
    );
  });
});

describe('a flood of logins', () => {
  /** Messages that one client has stored in so many milliseconds. */
  async function stored(server: Serving, milliseconds: number): Promise<number> {
    const client = await greeted(server);
    await client.say('EHLO client.example\r\n', /^250 /m);
    let count = 0;
    for (const end = performance.now() + milliseconds; performance.now() < end; count++) {
      await client.say('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n', /^354 /m);
      await client.say('Subject: a\r\n\r\nb\r\n.\r\n', /^250 /m);
    }
    client.socket.destroy();
    return count;
  }

  it.each(['SCRAM-SHA-256', 'PLAIN'] as const)(
    'by %s, of 50 clients with made-up names, leaves mail at least a tenth of its pace',
    async (mechanism) => {
      const server = await serve([...ANN, '--auth-failures', '0']);
      let going = true;
      let attempts = 0;
      const attack = async (number: number) => {
        while (going) {
          const client = connectRaw(server);
          await until(() => client.received.startsWith('220 ') || !going);
          await client.say('EHLO x\r\n', /^250 /m);
          const name = `nobody${number}-${attempts++}`;
          if (mechanism === 'PLAIN') await client.say(plain(name, 'x'), /^[45]\d\d /m);
          else {
            const first = Buffer.from(`n,,n=${name},r=abc`).toString('base64');
            await client.say(`AUTH SCRAM-SHA-256 ${first}\r\n`, /^334 /m);
            const challenge = /^334 (.*)\r$/m.exec(client.received)?.[1] ?? '';
            const [, nonce] = /r=([^,]+)/.exec(Buffer.from(challenge, 'base64').toString()) ?? [];
            const final = `c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`;
            await client.say(`${Buffer.from(final).toString('base64')}\r\n`, /^535 /m);
          }
          client.socket.destroy();
        }
      };
      let ratio = 0;
      // The best of three: what is measured is the server, and not what else the machine does.
      for (let round = 0; round < 3 && ratio < 0.1; round++) {
        const before = await stored(server, 1000);
        going = true;
        const attackers = Array.from({ length: 50 }, (_, number) => attack(number));
        const during = await stored(server, 2000);
        going = false;
        await Promise.allSettled(attackers);
        ratio = Math.max(ratio, during / 2 / before);
      }
      expect(attempts).toBeGreaterThan(50);
      expect(ratio).toBeGreaterThan(0.1);
    },
    90_000,
  );
});
