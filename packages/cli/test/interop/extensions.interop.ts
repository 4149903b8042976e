/**
 * Service extensions between `sansmtp` and other people's programs: what one end says, the other understands.
 */
import { etrn, type ServiceExtension, standardExtensions } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { connect, systemClock } from '@sansmtp/transport-node';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { type AcceptingOptions, aiosmtpd, npmSmtpServer } from './accepting-peers.js';
import { libraryServer } from './library.js';
import { describeWith, python } from './peers.js';
import { type Finished, run, sansmtp } from './processes.js';
import { serve } from './serving.js';

const MESSAGE = 'Subject: a\r\n\r\nb\r\n';

/** What a client asks for by DSN in these tests, as a server of ours reads it (RFC 3461 §4). */
const NOTIFICATIONS = {
  parameters: { ret: 'HDRS', envid: 'a+b=c' },
  recipients: [
    {
      forwardPath: { localPart: 'joe', domain: 'example.org' },
      parameters: {
        notify: ['FAILURE', 'DELAY'],
        orcpt: { addressType: 'rfc822', address: 'Joe+x@example.net' },
      },
    },
  ],
};

/** A message by Python's own client, after lines of the test's. */
function smtplib(port: number, lines: string, ...words: string[]): Promise<Finished> {
  const program = `
import smtplib, sys
from email.message import EmailMessage
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as client:
${lines.replace(/^/gm, '    ')}
`;
  return run(python, ['-c', program, `${port}`, ...words]);
}

describe('delivery status notifications (RFC 3461)', () => {
  it('are asked for by nodemailer', async () => {
    const server = await libraryServer({});
    await createTransport({ host: '127.0.0.1', port: server.port }).sendMail({
      envelope: { from: 'ann@example.com', to: 'joe@example.org' },
      raw: MESSAGE,
      dsn: {
        id: 'a+b=c',
        return: 'headers',
        notify: ['failure', 'delay'],
        recipient: 'rfc822;Joe+x@example.net',
      },
    });
    expect(server.received.map(({ envelope }) => envelope)).toMatchObject([NOTIFICATIONS]);
  });

  describeWith('smtplib', () => {
    it('asks for them', async () => {
      const server = await libraryServer({});
      const finished = await smtplib(
        server.port,
        `client.sendmail('ann@example.com', ['joe@example.org'], 'Subject: a\\r\\n\\r\\nb\\r\\n',
    mail_options=['RET=HDRS', 'ENVID=a+2Bb+3Dc'],
    rcpt_options=['NOTIFY=FAILURE,DELAY', 'ORCPT=rfc822;Joe+2Bx@example.net'])`,
      );
      expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
      expect(server.received.map(({ envelope }) => envelope)).toMatchObject([NOTIFICATIONS]);
    });
  });

  describeWith('msmtp', () => {
    it('asks for them', async () => {
      const server = await libraryServer({});
      const words = [
        '--host=127.0.0.1',
        `--port=${server.port}`,
        '--from=ann@example.com',
        '--tls=off',
        '--auth=off',
      ];
      const dsn = ['--dsn-return=headers', '--dsn-notify=failure,delay'];
      expect(await run('msmtp', [...words, ...dsn, 'joe@example.org'], MESSAGE)).toMatchObject({ exit: 0 });
      expect(server.received[0]?.envelope).toMatchObject({
        parameters: { ret: 'HDRS' },
        recipients: [{ parameters: { notify: ['FAILURE', 'DELAY'] } }],
      });
    });
  });

  it('are asked for by the library, of smtp-server', async () => {
    const server = await npmSmtpServer({});
    const connection = await openSession(await connect({ host: '127.0.0.1', port: server.port }), {
      clock: systemClock,
    });
    await connection.send(
      {
        reversePath: { localPart: 'ann', domain: 'example.com' },
        parameters: { ret: 'HDRS', envid: 'a+b=c' },
        recipients: [
          {
            localPart: 'joe',
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
    await connection.quit();
    expect(await server.received()).toMatchObject([
      {
        // smtp-server undoes the xtext (RFC 3461 §4).
        mailParameters: expect.arrayContaining(['RET=HDRS', 'ENVID=a+b=c']),
        rcptParameters: ['NOTIFY=FAILURE,DELAY', 'ORCPT=rfc822;Joe+x@example.net'],
      },
    ]);
  });
});

describe('internationalized addresses (RFC 6531)', () => {
  describeWith('smtplib', () => {
    it('sends from and to them, with a header in UTF-8', async () => {
      const server = await serve();
      const finished = await smtplib(
        server.port,
        `message = EmailMessage()
message['From'], message['To'], message['Subject'] = 'änne@bücher.example', 'jörg@例え.example', 'grüße'
message.set_content('b')
client.send_message(message)`,
      );
      expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
      const [stored] = await server.messages();
      const header = Buffer.from(stored?.header ?? '', 'latin1').toString();
      expect(header).toContain('Return-Path: <änne@bücher.example>\r\nDelivered-To: jörg@例え.example\r\n');
      expect(header).toContain(' with UTF8SMTP id ');
      expect(`${stored?.body}`).toContain('Subject: grüße\r\n');
    });
  });

  it('are used by nodemailer', async () => {
    const server = await serve();
    await createTransport({ host: '127.0.0.1', port: server.port }).sendMail({
      envelope: { from: 'änne@example.com', to: 'jörg@example.org' },
      raw: MESSAGE,
    });
    const [stored] = await server.messages();
    const header = Buffer.from(stored?.header ?? '', 'latin1').toString();
    expect(header).toContain('Return-Path: <änne@example.com>\r\nDelivered-To: jörg@example.org\r\n');
    expect(header).toContain(' with UTF8SMTP id ');
  });

  const send = (port: number, from: string, to: string) =>
    run(
      ...sansmtp('send', '--host', '127.0.0.1', '--port', `${port}`, '--from', from, '--to', to, '--verbose'),
      MESSAGE,
    );

  const acceptors = {
    aiosmtpd: (options: AcceptingOptions) => aiosmtpd(options),
    'smtp-server': (options: AcceptingOptions) => npmSmtpServer(options),
  };

  for (const [peer, accepting] of Object.entries(acceptors)) {
    const describePeer = peer === 'aiosmtpd' ? describeWith : describe;

    describePeer(peer as 'aiosmtpd', () => {
      it('gets a message from and to them', async () => {
        const server = await accepting({ smtpUtf8: true });
        const { exit, stdout, stderr } = await send(server.port, 'änne@example.com', 'jörg@bücher.example');
        expect({ exit, stdout }).toEqual({
          exit: 0,
          stdout: expect.stringMatching(/^delivered jörg@bücher\.example 250 /),
        });
        expect(stderr).toMatch(/^C: MAIL FROM:<.*> .*SMTPUTF8/m);
        expect(await server.received()).toMatchObject([
          {
            from: 'änne@example.com',
            to: [expect.stringMatching(/^jörg@(?:bücher|xn--bcher-kva)\.example$/)],
          },
        ]);
      });

      it('gets none to a local-part in UTF-8 where it does not offer SMTPUTF8: send exits 64', async () => {
        const server = await accepting({ smtpUtf8: false });
        const { exit, stdout } = await send(server.port, 'ann@example.com', 'jörg@example.org');
        expect(exit).toBe(64);
        expect(stdout).toMatch(/^rejected jörg@example\.org .*SMTPUTF8/);
        expect(await server.received()).toEqual([]);
      });

      it('gets a domain in Unicode as its A-label there (RFC 6531 §3.2, RFC 5891)', async () => {
        const server = await accepting({ smtpUtf8: false });
        const { exit, stderr } = await send(server.port, 'ann@bücher.example', 'joe@BÜCHER.example');
        expect(exit).toBe(0);
        expect(stderr).toContain('C: MAIL FROM:<ann@xn--bcher-kva.example>');
        expect(stderr).toContain('C: RCPT TO:<joe@xn--bcher-kva.example>');
        expect(await server.received()).toHaveLength(1);
      });
    });
  }
});

describe('BDAT (RFC 3030)', () => {
  describeWith('smtplib', () => {
    it('takes a message of binary octets in chunks, with no dots doubled and no line ended', async () => {
      const server = await libraryServer({});
      const finished = await smtplib(
        server.port,
        `client.ehlo('client.example')
print(client.has_extn('chunking'), client.has_extn('binarymime'))
client.docmd('MAIL', 'FROM:<ann@example.com> BODY=BINARYMIME')
client.docmd('RCPT', 'TO:<joe@example.org>')
for command, chunk in [(b'BDAT 9', b'a\\r\\n.\\r\\nb\\n\\r'), (b'BDAT 0', b''), (b'BDAT 5 LAST', b'\\n\\x00\\xff.\\r')]:
    client.send(command + b'\\r\\n' + chunk)
    print(client.getreply()[0])`,
      );
      expect(finished).toMatchObject({ exit: 0, stdout: 'True True\n250\n250\n250\n' });
      expect(server.received).toMatchObject([
        { envelope: { parameters: { body: 'BINARYMIME' } }, body: 'a\r\n.\r\nb\n\r\n\0\xff.\r' },
      ]);
    });
  });
});

describe('XCLIENT', () => {
  describeWith('swaks', () => {
    const swaks = (port: number, ...words: string[]) =>
      run('swaks', [
        ...[
          '--server',
          '127.0.0.1',
          '--port',
          `${port}`,
          '--helo',
          'client.example',
          '--from',
          'ann@example.com',
        ],
        ...['--to', 'joe@example.org', ...words],
      ]);

    it('speaks for another client, once it is trusted', async () => {
      const server = await libraryServer({ trusted: ['127.0.0.1'] });
      const { exit, stdout } = await swaks(
        server.port,
        ...[
          '--xclient-addr',
          'IPV6:2001:db8::1',
          '--xclient-name',
          'other.example',
          '--xclient-port',
          '4321',
        ],
        ...['--xclient-helo', 'its.name.example', '--xclient-login', 'joe doe', '--xclient-proto', 'ESMTP'],
      );
      expect({ exit, output: exit === 0 ? '' : stdout }).toEqual({ exit: 0, output: '' });
      expect(server.received.map(({ session }) => session)).toMatchObject([
        {
          peer: { address: '2001:db8::1', port: 4321 },
          client: {
            name: 'other.example',
            address: '2001:db8::1',
            helo: 'its.name.example',
            login: 'joe doe',
            protocol: 'ESMTP',
          },
          hello: { name: 'client.example' },
        },
      ]);
    });

    it('is not offered it otherwise', async () => {
      const server = await libraryServer({ trusted: ['192.0.2.0/24'] });
      const { exit, stdout } = await swaks(server.port, '--xclient', 'ADDR=192.0.2.9');
      expect({ exit, offered: stdout.includes('XCLIENT') }).toEqual({ exit: 33, offered: false });
      expect(server.received).toEqual([]);
    });
  });
});

describe('XCLIENT and XFORWARD', () => {
  it('are said by the library, and understood by smtp-server', async () => {
    const told: unknown[] = [];
    const server = await npmSmtpServer({
      onSession: ({ remoteAddress, clientHostname, xForward }) => {
        told.push({ remoteAddress, clientHostname, forwarded: Object.fromEntries(xForward) });
      },
    });
    for (const spokenFor of [
      { xclient: { address: '192.0.2.9', name: 'other.example' } },
      { xforward: { address: '192.0.2.10', name: 'first.example', helo: 'its.name.example' } },
    ]) {
      const connection = await openSession(await connect({ host: '127.0.0.1', port: server.port }), {
        clock: systemClock,
        ...spokenFor,
      });
      const recipients = [{ localPart: 'joe', domain: 'example.org' }];
      await connection.send({ reversePath: null, recipients }, MESSAGE);
      await connection.quit();
    }
    expect(told).toMatchObject([
      { remoteAddress: '192.0.2.9', clientHostname: 'other.example', forwarded: {} },
      { forwarded: { ADDR: '192.0.2.10', NAME: 'first.example', HELO: 'its.name.example' } },
    ]);
  });
});

describe('VRFY, EXPN, HELP (RFC 5321 §3.5, §4.1.1.8)', () => {
  describeWith('curl', () => {
    it('asks for them', async () => {
      const server = await libraryServer({
        handlers: {
          onVerify: (argument) => ({ code: 250, lines: [`Joe Doe <${argument}@example.org>`] }),
          onExpand: () => ({ code: 250, lines: ['<ann@example.com>', '<joe@example.org>'] }),
          onHelp: () => ({ code: 214, lines: ['Help yourself'] }),
        },
      });
      const curl = async (...words: string[]) =>
        (
          await run('curl', [
            '--silent',
            '--show-error',
            '--max-time',
            '50',
            `smtp://127.0.0.1:${server.port}`,
            ...words,
          ])
        ).stdout;
      expect(await curl('--mail-rcpt', 'joe')).toMatch(/^250 .*Joe Doe <joe@example\.org>\r?\n$/);
      expect(await curl('--mail-rcpt', 'list', '-X', 'EXPN')).toMatch(
        /^250-.*<ann@example\.com>\r?\n250 .*<joe@example\.org>\r?\n$/,
      );
      expect(await curl('-X', 'HELP')).toMatch(/^214 .*Help yourself\r?\n$/);
    });

    it('gets 252 from serve, which says neither yes nor no (RFC 5321 §7.3)', async () => {
      const { port } = await serve();
      const { exit, stdout } = await run('curl', [
        '--silent',
        `smtp://127.0.0.1:${port}`,
        '--mail-rcpt',
        'joe',
      ]);
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringMatching(/^252 /) });
    });
  });
});

describe('ETRN (RFC 1985)', () => {
  describeWith('msmtp', () => {
    it('asks for its mail', async () => {
      const nodes: string[] = [];
      const extensions: readonly ServiceExtension[] = [...standardExtensions, etrn];
      const server = await libraryServer({
        session: { extensions },
        handlers: {
          onEtrn: (node) => {
            nodes.push(node);
            return { code: 250, lines: ['Queuing started'] };
          },
        },
      });
      const words = ['--host=127.0.0.1', `--port=${server.port}`, '--tls=off', '--auth=off'];
      expect(await run('msmtp', [...words, '--rmqs=example.org'])).toMatchObject({ exit: 0 });
      expect(nodes).toEqual(['example.org']);
    });
  });
});
