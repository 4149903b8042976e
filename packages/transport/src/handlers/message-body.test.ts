import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailDataAbandonedError } from './handlers.js';
import { MessageBody } from './message-body.js';

const octets = (...values: number[]) => Uint8Array.from(values);
const noRoom = () => {};

async function collect(body: AsyncIterable<Uint8Array>): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of body) all.push(...chunk);
  return all;
}

describe('MessageBody', () => {
  it('hands out what was pushed, in order and unchanged, whoever is ahead', async () => {
    const steps = fc.array(fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.constant('read' as const)));
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const body = new MessageBody(noRoom);
        const iterator = body[Symbol.asyncIterator]();
        const results: Promise<IteratorResult<Uint8Array, undefined>>[] = [];
        for (const step of script) {
          if (step === 'read') results.push(iterator.next());
          else body.push(step);
        }
        body.end();
        const pushed = script.filter((step) => step !== 'read');
        while (results.length <= pushed.length) results.push(iterator.next());
        const given = await Promise.all(results);
        const end = given.findIndex(({ done }) => done);
        const read = given.slice(0, end).flatMap(({ value }) => [...(value ?? [])]);
        expect(read).toEqual(pushed.flatMap((chunk) => [...chunk]));
        // Nothing follows the end.
        expect(given.slice(end).every(({ done }) => done)).toBe(true);
      }),
    );
  });

  it('joins small pieces that wait, and leaves large ones as they are', async () => {
    const body = new MessageBody(noRoom);
    const large = new Uint8Array(65_536).fill(7);
    const first = octets(1);
    body.push(first);
    for (let piece = 0; piece < 60_000; piece += 1) body.push(octets(2));
    body.push(large);
    for (let piece = 0; piece < 10; piece += 1) body.push(octets(3));
    body.end();
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([1, 60_000, 65_536, 10]);
    expect(pieces[0]).toBe(first);
    expect(pieces[2]).toBe(large);
    expect(new Set(pieces[1])).toEqual(new Set([2]));
  });

  it('is full from 128 KiB on, and tells once when there is room again', async () => {
    let room = 0;
    const body = new MessageBody(() => {
      room++;
    });
    body.push(new Uint8Array(131_071));
    expect(body.isFull).toBe(false);
    body.push(octets(1));
    expect(body.isFull).toBe(true);
    body.push(new Uint8Array(65_536));
    const iterator = body[Symbol.asyncIterator]();
    await iterator.next();
    expect(body.isFull).toBe(false);
    expect(room).toBe(1);
    await iterator.next();
    await iterator.next();
    expect(room).toBe(1);
  });

  it('is not filled by what a reader waits for', () => {
    const body = new MessageBody(noRoom);
    void body.next();
    body.push(new Uint8Array(131_072));
    expect(body.isFull).toBe(false);
  });

  it('can be read once only', () => {
    const body = new MessageBody(noRoom);
    body[Symbol.asyncIterator]();
    expect(() => body[Symbol.asyncIterator]()).toThrow('once');
  });

  it('gives what came before the end, then the end, as often as it is asked', async () => {
    const body = new MessageBody(noRoom);
    body.push(octets(1));
    body.end();
    expect(await collect(body)).toEqual([1]);
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  describe('abandoned', () => {
    it('drops what waits, and gives the error to whoever reads, now and later', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      await body.next();
      const waiting = body.next();
      body.abandon('malformed');
      await expect(waiting).rejects.toEqual(new MailDataAbandonedError('malformed'));
      await expect(body.next()).rejects.toEqual(new MailDataAbandonedError('malformed'));

      const other = new MessageBody(noRoom);
      other.push(octets(1));
      other.abandon('tooLarge');
      await expect(collect(other)).rejects.toEqual(new MailDataAbandonedError('tooLarge'));
    });

    it('makes room', () => {
      let room = 0;
      const body = new MessageBody(() => {
        room++;
      });
      body.push(new Uint8Array(131_072));
      body.abandon('closed');
      expect(body.isFull).toBe(false);
      expect(room).toBe(1);
    });

    it('takes nothing more, and stays abandoned for the first reason', async () => {
      const body = new MessageBody(noRoom);
      body.abandon('closed');
      body.push(octets(1));
      body.end();
      body.abandon('malformed');
      await expect(body.next()).rejects.toEqual(new MailDataAbandonedError('closed'));
    });

    it('changes nothing once the message is complete', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      body.end();
      body.abandon('closed');
      expect(await collect(body)).toEqual([1]);
    });
  });

  describe('left early by its reader', () => {
    it('drops what waits and what comes, makes room, and gives nothing more', async () => {
      let room = 0;
      const body = new MessageBody(() => {
        room++;
      });
      body.push(octets(1));
      body.push(new Uint8Array(200_000));
      for await (const chunk of body) {
        expect(chunk).toEqual(octets(1));
        break;
      }
      expect(room).toBe(1);
      body.push(new Uint8Array(200_000));
      expect(body.isFull).toBe(false);
      expect(await body.next()).toEqual({ done: true, value: undefined });
    });

    it('ends what was being waited for', async () => {
      const body = new MessageBody(noRoom);
      const waiting = body.next();
      await body.return();
      expect(await waiting).toEqual({ done: true, value: undefined });
    });

    it('stays left when the message is abandoned', async () => {
      const body = new MessageBody(noRoom);
      await body.return();
      body.abandon('closed');
      expect(await body.next()).toEqual({ done: true, value: undefined });
    });
  });

  describe('dropped, since its handler has settled', () => {
    it('cannot pass for a whole message: whoever still reads gets an error', async () => {
      const body = new MessageBody(noRoom);
      const waiting = body.next();
      body.drop();
      await expect(waiting).rejects.toEqual(new MailDataAbandonedError('dropped'));
      body.end();
      await expect(body.next()).rejects.toEqual(new MailDataAbandonedError('dropped'));
    });

    it('drops what waits behind the end, too', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      body.end();
      body.drop();
      await expect(collect(body)).rejects.toEqual(new MailDataAbandonedError('dropped'));
    });

    it('stays whole when it was read to its end', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      body.end();
      expect(await collect(body)).toEqual([1]);
      body.drop();
      expect(await body.next()).toEqual({ done: true, value: undefined });
    });
  });

  describe('teed', () => {
    const both = async (body: MessageBody) => Promise.all(body.tee().map(collect));

    it('gives all of it to both branches, whoever is ahead, however the reads and the chunks alternate', async () => {
      const steps = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.constantFrom(0, 1)));
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(20), async (script, teeAt) => {
          const body = new MessageBody(noRoom);
          const heard: Promise<IteratorResult<Uint8Array, unknown>>[][] = [[], []];
          let iterators: AsyncIterator<Uint8Array>[] | undefined;
          const tee = () => {
            iterators ??= body.tee().map((branch) => branch[Symbol.asyncIterator]());
            return iterators;
          };
          script.forEach((step, index) => {
            if (index === teeAt) tee();
            if (typeof step !== 'number') body.push(step);
            else {
              const iterator = iterators?.[step];
              if (iterator !== undefined) heard[step]?.push(iterator.next());
            }
          });
          body.end();
          const pushed = script.filter((step) => typeof step !== 'number');
          for (const [index, iterator] of tee().entries()) {
            const results = heard[index] ?? [];
            while (results.length <= pushed.length) results.push(iterator.next());
            const given = await Promise.all(results);
            const read = given.flatMap(({ done, value }) => (done ? [] : [...(value as Uint8Array)]));
            expect(read).toEqual(pushed.flatMap((chunk) => [...chunk]));
          }
        }),
      );
    });

    it('is full while one branch is, and makes room when the slower has read', async () => {
      let room = 0;
      const body = new MessageBody(() => {
        room++;
      });
      const [fast, slow] = body.tee().map((branch) => branch[Symbol.asyncIterator]());
      body.push(new Uint8Array(131_072));
      await fast?.next();
      expect(body.isFull).toBe(true);
      expect(room).toBe(0);
      await slow?.next();
      expect(body.isFull).toBe(false);
      expect(room).toBe(1);
    });

    it('goes on for one branch alone when the other is left', async () => {
      let room = 0;
      const body = new MessageBody(() => {
        room++;
      });
      const [one, other] = body.tee();
      body.push(new Uint8Array(131_072));
      for await (const _ of one) break;
      expect(room).toBe(0);
      const rest = other[Symbol.asyncIterator]();
      await rest.next();
      expect(room).toBe(1);
      body.push(octets(1));
      body.end();
      expect(await rest.next()).toEqual({ done: false, value: octets(1) });
      expect(await rest.next()).toMatchObject({ done: true });
    });

    it('lets no branch write into what the other gets', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      const [one, other] = body.tee();
      body.push(octets(2));
      body.end();
      for await (const chunk of one) chunk.fill(0);
      expect(await collect(other)).toEqual([1, 2]);
    });

    it('can be teed again, and once only', async () => {
      const body = new MessageBody(noRoom);
      const [one, rest] = body.tee();
      const [two, three] = rest.tee();
      expect(() => body.tee()).toThrow('once');
      expect(() => rest[Symbol.asyncIterator]()).toThrow('once');
      body.push(octets(1));
      body.end();
      expect(await Promise.all([one, two, three].map(collect))).toEqual([[1], [1], [1]]);
    });

    it.each(['malformed', 'dropped'] as const)('tells both branches that it was %s', async (reason) => {
      for (const teedFirst of [true, false]) {
        const body = new MessageBody(noRoom);
        const stop = () => (reason === 'dropped' ? body.drop() : body.abandon(reason));
        const branches = teedFirst ? body.tee() : undefined;
        body.push(octets(1));
        stop();
        for (const branch of branches ?? body.tee()) {
          await expect(collect(branch)).rejects.toEqual(new MailDataAbandonedError(reason));
        }
      }
    });

    it('may be complete before', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1, 2));
      body.end();
      expect(await both(body)).toEqual([
        [1, 2],
        [1, 2],
      ]);
    });
  });

  describe('as a web stream', () => {
    it('is read whole, with the backpressure of the body', async () => {
      let room = 0;
      const body = new MessageBody(() => {
        room++;
      });
      const reader = body.readable.getReader();
      body.push(new Uint8Array(131_072));
      await new Promise((resolve) => setImmediate(resolve));
      expect(body.isFull).toBe(true);
      expect(await reader.read()).toMatchObject({ done: false });
      expect(room).toBe(1);
      body.end();
      expect(await reader.read()).toEqual({ done: true, value: undefined });
    });

    it('fails when the body is abandoned, and leaves it when it is cancelled', async () => {
      const body = new MessageBody(noRoom);
      const reading = body.getReader().read();
      body.abandon('closed');
      await expect(reading).rejects.toEqual(new MailDataAbandonedError('closed'));

      const other = new MessageBody(noRoom);
      other.push(new Uint8Array(131_072));
      await other.getReader().cancel();
      expect(other.isFull).toBe(false);
      expect(await other.next()).toEqual({ done: true, value: undefined });
    });

    it('is the same at each look; a look alone reads nothing', async () => {
      const body = new MessageBody(noRoom);
      expect(body.readable).toBe(body.readable);
      body.push(octets(1));
      body.end();
      expect(await collect(body)).toEqual([1]);
      await expect(body.readable.getReader().read()).rejects.toThrow('once');
    });

    it('is the one way in which the body is read', async () => {
      const body = new MessageBody(noRoom);
      body.push(octets(1));
      await body.readable.getReader().read();
      expect(() => body.tee()).toThrow('once');
    });
  });

  it("is the source of Node's pipeline(), which looks at `readable`", async () => {
    const body = new MessageBody(noRoom);
    body.push(octets(1, 2));
    body.end();
    const given: number[] = [];
    await pipeline(body, async (source) => {
      for await (const chunk of source) given.push(...(chunk as Uint8Array));
    });
    const through = new PassThrough();
    const other = new MessageBody(noRoom);
    other.push(octets(1, 2));
    other.end();
    await Promise.all([pipeline(other, through), collect(through).then((all) => given.push(...all))]);
    expect(given).toEqual([1, 2, 1, 2]);
  });

  it('is read by Readable.from', async () => {
    const body = new MessageBody(noRoom);
    body.push(octets(1));
    body.push(octets(2));
    body.end();
    expect(await collect(Readable.from(body))).toEqual([1, 2]);
  });

  it.each([
    ['an array of octets', (body: MessageBody) => new Uint8Array(body as unknown as number[])],
    ['a Buffer', (body: MessageBody) => Buffer.from(body as unknown as string)],
    ['an array', (body: MessageBody) => Array.from(body as unknown as number[])],
    ['a text', (body: MessageBody) => String(body)],
    ['a part of a text', (body: MessageBody) => `${body}`],
    ['JSON', (body: MessageBody) => JSON.stringify({ body })],
  ])('taken for %s, it says how it is to be read', (_, take) => {
    expect(() => take(new MessageBody(noRoom))).toThrow(/^The body of a message .*: read it by `for await`/);
  });
});
