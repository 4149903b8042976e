/**
 * What is due next. An entry is a hint that a message may have something due in a domain at that time; whoever takes it
 * looks at the message itself. So nothing has to be found and taken out when a message is claimed, held or dropped.
 */
import { Heap } from './heap.js';

export interface DueEntry {
  readonly id: string;
  readonly domain: string;
  readonly sender: string;
  readonly due: number;
  /** MT-PRIORITY, from -9 to 9. */
  readonly priority: number;
}

export class DueOrder {
  readonly #later = new Heap<DueEntry>((one, other) => one.due < other.due);
  /** Domains with something due, in the order of their turns. */
  readonly #ready = new Map<string, ReadyMail>();

  add(entry: DueEntry): void {
    this.#later.push(entry);
  }

  /**
   * When the next entry is due; in the past where one is.
   * @param isWanted which domains; one that is not due yet may be of another all the same
   */
  next(isWanted: (domain: string) => boolean): number | undefined {
    for (const [domain, entries] of this.#ready) if (isWanted(domain)) return entries.due;
    return this.#later.peek()?.due;
  }

  /**
   * The next entry that is due, of the next domain in turn.
   * @param isWanted which domains; all others stay where they are in the order
   */
  take(now: number, isWanted: (domain: string) => boolean): DueEntry | undefined {
    this.#ripen(now);
    for (const [domain, entries] of this.#ready) {
      if (!isWanted(domain)) continue;
      const entry = entries.take();
      this.#ready.delete(domain);
      if (!entries.isEmpty) this.#ready.set(domain, entries);
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
        entries = new ReadyMail();
        this.#ready.set(entry.domain, entries);
      }
      entries.add(entry);
    }
  }
}

/** What is due in one domain. */
class ReadyMail {
  /** By priority, the senders in the order of their turns. */
  readonly #senders = new Map<number, Map<string, Heap<DueEntry>>>();

  get isEmpty(): boolean {
    return this.#senders.size === 0;
  }

  /** Since when something is due. */
  get due(): number | undefined {
    for (const senders of this.#senders.values()) {
      for (const entries of senders.values()) return entries.peek()?.due;
    }
    return undefined;
  }

  add(entry: DueEntry): void {
    let senders = this.#senders.get(entry.priority);
    if (senders === undefined) {
      senders = new Map();
      this.#senders.set(entry.priority, senders);
    }
    let entries = senders.get(entry.sender);
    if (entries === undefined) {
      entries = new Heap((one, other) => one.due < other.due);
      senders.set(entry.sender, entries);
    }
    entries.push(entry);
  }

  take(): DueEntry | undefined {
    const highest = Math.max(...this.#senders.keys());
    const senders = this.#senders.get(highest);
    for (const [sender, entries] of senders ?? []) {
      const entry = entries.pop();
      senders?.delete(sender);
      if (entries.size > 0) senders?.set(sender, entries);
      if (senders?.size === 0) this.#senders.delete(highest);
      return entry;
    }
    return undefined;
  }
}
