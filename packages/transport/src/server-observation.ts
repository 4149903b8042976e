/**
 * What a server's driver tells observers: the session's own events, and what only the driver knows. There is one of these
 * only where somebody observes.
 */
import type { ServerProtocolEvent, ServerState } from '@sansmtp/core';
import { publisher } from './diagnostics.js';
import { endingBy } from './ending.js';
import { guarded } from './guarded.js';
import type { ServerSessionInformation } from './handlers.js';
import type { Ending, ServerEvent, ServerObserver } from './observer.js';

/** An event without its time. */
export type ServerHappening = ServerEvent extends infer Event
  ? Event extends ServerEvent
    ? Omit<Event, 'time'>
    : never
  : never;

export class ServerObservation {
  readonly #observers: readonly ServerObserver[];
  readonly #session: ServerSessionInformation;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  readonly #begun: number;
  #ending: { readonly ending: Ending; readonly state: ServerState } | undefined;

  /** @param onFault told what an observer throws */
  constructor(
    observers: readonly ServerObserver[],
    session: ServerSessionInformation,
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
  tell(happening: ServerHappening): void {
    this.#pass({ ...happening, time: this.#now() } as ServerEvent);
  }

  /** Passes on what the session has told. */
  pass(event: ServerProtocolEvent): void {
    if (event.type === 'transition' && this.#ending === undefined) {
      const ending = endingBy(event);
      if (ending !== undefined) this.#ending = { ending, state: event.from as ServerState };
    }
    this.#pass(event);
  }

  closed(octetsReceived: number, octetsSent: number, reason: Error | undefined): void {
    this.tell({
      type: 'closed',
      ...(this.#ending ?? { ending: 'lost', state: 'closed' }),
      ...(reason && { reason }),
      duration: this.#now() - this.#begun,
      octetsReceived,
      octetsSent,
    });
  }

  #pass(event: ServerEvent): void {
    for (const observer of this.#observers) guarded(() => observer(event, this.#session), this.#onFault);
  }
}

/** Those who observe a server's sessions: the one that is given, and the subscribers of the host's channels. */
export function serverObservers(observer: ServerObserver | undefined): readonly ServerObserver[] {
  const publish = publisher('server');
  return [observer, publish].filter((each) => each !== undefined);
}
