/**
 * What is due next. An entry is a hint that a message may have something due in a domain at that time; whoever takes it
 * looks at the message itself. So nothing has to be found and taken out when a message is claimed, held or dropped.
 */
import { Heap } from './heap.js';

export interface DueEntry {
  readonly id: string;
  readonly domain: string;
  readonly due: number;
  /** MT-PRIORITY, from -9 to 9. */
  readonly priority: number;
}

export class DueOrder {
  readonly #later = new Heap<DueEntry>((one, other) => one.due < other.due);
  /** Domains with something due, in the order of their turns. */
  readonly #ready = new Map<string, Heap<DueEntry>>();

  add(entry: DueEntry): void {
    this.#later.push(entry);
  }

  /** When the next entry is due; in the past where one is. */
  next(): number | undefined {
    const ready = this.#ready.values().next().value;
    return ready === undefined ? this.#later.peek()?.due : ready.peek()?.due;
  }

  /**
   * The next entry that is due, of the next domain in turn.
   * @param isWanted which domains; all others stay where they are in the order
   */
  take(now: number, isWanted: (domain: string) => boolean): DueEntry | undefined {
    this.#ripen(now);
    for (const [domain, entries] of this.#ready) {
      if (!isWanted(domain)) continue;
      const entry = entries.pop();
      this.#ready.delete(domain);
      if (entries.size > 0) this.#ready.set(domain, entries);
      return entry;
    }
    return undefined;
  }

  #ripen(now: number): void {
    for (
      let entry = this.#later.peek();
      entry !== undefined && entry.due <= now;
      entry = this.#later.peek()
    ) {
      this.#later.pop();
      let entries = this.#ready.get(entry.domain);
      if (entries === undefined) {
        entries = new Heap(comesFirst);
        this.#ready.set(entry.domain, entries);
      }
      entries.push(entry);
    }
  }
}

function comesFirst(one: DueEntry, other: DueEntry): boolean {
  return one.priority === other.priority ? one.due < other.due : one.priority > other.priority;
}
