/**
 * Addresses, names and parameters as stock software writes them, beside the grammar of RFC 5321: taken, and stored as
 * they came.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSession } from '@sansmtp/transport';
import { connect, systemClock } from '@sansmtp/transport-node';
import { expect, it } from 'vitest';
import { certificate } from './certificates.js';
import { libraryServer } from './library.js';
import { describeWith } from './peers.js';
import { postfix } from './postfix.js';
import { run, scratchFolder, until } from './processes.js';
import { serve } from './serving.js';

const MESSAGE = 'Subject: a\r\n\r\nb\r\n';

/** As VERP, SRS and the forwarding of large providers make them. */
const LONG = `list+bounces-${'a1'.repeat(60)}=example.net`;

const ODD_LOCAL_PARTS = ['a..b', '.a', 'a.', LONG];

/** How they are passed on: a dot-string has no dots at its ends, nor two together (RFC 5321 §4.1.2). */
const WRITTEN = ['"a..b"', '".a"', '"a."', LONG];

describeWith('Postfix', () => {
  it('is understood in its ORCPT of an internationalized recipient', async () => {
    const server = await libraryServer({});
    const relay = await postfix(await certificate(), `smtp:[127.0.0.1]:${server.port}`, [
      'debug_peer_list = 127.0.0.1',
    ]);
    const connection = await openSession(await connect({ host: '127.0.0.1', port: relay.port }), {
      clock: systemClock,
      hostname: 'client.example',
    });
    const recipients = [{ localPart: 'jürgen', domain: 'smtp.example' }];
    await connection.send({ from: 'ann@example.com', to: recipients }, MESSAGE);
    await connection.quit();
    let log = '';
    await until(async () => {
      log = await relay.log();
      return /to=<j.*status=/.test(log);
    });
    expect(log).toMatch(/status=sent/);
    expect(log).toContain('ORCPT=rfc822;j+C3+BCrgen@smtp.example');
    expect(server.received).toMatchObject([
      {
        envelope: {
          parameters: { smtpUtf8: true },
          recipients: [
            {
              forwardPath: { localPart: 'jürgen', domain: 'smtp.example' },
              parameters: { orcpt: { addressType: 'rfc822', address: 'jürgen@smtp.example' } },
            },
          ],
        },
      },
    ]);
  });
});

describeWith('curl', () => {
  const curl = async (port: number, ...words: string[]) => {
    const file = join(await scratchFolder(), 'message');
    await writeFile(file, MESSAGE);
    return run('curl', [
      ...['--silent', '--show-error', '--verbose', '--max-time', '50', '--upload-file', file],
      ...[`smtp://127.0.0.1:${port}/client.example`, ...words],
    ]);
  };

  it.each([
    ['ann@example.org', 'AUTH=<ann@example.org>'],
    ['<>', 'AUTH=<>'],
  ])('is taken with --mail-auth %s, which counts as nobody (RFC 4954 §5)', async (mailAuth, written) => {
    const server = await libraryServer({
      session: { authentication: { mechanisms: ['PLAIN'], allowInsecure: true } },
      handlers: { onAuth: () => true },
    });
    const envelope = ['--mail-from', 'ann@example.org', '--mail-rcpt', 'joe@example.org'];
    const { exit, stderr } = await curl(
      server.port,
      ...envelope,
      ...['--user', 'ann:open-sesame', '--login-options', 'AUTH=PLAIN', '--mail-auth', mailAuth],
    );
    expect({ exit, sent: stderr.match(/AUTH=<.*>/)?.[0] }).toEqual({ exit: 0, sent: written });
    expect(server.received).toMatchObject([{ envelope: { parameters: { auth: null } } }]);
  });

  it('delivers from and to odd local parts and domains', async () => {
    const server = await serve();
    const to = [...ODD_LOCAL_PARTS.map((local) => `${local}@docomo.example`), 'joe@my_host.example.'];
    const { exit, stderr } = await curl(
      server.port,
      ...['--mail-from', 'a..b@docomo.example', ...to.flatMap((address) => ['--mail-rcpt', address])],
    );
    expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' });
    const [{ header } = expect.fail('nothing was stored')] = await server.messages();
    expect(header).toContain('Return-Path: <"a..b"@docomo.example>\r\n');
    expect(header.match(/(?<=^Delivered-To: ).*(?=\r$)/gm)).toEqual([
      ...WRITTEN.map((local) => `${local}@docomo.example`),
      'joe@my_host.example',
    ]);
  });
});

describeWith('swaks', () => {
  it.each(['JOE PC', 'büro-pc', 'my_host', '[not an address', '(EHLO)'])(
    'introduces itself as %j, delivers from and to odd local parts',
    async (name) => {
      const server = await serve();
      for (const local of ODD_LOCAL_PARTS) {
        const { exit, stdout } = await run('swaks', [
          ...['--server', '127.0.0.1', '--port', `${server.port}`, '--ehlo', name],
          ...['--from', `${local}@my_host.example`, '--to', `${local}@docomo.example`],
        ]);
        expect({ exit, stdout: exit === 0 ? '' : stdout }).toEqual({ exit: 0, stdout: '' });
      }
      const stored = await server.messages();
      const written = stored.map(({ header }) => /Delivered-To: (.*)@docomo\.example\r/.exec(header)?.[1]);
      expect(written.sort()).toEqual([...WRITTEN].sort());
      // What the client said of itself is no header text that it could have written.
      for (const { header } of stored) {
        expect(header).toMatch(/^Received: from .*\(\[127\.0\.0\.1\]\)\r\n\tby mx\.example with ESMTP id /m);
      }
    },
  );
});

describeWith('msmtp', () => {
  it('delivers from and to odd local parts, whatever it calls itself', async () => {
    const server = await serve();
    const words = ['--host=127.0.0.1', `--port=${server.port}`, '--tls=off', '--auth=off', '--domain=JOE PC'];
    const to = ODD_LOCAL_PARTS.map((local) => `${local}@docomo.example`);
    const { exit, stderr } = await run('msmtp', [...words, '--from=a..b@my_host.example', ...to], MESSAGE);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const [{ header } = expect.fail('nothing was stored')] = await server.messages();
    expect(header).toContain('Return-Path: <"a..b"@my_host.example>\r\n');
    expect(header.match(/(?<=^Delivered-To: ).*(?=@docomo\.example\r$)/gm)).toEqual(WRITTEN);
  });
});
