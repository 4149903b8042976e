/** What is in memory, against what is simple and plain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Column } from './column.js';
import { DueHeap } from './due-heap.js';
import { DueOrder } from './due-order.js';
import type { IndexEntry } from './message-index.js';
import { SequenceMap } from './sequence-map.js';
import { encodeSummary, readSummary, type SummaryEntry } from './summary.js';

const any = () => true;

describe('the map of sequence numbers', () => {
  it('finds what a Map finds, whatever is added and deleted', () => {
    const operation = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const sequences = new Column(Float64Array);
        const map = new SequenceMap(sequences);
        const model = new Map<number, number>();
        for (const [row, [isAdded, n]] of operations.entries()) {
          // Far apart, as those of different openings of a queue are.
          const sequence = n * 2 ** 32 + (n % 7);
          if (!isAdded) {
            map.delete(sequence);
            model.delete(sequence);
          } else if (!model.has(sequence)) {
            sequences.set(row, sequence);
            map.add(row);
            model.set(sequence, row);
          }
        }
        expect(map.size).toBe(model.size);
        for (let n = 1; n <= 40; n++) {
          const sequence = n * 2 ** 32 + (n % 7);
          expect(map.get(sequence)).toBe(model.get(sequence));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('grows', () => {
    const sequences = new Column(Float64Array);
    const map = new SequenceMap(sequences);
    for (let row = 0; row < 50_000; row++) {
      sequences.set(row, 2 ** 32 + row);
      map.add(row);
    }
    for (let row = 0; row < 50_000; row += 2) map.delete(2 ** 32 + row);
    for (let row = 0; row < 50_000; row++) {
      expect(map.get(2 ** 32 + row)).toBe(row % 2 === 0 ? undefined : row);
    }
  });
});

describe('the heap of what is due', () => {
  it('gives what is due first, whatever was taken out', () => {
    const due = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(fc.array(fc.tuple(due, fc.boolean()), { maxLength: 100 }), (tasks) => {
        const dues = new Column(Float64Array);
        const heap = new DueHeap(dues, new Column(Uint32Array));
        for (const [task, [each]] of tasks.entries()) {
          dues.set(task, each);
          heap.push(task);
        }
        for (const [task, [, isRemoved]] of tasks.entries()) if (isRemoved) heap.remove(task);
        const given: number[] = [];
        for (let task = heap.peek(); task !== undefined; task = heap.peek()) {
          given.push(dues.get(task));
          heap.remove(task);
        }
        const left = tasks.flatMap(([each, isRemoved]) => (isRemoved ? [] : [each]));
        expect(given).toEqual(left.sort((one, other) => one - other));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the order of what is due', () => {
  const open = (domain: string, due: number) => ({ domain, due, isOpen: true });

  function orderOf(messages: readonly { sender: number; priority?: number; domain: string; due: number }[]) {
    const order = new DueOrder();
    for (const [message, { sender, priority = 0, domain, due }] of messages.entries()) {
      order.add(message, { sender, priority });
      order.set(message, [open(domain, due)]);
    }
    return order;
  }

  const takeAll = (order: DueOrder, now: number) => {
    const taken: number[] = [];
    for (let task = order.take(now, any); task !== undefined; task = order.take(now, any)) {
      taken.push(task.message);
    }
    return taken;
  };

  it('gives each domain, and in it each sender, one turn after the other', () => {
    const order = orderOf([
      ...Array.from({ length: 4 }, (_, due) => ({ sender: 1, domain: 'a', due })),
      { sender: 2, domain: 'a', due: 10 },
      { sender: 2, domain: 'a', due: 11 },
      { sender: 1, domain: 'b', due: 12 },
    ]);
    expect(takeAll(order, 20)).toEqual([0, 6, 4, 1, 5, 2, 3]);
  });

  it('gives all that is due and nothing else, whatever is changed meanwhile', () => {
    const change = fc.record({
      message: fc.nat(9),
      due: fc.nat(20),
      isOpen: fc.boolean(),
      domain: fc.constantFrom('a', 'b'),
      takes: fc.nat(3),
      now: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const order = new DueOrder();
        const model = new Map<number, { domain: string; due: number }>();
        for (let message = 0; message < 10; message++) {
          order.add(message, { sender: message % 3, priority: message % 2 });
        }
        let now = 0;
        for (const { message, due, isOpen, domain, takes, now: passed } of changes) {
          order.set(message, [{ domain, due, isOpen }]);
          if (isOpen) model.set(message, { domain, due });
          else model.delete(message);
          now = Math.max(now, passed);
          for (let i = 0; i < takes; i++) {
            const task = order.take(now, any);
            const known = task && model.get(task.message);
            if (task === undefined) expect([...model.values()].filter((each) => each.due <= now)).toEqual([]);
            else expect([known?.domain, (known?.due ?? 99) <= now]).toEqual([task.domain, true]);
            if (task !== undefined) model.delete(task.message);
          }
        }
        const due = [...model].filter(([, each]) => each.due <= 20).map(([message]) => message);
        expect(takeAll(order, 20).sort()).toEqual(due.sort());
        expect(order.next(any)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('lets new mail of others have its turn while a long backlog is looked at', () => {
    const backlog = Array.from({ length: 5_000 }, (_, due) => ({ sender: 1, domain: 'a', due }));
    const order = orderOf(backlog);
    order.take(10_000, any);
    order.add(5_000, { sender: 2, priority: 0 });
    order.set(5_000, [open('a', 10_001)], true);
    const next = [1, 2].map(() => order.take(10_001, any)?.message);
    expect(next).toContain(5_000);
  });

  it('knows for how many messages each domain is waited for', () => {
    const order = orderOf([
      { sender: 1, domain: 'a', due: 1 },
      { sender: 1, domain: 'a', due: 2 },
      { sender: 1, domain: 'b', due: 3 },
    ]);
    order.set(2, []);
    order.take(5, any);
    expect([...order.domains()]).toEqual([{ domain: 'a', messages: 2 }]);
  });
});

describe('the summary of a segment', () => {
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const time = fc.integer({ min: 0, max: 2 ** 53 - 1 });
  const entry: fc.Arbitrary<IndexEntry> = fc.record({
    sequence: time,
    arrived: time,
    home: fc.record({ segment: uint32, offset: uint32, octets: uint32 }),
    last: fc.record({ segment: uint32, offset: uint32 }),
    sender: uint32,
    priority: fc.integer({ min: -9, max: 9 }),
    held: fc.boolean(),
    dropped: fc.boolean(),
    committing: fc.boolean(),
  });
  const task = fc.record({ domain: fc.constantFrom('', 'a.example', '[192.0.2.1]'), due: time });
  const entries = fc.array(fc.record({ entry, size: time, tasks: fc.array(task, { maxLength: 3 }) }));
  const departed = fc.array(fc.record({ sequence: time, size: time }));

  it('is read as it was written', () => {
    fc.assert(
      fc.property(entries, departed, (written, left) => {
        const { json, body } = encodeSummary({ entries: written, departed: left });
        const read: SummaryEntry[] = [];
        const gone: unknown[] = [];
        readSummary(JSON.parse(JSON.stringify(json)), body, {
          entry: (each, size, tasks) => {
            const copied = structuredClone({ entry: each, size, tasks });
            read.push({ ...copied, tasks: copied.tasks.map(({ domain, due }) => ({ domain, due })) });
          },
          departed: (each) => gone.push(each),
        });
        expect(read).toEqual(written);
        expect(gone).toEqual(left);
      }),
      { numRuns: 100 },
    );
  });
});
