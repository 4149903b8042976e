import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as rawConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { type ByteStream, TlsError } from '@sansmtp/transport';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { connect } from './connecting/connect.js';
import { listen } from './listening/listen.js';
import { eventually, expectNothingLeftOpen, hear, listening, portOf } from './listening.test-support.js';
import { createTlsContext, tlsContextFromFiles } from './tls/tls-context.js';
import type { ClientTlsOptions, ServerTlsOptions } from './tls/tls-options.js';
import { generateCertificate, type TestCertificate } from './tls-certificates.test-support.js';

expectNothingLeftOpen();

const host = '127.0.0.1';
const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

const mail = await generateCertificate('mail.example.com');
const other = await generateCertificate('other.example.com');
const mailContext = createTlsContext(mail);
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A server that gathers its streams and its errors. */
async function serving(tls: Partial<ServerTlsOptions> = {}) {
  const errors: Error[] = [];
  const server = await listening({
    port: 0,
    tls: { mode: 'implicit', context: mailContext, ...tls },
    onError: (error) => errors.push(error),
  });
  const client = (options: Partial<ClientTlsOptions> = {}) =>
    connect({
      host,
      port: portOf(server.listener),
      tls: {
        mode: tls.mode ?? 'implicit',
        verify: true,
        servername: 'mail.example.com',
        ca: mail.cert,
        ...options,
      },
    });
  const finish = async (...streams: ByteStream[]) => {
    for (const stream of streams) stream.abort();
    server.abortStreams();
    await server.listener.close();
  };
  return { ...server, errors, client, finish };
}

describe('a TLS connection', () => {
  it('tells both ends the same of it, and binds both to the same octets', async () => {
    const server = await serving();
    const client = await server.client();
    await eventually(() => expect(server.streams).toHaveLength(1));
    const [atServer, atClient] = [server.streams[0]?.tls, client.tls];
    expect(atClient).toEqual({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      serverName: 'mail.example.com',
      peerCertificate: {
        subject: 'CN=mail.example.com',
        subjectAlternativeNames: ['DNS:mail.example.com'],
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        der: expect.any(Uint8Array),
        chain: [atClient?.peerCertificate?.der],
      },
      channelBindings: {
        'tls-exporter': expect.any(Uint8Array),
        'tls-server-end-point': expect.any(Uint8Array),
      },
    });
    expect(atServer).toEqual({ ...atClient, peerCertificate: undefined });
    expect(atClient?.channelBindings['tls-exporter']).toHaveLength(32);
    expect(atClient?.channelBindings['tls-server-end-point']).toHaveLength(32);
    const second = await server.client();
    expect(second.tls?.channelBindings['tls-exporter']).not.toEqual(
      atClient?.channelBindings['tls-exporter'],
    );
    await server.finish(client, second);
  });

  it('has no tls-exporter before TLS 1.3 (RFC 9266 §4.2)', async () => {
    const server = await serving({ mode: 'startTls' });
    const told: unknown[] = [];
    const socket = rawConnect({ host, port: portOf(server.listener) });
    await eventually(() => expect(server.streams).toHaveLength(1));
    server.streams[0]?.startTls();
    const client = tlsConnect({ socket, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    client.on('secureConnect', () => told.push('secure'));
    await eventually(() => expect(server.heard).toEqual([['secure']]));
    expect(server.streams[0]?.tls?.protocol).toBe('TLSv1.2');
    expect(Object.keys(server.streams[0]?.tls?.channelBindings ?? {})).toEqual(['tls-server-end-point']);
    client.destroy();
    await server.finish();
  });

  it('closes with a reason at what is no TLS record, once it stands', async () => {
    const server = await serving();
    const socket = rawConnect({ host, port: portOf(server.listener) });
    socket.on('error', () => undefined);
    const client = tlsConnect({ socket, rejectUnauthorized: false });
    client.on('error', () => undefined);
    await eventually(() => expect(server.streams).toHaveLength(1));
    // Behind the back of the TLS socket.
    Reflect.get(socket, '_handle').writeUtf8String(
      { oncomplete() {} },
      'MAIL FROM:<attacker@example.com>\r\n',
    );
    await eventually(() => expect(server.heard).toEqual([[expect.stringMatching(/^close: ERR_SSL/)]]));
    client.destroy();
    await server.finish();
  });
});

describe('the server’s certificate', () => {
  it('is the one of the name that the client asks for', async () => {
    const server = await serving({ contexts: { 'Other.Example.com': createTlsContext(other) } });
    const clients: ByteStream[] = [];
    const subjectFor = async (servername: string) => {
      const client = await server.client({ verify: false, servername });
      clients.push(client);
      return client.tls?.peerCertificate?.subject;
    };
    expect(await subjectFor('other.example.com')).toBe('CN=other.example.com');
    expect(await subjectFor('OTHER.example.com')).toBe('CN=other.example.com');
    expect(await subjectFor('mail.example.com')).toBe('CN=mail.example.com');
    expect(await subjectFor('unknown.example.com')).toBe('CN=mail.example.com');
    expect(await subjectFor('127.0.0.1')).toBe('CN=mail.example.com');
    await eventually(() => expect(server.streams).toHaveLength(5));
    expect(server.streams.map(({ tls }) => tls?.serverName?.toLowerCase())).toEqual([
      'other.example.com',
      'other.example.com',
      'mail.example.com',
      'unknown.example.com',
      undefined,
    ]);
    await server.finish(...clients);
  });

  it('is chosen by a function, which may take its time, and fails the handshake by what it throws', async () => {
    const chosen = createTlsContext(other);
    const brokenLater = {
      get secureContext(): never {
        throw new Error('The certificate was deleted');
      },
    };
    const server = await serving({
      async contexts(name) {
        if (name === 'broken.example.com') throw new Error('The store is away');
        if (name === 'later.example.com') return brokenLater;
        return name === 'other.example.com' ? chosen : undefined;
      },
    });
    const clients: ByteStream[] = [];
    for (const [servername, subject] of [
      ['OTHER.example.com', 'CN=other.example.com'],
      ['mail.example.com', 'CN=mail.example.com'],
    ] as const) {
      const client = await server.client({ verify: false, servername });
      clients.push(client);
      expect(client.tls?.peerCertificate?.subject).toBe(subject);
    }
    for (const servername of ['broken.example.com', 'later.example.com']) {
      await expect(server.client({ verify: false, servername })).rejects.toThrow(TlsError);
    }
    await eventually(() => expect(server.streams).toHaveLength(2));
    await server.finish(...clients);
  });

  it('is replaced for the next handshake, while connections go on', async () => {
    const context = createTlsContext(mail);
    const server = await serving({ context });
    const before = await server.client();
    context.replace(other);
    expect(() => context.replace({ cert: mail.cert, key: other.key })).toThrow(TlsError);
    expect(() => context.replace({ cert: 'no certificate', key: other.key })).toThrow(
      /^The certificate and its key cannot be used: /,
    );
    const after = await server.client({ verify: false });
    expect(after.tls?.peerCertificate?.subject).toBe('CN=other.example.com');
    await eventually(() => expect(server.heard).toHaveLength(2));
    hear(before);
    before.write(bytesOf('NOOP\r\n'));
    await eventually(() => expect(server.heard[0]).toEqual(['NOOP\r\n']));
    await server.finish(before, after);
  });

  it('is read again from its files', async () => {
    const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const write = async ({ cert, key }: TestCertificate) => {
      await writeFile(certFile, cert);
      await writeFile(keyFile, key);
    };
    await expect(tlsContextFromFiles(certFile, keyFile)).rejects.toMatchObject({ code: 'ENOENT' });
    await write(mail);
    const context = await tlsContextFromFiles(certFile, keyFile);
    const first = context.secureContext;
    await write({ cert: other.cert, key: mail.key });
    await expect(context.reload()).rejects.toThrow(TlsError);
    expect(context.secureContext).toBe(first);
    await write(other);
    await context.reload();
    expect(context.secureContext).not.toBe(first);
  });
});

describe("a key that is not the certificate's", () => {
  const types = ['rsa', 'ec'] as const;
  const pairs = types.flatMap((certificate) => types.map((key) => ({ certificate, key })));

  it.each(pairs)(
    'is refused: a certificate for a key of type $certificate, a key of type $key',
    async (types) => {
      const [own, other] = await Promise.all([
        generateCertificate('mail.example.com', { keyType: types.certificate, keySize: 2048 }),
        generateCertificate('mail.example.com', { keyType: types.key, keySize: 2048 }),
      ]);
      expect(() => createTlsContext({ cert: own.cert, key: other.key })).toThrow(TlsError);
      const context = createTlsContext(own);
      const before = context.secureContext;
      expect(() => context.replace({ cert: own.cert, key: other.key })).toThrow(
        "the private key is not the certificate's",
      );
      expect(context.secureContext).toBe(before);
    },
  );
});

describe('verification of the server', () => {
  const expired = generateCertificate('mail.example.com', {
    notBeforeDate: new Date('2020-01-01'),
    notAfterDate: new Date('2020-02-01'),
  });

  it.each([
    ['an authority that nobody knows', mail, {}, 'DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed certificate/],
    [
      'a certificate for another name',
      other,
      { ca: other.cert },
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /mail\.example\.com/,
    ],
    ['a certificate that has expired', expired, { ca: expired }, 'CERT_HAS_EXPIRED', /expired/],
  ])('refuses %s, and says so; or goes on and tells of it', async (_, certificate, settings, code, words) => {
    const context = createTlsContext(await certificate);
    const server = await serving({ context });
    const ca = 'ca' in settings ? settings.ca : undefined;
    const pem = ca instanceof Promise ? (await ca).cert : (ca ?? (await generateCertificate('nobody')).cert);
    const attempt = server.client({ ca: pem });
    await expect(attempt).rejects.toBeInstanceOf(TlsError);
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
    const unverified = await server.client({ ca: pem, verify: false });
    expect(unverified.tls?.peerCertificate?.distrust).toBe(code);
    await server.finish(unverified);
  });

  it('verifies an address where the host is one, and does not send it as a name', async () => {
    const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
    const numeric = await generateCertificate('numeric', {
      extensions: [{ name: 'subjectAltName', altNames }],
    });
    const { listener, streams, abortStreams } = await listening({
      port: 0,
      tls: { mode: 'implicit', context: createTlsContext(numeric) },
    });
    const tls = { mode: 'implicit', verify: true, ca: numeric.cert } as const;
    const client = await connect({ host, port: portOf(listener), tls });
    expect(client.tls?.peerCertificate?.distrust).toBeUndefined();
    await eventually(() => expect(streams).toHaveLength(1));
    expect([client.tls?.serverName, streams[0]?.tls?.serverName]).toEqual([undefined, undefined]);
    client.abort();
    abortStreams();
    await listener.close();
  });

  it('needs a name', async () => {
    const attempt = connect({ path: join(directory, 'nobody'), tls: { mode: 'startTls', verify: true } });
    await expect(attempt).rejects.toThrow(TypeError);
  });

  it('sends nothing to a server that it refuses', async () => {
    const server = await serving({ mode: 'startTls' });
    const client = await server.client({ ca: other.cert });
    const heard = hear(client);
    await eventually(() => expect(server.streams).toHaveLength(1));
    server.streams[0]?.startTls();
    client.startTls();
    client.write(bytesOf('AUTH PLAIN secret\r\n'));
    await eventually(() => expect(heard).toEqual(['close: DEPTH_ZERO_SELF_SIGNED_CERT']));
    await eventually(() => expect(server.open()).toBe(0));
    expect(server.heard.flat().join()).not.toContain('secret');
    await server.finish();
  });

  it('closes with a TlsError when its own certificate cannot be used', async () => {
    const server = await serving();
    await expect(server.client({ cert: mail.cert, key: other.key })).rejects.toThrow(TlsError);
    await server.finish();
  });
});

it('tells the certificates that the peer sent, its own first', async () => {
  const authority = await generateCertificate('authority.example.com', {
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const issued = await generateCertificate('mail.example.com', {
    ca: { cert: authority.cert, key: authority.key },
  });
  const context = createTlsContext({ cert: `${issued.cert}\n${authority.cert}`, key: issued.key });
  const server = await serving({ context });
  const client = await server.client({ verify: false });
  const sent = [issued, authority].map(({ cert }) => new Uint8Array(new X509Certificate(cert).raw));
  expect(client.tls?.peerCertificate?.chain).toEqual(sent);
  await server.finish(client);
});

describe('the client’s certificate', () => {
  it('is told to the server that asks for it, with what is wrong with it', async () => {
    const context = createTlsContext({ ...mail, ca: other.cert });
    const server = await serving({ context, requestClientCertificate: true });
    const trusted = await server.client(other);
    const stranger = await server.client(await generateCertificate('stranger.example.com'));
    const without = await server.client();
    await eventually(() => expect(server.streams).toHaveLength(3));
    const certificates = server.streams.map(({ tls }) => tls?.peerCertificate);
    expect(certificates).toEqual([
      expect.objectContaining({ subject: 'CN=other.example.com' }),
      expect.objectContaining({
        subject: 'CN=stranger.example.com',
        distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      }),
      undefined,
    ]);
    expect(certificates[0]).not.toHaveProperty('distrust');
    await server.finish(trusted, stranger, without);
  });
});

describe('a handshake that fails', () => {
  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s (RFC 8996)', async (version) => {
    const server = await serving();
    const client = tlsConnect({
      host,
      port: portOf(server.listener),
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    const codes: unknown[] = [];
    client.on('error', (error) => codes.push(Reflect.get(error, 'code')));
    await eventually(() => expect(codes).toEqual(['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION']));
    await eventually(() =>
      expect(server.errors).toEqual([expect.objectContaining({ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' })]),
    );
    await server.finish();
  });

  it('speaks TLS 1.2 unless told otherwise, and nothing older than it is told', async () => {
    const server = await serving({ context: createTlsContext({ ...mail, minVersion: 'TLSv1.3' }) });
    const socket = tlsConnect({
      host,
      port: portOf(server.listener),
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined);
    await eventually(() => expect(server.errors).toHaveLength(1));
    await server.finish();
  });

  it('is told with a reason that can be read', async () => {
    const server = await serving();
    const socket = rawConnect({ host, port: portOf(server.listener) });
    socket.on('error', () => undefined);
    socket.write('EHLO client.example.com\r\n');
    await eventually(() =>
      expect(server.errors).toEqual([
        expect.objectContaining({
          name: 'TlsError',
          code: 'ERR_SSL_WRONG_VERSION_NUMBER',
          message: 'The TLS handshake failed: wrong version number',
        }),
      ]),
    );
    expect(server.streams).toEqual([]);
    socket.destroy();
    await server.finish();
  });

  it('never delivers what a server sends in the clear behind its 220 (CVE-2011-0411)', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 go\r\n');
      // Not before the client has begun its handshake: in one chunk with the 220 it would be for the session to see.
      socket.once('data', () => socket.write('250 injected\r\n'));
    }).listen(0, host);
    await eventually(() => expect(server.listening).toBe(true));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const client = await connect({ host, port, tls: { mode: 'startTls', verify: false } });
    const heard: string[] = [];
    client.open({
      data: (bytes) => {
        heard.push(new TextDecoder().decode(bytes));
        client.startTls();
      },
      end: () => heard.push('end'),
      drain: () => heard.push('drain'),
      secure: () => heard.push('secure'),
      close: (reason) => heard.push(`close: ${reason?.name}`),
    });
    await eventually(() => expect(heard).toEqual(['220 go\r\n', 'close: TlsError']));
    server.close();
  });

  it('leaves nothing, wherever the client cuts it off', async () => {
    // What a real client says first, to be cut.
    const recorded: Buffer[] = [];
    const recorder = createServer((socket) => {
      socket.on('error', () => undefined).on('data', (bytes) => recorded.push(bytes));
    }).listen(0, host);
    await eventually(() => expect(recorder.listening).toBe(true));
    const address = recorder.address();
    const probe = tlsConnect({ host, port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    probe.on('error', () => undefined);
    await eventually(() => expect(recorded.length).toBeGreaterThan(0));
    probe.destroy();
    recorder.close();
    const hello = Buffer.concat(recorded);

    const server = await serving();
    const sockets: Socket[] = [];
    for (let count = 0; count < 200; count++) {
      const socket = rawConnect({ host, port: portOf(server.listener) });
      sockets.push(socket);
      socket.on('error', () => undefined).resume();
      const cut = [0, 1, 5, 6, 50, hello.length - 1, hello.length][count % 7] ?? 0;
      socket.on('connect', () => {
        if (cut > 0) socket.write(hello.subarray(0, cut));
        if (count % 2 === 0) socket.end();
        else setTimeout(() => socket.resetAndDestroy(), count % 5);
      });
    }
    // A reset may come before the connection was accepted, which then is no error; an end may not.
    await eventually(() => expect(server.errors.length).toBeGreaterThanOrEqual(100));
    await eventually(() => expect(sockets.every(({ destroyed }) => destroyed)).toBe(true));
    expect(server.errors.every((error) => error instanceof TlsError)).toBe(true);
    expect(server.streams).toEqual([]);
    await server.finish();
  });

  it('leaves nothing after 200 of them by STARTTLS', async () => {
    const server = await serving({ mode: 'startTls' });
    const closes: (Error | undefined)[] = [];
    for (let count = 0; count < 200; count++) {
      const client = await server.client({ ca: other.cert });
      client.open({
        data: () => undefined,
        end: () => undefined,
        drain: () => undefined,
        secure: () => undefined,
        close: (reason) => closes.push(reason),
      });
      await eventually(() => expect(server.streams.length).toBe(count + 1));
      server.streams[count]?.startTls();
      client.startTls();
    }
    await eventually(() => expect(closes).toHaveLength(200));
    expect(closes.every((reason) => reason instanceof TlsError)).toBe(true);
    await server.finish();
    await eventually(() => expect(server.open()).toBe(0));
  });

  it('is given up after its time, at either end', async () => {
    const server = await serving({ handshakeTimeout: 20 });
    const socket = rawConnect({ host, port: portOf(server.listener) });
    socket.on('error', () => undefined).resume();
    await eventually(() =>
      expect(server.errors).toEqual([
        expect.objectContaining({
          code: 'ETIMEDOUT',
          message: 'The TLS handshake did not end in 20 ms',
        }),
      ]),
    );
    await server.finish();

    const silent = await listening({ port: 0 });
    const tls = { mode: 'implicit', verify: false, handshakeTimeout: 20 } as const;
    await expect(connect({ host, port: portOf(silent.listener), tls })).rejects.toMatchObject({
      name: 'TlsError',
      code: 'ETIMEDOUT',
    });
    await eventually(() => expect(silent.open()).toBe(1));
    silent.abortStreams();
    await silent.listener.close();
  });

  it('has 60 s unless told otherwise, and leaves no timer when it stands', async () => {
    const server = await serving({ mode: 'startTls' });
    const socket = rawConnect({ host, port: portOf(server.listener) });
    socket.on('error', () => undefined).resume();
    await eventually(() => expect(server.streams).toHaveLength(1));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    server.streams[0]?.startTls();
    // The last five seconds by themselves.
    for (const part of [55_000, 5_000]) {
      vi.advanceTimersByTime(part - 1);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount()).toBe(0);
      await new Promise(setImmediate);
    }
    vi.useRealTimers();
    await eventually(() => expect(server.heard).toEqual([['close: ETIMEDOUT']]));
    await server.finish();
  });

  it('is given up when the listener closes, or the signal says so', async () => {
    const server = await serving();
    const socket = rawConnect({ host, port: portOf(server.listener) });
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.on('error', () => undefined).resume();
    await new Promise((resolve) => socket.on('connect', resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await server.finish();
    await eventually(() => expect(closed).toBe(true));
    expect(server.errors).toEqual([]);

    const silent = await listening({ port: 0 });
    const controller = new AbortController();
    const attempt = connect({
      host,
      port: portOf(silent.listener),
      signal: controller.signal,
      tls: { mode: 'implicit', verify: false },
    });
    await eventually(() => expect(silent.streams).toHaveLength(1));
    const reason = new Error('Not needed any more');
    controller.abort(reason);
    await expect(attempt).rejects.toBe(reason);
    silent.abortStreams();
    await silent.listener.close();
  });

  it('is no error of a listener without onError', async () => {
    const listener = await listen(
      { port: 0, tls: { mode: 'implicit', context: mailContext } },
      () => undefined,
    );
    const socket = rawConnect({ host, port: portOf(listener) });
    let closed = false;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        closed = true;
      });
    socket.resume().write('QUIT\r\n');
    await eventually(() => expect(closed).toBe(true));
    await listener.close();
  });
});
