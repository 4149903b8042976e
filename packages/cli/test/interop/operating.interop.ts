/**
 * `sansmtp serve` in the hands of who runs it: signals, full disks, limits, and what it says.
 */
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith } from './peers.js';
import { checkout, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { connectRaw, greeted, type RawClient } from './raw-client.js';
import { readMaildir, type Serving, serve } from './serving.js';

const ENVELOPE = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n';

/** A client for which the server waits for mail data, and has some. */
async function inMailData(server: Serving): Promise<RawClient> {
  const client = await greeted(server);
  await client.say(`EHLO client.example\r\n${ENVELOPE}DATA\r\n`, /^354 /m);
  client.socket.write(`Subject: a\r\n\r\n${'a line\r\n'.repeat(20_000)}`);
  await until(async () => (await readdir(join(server.maildir, 'tmp'))).length === 1);
  return client;
}

function send(server: Serving, input: Uint8Array | string, ...more: string[]) {
  const words = [
    '--unix',
    server.unix,
    '--from',
    'a@example.com',
    '--to',
    'b@example.org',
    '--timeout',
    '30',
    ...more,
  ];
  return run(...sansmtp('send', ...words), input);
}

describe('what serve prints', () => {
  it('is one line a listener on stdout, and nothing else', async () => {
    const server = await serve();
    await send(server, 'a\n');
    server.child.kill('SIGTERM');
    await server.exit;
    expect(server.stdout).toBe(`listening smtp 127.0.0.1:${server.port}\nlistening unix ${server.unix}\n`);
  });

  it('tells all kinds of listeners in one order: smtp, smtps, submission, lmtp, unix', async () => {
    // Whatever the order of the options.
    const added = ['--lmtp-port', '0', '--submission-port', '0', '--tls-port', '0'];
    const server = await serve([...added, '--tls-self-signed', '--user', 'ann:secret', '--discard']);
    const kinds = server.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(kinds).toEqual(['smtp', 'smtps', 'submission', 'lmtp', 'unix'].map((kind) => `listening ${kind}`));
    const offers: string[] = [];
    for (const port of [server.port, server.portOf('submission'), server.portOf('lmtp')]) {
      const client = await greeted({ port });
      await client.say(port === server.portOf('lmtp') ? 'LHLO c\r\n' : 'EHLO c\r\n', /^250 /m);
      offers.push(client.received);
    }
    for (const offer of offers) expect(offer).toMatch(/^250.STARTTLS\r$/m);
  });

  it('is a log on stderr, in NDJSON with --json', async () => {
    const server = await serve(['--json']);
    await send(server, 'a\n');
    server.child.kill('SIGTERM');
    await server.exit;
    const records = server.stderr.trimEnd().split('\n');
    expect(records.map((record) => JSON.parse(record))).toContainEqual(
      expect.objectContaining({
        msg: 'message stored',
        from: '<a@example.com>',
        to: ['b@example.org'],
        size: 3,
      }),
    );
  });

  it('tells how to send a first message, by a line that works as it stands', async () => {
    const folder = await scratchFolder();
    const server = start(...sansmtp('serve', '--port', '0'), folder);
    await until(() => server.stderr.includes('\n') && server.stderr.includes('npx sansmtp send'));
    const line = /printf .* --to \S+/.exec(server.stderr)?.[0] ?? '';
    const { exit, stdout } = await run('bash', ['-c', `cd ${checkout} && ${line}`]);
    expect(stdout).toMatch(/^delivered you@example\.com 250 /);
    expect(exit).toBe(0);
    expect(`${(await readMaildir(join(folder, 'mail')))[0]?.body}`).toBe(
      'Subject: Hello\r\n\r\nIt works.\r\n',
    );
  });
});

describe('a client of serve', () => {
  it('may write all it has to say at once', async () => {
    const server = await serve();
    const client = await greeted(server);
    const message = 'Subject: a\r\n\r\n..\r\n';
    await client.say(
      `EHLO client.example\r\n${`${ENVELOPE}DATA\r\n${message}.\r\n`.repeat(3)}QUIT\r\n`,
      /^221 /m,
    );
    await client.closed;
    expect(client.received.match(/^250 2\.0\.0 Message stored/gm)).toHaveLength(3);
    const stored = await server.messages();
    expect(stored.map(({ body }) => `${body}`)).toEqual(Array(3).fill('Subject: a\r\n\r\n.\r\n'));
  });

  it('gets 550 5.7.1 for recipients of other domains, but not for the postmaster', async () => {
    const server = await serve(['--domain', 'example.org', '--domain', 'Example.NET']);
    const client = await greeted(server);
    await client.say('EHLO c\r\nMAIL FROM:<>\r\n', /^250 2\.1\.0/m);
    await client.say('RCPT TO:<a@EXAMPLE.org>\r\n', /^250 2\.1\.5/m);
    await client.say('RCPT TO:<a@example.net>\r\n', /^250 2\.1\.5/m);
    await client.say('RCPT TO:<a@example.com>\r\n', /^550 5\.7\.1 .*example\.com/m);
    await client.say('RCPT TO:<Postmaster>\r\n', /^250 2\.1\.5/m);
    await client.say('DATA\r\n', /^354 /m);
    await client.say('a\r\n.\r\n', /^250 /m);
    expect((await server.messages())[0]?.header).toMatch(
      /^Return-Path: <>\r\nDelivered-To: a@EXAMPLE\.org\r\nDelivered-To: a@example\.net\r\nDelivered-To: Postmaster\r\nRec/,
    );
  });

  it('gets 421 4.3.2 beyond --max-connections, on all listeners together', async () => {
    const server = await serve(['--max-connections', '2']);
    const [first] = [await greeted(server), await greeted(server)];
    const third = connect(server.unix);
    let reply = '';
    for await (const bytes of third) reply += bytes;
    expect(reply).toMatch(/^421 4\.3\.2 .*\r\n$/);
    await first.say('QUIT\r\n', /^221 /m);
    await first.closed;
    // The server may learn later than the client that the connection is closed.
    await until(async () => {
      const next = connectRaw(server);
      await until(() => /\n/.test(next.received));
      return next.received.startsWith('220 ');
    });
  });

  it('is told which line of a message is longer than --max-line; without it, lines have any length', async () => {
    const line = (octets: number) => `Subject: a\n\n${'x'.repeat(octets - 2)}\nb\n`;
    const limited = await serve(['--max-line', '2000']);
    expect((await send(limited, line(2000), '--long-lines', 'pass')).stdout).toMatch(/^delivered /);
    expect(await send(limited, line(2001), '--long-lines', 'pass')).toMatchObject({
      exit: 69,
      stdout: expect.stringMatching(/^rejected b@example\.org 5\d\d 5\.6\.0 Line 3 of the message .*2000/),
    });
    expect(await limited.messages()).toHaveLength(1);
    expect(limited.stderr).toMatch(/message refused.*Line 3 of the message/);
    const server = await serve();
    expect(await send(server, line(100_000), '--long-lines', 'pass')).toMatchObject({ exit: 0 });
    expect((await server.messages())[0]?.body.toString()).toBe(line(100_000).replaceAll('\n', '\r\n'));
  });

  it('is told 421 4.4.2 after --idle-timeout', async () => {
    const server = await serve(['--idle-timeout', '0.2']);
    const client = await greeted(server);
    await client.closed;
    expect(client.received).toMatch(/^421 4\.4\.2 /m);
  });

  it('leaves no file when it goes away in the middle of a message', async () => {
    const server = await serve();
    const client = await inMailData(server);
    client.socket.destroy();
    await until(async () => (await readdir(join(server.maildir, 'tmp'))).length === 0);
    expect(await server.messages()).toEqual([]);
  });

  it('may say no EHLO, and leave angle brackets out, only where --lenient says so', async () => {
    const message = 'MAIL FROM:a@b\r\nRCPT TO: < c@d >\r\nDATA\r\na\r\n.\r\n';
    await (await greeted(await serve())).say(
      'MAIL FROM:<a@b>\r\nMAIL FROM:a@b\r\n',
      /^503 .*\r\n501 5\.1\.7/m,
    );
    const lenient = await serve(['--lenient']);
    await (await greeted(lenient)).say(message, /^250 2\.0\.0 Message/m);
    expect(`${(await lenient.messages())[0]?.body}`).toBe('a\r\n');
  });

  it('may send bare newlines only where --bare-newline keep says so', async () => {
    const message = `EHLO c\r\n${ENVELOPE}DATA\r\na\nb\r\n.\r\n`;
    const strict = await greeted(await serve());
    await strict.say(message, /^554 5\.6\.0/m);
    const keeping = await serve(['--bare-newline', 'keep']);
    await (await greeted(keeping)).say(message, /^250 2\.0\.0 Message/m);
    expect(`${(await keeping.messages())[0]?.body}`).toBe('a\nb\r\n');
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('tells those who wait 421 4.3.2, frees the addresses, and exits 0', async () => {
    const server = await serve();
    const client = await greeted(server);
    server.child.kill(signal);
    await client.closed;
    expect(client.received).toMatch(/^421 4\.3\.2 /m);
    expect(await server.exit).toBe(0);
    await expect(
      new Promise((_, reject) => connect(server.port, '127.0.0.1').on('error', reject)),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(readdir(server.unix)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lets a message under way finish', async () => {
    const server = await serve();
    const client = await inMailData(server);
    server.child.kill(signal);
    await until(() => server.stderr.includes('shutting down'));
    await client.say('the end\r\n.\r\n', /^250 2\.0\.0 .*\r\n421 4\.3\.2 /m);
    client.socket.end();
    expect(await server.exit).toBe(0);
    const stored = await server.messages();
    expect(stored).toHaveLength(1);
    expect(stored[0]?.body.toString().endsWith('a line\r\nthe end\r\n')).toBe(true);
  });

  it('waits for it no longer than --grace, and keeps nothing of it', async () => {
    const server = await serve(['--grace', '0.3']);
    const client = await inMailData(server);
    server.child.kill(signal);
    await client.closed;
    expect(await server.exit).toBe(0);
    expect(await readdir(join(server.maildir, 'tmp'))).toEqual([]);
    expect(await server.messages()).toEqual([]);
  });

  it('ends it at once when it comes a second time', async () => {
    const server = await serve();
    await inMailData(server);
    server.child.kill(signal);
    await until(() => server.stderr.includes('shutting down'));
    server.child.kill(signal);
    expect(await server.exit).toBe(signal === 'SIGTERM' ? 143 : 130);
  });
});

describe('SIGKILL', () => {
  it('leaves what was accepted, and nothing of a message under way in new/', async () => {
    const server = await serve();
    await send(server, 'kept\n');
    await inMailData(server);
    server.child.kill('SIGKILL');
    await server.exit;
    expect((await server.messages()).map(({ body }) => `${body}`)).toEqual(['kept\r\n']);
  });

  it('leaves a Unix socket that the next one takes over', async () => {
    const server = await serve();
    server.child.kill('SIGKILL');
    await server.exit;
    const next = start(...sansmtp('serve', '--port', '0', '--unix', server.unix, '--discard'));
    await until(() => next.stdout.includes(`listening unix ${server.unix}\n`));
  });
});

describe('a Maildir that cannot be written', () => {
  it('gives 451 4.3.0 with the reason in the log, and the server goes on', async () => {
    const server = await serve();
    const folder = join(server.maildir, 'new');
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    const failed = await send(server, 'a\n');
    expect(failed).toMatchObject({ exit: 75, stdout: expect.stringMatching(/^deferred \S+ 451 4\.3\.0 /) });
    expect(server.stderr).toContain('ENOTDIR');

    await rm(folder);
    await mkdir(folder);
    expect(await send(server, 'b\n')).toMatchObject({ exit: 0 });
    expect((await server.messages()).map(({ body }) => `${body}`)).toEqual(['b\r\n']);
  });
});

describeWith('a file system of its own', () => {
  it('gives 452 4.3.1 when it is full, with the reason in the log, and the server goes on', async () => {
    const folder = await scratchFolder();
    await chmod(folder, 0o777);
    // The file system is seen by the server alone, and goes with it.
    const script = 'mount -t tmpfs -o size=128k tmpfs "$0" && exec "$@"';
    const unshare = ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, folder];
    const server = await serve(['--maildir', join(folder, 'full')], unshare);
    const maildir = join('/proc', `${server.child.pid}`, 'root', folder, 'full');

    const failed = await send(server, 'a line\n'.repeat(50_000));
    expect(failed).toMatchObject({ exit: 75, stdout: expect.stringMatching(/^deferred \S+ 452 4\.3\.1 /) });
    expect(server.stderr).toContain('ENOSPC');
    expect(await readdir(join(maildir, 'tmp'))).toEqual([]);

    expect(await send(server, 'b\n')).toMatchObject({ exit: 0 });
    expect((await readMaildir(maildir)).map(({ body }) => `${body}`)).toEqual(['b\r\n']);
  });
});

describe('serve that cannot start', () => {
  it('says in one line that the port is taken, and exits 71', async () => {
    const { port } = await serve();
    const { exit, stdout, stderr } = await run(...sansmtp('serve', '--port', `${port}`, '--discard'));
    expect({ exit, stdout }).toEqual({ exit: 71, stdout: '' });
    expect(stderr).toMatch(/^error: cannot listen: .*EADDRINUSE.*\n$/);
  });

  it('exits 71 as well, and not later, when it is the second address', async () => {
    const folder = await scratchFolder();
    const words = ['--port', '0', '--unix', join(folder, 'no', 'socket'), '--discard'];
    expect(await run(...sansmtp('serve', ...words))).toMatchObject({ exit: 71, stdout: '' });
  });

  it('says in one line that the Maildir cannot be made, and exits 73', async () => {
    const file = join(await scratchFolder(), 'file');
    await writeFile(file, '');
    const { exit, stderr } = await run(...sansmtp('serve', '--port', '0', '--maildir', file));
    expect(exit).toBe(73);
    expect(stderr).toMatch(/^error: cannot make the Maildir .*\n$/);
  });
});

describe('serve --metrics', () => {
  it('tells where, counts, and is not ready any more when it goes down', async () => {
    const server = await serve(['--metrics', '0', '--grace', '5']);
    const where = /^listening metrics (127\.0\.0\.1:\d+)$/m.exec(server.stdout)?.[1];
    expect((await fetch(`http://${where}/readyz`)).status).toBe(200);
    await send(server, 'a\n');
    const text = await (await fetch(`http://${where}/metrics`)).text();
    expect(text).toMatch(/^sansmtp_messages_total\{listener="unix",outcome="accepted"\} 1$/m);

    await inMailData(server);
    server.child.kill('SIGTERM');
    await until(() => server.stderr.includes('shutting down'));
    expect((await fetch(`http://${where}/healthz`)).status).toBe(200);
    expect((await fetch(`http://${where}/readyz`)).status).toBe(503);
  });
});
