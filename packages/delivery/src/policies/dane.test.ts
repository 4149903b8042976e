import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DnsAnswer } from '../routing/mail-resolver.js';
import { certificate, type Issued, keyPair } from './certificate.test-support.js';
import { type DaneOutcome, findDane, isUsableTlsa, type TlsaRecord, verifyDane } from './dane.js';

const NOW = Date.parse('2026-06-01');
const PAST = new Date('2021-01-01');
const FUTURE = new Date('2039-01-01');

const root = certificate({ name: 'Root', ca: true });
const middle = certificate({ name: 'Middle', ca: true, issuer: root });
const server = certificate({ name: 'Server', issuer: middle, dnsNames: ['mx.example', '*.wild.example'] });
const stranger = certificate({ name: 'Stranger', ca: true });
const CHAIN = [server, middle, root];

const SELECTORS = [0, 1] as const;
const MATCHING_TYPES = [0, 1, 2] as const;

function tlsa(usage: number, selector: 0 | 1, matchingType: 0 | 1 | 2, { der }: Issued): TlsaRecord {
  const selected =
    selector === 0 ? der : new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  const digest = [undefined, 'sha256', 'sha512'][matchingType];
  const data = digest === undefined ? selected : createHash(digest).update(selected).digest();
  return { usage, selector, matchingType, data };
}

const everyForm = SELECTORS.flatMap((selector) => MATCHING_TYPES.map((type) => [selector, type] as const));
const ders = (chain: readonly Issued[]): Uint8Array[] => chain.map(({ der }) => der);

describe('a TLSA record is usable (RFC 7672 §3.1)', () => {
  it.each(everyForm)(
    'with selector %i and matching type %i, for DANE-TA and DANE-EE alone',
    (selector, type) => {
      for (const usage of [0, 1, 2, 3, 4, 255]) {
        expect(isUsableTlsa(tlsa(usage, selector, type, server))).toBe(usage === 2 || usage === 3);
      }
    },
  );

  it('not with other selectors or matching types', () => {
    const record = tlsa(3, 1, 1, server);
    expect(isUsableTlsa({ ...record, selector: 2 })).toBe(false);
    expect(isUsableTlsa({ ...record, matchingType: 3 })).toBe(false);
  });

  it('not with data that nothing can match', () => {
    for (const [matchingType, octets] of [
      [1, 31],
      [1, 33],
      [1, 64],
      [2, 32],
      [2, 63],
      [1, 0],
      [0, 0],
      [0, 40],
    ] as const) {
      for (const selector of SELECTORS) {
        const data = new Uint8Array(octets);
        expect(isUsableTlsa({ usage: 3, selector, matchingType, data })).toBe(false);
      }
    }
    const key = tlsa(3, 1, 0, server);
    expect(isUsableTlsa({ ...key, selector: 0 })).toBe(false);
  });
});

const options = { names: ['mx.example'], now: NOW };

const matches = (record: TlsaRecord, chain: readonly Uint8Array[]): boolean =>
  verifyDane([record], chain, options).kind === 'matched';

describe('a TLSA record matches', () => {
  it.each(everyForm)(
    'with selector %i and matching type %i the certificate that it names',
    (selector, type) => {
      const chain = ders(CHAIN);
      expect(matches(tlsa(3, selector, type, server), chain)).toBe(true);
      expect(matches(tlsa(3, selector, type, middle), chain)).toBe(false);
      expect(matches(tlsa(2, selector, type, server), chain)).toBe(false);
      expect(matches(tlsa(2, selector, type, middle), chain)).toBe(true);
      expect(matches(tlsa(2, selector, type, root), chain)).toBe(true);
      expect(matches(tlsa(2, selector, type, stranger), chain)).toBe(false);
    },
  );

  it('a renewed certificate with the same key, by selector 1 only', () => {
    const renewed = certificate({ name: 'Server', keys: server.keys, issuer: stranger });
    expect(matches(tlsa(3, 1, 1, server), [renewed.der])).toBe(true);
    expect(matches(tlsa(3, 0, 1, server), [renewed.der])).toBe(false);
  });

  it('nothing in an empty chain', () => {
    expect(matches(tlsa(3, 1, 1, server), [])).toBe(false);
  });

  it('nothing once any bit of its data is another', () => {
    const chain = ders(CHAIN);
    fc.assert(
      fc.property(fc.constantFrom(...everyForm), fc.nat(), fc.nat(7), ([selector, type], at, bit) => {
        const record = tlsa(3, selector, type, server);
        const data = Uint8Array.from(record.data);
        const index = at % data.length;
        data[index] = (data[index] ?? 0) ^ (1 << bit);
        expect(matches({ ...record, data }, chain)).toBe(false);
      }),
    );
  });
});

describe('the certificate of a server matches DANE-EE (RFC 7672 §3.1.1)', () => {
  it('whatever its names, dates and issuer', () => {
    const own = certificate({ name: 'x', dnsNames: ['other.example'], notAfter: PAST });
    const record = tlsa(3, 1, 1, own);
    expect(verifyDane([record], [own.der], options)).toEqual({ kind: 'matched', record });
    expect(verifyDane([record], [own.der, stranger.der], options)).toEqual({ kind: 'matched', record });
  });

  it('when one of several records does', () => {
    const record = tlsa(3, 0, 2, server);
    const records = [tlsa(3, 1, 1, stranger), tlsa(2, 1, 1, stranger), record];
    expect(verifyDane(records, ders(CHAIN), options)).toEqual({ kind: 'matched', record });
  });

  it('not when another certificate of the chain does', () => {
    expect(verifyDane([tlsa(3, 1, 1, middle)], ders(CHAIN), options)).toEqual({
      kind: 'failed',
      problem: 'The certificate of the server matches none of its TLSA records',
    });
  });
});

describe('the certificate of a server matches DANE-TA (RFC 7672 §3.1.2)', () => {
  it.each([
    ['its issuer', middle],
    ['an issuer of that', root],
  ])('when the record names %s', (_, authority) => {
    for (const [selector, type] of everyForm) {
      const record = tlsa(2, selector, type, authority);
      expect(verifyDane([record], ders(CHAIN), options)).toEqual({ kind: 'matched', record });
      expect(verifyDane([record], ders([server, root, middle]), options)).toEqual({
        kind: 'matched',
        record,
      });
    }
  });

  it('under the name of the host or of the domain (RFC 7672 §3.2.2)', () => {
    const record = tlsa(2, 0, 1, root);
    for (const names of [
      ['mx.example'],
      ['other.example', 'mx.example'],
      ['MX.Example'],
      ['a.wild.example'],
    ]) {
      expect(verifyDane([record], ders(CHAIN), { names, now: NOW })).toEqual({ kind: 'matched', record });
    }
    for (const names of [
      [],
      ['example'],
      ['a.mx.example'],
      ['a.b.wild.example'],
      ['wild.example'],
      ['Server'],
    ]) {
      expect(verifyDane([record], ders(CHAIN), { names, now: NOW })).toMatchObject({
        kind: 'failed',
        problem: `The certificate of the server is for none of ${names.join(', ')}`,
      });
    }
  });

  const impostor = { name: middle.name, keys: keyPair() };
  const notAnAuthority = certificate({ name: 'Middle', issuer: root });
  const expired = certificate({ name: 'Expired', ca: true, issuer: root, notAfter: PAST });
  const forClients = certificate({ name: 'Clients', ca: true, issuer: root, purposes: ['client'] });
  const names = { name: 'Server', dnsNames: ['mx.example'] };

  it.each<[string, Issued]>([
    ['has expired (RFC 5280 §6.1)', certificate({ name: 'Old', ca: true, notAfter: PAST })],
    ['is not one for servers', certificate({ name: 'Clients', ca: true, purposes: ['client'] })],
  ])('also when the authority itself %s', (_, authority) => {
    const own = certificate({ ...names, issuer: authority, purposes: ['server'] });
    const record = tlsa(2, 0, 1, authority);
    expect(verifyDane([record], ders([own, authority]), options)).toEqual({ kind: 'matched', record });
  });

  it.each([0, 1] as const)(
    'also when the authority stands in the record only, with selector %i',
    (selector) => {
      const record = tlsa(2, selector, 0, root);
      const direct = certificate({ ...names, issuer: root, purposes: ['any'] });
      expect(verifyDane([record], ders([direct]), options)).toEqual({ kind: 'matched', record });
      const between = certificate({ name: 'Between', ca: true, issuer: root });
      const indirect = certificate({ ...names, issuer: between });
      expect(verifyDane([record], ders([indirect, between]), options)).toEqual({ kind: 'matched', record });
      expect(verifyDane([tlsa(2, selector, 0, stranger)], ders([direct]), options)).toMatchObject({
        kind: 'failed',
      });
      expect(verifyDane([record], ders([indirect]), options)).toMatchObject({ kind: 'failed' });
      // Nor is the server its own authority.
      const self = certificate({ ...names, ca: true });
      expect(verifyDane([tlsa(2, selector, 0, self)], ders([self]), options)).toMatchObject({
        kind: 'failed',
      });
    },
  );

  it.each<[string, Issued[], RegExp]>([
    ['the authority is there, but issued nothing', [server, stranger, root], /issued it/],
    ['the issuer is missing', [server, root], /issued it/],
    [
      'the issuer has the name only',
      [certificate({ ...names, issuer: impostor }), middle, root],
      /issued it/,
    ],
    [
      'the issuer has the key only',
      [certificate({ ...names, issuer: { name: 'Other', keys: root.keys } }), root],
      /issued it/,
    ],
    [
      'the issuer is no authority',
      [certificate({ ...names, issuer: notAnAuthority }), notAnAuthority, root],
      /issued it/,
    ],
    [
      'it is not one for servers',
      [certificate({ ...names, issuer: root, purposes: ['client'] }), root],
      /for TLS servers/,
    ],
    [
      'an issuer is not one for servers',
      [certificate({ ...names, issuer: forClients }), forClients, root],
      /issued it/,
    ],
    ['an issuer has expired', [certificate({ ...names, issuer: expired }), expired, root], /issued it/],
    ['it has expired', [certificate({ ...names, issuer: root, notAfter: PAST }), root], /not valid now/],
    [
      'it is not valid yet',
      [certificate({ ...names, issuer: root, notBefore: FUTURE }), root],
      /not valid now/,
    ],
    ['the authority itself is the server', [root], /issued it/],
  ])('not when %s', (_, chain, problem) => {
    expect(verifyDane([tlsa(2, 0, 1, root)], ders(chain), options)).toMatchObject({
      kind: 'failed',
      problem: expect.stringMatching(problem),
    });
  });

  it('within ten certificates', () => {
    const record = tlsa(2, 1, 1, root);
    const filler = (count: number): Issued[] => new Array<Issued>(count).fill(stranger);
    const direct = certificate({ ...names, issuer: root });
    expect(verifyDane([record], ders([direct, ...filler(8), root]), options)).toMatchObject({
      kind: 'matched',
    });
    expect(verifyDane([record], ders([direct, ...filler(9), root]), options)).toMatchObject({
      kind: 'failed',
    });
  });

  it('in the face of two authorities that issued each other', () => {
    const [one, other] = [keyPair(), keyPair()];
    const first = certificate({ name: 'One', keys: one, ca: true, issuer: { name: 'Other', keys: other } });
    const second = certificate({ name: 'Other', keys: other, ca: true, issuer: { name: 'One', keys: one } });
    const chain = ders([certificate({ ...names, issuer: first }), first, second]);
    expect(verifyDane([tlsa(2, 0, 1, second)], chain, options)).toMatchObject({ kind: 'matched' });
    expect(verifyDane([tlsa(2, 0, 1, root)], chain, options)).toMatchObject({ kind: 'failed' });
  });
});

describe('a verdict', () => {
  it('is failed without a certificate, and with what is none', () => {
    const records = [tlsa(3, 1, 1, server), tlsa(2, 1, 1, root)];
    expect(verifyDane(records, [], options)).toEqual({
      kind: 'failed',
      problem: 'The server presented no certificate',
    });
    for (const chain of [[new Uint8Array(3)], [server.der, new Uint8Array(0)]]) {
      expect(verifyDane(records, chain, options)).toMatchObject({ kind: 'failed' });
    }
  });

  it('is failed, and no exception, for any damaged certificate', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const der = Uint8Array.from(server.der);
        const index = at % der.length;
        der[index] = (der[index] ?? 0) ^ change;
        const records = [tlsa(3, 0, 1, server), tlsa(2, 0, 1, root)];
        expect(verifyDane(records, [der, middle.der, root.der], options)).toMatchObject({ kind: 'failed' });
      }),
    );
  });

  it('is failed without records', () => {
    expect(verifyDane([], ders(CHAIN), options)).toMatchObject({ kind: 'failed' });
  });
});

async function find(answer: DnsAnswer<TlsaRecord>, secure = true): Promise<[DaneOutcome, string[]]> {
  const asked: string[] = [];
  const outcome = await findDane(
    { host: 'mx.example', port: 25, secure },
    {
      async resolveTlsa(name) {
        asked.push(name);
        return answer;
      },
    },
  );
  return [outcome, asked];
}

describe('what DANE demands (RFC 7672 §2.2)', () => {
  const good = tlsa(3, 1, 1, server);
  const unusable = tlsa(1, 1, 1, server);

  it('is authentication by the records that can be used', async () => {
    expect(await find({ kind: 'found', secure: true, records: [unusable, good] })).toEqual([
      { kind: 'authenticated', records: [good] },
      ['_25._tcp.mx.example'],
    ]);
  });

  it('is TLS alone when none can be used', async () => {
    expect((await find({ kind: 'found', secure: true, records: [unusable] }))[0]).toEqual({
      kind: 'encrypted',
    });
  });

  it.each<[string, DnsAnswer<TlsaRecord>]>([
    ['the records are not proven', { kind: 'found', secure: false, records: [good] }],
    ['nobody says whether they are', { kind: 'found', records: [good] }],
    ['there are none', { kind: 'none', secure: true }],
    ['there is no such name', { kind: 'noSuchDomain' }],
  ])('is nothing when %s', async (_, answer) => {
    expect((await find(answer))[0]).toEqual({ kind: 'opportunistic' });
  });

  it('is nothing, and is not asked for, when the host itself is not proven', async () => {
    expect(await find({ kind: 'found', secure: true, records: [good] }, false)).toEqual([
      { kind: 'opportunistic' },
      [],
    ]);
  });

  it.each(['25', 0, 65_536, Number.NaN])('is not asked for at a port that is none: %s', async (port) => {
    const resolver = { resolveTlsa: () => Promise.reject(new Error('not asked')) };
    const attempt = { host: 'mx.example', port: port as number, secure: true };
    await expect(findDane(attempt, resolver)).rejects.toThrow(RangeError);
  });

  it('is not to use the host when the look-up fails (RFC 7672 §2.1.2)', async () => {
    expect((await find({ kind: 'temporary', problem: 'SERVFAIL' }))[0]).toEqual({
      kind: 'unavailable',
      problem: 'The TLSA records of mx.example could not be looked up: SERVFAIL',
    });
  });

  it('goes by the strongest digest of each usage and selector (RFC 7671 §9)', async () => {
    const records = [
      tlsa(3, 1, 1, stranger),
      tlsa(3, 1, 2, server),
      tlsa(3, 0, 1, server),
      tlsa(3, 1, 0, server),
      tlsa(2, 1, 1, root),
    ];
    expect((await find({ kind: 'found', secure: true, records }))[0]).toEqual({
      kind: 'authenticated',
      records: records.slice(1),
    });
    const malformed = { ...tlsa(3, 1, 2, server), data: new Uint8Array(63) };
    expect((await find({ kind: 'found', secure: true, records: [good, malformed] }))[0]).toEqual({
      kind: 'authenticated',
      records: [good],
    });
  });
});
