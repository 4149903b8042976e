import { type ScramCredentials, Secret, type StoredCredentials, scramKeys } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../cryptography.js';
import {
  type PasswordUsersOptions,
  passwordMechanisms,
  passwordUsers,
  type StoredUser,
} from './password-users.js';

const salt = new Uint8Array(16).fill(7);

async function keysOf(password: string, hash: 'SHA-1' | 'SHA-256' = 'SHA-256', iterations = 4096) {
  const steps = scramKeys({ hash, password: new Secret(password), salt, iterations });
  let step = steps.next();
  while (!step.done) step = steps.next(await webCryptography().compute(step.value.computation));
  return step.value;
}

const passwordOf = (text: string): StoredCredentials => ({ kind: 'password', password: new Secret(text) });

/** The users, and how many derivations there were so far. */
function making(users: Record<string, StoredUser>, options: PasswordUsersOptions = {}) {
  const counted = { derivations: 0, atOnce: 0, most: 0 };
  const web = webCryptography();
  const handlers = passwordUsers((name) => users[name], {
    secret: new Secret('shared'),
    cryptography: {
      async compute(computation) {
        if (computation.kind !== 'pbkdf2') return web.compute(computation);
        counted.derivations++;
        counted.most = Math.max(counted.most, ++counted.atOnce);
        const result = await web.compute(computation);
        counted.atOnce--;
        return result;
      },
    },
    ...options,
  });
  const isIn = async (username: string, password: string) =>
    handlers.onAuth({ mechanism: 'PLAIN', username, password: new Secret(password) });
  const shown = async (username: string, mechanism = 'SCRAM-SHA-256') =>
    (await handlers.onCredentials({ mechanism, username })) as ScramCredentials;
  return { handlers, counted, isIn, shown };
}

describe('passwordUsers', () => {
  it('lets in by PLAIN who knows the password, stored as it is or as keys, and nobody else', async () => {
    const users = {
      ann: passwordOf('one'),
      bob: await keysOf('two'),
      eve: [await keysOf('three', 'SHA-1'), passwordOf('three')],
    };
    const { isIn } = making(users);
    for (const [name, password] of [
      ['ann', 'one'],
      ['bob', 'two'],
      ['eve', 'three'],
    ] as const) {
      expect(await isIn(name, password)).toBe(true);
      expect(await isIn(name, password)).toBe(true);
      for (const wrong of ['one', 'two', 'three', ''].filter((each) => each !== password)) {
        expect(await isIn(name, wrong)).toBe(false);
      }
    }
    expect(await isIn('nobody', 'one')).toBe(false);
  });

  it('costs one derivation for a password against keys, unknown users too, and none for one that was right', async () => {
    const { isIn, counted } = making({ ann: await keysOf('one') }, { keysStored: true });
    for (const [name, password, derivations] of [
      ['ann', 'wrong', 1],
      ['nobody', 'wrong', 2],
      ['ann', 'one', 3],
      ['ann', 'one', 3],
      ['ann', 'wrong', 4],
    ] as const) {
      await isIn(name, password);
      expect(counted.derivations).toBe(derivations);
    }
  });

  it('forgets a password that was right once another one is stored', async () => {
    const users: Record<string, StoredUser> = { ann: await keysOf('one') };
    const { isIn } = making(users);
    expect(await isIn('ann', 'one')).toBe(true);
    users.ann = await keysOf('two');
    expect(await isIn('ann', 'one')).toBe(false);
    delete users.ann;
    expect(await isIn('ann', 'two')).toBe(false);
  });

  it('derives one at a time, lets 64 wait, and turns the rest away by 454 4.7.0', async () => {
    const { isIn, counted } = making({ ann: await keysOf('one') }, { keysStored: true });
    const all = await Promise.allSettled(Array.from({ length: 80 }, (_, n) => isIn(`nobody${n}`, 'x')));
    const refused = all.filter((each) => each.status === 'rejected');
    expect(counted).toMatchObject({ derivations: 65, most: 1 });
    expect(refused).toHaveLength(15);
    expect(refused[0]).toMatchObject({ reason: { responseCode: 454, enhancedCode: '4.7.0' } });
    expect(await isIn('ann', 'one')).toBe(true);
  });

  it('shows of somebody unknown what it shows of others: a salt that stays, and the usual iterations', async () => {
    const users = { ann: await keysOf('one', 'SHA-256', 5000), bob: await keysOf('two', 'SHA-256', 5000) };
    const { shown, counted } = making(users);
    await shown('ann');
    const once = await shown('nobody');
    expect(once).toMatchObject({ kind: 'scram', iterations: 5000, salt: { length: salt.length } });
    expect((await shown('nobody')).salt).toEqual(once.salt);
    expect((await shown('nobody', 'SCRAM-SHA-1')).salt).not.toEqual(once.salt);
    expect((await shown('somebody')).salt).not.toEqual(once.salt);
    // Another process, and the next one, with the same secret.
    expect((await making(users).shown('nobody')).salt).toEqual(once.salt);
    const stranger = making(users, { secret: new Secret('another') });
    expect((await stranger.shown('nobody')).salt).not.toEqual(once.salt);
    expect(counted.derivations).toBe(0);
  });

  it('derives the keys of a stored password once, and its salt stays over restarts', async () => {
    const { shown, counted } = making({ ann: passwordOf('one') });
    const [first] = await Promise.all([shown('ann'), shown('ann')]);
    expect(await shown('ann')).toEqual(first);
    expect(counted.derivations).toBe(1);
    expect((await making({ ann: passwordOf('two') }).shown('ann')).salt).toEqual(first?.salt);
  });

  it('takes no keys of more than 1,000,000 iterations', async () => {
    const { isIn, counted } = making({ ann: { ...(await keysOf('one')), iterations: 1_000_001 } });
    await expect(isIn('ann', 'one')).rejects.toThrow(/1000001/);
    expect(counted.derivations).toBe(0);
  });

  it('judges neither tokens nor certificates', async () => {
    const { onAuth } = making({ ann: passwordOf('one') }).handlers;
    expect(await onAuth({ mechanism: 'XOAUTH2', username: 'ann', token: new Secret('one') })).toBe(false);
    expect(await onAuth({ mechanism: 'EXTERNAL' })).toBe(false);
    expect(await onAuth({ mechanism: 'SCRAM-SHA-256', username: 'ann' })).toBe(true);
  });

  it.each([
    { iterations: 4095 },
    { iterations: 1_000_001 },
    { maximumDerivations: 0 },
    { maximumWaiting: -1 },
  ])('refuses %j', (options) => expect(() => passwordUsers(() => undefined, options)).toThrow(RangeError));
});

describe('passwordMechanisms', () => {
  it('are those of SCRAM for which everybody has keys, and PLAIN and LOGIN', async () => {
    const keys = await keysOf('one');
    expect(passwordMechanisms([passwordOf('one'), keys])).toEqual([
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-256',
      'PLAIN',
      'LOGIN',
    ]);
    expect(passwordMechanisms([passwordOf('one')])).toContain('SCRAM-SHA-1');
    expect(passwordMechanisms([keys, await keysOf('two', 'SHA-1')])).toEqual(['PLAIN', 'LOGIN']);
  });
});
