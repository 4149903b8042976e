/**
 * What is due, and whose turn it is. A message has a task for each domain that it waits for. A task is in one of three places:
 * among what is due later, a heap; among what is ready, a list of its domain, priority and sender; or nowhere, while it is
 * claimed or held.
 *
 * Domains have turns; within a domain the highest priority goes first, and within that senders have turns. Of one sender,
 * what became ready first goes first.
 */
import { Column, Rows } from './column.js';
import { DueHeap } from './due-heap.js';
import { Rotation, type Turn } from './rotation.js';

export interface Task {
  readonly domain: string;
  readonly due: number;
}

/** A task as it stands for a message now. */
export interface OrderedTask extends Task {
  /** False: it is nobody's to take, for it is claimed or held. */
  readonly isOpen: boolean;
}

export interface Urgency {
  /** A number that stands for the sender: those with the same share a turn. */
  readonly sender: number;
  /** MT-PRIORITY, from -9 to 9. */
  readonly priority: number;
}

/** Tasks of one sender that are ready. */
interface ReadySender extends Turn<ReadySender> {
  readonly sender: number;
  first: number;
  last: number;
}

/** What is ready of one priority. */
interface ReadyPriority {
  readonly priority: number;
  readonly turns: Rotation<ReadySender>;
  readonly senders: Map<number, ReadySender>;
}

interface Domain extends Turn<Domain> {
  readonly name: string;
  readonly number: number;
  tasks: number;
  /** The highest first; empty: it has no turn. */
  readonly ready: ReadyPriority[];
}

const NONE = 0xffffffff;

const NOWHERE = 0;
const LATER = 1;
const READY = 2;

/** Tasks that become ready in one step, so that a claim takes as long in a queue of a million as in a short one. */
const RIPEN_AT_ONCE = 1000;

export class DueOrder {
  // By message.
  readonly #firstTask = new Column(Uint32Array);
  readonly #sender = new Column(Uint32Array);
  readonly #priority = new Column(Int8Array);
  // By task.
  readonly #rows = new Rows();
  readonly #message = new Column(Uint32Array);
  readonly #nextOfMessage = new Column(Uint32Array);
  readonly #domain = new Column(Uint32Array);
  readonly #due = new Column(Float64Array);
  readonly #where = new Column(Uint8Array);
  /** Among what is later: its place in the heap. Among what is ready: the task before it. */
  readonly #place = new Column(Uint32Array);
  /** Among what is ready: the task after it. */
  readonly #after = new Column(Uint32Array);

  readonly #later = new DueHeap(this.#due, this.#place);
  readonly #ready = new Rotation<Domain>();
  readonly #domains = new Map<string, Domain>();
  readonly #domainNumbers: (Domain | undefined)[] = [];
  readonly #domainRows = new Rows();
  /** The latest time that is known. */
  #now = Number.NEGATIVE_INFINITY;
  /** More is due than was looked at so far. */
  #isBehind = false;

  /** A message that has no tasks yet. */
  add(message: number, { sender, priority }: Urgency): void {
    this.#firstTask.set(message, NONE);
    this.#sender.set(message, sender);
    this.#priority.set(message, priority);
  }

  urgencyOf(message: number): Urgency {
    return { sender: this.#sender.get(message), priority: this.#priority.get(message) };
  }

  /**
   * All tasks of a message from now on.
   * @param isReady those that are open are due already: where so much is due that not all of it was looked at yet, they have
   *   their turn all the same
   */
  set(message: number, tasks: readonly OrderedTask[], isReady = false): void {
    let first = NONE;
    const old = this.#tasksByDomain(message);
    for (const { domain, due, isOpen } of tasks) {
      const task = old?.get(domain) ?? this.#create(message, domain);
      old?.delete(domain);
      this.#arrange(task, due, isOpen, isReady);
      this.#nextOfMessage.set(task, first);
      first = task;
    }
    for (const task of old?.values() ?? []) this.#destroy(task);
    this.#firstTask.set(message, first);
  }

  *tasksOf(message: number): Generator<Task, void, undefined> {
    for (let task = this.#firstTask.get(message); task !== NONE; task = this.#nextOfMessage.get(task)) {
      yield { domain: this.#domainOf(task).name, due: this.#due.get(task) };
    }
  }

  /**
   * When the next task is due; in the past where one is.
   * @param isWanted which domains; one that is not due yet may be of another all the same
   */
  next(isWanted: (domain: string) => boolean): number | undefined {
    const later = this.#later.peek();
    let next = later === undefined ? Number.POSITIVE_INFINITY : this.#due.get(later);
    for (let domain = this.#ready.first; domain !== undefined && next > this.#now; domain = domain.after) {
      if (!isWanted(domain.name)) continue;
      const sender = domain.ready[0]?.turns.first as ReadySender;
      next = Math.min(next, this.#due.get(sender.first));
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /**
   * Takes out a task that is due, of the next domain in turn.
   * @param isWanted which domains; all others stay where they are in the order
   */
  take(now: number, isWanted: (domain: string) => boolean): { message: number; domain: string } | undefined {
    this.#now = Math.max(this.#now, now);
    let hasRipened = this.#ripen(now);
    for (;;) {
      for (let domain = this.#ready.first; domain !== undefined; domain = domain.after) {
        if (!isWanted(domain.name)) continue;
        const task = this.#readyTask(domain, now);
        if (task === undefined) continue;
        this.#takeTurn(domain, task);
        return { message: this.#message.get(task), domain: domain.name };
      }
      if (!hasRipened) return undefined;
      hasRipened = this.#ripen(now);
    }
  }

  /** A task that was taken is in the order again. */
  putBack(message: number, name: string): void {
    for (let task = this.#firstTask.get(message); task !== NONE; task = this.#nextOfMessage.get(task)) {
      if (this.#domainOf(task).name === name) this.#arrange(task, this.#due.get(task), true, false);
    }
  }

  /** Of each domain that something waits for: how many messages do. */
  *domains(): Generator<{ domain: string; messages: number }, void, undefined> {
    for (const { name, tasks } of this.#domains.values()) yield { domain: name, messages: tasks };
  }

  /** Undefined: there are none, as of a message that is new. */
  #tasksByDomain(message: number): Map<string, number> | undefined {
    let task = this.#firstTask.get(message);
    if (task === NONE) return undefined;
    const tasks = new Map<string, number>();
    for (; task !== NONE; task = this.#nextOfMessage.get(task)) tasks.set(this.#domainOf(task).name, task);
    return tasks;
  }

  #arrange(task: number, due: number, isOpen: boolean, isReady: boolean): void {
    const where = this.#where.get(task);
    if (isOpen && where !== NOWHERE && this.#due.get(task) === due) return;
    this.#takeOut(task);
    this.#due.set(task, due);
    if (!isOpen) return;
    if (this.#isBehind && (isReady || due <= this.#now)) this.#makeReady(task);
    else {
      this.#where.set(task, LATER);
      this.#later.push(task);
    }
  }

  /** Makes some of what is due ready; false: nothing was. */
  #ripen(now: number): boolean {
    let count = 0;
    for (let task = this.#later.peek(); task !== undefined; task = this.#later.peek()) {
      this.#isBehind = this.#due.get(task) <= now;
      if (!this.#isBehind || count === RIPEN_AT_ONCE) return count > 0;
      count++;
      this.#later.remove(task);
      this.#makeReady(task);
    }
    this.#isBehind = false;
    return count > 0;
  }

  /** Undefined: all is due later than now, which only a clock that was set back can bring about. */
  #readyTask(domain: Domain, now: number): number | undefined {
    for (const { turns } of domain.ready) {
      for (let sender = turns.first; sender !== undefined; sender = sender.after) {
        if (this.#due.get(sender.first) <= now) return sender.first;
      }
    }
    return undefined;
  }

  /** Takes a ready task out, and lets others in its domain and others of its sender wait for their next turn. */
  #takeTurn(domain: Domain, task: number): void {
    const [sender, { turns }] = this.#readySender(task);
    this.#takeOut(task);
    if (sender.first !== NONE) {
      turns.remove(sender);
      turns.append(sender);
    }
    if (domain.ready.length > 0) {
      this.#ready.remove(domain);
      this.#ready.append(domain);
    }
  }

  #makeReady(task: number): void {
    const [sender] = this.#readySender(task);
    this.#where.set(task, READY);
    this.#place.set(task, sender.last);
    this.#after.set(task, NONE);
    if (sender.last === NONE) sender.first = task;
    else this.#after.set(sender.last, task);
    sender.last = task;
  }

  #takeOut(task: number): void {
    const where = this.#where.get(task);
    if (where === LATER) this.#later.remove(task);
    if (where === READY) this.#unready(task);
    this.#where.set(task, NOWHERE);
  }

  #unready(task: number): void {
    const domain = this.#domainOf(task);
    const [sender, priority] = this.#readySender(task);
    const [before, after] = [this.#place.get(task), this.#after.get(task)];
    if (before === NONE) sender.first = after;
    else this.#after.set(before, after);
    if (after === NONE) sender.last = before;
    else this.#place.set(after, before);
    if (sender.first !== NONE) return;
    priority.turns.remove(sender);
    priority.senders.delete(sender.sender);
    if (priority.senders.size > 0) return;
    domain.ready.splice(domain.ready.indexOf(priority), 1);
    if (domain.ready.length === 0) this.#ready.remove(domain);
  }

  /** Where a task stands when it is ready; made if it is missing. */
  #readySender(task: number): readonly [ReadySender, ReadyPriority] {
    const domain = this.#domainOf(task);
    const message = this.#message.get(task);
    const number = this.#priority.get(message);
    let priority = domain.ready.find((each) => each.priority === number);
    if (priority === undefined) {
      priority = { priority: number, turns: new Rotation(), senders: new Map() };
      if (domain.ready.length === 0) this.#ready.append(domain);
      domain.ready.push(priority);
      domain.ready.sort((one, other) => other.priority - one.priority);
    }
    const hash = this.#sender.get(message);
    let sender = priority.senders.get(hash);
    if (sender === undefined) {
      sender = { sender: hash, first: NONE, last: NONE, before: undefined, after: undefined };
      priority.senders.set(hash, sender);
      priority.turns.append(sender);
    }
    return [sender, priority];
  }

  #create(message: number, name: string): number {
    let domain = this.#domains.get(name);
    if (domain === undefined) {
      const number = this.#domainRows.take();
      domain = { name, number, tasks: 0, ready: [], before: undefined, after: undefined };
      this.#domains.set(name, domain);
      this.#domainNumbers[number] = domain;
    }
    domain.tasks++;
    const task = this.#rows.take();
    this.#message.set(task, message);
    this.#domain.set(task, domain.number);
    this.#where.set(task, NOWHERE);
    return task;
  }

  #destroy(task: number): void {
    this.#takeOut(task);
    this.#rows.giveBack(task);
    const domain = this.#domainOf(task);
    if (--domain.tasks > 0) return;
    this.#domains.delete(domain.name);
    this.#domainNumbers[domain.number] = undefined;
    this.#domainRows.giveBack(domain.number);
  }

  #domainOf(task: number): Domain {
    return this.#domainNumbers[this.#domain.get(task)] as Domain;
  }
}
