/** Who a client may be, how often it may fail, and what the handlers hear of it. */
import { inspect } from 'node:util';
import {
  type AuthenticationDecision,
  type ClientMechanism,
  Secret,
  type ServerMechanism,
  type TokenError,
} from '@sansmtp/core';
import {
  failureLimiter,
  openSession,
  type ServeOptions,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { nodeCryptography } from './node-cryptography.js';
import { expectEverySessionToEnd, serve } from './serving.js';

expectEverySessionToEnd();

const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = (asked: string, name = 'ann', password = 'pencil') =>
  `AUTH PLAIN ${base64(`${asked}\0${name}\0${password}`)}`;

const INVALID = '535 5.7.8 Authentication credentials invalid';
const SUCCEEDED = '235 2.7.0 Authentication succeeded';
const CLOSED = '454 4.7.0 Too many failed authentications from your network; try again later';

async function greeted(
  handlers: Partial<ServerHandlers>,
  authentication: ServeOptions['authentication'] = {},
  more: Omit<ServeOptions, 'clock'> = {},
) {
  const options = { cryptography: nodeCryptography, ...more };
  const session = await serve(handlers, {
    ...options,
    authentication: { allowInsecure: true, maximumFailures: 1000, iterations: 4096, ...authentication },
  });
  await session.peer.say('EHLO c.example');
  return session;
}

describe('an authorization identity', () => {
  it('of somebody else is not granted by true: ann does not become bob (RFC 4422 §3.4.1)', async () => {
    const session = await greeted({ onAuth: () => true });
    expect(await session.peer.say(plain('bob'))).toEqual([INVALID]);
    expect(session.connection.information.identity).toBeUndefined();
    expect(await session.peer.say(plain('ann'))).toEqual([SUCCEEDED]);
    expect(session.connection.information.identity).toEqual({
      mechanism: 'PLAIN',
      authenticatedAs: 'ann',
      username: 'ann',
    });
    expect(session.errors).toEqual([]);
  });

  it.each(['attacker\r\nReceived: evil', 'ann\u0007', '\u0085', '\u007f'])(
    'or a name with control characters reaches no handler: %j (RFC 4013 §2.3)',
    async (name) => {
      const heard: unknown[] = [];
      const handlers: Partial<ServerHandlers> = {
        onAuth: (attempt) => heard.push(attempt) > 0,
        onCredentials: (request) => void heard.push(request),
      };
      const mechanisms = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER', 'CRAM-MD5', 'SCRAM-SHA-256'] as const;
      const session = await greeted(handlers, { mechanisms });
      const refused = [expect.stringMatching(/^501 5\.5\.2 /)];
      expect(await session.peer.say(plain('', name))).toEqual(refused);
      expect(await session.peer.say(plain(name))).toEqual(refused);
      expect(await session.peer.say(`AUTH LOGIN ${base64(name)}`)).toEqual(refused);
      const bearer = `auth=Bearer t\u0001\u0001`;
      expect(await session.peer.say(`AUTH XOAUTH2 ${base64(`user=${name}\u0001${bearer}`)}`)).toEqual(
        refused,
      );
      const header = `n,a=${name},\u0001`;
      expect(await session.peer.say(`AUTH OAUTHBEARER ${base64(header + bearer)}`)).toEqual(refused);
      expect(await session.peer.say(`AUTH SCRAM-SHA-256 ${base64(`n,,n=${name},r=abc`)}`)).toEqual(refused);
      await session.peer.say('AUTH CRAM-MD5');
      expect(await session.peer.say(base64(`${name} ${'0'.repeat(32)}`))).toEqual(refused);
      expect(heard).toEqual([]);
    },
  );

  it('beside a token is 535 without a name from the application, which hears why', async () => {
    const said = `AUTH XOAUTH2 ${base64('user=bob\u0001auth=Bearer t\u0001\u0001')}`;
    const silent = await greeted({ onAuth: () => true }, { mechanisms: ['XOAUTH2'] });
    await silent.peer.say(said);
    expect(await silent.peer.say('')).toEqual([INVALID]);
    expect(silent.errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/authenticatedAs/) }),
    ]);
    const named = await greeted({ onAuth: () => ({ authenticatedAs: 'bob' }) }, { mechanisms: ['XOAUTH2'] });
    expect(await named.peer.say(said)).toEqual([SUCCEEDED]);
  });

  it.each([
    {},
    { authenticatedAs: '' },
    { authenticatedAs: 'a\nb' },
    { username: 'bob' },
    { authenticatedAs: 7 },
  ])('is not granted by what is no grant: %j is a fault', async (result) => {
    const session = await greeted({ onAuth: () => result as never });
    expect(await session.peer.say(plain('bob'))).toEqual([expect.stringMatching(/^454 4\.7\.0 /)]);
    expect(session.errors).toEqual([expect.any(TypeError)]);
  });
});

describe('a refused token', () => {
  it.each(['XOAUTH2', 'OAUTHBEARER'] as const)(
    'is explained to the client in JSON: %s',
    async (mechanism) => {
      const tokenError: TokenError = { status: 'insufficient_scope', scope: 'smtp' };
      const session = await greeted({ onAuth: () => ({ tokenError }) }, { mechanisms: [mechanism] });
      const bearer = 'auth=Bearer t\u0001\u0001';
      const message = mechanism === 'XOAUTH2' ? `user=u\u0001${bearer}` : `n,a=u,\u0001${bearer}`;
      const [challenge = ''] = await session.peer.say(`AUTH ${mechanism} ${base64(message)}`);
      expect(challenge).toBe(`334 ${base64(JSON.stringify(tokenError))}`);
      expect(await session.peer.say('AQ==')).toEqual([INVALID]);
      expect(session.errors).toEqual([]);
    },
  );

  it('with an explanation over 380 octets is a fault: clients read short lines', async () => {
    const tokenError = { status: 'x'.repeat(400) };
    const session = await greeted({ onAuth: () => ({ tokenError }) });
    expect(await session.peer.say(plain(''))).toEqual([expect.stringMatching(/^454 4\.7\.0 /)]);
    expect(session.errors).toEqual([expect.any(RangeError)]);
  });
});

describe('a mechanism of the application', () => {
  /** The name alone, and a ticket. */
  const ticket: ServerMechanism = {
    name: 'X-TICKET',
    clientFirst: true,
    *begin() {
      const response = yield { type: 'challenge', data: new Uint8Array() };
      const [username = '', shown = ''] = Buffer.from(response as Uint8Array)
        .toString()
        .split(' ');
      const attempt = { mechanism: 'own', name: 'X-TICKET', username, shown: new Secret(shown) } as const;
      const judgement = yield { type: 'verify', attempt };
      const accepted = judgement !== undefined && 'accepted' in judgement && judgement.accepted;
      return accepted ? { type: 'success' } : { type: 'failure', reason: 'refused' };
    },
  };

  it('is a value in the list, beside ours', async () => {
    const onAuth: ServerHandlers['onAuth'] = (attempt) =>
      attempt.mechanism === 'own' && attempt.shown instanceof Secret && attempt.shown.revealText() === 'T1';
    const session = await greeted({ onAuth }, { mechanisms: ['PLAIN', ticket] });
    expect(await session.peer.say('EHLO c.example')).toContainEqual(
      expect.stringMatching(/AUTH PLAIN X-TICKET$/),
    );
    expect(await session.peer.say(`AUTH X-TICKET ${base64('ann T2')}`)).toEqual([INVALID]);
    expect(await session.peer.say(`AUTH x-ticket ${base64('ann T1')}`)).toEqual([SUCCEEDED]);
    expect(session.connection.information.identity).toMatchObject({ mechanism: 'X-TICKET', username: 'ann' });
  });

  it('is one of the client as well, by which both come together, and nobody sees what they say', async () => {
    const ticketClient: ClientMechanism = {
      name: 'X-TICKET',
      fits: ({ kind }) => kind === 'token',
      *begin(credentials) {
        if (credentials.kind !== 'token') return 'X-TICKET needs a name and a ticket';
        const { username, token } = credentials;
        yield { type: 'respond', data: new Secret(`${username} ${token.revealText()}`), mayEnd: true };
        return 'The server asked for more than X-TICKET has to say';
      },
    };
    const seen: unknown[] = [];
    const handlers: ServerHandlers = {
      onAuth: (attempt) =>
        attempt.mechanism === 'own' &&
        attempt.shown instanceof Secret &&
        attempt.shown.revealText() === 'hush-1234',
      onAuthDecided: (decision) => void seen.push(decision),
      onMessage() {},
    };
    /** By which mechanism a client with this ticket is let in. */
    const both = async (shown: string) => {
      const [near, far] = createMemoryPair();
      const clock = createVirtualClock();
      const { closed } = serveSession(far, handlers, {
        clock,
        authentication: { allowInsecure: true, mechanisms: ['XOAUTH2', ticket] },
        observer: (event) => void seen.push(event),
      });
      const credentials = { kind: 'token', username: 'ann', token: new Secret(shown) } as const;
      try {
        const session = await openSession(near, {
          clock,
          authentication: { credentials, mechanisms: ['XOAUTH2', ticketClient], allowInsecure: true },
          observer: (event) => void seen.push(event),
          onWire: (_, octets) => void seen.push(Buffer.from(octets).toString('latin1')),
        });
        return session.offer.authenticatedBy;
      } catch (error) {
        seen.push(error);
        throw error;
      } finally {
        near.abort();
        await closed;
      }
    };
    expect(await both('hush-1234')).toBe('X-TICKET');
    await expect(both('wrong-5678')).rejects.toMatchObject({
      failure: { kind: 'refused', mechanism: 'X-TICKET' },
    });
    const all = inspect(seen, { depth: 20, maxArrayLength: null, maxStringLength: null });
    expect(all).toContain("mechanism: 'X-TICKET'");
    const said = ['ann hush-1234', 'ann wrong-5678'];
    for (const secret of ['hush', 'wrong', ...said.map(base64)]) expect(all).not.toContain(secret);
  });

  it.each(['', 'x-ticket', 'X TICKET', 'X'.repeat(21)])('has a name of RFC 4422 §3.1: %j', async (name) => {
    await expect(greeted({}, { mechanisms: [{ ...ticket, name }] })).rejects.toThrow(/RFC 4422/);
  });
});

describe('failed authentications', () => {
  const from = (address: string) => `XCLIENT ADDR=${address}`;

  /** A session of a client with this address. */
  async function client(address: string, handlers: ServerHandlers, limiter?: ServeOptions['failureLimiter']) {
    const session = await serve(handlers, {
      cryptography: nodeCryptography,
      trusted: true,
      ...(limiter && { failureLimiter: limiter }),
      authentication: { allowInsecure: true, maximumFailures: 1000, iterations: 4096 },
    });
    await session.peer.say('EHLO c.example', from(address), 'EHLO c.example');
    return session;
  }

  const handlers = (looks: string[] = []): ServerHandlers => ({
    onAuth: (attempt) => {
      if (!('password' in attempt)) return false;
      looks.push(attempt.username);
      return attempt.password.revealText() === 'pencil';
    },
    onMessage() {},
  });

  it('are ten for a name from an address, then 454 without a look, the right password too', async () => {
    const looks: string[] = [];
    const limiter = failureLimiter();
    const session = await client('192.0.2.1', handlers(looks), limiter);
    for (let n = 0; n < 10; n++) expect(await session.peer.say(plain('', 'ann', 'x'))).toEqual([INVALID]);
    expect(await session.peer.say(plain('', 'ann'))).toEqual([CLOSED]);
    expect(looks).toHaveLength(10);
    // Neither another name nor the same name from elsewhere is meant.
    expect(await session.peer.say(plain('', 'bob', 'x'))).toEqual([INVALID]);
    const elsewhere = await client('192.0.2.2', handlers(), limiter);
    expect(await elsewhere.peer.say(plain('', 'ann'))).toEqual([SUCCEEDED]);
    const later = await client('192.0.2.1', handlers(), limiter);
    await later.clock.advanceAsync(299_000);
    await later.peer.say('NOOP');
    await later.clock.advanceAsync(299_000);
    expect(await later.peer.say(plain('', 'ann'))).toEqual([CLOSED]);
    await later.clock.advanceAsync(3_000);
    expect(await later.peer.say(plain('', 'ann'))).toEqual([SUCCEEDED]);
  });

  it('are a hundred for an address, whatever the name, and an IPv6 /64 is one', async () => {
    const limiter = failureLimiter({ perName: 1, perNetwork: 3 });
    for (const n of [1, 2, 3]) {
      const session = await client(`IPV6:2001:db8::${n}`, handlers(), limiter);
      expect(await session.peer.say(plain('', `user${n}`, 'x'))).toEqual([INVALID]);
    }
    const session = await client('IPV6:2001:db8::9', handlers(), limiter);
    expect(await session.peer.say(plain('', 'ann'))).toEqual([CLOSED]);
    const other = await client('IPV6:2001:db8:0:1::9', handlers(), limiter);
    expect(await other.peer.say(plain('', 'ann'))).toEqual([SUCCEEDED]);
  });

  it('are without a limit by 0, and for who has no address or a loopback one', async () => {
    for (const [address, limiter] of [
      ['192.0.2.1', failureLimiter({ perName: 0 })],
      ['127.0.0.1', undefined],
    ] as const) {
      const session = await client(address, handlers(), limiter);
      for (let n = 0; n < 120; n++) await session.peer.say(plain('', 'ann', 'x'));
      expect(await session.peer.say(plain('', 'ann'))).toEqual([SUCCEEDED]);
    }
  });

  it('are told to onAuthDecided with the name, a wrong proof of SCRAM too, and so is a success', async () => {
    const told: AuthenticationDecision[] = [];
    const session = await greeted({
      onAuth: () => true,
      onCredentials: () => ({ kind: 'password', password: new Secret('pencil') }),
      onAuthDecided: (decision) => void told.push(decision),
    });
    const [challenge = ''] = await session.peer.say(`AUTH SCRAM-SHA-256 ${base64('n,,n=ann,r=abc')}`);
    const [, nonce] = /r=([^,]+)/.exec(Buffer.from(challenge.slice(4), 'base64').toString()) ?? [];
    const proof = base64('\0'.repeat(32));
    expect(await session.peer.say(base64(`c=biws,r=${nonce},p=${proof}`))).toEqual([INVALID]);
    await session.peer.say(plain('ann'));
    expect(told).toMatchObject([
      { outcome: 'refused', mechanism: 'SCRAM-SHA-256', username: 'ann' },
      { outcome: 'accepted', mechanism: 'PLAIN', username: 'ann', identity: { username: 'ann' } },
    ]);
  });
});
