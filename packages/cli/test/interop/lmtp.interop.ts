/**
 * LMTP (RFC 2033) between `sansmtp` and other people's programs.
 */
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { type AcceptingOptions, aiosmtpd, npmSmtpServer } from './accepting-peers.js';
import { certificate, shown } from './certificates.js';
import { libraryServer } from './library.js';
import { describeWith, python } from './peers.js';
import { accepts } from './ports.js';
import { type Finished, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { greeted } from './raw-client.js';
import { type Serving, serve } from './serving.js';

const MESSAGE = 'Subject: a\r\n\r\nb\r\n';

async function expectDelivered(server: Serving, protocol: string, count = 1): Promise<void> {
  const stored = await server.messages();
  expect(stored).toHaveLength(count);
  for (const { header } of stored) {
    expect(header).toMatch(/^Return-Path: <ann@example\.com>\r\nDelivered-To: \S*joe@example\.org\r\n/);
    expect(/ with (\w+)/.exec(header)?.[1]).toBe(protocol);
  }
}

describeWith('swaks', () => {
  it('delivers, under TLS and with a password too (RFC 2033 §6)', async () => {
    const made = await certificate();
    const server = await serve(['--lmtp-port', '0', ...shown(made), '--user', 'ann:secret']);
    const words = [
      ...['--server', '127.0.0.1', '--port', `${server.portOf('lmtp')}`, '--protocol', 'LMTP'],
      ...['--from', 'ann@example.com', '--to', 'joe@example.org'],
    ];
    expect(await run('swaks', words)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^ -> LHLO /m),
    });
    await expectDelivered(server, 'LMTP');
    const protectedWords = ['--tls', '--auth', 'PLAIN', '--auth-user', 'ann', '--auth-password', 'secret'];
    expect(await run('swaks', [...words, ...protectedWords])).toMatchObject({ exit: 0 });
    const protocols = (await server.messages()).map(({ header }) => / with (\w+)/.exec(header)?.[1]);
    expect(protocols.sort()).toEqual(['LMTP', 'LMTPSA']);
  });
});

describeWith('smtp-source', () => {
  it('delivers 20 messages on 5 connections at a time, with a reply for each of 3 recipients', async () => {
    const server = await serve(['--lmtp-port', '0']);
    const words = ['-L', '-s', '5', '-m', '20', '-r', '3', '-f', 'ann@example.com', '-t', 'joe@example.org'];
    const finished = await run('smtp-source', [...words, `inet:127.0.0.1:${server.portOf('lmtp')}`]);
    expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
    const stored = await server.messages();
    expect(stored).toHaveLength(20);
    for (const { header } of stored) expect(header.match(/^Delivered-To: /gm)).toHaveLength(3);
  });
});

describeWith('msmtp', () => {
  it('delivers', async () => {
    const server = await serve(['--lmtp-port', '0']);
    const words = ['--host=127.0.0.1', `--port=${server.portOf('lmtp')}`, '--protocol=lmtp', '--tls=off'];
    const finished = await run(
      'msmtp',
      [...words, '--auth=off', '--from=ann@example.com', 'joe@example.org'],
      'a\n',
    );
    expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
    await expectDelivered(server, 'LMTP');
  });
});

const SMTPLIB = `
import smtplib, sys
with smtplib.LMTP('127.0.0.1', int(sys.argv[1])) as client:
    print(client.sendmail('ann@example.com', ['joe@example.org'], 'Subject: a\\r\\n\\r\\nb\\r\\n'))
`;

describeWith('smtplib', () => {
  it('delivers', async () => {
    const server = await serve(['--lmtp-port', '0']);
    const finished = await run(python, ['-c', SMTPLIB, `${server.portOf('lmtp')}`]);
    expect(finished).toEqual({ exit: 0, stdout: '{}\n', stderr: '' });
    await expectDelivered(server, 'LMTP');
  });
});

describe('nodemailer', () => {
  it('delivers', async () => {
    const server = await serve(['--lmtp-port', '0']);
    const transport = createTransport({ host: '127.0.0.1', port: server.portOf('lmtp'), lmtp: true });
    await transport.sendMail({ envelope: { from: 'ann@example.com', to: 'joe@example.org' }, raw: MESSAGE });
    await expectDelivered(server, 'LMTP');
  });
});

describe('serve', () => {
  it('takes LHLO there and nothing else, and LHLO nowhere else (RFC 2033 §4.1)', async () => {
    const server = await serve(['--lmtp-port', '0']);
    const lmtp = await greeted({ port: server.portOf('lmtp') });
    await lmtp.say('EHLO client.example\r\n', /^50[02] 5\.5\.\d /m);
    await lmtp.say('HELO client.example\r\n', /^50[02] 5\.5\.\d /m);
    await lmtp.say('LHLO client.example\r\n', /^250[- ]mx\.example[\s\S]*^250 /m);
    const smtp = await greeted(server);
    await smtp.say('LHLO client.example\r\n', /^50[02] 5\.5\.\d /m);
  });
});

function send(target: readonly string[]): Promise<Finished> {
  const envelope = ['--from', 'ann@example.com', '--to', 'joe@example.org', '--to', 'jim@example.org'];
  return run(...sansmtp('send', '--lmtp', ...target, ...envelope, '--timeout', '50'), MESSAGE);
}

const acceptors = {
  aiosmtpd: (options: AcceptingOptions) => aiosmtpd(options),
  'smtp-server': (options: AcceptingOptions) => npmSmtpServer(options),
};

for (const [peer, accepting] of Object.entries(acceptors)) {
  const describePeer = peer === 'aiosmtpd' ? describeWith : describe;

  describePeer(peer as 'aiosmtpd', () => {
    it('gets a message, and a line for each recipient is printed', async () => {
      const server = await accepting({ protocol: 'lmtp' });
      const { exit, stdout } = await send(['--host', '127.0.0.1', '--port', `${server.port}`]);
      expect({ exit, stdout }).toEqual({
        exit: 0,
        stdout: expect.stringMatching(
          /^delivered joe@example\.org 250 .*\ndelivered jim@example\.org 250 .*\n$/,
        ),
      });
      expect(await server.received()).toMatchObject([{ to: ['joe@example.org', 'jim@example.org'] }]);
    });
  });
}

describeWith('smtp-sink', () => {
  it('gets a message', async () => {
    const folder = await scratchFolder();
    await chmod(folder, 0o777);
    const unix = join(folder, 'socket');
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    start('smtp-sink', [...user, '-L', '-d', join(folder, 'dump.'), `unix:${unix}`, '10'], folder);
    await until(() => accepts({ path: unix }));
    const { exit, stdout } = await send(['--unix', unix]);
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: 'delivered joe@example.org 250 2.2.0 Ok\ndelivered jim@example.org 250 2.2.0 Ok\n',
    });
    const dumps = (await readdir(folder)).filter((name) => name.startsWith('dump.'));
    expect(dumps).toHaveLength(1);
    expect(await readFile(join(folder, dumps[0] ?? ''), 'latin1')).toContain(
      'X-Mail-Args: <ann@example.com>',
    );
  });
});

describe('send', () => {
  it('tells the recipients apart whose replies differ (RFC 2033 §4.2), and exits 69', async () => {
    const server = await libraryServer({
      session: { protocol: 'lmtp' },
      handlers: {
        onMessage: () => [
          { code: 250, enhancedCode: '2.1.5', lines: ['Kept'] },
          { code: 552, enhancedCode: '5.2.2', lines: ['The mailbox is full'] },
        ],
      },
    });
    const { exit, stdout } = await send(['--host', '127.0.0.1', '--port', `${server.port}`]);
    expect({ exit, stdout }).toEqual({
      exit: 69,
      stdout:
        'delivered joe@example.org 250 2.1.5 Kept\nrejected jim@example.org 552 5.2.2 The mailbox is full\n',
    });
  });
});
