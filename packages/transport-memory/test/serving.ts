/**
 * A served session with a peer played by the test, on virtual time. Whatever a test does to it, the session must
 * end well: that is looked at behind each.
 */
import {
  type ServeOptions,
  type ServerConnection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { afterEach, expect } from 'vitest';
import {
  createMemoryPair,
  createVirtualClock,
  type MemoryPairOptions,
  type VirtualClock,
} from '../src/index.js';
import { CountedStream, Peer, settle, textOf } from './peer.js';
import { separated } from './separated.js';

export interface Served {
  readonly clock: VirtualClock;
  readonly peer: Peer;
  /** The server's end. */
  readonly stream: CountedStream;
  readonly connection: ServerConnection;
  /** What `onClose` was told, each time. */
  readonly closings: (Error | undefined)[];
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** Messages that the default `onMessage` read to their end. */
  readonly messages: string[];
}

/** More than any deadline of a session. */
const LONG = 3_600_000;

let served: Served[] = [];

/** Registers the check: every session ends, is reported closed once, and leaves no timer behind. */
export function expectEverySessionToEnd(): void {
  afterEach(async () => {
    const sessions = served;
    served = [];
    for (const { clock, peer, connection, closings } of sessions) {
      peer.stream.abort();
      await settle();
      expect(closings).toHaveLength(1);
      await connection.closed;
      expect(clock.pending).toBe(0);
      await clock.advanceAsync(LONG);
      expect(closings).toHaveLength(1);
    }
  });
}

export async function serve(
  handlers: Partial<ServerHandlers> = {},
  options: Omit<ServeOptions, 'clock'> & MemoryPairOptions = {},
): Promise<Served> {
  const clock = createVirtualClock({ settle });
  const { pair, session: others } = separated(options);
  const [near, far] = createMemoryPair({ ...pair, clock });
  const stream = new CountedStream(far);
  const closings: (Error | undefined)[] = [];
  const errors: unknown[] = [];
  const messages: string[] = [];
  const connection = serveSession(
    stream,
    {
      async onMessage({ body }) {
        messages.push(await read(body));
      },
      ...handlers,
      onClose(information, reason) {
        closings.push(reason);
        handlers.onClose?.(information, reason);
      },
      onError(error, information) {
        errors.push(error);
        handlers.onError?.(error, information);
      },
    },
    { hostname: 'mx.example', ...others, clock },
  );
  const session = { clock, peer: new Peer(near), stream, connection, closings, errors, messages };
  served.push(session);
  await settle();
  return session;
}

export async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of body) text += textOf(bytes);
  return text;
}

/** Takes a session up to where the mail transaction has a recipient. */
export async function address({ peer }: Served): Promise<void> {
  const replies = await peer.say('EHLO c.example', 'MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>');
  expect(replies.slice(-2)).toEqual(['250 2.1.0 Sender OK', '250 2.1.5 Recipient OK']);
}

/** Takes a session up to the 354. */
export async function data(session: Served): Promise<void> {
  await address(session);
  expect(await session.peer.say('DATA')).toEqual(['354 Send the message; end it with <CRLF>.<CRLF>']);
}

/** A promise that a test settles when it wants to. */
export interface Pending<Value = void> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

export function pending<Value = void>(): Pending<Value> {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}
