/** Sockets that others have made as byte streams: the same promises as those of `listen` and `connect`. */
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type ByteStream, serveSession } from '@sansmtp/transport';
import {
  complianceCases,
  startTlsCases,
  type TransportUnderTest,
  upgraded,
} from '@sansmtp/transport/compliance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../connecting/connect.js';
import { eventually, hear } from '../listening.test-support.js';
import { systemClock } from '../system-clock.js';
import { createTlsContext } from '../tls/tls-context.js';
import type { ClientTlsOptions } from '../tls/tls-options.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { streamOf } from './stream-of.js';

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });
const trusting = { verify: true, servername: 'localhost', ca: cert };

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Pairs of a stream of `connect` and one of a socket that `server` gives by `event`. */
function overServer(
  server: Server,
  event: 'connection' | 'secureConnection',
  make: (socket: Socket) => ByteStream,
  tls?: ClientTlsOptions,
): TransportUnderTest {
  let port: number;
  beforeAll(async () => {
    port = await listen(server);
  });
  afterAll(() => server.close());
  return {
    async createPair() {
      const [near, [socket]] = await Promise.all([
        connect({ host: '127.0.0.1', port, ...(tls && { tls }) }),
        once(server, event) as Promise<[Socket]>,
      ]);
      return [make(socket), near];
    },
    moment: () => sleep(2),
    abortReachesPeer: event === 'connection',
  };
}

describe('a socket of a server of your own', () => {
  const transport = overServer(createServer(), 'connection', (socket) => streamOf(socket));
  for (const { name, run } of complianceCases) it(name, () => run(transport));
});

describe('a socket that can start TLS', () => {
  const make = (socket: Socket) => streamOf(socket, { tls: { context } });
  const tls = { mode: 'startTls', ...trusting } as const;
  // The cases begin TLS at their first stream as the client.
  const swapped = (transport: TransportUnderTest): TransportUnderTest => ({
    ...transport,
    async createPair() {
      const [accepted, connected] = await transport.createPair();
      return [connected, accepted];
    },
  });
  const transport = swapped(overServer(createServer(), 'connection', make, tls));
  for (const { name, run } of startTlsCases) it(name, () => run(transport));
  const secured = upgraded(transport);
  for (const { name, run } of complianceCases) it(`started TLS: ${name}`, () => run(secured));
});

describe('a socket with TLS', () => {
  const server = createTlsServer({ cert, key });
  const transport = overServer(server, 'secureConnection', (socket) => streamOf(socket), {
    mode: 'implicit',
    ...trusting,
  });
  for (const { name, run } of complianceCases) it(name, () => run(transport));

  it('tells of it, and cannot start it again', async () => {
    const [accepted, connected] = await transport.createPair();
    expect(accepted.tls).toMatchObject({
      protocol: 'TLSv1.3',
      serverName: 'localhost',
      channelBindings: connected.tls?.channelBindings,
    });
    expect(accepted.canStartTls).toBe(false);
    accepted.abort();
    connected.abort();
  });

  it('is not given a certificate for more, and may be gone already', async () => {
    const [[socket], near] = await Promise.all([
      once(server, 'secureConnection') as Promise<[TLSSocket]>,
      transport.createPair().then(([accepted, connected]) => {
        accepted.abort();
        return connected;
      }),
    ]);
    expect(() => streamOf(socket, { tls: { context } })).toThrow(TypeError);
    await eventually(() => expect(socket.closed).toBe(true));
    expect(streamOf(socket).tls).toBeUndefined();
    near.abort();
  });
});

it('tells of the close of a socket that was gone before', async () => {
  const server = createServer();
  const port = await listen(server);
  const [[socket], near] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    connect({ host: '127.0.0.1', port }),
  ]);
  near.abort();
  socket.on('error', () => undefined);
  await eventually(() => expect(socket.closed).toBe(true));
  const heard = hear(streamOf(socket));
  await eventually(() => expect(heard).toEqual(['close']));
  server.close();
});

it('serves a session over an HTTP upgrade, octets that came with it included', async () => {
  const messages: string[] = [];
  const server = createHttpServer().on('upgrade', (_, socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: smtp\r\nConnection: Upgrade\r\n\r\n');
    socket.unshift(head);
    serveSession(
      streamOf(socket as Socket),
      {
        async onMessage({ body }) {
          const chunks: Uint8Array[] = [];
          for await (const chunk of body) chunks.push(chunk);
          messages.push(Buffer.concat(chunks).toString());
        },
      },
      { hostname: 'mx.example', clock: systemClock },
    );
  });
  const port = await listen(server);
  const upgrade = request({ host: '127.0.0.1', port, headers: { connection: 'Upgrade', upgrade: 'smtp' } });
  upgrade.end();
  const [, socket, head] = (await once(upgrade, 'upgrade')) as [unknown, Socket, Buffer];
  let heard = `${head}`;
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.write(
    'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 5 LAST\r\nHello\r\nQUIT\r\n',
  );
  await once(socket, 'end');
  socket.end();
  expect(heard).toMatch(/^220 mx\.example .*\r\n221 .*\r\n$/s);
  expect(messages).toEqual(['Hello']);
  server.close();
});
