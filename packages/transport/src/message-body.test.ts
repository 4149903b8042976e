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
});
