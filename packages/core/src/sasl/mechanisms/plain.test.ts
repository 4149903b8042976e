import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import { ClientHalf, isPrepared, passwordOf, run, ServerHalf, tokenOf } from '../running.test-support.js';
import { plainClient, plainServer } from './plain.js';

const NAME = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isPrepared);

const MALFORMED = { type: 'failure', reason: 'malformed' };
const REFUSED = { type: 'failure', reason: 'refused' };

describe('PLAIN', () => {
  it('sends the message of the example (RFC 4616 §4)', () => {
    expect(new ClientHalf(plainClient, passwordOf('tim', 'tanstaaftanstaaf')).said).toBe(
      '\0tim\0tanstaaftanstaaf',
    );
    const onBehalf = { ...passwordOf('Kurt', 'xipj3plmq'), authorizationIdentity: 'Ursel' };
    expect(new ClientHalf(plainClient, onBehalf).said).toBe('Ursel\0Kurt\0xipj3plmq');
  });

  it('brings any name and password over, and who they act as', () => {
    fc.assert(
      fc.property(NAME, NAME, fc.option(NAME, { nil: '' }), (username, password, authorizationIdentity) => {
        const credentials = { ...passwordOf(username, password), authorizationIdentity };
        const { outcome, agreed, attempts } = run(
          new ClientHalf(plainClient, credentials),
          new ServerHalf(plainServer),
        );
        expect(agreed).toBe(true);
        const actsAs = authorizationIdentity || username;
        expect(outcome).toEqual({
          type: 'success',
          identity: { mechanism: 'PLAIN', authenticatedAs: username, username: actsAs },
        });
        expect(attempts).toHaveLength(1);
        const [attempt] = attempts;
        expect(attempt).toMatchObject({ mechanism: 'PLAIN', username });
        expect(attempt && 'password' in attempt && attempt.password.revealText()).toBe(password);
        const given =
          attempt && 'authorizationIdentity' in attempt ? attempt.authorizationIdentity : undefined;
        expect(given).toBe(actsAs === username ? undefined : actsAs);
      }),
    );
  });

  it('asks with an empty challenge', () => {
    expect(plainServer.clientFirst).toBe(true);
    expect(new ServerHalf(plainServer).challenge).toHaveLength(0);
  });

  it('is refused where the application says so', () => {
    const server = new ServerHalf(plainServer, { verify: () => false });
    expect(server.respond('\0u\0p').outcome).toEqual(REFUSED);
  });

  it.each([
    ['nothing', ''],
    ['one NUL', 'u\0p'],
    ['three NULs', '\0u\0p\0'],
    ['NUL within the password', '\0u\0p\0p'],
    ['no user name', 'a\0\0p'],
    ['no password', '\0u\0'],
    ['a user name that is not UTF-8', Uint8Array.of(0, 0xff, 0, 0x70)],
    ['a password that is not UTF-8', Uint8Array.of(0, 0x75, 0, 0xff)],
    ['an authorization identity that is not UTF-8', Uint8Array.of(0xff, 0, 0x75, 0, 0x70)],
    ['a user name of 1025 octets', `\0${'u'.repeat(1025)}\0p`],
    ['a password of 1025 octets', `\0u\0${'p'.repeat(1025)}`],
    ['an authorization identity of 1025 octets', `${'a'.repeat(1025)}\0u\0p`],
  ])('is malformed with %s (RFC 4616 §2)', (_, response) => {
    const server = new ServerHalf(plainServer);
    expect(server.respond(response).outcome).toEqual(MALFORMED);
    expect(server.attempts).toEqual([]);
  });

  it('has room for 1024 octets of each', () => {
    const long = 'x'.repeat(1024);
    expect(new ServerHalf(plainServer).respond(`${long}\0${long}\0${long}`).outcome?.type).toBe('success');
  });

  it.each([
    ['an empty user name', passwordOf('', 'p')],
    ['an empty password', passwordOf('u', '')],
    ['NUL in the user name', passwordOf('u\0', 'p')],
    ['NUL in the password', passwordOf('u', 'p\0')],
    ['NUL in the authorization identity', { ...passwordOf('u', 'p'), authorizationIdentity: '\0' }],
    ['a token', tokenOf('u', 't')],
  ])('is not begun by a client with %s', (_, credentials) => {
    const client = new ClientHalf(plainClient, credentials);
    expect(client.ended).toMatch(/PLAIN/);
    expect(client.response).toBeUndefined();
  });

  it('ends at the client when the server asks for more', () => {
    const client = new ClientHalf(plainClient, passwordOf('u', 'p')).challenge('');
    expect(client.ended).toMatch(/asked for more/);
  });

  it('keeps the password a secret', () => {
    const server = new ServerHalf(plainServer).respond('\0u\0p');
    const [attempt] = server.attempts;
    expect(attempt && 'password' in attempt && attempt.password).toBeInstanceOf(Secret);
    expect(JSON.stringify(attempt)).toContain('[secret]');
  });
});
