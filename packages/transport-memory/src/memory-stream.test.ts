import type { ByteStream } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryPair } from './memory-stream.js';
import { createVirtualClock } from './virtual-clock.js';

const task = () => new Promise<void>((resolve) => setImmediate(resolve));
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Opens a stream and writes down what it hears, with the moment when a clock is given. */
function listen(stream: ByteStream, now?: () => number): string[] {
  const heard: string[] = [];
  const note = (what: string) => heard.push(now === undefined ? what : `${now()}: ${what}`);
  stream.open({
    data: (bytes) => note(new TextDecoder().decode(bytes)),
    end: () => note('end'),
    drain: () => note('drain'),
    secure: (tls) => note(`secure: ${tls.protocol}`),
    close: (reason) => note(reason === undefined ? 'close' : `close: ${reason.message}`),
  });
  return heard;
}

it('refuses texts where it takes numbers', () => {
  const clock = createVirtualClock();
  for (const options of [
    { chunkSize: '5' },
    { bufferSize: '5' },
    { latency: '5', clock },
    { dropAfter: { first: '5' } },
  ]) {
    expect(() => createMemoryPair(options as unknown as Parameters<typeof createMemoryPair>[0])).toThrow(
      RangeError,
    );
  }
});

describe('createMemoryPair', () => {
  it('delivers each write as it was written, by default', async () => {
    const [a, b] = createMemoryPair();
    const heard = listen(b);
    a.write(bytesOf('EHLO a\r\n'));
    a.write(bytesOf('QUIT\r\n'));
    a.end();
    await task();
    expect(heard).toEqual(['EHLO a\r\n', 'QUIT\r\n', 'end']);
  });

  it('has a peer without an address', () => {
    expect(createMemoryPair()[0].peer).toEqual({});
  });

  it('lets promise reactions run between two callbacks', async () => {
    const [a, b] = createMemoryPair();
    const order: string[] = [];
    b.open({
      data: (bytes) => {
        order.push(`data ${bytes[0]}`);
        Promise.resolve().then(() => order.push(`reaction ${bytes[0]}`));
      },
      end: () => order.push('end'),
      drain: () => undefined,
      secure: () => undefined,
      close: () => undefined,
    });
    a.write(Uint8Array.of(1));
    a.write(Uint8Array.of(2));
    a.end();
    await task();
    expect(order).toEqual(['data 1', 'reaction 1', 'data 2', 'reaction 2', 'end']);
  });

  describe('chunkSize', () => {
    it('cuts and joins writes to chunks of that size', async () => {
      const [a, b] = createMemoryPair({ chunkSize: 4 });
      const heard = listen(b);
      a.write(bytesOf('abc'));
      a.write(bytesOf('defghi'));
      a.write(bytesOf('j'));
      await task();
      expect(heard).toEqual(['abcd', 'efgh', 'ij']);
    });

    it('takes each size from the function, and 1 for what is none', async () => {
      const sizes = [3, 0, -5, Number.NaN, 2.9, 100];
      const [a, b] = createMemoryPair({ chunkSize: () => sizes.shift() ?? 1 });
      const heard = listen(b);
      a.write(bytesOf('abcdefghijk'));
      await task();
      expect(heard).toEqual(['abc', 'd', 'e', 'f', 'gh', 'ijk']);
    });

    it.each([0, -1, Number.NaN])('refuses %s', (chunkSize) => {
      expect(() => createMemoryPair({ chunkSize })).toThrow(RangeError);
    });
  });

  describe('bufferSize', () => {
    it('is the number of octets on the way from which on write() is false', async () => {
      const [a, b] = createMemoryPair({ bufferSize: 10 });
      const heard = listen(a);
      b.pause();
      listen(b);
      expect(a.write(new Uint8Array(9))).toBe(true);
      expect(a.write(new Uint8Array(1))).toBe(false);
      await task();
      expect(heard).toEqual([]);
      b.resume();
      await task();
      expect(heard).toEqual(['drain']);
      expect(a.write(new Uint8Array(9))).toBe(true);
    });

    it('is 64 KiB by default', () => {
      const [a] = createMemoryPair();
      expect(a.write(new Uint8Array(65535))).toBe(true);
      expect(a.write(new Uint8Array(1))).toBe(false);
    });

    it('counts each direction for itself', () => {
      const [a, b] = createMemoryPair({ bufferSize: 10 });
      expect(a.write(new Uint8Array(10))).toBe(false);
      expect(b.write(new Uint8Array(9))).toBe(true);
    });

    it.each([0, -1, Number.NaN])('refuses %s', (bufferSize) => {
      expect(() => createMemoryPair({ bufferSize })).toThrow(RangeError);
    });
  });

  describe('latency', () => {
    it('is the time from a write to its delivery, each way', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock });
      const atA = listen(a, clock.now);
      const atB = listen(b, clock.now);
      a.write(bytesOf('one'));
      await clock.advanceAsync(10);
      a.write(bytesOf('two'));
      b.write(bytesOf('three'));
      await clock.advanceAsync(19);
      expect(atB).toEqual([]);
      await clock.advanceAsync(1);
      expect(atB).toEqual(['30: one']);
      a.end();
      await clock.advanceAsync(1000);
      expect(atB).toEqual(['30: one', '40: two', '60: end']);
      expect(atA).toEqual(['40: three']);
    });

    it('holds for an abort, but not at the end that aborts', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock });
      const atA = listen(a, clock.now);
      const atB = listen(b, clock.now);
      a.abort(new Error('Enough'));
      await clock.advanceAsync(1000);
      expect(atA).toEqual(['0: close: Enough']);
      expect(atB).toEqual(['30: close: The peer broke off the connection']);
    });

    it('counts from the first end()', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock });
      const atB = listen(b, clock.now);
      a.end();
      await clock.advanceAsync(10);
      a.end();
      await clock.advanceAsync(1000);
      expect(atB).toEqual(['30: end']);
    });

    it('loses at an abort what is on its way', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock });
      const atB = listen(b, clock.now);
      a.write(bytesOf('lost'));
      await clock.advanceAsync(10);
      a.abort();
      b.write(bytesOf('lost'));
      await clock.advanceAsync(1000);
      expect(atB).toEqual(['40: close: The peer broke off the connection']);
    });

    it('keeps apart in chunks what does not arrive together', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock, chunkSize: 100 });
      const atB = listen(b, clock.now);
      a.write(bytesOf('a'));
      a.write(bytesOf('b'));
      await clock.advanceAsync(10);
      a.write(bytesOf('c'));
      await clock.advanceAsync(1000);
      expect(atB).toEqual(['30: ab', '40: c']);
    });

    it('leaves no timer behind', async () => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({ latency: 30, clock });
      listen(a);
      listen(b);
      a.write(bytesOf('lost'));
      b.write(bytesOf('lost'));
      await clock.advanceAsync(10);
      a.write(bytesOf('lost'));
      await clock.advanceAsync(10);
      expect(clock.pending).toBe(2);
      a.abort();
      b.abort();
      await clock.advanceAsync(0);
      expect(clock.pending).toBe(0);
    });

    it('needs a clock, and 0 ms or more', () => {
      expect(() => createMemoryPair({ latency: 1 })).toThrow(TypeError);
      expect(() => createMemoryPair({ latency: -1, clock: createVirtualClock() })).toThrow(RangeError);
    });
  });

  describe('dropAfter', () => {
    it('loses the connection behind the last octet allowed', async () => {
      const [a, b] = createMemoryPair({ dropAfter: { first: 5 } });
      const atA = listen(a);
      const atB = listen(b);
      a.write(bytesOf('abc'));
      a.write(bytesOf('defg'));
      await task();
      expect(atB).toEqual(['abc', 'de', 'close: The connection was lost']);
      expect(atA).toEqual(['close: The connection was lost']);
    });

    it('counts octets in chunks of any size', async () => {
      const [a, b] = createMemoryPair({ dropAfter: { first: 5 }, chunkSize: 2 });
      const atB = listen(b);
      a.write(bytesOf('abcdefg'));
      await task();
      expect(atB).toEqual(['ab', 'cd', 'e', 'close: The connection was lost']);
    });

    it('holds below it', async () => {
      const [a, b] = createMemoryPair({ dropAfter: { first: 5 } });
      const atB = listen(b);
      a.write(bytesOf('abcd'));
      b.write(bytesOf('more than five octets'));
      await task();
      expect(atB).toEqual(['abcd']);
    });

    it('counts the octets of the second stream apart', async () => {
      const [a, b] = createMemoryPair({ dropAfter: { first: 100, second: 2 } });
      const atA = listen(a);
      b.write(bytesOf('abc'));
      await task();
      expect(atA).toEqual(['ab', 'close: The connection was lost']);
    });

    it('loses the connection from the start with 0', async () => {
      const [a, b] = createMemoryPair({ dropAfter: { second: 0 } });
      a.write(bytesOf('abc'));
      const atA = listen(a);
      const atB = listen(b);
      await task();
      expect(atA).toEqual(['close: The connection was lost']);
      expect(atB).toEqual(['close: The connection was lost']);
    });

    it.each([-1, Number.NaN])('refuses %s', (first) => {
      expect(() => createMemoryPair({ dropAfter: { first } })).toThrow(RangeError);
    });
  });

  describe('tls', () => {
    const tls = (name: string) => ({ protocol: name, cipher: 'none', channelBindings: {} });

    it('is not there by default', () => {
      const [a] = createMemoryPair();
      expect([a.tls, a.canStartTls]).toEqual([undefined, false]);
      expect(() => a.startTls()).toThrow('This stream cannot start TLS');
    });

    it('is known before open() when it is implicit, to each end what it is told', async () => {
      const [a, b] = createMemoryPair({ tls: { mode: 'implicit', first: tls('TLSv1.2') } });
      expect([a.tls?.protocol, b.tls?.protocol]).toEqual(['TLSv1.2', 'TLSv1.3']);
      expect([a.canStartTls, b.canStartTls]).toEqual([false, false]);
      const atB = listen(b);
      a.write(bytesOf('abc'));
      await task();
      expect(atB).toEqual(['abc']);
    });

    it.each([0, 1])('stands when both ends have started it, stream %s first', async (first) => {
      const clock = createVirtualClock();
      const [a, b] = createMemoryPair({
        latency: 30,
        clock,
        tls: { mode: 'startTls', first: tls('A'), second: tls('B') },
      });
      const atA = listen(a, clock.now);
      const atB = listen(b, clock.now);
      const [early, late] = first === 0 ? [a, b] : [b, a];
      early.startTls();
      expect(early.write(bytesOf('x'))).toBe(false);
      await clock.advanceAsync(100);
      expect([...atA, ...atB]).toEqual([]);
      late.startTls();
      await clock.advanceAsync(100);
      const [earlyName, lateName] = first === 0 ? ['A', 'B'] : ['B', 'A'];
      expect(first === 0 ? [atA, atB] : [atB, atA]).toEqual([
        [`130: secure: ${earlyName}`, '130: drain'],
        [`100: secure: ${lateName}`, '160: x'],
      ]);
      expect(clock.pending).toBe(0);
    });

    it('takes for a garbled handshake what the peer sends in the clear before its own', async () => {
      const [a, b] = createMemoryPair({ tls: { mode: 'startTls' } });
      const atA = listen(a);
      const atB = listen(b);
      a.startTls();
      b.write(bytesOf('MAIL FROM:<attacker@example.com>'));
      b.startTls();
      await task();
      expect(atA).toEqual(['close: The peer ended the connection during the TLS handshake']);
      expect(atB).toEqual([expect.stringMatching(/^close: The peer sent octets in the clear/)]);
    });

    it('fails when told to, with a TlsError', async () => {
      const [a, b] = createMemoryPair({ tls: { mode: 'startTls', failHandshake: true } });
      const heard = [listen(a), listen(b)];
      a.startTls();
      b.startTls();
      await task();
      expect(heard.flat().toSorted()).toEqual([
        'close: The handshake failed, as the options of this pair say',
        'close: The peer ended the connection during the TLS handshake',
      ]);
    });

    it('does not count the handshake among the octets until the connection is lost', async () => {
      const [a, b] = createMemoryPair({ tls: { mode: 'startTls' }, dropAfter: { first: 2 }, chunkSize: 1 });
      const atB = listen(b);
      listen(a);
      a.startTls();
      b.startTls();
      a.write(bytesOf('abc'));
      await task();
      expect(atB).toEqual(['secure: TLSv1.3', 'a', 'b', 'close: The connection was lost']);
    });
  });

  it('keeps the octets in order, whatever the chunks, the latency and the buffer', async () => {
    const octets = fc.array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { maxLength: 20 });
    const size = fc.integer({ min: 1, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        octets,
        octets,
        fc.infiniteStream(size),
        fc.integer({ min: 0, max: 100 }),
        size,
        fc.infiniteStream(fc.integer({ min: 0, max: 60 })),
        async (fromA, fromB, sizes, latency, bufferSize, waits) => {
          const clock = createVirtualClock();
          const [a, b] = createMemoryPair({
            chunkSize: () => sizes.next().value,
            latency,
            clock,
            bufferSize,
          });
          const received: [number[], number[]] = [[], []];
          const ended: string[] = [];
          for (const [index, stream] of [a, b].entries()) {
            stream.open({
              data: (bytes) => received[index]?.push(...bytes),
              end: () => ended.push(`end ${index}`),
              drain: () => undefined,
              secure: () => undefined,
              close: (reason) => ended.push(`close ${index} ${reason?.message ?? ''}`),
            });
          }
          for (let index = 0; index < Math.max(fromA.length, fromB.length); index++) {
            const [toB, toA] = [fromA[index], fromB[index]];
            if (toB !== undefined) a.write(toB);
            if (toA !== undefined) b.write(toA);
            await clock.advanceAsync(waits.next().value);
          }
          a.end();
          b.end();
          for (let wait = 0; ended.length < 4 && wait < 100; wait++) await clock.advanceAsync(latency);
          expect(received).toEqual([
            fromB.flatMap((bytes) => [...bytes]),
            fromA.flatMap((bytes) => [...bytes]),
          ]);
          expect(ended.toSorted()).toEqual(['close 0 ', 'close 1 ', 'end 0', 'end 1']);
          expect(clock.pending).toBe(0);
        },
      ),
    );
  });
});
