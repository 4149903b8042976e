import type { TlsInformation } from '@sansmtp/core';
import { type ServerSessionInformation, SessionError, TlsError } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeFor } from './connecting.js';
import {
  expectEverySessionToEnd,
  type NegotiationOptions,
  negotiate,
  networks,
  tlsInformation,
} from './negotiating.js';
import { CountedStream } from './peer.js';

expectEverySessionToEnd();

const atClient = tlsInformation({ serverName: 'mx.example' });
const atServer = tlsInformation({ protocol: 'TLSv1.2' });

/** As the stream of a server that has no certificate. */
class WithoutStartTls extends CountedStream {
  override get canStartTls() {
    return false;
  }
}

/** Who can begin TLS. */
type Able = 'both' | 'client' | 'nobody';

interface Told {
  readonly handler: string;
  readonly tls: TlsInformation | undefined;
  readonly hello: string | undefined;
}

/** Handlers that note what they may know when they are called. */
function noting(told: Told[]) {
  const note = (handler: string, { tls, hello }: ServerSessionInformation) =>
    void told.push({ handler, tls, hello: hello?.name });
  return {
    onConnect: (session: ServerSessionInformation) => note('onConnect', session),
    onHello: (_: unknown, session: ServerSessionInformation) => note('onHello', session),
    onSecure: (tls: TlsInformation, session: ServerSessionInformation) => {
      expect(session.tls).toBe(tls);
      note('onSecure', session);
    },
    onMailFrom: (_: unknown, session: ServerSessionInformation) => note('onMailFrom', session),
  };
}

function withTls(able: Able, options: NegotiationOptions = {}): NegotiationOptions {
  return {
    ...options,
    network: {
      ...options.network,
      ...(able !== 'nobody' && { tls: { mode: 'startTls', first: atClient, second: atServer } }),
    },
    ...(able !== 'both' && { serverStream: (stream) => new WithoutStartTls(stream) }),
  };
}

describe('STARTTLS', () => {
  const cases = fc.record({
    offered: fc.constantFrom('none' as const, 'offered' as const, 'required' as const),
    wanted: fc.constantFrom('never' as const, 'opportunistic' as const, 'required' as const),
    able: fc.constantFrom<Able>('both', 'client', 'nobody'),
    network: networks,
  });

  /** What cannot be had is not offered, unless it is required: then nothing is served without it. */
  const isOffered = (offered: string, able: Able) =>
    offered === 'required' || (offered === 'offered' && able === 'both');

  /** What RFC 3207 §4 makes of it. */
  function expected(offered: string, wanted: string, able: Able) {
    if (wanted === 'never') return 'plain';
    if (offered !== 'none' && able === 'both') return 'secured';
    if (wanted === 'opportunistic') return 'plain';
    return isOffered(offered, able) ? 'refused' : 'notOffered';
  }

  it('protects the session where both ends want it and can, and else does what the client has asked for', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ offered, wanted, able, network }) => {
        const told: Told[] = [];
        const session = negotiate(
          withTls(able, {
            network: network(),
            handlers: noting(told),
            server: { startTls: offered },
            client: { startTls: wanted },
          }),
        );
        const outcome = expected(offered, wanted, able);
        if (outcome === 'notOffered' || outcome === 'refused') {
          const error = await session.until(session.opening.catch((thrown: unknown) => thrown));
          expect(error).toBeInstanceOf(SessionError);
          expect(error).toMatchObject({
            code: 'ETLS',
            command: 'STARTTLS',
            failure: { kind: outcome },
            responseCode: outcome === 'refused' ? 454 : undefined,
          });
          // The server is told QUIT, and no mail was spoken of.
          expect(session.wire.sent).toMatch(/^EHLO c\.example\r\n(STARTTLS\r\n)?QUIT\r\n$/);
        } else {
          const secured = outcome === 'secured';
          const client = await session.opened();
          const tls = secured ? atServer : undefined;
          expect(client.offer.tls).toBe(secured ? atClient : undefined);
          expect(session.connection.information.tls).toBe(tls);
          expect(client.offer.keywords.has('STARTTLS')).toBe(isOffered(offered, able) && !secured);
          const verdicts = await session.until(client.send(envelopeFor(), 'Subject: x\r\n'));
          const taken = offered !== 'required' || secured;
          expect(verdicts[0]?.verdict).toBe(taken ? 'delivered' : 'rejected');
          if (!taken) expect(verdicts[0]).toMatchObject({ phase: 'mail', reply: { code: 530 } });
          await session.until(client.quit());
          const hello = { handler: 'onHello', hello: undefined };
          expect(told).toEqual([
            { handler: 'onConnect', tls: undefined, hello: undefined },
            { ...hello, tls: undefined },
            // What the client had said before counts no more (RFC 3207 §4.2).
            ...(secured
              ? [
                  { handler: 'onSecure', tls, hello: undefined },
                  { ...hello, tls },
                ]
              : []),
            ...(taken ? [{ handler: 'onMailFrom', tls, hello: 'c.example' }] : []),
          ]);
        }
        await session.end();
        expect(session.errors).toEqual([]);
        expect(session.closings).toEqual([undefined]);
      }),
      { numRuns: 150 },
    );
  });

  it('ends both sessions when the handshake fails, also where TLS was not required', async () => {
    for (const startTls of ['opportunistic', 'required'] as const) {
      const told: Told[] = [];
      const session = negotiate({
        network: { tls: { mode: 'startTls', failHandshake: true } },
        handlers: noting(told),
        server: { startTls: 'offered' },
        client: { startTls },
      });
      const error = await session.opening.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ETLS', command: 'STARTTLS', failure: { kind: 'tls' } });
      expect(error).toHaveProperty('cause', expect.any(TlsError));
      await session.connection.closed;
      expect(session.closings).toEqual([expect.any(TlsError)]);
      expect(told.map(({ handler }) => handler)).toEqual(['onConnect', 'onHello']);
    }
  });

  it('ends by 421 when onSecure throws what is no rejection, which onError gets', async () => {
    const fault = new Error('That cipher will not do');
    const session = negotiate({
      network: { tls: { mode: 'startTls' } },
      handlers: {
        onSecure() {
          throw fault;
        },
      },
      server: { startTls: 'offered' },
      client: { startTls: 'required' },
    });
    const error = await session.opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ responseCode: 421 });
    expect(session.errors).toEqual([fault]);
  });
});

describe('TLS from the start (RFC 8314 §3)', () => {
  it('is known to both ends and to all handlers, and STARTTLS is not offered', async () => {
    for (const startTls of ['never', 'opportunistic', 'required'] as const) {
      const told: Told[] = [];
      const session = negotiate({
        network: { chunkSize: 3, tls: { mode: 'implicit', first: atClient, second: atServer } },
        handlers: noting(told),
        server: { startTls: 'required' },
        client: { startTls },
      });
      const client = await session.opened();
      expect(client.offer.tls).toBe(atClient);
      expect(client.offer.keywords.has('STARTTLS')).toBe(false);
      expect(await client.send(envelopeFor(), 'x')).toMatchObject([{ verdict: 'delivered' }]);
      expect(told).toEqual([
        { handler: 'onSecure', tls: atServer, hello: undefined },
        { handler: 'onConnect', tls: atServer, hello: undefined },
        { handler: 'onHello', tls: atServer, hello: undefined },
        { handler: 'onMailFrom', tls: atServer, hello: 'c.example' },
      ]);
    }
  });

  it('is what the stream says, not what a transport is told by an option of the same name', async () => {
    const certificate = { tls: { mode: 'startTls', key: 'a key', certificate: 'a certificate' } };
    const session = negotiate({
      server: { ...certificate, startTls: 'offered', authentication: {} },
      client: { ...certificate, startTls: 'never' },
    });
    const client = await session.opened();
    expect(client.offer.tls).toBeUndefined();
    expect(session.connection.information.tls).toBeUndefined();
    expect(client.offer.keywords.has('AUTH')).toBe(false);
  });
});
