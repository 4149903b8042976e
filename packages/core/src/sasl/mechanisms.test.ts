import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byPreference,
  CLIENT_MECHANISMS,
  clientMechanisms,
  strongestMechanism,
} from './client-mechanisms.js';
import type { ClientCredentials, ClientMechanism, MechanismName } from './exchange/exchange.js';
import { resolveMechanisms } from './given-mechanisms.js';
import { loginClient } from './mechanisms/login.js';
import { plainClient } from './mechanisms/plain.js';
import {
  CERTIFIED,
  ClientHalf,
  END_POINT,
  EXPORTER,
  octets,
  passwordOf,
  run,
  ServerHalf,
  stored,
  tlsWith,
  tokenOf,
} from './running.test-support.js';
import { serverMechanisms, usableMechanisms } from './server-mechanisms.js';

const ALL: readonly MechanismName[] = [...serverMechanisms.keys()];

const EVERYTHING = { ...CERTIFIED, channelBindings: EXPORTER.channelBindings };

const CREDENTIALS: readonly ClientCredentials[] = [
  passwordOf('user', 'pencil'),
  { ...passwordOf('user', 'pencil'), authorizationIdentity: 'other' },
  tokenOf('user', 'token'),
  { kind: 'external' },
];

const MESSAGE = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom('n,,', 'y,,', 'p=tls-exporter,,', 'n=user', 'r=AAAA', 'c=biws', 'p=AAAA', 'v=AAAA'),
        fc.constantFrom(
          'a=x',
          'm=1',
          ',',
          '=',
          '\0',
          '\u0001',
          ' ',
          's=AAAA',
          'i=4096',
          'user=',
          'auth=Bearer t',
        ),
        fc.constantFrom('user', 'pencil', '0'.repeat(32), 'host=h', 'port=25', '\u00ad', '\ufffd'),
      ),
      { maxLength: 12 },
    )
    .map((parts) => octets(parts.join(''))),
);

describe('the mechanisms', () => {
  it('are the same at both ends, each by its name', () => {
    expect([...clientMechanisms.keys()]).toEqual(ALL);
    for (const name of ALL) {
      expect(serverMechanisms.get(name)?.name).toBe(name);
      expect(clientMechanisms.get(name)?.name).toBe(name);
    }
    expect(ALL).toHaveLength(10);
  });

  it('are all but CRAM-MD5 by default at the client', () => {
    expect(CLIENT_MECHANISMS).toHaveLength(9);
    expect(CLIENT_MECHANISMS).not.toContain('CRAM-MD5');
  });

  it.each(ALL)('%s begins at the server with a challenge if the client speaks first', (name) => {
    const server = serverMechanisms.get(name);
    if (server?.clientFirst) {
      const { challenge, computations, attempts } = new ServerHalf(server);
      expect([challenge === undefined, computations, attempts]).toEqual([false, [], []]);
    } else expect(name).toBe('CRAM-MD5');
  });

  it.each(ALL)('%s lets nobody in, nor throws, for whatever a client says', (name) => {
    const server = serverMechanisms.get(name);
    if (server === undefined) throw new Error(`No ${name}`);
    const decides = !/^(SCRAM|CRAM)/.test(name);
    fc.assert(
      fc.property(fc.array(MESSAGE, { minLength: 5, maxLength: 5 }), (messages) => {
        const half = new ServerHalf(server, {
          channel: { tls: EVERYTHING },
          accounts: new Map([['user', stored('pencil')]]),
          // Where the mechanism checks a proof, the application would let in whoever comes so far.
          verify: () => !decides,
        });
        for (const message of messages) if (half.outcome === undefined) half.respond(message);
        expect(half.outcome?.type).toBe('failure');
      }),
      { numRuns: 150 },
    );
  });

  it.each(ALL)('%s comes to an end, and does not throw, for whatever a server says', (name) => {
    const client = clientMechanisms.get(name);
    if (client === undefined) throw new Error(`No ${name}`);
    fc.assert(
      fc.property(
        fc.constantFrom(...CREDENTIALS),
        fc.array(MESSAGE, { minLength: 5, maxLength: 5 }),
        (own, said) => {
          const half = new ClientHalf(client, own, { channel: { tls: EVERYTHING } });
          for (const challenge of said) {
            if (name.startsWith('SCRAM')) expect(half.mayEnd).toBe(false);
            if (half.ended === undefined) half.challenge(challenge);
          }
          expect(half.ended).toBeTruthy();
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('usableMechanisms', () => {
  it.each([
    ['without TLS', undefined, false, false],
    ['over TLS that gives nothing', tlsWith({}), false, false],
    ['over TLS with an exporter', EXPORTER, true, false],
    ["over TLS with the server's certificate alone", END_POINT, true, false],
    ["over TLS with the client's certificate", CERTIFIED, false, true],
    ['over TLS with all of it', EVERYTHING, true, true],
  ] as const)('%s', (_, tls, plus, external) => {
    const usable = usableMechanisms(ALL, tls);
    expect(usable).toEqual(
      ALL.filter((name) => (name === 'EXTERNAL' ? external : plus || !name.endsWith('-PLUS'))),
    );
  });

  it('keeps to the names it is given, in their order', () => {
    expect(usableMechanisms(['LOGIN', 'EXTERNAL', 'PLAIN'], undefined)).toEqual(['LOGIN', 'PLAIN']);
  });
});

describe('strongestMechanism', () => {
  const named = (names: readonly MechanismName[]) =>
    byPreference(
      resolveMechanisms<ClientMechanism>(names, clientMechanisms, { fits: 'function', begin: 'function' }),
    );

  /** What is chosen, and what once that is not offered any more, and so on. */
  function ranking(credentials: ClientCredentials, tls = EVERYTHING): string[] {
    const offered = new Set<string>(ALL);
    const chosen: string[] = [];
    for (;;) {
      const mechanism = strongestMechanism(credentials, offered, named(ALL), tls);
      if (mechanism === undefined) return chosen;
      chosen.push(mechanism.name);
      offered.delete(mechanism.name);
    }
  }

  it('goes by how much each gives away', () => {
    expect(ranking(passwordOf('u', 'p'))).toEqual([
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-1-PLUS',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'CRAM-MD5',
      'PLAIN',
      'LOGIN',
    ]);
    expect(ranking(tokenOf('u', 't'))).toEqual(['OAUTHBEARER', 'XOAUTH2']);
    expect(ranking({ kind: 'external' })).toEqual(['EXTERNAL']);
  });

  it('takes -PLUS only where there is something to bind to', () => {
    expect(ranking(passwordOf('u', 'p'), tlsWith({}))[0]).toBe('SCRAM-SHA-256');
  });

  it('takes none that cannot say on whose behalf, where that is to be said', () => {
    const onBehalf = { ...passwordOf('u', 'p'), authorizationIdentity: 'a' };
    expect(ranking(onBehalf, tlsWith({}))).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']);
  });

  it('takes only what is both offered and allowed', () => {
    const credentials = passwordOf('u', 'p');
    const offered = new Set(['PLAIN', 'SCRAM-SHA-1', 'NTLM']);
    expect(strongestMechanism(credentials, offered, named(ALL), undefined)?.name).toBe('SCRAM-SHA-1');
    expect(strongestMechanism(credentials, offered, named(['LOGIN', 'PLAIN']), undefined)?.name).toBe(
      'PLAIN',
    );
    expect(strongestMechanism(credentials, offered, named(['LOGIN']), undefined)).toBeUndefined();
  });

  it("takes the application's own before ours, in the order of the list, where it fits", () => {
    const own = (name: string, fits: boolean): ClientMechanism => ({
      ...loginClient,
      name,
      fits: () => fits,
    });
    const [first, second, unfit] = [own('X-A', true), own('X-B', true), own('X-C', false)];
    const allowed = byPreference([plainClient, unfit, first, second]);
    expect(allowed.map(({ name }) => name)).toEqual(['X-C', 'X-A', 'X-B', 'PLAIN']);
    const choose = (...offered: string[]) =>
      strongestMechanism(passwordOf('u', 'p'), new Set(offered), allowed, undefined)?.name;
    expect(choose('PLAIN', 'X-B', 'X-A', 'X-C')).toBe('X-A');
    expect(choose('PLAIN', 'X-B', 'X-C')).toBe('X-B');
    expect(choose('PLAIN', 'X-C')).toBe('PLAIN');
  });

  it('agrees with the server on anything that is usable at both ends', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CREDENTIALS),
        fc.subarray([...ALL]),
        fc.constantFrom(undefined, tlsWith({}), EXPORTER, END_POINT, CERTIFIED, EVERYTHING),
        (credentials, names, tls) => {
          const offered = usableMechanisms(names, tls);
          const client = strongestMechanism(credentials, new Set(offered), named(ALL), tls);
          if (client === undefined) return;
          const server = serverMechanisms.get(client.name as MechanismName);
          if (server === undefined) throw new Error(`No ${client.name}`);
          const { agreed } = run(
            new ClientHalf(client, credentials, { channel: { tls, offered: new Set(offered) } }),
            new ServerHalf(server, {
              channel: { tls, offered },
              accounts: new Map([['user', stored('pencil')]]),
            }),
          );
          expect(agreed).toBe(true);
        },
      ),
    );
  });
});
