import { createServer } from 'node:net';
import { Secret } from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import { createTlsContext, startMailServer } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ConnectionOptions, openConnection } from './connection.js';

const { cert, private: key } = await generate([{ name: 'commonName', value: 'mx.example' }], {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
});

function open(port: number, options: Partial<ConnectionOptions>) {
  return openConnection({
    destination: { host: '127.0.0.1', port },
    tls: 'opportunistic',
    ca: undefined,
    insecure: false,
    credentials: undefined,
    allowInsecureAuth: false,
    signal: undefined,
    session: {},
    ...options,
  });
}

/** What protects the connection that comes of it, which is closed then. */
async function protection(...parameters: Parameters<typeof open>): Promise<string | undefined> {
  const connection = await open(...parameters);
  await connection.quit();
  return connection.offer.tls?.protocol;
}

async function serving(mode?: 'startTls' | 'implicit'): Promise<number> {
  const tls = mode && { tls: { mode, context: createTlsContext({ cert, key }) } };
  const server = await startMailServer({
    addresses: [{ port: 0, ...tls }],
    handlers: { onMessage() {}, onAuth: () => true },
    session: { authentication: { mechanisms: ['PLAIN'] } },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return address?.kind === 'tcp' ? address.port : 0;
}

/** Offers STARTTLS, and has none: it hangs up instead of the handshake. */
async function pretending(): Promise<{ port: number; count(): number }> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on('error', () => {});
    socket.write('220 mx.example\r\n');
    socket.on('data', (bytes) => {
      const line = bytes.toString('latin1');
      if (line.startsWith('STARTTLS')) socket.end('220 Go on\r\n');
      else if (line.startsWith('QUIT')) socket.end('221 Bye\r\n');
      else socket.write('250-mx.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n');
    });
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, count: () => count };
}

const credentials = { kind: 'password', username: 'ann', password: new Secret('secret') } as const;

describe('the connection of send', () => {
  it('is protected by STARTTLS where it is offered, whoever signed the certificate', async () => {
    expect(await protection(await serving('startTls'), {})).toBe('TLSv1.3');
    expect(await protection(await serving(), {})).toBeUndefined();
  });

  it('is in the clear with none', async () => {
    expect(await protection(await serving('startTls'), { tls: 'none' })).toBeUndefined();
  });

  it.each([
    { tls: 'required', mode: 'startTls' },
    { tls: 'implicit', mode: 'implicit' },
  ] as const)('is verified with $tls, unless that is not wanted', async ({ tls, mode }) => {
    const port = await serving(mode);
    await expect(open(port, { tls })).rejects.toThrow(/self-signed/);
    expect(await protection(port, { tls, ca: cert })).toBe('TLSv1.3');
    expect(await protection(port, { tls, insecure: true })).toBe('TLSv1.3');
  });

  it('is none without TLS where that is required', async () => {
    await expect(open(await serving(), { tls: 'required' })).rejects.toThrow(SessionError);
    await expect(open(await serving(), { tls: 'implicit' })).rejects.toThrow(TlsError);
  });

  it('is made anew in the clear where an opportunistic handshake fails (RFC 7435 §3)', async () => {
    const server = await pretending();
    expect(await protection(server.port, {})).toBeUndefined();
    expect(server.count()).toBe(2);
  });

  it.each([
    { why: 'TLS is required', options: { tls: 'required' } },
    { why: 'there is a password', options: { credentials } },
    {
      why: 'there is a password that may go in the clear',
      options: { credentials, allowInsecureAuth: true },
    },
  ] as const)('is not where $why', async ({ options }) => {
    const server = await pretending();
    await expect(open(server.port, options)).rejects.toMatchObject({ failure: { kind: 'tls' } });
    expect(server.count()).toBe(1);
  });

  it('authenticates under TLS, and in the clear only where that is allowed', async () => {
    const secured = await open(await serving('startTls'), { credentials });
    expect(secured.offer.authenticatedBy).toBe('PLAIN');
    await secured.quit();
    await expect(open(await serving(), { credentials })).rejects.toMatchObject({
      failure: { phase: 'auth' },
    });
  });
});
