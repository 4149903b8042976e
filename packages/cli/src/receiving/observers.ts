/** Several observers of a server as one. */
import type { ServerEvent, ServerObserver, ServerSessionInformation } from '@sansmtp/transport';

type Tell = (event: ServerEvent, session: ServerSessionInformation) => void;

/** Tells all of these, each of the kinds of events that it wants; no other kinds are made. */
export function together(...observers: readonly ServerObserver[]): ServerObserver {
  const [only, ...more] = observers;
  if (only !== undefined && more.length === 0) return only;
  const tellAll: Tell = (event, session) => {
    for (const observer of observers) {
      const tell = typeof observer === 'function' ? observer : (observer[event.type] as Tell | undefined);
      tell?.(event, session);
    }
  };
  if (observers.some((observer) => typeof observer === 'function')) return tellAll;
  const kinds = new Set(observers.flatMap((observer) => Object.keys(observer)));
  return Object.fromEntries([...kinds].map((kind) => [kind, tellAll])) as ServerObserver;
}
