import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { ByteStream, Clock } from '@sansmtp/transport';
import { complianceCases, type TransportUnderTest } from '@sansmtp/transport/compliance';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, expectNothingLeftOpen, hear } from '../listening.test-support.js';
import { IPV4_BLOCK, IPV6_BLOCK, tlv, version2 } from '../proxy-header.test-support.js';
import { SocketStream } from '../streams/socket-stream.js';
import {
  type ProxiedConnection,
  type ProxiedOptions,
  ProxyProtocolError,
  proxiedAcceptor,
} from './accept-proxied.js';

const LINE = 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n';
const trustAll: ProxiedOptions = { isTrusted: () => true };

const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

/** A server whose sockets are given out one by one, as the system handed them over. */
async function listening(at: { port: number; host: string } | { path: string }) {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true });
  await once(server.listen(at), 'listening');
  const address = server.address();
  const target = typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 };
  return {
    /** A connected pair: the client's socket and the server's. */
    async pair(): Promise<readonly [Socket, Socket]> {
      const accepted = once(server, 'connection');
      const client = connectSocket({ ...target, allowHalfOpen: true, noDelay: true });
      const [[socket]] = await Promise.all([accepted, once(client, 'connect')]);
      return [client, socket];
    },
    close: () => server.close(),
  };
}

const TCP = { port: 0, host: '127.0.0.1' };

type Adopted = ProxiedConnection & { readonly stream: ByteStream; readonly heard: string[] };

/** Reads the header, and opens a stream on what is behind it. */
function adopt(socket: Socket, options: ProxiedOptions = trustAll): Promise<Adopted> {
  return proxiedAcceptor(options)(socket, (connection) => {
    const stream = new SocketStream(socket);
    return { ...connection, stream, heard: hear(stream) };
  });
}

describe('proxiedAcceptor', () => {
  expectNothingLeftOpen();

  let server: Awaited<ReturnType<typeof listening>>;
  let client: Socket;
  let socket: Socket;
  beforeEach(async () => {
    server = await listening(TCP);
    [client, socket] = await server.pair();
    client.on('error', () => undefined);
  });
  afterEach(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });

  const heardAll = (heard: readonly string[], text: string) =>
    eventually(() => expect(heard.join('')).toBe(text));

  it.each<[string, string | Buffer, object]>([
    ['version 1', LINE, { address: '192.0.2.1', port: 56324 }],
    ['version 2', version2(0x21, 0x11, IPV4_BLOCK), { address: '192.0.2.1', port: 56324 }],
    ['version 2, IPv6', version2(0x21, 0x21, IPV6_BLOCK), { address: '2001:db8::1', port: 56324 }],
  ])('gives the client that the header names (%s)', async (_, header, peer) => {
    client.write(header);
    const { peer: found, stream, heard } = await adopt(socket);
    expect(found).toEqual(peer);
    client.write('EHLO x\r\n');
    await heardAll(heard, 'EHLO x\r\n');
    stream.abort();
  });

  it.each<[string, string | Buffer]>([
    ['UNKNOWN', 'PROXY UNKNOWN 192.0.2.1\r\n'],
    ['LOCAL', version2(0x20, 0x11, IPV4_BLOCK)],
    ['UNSPEC', version2(0x21, 0x00)],
    ['a Unix socket of the proxy', version2(0x21, 0x31, Buffer.alloc(216))],
  ])('gives the peer of the socket for %s', async (_, header) => {
    client.write(header);
    const { peer, stream } = await adopt(socket);
    expect(peer).toEqual({ address: '127.0.0.1', port: client.localPort });
    stream.abort();
  });

  it('gives the header itself, with what the proxy added', async () => {
    client.write(version2(0x21, 0x11, IPV4_BLOCK, tlv(2, 'mail.example.com')));
    const { header, stream } = await adopt(socket);
    expect(header).toMatchObject({
      version: 2,
      destination: { address: '198.51.100.2', port: 25 },
      tlvs: [{ type: 2, value: new Uint8Array(Buffer.from('mail.example.com')) }],
    });
    stream.abort();
  });

  it('keeps what came behind the header in the same chunk, in order, before what comes later', async () => {
    client.write(`${LINE}EHLO x\r\n`);
    const { stream, heard } = await adopt(socket);
    client.write('NOOP\r\n');
    await heardAll(heard, 'EHLO x\r\nNOOP\r\n');
    stream.abort();
  });

  it('keeps it while the stream is not open, or paused', async () => {
    client.write(`${LINE}EHLO x\r\n`);
    const stream = await proxiedAcceptor(trustAll)(socket, () => new SocketStream(socket));
    await sleep(5);
    stream.pause();
    const heard = hear(stream);
    client.end('NOOP\r\n');
    await sleep(5);
    expect(heard).toEqual([]);
    stream.resume();
    await heardAll(heard, 'EHLO x\r\nNOOP\r\nend');
    stream.abort();
  });

  it('holds back what was paused in the very moment of taking over', async () => {
    client.write(`${LINE}EHLO x\r\n`);
    const heard = await proxiedAcceptor(trustAll)(socket, () => {
      const stream = new SocketStream(socket);
      stream.pause();
      return hear(stream);
    });
    await sleep(5);
    expect(heard).toEqual([]);
  });

  it.each([LINE, `${LINE}QUIT\r\n`])('tells of an end that came with %j', async (text) => {
    client.end(text);
    await sleep(5);
    const { stream, heard } = await adopt(socket);
    await heardAll(heard, `${text.slice(LINE.length)}end`);
    stream.end();
    await heardAll(heard, `${text.slice(LINE.length)}endclose`);
  });

  it('takes a header octet by octet', async () => {
    const adopted = adopt(socket);
    for (const octet of `${LINE}EHLO x\r\n`) {
      client.write(octet);
      await new Promise(setImmediate);
    }
    const { peer, stream, heard } = await adopted;
    expect(peer).toEqual({ address: '192.0.2.1', port: 56324 });
    await heardAll(heard, 'EHLO x\r\n');
    stream.abort();
  });

  it('leaves no listener on the socket but one for errors', async () => {
    const listeners = () =>
      Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]));
    const before = listeners();
    client.write(LINE);
    await proxiedAcceptor(trustAll)(socket, () => undefined);
    expect(listeners()).toEqual({ ...before, error: (before.error ?? 0) + 1 });
    expect(socket.readableFlowing).toBe(null);
  });

  it('takes a TLS handshake that begins in the same chunk, right behind the header', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const [near, far] = duplexPair();
    const secure = connectTls({ socket: near, rejectUnauthorized: false });
    secure.write('EHLO x\r\n');
    const [clientHello] = await once(far, 'data');
    client.write(Buffer.concat([Buffer.from(LINE), clientHello]));
    far.pipe(client).pipe(far);

    const secured = await proxiedAcceptor(trustAll)(
      socket,
      () => new TLSSocket(socket, { isServer: true, cert, key }),
    );
    const [octets] = await once(secured, 'data');
    expect(String(octets)).toBe('EHLO x\r\n');
    secure.destroy();
    secured.destroy();
  });

  async function refusal(accepting: Promise<unknown>): Promise<ProxyProtocolError> {
    const error = await accepting.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ProxyProtocolError);
    expect(socket.destroyed).toBe(true);
    return error as ProxyProtocolError;
  }

  it('resets the connection of a peer that is not trusted, without a look at what it sent', async () => {
    client.write(LINE);
    const reset = once(client, 'error');
    const { failure, peer, message } = await refusal(adopt(socket, { isTrusted: () => false }));
    expect(failure).toBe('untrusted');
    expect(peer).toEqual({ address: '127.0.0.1', port: client.localPort });
    expect(message).toMatch(/127\.0\.0\.1/);
    await expect(reset).resolves.toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('asks about the peer of the socket, not about the one in the header', async () => {
    client.write(LINE);
    const isTrusted = vi.fn(() => true);
    const { stream } = await adopt(socket, { isTrusted });
    expect(isTrusted.mock.calls).toEqual([[{ address: '127.0.0.1', port: client.localPort }]]);
    stream.abort();
  });

  it.each(['EHLO client.example.com\r\n', 'PROXY TCP4 192.0.2.1\r\n', '\r\n\r\nQUIT'])(
    'resets the connection of a peer that sends %j',
    async (text) => {
      client.write(text);
      const reset = once(client, 'error');
      expect((await refusal(adopt(socket))).failure).toBe('malformed');
      await expect(reset).resolves.toMatchObject([{ code: 'ECONNRESET' }]);
    },
  );

  it('limits the length of a header of version 2', async () => {
    const header = version2(0x21, 0x11, IPV4_BLOCK, tlv(4, 'padding'));
    client.write(header);
    const options = { ...trustAll, maximumHeaderOctets: header.length - 1 };
    expect((await refusal(adopt(socket, options))).failure).toBe('malformed');
  });

  it('takes a header of just the length that is allowed', async () => {
    const header = version2(0x21, 0x11, IPV4_BLOCK, tlv(4, 'padding'));
    client.write(header);
    const { stream } = await adopt(socket, { ...trustAll, maximumHeaderOctets: header.length });
    stream.abort();
  });

  it.each([LINE.slice(0, 20), ''])('gives up when the connection ends behind %j', async (text) => {
    client.end(text);
    expect((await refusal(adopt(socket))).failure).toBe('lost');
  });

  it('gives up when the connection breaks', async () => {
    client.write('PROXY');
    const adopted = adopt(socket);
    await sleep(5);
    client.resetAndDestroy();
    const { failure, cause } = await refusal(adopted);
    expect(failure).toBe('lost');
    expect(cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('gives up when its holder destroys the socket', async () => {
    const adopted = adopt(socket);
    socket.destroy();
    expect((await refusal(adopted)).failure).toBe('lost');
  });

  it('gives up when the socket is destroyed between the header and the moment of taking over', async () => {
    client.write(LINE);
    // The timer is taken back as soon as the header is there.
    const clock: Clock = { now: () => 0, set: () => () => void socket.destroy() };
    const takeOver = vi.fn();
    const { failure } = await refusal(proxiedAcceptor({ ...trustAll, clock })(socket, takeOver));
    expect(failure).toBe('lost');
    expect(takeOver).not.toHaveBeenCalled();
  });

  it('does not take a TCP connection that is gone for one over a Unix socket', async () => {
    client.write(LINE);
    client.resetAndDestroy();
    await sleep(5);
    const isTrusted = vi.fn(() => true);
    expect((await refusal(adopt(socket, { isTrusted }))).failure).toBe('lost');
    for (const [peer] of isTrusted.mock.calls as unknown[][]) expect(peer).toHaveProperty('address');
  });

  it('destroys the socket when what takes over throws', async () => {
    client.write(LINE);
    const failure = new Error('Not today');
    const accepted = proxiedAcceptor(trustAll)(socket, () => {
      throw failure;
    });
    await expect(accepted).rejects.toBe(failure);
    expect(socket.destroyed).toBe(true);
  });

  /** A clock with one timer, which goes off by hand. */
  function manualClock() {
    const timers: { at: number; callback: () => void }[] = [];
    const clock: Clock = {
      now: () => 1000,
      set(at, callback) {
        const timer = { at, callback };
        timers.push(timer);
        return () => {
          if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
        };
      },
    };
    return { clock, timers };
  }

  it.each([
    [{}, 6000],
    [{ timeout: 250 }, 1250],
  ])('gives up when the time is over (%j)', async (options, due) => {
    const { clock, timers } = manualClock();
    client.write(LINE.slice(0, -1));
    const adopted = adopt(socket, { ...trustAll, ...options, clock });
    await sleep(5);
    expect(timers.map(({ at }) => at)).toEqual([due]);
    timers[0]?.callback();
    const { failure, message } = await refusal(adopted);
    expect(failure).toBe('timeout');
    expect(message).toContain(`${due - 1000} ms`);
  });

  it('sets no timer beyond the header, nor for a peer that is refused', async () => {
    const { clock, timers } = manualClock();
    client.write(LINE);
    const { stream } = await adopt(socket, { ...trustAll, clock });
    expect(timers).toEqual([]);
    stream.abort();
    const [other, refused] = await server.pair();
    const refusing = proxiedAcceptor({ isTrusted: () => false, clock })(refused, () => undefined);
    await expect(refusing).rejects.toThrow(ProxyProtocolError);
    expect(timers).toEqual([]);
    other.destroy();
  });

  it('sends its last words to who comes without a header, and ends the connection', async () => {
    const lastWords = Buffer.from('A proxy stands before me\r\n');
    let heard = '';
    client.on('data', (chunk) => {
      heard += chunk;
    });
    client.write('EHLO c.example\r\n');
    await expect(adopt(socket, { ...trustAll, lastWords })).rejects.toMatchObject({ failure: 'malformed' });
    await eventually(() => expect(client.readableEnded).toBe(true));
    expect(heard).toBe('A proxy stands before me\r\n');
  });

  it.each([{ timeout: -1 }, { maximumHeaderOctets: 15 }])('refuses the options %j', (options) => {
    expect(() => proxiedAcceptor({ ...trustAll, ...options })).toThrow(RangeError);
    expect(() => proxiedAcceptor({ ...trustAll, ...options })).toThrow(Object.keys(options)[0]);
  });
});

describe('proxiedAcceptor, over a Unix socket', () => {
  expectNothingLeftOpen();

  it('asks about a peer without an address, and destroys what it refuses', async () => {
    const server = await listening({ path: join(directory, 'socket') });
    for (const trusted of [true, false]) {
      const [client, socket] = await server.pair();
      client.write(LINE);
      const isTrusted = vi.fn(() => trusted);
      const adopted = adopt(socket, { isTrusted });
      if (trusted) (await adopted).stream.abort();
      else await expect(adopted).rejects.toThrow('a Unix socket');
      expect(isTrusted.mock.calls).toEqual([[{}]]);
      expect(socket.destroyed).toBe(true);
      client.destroy();
    }
    server.close();
  });
});

describe('behind the header, over TCP', () => {
  let server: Awaited<ReturnType<typeof listening>>;
  beforeAll(async () => {
    server = await listening(TCP);
  });
  afterAll(() => server.close());

  const transport: TransportUnderTest = {
    async createPair() {
      const [client, socket] = await server.pair();
      client.write(LINE);
      const adopted = await proxiedAcceptor(trustAll)(socket, () => new SocketStream(socket));
      return [new SocketStream(client), adopted];
    },
    moment: () => sleep(2),
    abortReachesPeer: true,
  };

  for (const { name, run } of complianceCases) it(name, () => run(transport));
});
