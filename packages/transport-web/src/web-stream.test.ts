import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { Secret } from '@sansmtp/core';
import { openSession, serveSession, TlsError } from '@sansmtp/transport';
import { createTlsContext, startMailServer, systemClock } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import type { WebPair } from './web-pair.js';
import { webStream } from './web-stream.js';

const address = { localPart: 'ann', domain: 'example.org' };
const envelope = { reversePath: address, recipients: [address] };

/** What a stream hears until it closes, and why it does. */
function hear(pair: WebPair) {
  const stream = webStream(pair);
  const heard: string[] = [];
  const closed = new Promise<Error | undefined>((close) => {
    stream.open({
      data: (bytes) => heard.push(`data ${bytes.join(' ')}`),
      end: () => heard.push('end'),
      drain: () => heard.push('drain'),
      secure: () => heard.push('secure'),
      close,
    });
  });
  return { stream, heard, closed };
}

const nowhere = () => new WritableStream();

function readableOf(...chunks: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

describe('webStream', () => {
  it('imports nothing of Node', () => {
    const folder = new URL('.', import.meta.url);
    const sources = readdirSync(folder).filter((name) => !/\.test(-support)?\.ts$/.test(name));
    expect(sources).toContain('web-stream.ts');
    for (const name of sources) {
      expect(readFileSync(new URL(name, folder), 'utf8')).not.toMatch(/from 'node:|\bprocess\.\w|\bBuffer\b/);
    }
  });

  it('takes octets in each form that hosts give them in', async () => {
    const view = new DataView(Uint8Array.of(9, 3, 4, 9).buffer, 1, 2);
    const { stream, heard, closed } = hear({
      readable: readableOf(Uint8Array.of(1, 2), view, Uint8Array.of(5).buffer, new Uint8Array()),
      writable: nowhere(),
    });
    stream.end();
    expect(await closed).toBeUndefined();
    expect(heard).toEqual(['data 1 2', 'data 3 4', 'data 5', 'end']);
  });

  it('closes with an error for chunks that are no octets', async () => {
    const { heard, closed } = hear({ readable: readableOf('text'), writable: nowhere() });
    expect(await closed).toEqual(
      new TypeError('The readable stream gave a chunk of the type string, where octets belong'),
    );
    expect(heard).toEqual([]);
  });

  it('asks for nothing before it is opened, nor while it is paused', async () => {
    let pulls = 0;
    const readable = new ReadableStream(
      {
        pull(controller) {
          pulls++;
          controller.enqueue(Uint8Array.of(pulls));
        },
      },
      { highWaterMark: 0 },
    );
    const stream = webStream({ readable, writable: nowhere() });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBe(0);
    const ignore = () => {};
    stream.open({ data: () => stream.pause(), end: ignore, drain: ignore, secure: ignore, close: ignore });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBe(1);
    stream.abort();
  });

  it('does not take a pair that somebody else reads', () => {
    const readable = readableOf();
    readable.getReader();
    expect(() => webStream({ readable, writable: nowhere() })).toThrow(TypeError);
  });
});

describe('a session over web streams', () => {
  it('delivers under the TLS of the host, and leaves out what would bind to it', async () => {
    const made = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const mechanisms: string[] = [];
    const server = await startMailServer({
      addresses: [
        {
          host: '127.0.0.1',
          port: 0,
          tls: { mode: 'startTls', context: createTlsContext({ cert: made.cert, key: made.private }) },
        },
      ],
      session: {
        hostname: 'localhost',
        startTls: 'offered',
        authentication: { mechanisms: ['SCRAM-SHA-256-PLUS', 'PLAIN'] },
      },
      handlers: {
        onAuth({ mechanism }) {
          mechanisms.push(mechanism);
          return true;
        },
        onMessage() {},
      },
    });
    const { port } = server.addresses[0] as { port: number };
    const socket = connectSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    const pair: WebPair = Duplex.toWeb(socket);
    const stream = webStream(pair, {
      async startTls() {
        const raw = Duplex.fromWeb(pair as ReturnType<typeof Duplex.toWeb>);
        const secure = connectTls({ socket: raw, servername: 'localhost', ca: made.cert });
        await once(secure, 'secureConnect');
        return Duplex.toWeb(secure);
      },
    });
    const session = await openSession(stream, {
      hostname: 'c.example',
      clock: systemClock,
      startTls: 'required',
      authentication: { credentials: { kind: 'password', username: 'ann', password: new Secret('pencil') } },
    });
    expect(stream.tls).toEqual({ protocol: 'unknown', cipher: 'unknown', channelBindings: {} });
    expect(mechanisms).toEqual(['PLAIN']);
    expect(await session.send(envelope, 'Over web streams\n')).toMatchObject([{ verdict: 'delivered' }]);
    await session.quit();
    await server.shutdown(1000);
  });

  it('serves, and offers no -PLUS under TLS that it cannot bind to', async () => {
    const [there, back] = [
      new TransformStream<Uint8Array, Uint8Array>(),
      new TransformStream<Uint8Array, Uint8Array>(),
    ];
    serveSession(
      webStream({ readable: there.readable, writable: back.writable }, { tls: { protocol: 'TLSv1.3' } }),
      { onMessage() {} },
      {
        hostname: 'mx.example',
        clock: systemClock,
        authentication: { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN'] },
      },
    );
    const writer = there.writable.getWriter();
    void writer.write(new TextEncoder().encode('EHLO c.example\r\nQUIT\r\n')).then(() => writer.close());
    const said = await new Response(back.readable).text();
    expect(said).toMatch(/^250-AUTH SCRAM-SHA-256 PLAIN\r$|^250 AUTH SCRAM-SHA-256 PLAIN\r$/m);
  });

  const locked = () => {
    const { readable, writable } = new TransformStream();
    readable.getReader();
    return { readable, writable };
  };

  it.each([
    [
      'is refused',
      () => Promise.reject(new Error('The certificate has expired')),
      'The certificate has expired',
    ],
    [
      'cannot begin',
      () => {
        throw new Error('No TLS today');
      },
      'No TLS today',
    ],
    ['gives nothing', () => undefined, 'startTls gave no pair of streams: { readable, writable }'],
    ['gives half a pair', () => ({ readable: new ReadableStream() }), 'startTls gave no pair of streams'],
    ['gives what somebody else reads', locked, 'ReadableStream is locked'],
  ])('tells of a handshake that %s', async (_, startTls, words) => {
    const [there, back] = [new TransformStream(), new TransformStream()];
    const stream = webStream(
      { readable: there.readable, writable: back.writable },
      { startTls: startTls as () => Promise<never> },
    );
    const closed = new Promise<Error | undefined>((close) => {
      const ignore = () => {};
      stream.open({ data: ignore, end: ignore, drain: ignore, secure: ignore, close });
    });
    stream.startTls();
    const reason = await closed;
    expect(reason).toBeInstanceOf(TlsError);
    expect(reason?.message).toMatch(/^The TLS handshake failed: /);
    expect(reason?.message).toContain(words);
  });
});
