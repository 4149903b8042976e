import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerHandlers, TlsError } from '@sansmtp/transport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../listening.test-support.js';
import { createTlsContext } from '../tls/tls-context.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import type { ListenerAddress } from './listen.js';
import { type MailServer, type MailServerOptions, startMailServer } from './mail-server.js';

interface Client {
  readonly socket: Socket;
  received: string;
  readonly closed: Promise<void>;
}

const discarding: ServerHandlers = { onMessage() {} };

async function serverOf(
  handlers = discarding,
  maximumConnections = 10,
  linger = 50,
): Promise<MailServer & { excess: number }> {
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers,
    session: { timeouts: { linger } },
    maximumConnections,
    onExcess: () => counted.excess++,
  });
  const counted = Object.assign(server, { excess: 0 });
  onTestFinished(() => server.shutdown(0));
  return counted;
}

/** Connects, says something, and waits for what matches. */
async function client(
  server: { readonly addresses: readonly (ListenerAddress | undefined)[] },
  words: string,
  awaited: RegExp,
): Promise<Client> {
  const [address] = server.addresses;
  const socket = connect(address?.kind === 'tcp' ? { port: address.port } : { path: address?.path ?? '' });
  onTestFinished(() => {
    socket.destroy();
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const client: Client = { socket, received: '', closed };
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      client.received += bytes;
      if (awaited.test(client.received)) resolve();
    });
    socket.on('error', () => resolve());
    socket.write(words);
  });
  return client;
}

const UNTIL_DATA = 'EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n';

describe('a mail server', () => {
  it('listens on all addresses, or on none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'server-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const options = { handlers: discarding };
    const server = await startMailServer({ ...options, addresses: [{ port: 0 }, { path }] });
    onTestFinished(() => server.shutdown(0));
    expect(server.addresses).toEqual([
      { kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) },
      { kind: 'unix', path },
    ]);

    const other = join(folder, 'other');
    await expect(
      startMailServer({ ...options, addresses: [{ path: other }, { path }] }),
    ).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await expect(new Promise((_, reject) => connect(other).on('error', reject))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('listens nowhere when the sessions could not be had as wished', async () => {
    const starting = startMailServer({
      addresses: [{ port: 0 }],
      handlers: discarding,
      session: { hostname: 'no host name' },
    });
    await expect(starting).rejects.toThrow(RangeError);
  });

  it('counts the connections of all its addresses', async () => {
    const server = await startMailServer({
      addresses: [{ port: 0 }, { port: 0 }],
      handlers: discarding,
      session: { timeouts: { linger: 50 } },
      maximumConnections: 1,
    });
    onTestFinished(() => server.shutdown(0));
    const [first, second] = server.addresses;
    expect((await client({ addresses: [first] }, '', /\r\n/)).received).toMatch(/^220 /);
    expect((await client({ addresses: [second] }, '', /\r\n/)).received).toMatch(/^421 4\.3\.2 /);
  });

  it('serves as many as the limit allows, and tells the next 421 4.3.2', async () => {
    const server = await serverOf(discarding, 2);
    const [first] = await Promise.all([client(server, '', /^220 /), client(server, '', /^220 /)]);
    const third = await client(server, '', /\r\n/);
    await third.closed;
    expect(third.received).toMatch(/^421 4\.3\.2 /);
    expect(server.excess).toBe(1);

    first.socket.end('QUIT\r\n');
    await first.closed;
    expect((await client(server, '', /\r\n/)).received).toMatch(/^220 /);
  });

  it('drops who connects while a hundred are being told so', async () => {
    const server = await serverOf(discarding, 1, 20_000);
    await client(server, '', /^220 /);
    const [address] = server.addresses;
    const port = address?.kind === 'tcp' ? address.port : 0;
    // They hear the 421 and do not close, so each is kept until `linger` is over.
    const told = Array.from({ length: 100 }, () => connect({ port, allowHalfOpen: true }));
    onTestFinished(() => {
      for (const socket of told) socket.destroy();
    });
    const greetings = await Promise.all(told.map(async (socket) => String((await once(socket, 'data'))[0])));
    expect(greetings.every((greeting) => greeting.startsWith('421 4.3.2 '))).toBe(true);
    const next = await client(server, 'NOOP\r\n', /\r\n/);
    await next.closed;
    expect(next.received).toBe('');
  });

  it('tells those who wait 421 4.3.2 when it shuts down, and is done when they are gone', async () => {
    const server = await serverOf();
    const clients = await Promise.all([client(server, '', /^220 /), client(server, 'EHLO c\r\n', /^250 /m)]);
    await server.shutdown(10_000);
    for (const { closed, received } of clients) {
      await closed;
      expect(received).toMatch(/^421 4\.3\.2 /m);
    }
  });

  it('lets a message under way finish', async () => {
    const server = await serverOf();
    const { socket, closed } = await client(server, UNTIL_DATA, /^354 /m);
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes;
    });
    const done = server.shutdown(10_000);
    socket.end('a\r\n.\r\n');
    await done;
    await closed;
    expect(received).toMatch(/^250 2\.0\.0 .*\r\n421 4\.3\.2 .*\r\n$/);
  });

  it('waits no longer than the grace for it: the client is told 421 4.3.2 (RFC 5321 §3.8), the application too', async () => {
    let abandoned: unknown;
    const server = await serverOf({
      async onMessage({ body }) {
        try {
          for await (const _ of body);
        } catch (error) {
          abandoned = error;
          throw error;
        }
      },
    });
    const silent = await client(server, UNTIL_DATA, /^354 /m);
    const begin = performance.now();
    await server.shutdown(500);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(499);
    await silent.closed;
    expect(silent.received).toMatch(/^354 .*\r\n421 4\.3\.2 .*\r\n$/m);
    expect(abandoned).toMatchObject({ name: 'MailDataAbandonedError', reason: 'closed' });
  });

  it('aborts who does not close then either, as long again after the grace', async () => {
    const server = await serverOf({ onMessage: () => new Promise(() => undefined) }, 10, 60_000);
    const undecided = await client(server, `${UNTIL_DATA}.\r\n`, /^354 /m);
    const begin = performance.now();
    await server.shutdown(100);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(199);
    await undecided.closed;
    expect(undecided.received).toMatch(/^354 .*\r\n$/m);
  });
});

describe('what is different at an address', () => {
  async function started(options: MailServerOptions): Promise<MailServer> {
    const server = await startMailServer(options);
    onTestFinished(() => server.shutdown(0));
    return server;
  }

  const at = (server: MailServer, index: number) => ({ addresses: [server.addresses[index]] });

  it('is its protocol, what it asks for, and its TLS: STARTTLS is offered where it can be had', async () => {
    const context = createTlsContext(await generateCertificate('localhost'));
    const server = await started({
      addresses: [
        { port: 0, tls: { mode: 'startTls', context } },
        { port: 0, session: { protocol: 'lmtp' } },
        { port: 0, session: { authentication: { required: true, mechanisms: [] } } },
      ],
      handlers: discarding,
      session: { hostname: 'mail.example' },
    });
    expect((await client(at(server, 0), 'EHLO c\r\n', /250 /)).received).toContain('STARTTLS\r\n');
    const lmtp = await client(at(server, 1), 'LHLO c\r\n', /250 /);
    expect(lmtp.received).toMatch(/^220 mail\.example .*\r\n250-mail\.example /);
    expect(lmtp.received).not.toContain('STARTTLS');
    expect((await client(at(server, 2), 'EHLO c\r\nMAIL FROM:<>\r\n', /530 /)).received).toContain(
      '530 5.7.0',
    );
  });

  it('is how strictly it reads: commands, bare LFs, and the length of lines', async () => {
    const bodies: string[] = [];
    const server = await started({
      addresses: [
        { port: 0 },
        {
          port: 0,
          session: {
            lenient: true,
            bareNewline: 'normalize',
            maximumTextLineLength: Number.POSITIVE_INFINITY,
          },
        },
      ],
      handlers: {
        onMessage: async ({ body }) => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of body) chunks.push(chunk);
          bodies.push(`${Buffer.concat(chunks)}`);
        },
      },
      session: { maximumTextLineLength: 20 },
    });
    const commands = 'MAIL FROM:a@b\r\nEHLO c\r\nQUIT now\r\nNOOP\r\n';
    const message = (text: string) => `${UNTIL_DATA}${text}\r\n.\r\n`;
    const long = 'x'.repeat(30);
    const strict = at(server, 0);
    expect((await client(strict, commands, /250 2\.0\.0 OK/)).received).toMatch(
      /^501 5\.1\.7 [\s\S]*^501 5\.5\.4 /m,
    );
    expect((await client(strict, message('a\nb'), /554 /)).received).toContain('ends in LF alone');
    expect((await client(strict, message(long), /554 /)).received).toContain('more than 20 octets');
    const lenient = at(server, 1);
    expect((await client(lenient, commands, /221 /)).received).toMatch(/^250 2\.1\.0 [\s\S]*^221 /m);
    await client(lenient, message(`a\nb\r\n${long}`), /250 2\.0\.0 /);
    expect(bodies).toEqual([`a\r\nb\r\n${long}\r\n`]);
  });

  it('is wrong at once if it is wrong at all', async () => {
    const wrong = { addresses: [{ port: 0, session: { maximumErrors: 0 } }], handlers: discarding };
    await expect(startMailServer(wrong)).rejects.toThrow('maximumErrors');
    const nobody = { addresses: [{ port: 0 }], handlers: discarding, trusted: ['everybody'] };
    await expect(startMailServer(nobody)).rejects.toThrow(RangeError);
  });

  it('tells onClose why the handshake of STARTTLS failed (RFC 3207 §4.1)', async () => {
    const context = createTlsContext(await generateCertificate('localhost'));
    let reason: Error | undefined;
    const server = await started({
      addresses: [{ port: 0, tls: { mode: 'startTls', context } }],
      handlers: {
        ...discarding,
        onClose: (_, why) => {
          reason = why;
        },
      },
    });
    const { socket } = await client(server, 'EHLO c\r\nSTARTTLS\r\n', /220 [\s\S]*220 /);
    socket.write('no ClientHello\r\n');
    await eventually(() => expect(reason).toBeInstanceOf(TlsError));
    expect(reason).toMatchObject({
      code: 'ERR_SSL_WRONG_VERSION_NUMBER',
      message: 'The TLS handshake failed: wrong version number',
    });
  });

  it('tells handlers whom a trusted peer speaks for (XCLIENT), and believes nobody else', async () => {
    const seen: (string | undefined)[] = [];
    const handlers: ServerHandlers = {
      ...discarding,
      onConnect: ({ peer }) => {
        seen.push(peer.address);
      },
    };
    const addresses = [{ port: 0 }];
    const trusting = await started({ addresses, handlers, trusted: ['127.0.0.0/8'] });
    const wary = await started({ addresses, handlers, trusted: ['192.0.2.1'] });
    const words = 'EHLO c\r\nXCLIENT ADDR=192.0.2.7 NAME=client.example\r\n';
    await client(trusting, words, /220 [\s\S]*220 /);
    expect(seen).toEqual(['127.0.0.1', '192.0.2.7']);
    const refused = await client(wary, words, /550 /);
    expect(refused.received).not.toContain('XCLIENT');
    expect(seen).toEqual(['127.0.0.1', '192.0.2.7', '127.0.0.1']);
  });
});
