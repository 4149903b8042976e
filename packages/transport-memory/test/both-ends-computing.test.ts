import type { Computation } from '@sansmtp/core';
import { type Cryptography, SessionError, webCryptography } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { authenticatingBy, checking, credentialsOf, storedFor } from './authenticating.js';
import { expectEverySessionToEnd, type NegotiationOptions, negotiate } from './negotiating.js';
import { nodeCryptography } from './node-cryptography.js';
import { settle } from './peer.js';
import { expectEverySessionToEnd as expectServedToEnd, pending, serve } from './serving.js';

expectEverySessionToEnd();
expectServedToEnd();

const user = { username: 'user', password: 'pencil' };
const fault = new Error('The HSM is on fire');

const failing: readonly (readonly [string, Cryptography['compute']])[] = [
  [
    'throws',
    () => {
      throw fault;
    },
  ],
  ['rejects', () => Promise.reject(fault)],
];

/** SCRAM of both ends, with these cryptographies. */
async function scram(server: Cryptography, client: Cryptography, more: NegotiationOptions['client'] = {}) {
  const stored = await storedFor('SCRAM-SHA-256', user.password, true);
  const {
    server: options = {},
    client: wanted = {},
    ...others
  } = authenticatingBy('SCRAM-SHA-256', credentialsOf('SCRAM-SHA-256', user), {
    network: { tls: { mode: 'implicit' } },
    handlers: checking(user, stored, []),
  });
  return negotiate({
    ...others,
    server: { ...options, cryptography: server },
    client: { ...wanted, ...more, cryptography: client },
  });
}

/** Computes like the real one, but for the computation of this number, counted from 0. */
function except(number: number, compute: Cryptography['compute']): Cryptography {
  let computations = 0;
  return {
    compute: (computation) => (computations++ === number ? compute : nodeCryptography.compute)(computation),
  };
}

/** How many computations SCRAM takes at either end. */
async function count(): Promise<{ server: number; client: number }> {
  const counts = { server: 0, client: 0 };
  const counting = (end: 'server' | 'client'): Cryptography => ({
    compute(computation: Computation) {
      counts[end]++;
      return nodeCryptography.compute(computation);
    },
  });
  await (await scram(counting('server'), counting('client'))).opened();
  return counts;
}

const { server: serverCount, client: clientCount } = await count();
const never = () => new Promise<Uint8Array>(() => {});
const everyServerComputation = Array.from({ length: serverCount }, (_, number) => number);
const everyClientComputation = Array.from({ length: clientCount }, (_, number) => number);

describe('a cryptography of the server', () => {
  it.each(failing)(
    'that %s at any computation refuses by 454 (RFC 4954 §6), and onError is told',
    async (_, compute) => {
      for (const number of everyServerComputation) {
        const session = await scram(except(number, compute), nodeCryptography);
        await expect(session.opening).rejects.toMatchObject({
          code: 'EAUTH',
          response: '454 4.7.0 Temporary authentication failure; try again later',
        });
        expect(session.errors).toEqual([fault]);
        expect(session.connection.information.identity).toBeUndefined();
      }
    },
  );

  it.each<[string, () => unknown]>([
    ['text', () => 'digest'],
    ['nothing', () => undefined],
    ['a promise of text', async () => 'digest'],
    ['a promise of nothing', async () => undefined],
  ])('that computes %s is as one that fails', async (_, wrong) => {
    const compute = wrong as Cryptography['compute'];
    const session = await scram({ compute }, nodeCryptography);
    await expect(session.opening).rejects.toMatchObject({ code: 'EAUTH', responseCode: 454 });
    expect(session.errors).toEqual([
      new TypeError('The cryptography computed something else than a Uint8Array'),
    ]);
  });

  const challenged = async (compute: Cryptography['compute']) => {
    const session = await serve(
      { onAuth: () => true },
      {
        cryptography: { compute },
        authentication: { allowInsecure: true, mechanisms: ['CRAM-MD5'] },
      },
    );
    await session.peer.say('EHLO c.example');
    return { ...session, reply: await session.peer.say('AUTH CRAM-MD5') };
  };

  it('that fails leaves a session behind that can be used', async () => {
    const { peer, reply } = await challenged(failing[1]?.[1] ?? never);
    expect(reply).toEqual(['454 4.7.0 Temporary authentication failure; try again later']);
    expect(await peer.say('NOOP', 'MAIL FROM:<>')).toEqual(['250 2.0.0 OK', '250 2.1.0 Sender OK']);
  });

  it('that never answers is not waited for without end', async () => {
    const { peer, clock, reply } = await challenged(never);
    expect(reply).toEqual([]);
    await clock.advanceAsync(3_600_000);
    expect(peer.news()).toEqual([expect.stringMatching(/^421 4\.\d\.\d /)]);
    expect(peer.ended).toBe(true);
  });

  it('that answers when nobody waits any more changes nothing', async () => {
    for (const late of ['resolve', 'reject'] as const) {
      for (const stopped of ['aborted', 'timed out'] as const) {
        const computing = pending<Uint8Array>();
        const { peer, clock, connection, reply } = await challenged(() => computing.promise);
        expect(reply).toEqual([]);
        if (stopped === 'aborted') connection.abort();
        else await clock.advanceAsync(600_000); // the 421 is said, and the client has not closed yet
        await settle();
        expect(peer.news()).toHaveLength(stopped === 'aborted' ? 0 : 1);
        if (late === 'resolve') computing.resolve(new Uint8Array(16));
        else computing.reject(fault);
        await settle();
        expect(peer.news()).toEqual([]);
      }
    }
  });

  it('that takes its time lets nothing overtake it, and a shutdown wait', async () => {
    const computing = pending<Uint8Array>();
    const { peer, connection } = await challenged(() => computing.promise);
    expect(await peer.say('*', 'NOOP')).toEqual([]);
    connection.shutdown();
    await settle();
    expect(peer.news()).toEqual([]);
    computing.resolve(new Uint8Array(16));
    await settle();
    const replies = peer.news();
    expect(replies[0]).toMatch(/^334 /);
    expect(replies.at(-1)).toBe('421 4.3.2 The service is shutting down, closing the session');
    expect(peer.ended).toBe(true);
  });
});

describe('a cryptography of the client', () => {
  it.each(failing)('that %s at any computation ends the session, for its reason', async (_, compute) => {
    for (const number of everyClientComputation) {
      const session = await scram(nodeCryptography, except(number, compute));
      const error = await session.opening.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SessionError);
      expect(error).toMatchObject({ code: 'ECONNECTION', command: 'AUTH', cause: fault });
      expect(String(error)).toBe('SessionError: The connection was lost (AUTH): The HSM is on fire');
      expect(session.errors).toEqual([]);
    }
  });

  it('is Web Crypto by default, which has no MD5: the error of CRAM-MD5 says so (RFC 2195)', async () => {
    const { opening } = negotiate(
      authenticatingBy('CRAM-MD5', credentialsOf('CRAM-MD5', user), {
        network: { tls: { mode: 'implicit' } },
        handlers: checking(user, await storedFor('CRAM-MD5', user.password, false), []),
        client: { cryptography: webCryptography() },
      }),
    );
    await expect(opening).rejects.toThrow(/\(AUTH\): Web Crypto has no MD5: .*CRAM-MD5/);
  });

  it('that computes something else than octets ends the session', async () => {
    const compute = (() => 'digest') as unknown as Cryptography['compute'];
    const session = await scram(nodeCryptography, { compute });
    await expect(session.opening).rejects.toMatchObject({
      code: 'ECONNECTION',
      cause: expect.any(TypeError),
    });
  });

  it('that never answers is waited for a minute by default', async () => {
    for (const number of everyClientComputation) {
      const session = await scram(nodeCryptography, except(number, never));
      await settle();
      await session.clock.advanceAsync(59_999);
      expect(session.closings).toEqual([]);
      await session.clock.advanceAsync(1);
      await expect(session.opening).rejects.toMatchObject({ code: 'ETIMEDOUT', command: 'AUTH' });
    }
  });

  it('that answers when nobody waits any more changes nothing', async () => {
    for (const late of ['resolve', 'reject'] as const) {
      const computing = pending<Uint8Array>();
      const cancelling = new AbortController();
      const session = await scram(
        nodeCryptography,
        except(2, () => computing.promise),
        { signal: cancelling.signal },
      );
      await settle();
      const reason = new Error('Enough');
      cancelling.abort(reason);
      await expect(session.opening).rejects.toMatchObject({ code: 'ECONNECTION', cause: reason });
      if (late === 'resolve') computing.resolve(new Uint8Array(32));
      else computing.reject(fault);
      await settle();
      expect(session.closings).toHaveLength(1);
    }
  });
});
