import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  base64,
  ClientHalf,
  isPrepared,
  passwordOf,
  run,
  ServerHalf,
  text,
  tokenOf,
} from '../running.test-support.js';
import { xoauth2Client, xoauth2Server } from './xoauth2.js';

const NAME = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isPrepared);
const TOKEN = fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,60}={0,2}$/);
const EXAMPLE =
  'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==';

describe('XOAUTH2', () => {
  it("sends the message of Google's example", () => {
    const credentials = tokenOf('someuser@example.com', 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg');
    expect(new ClientHalf(xoauth2Client, credentials).response?.reveal()).toEqual(base64(EXAMPLE));
  });

  it('brings any name and token over', () => {
    fc.assert(
      fc.property(NAME, TOKEN, (username, token) => {
        const { agreed, outcome, attempts } = run(
          new ClientHalf(xoauth2Client, tokenOf(username, token)),
          new ServerHalf(xoauth2Server),
        );
        expect(agreed).toBe(true);
        expect(outcome).toEqual({
          type: 'success',
          identity: { mechanism: 'XOAUTH2', authenticatedAs: username, username },
        });
        const [attempt] = attempts;
        expect(attempt).toMatchObject({ mechanism: 'XOAUTH2', username });
        expect(attempt && 'token' in attempt && attempt.token.revealText()).toBe(token);
      }),
    );
  });

  it('tells of a refusal in a challenge, which the client answers with nothing', () => {
    const server = new ServerHalf(xoauth2Server, { verify: () => false });
    const client = new ClientHalf(xoauth2Client, tokenOf('u', 't'));
    const { agreed, outcome, messages } = run(client, server);
    expect(agreed).toBe(false);
    expect(outcome).toEqual({ type: 'failure', reason: 'refused' });
    expect(messages.slice(1).map(text)).toEqual(['{"status":"401","schemes":"bearer"}', '']);
    expect(client.mayEnd).toBe(false);
    expect(client.challenge('').ended).toMatch(/refused the token/);
  });

  it.each(['Basic dTpw', 'Bearer', 'Bearer a b', ''])(
    'refuses the authorization %j unasked',
    (authorization) => {
      const server = new ServerHalf(xoauth2Server).respond(`user=u\u0001auth=${authorization}\u0001\u0001`);
      expect(server.challenge && text(server.challenge)).toContain('401');
      expect(server.respond('').outcome).toEqual({ type: 'failure', reason: 'refused' });
      expect(server.attempts).toEqual([]);
    },
  );

  it.each([
    ['nothing', ''],
    ['no user', 'auth=Bearer t\u0001\u0001'],
    ['an empty user', 'user=\u0001auth=Bearer t\u0001\u0001'],
    ['no authorization', 'user=u\u0001\u0001'],
    ['one %x01 at the end', 'user=u\u0001auth=Bearer t\u0001'],
    ['three %x01 at the end', 'user=u\u0001auth=Bearer t\u0001\u0001\u0001'],
    ['two users', 'user=u\u0001user=v\u0001auth=Bearer t\u0001\u0001'],
    ['NUL in the user name', 'user=u\0\u0001auth=Bearer t\u0001\u0001'],
    ['a user name of 1025 octets', `user=${'u'.repeat(1025)}\u0001auth=Bearer t\u0001\u0001`],
    ['what is not UTF-8', Uint8Array.of(0xff)],
  ])('is malformed with %s', (_, response) => {
    const server = new ServerHalf(xoauth2Server).respond(response);
    expect(server.outcome).toEqual({ type: 'failure', reason: 'malformed' });
    expect(server.attempts).toEqual([]);
  });

  it.each([
    ['a password', passwordOf('u', 'p')],
    ['an empty name', tokenOf('', 't')],
    ['a name that would begin another field', tokenOf('u\u0001user=v', 't')],
    ['a token that would', tokenOf('u', 't\u0001user=v')],
    ['a token with a space', tokenOf('u', 't t')],
    ['an empty token', tokenOf('u', '')],
  ])('is not begun by a client with %s', (_, credentials) => {
    const client = new ClientHalf(xoauth2Client, credentials);
    expect(client.ended).toBeTruthy();
    expect(client.response).toBeUndefined();
  });
});
