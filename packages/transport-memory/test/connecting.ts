/**
 * A client session with a server that follows a script, on virtual time. Whatever a test does to it, both ends
 * must be closed at the end and no timer left: that is looked at behind each.
 */
import type { ClientEnvelope, ForwardPath } from '@sansmtp/core';
import { type ClientConnection, type OpenSessionOptions, openSession } from '@sansmtp/transport';
import { afterEach, expect } from 'vitest';
import {
  createMemoryPair,
  createVirtualClock,
  type MemoryPairOptions,
  type VirtualClock,
} from '../src/index.js';
import { CountedStream, settle, textOf } from './peer.js';
import { type Script, ScriptedServer } from './scripted-server.js';
import { separated } from './separated.js';

export interface Connecting {
  readonly clock: VirtualClock;
  readonly server: ScriptedServer;
  /** The client's end. */
  readonly stream: CountedStream;
  readonly opening: Promise<ClientConnection>;
  /** What passed on the wire, as the client tells it. */
  readonly wire: { sent: string; received: string };
}

export interface Connected extends Connecting {
  readonly client: ClientConnection;
}

type Options = Partial<OpenSessionOptions> & Omit<MemoryPairOptions, 'clock'>;

let begun: Connecting[] = [];

/** Registers the check: every session ends, is told so, and leaves no timer behind. */
export function expectEverySessionToEnd(): void {
  afterEach(async () => {
    const sessions = begun;
    begun = [];
    for (const { clock, server, opening } of sessions) {
      server.stream.abort();
      await settle();
      const client = await opening.catch(() => undefined);
      await client?.closed;
      expect(clock.pending).toBe(0);
    }
  });
}

/** Begins to open a session. */
export function connect(script: Script = {}, options: Options = {}): Connecting {
  const clock = createVirtualClock({ settle });
  const { pair, session: others } = separated(options);
  const [near, far] = createMemoryPair({ ...pair, clock });
  const wire = { sent: '', received: '' };
  const stream = new CountedStream(near);
  const server = new ScriptedServer(far, script);
  const opening = openSession(stream, {
    hostname: 'c.example',
    onWire(direction, bytes) {
      wire[direction] += textOf(bytes);
    },
    ...others,
    clock,
  });
  opening.catch(() => {}); // each test says what it expects
  const session = { clock, server, stream, opening, wire };
  begun.push(session);
  return session;
}

export async function connected(script: Script = {}, options: Options = {}): Promise<Connected> {
  const session = connect(script, options);
  return { ...session, client: await session.opening };
}

export const mailbox = (text: string): ForwardPath => {
  const at = text.lastIndexOf('@');
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) };
};

/** An envelope with these recipients, by their local-parts. */
export const envelopeFor = (...recipients: readonly string[]): ClientEnvelope => ({
  reversePath: mailbox('s@a.example'),
  recipients: (recipients.length === 0 ? ['r'] : recipients).map((name) => mailbox(`${name}@b.example`)),
});
