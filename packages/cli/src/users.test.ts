import { type AuthenticationAttempt, Secret } from '@sansmtp/core';
import { withoutSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { authentication, authenticationProblem, readUsers, type Users, userOption } from './users.js';

const session = withoutSession({ id: 'a-1', peer: {} });

function usersOf(...texts: string[]): Users {
  return readUsers(texts.reduce<readonly Secret[]>((all, text) => userOption(text, all), []));
}

function isLetIn(users: Users, attempt: AuthenticationAttempt): unknown {
  return authentication(users).onAuth?.(attempt, session);
}

function byPassword(
  username: string,
  password: string,
  authorizationIdentity?: string,
): AuthenticationAttempt {
  return {
    mechanism: 'PLAIN',
    username,
    password: new Secret(password),
    ...(authorizationIdentity !== undefined && { authorizationIdentity }),
  };
}

function stored(users: Users, username: string): unknown {
  return authentication(users).onCredentials?.({ mechanism: 'SCRAM-SHA-256', username }, session);
}

describe('--user', () => {
  it('is NAME:PASSWORD, where the password may hold colons', () => {
    const users = usersOf('ann:one', 'bob:two:three');
    expect([...users].map(([name, password]) => [name, password.revealText()])).toEqual([
      ['ann', 'one'],
      ['bob', 'two:three'],
    ]);
  });

  it.each(['hunter2', ':hunter2', 'ann:', 'ann:hunter2\u0007', 'a\u0007nn:hunter2'])(
    'is refused without showing it when it is anything else: %j',
    (text) => {
      const read = () => usersOf('bob:fine', text);
      expect(read).toThrow(/^--user number 2 is not NAME:PASSWORD/);
      expect(read).not.toThrow(/hunter2|ann/);
    },
  );

  it('is nothing that can be printed', () => {
    const [option] = userOption('ann:hunter2');
    expect(`${option} ${JSON.stringify(option)}`).not.toContain('hunter2');
  });
});

describe('a user', () => {
  const users = usersOf('ann:one', 'bob:two');

  it('is let in by their own password only', () => {
    expect(isLetIn(users, byPassword('ann', 'one'))).toBe(true);
    expect(isLetIn(users, byPassword('bob', 'two'))).toBe(true);
    expect(isLetIn(users, byPassword('ann', 'two'))).toBe(false);
    expect(isLetIn(users, byPassword('ann', 'on'))).toBe(false);
    expect(isLetIn(users, byPassword('Ann', 'one'))).toBe(false);
  });

  it('that there is not is answered as one who is wrong: no rejection, nothing thrown (RFC 4954 §6)', () => {
    expect(isLetIn(users, byPassword('eve', 'one'))).toBe(false);
    expect(isLetIn(users, byPassword('', ''))).toBe(false);
    expect(stored(users, 'eve')).toBeUndefined();
    expect(isLetIn(usersOf(), byPassword('eve', 'one'))).toBe(false);
  });

  it('is the same however their name and password are composed (SASLprep, RFC 4013 §2)', () => {
    // NFKC: composed and decomposed letters, ligatures, spaces of other widths.
    const composed = usersOf('j\u00f6rg:gr\u00fc\u00dfe \ufb01n');
    const decomposed = byPassword('jo\u0308rg', 'gru\u0308\u00dfe\u00a0fin');
    expect(isLetIn(composed, decomposed)).toBe(true);
    expect(stored(composed, 'jo\u0308rg')).toMatchObject({ kind: 'password' });
  });

  it('may act for themselves, and for nobody else (RFC 4422 §3.4.1)', () => {
    expect(isLetIn(users, byPassword('ann', 'one', 'bob'))).toBe(false);
    const proven = { mechanism: 'SCRAM-SHA-256', username: 'ann' } as const;
    expect(isLetIn(users, proven)).toBe(true);
    expect(isLetIn(users, { ...proven, authorizationIdentity: 'bob' })).toBe(false);
  });

  it('has no token, and no certificate', () => {
    const token = new Secret('one');
    expect(isLetIn(users, { mechanism: 'XOAUTH2', username: 'ann', token })).toBe(false);
    expect(isLetIn(users, { mechanism: 'OAUTHBEARER', username: 'ann', token })).toBe(false);
    expect(isLetIn(users, { mechanism: 'EXTERNAL' })).toBe(false);
  });
});

describe('a warning', () => {
  const [nobody, somebody] = [usersOf(), usersOf('ann:one')];
  const [plain, tls, insecure] = [
    { tls: false, insecure: false },
    { tls: true, insecure: false },
    { tls: false, insecure: true },
  ];

  it('says that nobody can submit mail where there are no users (RFC 6409 §4.3)', () => {
    for (const where of [plain, tls, insecure]) {
      expect(authenticationProblem(nobody, { ...where, submission: true })).toMatch(
        /nobody can submit.*--user/,
      );
    }
  });

  it('says that --allow-insecure-auth lets nobody in where there are no users', () => {
    expect(authenticationProblem(nobody, { ...insecure, submission: false })).toMatch(
      /--allow-insecure-auth needs a --user/,
    );
  });

  it('says that users cannot authenticate without TLS', () => {
    for (const submission of [true, false]) {
      expect(authenticationProblem(somebody, { ...plain, submission })).toMatch(/AUTH is not offered/);
    }
  });

  it('is not given where all is well', () => {
    expect(authenticationProblem(somebody, { ...tls, submission: true })).toBeUndefined();
    expect(authenticationProblem(somebody, { ...insecure, submission: true })).toBeUndefined();
    expect(authenticationProblem(nobody, { ...plain, submission: false })).toBeUndefined();
  });
});
