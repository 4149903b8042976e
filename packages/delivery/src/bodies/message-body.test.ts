import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as task } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type MessageBody, type OpenBody, openBody } from './message-body.js';

const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

const opened: OpenBody[] = [];
afterEach(async () => {
  for (const body of opened.splice(0)) await body.close();
});

async function openedBody(source: MessageBody): Promise<OpenBody> {
  const body = await openBody(source);
  opened.push(body);
  return body;
}

async function fileOf(octets: Uint8Array): Promise<string> {
  const path = join(directory, 'message');
  await writeFile(path, octets);
  return path;
}

async function readAll(body: OpenBody, again = false): Promise<Buffer> {
  const source = body.read(again);
  if (typeof source === 'string' || source instanceof Uint8Array) return Buffer.from(source);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* chunksOf(octets: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < octets.length; start += size) yield octets.subarray(start, start + size);
}

function octetsOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
}

const LARGE = octetsOf(300_000);

/** Begins to read what is neither text nor octets in memory. */
function begin(body: OpenBody, again: boolean): AsyncIterator<Uint8Array> {
  return (body.read(again) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}

describe('a body', () => {
  it.each<[string, () => MessageBody | Promise<MessageBody>, number | undefined]>([
    ['text', () => 'Grüße', 7],
    ['octets', () => LARGE, 300_000],
    ['a file', async () => ({ path: await fileOf(LARGE) }), 300_000],
    ['an empty file', async () => ({ path: await fileOf(new Uint8Array()) }), 0],
    ['an iterable', () => chunksOf(LARGE, 1000), undefined],
    ['a Node stream', () => Readable.from(chunksOf(LARGE, 1000)), undefined],
    ['a web stream', () => new Blob([LARGE]).stream(), undefined],
  ])('that is %s can be read again, and tells its size if that is known', async (_, source, size) => {
    const body = await openedBody(await source());
    expect(body.size).toBe(size);
    const first = await readAll(body, true);
    expect(body.readable).toBe(true);
    expect((await readAll(body, true)).equals(first)).toBe(true);
    expect(body.size).toBe(first.length);
  });

  it('that is read for the last time is not kept', async () => {
    const body = await openedBody(chunksOf(LARGE, 1000));
    expect((await readAll(body)).equals(LARGE)).toBe(true);
    expect(body.readable).toBe(false);
  });

  it('is not given up by a reading that nobody has begun', async () => {
    const body = await openedBody(chunksOf(LARGE, 1000));
    body.read(false);
    expect(body.readable).toBe(true);
    expect((await readAll(body)).equals(LARGE)).toBe(true);
  });

  it('is the same for all who read, at whatever pace, in memory or in a file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 150_000 }),
        fc.integer({ min: 1000, max: 70_000 }),
        fc.array(fc.record({ start: fc.nat(5), pauses: fc.nat(3), stopsAfter: fc.option(fc.nat(5)) }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (length, size, readers) => {
          const octets = LARGE.subarray(0, length);
          const body = await openBody(chunksOf(octets, size));
          await Promise.all(
            readers.map(async ({ start, pauses, stopsAfter }) => {
              for (let turn = 0; turn < start; turn++) await task();
              const chunks: Uint8Array[] = [];
              for await (const chunk of body.read(true) as AsyncIterable<Uint8Array>) {
                chunks.push(chunk);
                if (chunks.length === stopsAfter) break;
                for (let turn = 0; turn < pauses; turn++) await task();
              }
              const read = Buffer.concat(chunks);
              if (stopsAfter === null) expect(read.equals(octets)).toBe(true);
              else expect(read.equals(octets.subarray(0, read.length))).toBe(true);
            }),
          );
          expect((await readAll(body, true)).equals(octets)).toBe(true);
          await body.close();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('that is kept in a file leaves nothing that has a name', async () => {
    const body = await openedBody(chunksOf(LARGE, 1000));
    const reading = begin(body, true);
    for (let chunk = 0; chunk < 200; chunk++) await reading.next();
    const named = (await readdir(tmpdir())).filter((name) => /^sansmtp-[\da-f]{8}-/.test(name));
    expect(named).toEqual([]);
  });

  it('is sent as it was when its file grows, and fails when that becomes shorter', async () => {
    const path = await fileOf(LARGE);
    const body = await openedBody({ path });
    await writeFile(path, 'more', { flag: 'a' });
    expect((await readAll(body)).equals(LARGE)).toBe(true);
    await truncate(path, 100_000);
    await expect(readAll(body)).rejects.toThrow('shorter than its 300000 octets');
    expect(body.failure).toBeDefined();
  });

  it('fails for all who read, with what it has thrown', async () => {
    const fault = new Error('no more');
    async function* source() {
      yield LARGE;
      throw fault;
    }
    const body = await openedBody(source());
    const readings = [readAll(body, true), readAll(body, true)];
    await Promise.all(readings.map((reading) => expect(reading).rejects.toBe(fault)));
    await expect(readAll(body, true)).rejects.toBe(fault);
    expect(body.failure).toEqual({ error: fault });
  });

  it('that yields text fails', async () => {
    const body = await openedBody(Readable.from(['text']));
    await expect(readAll(body)).rejects.toThrow(TypeError);
  });
});

describe('opening a pipe to which nobody writes', () => {
  it.each(['meanwhile', 'before'])(
    'ends with the signal, aborted %s; opened late, it is closed',
    async (when) => {
      const path = join(directory, when);
      await promisify(execFile)('mkfifo', [path]);
      const controller = new AbortController();
      if (when === 'before') controller.abort();
      const opening = openBody({ path }, controller.signal);
      await task();
      controller.abort();
      const body = await opening;
      expect(body.readable).toBe(false);
      await body.close();
      // Waits until the system opens the other end, too.
      const writer = await open(path, 'w');
      await expect
        .poll(() => writer.write('x').catch((error: unknown) => error), { timeout: 20_000 })
        .toMatchObject({ code: 'EPIPE' });
      await writer.close();
    },
  );

  it('does not hide that a file cannot be opened', async () => {
    const { signal } = new AbortController();
    const missing = { path: join(directory, 'missing') };
    await expect(openBody(missing, signal)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('closing a body', () => {
  it.each([true, false])('destroys a Node stream that hangs, read again: %s', async (again) => {
    const stream = new Readable({ read() {} });
    stream.push(Buffer.from('x'));
    const body = await openBody(stream);
    const reading = (body.read(again) as AsyncGenerator<Uint8Array>)[Symbol.asyncIterator]();
    await reading.next();
    const hanging = reading.next().catch(() => {});
    await body.close();
    expect(stream.destroyed).toBe(true);
    await hanging;
  });

  it('cancels a web stream that hangs', async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => {}),
      cancel() {
        cancelled = true;
      },
    });
    const body = await openBody(stream);
    const hanging = begin(body, false).next();
    await task();
    await body.close();
    expect(cancelled).toBe(true);
    await hanging;
  });

  it('tells an iterable that was not read to its end', async () => {
    let returned = false;
    async function* source() {
      try {
        yield LARGE;
        yield LARGE;
      } finally {
        returned = true;
      }
    }
    const body = await openBody(source());
    await begin(body, true).next();
    await body.close();
    await task();
    expect(returned).toBe(true);
  });

  it('does not wait for an iterable that hangs', async () => {
    async function* source() {
      yield await new Promise<Uint8Array>(() => {});
    }
    const body = await openBody(source());
    void begin(body, true).next();
    await task();
    await body.close();
  });
});
