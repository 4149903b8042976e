import { describe, expect, it } from 'vitest';
import { CERTIFIED, ClientHalf, EXPORTER, passwordOf, run, ServerHalf } from '../running.test-support.js';
import { externalClient, externalServer } from './external.js';

const certified = { channel: { tls: CERTIFIED } };

describe('EXTERNAL', () => {
  it('lets a client be who its certificate says (RFC 4422 §A)', () => {
    const client = new ClientHalf(externalClient, { kind: 'external' });
    expect(client.said).toBe('');
    const { agreed, outcome, attempts } = run(client, new ServerHalf(externalServer, certified));
    expect(agreed).toBe(true);
    expect(attempts).toEqual([{ mechanism: 'EXTERNAL' }]);
    expect(outcome).toEqual({
      type: 'success',
      identity: { mechanism: 'EXTERNAL', authenticatedAs: '', username: '' },
    });
  });

  it('lets it act for another where the application does', () => {
    const credentials = { kind: 'external', authorizationIdentity: 'j\u00f6rg' } as const;
    const allowed = run(
      new ClientHalf(externalClient, credentials),
      new ServerHalf(externalServer, certified),
    );
    expect(allowed.attempts).toEqual([{ mechanism: 'EXTERNAL', authorizationIdentity: 'j\u00f6rg' }]);
    expect(allowed.outcome).toMatchObject({ identity: { username: 'j\u00f6rg' } });
    const server = new ServerHalf(externalServer, { ...certified, verify: () => false });
    expect(run(new ClientHalf(externalClient, credentials), server).outcome).toEqual({
      type: 'failure',
      reason: 'refused',
    });
  });

  it.each([undefined, EXPORTER])('refuses a client that showed no certificate', (tls) => {
    const server = new ServerHalf(externalServer, { channel: { tls } }).respond('');
    expect(server.outcome).toEqual({ type: 'failure', reason: 'refused' });
    expect(server.attempts).toEqual([]);
  });

  it.each([
    ['NUL', 'a\0'],
    ['what is not UTF-8', Uint8Array.of(0xff)],
    ['1025 octets', 'a'.repeat(1025)],
  ])('is malformed with %s', (_, response) => {
    expect(new ServerHalf(externalServer, certified).respond(response).outcome).toEqual({
      type: 'failure',
      reason: 'malformed',
    });
  });

  it('ends at the client when the server asks for more, or without a certificate to go by', () => {
    const client = new ClientHalf(externalClient, { kind: 'external' });
    expect(client.challenge('').ended).toMatch(/asked for more/);
    expect(new ClientHalf(externalClient, passwordOf('u', 'p')).ended).toMatch(/certificate/);
  });
});
