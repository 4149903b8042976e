import { describe, expect, it } from 'vitest';
import { Secret } from '../secret.js';
import { authorize } from './authorization.js';
import type { AuthenticationAttempt } from './exchange/exchange.js';

const secret = new Secret('s');

const PROVEN: readonly AuthenticationAttempt[] = [
  { mechanism: 'PLAIN', username: 'ann', password: secret },
  { mechanism: 'SCRAM-SHA-256', username: 'ann' },
  { mechanism: 'own', name: 'X-TICKET', username: 'ann' },
];

const TOKEN = { mechanism: 'OAUTHBEARER', username: 'ann', token: secret } as const;

describe.each(PROVEN)('authorize, for a name that $mechanism has proven (RFC 4422 §3.4.1)', (attempt) => {
  it('lets one act for oneself, asked for or not', () => {
    for (const asked of [undefined, '', 'ann']) {
      const identity = authorize({
        ...attempt,
        ...(asked !== undefined && { authorizationIdentity: asked }),
      });
      expect(identity).toMatchObject({ authenticatedAs: 'ann', username: 'ann' });
    }
  });

  it.each(['bob', 'Ann', 'ann ', 'an'])('lets nobody act for %j, unless it is granted', (other) => {
    const asking = { ...attempt, authorizationIdentity: other } as AuthenticationAttempt;
    for (const grant of [undefined, {}, { authenticatedAs: 'ann' }, { authorizationIdentity: 'carl' }]) {
      expect(authorize(asking, grant)).toBeUndefined();
    }
    expect(authorize(asking, { authorizationIdentity: other })).toMatchObject({
      authenticatedAs: 'ann',
      username: other,
    });
  });

  it('takes no grant of what was not asked for', () => {
    expect(authorize(attempt, { authorizationIdentity: 'bob' })).toMatchObject({ username: 'ann' });
  });
});

describe('authorize, for a token or a certificate', () => {
  it('lets in whom the application names, and as nobody else', () => {
    const ann = { mechanism: 'OAUTHBEARER', authenticatedAs: 'ann', username: 'ann' };
    expect(authorize(TOKEN, { authenticatedAs: 'ann' })).toEqual(ann);
    expect(authorize({ ...TOKEN, username: '' }, { authenticatedAs: 'ann' })).toEqual(ann);
    expect(authorize({ ...TOKEN, username: 'bob' }, { authenticatedAs: 'ann' })).toBeUndefined();
    const sales = { authenticatedAs: 'ann', authorizationIdentity: 'sales' };
    expect(authorize({ ...TOKEN, username: 'sales' }, sales)).toMatchObject({ username: 'sales' });
  });

  it('lets nobody act for a name where the application gives none', () => {
    expect(authorize(TOKEN)).toBeUndefined();
    expect(authorize({ mechanism: 'EXTERNAL', authorizationIdentity: 'ann' })).toBeUndefined();
  });

  it('lets in nobody in particular where none is asked for', () => {
    const nobody = { mechanism: 'EXTERNAL', authenticatedAs: '', username: '' };
    expect(authorize({ mechanism: 'EXTERNAL' })).toEqual(nobody);
  });
});
