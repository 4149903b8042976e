import type { AuthenticatedIdentity, AuthenticationAttempt } from '@sansmtp/core';
import { Secret } from '@sansmtp/core';
import { type ServerHandlers, webCryptography } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticatingBy,
  boundTls,
  checking,
  credentialsOf,
  isProven,
  MECHANISMS,
  storedFor,
  users,
} from './authenticating.js';
import { envelopeFor } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks, tlsInformation } from './negotiating.js';
import { CountedStream, octetsOf, textOf } from './peer.js';

expectEverySessionToEnd();

const bounds = fc.record({ asKeys: fc.boolean(), network: networks });

describe.each(MECHANISMS)('AUTH %s', (mechanism) => {
  it('lets in who knows the password, over any network, and tells the handlers who it is', async () => {
    await fc.assert(
      fc.asyncProperty(users, bounds, async (user, { asKeys, network }) => {
        const attempts: AuthenticationAttempt[] = [];
        const identities: (AuthenticatedIdentity | undefined)[] = [];
        const session = negotiate(
          authenticatingBy(mechanism, credentialsOf(mechanism, user), {
            network: { ...network(), tls: { mode: 'implicit', ...boundTls(`CN=${user.username}`) } },
            handlers: {
              ...checking(user, await storedFor(mechanism, user.password, asKeys), attempts),
              onMailFrom: (_, { identity }) => void identities.push(identity),
            },
          }),
        );
        const client = await session.opened();
        const identity = { mechanism, authenticatedAs: user.username, username: user.username };
        expect(client.offer.authenticatedBy).toBe(mechanism);
        expect(session.connection.information.identity).toEqual(identity);
        expect(attempts).toEqual([
          expect.objectContaining(
            mechanism === 'EXTERNAL' ? { mechanism } : { mechanism, username: user.username },
          ),
        ]);
        await session.until(client.send(envelopeFor(), 'x'));
        expect(identities).toEqual([identity]);
        await session.until(client.quit());
        await session.end();
        expect(session.errors).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it('turns away whoever has another password, and has the session end (EAUTH)', async () => {
    await fc.assert(
      fc.asyncProperty(
        users,
        bounds,
        fc.boolean(),
        async ({ wrong, ...user }, { asKeys, network }, unknown) => {
          const attempts: AuthenticationAttempt[] = [];
          const other = unknown ? { ...user, username: `${user.username}x` } : { ...user, password: wrong };
          const session = negotiate(
            authenticatingBy(mechanism, credentialsOf(mechanism, other), {
              network: { ...network(), tls: { mode: 'implicit', ...boundTls('CN=somebody') } },
              handlers: checking(user, await storedFor(mechanism, user.password, asKeys), attempts),
            }),
          );
          const error = await session.until(session.opening.catch((thrown: unknown) => thrown));
          expect(error).toMatchObject({
            code: 'EAUTH',
            command: `AUTH ${mechanism}`,
            responseCode: 535,
            response: '535 5.7.8 Authentication credentials invalid',
          });
          expect(session.connection.information.identity).toBeUndefined();
          // A password that was to be proven, and was not, is nothing to decide on.
          expect(attempts).toHaveLength(isProven(mechanism) ? 0 : 1);
          await session.end();
          expect(session.errors).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe.each(['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'] as const)('%s', (mechanism) => {
  const user = { username: 'user', password: 'pencil' };
  const octets = fc.uint8Array({ minLength: 1, maxLength: 40 });

  async function bind(
    first: Parameters<typeof tlsInformation>[0],
    second: Parameters<typeof tlsInformation>[0],
  ) {
    const session = negotiate(
      authenticatingBy(mechanism, credentialsOf(mechanism, user), {
        network: { tls: { mode: 'implicit', first: tlsInformation(first), second: tlsInformation(second) } },
        handlers: checking(user, await storedFor(mechanism, user.password, true), []),
      }),
    );
    return session.opening.then(
      ({ offer }) => offer.authenticatedBy,
      (error: unknown) => error,
    );
  }

  it.each(['tls-exporter', 'tls-server-end-point'] as const)(
    'is bound to the channel by %s, and fails over two channels with somebody in between',
    async (type) => {
      await fc.assert(
        fc.asyncProperty(octets, octets, async (one, other) => {
          const same = await bind({ channelBindings: { [type]: one } }, { channelBindings: { [type]: one } });
          expect(same).toBe(mechanism);
          fc.pre(Buffer.compare(one, other) !== 0);
          expect(
            await bind({ channelBindings: { [type]: one } }, { channelBindings: { [type]: other } }),
          ).toMatchObject({ code: 'EAUTH', responseCode: 535 });
        }),
        { numRuns: 15 },
      );
    },
  );

  it('fails where the ends know different bindings of one channel', async () => {
    const exporter = { channelBindings: { 'tls-exporter': new Uint8Array(32) } };
    const endPoint = { channelBindings: { 'tls-server-end-point': new Uint8Array(32) } };
    expect(await bind(exporter, endPoint)).toMatchObject({ code: 'EAUTH', responseCode: 535 });
    expect(await bind({}, exporter)).toMatchObject({ code: 'EAUTH', failure: { kind: 'notOffered' } });
    expect(await bind(exporter, {})).toMatchObject({ code: 'EAUTH', failure: { kind: 'notOffered' } });
  });
});

/** Somebody in between who wants no channel to be bound to. */
class WithoutPlus extends CountedStream {
  override write(bytes: Uint8Array) {
    return super.write(octetsOf(textOf(bytes).replace(/ SCRAM-SHA-256-PLUS/, '')));
  }
}

describe('AUTH', () => {
  const user = { username: 'user', password: 'pencil' };

  it.each(['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] as const)(
    '%s acts on behalf of whom the client names, where the application grants it, and not by true (RFC 4422 §3.4.1)',
    async (mechanism) => {
      const attempts: AuthenticationAttempt[] = [];
      const credentials = {
        kind: 'password',
        username: user.username,
        password: new Secret(user.password),
        authorizationIdentity: 'the,boss=ü',
      } as const;
      const handlers = checking(user, await storedFor(mechanism, user.password, true), attempts);
      const as = (onAuth: ServerHandlers['onAuth']) =>
        negotiate(
          authenticatingBy(mechanism, credentials, {
            network: { tls: { mode: 'implicit', ...boundTls('CN=x') } },
            handlers: { ...handlers, ...(onAuth && { onAuth }) },
          }),
        );
      const session = as(() => ({ authorizationIdentity: 'the,boss=ü' }));
      await session.opened();
      expect(session.connection.information.identity).toEqual({
        mechanism,
        authenticatedAs: 'user',
        username: 'the,boss=ü',
      });
      for (const onAuth of [handlers.onAuth, () => true, () => ({ authorizationIdentity: 'somebody' })]) {
        const refused = as(onAuth);
        const error = await refused.until(refused.opening.catch((thrown: unknown) => thrown));
        expect(error).toMatchObject({ code: 'EAUTH', responseCode: 535 });
        expect(refused.connection.information.identity).toBeUndefined();
      }
      expect(attempts).toMatchObject([{ username: 'user', authorizationIdentity: 'the,boss=ü' }]);
    },
  );

  it('comes behind STARTTLS, by the strongest mechanism that both ends have, with Web Crypto too', async () => {
    for (const bindings of [{}, { channelBindings: { 'tls-exporter': new Uint8Array(32) } }]) {
      const tls = tlsInformation(bindings);
      const session = negotiate({
        network: { chunkSize: 5, tls: { mode: 'startTls', first: tls, second: tls } },
        handlers: checking(user, await storedFor('PLAIN', user.password, false), []),
        server: {
          startTls: 'required',
          authentication: { required: true, iterations: 4096 },
          cryptography: webCryptography(),
        },
        client: {
          startTls: 'required',
          authentication: { credentials: credentialsOf('PLAIN', user) },
          cryptography: webCryptography(),
        },
      });
      const client = await session.opened();
      const plus = 'channelBindings' in bindings ? '-PLUS' : '';
      expect(client.offer.authenticatedBy).toBe(`SCRAM-SHA-256${plus}`);
      expect(session.wire.sent.match(/^[A-Z]+/gm)).toEqual(
        expect.arrayContaining(['EHLO', 'STARTTLS', 'EHLO', 'AUTH']),
      );
      // Before TLS it is not offered (RFC 4954 §4, §6).
      expect(session.wire.received.slice(0, session.wire.received.indexOf('220 2.0.0'))).not.toContain(
        'AUTH',
      );
    }
  });

  it('fails where somebody has struck channel binding from the offer (RFC 5802 §6)', async () => {
    const tls = tlsInformation({ channelBindings: { 'tls-exporter': new Uint8Array(32) } });
    for (const inBetween of [false, true]) {
      const session = negotiate({
        network: { tls: { mode: 'implicit', first: tls, second: tls } },
        ...(inBetween && { serverStream: (stream) => new WithoutPlus(stream) }),
        handlers: checking(user, await storedFor('SCRAM-SHA-256', user.password, true), []),
        server: { authentication: { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'], iterations: 4096 } },
        client: { authentication: { credentials: credentialsOf('PLAIN', user) } },
      });
      const outcome = await session.opening.then(
        ({ offer }) => offer.authenticatedBy,
        (error: unknown) => error,
      );
      if (inBetween) expect(outcome).toMatchObject({ code: 'EAUTH', responseCode: 535 });
      else expect(outcome).toBe('SCRAM-SHA-256-PLUS');
    }
  });

  it('does not show a password to a server without TLS, unless that is allowed', async () => {
    const authentication = { credentials: credentialsOf('PLAIN', user), mechanisms: ['PLAIN'] as const };
    const options = {
      handlers: checking(user, await storedFor('PLAIN', user.password, false), []),
      server: { authentication: { allowInsecure: true } },
    };
    const withheld = negotiate({ ...options, client: { authentication } });
    await expect(withheld.opening).rejects.toMatchObject({ code: 'EAUTH', failure: { kind: 'withheld' } });
    expect(withheld.wire.sent).not.toContain('AUTH');
    const allowed = negotiate({
      ...options,
      client: { authentication: { ...authentication, allowInsecure: true } },
    });
    expect((await allowed.opened()).offer.authenticatedBy).toBe('PLAIN');
  });

  it('is asked for where it is required: MAIL, VRFY, EXPN and ETRN get 530 (RFC 4954 §6)', async () => {
    const asked: string[] = [];
    const note = (what: string) => () => void asked.push(what);
    const session = negotiate({
      network: { tls: { mode: 'implicit' } },
      handlers: { onMailFrom: note('MAIL'), onVerify: note('VRFY'), onExpand: note('EXPN') },
      server: { authentication: { required: true } },
    });
    const client = await session.opened();
    const refusal = { code: 530, enhancedCode: '5.7.0' };
    expect(await client.inquire({ verb: 'VRFY', argument: 'a' })).toMatchObject(refusal);
    expect(await client.inquire({ verb: 'EXPN', argument: 'a' })).toMatchObject(refusal);
    expect(await client.inquire({ verb: 'NOOP', argument: '' })).toMatchObject({ code: 250 });
    expect(await client.send(envelopeFor(), 'x')).toMatchObject([
      { verdict: 'rejected', phase: 'mail', reply: refusal },
    ]);
    expect(asked).toEqual([]);
  });
});
