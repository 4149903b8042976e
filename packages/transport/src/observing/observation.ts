/**
 * What a driver tells observers: the session's own events, and what only the driver knows. There is one of these only
 * where somebody observes, and it tells only what somebody wants to know.
 */
import type { SessionEnding } from '@sansmtp/core';
import { guarded } from '../guarded.js';
import type { Audience } from './audience.js';
import { endingBy } from './ending.js';
import type { ClientSessionEvent, ServerEvent } from './observer.js';

type End = ServerEvent | ClientSessionEvent;

/** An event without its time. */
export type Happening<Event> = Event extends End ? Omit<Event, 'time'> : never;

export class Observation<Event extends End, Session> {
  readonly #audience: Audience<Event, Session>;
  readonly #session: Session;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  readonly #begun: number;
  #isClosed = false;

  /**
   * @param begun when the session began
   * @param onFault told what an observer throws
   */
  constructor(
    audience: Audience<Event, Session>,
    session: Session,
    now: () => number,
    onFault: (error: unknown) => void,
    begun = now(),
  ) {
    this.#audience = audience;
    this.#session = session;
    this.#now = now;
    this.#onFault = onFault;
    this.#begun = begun;
  }

  /**
   * Tells what the driver knows. `closed` is the last: a handler that throws later still has its error in `onError`.
   * @param happening made for this, and nobody else's: it becomes the event
   */
  tell(happening: Happening<Event>): void {
    if (this.#isClosed || !this.#audience.has(happening.type)) return;
    (happening as { time?: number }).time = this.#now();
    this.pass(happening as unknown as Event);
  }

  /** Tells of a piece of mail data; of one that is lent, by a copy. */
  mailData(octets: Uint8Array, isLent: boolean): void {
    if (!this.#audience.has('mailData')) return;
    this.tell({
      type: 'mailData',
      octets: isLent ? new Uint8Array(octets) : octets,
    } as unknown as Happening<Event>);
  }

  /** Passes on what the session has told. */
  pass(event: Event): void {
    for (const told of this.#audience.get(event.type) ?? []) {
      guarded(() => told(event, this.#session), this.#onFault);
    }
  }

  /** @param by how the session began to end; undefined where the connection was gone first */
  closed(
    by: SessionEnding | undefined,
    octetsReceived: number,
    octetsSent: number,
    reason: Error | undefined,
  ): void {
    this.tell({
      type: 'closed',
      ending: by === undefined ? 'lost' : endingBy(by),
      state: by?.from ?? 'closed',
      ...(reason && { reason }),
      duration: this.#now() - this.#begun,
      octetsReceived,
      octetsSent,
    } as unknown as Happening<Event>);
    this.#isClosed = true;
  }
}
