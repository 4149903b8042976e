/** Streams as Duplexes, and Duplexes as streams again: each keeps the promises of the other. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as task } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { openSession, serveSession } from '@sansmtp/transport';
import {
  complianceCases,
  startTlsCases,
  type TransportUnderTest,
  upgraded,
} from '@sansmtp/transport/compliance';
import { createMemoryPair, type MemoryPairOptions } from '@sansmtp/transport-memory';
import { describe, expect, it } from 'vitest';
import { connect } from '../connecting/connect.js';
import { systemClock } from '../system-clock.js';
import { createTlsContext } from '../tls/tls-context.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { duplexOf } from './duplex-of.js';
import { streamOf } from './stream-of.js';

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });
const trusting = { verify: true, servername: 'localhost', ca: cert };

function duplexPair(options: MemoryPairOptions = {}) {
  const [near, far] = createMemoryPair(options);
  return [duplexOf(near), duplexOf(far)] as const;
}

/** What arrives, as text, until the end. */
async function heard(duplex: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of duplex) text += chunk;
  return text;
}

const moment = () => task();

describe('streamOf(duplexOf(stream))', () => {
  const transport: TransportUnderTest = {
    createPair: async () => {
      const [near, far] = duplexPair();
      return [streamOf(near), streamOf(far)];
    },
    moment,
    abortReachesPeer: true,
  };
  for (const { name, run } of complianceCases) it(name, () => run(transport));
});

describe('TLS over Duplexes that are no sockets', () => {
  const transport: TransportUnderTest = {
    createPair: async () => {
      const [near, far] = duplexPair();
      const client = await connect({ socket: near, tls: { mode: 'startTls', ...trusting } });
      return [client, streamOf(far, { tls: { context } })];
    },
    moment: async () => {
      for (let turn = 0; turn < 5; turn++) await task();
    },
    abortReachesPeer: false,
  };
  for (const { name, run } of startTlsCases) it(name, () => run(transport));
  const secured = upgraded(transport);
  // Node drops what a TLS socket over a Duplex has not given away when the Duplex closes. It is told as a loss.
  const lossy = 'takes nothing from the peer by abort() after close';
  for (const { name, run } of complianceCases.filter(({ name }) => name !== lossy)) {
    it(`started TLS: ${name}`, () => run(secured));
  }
});

/** A pair whose ends hand each other the very arrays that were written, from within the write; no more than a Duplex must. */
function barePair(): [Duplex, Duplex] {
  const end = (other: () => Duplex) => {
    let release: (() => void) | undefined;
    const duplex: Duplex & { release?: () => void } = new Duplex({
      read: () => {
        const done = release;
        release = undefined;
        done?.();
      },
      write(chunk, _, done) {
        if (other().destroyed) done(new Error('The other end is gone'));
        else if (other().push(chunk)) done();
        else Object.assign(other(), { releaseWriter: done });
      },
      final(done) {
        other().push(null);
        done();
      },
      destroy(error, done) {
        if (!other().destroyed && !duplex.writableFinished)
          other().destroy(new Error('The other end broke off'));
        done(error);
      },
    });
    Object.defineProperty(duplex, 'releaseWriter', {
      set: (done: () => void) => {
        release = done;
      },
    });
    return duplex;
  };
  const first: Duplex = end(() => second);
  const second: Duplex = end(() => first);
  return [first, second];
}

describe('streamOf(a Duplex that calls back from within calls)', () => {
  const transport: TransportUnderTest = {
    createPair: async () => {
      const [near, far] = barePair();
      return [streamOf(near), streamOf(far)];
    },
    moment,
    abortReachesPeer: false,
  };
  for (const { name, run } of complianceCases) it(name, () => run(transport));
});

describe('streamOf', () => {
  it.each([
    ['gives objects', new Duplex({ readableObjectMode: true }), 'object mode'],
    ['takes objects', new Duplex({ writableObjectMode: true }), 'object mode'],
    ['gives texts', new Duplex({ read() {} }).setEncoding('utf8'), 'texts (utf8)'],
  ])('refuses a Duplex that %s', async (_, duplex, words) => {
    expect(() => streamOf(duplex)).toThrow(words);
    await expect(connect({ socket: duplex })).rejects.toThrow(words);
  });

  it('says who is at the other end, where it is told', () => {
    const peer = { address: '192.0.2.1', port: 25 };
    expect(streamOf(new Duplex({ read() {} }), { peer }).peer).toBe(peer);
    expect(streamOf(new Duplex({ read() {} })).peer).toEqual({});
  });

  it('tells of a Duplex that somebody else destroys', async () => {
    const duplex = new Duplex({ read() {} });
    const stream = streamOf(duplex);
    const closed = new Promise((resolve) => {
      const ignore = () => {};
      stream.open({ data: ignore, end: ignore, drain: ignore, secure: ignore, close: resolve });
    });
    duplex.destroy();
    expect(await closed).toEqual(new Error('The stream was closed before its end'));
  });
});

describe('duplexOf', () => {
  it('reads no further than its buffer, and writes no further than the stream', async () => {
    const [near, far] = duplexPair({ bufferSize: 1000 });
    let written = 0;
    const write = () => {
      while (written < 10_000_000 && near.write(Buffer.alloc(10_000))) written += 10_000;
    };
    near.on('drain', write);
    write();
    for (let turn = 0; turn < 50; turn++) await task();
    const { readableLength } = far;
    expect(written).toBeLessThan(200_000);
    expect(readableLength).toBeLessThan(200_000);
    let read = 0;
    far.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await expect.poll(() => read, { timeout: 20_000 }).toBeGreaterThanOrEqual(10_000_000);
    near.destroy();
    await once(far, 'error');
  });

  it('gives a writer its array back with the callback', async () => {
    const [near, far] = duplexPair();
    const bytes = Buffer.from('as it was');
    near.write(bytes, () => bytes.fill(0));
    near.end();
    expect(await heard(far)).toBe('as it was');
  });

  it('ends half by half, and closes when everything was read', async () => {
    const [near, far] = duplexPair();
    near.end('question');
    far.write(`answer to ${await heard(far)}`);
    expect(near.destroyed).toBe(false);
    far.end();
    await task();
    await task();
    expect(await heard(near)).toBe('answer to question');
    for (const end of [near, far]) if (!end.closed) await once(end, 'close');
  });

  it('ends with its peer where it is told to', async () => {
    const [near, far] = duplexPair();
    near.allowHalfOpen = false;
    near.resume();
    far.resume();
    far.end();
    await Promise.all([once(near, 'close'), once(far, 'close')]);
  });

  it('aborts the stream on destroy(), and emits what the stream broke by', async () => {
    const [near, far] = duplexPair();
    const errors = [once(near, 'error'), once(far, 'error')] as const;
    const reason = new Error('No longer wanted');
    near.destroy(reason);
    expect(await errors[0]).toEqual([reason]);
    expect(await errors[1]).toEqual([new Error('The peer broke off the connection')]);
    expect(far.closed || (await once(far, 'close'))).toBeTruthy();
  });

  it('tells that nothing happens, for as long as it is told', async () => {
    const [near, far] = duplexPair();
    near.setTimeout(10);
    await once(near, 'timeout');
    let timeouts = 0;
    near.setTimeout(1, () => timeouts++);
    near.setTimeout(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(timeouts).toBe(0);
    near.on('error', () => {}).destroy();
    far.on('error', () => {});
  });

  it('carries a session of ours, under the TLS of any other client', async () => {
    const [near, far] = duplexPair();
    const server = serveSession(
      streamOf(far, { tls: { context } }),
      { onMessage() {} },
      { hostname: 'mx.example', startTls: 'offered', clock: systemClock },
    );
    near.write('EHLO c\r\nSTARTTLS\r\n');
    let plain = '';
    for await (const chunk of near.iterator({ destroyOnReturn: false })) {
      plain += chunk;
      if (plain.includes('220 2.0.0')) break;
    }
    const secure = connectTls({ socket: near, host: 'localhost', ca: cert });
    secure.write('EHLO c\r\nQUIT\r\n');
    expect(await heard(secure)).toMatch(/^250-mx\.example.*\r\n221 /s);
    secure.end();
    await server.closed;
  });

  it('carries both ends of ours under TLS from the first octet', async () => {
    const [near, far] = duplexPair();
    const opened = connect({ socket: near, tls: { mode: 'implicit', ...trusting } });
    const socket = new TLSSocket(far as unknown as Socket, {
      isServer: true,
      secureContext: context.secureContext,
    });
    await once(socket, 'secure');
    serveSession(streamOf(socket), { onMessage() {} }, { hostname: 'mx.example', clock: systemClock });
    const stream = await opened;
    expect(stream.tls?.peerCertificate?.distrust).toBeUndefined();
    const session = await openSession(stream, { hostname: 'c.example', clock: systemClock });
    await session.quit();
  });
});
