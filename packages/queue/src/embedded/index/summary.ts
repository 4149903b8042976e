/**
 * What a segment of the journal says, in short: the messages that something in it is about, as they stand at its end, and
 * those that have left the queue. With it the queue is opened without reading the segment.
 */
import { Buffer } from 'node:buffer';
import type { OrderedTask, Task } from './due-order.js';
import type { IndexEntry } from './message-index.js';

export interface SummaryEntry {
  readonly entry: IndexEntry;
  /** Octets of the body. */
  readonly size: number;
  readonly tasks: readonly Task[];
}

export interface Departure {
  readonly sequence: number;
  readonly size: number;
}

export interface Summary {
  readonly entries: Iterable<SummaryEntry>;
  readonly departed: Iterable<Departure>;
}

interface SummaryJson {
  /** What the tasks name by their index. */
  readonly domains: readonly string[];
  readonly entries: number;
  readonly departed: number;
}

const ENTRY_OCTETS = 56;
const TASK_OCTETS = 12;
const DEPARTURE_OCTETS = 16;

export function encodeSummary(summary: Summary): { readonly json: SummaryJson; readonly body: Buffer } {
  const entries = [...summary.entries];
  const departed = [...summary.departed];
  const tasks = entries.reduce((sum, each) => sum + each.tasks.length, 0);
  const body = Buffer.alloc(
    entries.length * ENTRY_OCTETS + tasks * TASK_OCTETS + departed.length * DEPARTURE_OCTETS,
  );
  const domains = new Map<string, number>();
  let at = 0;
  for (const { entry, size, tasks } of entries) {
    at = body.writeDoubleLE(entry.sequence, at);
    at = body.writeDoubleLE(entry.arrived, at);
    at = body.writeDoubleLE(size, at);
    at = body.writeUInt32LE(entry.home.segment, at);
    at = body.writeUInt32LE(entry.home.offset, at);
    at = body.writeUInt32LE(entry.home.octets, at);
    at = body.writeUInt32LE(entry.last.segment, at);
    at = body.writeUInt32LE(entry.last.offset, at);
    at = body.writeUInt32LE(entry.sender, at);
    at = body.writeInt8(entry.priority, at);
    at = body.writeUInt8((entry.held ? 1 : 0) | (entry.dropped ? 2 : 0) | (entry.committing ? 4 : 0), at);
    at = body.writeUInt16LE(0, at);
    at = body.writeUInt32LE(tasks.length, at);
    for (const { domain, due } of tasks) {
      const number = domains.get(domain) ?? domains.size;
      domains.set(domain, number);
      at = body.writeUInt32LE(number, at);
      at = body.writeDoubleLE(due, at);
    }
  }
  for (const { sequence, size } of departed) {
    at = body.writeDoubleLE(sequence, at);
    at = body.writeDoubleLE(size, at);
  }
  const json = { domains: [...domains.keys()], entries: entries.length, departed: departed.length };
  return { json, body };
}

/** Whom a summary is read to. */
export interface SummaryListener {
  /** What is given is of no meaning once it returns: the same object tells of the next. */
  entry(entry: IndexEntry, size: number, tasks: readonly OrderedTask[]): void;
  departed(departure: Departure): void;
}

/** A queue that is opened hears of a million messages: no object is made for each. */
export function readSummary(json: unknown, body: Buffer, listener: SummaryListener): void {
  const { domains, entries, departed } = json as SummaryJson;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  const uint32 = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const double = (): number => {
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const home = { segment: 0, offset: 0, octets: 0 };
  const last = { segment: 0, offset: 0 };
  const flags = { held: false, dropped: false, committing: false };
  const entry = { sequence: 0, arrived: 0, home, last, sender: 0, priority: 0, ...flags };
  const tasks: { domain: string; due: number; isOpen: boolean }[] = [];
  for (let left = entries; left > 0; left--) {
    entry.sequence = double();
    entry.arrived = double();
    const size = double();
    home.segment = uint32();
    home.offset = uint32();
    home.octets = uint32();
    last.segment = uint32();
    last.offset = uint32();
    entry.sender = uint32();
    entry.priority = view.getInt8(at);
    const bits = view.getUint8(at + 1);
    at += 4;
    entry.held = (bits & 1) !== 0;
    entry.dropped = (bits & 2) !== 0;
    entry.committing = (bits & 4) !== 0;
    tasks.length = uint32();
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[i] ?? { domain: '', due: 0, isOpen: false };
      tasks[i] = task;
      task.domain = domains[uint32()] as string;
      task.due = double();
      task.isOpen = !entry.held && !entry.dropped;
    }
    listener.entry(entry, size, tasks);
  }
  for (let left = departed; left > 0; left--) listener.departed({ sequence: double(), size: double() });
}
