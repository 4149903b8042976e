import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import type { SMTPServerSession } from '../src/index.js';
import { Client, codes, HELLO, listening, MAIL, OPEN, replies } from './conversation.js';

async function certificate(name: string, keyType: 'ec' | 'rsa' = 'ec') {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType,
    keySize: 2048,
    algorithm: 'sha256',
  });
  return { cert, key };
}

async function subjectAt(port: number, servername?: string): Promise<unknown> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(servername && { servername }),
  });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describe('the listener', () => {
  it('is a server of Node’s, and tells of connections and of its end', async () => {
    const { server, port } = await listening(OPEN);
    const connected = once(server, 'connect');
    const client = await Client.greeted(port);
    expect(server.connections.size).toBe(1);
    expect(await connected).toMatchObject([{ remoteAddress: '127.0.0.1', clientHostname: '[127.0.0.1]' }]);
    const closed = once(server, 'close');
    server.close();
    expect(await client.reply()).toBe('421 Server shutting down');
    client.socket.destroy();
    await closed;
  });

  it('turns away more clients than maxClients', async () => {
    const { port } = await listening({ ...OPEN, maxClients: 1, name: 'mx' });
    await Client.greeted(port);
    const client = await Client.to(port);
    expect(await client.reply()).toBe('421 mx Too many connected clients, try again in a moment');
  });

  it('tells of a TLS handshake that failed by an error with the fields of smtp-server', async () => {
    const { server, port } = await listening({ ...OPEN, secure: true });
    const failed = once(server, 'error');
    const client = await Client.to(port);
    client.socket.write('EHLO c.example\r\n');
    expect(await failed).toMatchObject([
      {
        code: 'ERR_SSL_WRONG_VERSION_NUMBER',
        remoteAddress: '127.0.0.1',
        meta: { protocol: 'smtp', stage: 'connect', remoteAddress: '127.0.0.1' },
      },
    ]);
    client.socket.destroy();
  });

  it('tells onClose of each connection that ends', async () => {
    let close: (session: SMTPServerSession) => void = () => {};
    const closed = new Promise<SMTPServerSession>((resolve) => {
      close = resolve;
    });
    const { port } = await listening({ ...OPEN, onClose: close });
    await (await Client.greeted(port)).say('QUIT');
    expect((await closed).id).toMatch(/^[0-9a-v]{16}$/);
  });

  it('refuses whom onConnect refuses', async () => {
    const { port } = await listening({
      ...OPEN,
      onConnect: (_session, callback) =>
        callback(Object.assign(new Error('Blacklisted'), { responseCode: 421 })),
    });
    const client = await Client.to(port);
    expect(await client.rest()).toBe('421 Blacklisted\r\n');
  });

  it('looks up the name of the client, and takes none that is no name', async () => {
    const named = async (name: string) => {
      const options = {
        ...OPEN,
        disableReverseLookup: false,
        resolver: { reverse: (_: string, done: (e: null, names: string[]) => void) => done(null, [name]) },
      };
      return (await replies(options, 'HELO c'))[0]?.split(', ')[1];
    };
    expect(await named('Client.Example.ORG.')).toBe('client.example.org');
    expect(await named('evil\r\n250 OK')).toBe('[127.0.0.1]');
  });

  it('can be required, as it is built', () => {
    const script = `const required = require('@sansmtp/smtp-server');
      console.log(typeof required.SMTPServer, required.default.SMTPServer === required.SMTPServer,
        typeof require('@sansmtp/smtp-server/lib/smtp-connection').SMTPConnection)`;
    const options = {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: {},
      encoding: 'utf8',
    } as const;
    expect(execFileSync(process.execPath, ['-e', script], options)).toBe('function true function\n');
  });
});

describe('TLS', () => {
  it('comes by STARTTLS with a certificate of its own, and the session begins anew (RFC 3207 §4.2)', async () => {
    const sessions: [boolean, unknown, unknown][] = [];
    const { port } = await listening({
      ...OPEN,
      onSecure(socket, { secure, servername }, callback) {
        sessions.push([secure, servername, (socket as TLSSocket).encrypted]);
        callback();
      },
    });
    const client = await Client.greeted(port);
    expect(await client.say(HELLO, 'STARTTLS')).toEqual([
      expect.stringContaining('STARTTLS'),
      '220 Ready to start TLS',
    ]);
    await client.secure({ servername: 'mx.example.com' });
    expect(await client.say(MAIL, HELLO, 'STARTTLS')).toEqual([
      '503 Error: send HELO/EHLO first',
      expect.not.stringContaining('STARTTLS'),
      '503 Error: TLS already active',
    ]);
    expect(sessions).toEqual([[true, 'mx.example.com', true]]);
  });

  it('is refused by onSecure', async () => {
    const { port } = await listening({
      ...OPEN,
      onSecure: (_socket, _session, callback) => callback(new Error('Not with that')),
    });
    const client = await Client.greeted(port);
    await client.say(HELLO, 'STARTTLS');
    await client.secure();
    expect(await client.reply()).toBe('554 Not with that');
  });

  it('is there from the start with secure, by name, and can be renewed', async () => {
    const [first, second, named] = await Promise.all(
      ['first', 'second', 'named'].map((name) => certificate(name)),
    );
    const { server, port } = await listening({
      ...OPEN,
      secure: true,
      ...first,
      sniOptions: { 'named.example.com': { ...named } },
    });
    expect(await subjectAt(port)).toBe('first');
    expect(await subjectAt(port, 'Named.example.com')).toBe('named');
    server.updateSecureContext({ ...second });
    expect(await subjectAt(port)).toBe('second');
  });

  it("keeps its certificate where the next one cannot be used: the key is another's, of another type, or no key", async () => {
    const [first, second, rsa] = await Promise.all([
      certificate('first'),
      certificate('second'),
      certificate('rsa', 'rsa'),
    ]);
    const { server, port } = await listening({ ...OPEN, secure: true, ...first });
    const errors: Error[] = [];
    // Those of a connection have its address.
    server.on('error', (error) => 'remoteAddress' in error || errors.push(error));
    const unusable = [
      { cert: second?.cert, key: rsa?.key },
      { cert: second?.cert, key: first?.key },
      { cert: second?.cert, key: 'none' },
    ];
    for (const [count, each] of unusable.entries()) {
      server.updateSecureContext({ ...each });
      expect(await subjectAt(port)).toBe('first');
      expect(errors).toHaveLength(count + 1);
    }
    expect(errors.slice(0, 2)).toMatchObject([
      { message: "The private key is not the certificate's" },
      { message: "The private key is not the certificate's" },
    ]);
    server.updateSecureContext({ ...second });
    expect(await subjectAt(port)).toBe('second');
  });

  it('drops a client that does not come to the end of its handshake', async () => {
    const { port } = await listening({ secure: true, socketTimeout: 300 });
    const client = await Client.to(port);
    client.write(Uint8Array.of(0x16, 0x03));
    expect(await client.rest()).toBe('');
  });
});

describe('behind a proxy', () => {
  const HEADER = 'PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n';

  it('takes the client from the PROXY header', async () => {
    const { server, port } = await listening({ ...OPEN, useProxy: true });
    const client = await Client.to(port);
    client.write(HEADER);
    expect(await client.reply()).toMatch(/^220 /);
    const [connection] = server.connections;
    expect(connection).toMatchObject({ remoteAddress: '198.51.100.22', remotePort: 35646 });
  });

  it.each(['NOTPROXY garbage line\r\n', `PROXY TCP4 ${'A'.repeat(2048)}\r\n`, 'A'.repeat(1500)])(
    'says so where there is none',
    async (header) => {
      const { port } = await listening({ ...OPEN, useProxy: true });
      const client = await Client.to(port);
      client.write(header);
      expect(await client.rest()).toBe('* BAD Invalid PROXY header\r\n');
    },
  );

  it('expects no header from others than those on the list', async () => {
    const { port } = await listening({ ...OPEN, useProxy: ['192.0.2.1'] });
    expect(await (await Client.to(port)).reply()).toMatch(/^220 /);
  });

  it('drops who sends no header, and holds no more of them than maxClients', async () => {
    const { port } = await listening({ ...OPEN, useProxy: true, maxClients: 1, socketTimeout: 1000 });
    const waiting = await Client.to(port);
    const excess = await Client.to(port);
    expect(await excess.rest()).toBe('');
    expect(await waiting.rest()).toBe('');
  });

  it('takes the client from XCLIENT, and asks onAuth about its LOGIN', async () => {
    const sessions: unknown[] = [];
    const answers = await codes(
      {
        authOptional: true,
        useXClient: true,
        onAuth: ({ method, username }, _session, callback) =>
          callback(null, { user: `${method} ${username}` }),
        onMailFrom(_address, { remoteAddress, clientHostname, user, xClient }, callback) {
          sessions.push({ remoteAddress, clientHostname, user, address: xClient.get('ADDR') });
          callback();
        },
      },
      HELLO,
      'XCLIENT ADDR=192.0.2.1 NAME=client.example.com LOGIN=bob',
      HELLO,
      MAIL,
    );
    expect(answers).toEqual([250, 220, 250, 250]);
    expect(sessions).toEqual([
      {
        remoteAddress: '192.0.2.1',
        clientHostname: 'client.example.com',
        user: 'XCLIENT bob',
        address: '192.0.2.1',
      },
    ]);
  });

  it('takes the origin of the mail from XFORWARD', async () => {
    const seen: unknown[] = [];
    await codes(
      {
        ...OPEN,
        useXForward: ['127.0.0.1'],
        onMailFrom(_address, { remoteAddress, xForward }, callback) {
          seen.push([remoteAddress, xForward.get('ADDR'), xForward.get('NAME')]);
          callback();
        },
      },
      HELLO,
      'XFORWARD ADDR=192.0.2.9 NAME=origin.example.com',
      MAIL,
    );
    expect(seen).toEqual([['192.0.2.9', '192.0.2.9', 'origin.example.com']]);
  });
});
