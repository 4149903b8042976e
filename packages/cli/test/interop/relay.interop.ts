/** `sansmtp relay` as a whole: what it takes, what goes on, and how it is looked after. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Rejection } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { npmSmtpServer } from './accepting-peers.js';
import { certificate } from './certificates.js';
import { describeWith } from './peers.js';
import { freePort } from './ports.js';
import { postfix } from './postfix.js';
import { run, scratchFolder, until } from './processes.js';
import { greeted } from './raw-client.js';
import { nextHop, type Relaying, relay, submit } from './relaying.js';

const TIMES = { timeout: 30_000 };

const idOf = (reply: string) => /queued as (\w+)$/.exec(reply)?.[1] ?? '';

/** The lines of the log, as records, about one message. */
const linesAbout = ({ stderr }: Relaying, id: string) =>
  stderr
    .split('\n')
    .filter((line) => line.includes(id))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('from who may relay', () => {
  it('mail is completed, goes on, and has one ID in the log from its acceptance to its last recipient', async () => {
    const hop = await nextHop({
      onRcptTo({ forwardPath }) {
        if (forwardPath.localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such mailbox');
      },
    });
    const keyFile = join(await scratchFolder(), 'key');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const server = await relay([
      ...['--relay-from', '127.0.0.1', '--domain', 'local.example', '--metrics', '0', '--json'],
      ...['--dkim', `example.com:sel:${keyFile}`],
      ...['--route', `routed.example=127.0.0.1:${hop.port}`],
    ]);
    const client = await greeted(server);
    await client.say('EHLO c.example\r\n', /^250[ -]FUTURERELEASE/m);
    expect(client.received).toMatch(/^250.MT-PRIORITY/m);
    await client.say('MAIL FROM:<ann@example.com>\r\nRCPT TO:<nobody@routed.example>\r\n', /^550 5\.1\.1 /m);
    client.socket.destroy();

    const reply = await submit(
      server,
      'bob@Routed.Example',
      'Bcc: eve@example.org\r\nFrom: ann@example.com\r\n\r\ntext\r\n',
    );
    await expect.poll(() => hop.messages.length, TIMES).toBe(1);
    expect(hop.messages[0]?.text).toMatch(
      /^Received: from c\.example \(\[127\.0\.0\.1\]\)\r\n\tby relay\.example with ESMTP id \S+;\r\n\t.*\r\nDKIM-Signature: v=1; a=ed25519-sha256; c=relaxed\/relaxed; d=example\.com;\r\n s=sel;.*\r\n(?: .*\r\n)+From: ann@example\.com\r\nDate: .* \+0000\r\nMessage-ID: <\S+@relay\.example>\r\n\r\ntext\r\n$/,
    );
    const id = idOf(reply);
    await expect
      .poll(() => linesAbout(server, id).map(({ msg }) => msg), TIMES)
      .toEqual(['message queued', 'delivered']);
    const figures = await (await fetch(`http://127.0.0.1:${server.portOf('metrics')}/metrics`)).text();
    expect(figures).toContain(
      `sansmtp_deliveries_total{verdict="delivered",destination="127.0.0.1:${hop.port}"} 1`,
    );
    expect(figures).toContain('sansmtp_queue_messages{state="waiting"} 0');

    // One for a local domain lies in the Maildir, with one Received field.
    await submit(server, 'bob@local.example');
    await expect.poll(async () => (await server.messages()).length, TIMES).toBe(1);
    const [{ header = '', body = '' } = {}] = await server.messages();
    expect(header).toMatch(
      /^Return-Path: <ann@example\.com>\r\nDelivered-To: bob@local\.example\r\nReceived: /,
    );
    expect(`${header}${body}`.match(/^Received:/gm)).toHaveLength(1);
  });

  it('mail whose exchanger is this host under another name is returned, and not sent round (5.4.6)', async () => {
    const port = `${await freePort()}`;
    const zone = { 'MX loop.example': ['1 other.example'], 'A other.example': ['127.0.0.1'] };
    const words = ['--relay-from', '127.0.0.1', '--domain', 'example.com', '--port', port, '--mx-port', port];
    const server = await relay(words, { zone });
    const id = idOf(await submit(server, 'bob@loop.example'));
    await expect.poll(() => server.stderr, TIMES).toMatch(new RegExp(`bounced .*"id":"${id}".*5\\.4\\.6`));
  });

  it('a message is held until its time (FUTURERELEASE), and 100 Received fields are a loop', async () => {
    const server = await relay(['--relay-from', '127.0.0.1', '--domain', 'local.example']);
    await submit(server, 'bob@local.example', undefined, ' HOLDFOR=3600');
    expect(await server.listed()).toMatchObject([{ state: 'waiting', recipients: [{ attempts: 0 }] }]);
    expect(await server.messages()).toEqual([]);
    const looping = `${'Received: by a.example; now\r\n'.repeat(100)}\r\na\r\n`;
    expect(await submit(server, 'bob@local.example', looping)).toMatch(/^554 5\.4\.6 /);
    expect((await server.queue('retry', '--all')).stdout).toBe('1 message due now\n');
    await expect.poll(async () => (await server.messages()).length, TIMES).toBe(1);
  });
});

describe('from strangers', () => {
  it('mail for routed domains goes on as it is, if the next hop knows the recipient; it is not offered more', async () => {
    const hop = await nextHop();
    const server = await relay([
      '--route',
      `routed.example=127.0.0.1:${hop.port}`,
      '--route',
      'gone.example=127.0.0.1:1',
    ]);
    const client = await greeted(server);
    await client.say('EHLO c.example\r\n', /^250 /m);
    expect(client.received).not.toMatch(/MT-PRIORITY|FUTURERELEASE|DELIVERBY/);
    await client.say('MAIL FROM:<a@b.example> HOLDFOR=60\r\n', /^555 /m);
    await client.say('MAIL FROM:<a@b.example>\r\nRCPT TO:<a@gone.example>\r\n', /^451 4\.4\.1 /m);
    const message = 'Bcc: eve@example.org\r\nSubject: a\r\n\r\ntext\r\n';
    await submit(server, 'bob@routed.example', message);
    await expect.poll(() => hop.messages.length, TIMES).toBe(1);
    expect(hop.messages[0]?.text.split('\r\nBcc:')[0]).toMatch(/^Received: /);
    expect(hop.messages[0]?.text).toMatch(/\r\nBcc: eve@example\.org\r\nSubject: a\r\n\r\ntext\r\n$/);
  });

  it('only recipients of the file are taken, which is read again at SIGHUP, whole or not at all', async () => {
    const hop = await nextHop();
    const file = join(await scratchFolder(), 'recipients');
    await writeFile(file, 'bob@routed.example\n');
    const server = await relay(['--route', `routed.example=127.0.0.1:${hop.port}`, '--recipients', file]);
    const answers = async (...names: string[]) => {
      const client = await greeted(server);
      await client.say('EHLO c\r\nMAIL FROM:<>\r\n', /^250 2\.1\.0/m);
      for (const name of names) await client.say(`RCPT TO:<${name}@routed.example>\r\n`, /^\d.*\r\n/m);
      return client.received.match(/^(?:250 2\.1\.5|550 5\.1\.1)/gm);
    };
    expect(await answers('BOB', 'eve')).toEqual(['250 2.1.5', '550 5.1.1']);
    await writeFile(file, 'eve@routed.example\n');
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('SIGHUP: the recipients file is read again'));
    expect(await answers('bob', 'eve')).toEqual(['550 5.1.1', '250 2.1.5']);
    await writeFile(file, 'not an address\n');
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('SIGHUP: the recipients file stays as it was'));
    expect(await answers('eve')).toEqual(['250 2.1.5']);
  });
});

describe.each([
  ['a stranger', []],
  ['who may relay', ['--relay-from', '127.0.0.1']],
])('a flood from the null reverse-path, by %s', (_, words) => {
  it('makes no notification, whatever becomes of it, and leaves nothing in the queue', async () => {
    const hop = await nextHop({
      onMessage() {
        throw new Rejection(554, '5.7.1', 'Not wanted');
      },
    });
    const server = await relay(['--route', `routed.example=127.0.0.1:${hop.port}`, ...words]);
    const message = 'MAIL FROM:<>\r\nRCPT TO:<bob@routed.example>\r\nDATA\r\n';
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = await greeted(server);
        await client.say('EHLO c.example\r\n', /^250 /m);
        for (let sent = 0; sent < 10; sent++) {
          await client.say(message, /^354 /m);
          await client.say('Subject: a\r\n\r\na\r\n.\r\n', /^250 2\.0\.0 /m);
        }
      }),
    );
    await expect.poll(() => server.stderr.split('nobody is told').length - 1, TIMES).toBe(50);
    expect(server.stderr).not.toContain('the sender is told');
    await expect.poll(() => server.listed(), TIMES).toEqual([]);
  });
});

describe('at SIGHUP', () => {
  const inPem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });

  it('routes and DKIM keys are read again, each whole or not at all', async () => {
    const [one, other] = [await nextHop(), await nextHop()];
    const folder = await scratchFolder();
    const [routesFile, keyFile] = [join(folder, 'routes'), join(folder, 'key')];
    await writeFile(routesFile, `routed.example=127.0.0.1:${one.port}\n`);
    await writeFile(keyFile, inPem(generateKeyPairSync('ed25519').privateKey));
    const files = ['--routes-file', routesFile, '--dkim', `example.com:s:${keyFile}`];
    const server = await relay(['--relay-from', '127.0.0.1', ...files]);
    const send = (to: string) => submit(server, to, 'From: a@example.com\r\n\r\na\r\n');
    const hangup = async (...lines: string[]) => {
      server.stderr = '';
      server.child.kill('SIGHUP');
      await until(() => lines.every((line) => server.stderr.includes(`SIGHUP: ${line}`)));
    };
    const algorithms = ({ messages }: typeof one) =>
      messages.map(({ text }) => /^DKIM-Signature: v=1; a=([\w-]+);/m.exec(text)?.[1]);
    await send('bob@routed.example');
    await expect.poll(() => algorithms(one), TIMES).toEqual(['ed25519-sha256']);

    await writeFile(
      routesFile,
      `routed.example=127.0.0.1:${other.port}\nnew.example=127.0.0.1:${other.port}\n`,
    );
    await writeFile(keyFile, inPem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
    await hangup('the routes file is read again', 'each DKIM key is read again');
    await send('bob@routed.example');
    await send('bob@new.example');
    await expect.poll(() => algorithms(other), TIMES).toEqual(['rsa-sha256', 'rsa-sha256']);
    expect(one.messages).toHaveLength(1);

    await writeFile(routesFile, 'routed.example\n');
    await writeFile(keyFile, 'no key\n');
    await hangup('the routes file stays as it was', 'each DKIM key stays as it was');
    await send('bob@new.example');
    await expect.poll(() => algorithms(other), TIMES).toEqual(Array(3).fill('rsa-sha256'));
  });
});

describe('the queue of a relay', () => {
  it('is looked after while the relay runs, and outlives it', async () => {
    const port = await freePort();
    const server = await relay(['--relay-from', '127.0.0.1', '--route', `*=127.0.0.1:${port}`]);
    const id = idOf(await submit(server, 'bob@far.example'));
    const first = async () => (await server.listed())[0];
    await expect.poll(async () => (await first())?.recipients[0]?.attempts, TIMES).toBe(1);
    expect(await first()).toMatchObject({
      id,
      state: 'waiting',
      recipients: [{ last: { verdict: 'deferred' } }],
    });
    expect((await server.queue('hold', id)).stdout).toBe('1 message held\n');
    expect((await server.queue('show', 'none')).exit).toBe(69);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(await first()).toMatchObject({ id, state: 'held' });

    const hop = await nextHop({}, port);
    await relay(['--relay-from', '127.0.0.1', '--route', `*=127.0.0.1:${port}`], { folder: server.folder });
    await server.queue('release', id);
    await server.queue('retry', '--all');
    await expect.poll(() => hop.messages.length, TIMES).toBe(1);
    await expect.poll(() => server.listed(), TIMES).toEqual([]);
  });

  it('gets a message back whose delivery does not end within --grace', async () => {
    const hop = await nextHop({ onMessage: () => new Promise(() => {}) });
    const server = await relay([
      '--relay-from',
      '127.0.0.1',
      '--route',
      `*=127.0.0.1:${hop.port}`,
      '--grace',
      '0.5',
    ]);
    // Larger than what the connection holds, so that it stands amid the message.
    await submit(server, 'bob@far.example', `Subject: a\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(150_000)}`);
    await expect.poll(async () => (await server.listed())[0]?.state, TIMES).toBe('delivering');
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(await server.listed()).toMatchObject([
      { state: 'waiting', recipients: [{ attempts: 0, state: 'waiting' }] },
    ]);
  });

  it('is one relay’s: a second one exits 73', async () => {
    const server = await relay([]);
    await expect(relay([], { folder: server.folder })).rejects.toThrow(
      /ended with 73: error: cannot open the queue/,
    );
  });
});

describeWith('a file system of its own', () => {
  it('that is nearly full refuses messages by 452 4.3.1, and the relay goes on', async () => {
    const folder = await scratchFolder();
    await chmod(folder, 0o777);
    const script = 'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"';
    const wrapper = ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, folder];
    const server = await relay(['--domain', 'local.example'], { folder, wrapper });
    expect(await submit(server, 'bob@local.example')).toMatch(/^452 4\.3\.1 /);
    expect(await submit(server, 'bob@local.example')).toMatch(/^452 4\.3\.1 /);
    expect(server.stderr).toContain('message not queued');
  });
});

it('a disk that fails to sync ends the relay with 71 (EX_OSERR): the client keeps its message, and the next start has all others', async () => {
  const folder = await scratchFolder();
  const [faulty, sign] = [join(folder, 'faulty.mjs'), join(folder, 'fails')];
  // The disk's part is played inside the process: once the file is there, fdatasync(2) reports EIO, and so does write(2), which
  // syncs by itself where the journal is open for that.
  await writeFile(
    faulty,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const failing = (call) => (...words) => {
      if (!fs.existsSync(${JSON.stringify(sign)})) return call(...words);
      process.nextTick(words.at(-1), Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
    };
    fs.fdatasync = failing(fs.fdatasync);
    fs.write = failing(fs.write);
    syncBuiltinESMExports();`,
  );
  const words = ['--relay-from', '127.0.0.1', '--domain', 'local.example'];
  const server = await relay(words, { folder, wrapper: ['env', `NODE_OPTIONS=--import=${faulty}`] });
  expect(await submit(server, 'bob@local.example', undefined, ' HOLDFOR=3600')).toMatch(/^250 /);
  await writeFile(sign, '');
  expect(await submit(server, 'eve@local.example')).toMatch(/^(?:451|421) 4\./);
  expect(await server.exit).toBe(71);
  expect(server.stderr).toContain('EIO');
  expect(server.stderr).toContain('the queue has to be opened anew');
  const next = await relay(words, { folder });
  expect((await next.listed()).map(({ recipients }) => recipients[0]?.address)).toContain(
    'bob@local.example',
  );
});

it('delivers through a smart host that wants a password, under TLS that is verified', async () => {
  const shown = await certificate();
  const user = { name: 'ann', password: 'secret' };
  const smartHost = await npmSmtpServer({ tls: { mode: 'startTls', shown }, user });
  const folder = await scratchFolder();
  await writeFile(join(folder, 'password'), 'secret\n');
  const words = [
    ...['--relay-from', '127.0.0.1', '--via', `127.0.0.1:${smartHost.port}`],
    ...['--via-user', 'ann', '--via-password-file', join(folder, 'password')],
  ];
  const server = await relay([...words, '--tls-ca', shown.certFile]);
  await submit(server, 'bob@far.example');
  await expect.poll(async () => (await smartHost.received()).length, TIMES).toBe(1);
  expect((await smartHost.received())[0]).toMatchObject({
    user: 'ann',
    secure: true,
    to: ['bob@far.example'],
  });
  const strict = await relay(words);
  await submit(strict, 'bob@far.example');
  await expect
    .poll(async () => (await strict.listed())[0]?.recipients[0]?.last?.verdict, TIMES)
    .toBe('deferred');
  expect(await smartHost.received()).toHaveLength(1);
});

describeWith('Postfix', () => {
  it('stands in front and behind, and swaks submits', async () => {
    const sink = await nextHop();
    const shown = await certificate('postfix.example');
    const behind = await postfix(shown, `smtp:[127.0.0.1]:${sink.port}`);
    const server = await relay(['--relay-from', '127.0.0.1', '--via', `127.0.0.1:${behind.port}`]);
    const inFront = await postfix(shown, `smtp:[127.0.0.1]:${server.port}`);
    const words = ['--server', '127.0.0.1', '--port', `${inFront.port}`, '--from', 'ann@example.com'];
    expect(await run('swaks', [...words, '--to', 'bob@far.example', '--timeout', '50s'])).toMatchObject({
      exit: 0,
    });
    await expect.poll(() => sink.messages.length, { timeout: 50_000 }).toBe(1);
    const [{ text = '' } = {}] = sink.messages;
    expect(text.match(/^Received: /gm)).toHaveLength(3);
  });
});

describe('submission with a password', () => {
  async function submission() {
    const sink = await nextHop();
    const server = await relay([
      ...[
        '--submission-port',
        '0',
        '--tls-self-signed',
        '--user',
        'ann:secret',
        '--via',
        `127.0.0.1:${sink.port}`,
      ],
    ]);
    return { sink, port: `${server.portOf('submission')}` };
  }

  it.each([
    [
      'swaks',
      (port: string) => [
        ...['swaks', '--server', '127.0.0.1', '--port', port, '--tls', '--auth', 'PLAIN', '--timeout', '50s'],
        ...[
          '--auth-user',
          'ann',
          '--auth-password',
          'secret',
          '--from',
          'a@example.com',
          '--to',
          'b@far.example',
        ],
      ],
    ],
    [
      'msmtp',
      (port: string) => [
        ...[
          'msmtp',
          '--host=127.0.0.1',
          `--port=${port}`,
          '--timeout=50',
          '--from=a@example.com',
          '--tls=on',
        ],
        ...[
          '--tls-certcheck=off',
          '--auth=plain',
          '--user=ann',
          '--passwordeval=echo secret',
          'b@far.example',
        ],
      ],
    ],
    [
      'curl',
      (port: string) => [
        ...['curl', '--silent', '--max-time', '50', `smtp://127.0.0.1:${port}`, '--ssl-reqd', '--insecure'],
        ...[
          '--user',
          'ann:secret',
          '--mail-from',
          'a@example.com',
          '--mail-rcpt',
          'b@far.example',
          '--upload-file',
          '-',
        ],
      ],
    ],
  ] as const)('by %s', async (_, command) => {
    const { sink, port } = await submission();
    const [program, ...words] = command(port) as [string, ...string[]];
    expect(await run(program, words, 'Subject: a\r\n\r\ntext\r\n')).toMatchObject({ exit: 0 });
    await expect.poll(() => sink.messages.length, TIMES).toBe(1);
    expect(sink.messages[0]?.text).toMatch(/^Message-ID: /im);
  });
});
