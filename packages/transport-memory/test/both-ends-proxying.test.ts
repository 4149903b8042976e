import type { ClientAttributes } from '@sansmtp/core';
import type { ServerSessionInformation } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeFor } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks } from './negotiating.js';
import { CountedStream } from './peer.js';
import { expectEverySessionToEnd as expectServedToEnd, serve } from './serving.js';

expectEverySessionToEnd();
expectServedToEnd();

const PROXY = { address: '198.51.100.7', port: 40_000 };

class FromProxy extends CountedStream {
  override get peer() {
    return PROXY;
  }
}

const unavailable = fc.constantFrom(
  { unavailable: 'permanently' } as const,
  { unavailable: 'temporarily' } as const,
);
const addresses = fc.constantFrom('192.0.2.1', '2001:db8::1', '::1');
const ports = fc.integer({ min: 0, max: 65_535 });
const words = fc.stringMatching(/^[a-zA-Z0-9.+=[\]-]{1,20}$/).filter((word) => !/^\[/.test(word));

const said = {
  name: fc.oneof(words, unavailable),
  address: fc.oneof(addresses, unavailable),
  port: fc.oneof(ports, unavailable),
  helo: fc.oneof(words, unavailable),
};

const xclients: fc.Arbitrary<ClientAttributes> = fc.record(
  {
    ...said,
    protocol: fc.constantFrom('SMTP', 'ESMTP'),
    login: fc.constantFrom('user', 'jürgen@example', 'a+b = c'),
    destinationAddress: addresses,
    destinationPort: ports,
  },
  { requiredKeys: [] },
);

const xforwards: fc.Arbitrary<ClientAttributes> = fc.record(
  {
    ...said,
    protocol: words,
    identifier: words,
    source: fc.constantFrom('LOCAL' as const, 'REMOTE' as const),
  },
  { requiredKeys: [] },
);

/** What the handlers were told of, in order. */
function noting(told: Record<string, unknown>[]) {
  const note = (handler: string, { peer, client, forwarded, identity, hello }: ServerSessionInformation) =>
    void told.push({ handler, peer, client, forwarded, identity, hello: hello?.name });
  return {
    onConnect: (session: ServerSessionInformation) => note('onConnect', session),
    onHello: (_: unknown, session: ServerSessionInformation) => note('onHello', session),
    onMailFrom: (_: unknown, session: ServerSessionInformation) => note('onMailFrom', session),
  };
}

const proxied = (told: Record<string, unknown>[]) => ({
  handlers: noting(told),
  serverStream: (stream: ConstructorParameters<typeof FromProxy>[0]) => new FromProxy(stream),
});

describe('XCLIENT', () => {
  it('puts the client in the place of the peer, as of a new connection, over any network', async () => {
    await fc.assert(
      fc.asyncProperty(xclients, networks, async (xclient, network) => {
        const told: Record<string, unknown>[] = [];
        const session = negotiate({
          ...proxied(told),
          network: network(),
          server: { trusted: true },
          client: { xclient },
        });
        const client = await session.opened();
        const begun = {
          peer: PROXY,
          client: undefined,
          forwarded: undefined,
          identity: undefined,
          hello: undefined,
        };
        const first = [
          { handler: 'onConnect', ...begun },
          { handler: 'onHello', ...begun },
        ];
        if (Object.keys(xclient).length === 0) {
          expect(told).toEqual(first);
        } else {
          const { address, port, login } = xclient;
          const named = typeof address === 'string';
          const shown = named ? { address, ...(typeof port === 'number' && { port }) } : {};
          const now = {
            ...begun,
            peer: address === undefined ? PROXY : shown,
            client: xclient,
            identity:
              login === undefined
                ? undefined
                : { mechanism: 'EXTERNAL', authenticatedAs: login, username: login },
          };
          expect(told).toEqual([...first, { handler: 'onConnect', ...now }, { handler: 'onHello', ...now }]);
          // Trust is in an address: with another it is gone.
          expect(client.offer.keywords.has('XCLIENT')).toBe(address === undefined);
        }
        await session.until(client.quit());
        await session.end();
        expect(session.errors).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('has onConnect asked again, which may refuse', async () => {
    const session = negotiate({
      handlers: {
        onConnect: ({ peer }) =>
          peer.address === '192.0.2.66' ? { code: 554, enhancedCode: '5.7.1', lines: ['Listed'] } : undefined,
      },
      server: { trusted: true },
      client: { xclient: { address: '192.0.2.66' } },
    });
    await expect(session.opening).rejects.toMatchObject({
      code: 'EPROTOCOL',
      command: 'XCLIENT',
      responseCode: 554,
    });
  });

  it('is not said to a server that does not offer it, and the session fails', async () => {
    const session = negotiate({ client: { xclient: { address: '192.0.2.1' } } });
    await expect(session.opening).rejects.toMatchObject({
      code: 'EPROTOCOL',
      command: 'XCLIENT',
      failure: { kind: 'notOffered', keyword: 'XCLIENT' },
    });
    expect(session.wire.sent).toBe('EHLO c.example\r\nQUIT\r\n');
  });
});

describe('XFORWARD', () => {
  it('tells the handlers from where the mail came, for one mail transaction', async () => {
    await fc.assert(
      fc.asyncProperty(xforwards, networks, async (xforward, network) => {
        const told: Record<string, unknown>[] = [];
        const session = negotiate({
          ...proxied(told),
          network: network(),
          server: { trusted: true },
          client: { xforward },
        });
        const client = await session.opened();
        await session.until(client.send(envelopeFor(), 'x'));
        await session.until(client.send(envelopeFor(), 'x'));
        const forwarded = Object.keys(xforward).length === 0 ? undefined : xforward;
        expect(told.filter(({ handler }) => handler === 'onMailFrom')).toMatchObject([
          { peer: PROXY, client: undefined, forwarded },
          { peer: PROXY, client: undefined, forwarded: undefined },
        ]);
        await session.until(client.quit());
        await session.end();
      }),
      { numRuns: 100 },
    );
  });

  it('is left out where it is not offered, for it is for the log', async () => {
    const session = negotiate({ client: { xforward: { address: '192.0.2.1' } } });
    const client = await session.opened();
    expect(session.wire.sent).not.toContain('XFORWARD');
    expect(await client.send(envelopeFor(), 'x')).toMatchObject([{ verdict: 'delivered' }]);
  });
});

describe('a peer that is not trusted', () => {
  it.each(['XCLIENT ADDR=192.0.2.1', 'XCLIENT LOGIN=root', 'XFORWARD ADDR=192.0.2.1'])(
    'is refused %s, and stays who it is',
    async (command) => {
      const { peer, connection } = await serve({}, {});
      const offers = await peer.say('EHLO c.example');
      expect(offers.join('\n')).not.toMatch(/XCLIENT|XFORWARD/);
      expect(await peer.say(command)).toEqual(['550 5.7.0 Not for this client']);
      expect(connection.information).toMatchObject({
        peer: {},
        client: undefined,
        forwarded: undefined,
        identity: undefined,
      });
    },
  );
});
