/**
 * AUTH (RFC 4954) between `sansmtp` and other people's programs, by every mechanism that they speak.
 */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Secret } from '@sansmtp/core';
import { openSession, type ServerHandlers } from '@sansmtp/transport';
import { connect, nodeCryptography, systemClock } from '@sansmtp/transport-node';
import { createTransport } from 'nodemailer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aiosmtpd, npmSmtpServer } from './accepting-peers.js';
import { certificate, shown, type TestCertificate } from './certificates.js';
import { type LibraryServer, type LibraryServerOptions, libraryServer } from './library.js';
import { describeWith, python } from './peers.js';
import { type Finished, run, sansmtp, scratchFolder, until } from './processes.js';
import { greeted } from './raw-client.js';
import { type Serving, serve } from './serving.js';

const ENVELOPE = ['--from', 'ann@example.com', '--to', 'joe@example.org'];

/** The password needs neither SASLprep nor care with quotes. */
const [NAME, PASSWORD] = ['ann', 'open sesame'];

interface Protected extends Serving {
  readonly certificate: TestCertificate;
}

/** With two users. */
async function serveUsers(...words: string[]): Promise<Protected> {
  const made = await certificate();
  const users = ['--user', `${NAME}:${PASSWORD}`, '--user', 'bob:other:secret'];
  return Object.assign(await serve([...shown(made), ...users, ...words]), { certificate: made });
}

/** The Received line of the only message (RFC 3848). */
async function receivedWith(server: Serving): Promise<string | undefined> {
  const stored = await server.messages();
  expect(stored).toHaveLength(1);
  return / with (\w+)/.exec(stored[0]?.header ?? '')?.[1];
}

const checksPasswords: Partial<ServerHandlers> = {
  onAuth: (attempt) => 'username' in attempt && attempt.username === NAME && !('token' in attempt),
  onCredentials: ({ username }) =>
    username === NAME ? { kind: 'password', password: new Secret(PASSWORD) } : undefined,
};

const checksTokens: Partial<ServerHandlers> = {
  onAuth: (attempt) =>
    'token' in attempt && attempt.token.revealText() === TOKEN && { authenticatedAs: NAME },
};

const TOKEN = PASSWORD.replace(' ', '-');
const LONG_TOKEN = 't'.repeat(1000);

function authenticating(
  mechanisms: NonNullable<NonNullable<LibraryServerOptions['session']>['authentication']>['mechanisms'] &
    object,
  handlers: Partial<ServerHandlers>,
): Promise<LibraryServer> {
  return libraryServer({
    handlers,
    session: { authentication: { mechanisms, allowInsecure: true, required: true } },
  });
}

function mechanismsUsed({ received }: LibraryServer): unknown[] {
  return received.map(({ session }) => session.identity);
}

describeWith('swaks', () => {
  const swaks = (port: number, ...words: string[]) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', `${port}`, '--helo', 'client.example'],
      ...[...ENVELOPE, '--auth-user', NAME, '--auth-password', PASSWORD, ...words],
    ]);

  it.each(['PLAIN', 'LOGIN'])('authenticates by %s under TLS', async (mechanism) => {
    const server = await serveUsers();
    const { exit, stdout } = await swaks(server.port, '--tls', '--auth', mechanism);
    expect({ exit, output: exit === 0 ? '' : stdout }).toEqual({ exit: 0, output: '' });
    expect(stdout).toMatch(new RegExp(`^ ~> AUTH ${mechanism}`, 'm'));
    expect(stdout).toMatch(/^<~ {2}235 2\.7\.0 /m);
    expect(await receivedWith(server)).toBe('ESMTPSA');
  });

  it('authenticates by CRAM-MD5 (RFC 2195), where it is switched on', async () => {
    const server = await authenticating(['CRAM-MD5'], checksPasswords);
    const { exit } = await swaks(server.port, '--auth', 'CRAM-MD5');
    expect(exit).toBe(0);
    expect(mechanismsUsed(server)).toEqual([
      { mechanism: 'CRAM-MD5', authenticatedAs: NAME, username: NAME },
    ]);
  });

  it('gets 535 5.7.8 for a wrong password and for a name that nobody has, in the same words', async () => {
    const server = await serveUsers();
    const replies: (string | undefined)[] = [];
    for (const [name, password] of [
      [NAME, 'wrong'],
      ['nobody', PASSWORD],
      // Bob's password goes up to the end, colons and all.
      ['bob', 'other'],
    ] as const) {
      const words = ['--tls', '--auth', 'PLAIN', '--auth-user', name, '--auth-password', password];
      const { exit, stdout } = await swaks(server.port, ...words);
      expect(exit).toBe(28);
      replies.push(/^<~\* (.*)$/m.exec(stdout)?.[1]);
    }
    expect(replies[0]).toMatch(/^535 5\.7\.8 /);
    expect(new Set(replies).size).toBe(1);
    expect(await server.messages()).toEqual([]);
    expect(server.stderr).not.toContain('wrong');
  });

  it('lets the second user in as well', async () => {
    const server = await serveUsers();
    const bob = ['--auth-user', 'bob', '--auth-password', 'other:secret'];
    expect(await swaks(server.port, '--tls', '--auth', 'LOGIN', ...bob)).toMatchObject({ exit: 0 });
    expect(await receivedWith(server)).toBe('ESMTPSA');
  });

  it('is offered no AUTH without TLS (RFC 4954 §4), unless --allow-insecure-auth says so', async () => {
    const strict = await swaks((await serveUsers()).port, '--auth', 'PLAIN');
    expect({ exit: strict.exit, offered: /^<- {2}250.AUTH/m.test(strict.stdout) }).toEqual({
      exit: 28,
      offered: false,
    });
    const lax = await serve(['--user', `${NAME}:${PASSWORD}`, '--allow-insecure-auth']);
    expect(await swaks(lax.port, '--auth', 'PLAIN')).toMatchObject({ exit: 0 });
    expect(await receivedWith(lax)).toBe('ESMTPA');
  });

  it('gets 530 5.7.0 on the submission port until it has authenticated (RFC 6409 §4.3)', async () => {
    const server = await serveUsers('--submission-port', '0');
    const port = server.portOf('submission');
    const without = await run('swaks', ['--server', '127.0.0.1', '--port', `${port}`, ...ENVELOPE, '--tls']);
    expect(without.exit).toBe(23);
    expect(without.stdout).toMatch(/^<~\* 530 5\.7\.0 /m);
    expect(await swaks(port, '--tls', '--auth', 'PLAIN')).toMatchObject({ exit: 0 });
    expect(await receivedWith(server)).toBe('ESMTPSA');
  });
});

describeWith('msmtp', () => {
  const msmtp = async (server: Protected, ...words: string[]) => {
    const password = `${server.certificate.certFile}.password`;
    await writeFile(password, PASSWORD);
    return run(
      'msmtp',
      [
        ...['--host=127.0.0.1', `--port=${server.port}`, '--from=ann@example.com', '--timeout=50'],
        ...['--tls=on', `--tls-trust-file=${server.certificate.certFile}`, `--user=${NAME}`],
        ...[`--passwordeval=cat ${password}`, '--debug', ...words, 'joe@example.org'],
      ],
      'Subject: a\n\nb\n',
    );
  };

  it.each(['scram-sha-256', 'scram-sha-1', 'plain', 'login'])(
    'authenticates by %s under TLS',
    async (mechanism) => {
      const server = await serveUsers();
      const { exit, stdout } = await msmtp(server, `--auth=${mechanism}`);
      expect(exit).toBe(0);
      expect(stdout).toContain(`--> AUTH ${mechanism.toUpperCase()}`);
      expect(await receivedWith(server)).toBe('ESMTPSA');
    },
  );

  it.each(['xoauth2', 'oauthbearer'])('authenticates by %s with a token', async (mechanism) => {
    const made = await certificate();
    const server = await libraryServer({
      tls: { mode: 'startTls', shown: made },
      handlers: checksTokens,
      session: { authentication: { mechanisms: ['XOAUTH2', 'OAUTHBEARER'] } },
    });
    const words = [
      ...['--host=127.0.0.1', `--port=${server.port}`, '--from=ann@example.com', '--timeout=50', '--tls=on'],
      ...[`--tls-trust-file=${made.certFile}`, `--auth=${mechanism}`, `--user=${NAME}`],
    ];
    const finished = await run('msmtp', [...words, `--passwordeval=echo ${TOKEN}`, 'joe@example.org'], 'a\n');
    expect(finished).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(mechanismsUsed(server)).toEqual([
      { mechanism: mechanism.toUpperCase(), authenticatedAs: NAME, username: NAME },
    ]);
  });
});

/**
 * Where gsasl may connect to: it says STARTTLS without an EHLO, which is out of order. So somebody in between says it,
 * hears the reply, and lets all else pass.
 */
async function sayingEhloTo(server: Serving): Promise<number> {
  const between = createServer(async (client) => {
    client.on('error', () => {});
    const { socket } = await greeted(server);
    client.write('220 mx.example ESMTP\r\n');
    let reply = '';
    const onReply = (bytes: Buffer) => {
      reply += bytes.toString('latin1');
      if (!/^250 .*\r\n$/m.test(reply)) return;
      socket.off('data', onReply);
      client.pipe(socket).pipe(client);
    };
    socket.removeAllListeners('data');
    socket.on('data', onReply).on('close', () => client.destroy());
    socket.write('EHLO client.example\r\n');
  });
  onTestFinished(() => {
    between.close();
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const address = between.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describeWith('gsasl', () => {
  const mechanisms = [
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-256',
    'SCRAM-SHA-1',
    'PLAIN',
    'LOGIN',
  ];

  it(`authenticates under TLS by ${mechanisms.join(', ')}; not with a wrong password, nor as nobody`, async () => {
    const server = await serveUsers();
    const port = await sayingEhloTo(server);
    for (const mechanism of mechanisms) {
      const gsasl = (name: string, password: string) =>
        run('gsasl', [
          ...['--client', '--smtp', '--connect', `localhost:${port}`, '--starttls'],
          ...[`--x509-ca-file=${server.certificate.certFile}`, `--mechanism=${mechanism}`],
          ...[`--authentication-id=${name}`, `--password=${password}`],
          // Without it, gsasl wants the form that binds.
          ...(mechanism.endsWith('-PLUS') ? [] : ['--no-cb']),
        ]);
      const right = await gsasl(NAME, PASSWORD);
      expect({ exit: right.exit, output: right.stdout }).toEqual({
        exit: 0,
        output: expect.stringMatching(new RegExp(`^AUTH ${mechanism}\\b[\\s\\S]*^235 2\\.7\\.0 `, 'm')),
      });
      const [wrong, nobody] = [await gsasl(NAME, 'wrong'), await gsasl('nobody', PASSWORD)];
      const replies = ({ stdout }: Finished) => stdout.match(/^(?:334 |[45]\d\d .*)/gm);
      expect(replies(wrong)?.at(-1)).toMatch(/^535 5\.7\.8 /);
      expect(replies(nobody)).toEqual(replies(wrong));
      expect([wrong.exit, nobody.exit]).toEqual([1, 1]);
    }
  });
});

describeWith('curl', () => {
  const curl = async (url: string, ...words: string[]) => {
    const file = `${await scratchFolder()}/message`;
    await writeFile(file, 'Subject: a\r\n\r\nb\r\n');
    return run('curl', [
      ...['--silent', '--show-error', '--max-time', '50', '--verbose', url, '--mail-from', 'ann@example.com'],
      ...['--mail-rcpt', 'joe@example.org', '--upload-file', file, ...words],
    ]);
  };

  it.each(['PLAIN', 'LOGIN'])(
    'authenticates by %s, with an initial response or without (RFC 4954 §4)',
    async (mechanism) => {
      for (const initial of [['--sasl-ir'], []]) {
        const server = await serveUsers();
        const { exit, stderr } = await curl(
          `smtp://127.0.0.1:${server.port}/client.example`,
          ...['--ssl-reqd', '--cacert', server.certificate.certFile, '--user', `${NAME}:${PASSWORD}`],
          ...['--login-options', `AUTH=${mechanism}`, ...initial],
        );
        expect(exit).toBe(0);
        expect(stderr).toMatch(new RegExp(`^> AUTH ${mechanism}${initial.length > 0 ? ' .+' : ''}\r?$`, 'm'));
        expect(await receivedWith(server)).toBe('ESMTPSA');
      }
    },
  );

  it.each(['OAUTHBEARER', 'XOAUTH2'] as const)(
    'authenticates by %s with a token (RFC 7628), and not with a wrong one',
    async (mechanism) => {
      const server = await authenticating([mechanism], checksTokens);
      const url = `smtp://127.0.0.1:${server.port}/client.example`;
      for (const initial of [['--sasl-ir'], []]) {
        const bearer = [
          '--user',
          `${NAME}:`,
          '--login-options',
          `AUTH=${mechanism}`,
          ...initial,
          '--oauth2-bearer',
        ];
        expect(await curl(url, ...bearer, TOKEN)).toMatchObject({ exit: 0 });
        const refused = await curl(url, ...bearer, 'wrong');
        expect(refused.exit).toBe(67);
        // The error comes as a challenge. Only with OAUTHBEARER curl answers it (RFC 7628 §3.2.3) before it goes.
        const answered = mechanism === 'OAUTHBEARER' ? '> AQ==\\r?\\n< 535 5\\.7\\.8 ' : '';
        expect(refused.stderr).toMatch(new RegExp(`^< 334 \\S+\\r?\\n${answered}`, 'm'));
      }
      expect(mechanismsUsed(server)).toEqual(
        Array(2).fill({ mechanism, authenticatedAs: NAME, username: NAME }),
      );
    },
  );

  it('authenticates by EXTERNAL with its certificate (RFC 4422 §A), and is not offered it without', async () => {
    const [made, own] = [await certificate(), await certificate('ann.example')];
    const server = await libraryServer({
      tls: { mode: 'startTls', shown: made, requestClientCertificate: true, ca: own.cert },
      session: { authentication: { mechanisms: ['EXTERNAL'], required: true } },
      handlers: {
        onAuth: (attempt, { tls }) =>
          attempt.mechanism === 'EXTERNAL' &&
          tls?.peerCertificate?.subject === 'CN=ann.example' &&
          tls.peerCertificate.distrust === undefined && { authenticatedAs: NAME },
      },
    });
    const url = `smtp://127.0.0.1:${server.port}/client.example`;
    const words = [
      '--ssl-reqd',
      '--cacert',
      made.certFile,
      '--user',
      `${NAME}:`,
      '--login-options',
      'AUTH=EXTERNAL',
    ];
    const shownCertificate = ['--cert', own.certFile, '--key', own.keyFile];
    const { exit, stderr } = await curl(url, ...words, '--sasl-ir', ...shownCertificate);
    expect({ exit, output: exit === 0 ? '' : stderr }).toEqual({ exit: 0, output: '' });
    expect(stderr).toMatch(/^> AUTH EXTERNAL /m);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.session.identity?.mechanism).toBe('EXTERNAL');
    const anonymous = await curl(url, ...words);
    expect({ exit: anonymous.exit, offered: /^< 250.AUTH/m.test(anonymous.stderr) }).toEqual({
      exit: 55,
      offered: false,
    });
    expect(anonymous.stderr).toMatch(/^< 530 5\.7\.0 /m);
  });
});

const SMTPLIB = `
import smtplib, ssl, sys
port, name, password = sys.argv[1:4]
with smtplib.SMTP('127.0.0.1', int(port)) as client:
    if len(sys.argv) > 4:
        client.starttls(context=ssl.create_default_context(cafile=sys.argv[4]))
    try:
        client.login(name, password)
    except smtplib.SMTPAuthenticationError as error:
        print(error.smtp_code)
        sys.exit(1)
    client.sendmail('ann@example.com', ['joe@example.org'], 'Subject: a\\r\\n\\r\\nb\\r\\n')
`;

describeWith('smtplib', () => {
  it('authenticates by PLAIN under TLS', async () => {
    const server = await serveUsers();
    const words = ['-c', SMTPLIB, `${server.port}`, NAME, PASSWORD, server.certificate.certFile];
    expect(await run(python, words)).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(await receivedWith(server)).toBe('ESMTPSA');
  });

  it('authenticates by CRAM-MD5 (RFC 2195), and not with a wrong password', async () => {
    const server = await authenticating(['CRAM-MD5'], checksPasswords);
    expect(await run(python, ['-c', SMTPLIB, `${server.port}`, NAME, PASSWORD])).toMatchObject({ exit: 0 });
    expect(mechanismsUsed(server)).toEqual([
      { mechanism: 'CRAM-MD5', authenticatedAs: NAME, username: NAME },
    ]);
    expect(await run(python, ['-c', SMTPLIB, `${server.port}`, NAME, 'wrong'])).toEqual({
      exit: 1,
      stdout: '535\n',
      stderr: '',
    });
  });
});

describe('nodemailer', () => {
  const message = {
    envelope: { from: 'ann@example.com', to: 'joe@example.org' },
    raw: 'Subject: a\r\n\r\nb\r\n',
  };

  it.each(['PLAIN', 'LOGIN'])('authenticates by %s under TLS', async (authMethod) => {
    const server = await serveUsers();
    const transport = (pass: string) =>
      createTransport({
        host: '127.0.0.1',
        port: server.port,
        requireTLS: true,
        tls: { ca: server.certificate.cert },
        authMethod,
        auth: { user: NAME, pass },
      });
    await transport(PASSWORD).sendMail(message);
    expect(await receivedWith(server)).toBe('ESMTPSA');
    await expect(transport('wrong').sendMail(message)).rejects.toMatchObject({
      code: 'EAUTH',
      responseCode: 535,
    });
  });

  it('authenticates by CRAM-MD5 (RFC 2195)', async () => {
    const server = await authenticating(['CRAM-MD5'], checksPasswords);
    await createTransport({
      host: '127.0.0.1',
      port: server.port,
      authMethod: 'CRAM-MD5',
      auth: { user: NAME, pass: PASSWORD },
    }).sendMail(message);
    expect(mechanismsUsed(server)).toEqual([
      { mechanism: 'CRAM-MD5', authenticatedAs: NAME, username: NAME },
    ]);
  });

  it('authenticates by XOAUTH2 with a token', async () => {
    const server = await authenticating(['XOAUTH2'], checksTokens);
    await createTransport({
      host: '127.0.0.1',
      port: server.port,
      auth: { type: 'OAuth2', user: NAME, accessToken: TOKEN },
    }).sendMail(message);
    expect(mechanismsUsed(server)).toEqual([{ mechanism: 'XOAUTH2', authenticatedAs: NAME, username: NAME }]);
  });
});

async function passwordFile(text: string): Promise<string> {
  const file = `${await scratchFolder()}/password`;
  await writeFile(file, text);
  return file;
}

function send(port: number, ...words: string[]): Promise<Finished> {
  const target = [
    '--host',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--hostname',
    'client.example',
    '--timeout',
    '50',
  ];
  return run(...sansmtp('send', ...target, ...ENVELOPE, ...words), 'Subject: a\n\nb\n');
}

describeWith('aiosmtpd', () => {
  it.each(['startTls', 'implicit'] as const)(
    'lets send in under TLS (%s), and exits 77 with a wrong password',
    async (mode) => {
      const server = await aiosmtpd({
        tls: { mode, shown: await certificate() },
        user: { name: NAME, password: PASSWORD },
      });
      const tls = ['--tls', mode === 'implicit' ? 'implicit' : 'required', '--tls-insecure', '--user', NAME];
      const right = await send(server.port, ...tls, '--password-file', await passwordFile(`${PASSWORD}\n`));
      expect(right).toMatchObject({ exit: 0, stdout: 'delivered joe@example.org 250 2.0.0 Kept\n' });
      expect(await server.received()).toMatchObject([{ user: NAME, secure: true }]);
      const wrong = await send(server.port, ...tls, '--password-file', await passwordFile('wrong'));
      expect(wrong).toMatchObject({
        exit: 77,
        stdout: expect.stringMatching(/^rejected joe@example\.org 535 /),
      });
    },
  );
});

describe('smtp-server', () => {
  it.each(['PLAIN', 'LOGIN'] as const)(
    'lets send in by %s under TLS, with SANSMTP_PASSWORD',
    async (mechanism) => {
      const server = await npmSmtpServer({
        tls: { mode: 'startTls', shown: await certificate() },
        user: { name: NAME, password: PASSWORD },
        mechanisms: [mechanism],
      });
      const [node, words] = sansmtp('send', '--host', '127.0.0.1', '--port', `${server.port}`, ...ENVELOPE);
      const environment = [`SANSMTP_PASSWORD=${PASSWORD}`, node];
      const user = ['--user', NAME, '--tls-insecure', '--verbose'];
      const { exit } = await run('env', [...environment, ...words, ...user], 'a\n');
      expect(exit).toBe(0);
      expect(await server.received()).toMatchObject([{ user: NAME, secure: true }]);
    },
  );

  it.each([
    {
      mechanism: 'CRAM-MD5',
      credentials: { kind: 'password', username: NAME, password: new Secret(PASSWORD) },
    },
    { mechanism: 'XOAUTH2', credentials: { kind: 'token', username: NAME, token: new Secret(TOKEN) } },
    // Too long for a command: it follows in a step of its own (RFC 4954 §4).
    { mechanism: 'XOAUTH2', credentials: { kind: 'token', username: NAME, token: new Secret(LONG_TOKEN) } },
  ] as const)('lets the library in by $mechanism', async ({ mechanism, credentials }) => {
    const server = await npmSmtpServer({
      tls: { mode: 'startTls', shown: await certificate() },
      user: {
        name: NAME,
        password: credentials.kind === 'token' ? (credentials.token.revealText() ?? '') : PASSWORD,
      },
      mechanisms: [mechanism],
    });
    const stream = await connect({
      host: '127.0.0.1',
      port: server.port,
      tls: { mode: 'startTls', verify: false },
    });
    const connection = await openSession(stream, {
      clock: systemClock,
      cryptography: nodeCryptography,
      startTls: 'required',
      authentication: { credentials, mechanisms: [mechanism] },
    });
    expect(connection.offer.authenticatedBy).toBe(mechanism);
    await connection.quit();
  });

  it('gets no password without TLS, but by --allow-insecure-auth', async () => {
    const server = await npmSmtpServer({ user: { name: NAME, password: PASSWORD }, mechanisms: ['PLAIN'] });
    const user = ['--user', NAME, '--password-file', await passwordFile(PASSWORD)];
    expect(await send(server.port, ...user)).toMatchObject({
      exit: 77,
      stdout: expect.stringMatching(
        /^deferred joe@example\.org The password was not sent: .*--allow-insecure-auth/,
      ),
    });
    expect(await server.received()).toEqual([]);
    expect(await send(server.port, ...user, '--allow-insecure-auth')).toMatchObject({ exit: 0 });
    expect(await server.received()).toMatchObject([{ user: NAME, secure: false }]);
  });
});

describe('the dialogue that send shows with --verbose', () => {
  /** A password in all the forms in which it passes. */
  function forms(text: string): string[] {
    const base64 = (value: string) => Buffer.from(value).toString('base64');
    return [text, base64(text), base64(`\0${NAME}\0${text}`)];
  }

  it('shows of AUTH only the mechanism and how many octets there were, by PLAIN, LOGIN and SCRAM', async () => {
    const user = ['--user', NAME, '--password-file', await passwordFile(PASSWORD), '--tls-insecure'];
    const shownCertificate = await certificate();
    const peers = await Promise.all([
      ...(['PLAIN', 'LOGIN'] as const).map((mechanism) =>
        npmSmtpServer({
          tls: { mode: 'startTls', shown: shownCertificate },
          user: { name: NAME, password: PASSWORD },
          mechanisms: [mechanism],
        }),
      ),
      serveUsers(),
    ]);
    for (const [index, { port }] of peers.entries()) {
      const { exit, stderr } = await send(port, ...user, '--verbose');
      expect(exit).toBe(0);
      expect(stderr).toMatch(
        [
          /^C: AUTH PLAIN \[\d+ octets\]$/m,
          /^C: AUTH LOGIN(?: \[\d+ octets\])?\n(?:S: 334 \[\d+ octets\]\nC: \[\d+ octets\]\n)+S: 235 /m,
          /^C: AUTH SCRAM-SHA-256-PLUS \[\d+ octets\]\n(?:S: 334 \[\d+ octets\]\nC: \[\d+ octets\]\n)+S: 235 /m,
        ][index] as RegExp,
      );
      for (const form of forms(PASSWORD)) expect(stderr).not.toContain(form);
      expect(stderr).not.toContain(Buffer.from(NAME).toString('base64'));
    }
  });
});

describe('serve', () => {
  it('answers AUTH without TLS by a refusal, and takes no password then (RFC 4954 §4)', async () => {
    const client = await greeted(await serveUsers());
    await client.say('EHLO client.example\r\n', /^250 (?![\s\S]*AUTH)/m);
    await client.say(
      `AUTH PLAIN ${Buffer.from(`\0${NAME}\0${PASSWORD}`).toString('base64')}\r\n`,
      /^(?:538 5\.7\.11|50[0-4] 5\.5\.\d) /m,
    );
    await client.say('RSET\r\n', /^250 /m);
  });

  it('warns that nobody can authenticate where there are users but no TLS', async () => {
    const server = await serve(['--user', `${NAME}:${PASSWORD}`]);
    await until(() => server.stderr.includes('AUTH is not offered'));
    expect(server.stderr).not.toContain(PASSWORD);
  });

  it('warns that nobody can submit mail where there is a submission port and no user', async () => {
    const server = await serve(['--submission-port', '0', '--tls-self-signed']);
    await until(() => server.stderr.includes('nobody can submit mail'));
  });
});
