/** A runtime without export of keying material, such as Deno: its method throws, or is not there. */
import { TLSSocket } from 'node:tls';
import { Secret } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../connecting/connect.js';
import { startMailServer } from '../listening/mail-server.js';
import { systemClock } from '../system-clock.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { createTlsContext } from './tls-context.js';

const { cert, key } = await generateCertificate('localhost');

afterEach(() => {
  vi.restoreAllMocks();
});

/** By which mechanism a client of ours authenticates to a server of ours, and what both could bind to. */
async function authenticate() {
  const mechanisms: string[] = [];
  const server = await startMailServer({
    addresses: [
      { host: '127.0.0.1', port: 0, tls: { mode: 'startTls', context: createTlsContext({ cert, key }) } },
    ],
    session: {
      hostname: 'localhost',
      startTls: 'offered',
      authentication: { mechanisms: ['SCRAM-SHA-256-PLUS', 'PLAIN'] },
    },
    handlers: {
      onCredentials: () => undefined,
      onAuth({ mechanism }) {
        mechanisms.push(mechanism);
        return true;
      },
      onMessage() {},
    },
  });
  const { port } = server.addresses[0] as { port: number };
  const stream = await connect({
    host: '127.0.0.1',
    port,
    tls: { mode: 'startTls', verify: true, servername: 'localhost', ca: cert },
  });
  const opening = openSession(stream, {
    hostname: 'c.example',
    clock: systemClock,
    startTls: 'required',
    authentication: { credentials: { kind: 'password', username: 'ann', password: new Secret('pencil') } },
  });
  const failure = await opening.then(
    (session) => session.quit().then(() => undefined),
    (error: Error) => error,
  );
  await server.shutdown(1000);
  return { mechanisms, failure, bindings: Object.keys(stream.tls?.channelBindings ?? {}) };
}

describe('where keying material cannot be exported', () => {
  it.each([
    [
      'throws',
      () =>
        vi.spyOn(TLSSocket.prototype, 'exportKeyingMaterial').mockImplementation(() => {
          throw new Error('Not implemented: tls.TLSSocket.exportKeyingMaterial');
        }),
    ],
  ])('(it %s) the handshake succeeds, and -PLUS is left out at both ends', async (_, without) => {
    without();
    expect(await authenticate()).toEqual({ mechanisms: ['PLAIN'], failure: undefined, bindings: [] });
  });

  it('(and where it can, -PLUS is there)', async () => {
    const { mechanisms, failure, bindings } = await authenticate();
    expect(bindings).toContain('tls-exporter');
    // There is no such user: the exchange of SCRAM fails, and no other is tried.
    expect(failure?.message).toMatch(/SCRAM|535|authentic/i);
    expect(mechanisms).toEqual([]);
  });
});
