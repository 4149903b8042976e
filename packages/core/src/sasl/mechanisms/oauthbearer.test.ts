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
import { oauthBearerClient, oauthBearerServer } from './oauthbearer.js';

const NAME = fc.string({ unit: 'grapheme', maxLength: 60 }).filter(isPrepared);
const TOKEN = fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,60}={0,2}$/);
const EXAMPLE_TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';

describe('OAUTHBEARER', () => {
  it.each([
    [
      143,
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB',
    ],
    [
      587,
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB',
    ],
  ])('sends and takes the message of the example on port %i (RFC 7628 §4)', (port, message) => {
    const client = new ClientHalf(oauthBearerClient, tokenOf('user@example.com', EXAMPLE_TOKEN), {
      channel: { host: 'server.example.com', port },
    });
    expect(client.response?.reveal()).toEqual(base64(message));
    const server = new ServerHalf(oauthBearerServer).respond(base64(message));
    const [attempt] = server.attempts;
    expect(attempt).toMatchObject({ username: 'user@example.com', host: 'server.example.com', port });
    expect(attempt && 'token' in attempt && attempt.token.revealText()).toBe(EXAMPLE_TOKEN);
    expect(server.outcome?.type).toBe('success');
  });

  it('refuses the empty authorization of the example by an error and one more response (RFC 7628 §4.3)', () => {
    const query = 'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=';
    const server = new ServerHalf(oauthBearerServer).respond(base64(query));
    expect(server.challenge && JSON.parse(text(server.challenge))).toEqual({ status: 'invalid_token' });
    expect(server.respond(base64('AQ==')).outcome).toEqual({ type: 'failure', reason: 'refused' });
    expect(server.attempts).toEqual([]);
  });

  it('answers the error of the example with %x01 (RFC 7628 §4.3)', () => {
    const error =
      'eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=';
    const client = new ClientHalf(oauthBearerClient, tokenOf('u', 't'));
    expect(client.mayEnd).toBe(true);
    client.challenge(base64(error));
    expect([client.response?.reveal(), client.mayEnd]).toEqual([base64('AQ=='), false]);
    expect(client.challenge('').ended).toMatch(/refused the token/);
  });

  it('brings any name, token, host and port over', () => {
    const host = fc.option(fc.domain(), { nil: undefined });
    const port = fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined });
    fc.assert(
      fc.property(NAME, TOKEN, host, port, (username, token, host, port) => {
        const client = new ClientHalf(oauthBearerClient, tokenOf(username, token), {
          channel: { host, port },
        });
        const { agreed, outcome, attempts } = run(client, new ServerHalf(oauthBearerServer));
        expect(agreed).toBe(true);
        expect(outcome).toEqual({
          type: 'success',
          identity: { mechanism: 'OAUTHBEARER', authenticatedAs: username, username },
        });
        const [attempt] = attempts;
        expect({ host: undefined, port: undefined, ...attempt }).toMatchObject({ username, host, port });
        expect(attempt && 'token' in attempt && attempt.token.revealText()).toBe(token);
      }),
    );
  });

  it('is refused where the application says so, whatever the client answers then', () => {
    for (const answer of ['\u0001', '', 'more']) {
      const server = new ServerHalf(oauthBearerServer, { verify: () => false });
      server.respond('n,,\u0001auth=bearer t\u0001\u0001');
      expect(server.attempts).toHaveLength(1);
      expect(server.respond(answer).outcome).toEqual({ type: 'failure', reason: 'refused' });
    }
  });

  it.each([
    ['nothing', ''],
    ['%x01 alone', '\u0001'],
    ['no header', 'auth=Bearer t\u0001\u0001'],
    ['channel binding', 'p=tls-exporter,,\u0001auth=Bearer t\u0001\u0001'],
    ['a name that is none', 'n,a=u=,\u0001auth=Bearer t\u0001\u0001'],
    ['a name with NUL', 'n,a=u\0,\u0001auth=Bearer t\u0001\u0001'],
    ['a name of 1025 octets', `n,a=${'u'.repeat(1025)},\u0001auth=Bearer t\u0001\u0001`],
    ['no %x01 behind the header', 'n,,auth=Bearer t\u0001\u0001'],
    ['one %x01 at the end', 'n,,\u0001auth=Bearer t\u0001'],
    ['two authorizations', 'n,,\u0001auth=Bearer t\u0001auth=Bearer v\u0001\u0001'],
    ['a key of digits', 'n,,\u00011=2\u0001auth=Bearer t\u0001\u0001'],
    ['an empty host', 'n,,\u0001host=\u0001auth=Bearer t\u0001\u0001'],
    ['a host with a line break', 'n,,\u0001host=a\r\nb\u0001auth=Bearer t\u0001\u0001'],
    ['a port beyond 65535', 'n,,\u0001port=65536\u0001auth=Bearer t\u0001\u0001'],
    ['a port that is none', 'n,,\u0001port=-1\u0001auth=Bearer t\u0001\u0001'],
    ['what is not UTF-8', Uint8Array.of(0xff)],
  ])('is malformed with %s', (_, response) => {
    const server = new ServerHalf(oauthBearerServer).respond(response);
    expect(server.outcome).toEqual({ type: 'failure', reason: 'malformed' });
    expect(server.attempts).toEqual([]);
  });

  it('passes over fields that it does not know (RFC 7628 §3.1)', () => {
    const server = new ServerHalf(oauthBearerServer);
    server.respond('y,a=u,\u0001mthd=POST\u0001auth=Bearer t\u0001\u0001');
    expect(server.outcome?.type).toBe('success');
  });

  it.each([
    ['a password', passwordOf('u', 'p')],
    ['NUL in the name', tokenOf('u\0', 't')],
    ['a token that would begin another field', tokenOf('u', 't\u0001host=v')],
    ['an empty token', tokenOf('u', '')],
  ])('is not begun by a client with %s', (_, credentials) => {
    const client = new ClientHalf(oauthBearerClient, credentials);
    expect(client.ended).toBeTruthy();
    expect(client.response).toBeUndefined();
  });
});
