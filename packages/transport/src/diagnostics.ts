/**
 * What the host has for watching a program from outside, where it has it: `node:diagnostics_channel` and
 * `AsyncLocalStorage` of Node, Deno and Bun. Elsewhere none of it is there, and none of it is missed.
 *
 * - Each kind of event has a channel, `sansmtp:server:closed` for example; a message is `{ event, session }`.
 * - `sansmtp:server:session` and `sansmtp:client:session` carry `{ session }` when a session begins, and stores that are
 *   bound to them (`channel.bindStore`) reach all that the application is called with in that session.
 * - A session looks for subscribers when it begins: for those who come later it publishes nothing.
 */
import type { ClientSessionEvent, ServerEvent } from './observer.js';
import type { ConnectionInformation } from './session-information.js';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
  runStores?<Result>(message: object, run: () => Result): Result;
}

/** Runs a function as if it were called where the session began. */
export type RunInContext = <Result>(run: () => Result) => Result;

interface Host {
  readonly process?: {
    getBuiltinModule?(name: 'node:diagnostics_channel'): { channel(name: string): Channel } | undefined;
    getBuiltinModule?(
      name: 'node:async_hooks',
    ): { readonly AsyncLocalStorage: { snapshot?(): RunInContext } } | undefined;
  };
}

const { process } = globalThis as Host;
const channels = process?.getBuiltinModule?.('node:diagnostics_channel');
const storage = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;

/** Of both ends. */
const COMMON = [
  'opened',
  'received',
  'sent',
  'mailData',
  'tls',
  'transition',
  'timerSet',
  'timerCleared',
  'fault',
  'closed',
  'command',
  'response',
  'reply',
  'authentication',
  'message',
] as const;

const EVENTS = {
  server: [...COMMON, 'decision', 'excess'],
  client: [...COMMON, 'failed'],
} as const satisfies {
  readonly server: readonly ServerEvent['type'][];
  readonly client: readonly ClientSessionEvent['type'][];
};

const named = (end: 'server' | 'client'): ReadonlyMap<string, Channel> =>
  new Map(
    channels &&
      EVENTS[end].map((event): [string, Channel] => [event, channels.channel(`sansmtp:${end}:${event}`)]),
  );

const eventChannels = { server: named('server'), client: named('client') };
const sessionChannels = {
  server: channels?.channel('sansmtp:server:session'),
  client: channels?.channel('sansmtp:client:session'),
};

/** Publishes events at one end; undefined where nobody has subscribed. */
export function publisher(
  end: 'server' | 'client',
): ((event: ServerEvent | ClientSessionEvent, session: ConnectionInformation) => void) | undefined {
  const subscribed = eventChannels[end];
  for (const channel of subscribed.values()) {
    if (!channel.hasSubscribers) continue;
    return (event, session) => subscribed.get(event.type)?.publish({ event, session });
  }
  return undefined;
}

const here: RunInContext = (run) => run();

/** The context in which the application is to be called for this session: that of the caller, and the stores bound to it. */
export function sessionContext(end: 'server' | 'client', session: ConnectionInformation): RunInContext {
  const capture = () => storage?.snapshot?.() ?? here;
  const channel = sessionChannels[end];
  return channel?.hasSubscribers && channel.runStores ? channel.runStores({ session }, capture) : capture();
}
