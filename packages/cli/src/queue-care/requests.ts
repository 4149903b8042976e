/** What `sansmtp queue` asks of a queue, be it its own or that of a relay that runs; and how it is done. */
import { comparableDomain } from '@sansmtp/delivery';
import type { QueueStore } from '@sansmtp/queue';
import { type ListedMessage, listed } from './listed-message.js';

export type QueueRequest =
  | { readonly command: 'list' }
  | { readonly command: 'show' | 'hold' | 'release' | 'drop'; readonly ids: readonly string[] }
  | { readonly command: 'retry'; readonly ids: readonly string[] }
  | { readonly command: 'retry'; readonly domain: string }
  | { readonly command: 'retry'; readonly all: true };

/** A line of the answer; the last one is `done` or `failed`. */
export type QueueAnswer =
  | { readonly message: ListedMessage }
  /** How many messages it was done to, and of which IDs there are none. */
  | { readonly done: number; readonly missing: readonly string[] }
  | { readonly failed: string };

/** What looking after a queue takes of its store. */
export type Administered = Pick<QueueStore, 'list' | 'show' | 'hold' | 'release' | 'drop' | 'retry'>;

/** @param now milliseconds since 1970 UTC */
export async function* perform(
  store: Administered,
  request: QueueRequest,
  now: number,
): AsyncGenerator<QueueAnswer> {
  switch (request.command) {
    case 'list': {
      let count = 0;
      for await (const message of store.list()) {
        count += 1;
        yield { message: listed(message) };
      }
      yield { done: count, missing: [] };
      return;
    }
    case 'show':
      return yield* show(store, request.ids);
    case 'retry':
      yield await retry(store, request, now);
      return;
    default: {
      const { command } = request;
      yield await eachOf(request.ids, (id) => store[command](id));
    }
  }
}

async function* show(store: Administered, ids: readonly string[]): AsyncGenerator<QueueAnswer> {
  const missing: string[] = [];
  for (const id of ids) {
    const message = await store.show(id);
    if (message === undefined) missing.push(id);
    else yield { message: listed(message) };
  }
  yield { done: ids.length - missing.length, missing };
}

async function retry(
  store: Administered,
  request: Extract<QueueRequest, { readonly command: 'retry' }>,
  now: number,
): Promise<QueueAnswer> {
  if ('all' in request) return { done: await store.retry({ all: true }, now), missing: [] };
  if ('domain' in request) {
    const domain = comparableDomain(request.domain) ?? request.domain;
    return { done: await store.retry({ domain }, now), missing: [] };
  }
  const missing: string[] = [];
  for (const id of request.ids) {
    if ((await store.show(id)) === undefined) missing.push(id);
  }
  return { done: await store.retry({ ids: request.ids }, now), missing };
}

async function eachOf(ids: readonly string[], act: (id: string) => Promise<boolean>): Promise<QueueAnswer> {
  const missing: string[] = [];
  for (const id of ids) {
    if (!(await act(id))) missing.push(id);
  }
  return { done: ids.length - missing.length, missing };
}

/** What came over a socket; undefined: no request of ours. */
export function readRequest(text: string): QueueRequest | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const { command, ids, domain, all } = given as Record<string, unknown>;
  const areIds = Array.isArray(ids) && ids.every((id) => typeof id === 'string');
  switch (command) {
    case 'list':
      return { command };
    case 'show':
    case 'hold':
    case 'release':
    case 'drop':
      return areIds ? { command, ids } : undefined;
    case 'retry':
      if (all === true) return { command, all };
      if (typeof domain === 'string') return { command, domain };
      return areIds ? { command, ids } : undefined;
    default:
      return undefined;
  }
}
