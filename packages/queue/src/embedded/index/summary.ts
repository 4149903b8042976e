/**
 * What a segment of the journal says, in short: the messages that something in it is about, as they stand at its end, and
 * those that have left the queue. With it the queue is opened without reading the segment.
 */
import { Buffer } from 'node:buffer';
import type { Task } from './due-order.js';
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

/** Both may be walked through once, the entries first. */
export function decodeSummary(json: unknown, body: Buffer): Summary {
  const { domains, entries, departed } = json as SummaryJson;
  let at = 0;
  const uint32 = () => {
    at += 4;
    return body.readUInt32LE(at - 4);
  };
  const double = () => {
    at += 8;
    return body.readDoubleLE(at - 8);
  };
  function* eachEntry(): Generator<SummaryEntry, void, undefined> {
    for (let left = entries; left > 0; left--) {
      const [sequence, arrived, size] = [double(), double(), double()];
      const home = { segment: uint32(), offset: uint32(), octets: uint32() };
      const last = { segment: uint32(), offset: uint32() };
      const sender = uint32();
      const priority = body.readInt8(at);
      const flags = body.readUInt8(at + 1);
      at += 4;
      const tasks: Task[] = [];
      for (let more = uint32(); more > 0; more--) {
        tasks.push({ domain: domains[uint32()] as string, due: double() });
      }
      const [held, dropped, committing] = [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0];
      const entry = { sequence, arrived, home, last, sender, priority, held, dropped, committing };
      yield { entry, size, tasks };
    }
  }
  function* eachDeparture(): Generator<Departure, void, undefined> {
    for (let left = departed; left > 0; left--) yield { sequence: double(), size: double() };
  }
  return { entries: eachEntry(), departed: eachDeparture() };
}
