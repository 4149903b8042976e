/**
 * What the live page is told: the sessions that there are, and the last records of each. Followers come and go, and each
 * goes at its own pace: it reads the ring buffer, so that none makes the server remember more.
 *
 * - A session's ring has its last records: as many as `RING_RECORDS` and `RING_OCTETS` allow.
 * - All rings together have `TOTAL_OCTETS`: then closed sessions are forgotten, the oldest first, and at last open ones.
 */
import type { TraceRecord } from '@sansmtp/charts/trace';

const RING_RECORDS = 2000;
const RING_OCTETS = 512 * 1024;
const TOTAL_OCTETS = 64 * 1024 * 1024;
const MAXIMUM_SESSIONS = 2000;

/** A session as the page lists it. */
export interface ListedSession {
  readonly id: string;
  /** `address:port`; empty on a Unix socket. */
  readonly peer: string;
  readonly end: 'server';
  /** Where it stands. */
  readonly state: string;
  /** In ISO 8601. */
  readonly began: string;
  /** How many records there were. */
  readonly records: number;
  /** How it ended; absent: it goes on. */
  readonly ending?: string;
}

export interface StoredRecord {
  readonly seq: number;
  /** As JSON. */
  readonly text: string;
}

export type ListChange = 'opened' | 'changed' | 'closed';

/** One session and its last records. */
export class LiveSession {
  readonly id: string;
  readonly #peer: string;
  readonly #began: string;
  #state = '';
  #count = 0;
  #ending: string | undefined;
  #ring: StoredRecord[] = [];
  #octets = 0;
  /** Told of each record. */
  readonly followers = new Set<() => void>();

  constructor({ group_id: id, data, reference_time }: TraceRecord) {
    this.id = id;
    const peer = 'connection' in data ? data.connection?.peer : undefined;
    this.#peer = addressText(peer?.address, peer?.port);
    this.#began = reference_time?.wall_clock_time ?? '';
  }

  get isClosed(): boolean {
    return this.#ending !== undefined;
  }

  /** Octets of the records that are remembered. */
  get octets(): number {
    return this.#octets;
  }

  get listed(): ListedSession {
    return {
      id: this.id,
      peer: this.#peer,
      end: 'server',
      state: this.#state,
      began: this.#began,
      records: this.#count,
      ...(this.#ending !== undefined && { ending: this.#ending }),
    };
  }

  take(record: TraceRecord): void {
    const text = JSON.stringify(record);
    this.#count += 1;
    this.#ring.push({ seq: record.seq, text });
    this.#octets += text.length;
    if (record.name === 'smtp:state_updated') this.#state = record.data.new;
    if (record.name === 'smtp:closed') this.#ending = record.data.ending;
    // By half, so that not each record moves all the others.
    if (this.#ring.length > RING_RECORDS || this.#octets > RING_OCTETS) this.#forget();
    for (const follow of this.followers) follow();
  }

  /** The remembered records after this one, some at a time. */
  after(seq: number): readonly StoredRecord[] {
    const first = this.#ring[0];
    if (first === undefined) return [];
    // They are numbered without gaps.
    const from = Math.max(0, seq + 1 - first.seq);
    return this.#ring.slice(from, from + 100);
  }

  /** The page will hear no more of this session, be it closed or not. */
  drop(): void {
    this.#ring = [];
    this.#octets = 0;
    this.#ending ??= 'forgotten';
    for (const follow of this.followers) follow();
  }

  #forget(): void {
    const removed = this.#ring.splice(0, Math.ceil(this.#ring.length / 2));
    for (const { text } of removed) this.#octets -= text.length;
  }
}

export class LiveSessions {
  readonly #sessions = new Map<string, LiveSession>();
  readonly #watchers = new Set<(change: ListChange, session: LiveSession) => void>();
  #octets = 0;

  /** In the order in which they began. */
  get all(): Iterable<LiveSession> {
    return this.#sessions.values();
  }

  get(id: string): LiveSession | undefined {
    return this.#sessions.get(id);
  }

  /** Calls back at each change; returns what ends that. */
  watch(onChange: (change: ListChange, session: LiveSession) => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  take(record: TraceRecord): void {
    let session = this.#sessions.get(record.group_id);
    const isNew = session === undefined;
    if (session === undefined) {
      // One that was forgotten does not come back.
      if (record.seq > 0) return;
      session = new LiveSession(record);
      this.#sessions.set(session.id, session);
    }
    const before = session.octets;
    session.take(record);
    this.#octets += session.octets - before;
    this.#makeRoom();
    this.#tell(isNew ? 'opened' : session.isClosed ? 'closed' : 'changed', session);
  }

  #makeRoom(): void {
    while (this.#octets > TOTAL_OCTETS || this.#sessions.size > MAXIMUM_SESSIONS) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      this.#sessions.delete(oldest.id);
      this.#octets -= oldest.octets;
      oldest.drop();
    }
  }

  #oldest(): LiveSession | undefined {
    for (const session of this.#sessions.values()) if (session.isClosed) return session;
    return this.#sessions.values().next().value;
  }

  #tell(change: ListChange, session: LiveSession): void {
    for (const watch of this.#watchers) watch(change, session);
  }
}

function addressText(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '';
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}
