/**
 * Who wants to know of which events: the observer that is given, and the subscribers of the host's channels. A kind of
 * event that nobody wants does not stand in it, and is not made.
 */
import { checkNames, kindOf } from '@sansmtp/core';
import { isLiteral } from '../given-options.js';
import { guarded } from '../guarded.js';
import type { ServerSessionInformation } from '../handlers/handlers.js';
import type { ConnectionInformation } from '../streams/session-information.js';
import { subscribers } from './diagnostics.js';
import { type End, EVENT_TYPES, isProtocolEvent } from './event-types.js';
import type { ClientObserver, ClientSessionEvent, ServerEvent, ServerObserver } from './observer.js';

/** By the kind of event, whom to tell. */
export type Audience<Event, Session> = ReadonlyMap<string, readonly Told<Event, Session>[]>;

type Told<Event, Session> = (event: Event, session: Session) => unknown;

/** Of either end: what is told of is given by the name of its kind. */
type AnyAudience = Audience<never, never>;
type AnyTold = Told<never, never>;

/** @throws {TypeError} the observer is none, or names a kind of event that is not known */
export function serverAudience(
  observer: ServerObserver | undefined,
): Audience<ServerEvent, ServerSessionInformation> {
  return audience('server', observer) as Audience<unknown, unknown>;
}

/** @throws likewise */
export function clientAudience(
  observer: ClientObserver | undefined,
): Audience<ClientSessionEvent, ConnectionInformation> {
  return audience('client', observer) as Audience<unknown, unknown>;
}

/** The kinds of events that the session has to tell; the others its driver knows. */
export function wantedOfSession<Type extends string>(wanted: AnyAudience): readonly Type[] {
  return [...wanted.keys()].filter(isProtocolEvent) as Type[];
}

/**
 * Tells of what happens to a connection that no session serves.
 * @param onFault told what an observer throws
 */
export function tellOfConnection(
  observer: ServerObserver | undefined,
  event: ServerEvent,
  client: ServerSessionInformation,
  onFault: (error: unknown) => void,
): void {
  for (const told of serverAudience(observer).get(event.type) ?? []) {
    guarded(() => told(event, client), onFault);
  }
}

const NOBODY: AnyAudience = new Map();

function audience(end: End, observer: object | undefined): AnyAudience {
  const given = observer === undefined ? NOBODY : audienceOf(end, observer);
  const publishing = subscribers(end);
  if (publishing.length === 0) return given;
  const all = new Map(given);
  for (const [type, publish] of publishing) all.set(type, [...(all.get(type) ?? []), publish]);
  return all;
}

/** An observer is the same for all sessions of a server, or of a mailer. */
const known: Readonly<Record<End, WeakMap<object, AnyAudience>>> = {
  server: new WeakMap(),
  client: new WeakMap(),
};

function audienceOf(end: End, observer: object): AnyAudience {
  if ((typeof observer !== 'object' && typeof observer !== 'function') || observer === null) {
    throw notAnObserver(kindOf(observer));
  }
  const before = known[end].get(observer);
  if (before !== undefined) return before;
  const made =
    typeof observer === 'function'
      ? new Map(EVENT_TYPES[end].map((type) => [type, [observer as AnyTold]]))
      : byKind(end, observer as Readonly<Record<string, unknown>>);
  known[end].set(observer, made);
  return made;
}

function notAnObserver(given: string): TypeError {
  return new TypeError(
    `The option observer is ${given}; it takes a function, or an object with one for each kind of event: { message(event) { … } }`,
  );
}

function byKind(end: End, observer: Readonly<Record<string, unknown>>): AnyAudience {
  if (isLiteral(observer)) checkNames('The kind of event', observer, EVENT_TYPES[end], 'observer.');
  const all = new Map<string, readonly AnyTold[]>();
  for (const type of EVENT_TYPES[end]) {
    const told = observer[type];
    if (told === undefined) continue;
    if (typeof told !== 'function') {
      throw new TypeError(`The option observer.${type} is ${kindOf(told)}; it takes a function`);
    }
    all.set(type, [(event, session) => told.call(observer, event, session)]);
  }
  if (all.size === 0) throw notAnObserver('an object without any of its functions');
  return all;
}
