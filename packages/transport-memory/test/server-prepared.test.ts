/** Options that are checked once for many sessions: each session is as one that was served by itself. */
import { channel } from 'node:diagnostics_channel';
import { type ByteStream, preparedToServe, type ServeOptions, type ServerEvent } from '@sansmtp/transport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { Peer, settle } from './peer.js';

const handlers = { onMessage() {} };

function prepare(options: Omit<ServeOptions, 'clock' | 'id'> = {}) {
  const clock = createVirtualClock();
  const serve = preparedToServe(handlers, { clock, hostname: 'mail.example', ...options });
  const connect = (id: string) => {
    const [client, server]: readonly [ByteStream, ByteStream] = createMemoryPair({ clock });
    const peer = new Peer(client);
    return { peer, connection: serve(server, id) };
  };
  return connect;
}

describe('preparedToServe', () => {
  it('serves each client in a session of its own', async () => {
    const connect = prepare();
    const one = connect('one');
    const other = connect('other');
    one.peer.write('EHLO one.example\r\nMAIL FROM:<>\r\n');
    other.peer.write('NOOP\r\n');
    await settle();
    expect(one.connection.state).toBe('session.transaction.opened');
    expect(other.connection.state).toBe('session.greeted');
    expect(one.connection.information.id).toBe('one');
    expect(other.connection.information.hello).toBeUndefined();
  });

  it('refuses what is no clock before anybody connects', () => {
    expect(() => preparedToServe(handlers, {} as ServeOptions)).toThrow('The option clock is missing');
  });

  it('tells subscribers of channels that came after it was prepared, and none that have gone', async () => {
    const connect = prepare();
    const told: string[] = [];
    const listen = (message: unknown) => {
      const { session } = message as { event: ServerEvent; session: { id: string } };
      told.push(session.id);
    };
    const commands = channel('sansmtp:server:command');
    onTestFinished(() => void commands.unsubscribe(listen));
    const say = async (id: string) => {
      connect(id).peer.write('NOOP\r\n');
      await settle();
    };
    await say('before');
    commands.subscribe(listen);
    await say('meanwhile');
    commands.unsubscribe(listen);
    await say('after');
    expect(told).toEqual(['meanwhile']);
  });
});
