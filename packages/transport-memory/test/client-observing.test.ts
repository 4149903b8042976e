import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { Secret } from '@sansmtp/core';
import {
  type ClientSessionEvent,
  type ConnectionInformation,
  type OpenSessionOptions,
  openSession,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { connected, envelopeFor, expectEverySessionToEnd } from './connecting.js';
import { settle } from './peer.js';

expectEverySessionToEnd();

const PASSWORD = 'pencil-of-ann';

/** One message by somebody who authenticates, and QUIT. */
async function delivered(options: Partial<OpenSessionOptions> = {}, handlers: Partial<ServerHandlers> = {}) {
  const clock = createVirtualClock({ settle });
  const [near, far] = createMemoryPair();
  const served = serveSession(
    far,
    { onMessage() {}, onAuth: () => true, ...handlers },
    { clock, hostname: 'mx.example', authentication: { allowInsecure: true } },
  );
  const credentials = { kind: 'password', username: 'ann', password: new Secret(PASSWORD) } as const;
  const opening = openSession(near, {
    clock,
    hostname: 'c.example',
    authentication: { credentials, mechanisms: ['PLAIN'], allowInsecure: true },
    ...options,
  });
  try {
    const session = await opening;
    await session.send(envelopeFor('bob'), 'Hello');
    await session.quit();
  } catch {
    // What became of it, the events say.
  }
  await served.closed;
  await settle();
}

async function observed(handlers: Partial<ServerHandlers> = {}) {
  const events: ClientSessionEvent[] = [];
  const sessions = new Set<ConnectionInformation>();
  await delivered(
    {
      observer(event, session) {
        events.push(event);
        sessions.add(session);
      },
    },
    handlers,
  );
  const of = <Type extends ClientSessionEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<ClientSessionEvent, { type: Type }> => event.type === type);
  return { events, sessions, of };
}

describe('the observer of a client', () => {
  it('is told of a session from its beginning to its end: commands, replies, who authenticated, what became of the message', async () => {
    const { events, sessions, of } = await observed();
    expect(events[0]?.type).toBe('opened');
    expect(of('command').map(({ line }) => line)).toEqual([
      'EHLO c.example',
      'AUTH PLAIN [24 octets]',
      'MAIL FROM:<s@a.example>',
      'RCPT TO:<bob@b.example>',
      'DATA',
      'QUIT',
    ]);
    expect(of('reply').map(({ reply }) => reply.code)).toEqual([220, 250, 235, 250, 250, 354, 250, 221]);
    expect(of('authentication')).toMatchObject([
      { mechanism: 'PLAIN', username: 'ann', outcome: 'accepted' },
    ]);
    expect(of('message')).toMatchObject([{ size: 5, verdicts: [{ verdict: 'delivered' }] }]);
    expect(events.at(-1)).toMatchObject({ type: 'closed', ending: 'quit' });
    expect([...sessions]).toHaveLength(1);
  });

  it('is told of no octet of an AUTH exchange, though the server quotes it', async () => {
    const quoting = { code: 535, lines: [`No, ${PASSWORD} is wrong`] };
    const { events, of } = await observed({ onAuth: () => quoting });
    const secrets = [PASSWORD, btoa(PASSWORD), btoa(`\0ann\0${PASSWORD}`)];
    for (const secret of secrets) expect(JSON.stringify(events)).not.toContain(secret);
    expect(of('authentication')).toMatchObject([{ outcome: 'refused' }]);
    expect(of('failed')).toMatchObject([{ failure: { kind: 'refused', phase: 'auth' } }]);
  });

  it('counts the octets, and is given the message as it was handed in', async () => {
    const { of } = await observed();
    const [closed] = of('closed');
    const sum = (type: 'sent' | 'received') => of(type).reduce((octets, { length }) => octets + length, 0);
    expect(closed).toMatchObject({ octetsSent: sum('sent'), octetsReceived: sum('received') });
    expect(of('mailData').map(({ octets }) => new TextDecoder().decode(octets))).toEqual(['Hello']);
  });

  it('hears why a session failed, and that the connection was lost', async () => {
    const events: ClientSessionEvent[] = [];
    const { client, server } = await connected({}, { observer: (event) => void events.push(event) });
    server.stream.abort();
    await client.closed;
    await settle();
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'failed', failure: { kind: 'lost', phase: 'ready' } }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'closed', ending: 'lost' });
  });

  it('that throws, or rejects, changes nothing: onError is told', async () => {
    const errors: unknown[] = [];
    const fault = new Error('The log is full');
    const { client } = await connected(
      {},
      {
        observer(event) {
          if (event.type === 'command') throw fault;
          return Promise.reject(fault) as never;
        },
        onError: (error) => errors.push(error),
      },
    );
    await client.quit();
    expect(new Set(errors)).toEqual(new Set([fault]));
  });

  it('may be a subscriber of a channel, and a store that is bound to the channel of sessions reaches it', async () => {
    const storage = new AsyncLocalStorage<{ readonly id: string }>();
    const sessions = channel('sansmtp:client:session');
    sessions.bindStore(storage, (message) => (message as { session: { id: string } }).session);
    const told: unknown[] = [];
    const listen = (message: unknown) => told.push(message);
    channel('sansmtp:client:message').subscribe(listen);
    onTestFinished(() => {
      sessions.unbindStore(storage);
      channel('sansmtp:client:message').unsubscribe(listen);
    });
    const ids = new Set<string | undefined>();
    await delivered({ onWire: () => ids.add(storage.getStore()?.id) });
    expect(told).toMatchObject([{ event: { type: 'message' }, session: { id: [...ids][0] } }]);
    expect(ids.size).toBe(1);
  });
});
