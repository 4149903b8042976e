import type { Secret } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { authenticationProblem, readUsers, type Users, userOption } from './users.js';

function usersOf(...texts: string[]): Users {
  return readUsers(texts.reduce<readonly Secret[]>((all, text) => userOption(text, all), []));
}

describe('--user', () => {
  it('is NAME:PASSWORD, where the password may hold colons', () => {
    const users = usersOf('ann:one', 'bob:two:three');
    const shown = [...users].map(([name, stored]) => [
      name,
      stored.kind === 'password' && stored.password.revealText(),
    ]);
    expect(shown).toEqual([
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
