import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import type { MemoryPairOptions } from '../src/index.js';
import { settle } from './peer.js';
import { expectEverySessionToEnd, pending, serve } from './serving.js';

expectEverySessionToEnd();

/** A session whose client has had its STARTTLS answered, and its handshake. */
async function secured(handlers: Partial<ServerHandlers>, network: MemoryPairOptions = {}) {
  const session = await serve(handlers, { ...network, tls: { mode: 'startTls' }, startTls: 'offered' });
  await session.peer.say('EHLO c.example');
  session.peer.write('STARTTLS\r\n');
  await settle();
  session.peer.news();
  session.peer.stream.startTls();
  await settle();
  return session;
}

describe('onSecure', () => {
  it('has the client wait until it has decided', async () => {
    const decision = pending();
    const { peer } = await secured({ onSecure: () => decision.promise });
    expect(await peer.say('EHLO c.example')).toEqual([]);
    decision.resolve();
    await settle();
    expect(peer.news()[0]).toMatch(/^250/);
  });

  it('refuses by a reply of its own, and the session ends', async () => {
    const { peer, connection } = await secured({
      onSecure: async () => {
        throw new Rejection(550, '5.7.1', 'Not with that certificate');
      },
    });
    expect(peer.news()).toEqual(['550 5.7.1 Not with that certificate']);
    expect(peer.ended).toBe(true);
    peer.stream.end();
    await connection.closed;
  });

  it('refuses by 421 where the client may come again', async () => {
    const { peer } = await secured({
      onSecure: () => ({ code: 450, enhancedCode: '4.7.0', lines: ['Not now'] }),
    });
    expect(peer.news()).toEqual(['421 4.0.0 Not now']);
  });

  it('drops the connection when it does not decide in time', async () => {
    const { clock, closings } = await secured({ onSecure: () => new Promise(() => {}) });
    await clock.advanceAsync(300_000);
    expect(closings).toEqual([new Error('onSecure has not decided in time')]);
  });

  it('decides before onConnect where TLS is there from the start (RFC 8314 §3)', async () => {
    const heard: string[] = [];
    const { peer } = await serve(
      {
        onSecure: async () => void heard.push('secure'),
        onConnect: () => void heard.push('connect'),
      },
      { tls: { mode: 'implicit' } },
    );
    expect(heard).toEqual(['secure', 'connect']);
    expect(peer.news()[0]).toMatch(/^220/);
  });

  it('refuses a client under TLS from the start instead of its greeting', async () => {
    const heard: string[] = [];
    const { peer } = await serve(
      {
        onSecure: async () => ({ code: 554, enhancedCode: '5.7.1', lines: ['Not you'] }),
        onConnect: () => void heard.push('connect'),
      },
      { tls: { mode: 'implicit' } },
    );
    expect(peer.news()).toEqual(['554 5.7.1 Not you']);
    expect(heard).toEqual([]);
  });
});

describe('spokeEarly', () => {
  it('says that octets came before the greeting (RFC 5321 §3.1)', async () => {
    const greeting = pending();
    const seen: boolean[] = [];
    const { peer } = await serve({
      async onConnect(session) {
        await greeting.promise;
        seen.push(session.spokeEarly);
        if (session.spokeEarly) throw new Rejection(421, '4.7.0', 'You talk too soon');
      },
    });
    peer.write('EHLO c.example\r\n');
    await settle();
    greeting.resolve();
    await settle();
    expect(seen).toEqual([true]);
    expect(peer.news()).toEqual(['421 4.7.0 You talk too soon']);
  });

  it('is false for a client that waits', async () => {
    const seen: boolean[] = [];
    const { peer } = await serve({ onMailFrom: (_, session) => void seen.push(session.spokeEarly) });
    await peer.say('EHLO c.example', 'MAIL FROM:<>');
    expect(seen).toEqual([false]);
  });
});

describe('shutdown', () => {
  it('says what it is told to say', async () => {
    const { peer, connection } = await serve();
    peer.news();
    connection.shutdown({ reply: { code: 421, enhancedCode: '4.7.0', lines: ['Enough'] } });
    await settle();
    expect(peer.news()).toEqual(['421 4.7.0 Enough']);
    expect(peer.ended).toBe(true);
  });
});
