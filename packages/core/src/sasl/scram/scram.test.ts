import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import { clientMechanisms } from '../client-mechanisms.js';
import type {
  ClientMechanism,
  MechanismName,
  ServerMechanism,
  StoredCredentials,
} from '../exchange/exchange.js';
import {
  base64,
  ClientHalf,
  type ClientSide,
  compute,
  END_POINT,
  EXPORTER,
  finish,
  octets,
  passwordOf,
  run,
  ServerHalf,
  type ServerSide,
  stored,
  text,
  tlsWith,
  tokenOf,
  withRandom,
} from '../running.test-support.js';
import { serverMechanisms } from '../server-mechanisms.js';
import { preferredBinding } from './scram.js';
import { type ScramHash, scramKeys } from './scram-keys.js';

const MALFORMED = { type: 'failure', reason: 'malformed' };
const REFUSED = { type: 'failure', reason: 'refused' };

const VARIANTS = ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] as const;
type Variant = (typeof VARIANTS)[number];

function found<Mechanism>(mechanisms: ReadonlyMap<MechanismName, Mechanism>, name: MechanismName): Mechanism {
  const mechanism = mechanisms.get(name);
  if (mechanism === undefined) throw new Error(`No ${name}`);
  return mechanism;
}
const clientOf = (name: Variant): ClientMechanism => found(clientMechanisms, name);
const serverOf = (name: Variant): ServerMechanism => found(serverMechanisms, name);
const hashOf = (name: Variant): ScramHash => (name.includes('SHA-256') ? 'SHA-256' : 'SHA-1');
const tlsOf = (name: Variant) => (name.endsWith('-PLUS') ? EXPORTER : undefined);

const keysOf = (hash: ScramHash, password: string, salt = 'salt'): StoredCredentials =>
  finish(scramKeys({ hash, password: new Secret(password), salt: octets(salt), iterations: 4096 }));

const VARIANT = fc.constantFrom(...VARIANTS);
/** Names and passwords that SASLprep leaves some of. */
const NAME = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }),
  fc.stringMatching(/^[a-z,=\u00e4\u00df\u4e2d\u0430\u{1f511}]{1,20}$/u),
);

/** A client and a server with this account, ready to be run against each other. */
function pair(
  name: Variant,
  account: StoredCredentials | undefined,
  { client = {}, server = {} }: { client?: ClientSide; server?: ServerSide } = {},
) {
  const tls = tlsOf(name);
  const accounts = new Map(account === undefined ? [] : [['user', account] as const]);
  return [
    new ClientHalf(clientOf(name), passwordOf('user', 'pencil'), {
      ...client,
      channel: { tls, ...client.channel },
    }),
    new ServerHalf(serverOf(name), { accounts, ...server, channel: { tls, ...server.channel } }),
  ] as const;
}

describe('SCRAM, client', () => {
  it.each([
    {
      rfc: 'RFC 5802 §5',
      name: 'SCRAM-SHA-1',
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
      serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      clientFinal: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      rfc: 'RFC 7677 §3',
      name: 'SCRAM-SHA-256',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      clientFinal:
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ] as const)('says and believes what the example of $rfc has', (example) => {
    const client = new ClientHalf(clientOf(example.name), passwordOf('user', 'pencil'), {
      compute: withRandom(base64(example.nonce)),
    });
    expect(client.said).toBe(`n,,n=user,r=${example.nonce}`);
    expect(client.challenge(example.serverFirst).said).toBe(example.clientFinal);
    expect(client.mayEnd).toBe(false);
    expect(client.challenge(example.serverFinal).said).toBe('');
    expect(client.mayEnd).toBe(true);
    expect(client.challenge('').ended).toMatch(/asked for more/);
  });

  /** A client that has said `n,,n=user,r=AAAA`. */
  const begun = (channel: ClientSide['channel'] = {}) =>
    new ClientHalf(clientOf('SCRAM-SHA-256'), passwordOf('user', 'pencil'), {
      channel,
      compute: withRandom(Uint8Array.of(0, 0, 0)),
    });

  it.each([
    ['nothing', '', /none of SCRAM/],
    ['other attributes', 'x=1,y=2,z=3', /none of SCRAM/],
    ['another order', 's=c2FsdA==,r=AAAAb,i=4096', /none of SCRAM/],
    ['no iterations', 'r=AAAAb,s=c2FsdA==', /none of SCRAM/],
    ['an empty salt', 'r=AAAAb,s=,i=4096', /none of SCRAM/],
    ['a salt that is no base64', 'r=AAAAb,s=c2FsdA,i=4096', /none of SCRAM/],
    ['iterations with a leading zero', 'r=AAAAb,s=c2FsdA==,i=04096', /none of SCRAM/],
    ['iterations in words', 'r=AAAAb,s=c2FsdA==,i=4e3', /none of SCRAM/],
    ['a space in the nonce', 'r=AAAA b,s=c2FsdA==,i=4096', /none of SCRAM/],
    ['a message of more than 4096 octets', `r=AAAA${'b'.repeat(4096)},s=c2FsdA==,i=4096`, /none of SCRAM/],
    ['a nonce that is not its own', 'r=BAAAb,s=c2FsdA==,i=4096', /nonce/],
    ['a nonce with nothing added', 'r=AAAA,s=c2FsdA==,i=4096', /nonce/],
    ['a nonce cut short', 'r=AAA,s=c2FsdA==,i=4096', /nonce/],
    ['4095 iterations', 'r=AAAAb,s=c2FsdA==,i=4095', /4095.*4096.*6000/],
    ['more iterations than it allows', 'r=AAAAb,s=c2FsdA==,i=6001', /6001.*4096.*6000/],
    ['an extension that it must understand', 'm=1,r=AAAAb,s=c2FsdA==,i=4096', /extension/],
  ])('gives up on a first challenge with %s (RFC 5802 §5.1)', (_, challenge, reason) => {
    expect(begun({ maximumIterations: 6000 }).challenge(challenge).ended).toMatch(reason);
  });

  it('takes iterations from 4096 to the maximum, and an extension that it may pass over', () => {
    for (const rest of ['i=4096', 'i=6000', 'i=4096,x=1']) {
      const client = begun({ maximumIterations: 6000 }).challenge(`r=AAAAb,s=c2FsdA==,${rest}`);
      expect(client.said).toMatch(/^c=biws,r=AAAAb,p=/);
    }
  });

  it.each([
    ['the signature of somebody else', `v=${Buffer.alloc(32).toString('base64')}`, /prove/],
    ['a signature that is too short', 'v=AAAA', /prove/],
    ['no signature', '', /none of SCRAM/],
    ['an empty signature', 'v=', /none of SCRAM/],
    ['a signature that is no base64', 'v=AAA', /none of SCRAM/],
    ['an error', 'e=invalid-proof', /invalid-proof/],
    ['an error with other characters', 'e=\u001b[31mred', /: other-error$/],
  ])('does not believe %s at the end', (_, challenge, reason) => {
    const client = begun().challenge('r=AAAAb,s=c2FsdA==,i=4096').challenge(challenge);
    expect(client.ended).toMatch(reason);
    expect(client.mayEnd).toBe(false);
  });

  it('draws a nonce of 18 octets', () => {
    const client = new ClientHalf(clientOf('SCRAM-SHA-256'), passwordOf('user', 'pencil'));
    const nonce = client.said?.split('r=')[1] ?? '';
    expect(base64(nonce)).toHaveLength(18);
  });

  const offering = (...names: string[]) => new Set(names);
  it.each([
    ['n without TLS', 'SCRAM-SHA-256', undefined, offering(), 'n,,'],
    ['n over TLS that cannot be bound to', 'SCRAM-SHA-256', tlsWith({}), offering(), 'n,,'],
    ['y where the server offers no -PLUS', 'SCRAM-SHA-256', EXPORTER, offering('SCRAM-SHA-256'), 'y,,'],
    ['n where it does', 'SCRAM-SHA-256', EXPORTER, offering('SCRAM-SHA-1-PLUS'), 'n,,'],
    ['p with -PLUS', 'SCRAM-SHA-256-PLUS', EXPORTER, offering('SCRAM-SHA-256-PLUS'), 'p=tls-exporter,,'],
    ['p with what there is', 'SCRAM-SHA-1-PLUS', END_POINT, offering(), 'p=tls-server-end-point,,'],
  ] as const)('says %s (RFC 5802 §6)', (_, name, tls, offered, header) => {
    const client = new ClientHalf(clientOf(name), passwordOf('u', 'p'), { channel: { tls, offered } });
    expect(client.said?.startsWith(`${header}n=u,r=`)).toBe(true);
  });

  it('escapes names, and prepares its own', () => {
    const credentials = { ...passwordOf('\u2168,=', 'p'), authorizationIdentity: 'a=b' };
    const client = new ClientHalf(clientOf('SCRAM-SHA-1'), credentials);
    expect(client.said).toMatch(/^n,a=a=3Db,n=IX=2C=3D,r=/);
  });

  it.each([
    ['a token', 'SCRAM-SHA-1', tokenOf('u', 't')],
    ['an empty user name', 'SCRAM-SHA-1', passwordOf('', 'p')],
    ['a prohibited user name', 'SCRAM-SHA-1', passwordOf('u\u0007', 'p')],
    ['an empty password', 'SCRAM-SHA-1', passwordOf('u', '')],
    ['a prohibited password', 'SCRAM-SHA-1', passwordOf('u', 'p\u0007')],
    ['-PLUS and nothing to bind to', 'SCRAM-SHA-1-PLUS', passwordOf('u', 'p')],
  ] as const)('does not begin with %s', (_, name, credentials) => {
    const client = new ClientHalf(clientOf(name), credentials);
    expect(client.ended).toBeTruthy();
    expect(client.response).toBeUndefined();
  });
});

describe('SCRAM, both ends', () => {
  it('lets in with the password, whatever is stored of it, and on whose behalf', () => {
    fc.assert(
      fc.property(
        VARIANT,
        NAME,
        NAME,
        fc.option(NAME, { nil: '' }),
        fc.boolean(),
        (name, username, password, authorizationIdentity, keys) => {
          const account = keys ? keysOf(hashOf(name), password) : stored(password);
          const tls = tlsOf(name);
          const client = new ClientHalf(
            clientOf(name),
            { ...passwordOf(username, password), authorizationIdentity },
            { channel: { tls } },
          );
          const accounts = new Map([[username, account]]);
          const server = new ServerHalf(serverOf(name), { accounts, channel: { tls } });
          const { agreed, outcome, attempts } = run(client, server);
          const actsAs = authorizationIdentity || username;
          expect(agreed).toBe(true);
          expect(outcome).toEqual({
            type: 'success',
            identity: { mechanism: name, authenticatedAs: username, username: actsAs },
          });
          const behalf = actsAs === username ? {} : { authorizationIdentity };
          expect(attempts).toEqual([{ mechanism: name, username, ...behalf }]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds a name and a password that SASLprep makes the same', () => {
    const accounts = new Map([['IX', stored('I\u00adX')]]);
    const client = new ClientHalf(clientOf('SCRAM-SHA-256'), passwordOf('I\u00adX', '\u2168'));
    expect(run(client, new ServerHalf(serverOf('SCRAM-SHA-256'), { accounts })).agreed).toBe(true);
  });

  it.each(VARIANTS)('%s does not let in with another password', (name) => {
    for (const account of [stored('crayon'), keysOf(hashOf(name), 'crayon')]) {
      const { outcome, agreed, attempts } = run(...pair(name, account));
      expect([outcome, agreed, attempts]).toEqual([REFUSED, false, []]);
    }
  });

  it.each(VARIANTS)(
    '%s does not let in with keys of the other hash, of too few iterations, or none',
    (name) => {
      const other = keysOf(hashOf(name) === 'SHA-1' ? 'SHA-256' : 'SHA-1', 'pencil');
      const weak = { ...keysOf(hashOf(name), 'pencil'), iterations: 4095 };
      for (const account of [other, weak, undefined, stored(''), stored('\u0007')]) {
        const { outcome, attempts, messages } = run(...pair(name, account));
        expect([outcome, attempts]).toEqual([REFUSED, []]);
        // It came to the proof, and nothing of what is stored was shown.
        expect(messages).toHaveLength(3);
        expect(text(messages[1] ?? octets(''))).not.toContain('s=c2FsdA==');
      }
    },
  );

  it('asks nobody other things, and computes nothing else, than somebody whose password is stored', () => {
    const shown = [stored('crayon'), undefined].map((account) => {
      const [client, server] = pair('SCRAM-SHA-256', account);
      const { messages } = run(client, server);
      const serverFirst = text(messages[1] ?? octets(''));
      return [server.computations, serverFirst.replace(/[A-Za-z0-9+/]+=*,/g, '*,')];
    });
    expect(shown[0]).toEqual(shown[1]);
    expect(shown[0]?.[0]).toContain('pbkdf2');
  });

  it.each(VARIANTS)(
    '%s is refused where the application says so, and the client told no signature',
    (name) => {
      const [client, server] = pair(name, stored('pencil'), { server: { verify: () => false } });
      const { outcome, attempts, messages } = run(client, server);
      expect(outcome).toEqual(REFUSED);
      expect(attempts).toHaveLength(1);
      expect(messages).toHaveLength(3);
    },
  );

  it.each([EXPORTER, END_POINT])('binds to the channel, and to no other', (tls) => {
    for (const name of ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'] as const) {
      const elsewhere = tlsWith(
        Object.fromEntries(Object.keys(tls.channelBindings).map((type) => [type, octets('elsewhere')])),
      );
      for (const serverTls of [tls, elsewhere]) {
        const sides = { client: { channel: { tls } }, server: { channel: { tls: serverTls } } };
        const { agreed, outcome } = run(...pair(name, stored('pencil'), sides));
        expect(agreed).toBe(serverTls === tls);
        if (serverTls !== tls) expect(outcome).toEqual(REFUSED);
      }
    }
  });

  it('lets the client choose among the bindings that the server has', () => {
    const both = tlsWith({ ...EXPORTER.channelBindings, ...END_POINT.channelBindings });
    expect(preferredBinding(both)?.type).toBe('tls-exporter');
    for (const tls of [EXPORTER, END_POINT]) {
      const sides = { client: { channel: { tls } }, server: { channel: { tls: both } } };
      expect(run(...pair('SCRAM-SHA-256-PLUS', stored('pencil'), sides)).agreed).toBe(true);
    }
  });

  it('detects that -PLUS was struck from the offer (RFC 5802 §6)', () => {
    const sides = {
      client: { channel: { tls: EXPORTER, offered: new Set(['SCRAM-SHA-256']) } },
      server: { channel: { tls: EXPORTER, offered: ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] } },
    } as const;
    const { outcome, messages } = run(...pair('SCRAM-SHA-256', stored('pencil'), sides));
    expect(outcome).toEqual(REFUSED);
    expect(messages).toHaveLength(1);
  });

  it('ends, and never agrees, when any message is changed on its way', () => {
    const accounts = new Map(VARIANTS.map((name) => [name, keysOf(hashOf(name), 'pencil')]));
    const change = fc.record({
      number: fc.nat({ max: 4 }),
      kind: fc.constantFrom('flip', 'insert', 'remove', 'cut', 'double'),
      place: fc.nat(),
      octet: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...octets(',=apnrcvsie\0\u0001'))),
    });
    const changed = (
      message: Uint8Array,
      { kind, place, octet }: typeof change extends fc.Arbitrary<infer C> ? C : never,
    ) => {
      const at = place % (message.length + 1);
      const before = message.subarray(0, at);
      if (kind === 'insert') return Uint8Array.of(...before, octet, ...message.subarray(at));
      if (kind === 'remove') return Uint8Array.of(...before, ...message.subarray(at + 1));
      if (kind === 'cut') return Uint8Array.from(before);
      if (kind === 'double') return Uint8Array.of(...message, ...message);
      return Uint8Array.of(...before, octet, ...message.subarray(at + 1));
    };
    fc.assert(
      fc.property(VARIANT, change, (name, how) => {
        let differs = false;
        const { agreed } = run(...pair(name, accounts.get(name)), (message, number) => {
          if (number !== how.number) return message;
          const passed = changed(message, how);
          differs = Buffer.compare(passed, message) !== 0;
          return passed;
        });
        expect(agreed).toBe(!differs);
      }),
      { numRuns: 500 },
    );
  });
});

describe('SCRAM, server', () => {
  const NONCE = 'AAAA';
  const compute256 = withRandom(Uint8Array.of(0, 0, 0));
  const accounts = new Map([['user', keysOf('SHA-256', 'pencil')]]);
  const served = (side: ServerSide = {}, name: Variant = 'SCRAM-SHA-256') =>
    new ServerHalf(serverOf(name), { accounts, compute: compute256, ...side });

  it('answers with the nonces of both, and the salt and the iterations that are stored', () => {
    const server = served().respond(`n,,n=user,r=${NONCE}`);
    expect(server.challenge && text(server.challenge)).toBe(`r=${NONCE}AAAA,s=c2FsdA==,i=4096`);
  });

  it('draws a nonce of 18 octets, and a salt of 16 for a password', () => {
    const server = served({ accounts: new Map([['user', stored('p')]]), compute });
    const challenge = text(server.respond('n,,n=user,r=c').challenge ?? octets(''));
    const [, nonce = '', salt = ''] = /^r=c(.*),s=(.*),i=4096$/.exec(challenge) ?? [];
    expect([base64(nonce).length, base64(salt).length]).toEqual([18, 16]);
  });

  it("takes the channel's iterations for a password", () => {
    const side = { accounts: new Map([['user', stored('p')]]), channel: { iterations: 5000 } };
    const server = served(side).respond('n,,n=user,r=c');
    expect(server.challenge && text(server.challenge)).toMatch(/,i=5000$/);
  });

  it.each([
    ['nothing', '', MALFORMED],
    ['no header', 'n=user,r=AAAA', MALFORMED],
    ['no name', 'n,,r=AAAA', MALFORMED],
    ['an empty name', 'n,,n=,r=AAAA', MALFORMED],
    ['a name that SASLprep makes empty', 'n,,n=\u00ad,r=AAAA', MALFORMED],
    ['a name that SASLprep prohibits', 'n,,n=\u0007,r=AAAA', MALFORMED],
    ['a name that is none', 'n,,n=us=er,r=AAAA', MALFORMED],
    ['a name of 1025 octets', `n,,n=${'u'.repeat(1025)},r=AAAA`, MALFORMED],
    ['no nonce', 'n,,n=user', MALFORMED],
    ['an empty nonce', 'n,,n=user,r=', MALFORMED],
    ['a nonce with a space', 'n,,n=user,r=A A', MALFORMED],
    ['another order', 'n,,r=AAAA,n=user', MALFORMED],
    ['NUL', 'n,a=\0,n=user,r=AAAA', MALFORMED],
    ['an extension that is none', 'n,,n=user,r=AAAA,x', MALFORMED],
    ['NUL in an extension', 'n,,n=user,r=AAAA,x=\0', MALFORMED],
    ['more than 4096 octets', `n,,n=user,r=${'A'.repeat(4097)}`, MALFORMED],
    ['what is not UTF-8', Uint8Array.of(0xff), MALFORMED],
    ['channel binding without -PLUS', 'p=tls-exporter,,n=user,r=AAAA', MALFORMED],
    ['an extension that it must understand', 'n,,m=x,n=user,r=AAAA', REFUSED],
  ])('refuses a first message with %s (RFC 5802 §5.1)', (_, response, outcome) => {
    expect(served().respond(response).outcome).toEqual(outcome);
  });

  it.each([
    ['no channel binding', 'n,,n=user,r=AAAA', MALFORMED],
    ['the claim that the server has none', 'y,,n=user,r=AAAA', MALFORMED],
    ['a binding that is not to be had', 'p=tls-server-end-point,,n=user,r=AAAA', REFUSED],
    ['a binding that is not known', 'p=tls-unique,,n=user,r=AAAA', REFUSED],
    ['a binding by the name of a property', 'p=constructor,,n=user,r=AAAA', REFUSED],
  ])('refuses a first message of -PLUS with %s (RFC 5802 §6)', (_, response, outcome) => {
    const server = served({ channel: { tls: EXPORTER } }, 'SCRAM-SHA-256-PLUS');
    expect(server.respond(response).outcome).toEqual(outcome);
  });

  it("takes 'y' where no -PLUS was offered, and passes over an extension", () => {
    expect(served().respond('y,,n=user,r=AAAA,x=1').challenge).toBeDefined();
  });

  const PROOF = Buffer.alloc(32).toString('base64');
  it.each([
    ['nothing', '', MALFORMED],
    ['no proof', 'c=biws,r=AAAAAAAA', MALFORMED],
    ['no binding', `r=AAAAAAAA,p=${PROOF}`, MALFORMED],
    ['no nonce', `c=biws,p=${PROOF}`, MALFORMED],
    ['another order', `r=AAAAAAAA,c=biws,p=${PROOF}`, MALFORMED],
    ['something behind the proof', `c=biws,r=AAAAAAAA,p=${PROOF},x=1`, MALFORMED],
    ['a binding that is no base64', `c=biw,r=AAAAAAAA,p=${PROOF}`, MALFORMED],
    ['a proof that is no base64', 'c=biws,r=AAAAAAAA,p=?', MALFORMED],
    ['a proof of another length', 'c=biws,r=AAAAAAAA,p=AAAA', MALFORMED],
    ['what is not UTF-8', Uint8Array.of(0xff), MALFORMED],
    ['an extension that it must understand', `c=biws,r=AAAAAAAA,m=1,p=${PROOF}`, REFUSED],
    ["the client's nonce alone", `c=biws,r=AAAA,p=${PROOF}`, REFUSED],
    ['another nonce', `c=biws,r=AAAAAAAB,p=${PROOF}`, REFUSED],
    ['another header', `c=eSws,r=AAAAAAAA,p=${PROOF}`, REFUSED],
    ['a binding behind the header', `c=biwsAAAA,r=AAAAAAAA,p=${PROOF}`, REFUSED],
    ['a proof that does not fit', `c=biws,r=AAAAAAAA,p=${PROOF}`, REFUSED],
  ])('refuses a final message with %s (RFC 5802 §5.1)', (_, response, outcome) => {
    const server = served().respond('n,,n=user,r=AAAA').respond(response);
    expect(server.outcome).toEqual(outcome);
    expect(server.attempts).toEqual([]);
  });

  /** A final message with the proof of somebody who knows the password, whatever else it says. */
  function proven(server: ServerHalf, withoutProof: string): string {
    const serverFirst = text(server.challenge ?? octets(''));
    const salted = pbkdf2Sync('pencil', 'salt', 4096, 32, 'sha256');
    const key = createHmac('sha256', salted).update('Client Key').digest();
    const storedKey = createHash('sha256').update(key).digest();
    const message = `n=user,r=${NONCE},${serverFirst},${withoutProof}`;
    const signature = createHmac('sha256', storedKey).update(message).digest();
    const proof = key.map((octet, index) => octet ^ (signature[index] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  it.each([
    ['as it should', 'c=biws,r=AAAAAAAA', undefined],
    ['an extension', 'c=biws,r=AAAAAAAA,x=1', undefined],
    ['an extension that it must understand', 'c=biws,r=AAAAAAAA,m=1', REFUSED],
    ['another nonce', 'c=biws,r=AAAAAAAB', REFUSED],
    ['another header', 'c=eSws,r=AAAAAAAA', REFUSED],
    ['something that is no attribute', 'c=biws,r=AAAAAAAA,x', MALFORMED],
  ])('on a proof that fits, signed with %s', (_, withoutProof, outcome) => {
    const server = served().respond(`n,,n=user,r=${NONCE}`);
    server.respond(proven(server, withoutProof));
    expect(server.outcome).toEqual(outcome);
    if (outcome === undefined) expect(server.respond('').outcome?.type).toBe('success');
  });

  it('takes nothing but an empty response at the end', () => {
    const [client, server] = pair('SCRAM-SHA-256', stored('pencil'));
    const { outcome, agreed } = run(client, server, (message, number) =>
      number === 4 ? octets('x') : message,
    );
    expect(outcome).toEqual(MALFORMED);
    expect(agreed).toBe(false);
  });
});
