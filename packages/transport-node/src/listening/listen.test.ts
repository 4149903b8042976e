import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as rawConnect, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ByteStream } from '@sansmtp/transport';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../connecting/connect.js';
import { eventually, expectNothingLeftOpen, hear, listening, portOf } from '../listening.test-support.js';
import { trustedPeers } from '../proxies/trusted-peers.js';
import { createTlsContext } from '../tls/tls-context.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { listen } from './listen.js';

expectNothingLeftOpen();

const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

describe('listen', () => {
  it('listens on 127.0.0.1 unless told otherwise, and tells its address', async () => {
    const { listener } = await listening({ port: 0 });
    expect(listener.address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) });
    await listener.close();
  });

  it('gives each connection as a stream that knows its peer', async () => {
    const { listener, streams, heard, open } = await listening({ port: 0 });
    const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
    expect(client.peer).toEqual({ address: '127.0.0.1', port: portOf(listener) });
    const heardByClient = hear(client);
    client.write(new TextEncoder().encode('QUIT\r\n'));
    client.end();
    await eventually(() => expect(heard).toEqual([['QUIT\r\n', 'end']]));
    expect(streams[0]?.peer).toEqual({ address: '127.0.0.1', port: expect.any(Number) });
    expect(open()).toBe(1);
    streams[0]?.end();
    await eventually(() => expect(heardByClient).toEqual(['end', 'close']));
    expect(heard).toEqual([['QUIT\r\n', 'end', 'close']]);
    await listener.close();
  });

  it('shows an IPv4 peer of a socket for all addresses as an IPv4 address', async () => {
    const { listener, streams, abortStreams } = await listening({ host: '::', port: 0 });
    const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
    await eventually(() => expect(streams[0]?.peer.address).toBe('127.0.0.1'));
    client.abort();
    abortStreams();
    await listener.close();
  });

  it('rejects when the address is in use', async () => {
    const { listener } = await listening({ port: 0 });
    await expect(listen({ port: portOf(listener) }, () => undefined)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await listener.close();
  });

  it('frees the address at close, while the streams go on', async () => {
    const { listener, streams, heard, open } = await listening({ port: 0 });
    const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
    await eventually(() => expect(streams).toHaveLength(1));
    await listener.close();
    await listener.close();
    await expect(connect({ host: '127.0.0.1', port: portOf(listener) })).rejects.toThrow('ECONNREFUSED');
    const again = await listen({ port: portOf(listener) }, () => undefined);
    client.write(new TextEncoder().encode('NOOP\r\n'));
    await eventually(() => expect(heard).toEqual([['NOOP\r\n']]));
    expect(open()).toBe(1);
    client.abort();
    await eventually(() => expect(heard).toEqual([['NOOP\r\n', 'close: ECONNRESET']]));
    expect(open()).toBe(0);
    await again.close();
  });

  it('goes on after an error of accept, and tells of it', async () => {
    const spy = vi.spyOn(Server.prototype, 'listen');
    const errors: Error[] = [];
    const told = await listening({ port: 0, onError: (error) => errors.push(error) });
    const untold = await listening({ port: 0 });
    const failure = new Error('accept EMFILE');
    for (const server of spy.mock.contexts) if (server instanceof Server) server.emit('error', failure);
    expect(errors).toEqual([failure]);
    for (const { listener, streams, abortStreams } of [told, untold]) {
      const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
      await eventually(() => expect(streams).toHaveLength(1));
      client.abort();
      abortStreams();
      await listener.close();
    }
    spy.mockRestore();
  });

  it('survives resets at every moment', async () => {
    const { listener, streams, open } = await listening({ port: 0 });
    const port = portOf(listener);
    const closed: Promise<unknown>[] = [];
    for (let index = 0; index < 60; index++) {
      const socket = rawConnect({ host: '127.0.0.1', port });
      socket.on('error', () => undefined);
      closed.push(new Promise((resolve) => socket.on('close', resolve)));
      socket.on('connect', () => {
        if (index % 3 > 0) socket.write('EHLO client\r\n');
        if (index % 3 === 1) socket.resetAndDestroy();
        else setTimeout(() => socket.resetAndDestroy(), index % 10);
      });
    }
    await eventually(() => {
      for (const stream of streams) stream.write(new Uint8Array(10_000));
      expect(streams).toHaveLength(60);
    });
    await Promise.all(closed);
    await eventually(() => expect(open()).toBe(0));
    await listener.close();
  });

  it('survives the reset of a stream that is not opened, which hears of it when it is', async () => {
    const streams: ByteStream[] = [];
    const listener = await listen({ port: 0 }, (stream) => streams.push(stream));
    const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
    await eventually(() => expect(streams).toHaveLength(1));
    client.abort();
    await sleep(10);
    const heard = streams.map(hear);
    await eventually(() => expect(heard).toEqual([['close: ECONNRESET']]));
    await listener.close();
  });

  describe('on a Unix socket', () => {
    let path: string;
    beforeEach(async () => {
      path = join(await mkdtemp(join(directory, 'unix-')), 'socket');
    });

    it('has no address of its peers, and removes the file at close', async () => {
      const { listener, streams, abortStreams } = await listening({ path });
      expect(listener.address).toEqual({ kind: 'unix', path });
      const client = await connect({ path });
      await eventually(() => expect(streams).toHaveLength(1));
      expect([client.peer, streams[0]?.peer]).toEqual([{}, {}]);
      client.abort();
      abortStreams();
      await listener.close();
      await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('takes the place of a socket that nobody answers at', async () => {
      const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`;
      await once(spawn(process.execPath, ['-e', program, path]), 'exit');
      await access(path);
      const { listener, streams, abortStreams } = await listening({ path });
      const client = await connect({ path });
      await eventually(() => expect(streams).toHaveLength(1));
      client.abort();
      abortStreams();
      await listener.close();
    });

    it('leaves alone a socket that somebody answers at', async () => {
      const { listener, streams, heard, abortStreams } = await listening({ path });
      await expect(listen({ path }, () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await eventually(() => expect(heard).toEqual([['end']]));
      const client = await connect({ path });
      client.abort();
      await eventually(() => expect(streams).toHaveLength(2));
      abortStreams();
      await listener.close();
    });

    it('leaves alone a file that is no socket', async () => {
      await writeFile(path, 'something dear');
      await expect(listen({ path }, () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await access(path);
    });
  });
});

describe('connections behind a proxy', () => {
  const isTrusted = trustedPeers(['127.0.0.0/8']);
  const header = 'PROXY TCP4 192.0.2.1 198.51.100.9 1024 25\r\n';

  it('are streams of the client that the header names', async () => {
    const { listener, streams, heard, abortStreams } = await listening({ port: 0, proxied: { isTrusted } });
    const client = await connect({ host: '127.0.0.1', port: portOf(listener) });
    client.write(new TextEncoder().encode(`${header}EHLO a\r\n`));
    await eventually(() => expect(heard).toEqual([['EHLO a\r\n']]));
    expect(streams[0]?.peer).toEqual({ address: '192.0.2.1', port: 1024 });
    client.abort();
    abortStreams();
    await listener.close();
  });

  it('have the header before the handshake of implicit TLS', async () => {
    const { cert, key } = await generateCertificate('localhost');
    const tls = { mode: 'implicit', context: createTlsContext({ cert, key }) } as const;
    const options = { port: 0, proxied: { isTrusted }, tls };
    const { listener, streams, heard, abortStreams } = await listening(options);
    const raw = rawConnect({ host: '127.0.0.1', port: portOf(listener) });
    raw.on('error', () => undefined);
    raw.write(header);
    const secured = connectTls({ socket: raw, rejectUnauthorized: false });
    secured.on('error', () => undefined);
    await once(secured, 'secureConnect');
    secured.write('EHLO a\r\n');
    await eventually(() => expect(heard).toEqual([['EHLO a\r\n']]));
    expect(streams[0]?.peer).toEqual({ address: '192.0.2.1', port: 1024 });
    expect(streams[0]?.tls?.protocol).toBe('TLSv1.3');
    secured.destroy();
    raw.destroy();
    abortStreams();
    await listener.close();
  });

  it('are dropped without a header, or from somebody who is not trusted, and onError is told', async () => {
    for (const [proxied, words, failure] of [
      [{ isTrusted }, 'EHLO a\r\n', 'malformed'],
      [{ isTrusted: trustedPeers(['192.0.2.1']) }, header, 'untrusted'],
      [{ isTrusted, timeout: 5 }, 'PROXY ', 'timeout'],
    ] as const) {
      const errors: Error[] = [];
      const onError = (error: Error) => errors.push(error);
      const { listener, streams } = await listening({ port: 0, proxied, onError });
      const client = rawConnect({ host: '127.0.0.1', port: portOf(listener) });
      client.on('error', () => undefined);
      const closed = new Promise((resolve) => client.on('close', resolve));
      client.write(words);
      await eventually(() => expect(errors).toEqual([expect.objectContaining({ failure })]));
      await closed;
      expect(streams).toEqual([]);
      await listener.close();
    }
  });

  it('are bounded in number until their header is there: the oldest gives way, the others are given up at close', async () => {
    const errors: Error[] = [];
    const onError = (error: Error) => errors.push(error);
    const { listener } = await listening({ port: 0, proxied: { isTrusted }, maximumArriving: 1, onError });
    const first = await connect({ host: '127.0.0.1', port: portOf(listener) });
    const heard = hear(first);
    const second = await connect({ host: '127.0.0.1', port: portOf(listener) });
    const heardBySecond = hear(second);
    await eventually(() => expect(heard.join()).toMatch(/close|end/));
    await eventually(() => expect(errors).toEqual([expect.objectContaining({ failure: 'lost' })]));
    expect(heardBySecond).toEqual([]);
    await listener.close();
    await eventually(() => expect(heardBySecond.join()).toMatch(/close|end/));
    expect(errors).toHaveLength(1);
    first.abort();
    second.abort();
  });
});
