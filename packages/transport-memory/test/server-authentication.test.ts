import { type Reply, Secret } from '@sansmtp/core';
import {
  type AuthenticationResult,
  type CredentialsResult,
  Rejection,
  type ServerHandlers,
} from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { authenticatingBy, credentialsOf, type User } from './authenticating.js';
import { expectEverySessionToEnd as expectBothToEnd, negotiate } from './negotiating.js';
import { nodeCryptography } from './node-cryptography.js';
import { settle } from './peer.js';
import { expectEverySessionToEnd, pending, serve } from './serving.js';

expectEverySessionToEnd();
expectBothToEnd();

const user: User = { username: 'user', password: 'pencil' };
const options = {
  cryptography: nodeCryptography,
  authentication: {
    allowInsecure: true,
    mechanisms: ['PLAIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'],
    iterations: 4096,
  },
} as const;

const PLAIN = `AUTH PLAIN ${Buffer.from('\0user\0pencil').toString('base64')}`;

const FAULT = '454 4.7.0 Temporary authentication failure; try again later';
const INVALID = '535 5.7.8 Authentication credentials invalid';
const SUCCEEDED = '235 2.7.0 Authentication succeeded';

/** Says AUTH PLAIN to an application that decides so. */
async function plain(onAuth?: ServerHandlers['onAuth']) {
  const session = await serve(onAuth === undefined ? {} : { onAuth }, options);
  await session.peer.say('EHLO c.example');
  return { ...session, reply: await session.peer.say(PLAIN) };
}

const reply = (code: number, enhancedCode: string): Reply => ({ code, enhancedCode, lines: ['So it is'] });
const thrown = (error: unknown) => (): never => {
  throw error;
};

describe('onAuth', () => {
  it.each<[string, () => AuthenticationResult, string]>([
    ['true', () => true, SUCCEEDED],
    ['false', () => false, INVALID],
    ['a reply 235', () => reply(235, '2.7.0'), '235 2.7.0 So it is'],
    ['a reply 535', () => reply(535, '5.7.8'), '535 5.7.8 So it is'],
    ['a reply 454', () => reply(454, '4.7.0'), '454 4.7.0 So it is'],
    ['a reply 534', () => reply(534, '5.7.9'), '534 5.7.9 So it is'],
    [
      'a Rejection',
      thrown(new Rejection(432, '4.7.12', 'Change your password')),
      '432 4.7.12 Change your password',
    ],
  ])('decides by %s, and by a promise of it', async (_, onAuth, expected) => {
    for (const handler of [onAuth, async () => onAuth()]) {
      const session = await plain(handler);
      expect(session.reply).toEqual([expected]);
      expect(session.errors).toEqual([]);
      const isIn = expected.startsWith('235');
      expect(session.connection.information.identity?.username).toBe(isIn ? 'user' : undefined);
      // The session goes on; who is in cannot come in again (RFC 4954 §4).
      expect(await session.peer.say(PLAIN)).toEqual([isIn ? '503 5.5.1 Authenticated already' : expected]);
    }
  });

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a word', () => 'yes'],
    ['an object of another form', () => ({ username: 'user' })],
    ['a reply that lets nobody in', () => reply(250, '2.0.0')],
    ['an error', thrown(new Error('The directory is away: secret'))],
  ])('lets nobody in by %s: 454, and onError is told (RFC 4954 §6)', async (_, wrong) => {
    // As a handler in JavaScript may.
    const onAuth = wrong as () => AuthenticationResult;
    for (const handler of [onAuth, async () => onAuth()]) {
      const session = await plain(handler);
      expect(session.reply).toEqual([FAULT]);
      expect(session.errors).toEqual([expect.any(Error)]);
      expect(session.connection.information.identity).toBeUndefined();
      expect(session.peer.heard).not.toContain('secret');
      expect(await session.peer.say('NOOP')).toEqual(['250 2.0.0 OK']);
    }
  });

  it('that is missing lets nobody in', async () => {
    expect((await plain()).reply).toEqual([INVALID]);
  });

  it('ends the session by 421', async () => {
    const { reply: replies, peer } = await plain(() => reply(421, '4.7.0'));
    expect(replies).toEqual(['421 4.7.0 So it is']);
    expect(peer.ended).toBe(true);
  });

  it('has as long as any decision, and what comes later counts no more', async () => {
    const decided = pending<boolean>();
    const { clock, peer, connection } = await plain(() => decided.promise);
    await clock.advanceAsync(600_000);
    expect(peer.news()).toEqual(['421 4.3.0 No decision in time, closing the session; try again later']);
    decided.resolve(true);
    await settle();
    expect(connection.information.identity).toBeUndefined();
    expect(peer.news()).toEqual([]);
  });

  it('lets a shutdown wait for its answer; an abort ends the session at once', async () => {
    for (const stop of ['shutdown', 'abort'] as const) {
      const decided = pending<boolean>();
      const { peer, connection, closings } = await plain(() => decided.promise);
      connection[stop]();
      await settle();
      expect(peer.news()).toEqual([]);
      expect(closings).toEqual(stop === 'abort' ? [undefined] : []);
      decided.resolve(true);
      await settle();
      expect(peer.news()).toEqual(
        stop === 'abort' ? [] : [SUCCEEDED, '421 4.3.2 The service is shutting down, closing the session'],
      );
    }
  });
});

describe.each(['CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] as const)('onCredentials for %s', (mechanism) => {
  const authenticate = (handlers: Partial<ServerHandlers>) =>
    negotiate(
      authenticatingBy(mechanism, credentialsOf(mechanism, user), {
        network: { tls: { mode: 'implicit' } },
        handlers: { onAuth: () => true, ...handlers },
      }),
    );

  const outcome = async (handlers: Partial<ServerHandlers>) => {
    const session = authenticate(handlers);
    const result = await session.opening.then(
      () => 235,
      (error: unknown) => (error as { responseCode: number }).responseCode,
    );
    return { result, errors: session.errors };
  };

  const right = { kind: 'password', password: new Secret(user.password) } as const;

  it.each<[string, () => CredentialsResult, number]>([
    ['the password', () => right, 235],
    ['nothing', () => undefined, 535],
    ['a Rejection', thrown(new Rejection(454, '4.7.0', 'Not now')), 454],
  ])('is answered by %s, or by a promise of it', async (_, onCredentials, code) => {
    for (const handler of [onCredentials, async () => onCredentials()]) {
      expect(await outcome({ onCredentials: handler })).toEqual({ result: code, errors: [] });
    }
  });

  it('lets nobody in where it is missing, though onAuth would', async () => {
    expect(await outcome({})).toEqual({ result: 535, errors: [] });
  });

  it.each<[string, () => unknown]>([
    ['an error', thrown(new Error('The directory is away'))],
    ['a password that is no Secret', () => ({ kind: 'password', password: 'pencil' })],
    ['a password without a kind', () => ({ password: new Secret('pencil') })],
    [
      'keys that are no Secrets',
      () => ({ kind: 'scram', storedKey: 'a', serverKey: 'b', salt: new Uint8Array(9) }),
    ],
    ['true', () => true],
  ])('answers 454 by %s, and tells onError (RFC 4954 §6)', async (_, wrong) => {
    const onCredentials = wrong as () => CredentialsResult;
    for (const handler of [onCredentials, async () => onCredentials()]) {
      expect(await outcome({ onCredentials: handler })).toEqual({ result: 454, errors: [expect.any(Error)] });
    }
  });

  it('is asked once, for this mechanism and user', async () => {
    const asked: unknown[] = [];
    await outcome({
      onCredentials(request) {
        asked.push({ ...request });
        return right;
      },
    });
    expect(asked).toEqual([expect.objectContaining({ mechanism, username: 'user' })]);
  });

  it('has the last word left to onAuth', async () => {
    const onCredentials = () => right;
    expect(await outcome({ onCredentials, onAuth: () => false })).toEqual({ result: 535, errors: [] });
    expect(await outcome({ onCredentials, onAuth: async () => reply(454, '4.7.0') })).toEqual({
      result: 454,
      errors: [],
    });
  });
});
