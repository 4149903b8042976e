/**
 * Both drivers with each other, on virtual time and over any network. Whatever a test does to them, both ends must
 * be closed at the end and no timer left.
 */
import type { TlsInformation, TransitionRecord } from '@sansmtp/core';
import {
  type ByteStream,
  type ClientConnection,
  type OpenSessionOptions,
  openSession,
  type ServeOptions,
  type ServerConnection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import fc from 'fast-check';
import { afterEach, expect } from 'vitest';
import {
  createMemoryPair,
  createVirtualClock,
  type MemoryPairOptions,
  type VirtualClock,
} from '../src/index.js';
import { nodeCryptography } from './node-cryptography.js';
import { settle, textOf } from './peer.js';
import { read } from './serving.js';

export interface NegotiationOptions {
  readonly handlers?: Partial<ServerHandlers>;
  readonly server?: Partial<ServeOptions>;
  readonly client?: Partial<OpenSessionOptions>;
  readonly network?: Omit<MemoryPairOptions, 'clock'>;
  /** What the server is given in place of its stream. */
  readonly serverStream?: (stream: ByteStream) => ByteStream;
}

export interface Negotiation {
  readonly clock: VirtualClock;
  readonly connection: ServerConnection;
  readonly opening: Promise<ClientConnection>;
  /** What passed on the wire, as the client tells it. */
  readonly wire: { sent: string; received: string };
  /** Steps of either chart. */
  readonly transitions: TransitionRecord[];
  /** What `onClose` was told, each time. */
  readonly closings: (Error | undefined)[];
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** Messages that the default `onMessage` read to their end. */
  readonly messages: string[];
  /** Lets time pass until the promise has settled. */
  until<Value>(promise: Promise<Value>): Promise<Value>;
  /** The open session. */
  opened(): Promise<ClientConnection>;
  /** Breaks the connection if it still stands, and looks at what is left of it. */
  end(): Promise<void>;
}

/** Past this, nothing moves any more. */
const MANY_STEPS = 5_000;

let begun: Negotiation[] = [];

/** Registers the check: every session ends, is reported closed once, and leaves no timer behind. */
export function expectEverySessionToEnd(): void {
  afterEach(async () => {
    const sessions = begun;
    begun = [];
    for (const session of sessions) await session.end();
  });
}

export function negotiate(options: NegotiationOptions = {}): Negotiation {
  const { handlers = {}, server = {}, client = {}, network = {}, serverStream } = options;
  const clock = createVirtualClock({ settle });
  const [near, far] = createMemoryPair({ ...network, clock });
  const transitions: TransitionRecord[] = [];
  const closings: (Error | undefined)[] = [];
  const errors: unknown[] = [];
  const messages: string[] = [];
  const wire = { sent: '', received: '' };
  const connection = serveSession(
    serverStream === undefined ? far : serverStream(far),
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
    {
      hostname: 'mx.example',
      cryptography: nodeCryptography,
      onTransition: (record) => void transitions.push(record),
      ...server,
      clock,
    },
  );
  const opening = openSession(near, {
    hostname: 'c.example',
    cryptography: nodeCryptography,
    onTransition: (record) => void transitions.push(record),
    onWire(direction, bytes) {
      wire[direction] += textOf(bytes);
    },
    ...client,
    clock,
  });
  opening.catch(() => {}); // each test says what it expects

  async function until<Value>(promise: Promise<Value>): Promise<Value> {
    // Without latency nothing needs time, but for real computations, which need that of the machine.
    if (!network.latency) return promise;
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    for (let step = 0; step < MANY_STEPS && !settled; step++) await clock.advanceAsync(5);
    if (!settled) throw new Error('The session stands still');
    return promise;
  }

  async function end(): Promise<void> {
    const opened = await until(opening).catch(() => undefined);
    opened?.abort();
    if (opened === undefined) await until(connection.closed);
    await until(Promise.all([connection.closed, opened?.closed]));
    await settle();
    expect(closings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  }

  const session: Negotiation = {
    clock,
    connection,
    opening,
    wire,
    transitions,
    closings,
    errors,
    messages,
    until,
    opened: () => until(opening),
    end,
  };
  begun.push(session);
  return session;
}

/** What a network may be like; a value makes a network each time it is called. */
export const networks = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
    latency: fc.constantFrom(0, 0, 1, 20),
    bufferSize: fc.constantFrom(1, 7, 100, 65_536),
  })
  .map((description) => () => {
    const { sizes, ...network } = description;
    let turns = 0;
    return { ...network, chunkSize: () => sizes[turns++ % sizes.length] ?? 1 };
  });

/** TLS as one end may know it. */
export const tlsInformation = (more: Partial<TlsInformation> = {}): TlsInformation => ({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  channelBindings: {},
  ...more,
});
