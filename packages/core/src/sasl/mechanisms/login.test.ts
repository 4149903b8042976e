import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ClientHalf,
  isPrepared,
  passwordOf,
  run,
  ServerHalf,
  text,
  tokenOf,
} from '../running.test-support.js';
import { loginClient, loginServer } from './login.js';

const NAME = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isPrepared);

const MALFORMED = { type: 'failure', reason: 'malformed' };

describe('LOGIN', () => {
  it('brings any name and password over', () => {
    fc.assert(
      fc.property(NAME, NAME, (username, password) => {
        const client = new ClientHalf(loginClient, passwordOf(username, password));
        const { outcome, agreed, attempts, messages } = run(client, new ServerHalf(loginServer));
        expect(agreed).toBe(true);
        expect(outcome).toEqual({
          type: 'success',
          identity: { mechanism: 'LOGIN', authenticatedAs: username, username },
        });
        const [attempt] = attempts;
        expect(attempt && 'password' in attempt && attempt.password.revealText()).toBe(password);
        expect(messages.map(text)).toEqual(['Username:', username, 'Password:', password]);
      }),
    );
  });

  it('takes an initial response as the user name', () => {
    expect(loginServer.clientFirst).toBe(true);
    const server = new ServerHalf(loginServer).respond('u');
    expect(server.challenge && text(server.challenge)).toBe('Password:');
  });

  it('is refused where the application says so', () => {
    const server = new ServerHalf(loginServer, { verify: () => false }).respond('u').respond('p');
    expect(server.outcome).toEqual({ type: 'failure', reason: 'refused' });
  });

  it('refuses an empty user name as one that nobody has, and takes an empty password for malformed', () => {
    const refused = { type: 'failure', reason: 'refused' };
    expect(new ServerHalf(loginServer).respond('').outcome).toEqual(refused);
    expect(new ServerHalf(loginServer).respond('u').respond('').outcome).toEqual(MALFORMED);
  });

  it.each([
    ['has NUL in it', 'u\0'],
    ['is not UTF-8', Uint8Array.of(0xff)],
    ['has 1025 octets', 'x'.repeat(1025)],
  ])('is malformed where a name or a password %s', (_, response) => {
    expect(new ServerHalf(loginServer).respond(response).outcome).toEqual(MALFORMED);
    expect(new ServerHalf(loginServer).respond('u').respond(response).outcome).toEqual(MALFORMED);
  });

  it('does not believe a success before the password', () => {
    const client = new ClientHalf(loginClient, passwordOf('u', 'p'));
    expect([client.response, client.mayEnd]).toEqual([undefined, false]);
    client.challenge('whatever');
    expect([client.said, client.mayEnd]).toEqual(['u', false]);
    client.challenge('');
    expect([client.said, client.mayEnd]).toEqual(['p', true]);
    expect(client.challenge('').ended).toMatch(/asked for more/);
  });

  it.each([
    ['a token', tokenOf('u', 't')],
    ['an authorization identity', { ...passwordOf('u', 'p'), authorizationIdentity: 'a' }],
  ])('is not begun by a client with %s', (_, credentials) => {
    expect(new ClientHalf(loginClient, credentials).ended).toMatch(/LOGIN/);
  });
});
