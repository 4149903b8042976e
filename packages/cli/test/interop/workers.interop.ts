/** `serve --workers`: several processes behind one set of ports, which look like one from outside. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, sansmtp, scratchFolder, until } from './processes.js';
import { connectRaw, greeted, type RawClient } from './raw-client.js';
import { type Serving, serve } from './serving.js';

const WORKERS = ['--workers', '3'];
const DISCARD = [...WORKERS, '--discard'];

/** Sessions one after the other go to the workers in turn. */
async function sessions(server: Serving, count: number): Promise<RawClient[]> {
  const all: RawClient[] = [];
  for (let left = count; left > 0; left -= 1) all.push(await greeted(server));
  return all;
}

const children = async ({ child }: Serving): Promise<readonly number[]> =>
  (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ').map(Number);

const plain = (password: string) => `AUTH PLAIN ${Buffer.from(`\0ann\0${password}`).toString('base64')}\r\n`;

const message = (subject: string) =>
  `MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: ${subject}\r\n\r\n.\r\n`;

/** A client of this address, as a proxy says. */
const proxied = (server: Serving) => async (address: string, awaited: RegExp) => {
  const client = connectRaw(server);
  await client.say(`PROXY TCP4 ${address} 198.51.100.1 4321 25\r\n`, awaited);
  return client;
};

describe('serve --workers', () => {
  it('says each listener once, shares its connections out, and ends in order at SIGTERM', async () => {
    const server = await serve([...DISCARD, '--lmtp-port', '0', '--metrics', '0']);
    expect(server.stdout).toMatch(
      /^listening smtp \S+\nlistening lmtp \S+\nlistening unix \S+\nlistening metrics \S+\n$/,
    );
    expect(server.stderr.match(/messages are discarded/g)).toHaveLength(1);
    const before = await children(server);
    expect(before).toHaveLength(3);
    const clients = [...(await sessions(server, 6)), await greeted({ path: server.unix })];
    const port = /metrics \S+:(\d+)/.exec(server.stdout)?.[1];
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^sansmtp_sessions 7$/m);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    for (const client of clients) await client.closed;
    for (const client of clients) expect(client.received).toMatch(/\r\n421 4\.3\.2 [^\r\n]*\r\n$/);
    expect(await server.exit).toBe(0);
    expect(server.stderr.match(/SIGTERM: shutting down/g)).toHaveLength(1);
  });

  it('replaces a worker that is killed: what was answered 250 is stored, and other sessions go on', async () => {
    const server = await serve(WORKERS);
    const clients = await sessions(server, 3);
    const before = await children(server);
    const answered: string[] = [];
    await Promise.all(
      clients.map(async (client, index) => {
        await client.say('EHLO client.example\r\n', /^250 /m);
        for (let round = 0; !client.socket.destroyed && round < 20; round += 1) {
          const subject = `${index}-${round}`;
          const from = client.received.length;
          client.socket.write(message(subject));
          await until(() => client.socket.destroyed || /^250 2\.0\.0 /m.test(client.received.slice(from)));
          if (/^250 2\.0\.0 Message/m.test(client.received.slice(from))) answered.push(subject);
          if (index === 0 && round === 5) process.kill(before[0] ?? 0, 'SIGKILL');
        }
      }),
    );
    expect(clients.filter(({ socket }) => socket.destroyed)).toHaveLength(1);
    const stored = (await server.messages()).map(({ body }) => /Subject: (.*)\r\n/.exec(`${body}`)?.[1]);
    expect(stored).toEqual(expect.arrayContaining(answered));
    await until(async () => (await children(server)).length === 3);
    expect(await children(server)).not.toContain(before[0]);
    expect(server.stderr).toMatch(/a worker has ended: another takes its place/);
    // The ports are those of before, and the new one serves too.
    for (const client of await sessions(server, 6)) expect(client.received).toMatch(/^220 /);
  });

  it('counts connections and failed logins for all workers together', async () => {
    const limits = ['--max-connections-per-client', '3', '--auth-failures', '2', '--proxy-protocol'];
    const server = await serve([...DISCARD, ...limits, '--user', 'ann:pencil', '--allow-insecure-auth']);
    const from = proxied(server);
    const three: RawClient[] = [];
    for (let left = 3; left > 0; left -= 1) three.push(await from('192.0.2.1', /^220 /));
    await from('192.0.2.1', /^421 4\.7\.0 /);
    await from('192.0.2.2', /^220 /);

    for (const client of three.slice(0, 2)) {
      await client.say('EHLO client.example\r\n', /^250 /m);
      await client.say(plain('wrong'), /^535 /m);
    }
    await three[2]?.say('EHLO client.example\r\n', /^250 /m);
    await until(async () => {
      const [, , third] = three;
      await third?.say(plain('wrong'), /^(?:454|535) /m);
      return /^454 4\.7\.0 /m.test(third?.received ?? '');
    });
  });

  it('serves a client whose places other workers keep since its sessions there ended', async () => {
    const limits = ['--max-connections-per-client', '3', '--proxy-protocol'];
    const server = await serve([...DISCARD, ...limits, '--metrics', '0']);
    const from = proxied(server);
    for (let left = 3; left > 0; left -= 1) {
      const client = await from('192.0.2.1', /^220 /);
      await client.say('QUIT\r\n', /^221 /m);
    }
    const port = /metrics \S+:(\d+)/.exec(server.stdout)?.[1];
    await until(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return /^sansmtp_sessions 0$/m.test(metrics);
    });
    // The client comes to one worker alone, in turn: the others have two of its three places.
    for (let round = 0; round < 3; round += 1) {
      await from('192.0.2.1', /^220 /);
      await from('192.0.2.2', /^220 /);
      await from('192.0.2.3', /^220 /);
    }
    await from('192.0.2.1', /^421 4\.7\.0 /);
  });

  it('keeps its ports where all workers die, and what they had counts no more', async () => {
    const server = await serve([...DISCARD, '--max-connections-per-client', '3']);
    await sessions(server, 3);
    for (const worker of await children(server)) process.kill(worker, 'SIGKILL');
    await until(() => server.stderr.split('the new worker serves').length === 4);
    for (const client of await sessions(server, 3)) expect(client.received).toMatch(/^220 /);
  });

  it('shows one made-up certificate, and writes one trace, which goes on in a new file at SIGHUP', async () => {
    const trace = join(await scratchFolder(), 'trace');
    const server = await serve([...DISCARD, '--tls-self-signed', '--trace', trace]);
    const certificates = new Set<string>();
    for (const client of await sessions(server, 3)) {
      await client.say('EHLO client.example\r\n', /^250 /m);
      await client.say('STARTTLS\r\n', /^220 /m);
      certificates.add((await client.secure()).getPeerCertificate().fingerprint256);
      await client.say('QUIT\r\n', /^221 /m);
      await client.closed;
    }
    expect(certificates.size).toBe(1);
    const records = async (file: string) =>
      (await readFile(file, 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line): { readonly group_id?: string; readonly name?: string } => JSON.parse(line));
    const closed = async (file: string) =>
      new Set(
        (await records(file)).filter(({ name }) => name === 'smtp:closed').map((each) => each.group_id),
      );
    await until(async () => (await closed(trace)).size === 3);
    const old = `${trace}.1`;
    await rename(trace, old);
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('the trace goes on in a new file'));
    const [last] = await sessions(server, 1);
    await last?.say('QUIT\r\n', /^221 /m);
    await until(async () => (await closed(trace)).size === 1);
    expect((await records(trace)).filter((each) => each.name === undefined)).toHaveLength(1);
  });

  it('says once that a port is taken', async () => {
    const taken = await serve(['--discard']);
    const busy = await run(...sansmtp('serve', ...DISCARD, '--port', `${taken.port}`));
    expect(busy).toMatchObject({ exit: 71, stdout: '' });
    expect(busy.stderr.match(/^error: cannot listen/gm)).toHaveLength(1);
  });

  it('says what cannot be used once', async () => {
    const wrong = await run(...sansmtp('serve', ...WORKERS, '--tls-cert', 'none.pem'));
    expect(wrong).toMatchObject({ exit: 64, stdout: '' });
    expect(wrong.stderr.match(/^error: /gm)).toHaveLength(1);
  });

  it('is refused to a relay whose queue is a directory', async () => {
    const relay = await run(...sansmtp('relay', ...WORKERS, '--queue', await scratchFolder(), '--port', '0'));
    expect(relay.exit).toBe(64);
    expect(relay.stderr).toMatch(/--workers: the queue in a directory has one process/);
  });
});
