import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DnsAnswer, MailExchanger, MailResolver } from './mail-resolver.js';
import { type Attempt, findRoute, type Route, type RoutingOptions, selectExchangers } from './routing.js';

interface Zone {
  readonly mx?: Readonly<Record<string, DnsAnswer<MailExchanger> | readonly (readonly [number, string])[]>>;
  readonly addresses?: Readonly<Record<string, DnsAnswer<string> | readonly string[]>>;
}

const TEMPORARY = { kind: 'temporary', problem: 'SERVFAIL' } as const;

/** What the zone does not hold does not exist; whoever asks is noted. */
function resolverOf({ mx = {}, addresses = {} }: Zone, asked: string[] = []): MailResolver {
  return {
    async resolveMx(domain) {
      asked.push(`MX ${domain}`);
      const entry = mx[domain];
      if (entry === undefined) return domain in addresses ? { kind: 'none' } : { kind: 'noSuchDomain' };
      if ('kind' in entry) return entry;
      return { kind: 'found', records: entry.map(([preference, exchange]) => ({ preference, exchange })) };
    },
    async resolveAddresses(host) {
      asked.push(`A ${host}`);
      const entry = addresses[host];
      if (entry === undefined) return { kind: 'noSuchDomain' };
      return 'kind' in entry ? entry : { kind: 'found', records: entry };
    },
    async resolveTxt() {
      throw new Error('Routing needs no TXT records');
    },
  };
}

function attemptsOf(route: Route): readonly Attempt[] {
  if (route.kind !== 'attempts') throw new Error(`No attempts: ${route.reply.lines.join(' ')}`);
  return route.attempts;
}

/** In short: preference, host and address of each attempt. */
async function tried(domain: string, zone: Zone, options: RoutingOptions = {}): Promise<string[]> {
  const route = await findRoute(domain, resolverOf(zone), options);
  return attemptsOf(route).map(({ preference, host, address }) => `${preference} ${host} ${address}`);
}

it('a port or a time-out that is none is refused', () => {
  const wrong = [
    { port: '25' },
    { port: 0 },
    { port: 65_536 },
    { connectTimeout: '30000' },
    { connectTimeout: -1 },
    { connectTimeout: Number.NaN },
  ];
  for (const options of wrong) {
    const answer = { kind: 'found', records: [{ exchange: 'mx.example', preference: 1 }] } as const;
    expect(() => selectExchangers('a.example', answer, options as RoutingOptions)).toThrow(RangeError);
  }
});

describe('a route', () => {
  it('tries exchangers by their preference, lowest first (RFC 5321 §5.1)', async () => {
    const zone: Zone = {
      mx: {
        'example.com': [
          [20, 'b.example'],
          [10, 'a.example'],
          [65535, 'c.example'],
          [0, 'd.example'],
        ],
      },
      addresses: {
        'a.example': ['192.0.2.1'],
        'b.example': ['192.0.2.2'],
        'c.example': ['192.0.2.3'],
        'd.example': ['192.0.2.4'],
      },
    };
    expect(await tried('example.com', zone)).toEqual([
      '0 d.example 192.0.2.4',
      '10 a.example 192.0.2.1',
      '20 b.example 192.0.2.2',
      '65535 c.example 192.0.2.3',
    ]);
  });

  it('gives each attempt its host, address, port, preference and connect time-out', async () => {
    const resolver = resolverOf({
      mx: { 'example.com': [[5, 'MX.Example.']] },
      addresses: { 'mx.example': ['192.0.2.1'] },
    });
    const attempt = { host: 'mx.example', address: '192.0.2.1', preference: 5, secure: false };
    expect(await findRoute('Example.COM', resolver)).toEqual({
      kind: 'attempts',
      domain: 'example.com',
      attempts: [{ ...attempt, port: 25, connectTimeout: 30_000 }],
    });
    expect(attemptsOf(await findRoute('example.com', resolver, { port: 2525, connectTimeout: 7 }))).toEqual([
      { ...attempt, port: 2525, connectTimeout: 7 },
    ]);
  });

  it('takes IPv6 and IPv4 in turn, each in the order of DNS (RFC 5321 §5.1, §5.2)', async () => {
    const zone: Zone = {
      addresses: {
        'a.example': ['192.0.2.9', '2001:db8::9', '192.0.2.1', '192.0.2.5', '2001:db8::1', '192.0.2.9'],
      },
    };
    expect((await tried('a.example', zone)).map((line) => line.split(' ')[2])).toEqual([
      '2001:db8::9',
      '192.0.2.9',
      '2001:db8::1',
      '192.0.2.1',
      '192.0.2.5',
    ]);
  });

  it('goes to the domain itself where it has no MX records (RFC 5321 §5.1)', async () => {
    expect(await tried('a.example', { addresses: { 'a.example': ['192.0.2.1'] } })).toEqual([
      '0 a.example 192.0.2.1',
    ]);
  });

  it('does not fall back to the domain where its exchangers have no addresses (RFC 5321 §5.1)', async () => {
    const zone: Zone = {
      mx: { 'a.example': [[1, 'gone.example']] },
      addresses: { 'a.example': ['192.0.2.1'] },
    };
    expect(await findRoute('a.example', resolverOf(zone))).toMatchObject({
      kind: 'rejected',
      reply: {
        code: 550,
        enhancedCode: '5.1.2',
        lines: ['The domain a.example has no host that accepts mail'],
      },
    });
  });

  it('goes nowhere where there is a null MX (RFC 7505 §4)', async () => {
    for (const exchange of ['', '.']) {
      const zone: Zone = { mx: { 'a.example': [[0, exchange]] }, addresses: { 'a.example': ['192.0.2.1'] } };
      expect(await findRoute('a.example', resolverOf(zone))).toEqual({
        kind: 'rejected',
        reply: { code: 556, enhancedCode: '5.1.10', lines: ['The domain a.example accepts no mail'] },
      });
    }
  });

  it('ignores a null MX that does not stand alone (RFC 7505 §3)', async () => {
    const zone: Zone = {
      mx: {
        'a.example': [
          [0, '.'],
          [9, 'b.example'],
        ],
      },
      addresses: { 'b.example': ['192.0.2.1'] },
    };
    expect(await tried('a.example', zone)).toEqual(['9 b.example 192.0.2.1']);
  });

  it.each([
    ['no such domain', {}, 'The domain a.example does not exist'],
    [
      'neither MX nor address',
      { addresses: { 'a.example': { kind: 'none' } } },
      'The domain a.example has no host that accepts mail',
    ],
    [
      'exchangers that are no host names',
      {
        mx: {
          'a.example': [
            [1, 'a b'],
            [2, '192.0.2.1'],
            [3, 'x\r\n.example'],
            [4, 'a..b'],
          ],
        },
        addresses: { '192.0.2.1': ['192.0.2.1'], 'a b': ['192.0.2.1'] },
      },
      'The domain a.example has no host that accepts mail',
    ],
  ] satisfies [string, Zone, string][])('is rejected by 5.1.2: %s', async (_, zone, line) => {
    expect(await findRoute('a.example', resolverOf(zone))).toEqual({
      kind: 'rejected',
      reply: { code: 550, enhancedCode: '5.1.2', lines: [line] },
    });
  });

  it('is deferred by 4.4.3 when DNS fails: that is no "there are none" (RFC 5321 §5.1)', async () => {
    const asked: string[] = [];
    const zone: Zone = { mx: { 'a.example': TEMPORARY }, addresses: { 'a.example': ['192.0.2.1'] } };
    expect(await findRoute('a.example', resolverOf(zone, asked))).toEqual({
      kind: 'deferred',
      reply: {
        code: 451,
        enhancedCode: '4.4.3',
        lines: ['The mail exchangers of a.example could not be looked up: SERVFAIL'],
      },
    });
    expect(asked).toEqual(['MX a.example']);
  });

  it('is deferred when no exchanger has an address and one of them may; the best of these is named', async () => {
    const zone: Zone = {
      mx: {
        'a.example': [
          [1, 'b.example'],
          [2, 'c.example'],
          [3, 'd.example'],
        ],
      },
      addresses: { 'c.example': TEMPORARY, 'd.example': TEMPORARY },
    };
    expect(await findRoute('a.example', resolverOf(zone))).toEqual({
      kind: 'deferred',
      reply: {
        code: 451,
        enhancedCode: '4.4.3',
        lines: ['The addresses of c.example could not be looked up: SERVFAIL'],
      },
    });
  });

  it('does without exchangers whose addresses are not known when others are', async () => {
    const zone: Zone = {
      mx: {
        'a.example': [
          [1, 'b.example'],
          [2, 'c.example'],
        ],
      },
      addresses: { 'b.example': TEMPORARY, 'c.example': ['192.0.2.1'] },
    };
    expect(await tried('a.example', zone)).toEqual(['2 c.example 192.0.2.1']);
  });

  it('tries a host named twice once, at its better preference', async () => {
    const zone: Zone = {
      mx: {
        'a.example': [
          [7, 'b.example'],
          [3, 'B.example.'],
          [5, 'c.example'],
        ],
      },
      addresses: { 'b.example': ['192.0.2.1'], 'c.example': ['192.0.2.2'] },
    };
    expect(await tried('a.example', zone)).toEqual(['3 b.example 192.0.2.1', '5 c.example 192.0.2.2']);
  });

  it('looks up and tries a bounded number of hosts and addresses', async () => {
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const zone: Zone = {
      mx: { 'a.example': numbers.map((number) => [number, `mx${number}.example`] as const) },
      addresses: Object.fromEntries(
        numbers.map((number) => [`mx${number}.example`, numbers.map((other) => `192.0.${number}.${other}`)]),
      ),
    };
    const asked: string[] = [];
    const attempts = attemptsOf(await findRoute('a.example', resolverOf(zone, asked)));
    expect(asked).toHaveLength(1 + 10);
    expect(attempts).toHaveLength(20);
    expect(await tried('a.example', zone, { maximumAttempts: 1 })).toEqual(['0 mx0.example 192.0.0.0']);
    const few = await tried('a.example', zone, { maximumHosts: 2, maximumAttempts: 1000 });
    expect(few).toHaveLength(200);
  });

  it('is deferred by 4.4.4 when no host has an address of those that are looked up, and there are more', async () => {
    const gone = Array.from({ length: 10 }, (_, index) => [index, `gone${index}.example`] as const);
    const zone: Zone = {
      mx: { 'a.example': [...gone, [99, 'b.example']] },
      addresses: { 'b.example': ['192.0.2.1'] },
    };
    expect(await findRoute('a.example', resolverOf(zone))).toEqual({
      kind: 'deferred',
      reply: {
        code: 451,
        enhancedCode: '4.4.4',
        lines: [
          'None of the first 10 mail exchangers of a.example can be tried; no more are looked up (maximumHosts)',
        ],
      },
    });
    expect(await tried('a.example', zone, { maximumHosts: 11 })).toEqual(['99 b.example 192.0.2.1']);
  });

  it('refuses limits that would allow nothing', async () => {
    for (const value of [0, 1.5, Number.NaN]) {
      const zone = resolverOf({});
      await expect(findRoute('a.example', zone, { maximumHosts: value })).rejects.toThrow(RangeError);
      await expect(findRoute('a.example', zone, { maximumAttempts: value })).rejects.toThrow(RangeError);
    }
  });

  it('is secure where DNSSEC proves both exchanger and address (RFC 7672 §2.2)', async () => {
    for (const [mx, address] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const resolver = resolverOf({
        mx: {
          'a.example': { kind: 'found', records: [{ exchange: 'b.example', preference: 1 }], secure: mx },
        },
        addresses: { 'b.example': { kind: 'found', records: ['192.0.2.1'], secure: address } },
      });
      expect(attemptsOf(await findRoute('a.example', resolver))[0]?.secure).toBe(mx && address);
      const implicit = resolverOf({
        mx: { 'a.example': { kind: 'none', secure: mx } },
        addresses: { 'a.example': { kind: 'found', records: ['192.0.2.1'], secure: address } },
      });
      expect(attemptsOf(await findRoute('a.example', implicit))[0]?.secure).toBe(mx && address);
    }
  });
});

describe('a route from one of the exchangers (RFC 5321 §5.1)', () => {
  const zone: Zone = {
    mx: {
      'a.example': [
        [10, 'mx1.example'],
        [20, 'mx2.example'],
        [20, 'mx3.example'],
        [30, 'mx4.example'],
      ],
    },
    addresses: {
      'mx1.example': ['192.0.2.1'],
      'mx2.example': ['192.0.2.2', '2001:db8::2'],
      'mx3.example': ['192.0.2.3'],
      'mx4.example': ['192.0.2.4'],
      'a.example': ['192.0.2.1'],
    },
  };

  it('leads to better ones only, by our name or our address', async () => {
    const options: RoutingOptions[] = [
      { ownNames: ['MX2.example.'] },
      { ownNames: ['other.example', 'mx3.example', 'mx4.example'] },
      { ownAddresses: ['192.0.2.2'] },
      { ownAddresses: ['2001:DB8:0:0::2'] },
    ];
    for (const option of options)
      expect(await tried('a.example', zone, option)).toEqual(['10 mx1.example 192.0.2.1']);
  });

  it('is rejected by 5.4.6 when none is better', async () => {
    const expected = {
      kind: 'rejected',
      reply: {
        code: 554,
        enhancedCode: '5.4.6',
        lines: ['Mail for a.example loops back: this host is the best mail exchanger for it'],
      },
    };
    const { addresses = {} } = zone;
    for (const option of [{ ownNames: ['mx1.example'] }, { ownAddresses: ['192.0.2.1'] }]) {
      expect(await findRoute('a.example', resolverOf(zone), option)).toEqual(expected);
    }
    for (const option of [{ ownNames: ['a.example'] }, { ownAddresses: ['192.0.2.1'] }]) {
      expect(await findRoute('a.example', resolverOf({ addresses }), option)).toEqual(expected);
    }
  });

  it.each(['127.7.7.7', '::1', '::ffff:127.0.0.2', '0.0.0.0'])(
    'is at each loopback address, where it listens at the unspecified one (%s)',
    async (address) => {
      const resolver = () => resolverOf({ addresses: { 'a.example': [address] } });
      expect(await findRoute('a.example', resolver(), { ownAddresses: ['0.0.0.0', '::'] })).toMatchObject({
        kind: 'rejected',
        reply: { enhancedCode: '5.4.6' },
      });
      expect(await findRoute('a.example', resolver(), { ownAddresses: ['192.0.2.1'] })).toMatchObject({
        kind: 'attempts',
      });
    },
  );

  describe('that is among more equals than are looked up', () => {
    const OWN = '192.0.2.99';

    /** Equals, the last of which is ourselves. */
    function zoneOf(equals: number, better: readonly (readonly [number, string])[] = []): Zone {
      const names = Array.from({ length: equals }, (_, index) => `mx${index}.example`);
      return {
        mx: { 'a.example': [...better, ...names.map((name) => [10, name] as const)] },
        addresses: {
          'better.example': ['192.0.2.200'],
          ...Object.fromEntries(names.map((name, index) => [name, [`192.0.2.${index + 1}`]])),
          [names.at(-1) ?? '']: [OWN],
        },
      };
    }

    it('never leads to an equal, whatever chance says', async () => {
      for (let round = 0; round < 100; round++) {
        expect(await findRoute('a.example', resolverOf(zoneOf(12)), { ownAddresses: [OWN] })).toMatchObject({
          kind: 'rejected',
          reply: { enhancedCode: '5.4.6' },
        });
      }
    });

    it('is deferred by 4.4.4 when they are more than twice as many: nobody knows', async () => {
      const asked: string[] = [];
      const inOrder = { ownAddresses: [OWN], random: () => 0.999 };
      expect(await findRoute('a.example', resolverOf(zoneOf(21), asked), inOrder)).toMatchObject({
        kind: 'deferred',
        reply: { enhancedCode: '4.4.4' },
      });
      expect(asked).toHaveLength(1 + 20);
    });

    it('leads to better ones only, however many they are', async () => {
      for (const equals of [12, 21]) {
        const zone = zoneOf(equals, [[5, 'better.example']]);
        expect(await tried('a.example', zone, { ownAddresses: [OWN], random: () => 0.999 })).toEqual([
          '5 better.example 192.0.2.200',
        ]);
      }
    });
  });

  it('leads to a bounded number of equals where we are none of them', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `mx${index}.example`);
    const equals: Zone = {
      mx: { 'a.example': names.map((name) => [10, name] as const) },
      addresses: Object.fromEntries(names.map((name, index) => [name, [`192.0.2.${index + 1}`]])),
    };
    expect(await tried('a.example', equals)).toHaveLength(10);
    expect(await tried('a.example', equals, { ownAddresses: ['192.0.2.99'] })).toHaveLength(12);
  });

  it('is deferred when a better one could not be looked up, and not when a worse one could not', async () => {
    const lost = (host: string): MailResolver =>
      resolverOf({ ...zone, addresses: { ...zone.addresses, [host]: TEMPORARY } });
    const options = { ownAddresses: ['192.0.2.3'] };
    expect(await findRoute('a.example', lost('mx1.example'), options)).toMatchObject({ kind: 'deferred' });
    expect(await findRoute('a.example', lost('mx4.example'), { ownAddresses: ['192.0.2.1'] })).toMatchObject({
      kind: 'rejected',
    });
  });
});

describe('a route to an address literal (RFC 5321 §4.1.3)', () => {
  it.each([
    ['[192.0.2.1]', '192.0.2.1'],
    ['[IPv6:2001:db8::1]', '2001:db8::1'],
    ['[ipv6:::ffff:192.0.2.1]', '::ffff:192.0.2.1'],
  ])('leads from %s to %s and asks nothing of DNS', async (literal, address) => {
    const asked: string[] = [];
    const route = await findRoute(literal, resolverOf({}, asked));
    expect(attemptsOf(route)).toMatchObject([
      { host: literal, address, port: 25, preference: 0, secure: false },
    ]);
    expect(asked).toEqual([]);
  });

  it('is rejected for other kinds of addresses, and for our own', async () => {
    expect(await findRoute('[x25:1234]', resolverOf({}))).toMatchObject({ reply: { enhancedCode: '5.1.2' } });
    const options = { ownAddresses: ['2001:db8::1'] };
    expect(await findRoute('[IPv6:2001:db8:0:0::1]', resolverOf({}), options)).toMatchObject({
      reply: { enhancedCode: '5.4.6' },
    });
  });
});

describe('a route to an internationalized domain (RFC 5890)', () => {
  it('is that of its A-labels', async () => {
    const zone: Zone = {
      mx: { 'xn--bcher-kva.example': [[1, 'mx.example']] },
      addresses: { 'mx.example': ['192.0.2.1'] },
    };
    expect(await tried('Bücher.example', zone)).toEqual(['1 mx.example 192.0.2.1']);
  });

  it('is rejected by 5.1.2 where the domain is none', async () => {
    for (const domain of ['xn--a.example', 'a..example', '', '[192.0.2.1', 'a\r\nb']) {
      const route = await findRoute(domain, resolverOf({}));
      expect(route).toMatchObject({ kind: 'rejected', reply: { code: 550, enhancedCode: '5.1.2' } });
    }
  });
});

describe('exchangers', () => {
  const records = fc.array(
    fc.record({
      exchange: fc.constantFrom('a.example', 'b.example', 'C.example', '', 'd e'),
      preference: fc.nat(3),
    }),
    { minLength: 1 },
  );
  const random = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

  it('never get worse, are each there once, and are all that are hosts, whatever chance says', () => {
    fc.assert(
      fc.property(records, random, (records, random) => {
        const options = { random: () => random.next().value };
        const selected = selectExchangers('x.example', { kind: 'found', records }, options);
        const hosts = new Set(
          records.map(({ exchange }) => exchange.toLowerCase()).filter((name) => /^\w\./.test(name)),
        );
        const exchangers = selected.kind === 'exchangers' ? selected.exchangers : [];
        expect(exchangers.map(({ exchange }) => exchange).sort()).toEqual([...hosts].sort());
        const preferences = exchangers.map(({ preference }) => preference);
        expect(preferences).toEqual([...preferences].sort((a, b) => a - b));
      }),
    );
  });

  it('of equal preference come in every order, each as often', () => {
    const answer = {
      kind: 'found',
      records: ['a', 'b', 'c'].map((exchange) => ({ exchange, preference: 1 })),
    } as const;
    // Each pair of choices of a shuffle of three, once.
    const orders = [0, 1, 2].flatMap((first) =>
      [0, 1].map((second) => {
        const choices = [first / 3, second / 2];
        const selected = selectExchangers('x', answer, { random: () => choices.shift() ?? 0 });
        return selected.kind === 'exchangers'
          ? selected.exchangers.map(({ exchange }) => exchange).join('')
          : '';
      }),
    );
    expect(orders.sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  });
});

describe('any answers of DNS', () => {
  const problem = fc.constant('SERVFAIL');
  function answers<DnsRecord>(record: fc.Arbitrary<DnsRecord>): fc.Arbitrary<DnsAnswer<DnsRecord>> {
    return fc.oneof(
      fc.record({
        kind: fc.constant('found' as const),
        records: fc.array(record, { minLength: 1, maxLength: 5 }),
      }),
      fc.record({ kind: fc.constantFrom('none' as const, 'noSuchDomain' as const) }),
      fc.record({ kind: fc.constant('temporary' as const), problem }),
    );
  }

  it('give attempts that can be made or one line of plain text, and are rejected only if DNS said all', async () => {
    const exchange = fc.oneof(fc.constantFrom('mx.example', 'mx2.example'), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(
        answers(fc.record({ exchange, preference: fc.nat(65535) })),
        answers(fc.oneof(fc.ipV4(), fc.ipV6())),
        async (mx, addresses) => {
          const resolver: MailResolver = {
            ...resolverOf({}),
            resolveMx: async () => mx,
            resolveAddresses: async () => addresses,
          };
          const route = await findRoute('a.example', resolver);
          if (route.kind === 'attempts') {
            for (const { host, address } of route.attempts) {
              expect(host).toMatch(/^[\w.-]+$/);
              expect(isIP(address)).not.toBe(0);
            }
          } else {
            expect(route.reply.lines).toHaveLength(1);
            expect(route.reply.lines[0]).toMatch(/^[ -~]+$/);
            expect(route.reply.enhancedCode?.[0]).toBe(route.kind === 'deferred' ? '4' : '5');
            if (mx.kind === 'temporary') expect(route.kind).toBe('deferred');
          }
        },
      ),
    );
  });
});
