/**
 * What the host has for watching a program from outside, where it has it: `node:diagnostics_channel` and
 * `AsyncResource` of Node, Deno and Bun. Elsewhere none of it is there, and none of it is missed.
 *
 * - Each kind of event has a channel, `sansmtp:server:closed` for example; a message is `{ event, session }`.
 * - `sansmtp:server:session` and `sansmtp:client:session` carry `{ session }` when a session begins, and stores that are
 *   bound to them (`channel.bindStore`) reach all that the application is called with in that session.
 * - A session looks for subscribers when it begins: for those who come later, and of kinds without any, it publishes
 *   nothing.
 */

import type { ConnectionInformation } from '../streams/session-information.js';
import { type End, EVENT_TYPES } from './event-types.js';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
  runStores?<Result>(message: object, run: () => Result): Result;
}

type RunInContext = <Result>(run: () => Result) => Result;

/** Where a session began: a function that it runs is called as if from there. */
export interface SessionContext {
  readonly runInAsyncScope: RunInContext;
}

interface Host {
  readonly process?: {
    getBuiltinModule?(name: 'node:diagnostics_channel'): { channel(name: string): Channel } | undefined;
    getBuiltinModule?(
      name: 'node:async_hooks',
    ): { readonly AsyncResource: new (type: string) => SessionContext } | undefined;
  };
}

const { process } = globalThis as Host;
const channels = process?.getBuiltinModule?.('node:diagnostics_channel');
const Resource = process?.getBuiltinModule?.('node:async_hooks')?.AsyncResource;

interface EventChannel {
  readonly type: string;
  readonly channel: Channel;
}

const named = (end: End): readonly EventChannel[] =>
  channels === undefined
    ? []
    : EVENT_TYPES[end].map((type) => ({ type, channel: channels.channel(`sansmtp:${end}:${type}`) }));

const eventChannels = { server: named('server'), client: named('client') };
const sessionChannels = {
  server: channels?.channel('sansmtp:server:session'),
  client: channels?.channel('sansmtp:client:session'),
};

type Publish = (event: object, session: ConnectionInformation) => void;
type Subscribed = readonly [type: string, publish: Publish];

const NOBODY: readonly Subscribed[] = [];

/** The kinds of events at one end that somebody has subscribed to, and how to publish one. */
export function subscribers(end: End): readonly Subscribed[] {
  let all: Subscribed[] | undefined;
  for (const { type, channel } of eventChannels[end]) {
    if (!channel.hasSubscribers) continue;
    all ??= [];
    all.push([type, (event, session) => channel.publish({ event, session })]);
  }
  return all ?? NOBODY;
}

const HERE: SessionContext = { runInAsyncScope: (run) => run() };

/** AsyncLocalStorage.snapshot() is the same for many times the price. */
function capture(): SessionContext {
  return Resource === undefined ? HERE : new Resource('sansmtp');
}

/** The context in which the application is to be called for this session: that of the caller, and the stores bound to it. */
export function sessionContext(end: End, session: ConnectionInformation): SessionContext {
  const channel = sessionChannels[end];
  return channel?.hasSubscribers && channel.runStores ? channel.runStores({ session }, capture) : capture();
}
