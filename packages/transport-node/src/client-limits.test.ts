/**
 * What one client may take of a server. The clients are addresses of loopback, which count only where a limit is given.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { TlsError } from '@sansmtp/transport';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ConnectionLimiter } from './listening/connection-limiter.js';
import {
  type Excess,
  type MailServer,
  type MailServerOptions,
  startMailServer,
} from './listening/mail-server.js';
import { eventually } from './listening.test-support.js';
import { createTlsContext } from './tls/tls-context.js';
import { generateCertificate } from './tls-certificates.test-support.js';

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });

async function serverOf(options: Partial<MailServerOptions> = {}): Promise<MailServer> {
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: { onMessage() {} },
    ...options,
  });
  onTestFinished(() => server.shutdown(0));
  return server;
}

type Client = Socket & { heard: string };

/** Connects from this address, says something, and writes down what it hears. */
function client({ addresses: [address] }: MailServer, localAddress = '127.0.0.1', words = ''): Client {
  const port = address?.kind === 'tcp' ? address.port : 0;
  const socket = Object.assign(connectSocket({ host: '127.0.0.1', port, localAddress }), { heard: '' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    socket.heard += bytes;
  });
  socket.write(words);
  return socket;
}

const greeted = (socket: Client) => eventually(() => expect(socket.heard).toMatch(/^\d{3} .*\r\n/));

describe('connections of one client', () => {
  it('have a limit, beyond which it is told 421 4.7.0 and others are served', async () => {
    const excesses: Excess[] = [];
    const server = await serverOf({
      maximumConnectionsPerClient: 2,
      session: { timeouts: { linger: 50 } },
      onExcess: (excess) => excesses.push(excess),
    });
    const [first, second] = [client(server), client(server)];
    await greeted(first);
    await greeted(second);
    const third = client(server);
    await greeted(third);
    expect(third.heard).toBe('421 4.7.0 Too many connections from your address; try again later\r\n');
    expect(excesses).toMatchObject([
      { limit: 'maximumConnectionsPerClient', peer: { address: '127.0.0.1' } },
    ]);
    const other = client(server, '127.0.0.2');
    await greeted(other);
    expect(other.heard).toMatch(/^220 /);

    first.end('QUIT\r\n');
    await eventually(() => expect(first.closed).toBe(true));
    await eventually(async () => {
      const again = client(server);
      await greeted(again);
      expect(again.heard).toMatch(/^220 /);
    });
  });

  it('are counted for the client that a proxy speaks for', async () => {
    const server = await serverOf({
      addresses: [{ port: 0, proxied: { isTrusted: () => true } }],
      maximumConnectionsPerClient: 1,
    });
    const header = (address: string) => `PROXY TCP6 ${address} 2001:db8::1 1000 25\r\n`;
    const first = client(server, '127.0.0.1', header('2001:db8:0:1::1'));
    await greeted(first);
    expect(first.heard).toMatch(/^220 /);
    const sameNetwork = client(server, '127.0.0.1', header('2001:db8:0:1::2'));
    const otherNetwork = client(server, '127.0.0.1', header('2001:db8:0:2::1'));
    await greeted(sameNetwork);
    await greeted(otherNetwork);
    expect(sameNetwork.heard).toMatch(/^421 4\.7\.0 /);
    expect(otherNetwork.heard).toMatch(/^220 /);
  });

  it('are a hundred by default, but any number of loopback and of trusted peers', async () => {
    const addresses = [{ port: 0, proxied: { isTrusted: () => true } }];
    const server = await serverOf({ addresses, trusted: ['192.0.2.25'] });
    const all = async (address: string) => {
      const words = `PROXY TCP4 ${address} 192.0.2.1 1000 25\r\n`;
      const clients = Array.from({ length: 101 }, () => client(server, '127.0.0.1', words));
      await Promise.all(clients.map(greeted));
      const refused = clients.filter(({ heard }) => heard.startsWith('421 4.7.0 ')).length;
      for (const each of clients) each.destroy();
      return refused;
    };
    expect(await all('192.0.2.2')).toBe(1);
    expect(await all('127.0.0.9')).toBe(0);
    expect(await all('192.0.2.25')).toBe(0);
  });
});

describe('handshakes under way', () => {
  it.each([
    ['implicit TLS', 'implicit', ''],
    ['STARTTLS', 'startTls', 'EHLO c.example\r\nSTARTTLS\r\n'],
  ] as const)(
    'of %s beyond the limit: the oldest of the client with most gives way',
    async (_, mode, words) => {
      const errors: Error[] = [];
      const lost: Error[] = [];
      const server = await serverOf({
        addresses: [{ port: 0, tls: { mode, context }, onError: (error) => errors.push(error) }],
        handlers: {
          onMessage() {},
          onClose(_information, reason) {
            if (reason instanceof TlsError) lost.push(reason);
          },
        },
        maximumArriving: 3,
      });
      const begun = async (localAddress?: string) => {
        const socket = client(server, localAddress, words);
        if (mode === 'startTls') await eventually(() => expect(socket.heard).toContain('220 2.0.0 '));
        else await eventually(() => expect(socket.connecting).toBe(false));
        return socket;
      };
      const flooding: Client[] = [];
      for (let count = 0; count < 3; count += 1) flooding.push(await begun());
      const honest = await begun('127.0.0.2');
      const secured = connectTls({ socket: honest, rejectUnauthorized: false });
      onTestFinished(() => void secured.destroy());
      await eventually(() => expect(secured.getProtocol()).toMatch(/^TLSv1/));
      await eventually(() =>
        expect([...errors, ...lost]).toEqual([expect.objectContaining({ code: 'HANDSHAKE_GAVE_WAY' })]),
      );
      await eventually(() => expect(flooding.map(({ closed }) => closed)).toEqual([true, false, false]));
    },
  );
});

describe('the clock', () => {
  const slow = 'EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n';

  it('does not end sessions of loopback, unless that was asked for', async () => {
    const spared = client(
      await serverOf({ session: { timeouts: { mailData: 400, idle: 400 } } }),
      '127.0.0.1',
      slow,
    );
    await eventually(() => expect(spared.heard).toContain('421'));
    // Silence, which ends any session, and no least rate.
    expect(spared.heard).toContain('421 4.4.2 No mail data for too long');

    const timed = client(await serverOf({ session: { timeouts: { session: 200 } } }));
    await eventually(() => expect(timed.heard).toContain('421 4.7.0 The session has lasted too long'));
  });
});

describe('a limiter of the application', () => {
  const limiterOf = (limiter: Partial<ConnectionLimiter>) => ({
    connectionLimiter: { enter: () => undefined, leave: () => {}, ...limiter },
  });

  it('is asked who may enter, may take its time, and hears who leaves', async () => {
    const calls: unknown[] = [];
    const server = await serverOf({
      maximumConnectionsPerClient: 7,
      ...limiterOf({
        async enter(...given) {
          calls.push(given);
          await new Promise((resolve) => setTimeout(resolve, 5));
          return calls.length === 1 ? undefined : 'maximumConnections';
        },
        leave: (who) => calls.push(who),
      }),
    });
    const first = client(server, '127.0.0.1', 'QUIT\r\n');
    await greeted(first);
    expect(first.heard).toMatch(/^220 /);
    await eventually(() => expect(calls).toEqual([['127.0.0.1', 7], '127.0.0.1']));
    const second = client(server);
    await greeted(second);
    expect(second.heard).toMatch(/^421 4\.3\.2 Too many connections/);
    await server.shutdown(0);
    // Who was not served does not leave.
    expect(calls).toHaveLength(3);
  });

  it('has its clients dropped where it fails, and says so', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => complaint.mockRestore());
    const server = await serverOf(limiterOf({ enter: () => Promise.reject(new Error('nobody answers')) }));
    const dropped = client(server);
    await eventually(() => expect(dropped.closed).toBe(true));
    expect(dropped.heard).toBe('');
    expect(complaint).toHaveBeenCalledWith('sansmtp: connectionLimiter threw:', new Error('nobody answers'));
    expect(server.connections.size).toBe(0);
  });

  it('may still answer while the server goes down: who comes so late is told 421', async () => {
    let admit: () => void = () => {};
    const answer = new Promise<undefined>((resolve) => {
      admit = () => resolve(undefined);
    });
    const enter = vi.fn(() => answer);
    const server = await serverOf(limiterOf({ enter }));
    const late = client(server);
    await eventually(() => expect(enter).toHaveBeenCalled());
    const down = server.shutdown(5_000);
    admit();
    await down;
    await eventually(() => expect(late.closed).toBe(true));
    expect(late.heard).toMatch(/\r\n421 4\.3\.2 [^\r\n]*\r\n$/);
  });

  it('is one that can answer, and then says itself how many there may be', async () => {
    await expect(serverOf({ connectionLimiter: {} as ConnectionLimiter })).rejects.toThrow(
      'The option connectionLimiter takes an object with enter() and leave()',
    );
    await expect(serverOf({ ...limiterOf({}), maximumConnections: 3 })).rejects.toThrow(
      'The option maximumConnections is for a server without a connectionLimiter: give it to that',
    );
  });
});
