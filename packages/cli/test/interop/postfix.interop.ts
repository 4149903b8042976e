/**
 * Postfix between two ends of ours: what a client says to it, it understands, and hands on to a server, which
 * understands Postfix.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { Secret } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { connect, nodeCryptography, systemClock } from '@sansmtp/transport-node';
import { expect, it } from 'vitest';
import { certificate, type TestCertificate } from './certificates.js';
import { libraryServer } from './library.js';
import { describeWith } from './peers.js';
import { postfix } from './postfix.js';
import { run, sansmtp, until } from './processes.js';
import { greeted } from './raw-client.js';

const MESSAGE = 'From: ann@example.com\r\nSubject: grüße\r\n\r\n.\r\n..\r\nb\r\n';

/** By STARTTLS, with a certificate that is verified. */
function open(
  port: number,
  { cert }: TestCertificate,
  options: Partial<Parameters<typeof openSession>[1]> = {},
) {
  return connect({ host: '127.0.0.1', port, tls: { mode: 'startTls', verify: true, ca: cert } }).then(
    (stream) =>
      openSession(stream, {
        clock: systemClock,
        cryptography: nodeCryptography,
        startTls: 'required',
        hostname: 'client.example',
        ...options,
      }),
  );
}

describeWith('Postfix', () => {
  it.each(['data', 'bdat'] as const)(
    'takes a message by STARTTLS, XCLIENT, DSN, SMTPUTF8 and %s, and relays it by STARTTLS, SCRAM, XFORWARD, DSN and SMTPUTF8',
    async (mailDataBy) => {
      const made = await certificate();
      const server = await libraryServer({
        trusted: ['127.0.0.1'],
        tls: { mode: 'startTls', shown: made },
        session: { startTls: 'required', authentication: { required: true, mechanisms: ['SCRAM-SHA-256'] } },
        handlers: {
          onCredentials: () => ({ kind: 'password', password: new Secret('open-sesame') }),
          onAuth: () => true,
        },
      });
      const { port } = await postfix(made, `smtp:[127.0.0.1]:${server.port}`, [
        'smtp_tls_security_level = verify',
        'smtp_tls_verify_cert_match = nexthop, mx.example',
        `smtp_tls_CAfile = ${made.certFile}`,
        'smtp_sasl_auth_enable = yes',
        'smtp_sasl_password_maps = static:ann:open-sesame',
        'smtp_sasl_tls_security_options =',
        'smtp_sasl_mechanism_filter = scram-sha-256',
        'smtp_send_xforward_command = yes',
      ]);
      const connection = await open(port, made, {
        mailDataBy,
        xclient: { address: '192.0.2.9', name: 'other.example', helo: 'its.name.example' },
      });
      expect([...connection.offer.keywords.keys()]).toEqual(
        expect.arrayContaining(['CHUNKING', 'SMTPUTF8', 'DSN', '8BITMIME', 'XFORWARD']),
      );
      const verdicts = await connection.send(
        {
          reversePath: { localPart: 'änne', domain: 'example.com' },
          parameters: { ret: 'HDRS', envid: 'a+b=c', body: '8BITMIME', size: Buffer.byteLength(MESSAGE) },
          recipients: [
            {
              localPart: 'jörg',
              domain: 'example.org',
              parameters: {
                notify: ['FAILURE', 'DELAY'],
                orcpt: { addressType: 'rfc822', address: 'Joe+x@example.net' },
              },
            },
          ],
        },
        MESSAGE,
      );
      expect(verdicts).toMatchObject([{ verdict: 'delivered', reply: { code: 250, enhancedCode: '2.0.0' } }]);
      await connection.quit();

      await until(() => server.received.length > 0);
      const [{ envelope, session, body } = expect.fail('Postfix relayed nothing')] = server.received;
      expect(envelope).toMatchObject({
        reversePath: { localPart: 'änne', domain: 'example.com' },
        parameters: { smtpUtf8: true, body: '8BITMIME', ret: 'HDRS', envid: 'a+b=c' },
        recipients: [
          {
            forwardPath: { localPart: 'jörg', domain: 'example.org' },
            parameters: {
              notify: ['FAILURE', 'DELAY'],
              orcpt: { addressType: 'rfc822', address: 'Joe+x@example.net' },
            },
          },
        ],
      });
      expect(session).toMatchObject({
        tls: { protocol: 'TLSv1.3' },
        identity: { mechanism: 'SCRAM-SHA-256', authenticatedAs: 'ann', username: 'ann' },
        forwarded: { address: '192.0.2.9', name: 'other.example' },
        hello: { name: 'postfix.example' },
      });
      const text = Buffer.from(body, 'latin1').toString();
      expect(text).toContain('\r\nSubject: grüße\r\n');
      expect(text.slice(text.indexOf('\r\n\r\n'))).toBe(MESSAGE.slice(MESSAGE.indexOf('\r\n\r\n')));
    },
  );

  it('relays by LMTP, with a reply for each recipient (RFC 2033 §4.2)', async () => {
    const made = await certificate();
    const server = await libraryServer({
      session: { protocol: 'lmtp' },
      handlers: {
        // Postfix has an order of its own for them.
        onMessage: ({ envelope }) =>
          envelope.recipients.map(({ forwardPath: { localPart } }) =>
            localPart === 'joe'
              ? { code: 250, enhancedCode: '2.1.5', lines: ['Kept for Joe'] }
              : { code: 552, enhancedCode: '5.2.2', lines: ['Jim is full'] },
          ),
      },
    });
    const relay = await postfix(made, `lmtp:[127.0.0.1]:${server.port}`, [
      'lmtp_destination_recipient_limit = 10',
    ]);
    const words = ['--host', '127.0.0.1', '--port', `${relay.port}`, '--from', 'ann@example.com'];
    const recipients = ['--to', 'joe@example.org', '--to', 'jim@example.org'];
    const tls = ['--tls', 'required', '--tls-ca', made.certFile];
    const { exit, stdout } = await run(
      ...sansmtp('send', ...words, ...recipients, ...tls),
      'Subject: a\n\nb\n',
    );
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: expect.stringMatching(
        /^delivered joe@example\.org 250 2\.0\.0 .*\ndelivered jim@example\.org 250 /,
      ),
    });
    let log = '';
    await until(async () => {
      log = await relay.log();
      return log.includes('to=<jim@') && log.includes('to=<joe@');
    });
    expect(log).toMatch(/to=<joe@example\.org>.*dsn=2\.1\.5, status=sent \(250 2\.1\.5 Kept for Joe\)/);
    expect(log).toMatch(/to=<jim@example\.org>.*dsn=5\.2\.2, status=bounced .*552 5\.2\.2 Jim is full/);
  });

  it.each([
    { mechanism: 'SCRAM-SHA-256', offered: 'SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN' },
    { mechanism: 'SCRAM-SHA-1', offered: 'SCRAM-SHA-1 PLAIN' },
  ])(
    'lets send in by $mechanism of Cyrus SASL (RFC 5802), of those that it offers',
    async ({ mechanism, offered }) => {
      const made = await certificate();
      const user = { name: 'ann', password: 'open sesame', mechanisms: offered };
      const { port } = await postfix(made, 'discard:', [], user);
      const send = async (password: string) => {
        const file = `${made.certFile}.password`;
        await writeFile(file, password);
        const target = [
          '--host',
          '127.0.0.1',
          '--port',
          `${port}`,
          '--tls',
          'required',
          '--tls-ca',
          made.certFile,
        ];
        const envelope = ['--from', 'ann@example.com', '--to', 'joe@example.org', '--user', 'ann'];
        return run(...sansmtp('send', ...target, ...envelope, '--password-file', file, '--verbose'), 'a\n');
      };
      const { exit, stderr } = await send('open sesame\n');
      expect({ exit, dialogue: stderr }).toEqual({
        exit: 0,
        dialogue: expect.stringMatching(new RegExp(`^C: AUTH ${mechanism} \\[\\d+ octets\\]$`, 'm')),
      });
      expect(await send('wrong')).toMatchObject({
        exit: 77,
        stdout: expect.stringMatching(/^rejected joe@example\.org 535 5\.7\.8 /),
      });
    },
  );

  it('refuses what it does not relay: send exits 69', async () => {
    const made = await certificate();
    const { port } = await postfix(made, 'discard:');
    const words = [
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--from',
      'ann@example.com',
      '--to',
      'joe@local',
    ];
    const { exit, stdout } = await run(...sansmtp('send', ...words, '--to', 'jim@example.org'), 'a\n');
    expect({ exit, stdout }).toEqual({
      exit: 69,
      stdout: expect.stringMatching(
        /^rejected joe@local 504 5\.5\.2 .*\ndelivered jim@example\.org 250 2\.0\.0 /,
      ),
    });
  });

  it('takes the EHLO of a machine without a fully qualified name, and a large message by BDAT', async () => {
    const made = await certificate();
    const { port } = await postfix(made, 'discard:', [
      'smtpd_helo_required = yes',
      'smtpd_helo_restrictions = reject_non_fqdn_helo_hostname, reject_invalid_helo_hostname',
    ]);
    const words = [
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--from',
      'ann@example.com',
      '--to',
      'joe@example.org',
    ];
    // A machine that is called so, as far as this program can see.
    const named = ['--uts', 'sh', '-c', 'hostname vm && exec "$@"', 'sh'];
    const [program = '', ...asRoot] = [
      ...(process.getuid?.() === 0 ? [] : ['sudo', '-n']),
      'unshare',
      ...named,
    ];
    const [node, send] = sansmtp('send', ...words, '--verbose');
    const { exit, stderr } = await run(program, [...asRoot, node, ...send], 'a\n');
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: expect.stringMatching(/^C: EHLO \[127\.0\.0\.1\]$/m),
    });
    const refused = await run(...sansmtp('send', ...words, '--hostname', 'vm'), 'a\n');
    expect(refused).toMatchObject({
      exit: 69,
      stdout: expect.stringMatching(/ 504 5\.5\.2 .*fully-qualified/),
    });

    const commands: string[] = [];
    const stream = await connect({ host: '127.0.0.1', port });
    const connection = await openSession(stream, {
      clock: systemClock,
      mailDataBy: 'bdat',
      onWire(direction, bytes) {
        if (direction === 'sent')
          commands.push(
            ...(Buffer.from(bytes)
              .toString('latin1')
              .match(/^BDAT .*$/gm) ?? []),
          );
      },
    });
    const line = Buffer.from(`${'x'.repeat(98)}\r\n`);
    const pieces = (async function* () {
      for (let count = 0; count < 2000; count++) yield line;
    })();
    const envelope = { from: 'ann@example.com', to: ['joe@example.org'] };
    expect(await connection.send(envelope, pieces)).toMatchObject([{ verdict: 'delivered' }]);
    expect(commands).toEqual(['BDAT 65536', 'BDAT 65536', 'BDAT 65536', 'BDAT 3392 LAST']);
    await connection.quit();
  });

  it('takes by default each line that lenient mode takes', async () => {
    const document = await readFile(new URL('../../../../docs/receiving.md', import.meta.url), 'utf8');
    const [table = ''] = document.split('<!-- lenient -->\n')[1]?.split('\n\n') ?? [];
    const rows = table.split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(10);
    const { port } = await postfix(await certificate(), 'discard:');
    const lead: Readonly<Record<string, string>> = {
      nothing: '',
      EHLO: 'EHLO c.example\r\n',
      MAIL: 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n',
    };
    for (const row of rows) {
      const [, after = '', line = ''] = row.split(/ *\| */);
      const client = await greeted({ port });
      const said = line.slice(1, -1).replaceAll('⇥', '\t');
      await client.say(`${lead[after]}NOOP\r\n`, /^250 2\.0\.0 Ok\r\n/m);
      await client.say(`${said}\r\n`, /^\d{3} /m);
      expect([said, client.received.trim().split('\r\n').at(-1)]).toEqual([
        said,
        expect.stringMatching(/^2/),
      ]);
      client.socket.destroy();
    }
  });
});
