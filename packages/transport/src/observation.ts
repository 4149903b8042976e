/**
 * What a driver tells observers: the session's own events, and what only the driver knows. There is one of these only
 * where somebody observes.
 */
import type { TransitionRecord } from '@sansmtp/core';
import { publisher } from './diagnostics.js';
import { endingBy } from './ending.js';
import { guarded } from './guarded.js';
import type { ClientObserver, ClientSessionEvent, Ending, ServerEvent, ServerObserver } from './observer.js';

type End = ServerEvent | ClientSessionEvent;

/** An event without its time. */
type Happening<Event> = Event extends End ? Omit<Event, 'time'> : never;

export class Observation<Event extends End, Session> {
  readonly #observers: readonly ((event: Event, session: Session) => void)[];
  readonly #session: Session;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  readonly #begun: number;
  #ending: { readonly ending: Ending; readonly state: string } | undefined;

  /** @param onFault told what an observer throws */
  constructor(
    observers: readonly ((event: Event, session: Session) => void)[],
    session: Session,
    now: () => number,
    onFault: (error: unknown) => void,
  ) {
    this.#observers = observers;
    this.#session = session;
    this.#now = now;
    this.#onFault = onFault;
    this.#begun = now();
  }

  /** Tells what the driver knows. */
  tell(happening: Happening<Event>): void {
    this.#pass({ ...happening, time: this.#now() } as unknown as Event);
  }

  /** Passes on what the session has told. */
  pass(event: Event): void {
    if (event.type === 'transition' && this.#ending === undefined) {
      const step: Pick<TransitionRecord, 'event' | 'from' | 'to'> = event;
      const ending = endingBy(step);
      if (ending !== undefined) this.#ending = { ending, state: step.from };
    }
    this.#pass(event);
  }

  closed(octetsReceived: number, octetsSent: number, reason: Error | undefined): void {
    const time = this.#now();
    this.#pass({
      type: 'closed',
      time,
      ...(this.#ending ?? { ending: 'lost', state: 'closed' }),
      ...(reason && { reason }),
      duration: time - this.#begun,
      octetsReceived,
      octetsSent,
    } as unknown as Event);
  }

  #pass(event: Event): void {
    for (const observer of this.#observers) guarded(() => observer(event, this.#session), this.#onFault);
  }
}

/** Those who observe a server's sessions: the one that is given, and the subscribers of the host's channels. */
export function serverObservers(observer: ServerObserver | undefined): readonly ServerObserver[] {
  return [observer, publisher('server')].filter((each) => each !== undefined);
}

/** Likewise of a client's. */
export function clientObservers(observer: ClientObserver | undefined): readonly ClientObserver[] {
  return [observer, publisher('client')].filter((each) => each !== undefined);
}
