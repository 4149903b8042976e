import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { openSession } from '@sansmtp/transport';
import { connect, createTlsContext, startMailServer, systemClock } from '@sansmtp/transport-node';
import { createProxy } from 'proxy';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run, listen } = examplesOf('README.md', 'docs/embedding.md');

it('parses a message while it arrives, by two parsers', async () => {
  const { port, until } = await listen('parse');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(postal-mime: .*)\n/)).toBe('postal-mime: hello (My first message.)');
  expect(await until(/(mailparser: .*)\n/)).toBe('mailparser: hello (My first message.)');
}, 20_000);

it('tests an application with nodemailer and no port', async () => {
  expect(await run('memory')).toMatch(/^250 .*\n2 recipients, Subject: hello\n$/);
}, 20_000);

it('delivers over web streams, with nothing of Node', async () => {
  expect(await run('worker')).toBe('From one Worker to another\ndelivered\n');
}, 20_000);

it('serves SMTP on the port of an HTTP server', async () => {
  const { port, until } = await listen('upgrade');
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('Speak SMTP here');
  const upgrade = request({ host: '127.0.0.1', port, headers: { connection: 'Upgrade', upgrade: 'smtp' } });
  upgrade.end();
  const [, socket, head] = (await once(upgrade, 'upgrade')) as [unknown, Socket, Buffer];
  socket.unshift(head);
  const session = await openSession(await connect({ socket }), { hostname: 'c.example', clock: systemClock });
  const address = { localPart: 'ann', domain: 'example.org' };
  const envelope = { reversePath: address, recipients: [address] };
  expect(await session.send(envelope, 'Over HTTP\n')).toMatchObject([{ verdict: 'delivered' }]);
  await session.quit();
  await until(/(Over HTTP)/);
}, 20_000);

it('serves clients of HTTP and of SMTP on one port', async () => {
  const { port, until } = await listen('shared', { SILENCE: '2000' });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('Mail and web on one port\n');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\ndelivered 250\n');
  await until(/(My first message\.)/);
}, 60_000);

describe('through a proxy', () => {
  const servers: Server[] = [];
  let port: string;
  let ca: string;

  beforeAll(async () => {
    const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    ca = pair.cert;
    const context = createTlsContext({ cert: pair.cert, key: pair.private });
    const server = await startMailServer({
      addresses: [{ host: '127.0.0.1', port: 0, tls: { mode: 'startTls', context } }],
      session: { hostname: 'localhost', startTls: 'offered' },
      handlers: { onMessage() {} },
    });
    const { port: number } = server.addresses[0] as { port: number };
    port = String(number);
    return () => server.shutdown(1000);
  });

  afterAll(() => {
    for (const server of servers) server.close();
  });

  async function listening(server: Server): Promise<number> {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Lets in who is `test`, with the password `pest`, like the one of nodemailer's own tests. */
  async function httpProxy(): Promise<number> {
    const server = createProxy(createHttpServer());
    server.authenticate = (request) => request.headers['proxy-authorization'] === 'Basic dGVzdDpwZXN0';
    return listening(server);
  }

  it.each(['', 'CA'])(
    'of HTTP, with a password, and %s',
    async (tls) => {
      const PROXY = `http://test:pest@127.0.0.1:${await httpProxy()}`;
      const printed = await run('proxy', { PORT: port, PROXY, ...(tls && { CA: ca }) });
      expect(printed).toBe(tls ? 'delivered TLSv1.3\n' : 'delivered in the clear\n');
    },
    20_000,
  );

  it.each(['', 'CA'])(
    'of SOCKS %s',
    async (tls) => {
      const PROXY = `socks5://127.0.0.1:${await listening(socksProxy())}`;
      const printed = await run('proxy', { PORT: port, PROXY, ...(tls && { CA: ca }) });
      expect(printed).toBe(tls ? 'delivered TLSv1.3\n' : 'delivered in the clear\n');
    },
    20_000,
  );
});

/** As much of SOCKS 5 (RFC 1928) as it takes to connect to an IPv4 address, without authentication. */
function socksProxy(): Server {
  return createServer((client) => {
    client.on('error', () => {});
    client.once('data', () => {
      client.write(Uint8Array.of(5, 0));
      client.once('data', (asked: Buffer) => {
        const target = connectSocket(asked.readUInt16BE(8), asked.subarray(4, 8).join('.'), () => {
          client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          client.pipe(target).pipe(client);
        }).on('error', () => client.destroy());
      });
    });
  });
}
