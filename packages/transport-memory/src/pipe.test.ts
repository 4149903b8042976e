import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pipe } from './pipe.js';

describe('Pipe', () => {
  it('gives back the octets in order, whatever the sizes of writes and takes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 30 }),
        fc.array(fc.record({ limit: fc.integer({ min: 1, max: 30 }), whole: fc.boolean() })),
        (writes, takes) => {
          const pipe = new Pipe();
          for (const bytes of writes) pipe.write(bytes, 0);
          const written = writes.flatMap((bytes) => [...bytes]);
          expect(pipe.length).toBe(written.length);
          const taken: number[] = [];
          for (const { limit, whole } of takes) {
            if (pipe.octetsDue === undefined) break;
            const bytes = whole ? pipe.takeWrite(limit) : pipe.take(limit, 0);
            expect(bytes.length).toBeGreaterThan(0);
            expect(bytes.length).toBeLessThanOrEqual(limit);
            taken.push(...bytes);
          }
          expect(taken).toEqual(written.slice(0, taken.length));
          expect(pipe.length).toBe(written.length - taken.length);
        },
      ),
    );
  });

  it('gives copies, of a Buffer of Node too', () => {
    const pipe = new Pipe();
    const written = Buffer.from('EHLO');
    pipe.write(written, 0);
    pipe.takeWrite(2).fill(0);
    pipe.take(2, 0).fill(0);
    expect(written.toString()).toBe('EHLO');
  });

  it('tells when octets are due, and the end only behind the last of them', () => {
    const pipe = new Pipe();
    expect([pipe.octetsDue, pipe.endDue]).toEqual([undefined, undefined]);
    pipe.write(Uint8Array.of(1, 2), 10);
    pipe.write(Uint8Array.of(3), 20);
    pipe.end(30);
    expect([pipe.octetsDue, pipe.endDue]).toEqual([10, undefined]);
    expect([...pipe.take(100, 10)]).toEqual([1, 2]);
    expect([pipe.octetsDue, pipe.endDue]).toEqual([20, undefined]);
    expect([...pipe.take(100, 20)]).toEqual([3]);
    expect([pipe.octetsDue, pipe.endDue]).toEqual([undefined, 30]);
  });

  it('copies what it gives back', () => {
    const pipe = new Pipe();
    const written = Uint8Array.of(1, 2, 3);
    pipe.write(written, 0);
    pipe.takeWrite(2).fill(0);
    pipe.take(1, 0).fill(0);
    expect([...written]).toEqual([1, 2, 3]);
  });

  it('keeps the order of more writes than it cuts off at a time', () => {
    const pipe = new Pipe();
    for (let count = 0; count < 5000; count++) pipe.write(Uint8Array.of(count), 0);
    for (let count = 0; count < 5000; count++) expect([...pipe.take(1, 0)]).toEqual([count & 0xff]);
    expect(pipe.length).toBe(0);
  });

  it('loses at close what is in it and what comes after', () => {
    const pipe = new Pipe();
    pipe.write(Uint8Array.of(1), 0);
    pipe.end(0);
    pipe.close();
    pipe.write(Uint8Array.of(1), 0);
    pipe.end(0);
    expect([pipe.length, pipe.octetsDue, pipe.endDue]).toEqual([0, undefined, undefined]);
  });
});
