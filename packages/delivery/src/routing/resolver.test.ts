import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import dnsPacket, { type Answer, type DecodedPacket } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { createResolver } from './resolver.js';
import { findRoute } from './routing.js';

const SERVFAIL = 2;
const NXDOMAIN = 3;
const REFUSED = 5;
/** An opcode: what comes is no answer to a query. */
const NOTIFY = 4 << 11;

interface DnsReply {
  readonly rcode?: number;
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
  /** @default RECURSION_AVAILABLE */
  readonly flags?: number;
  /** Over UDP the answer is said to be too long. */
  readonly truncated?: boolean;
}

/** `undefined`: no reply at all. */
type Zone = (type: string, name: string) => DnsReply | undefined;

interface DnsServer {
  /** ADDRESS:PORT */
  readonly address: string;
  /** `udp MX a.example` and so on. */
  readonly queries: string[];
}

const servers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((close) => close()));
});

/** A DNS server on loopback, over UDP and TCP at the same port. */
async function serve(zone: Zone): Promise<DnsServer> {
  const queries: string[] = [];
  const reply = (query: DecodedPacket, protocol: 'udp' | 'tcp'): Buffer | undefined => {
    const [question] = query.questions ?? [];
    if (question === undefined) return undefined;
    queries.push(`${protocol} ${question.type} ${question.name}`);
    const found = zone(question.type, question.name.toLowerCase());
    if (found === undefined) return undefined;
    const cut = found.truncated === true && protocol === 'udp';
    return dnsPacket.encode({
      type: 'response',
      id: query.id ?? 0,
      flags:
        dnsPacket.RECURSION_DESIRED |
        (found.flags ?? dnsPacket.RECURSION_AVAILABLE) |
        (cut ? dnsPacket.TRUNCATED_RESPONSE : 0) |
        (found.rcode ?? 0),
      questions: [question],
      answers: cut ? [] : (found.answers ?? []),
      authorities: found.authorities ?? [],
    });
  };

  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const response = reply(dnsPacket.decode(received.subarray(2, 2 + length)), 'tcp');
        received = received.subarray(2 + length);
        if (response === undefined) continue;
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(response.length);
        socket.write(Buffer.concat([prefix, response]));
      }
    });
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;

  const udp = createSocket('udp4');
  udp.on('message', (message, { port, address }) => {
    const response = reply(dnsPacket.decode(message), 'udp');
    if (response !== undefined) udp.send(response, port, address);
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');

  servers.push(async () => {
    udp.close();
    tcp.close();
    await once(tcp, 'close');
  });
  return { address: `127.0.0.1:${port}`, queries };
}

function mx(name: string, ...exchangers: [number, string][]): Answer[] {
  return exchangers.map(([preference, exchange]) => ({
    type: 'MX',
    name,
    ttl: 60,
    data: { preference, exchange },
  }));
}

function addresses(type: 'A' | 'AAAA', name: string, ...data: string[]): Answer[] {
  return data.map((address) => ({ type, name, ttl: 60, data: address }));
}

const NS: Answer = { type: 'NS', name: 'a.example', ttl: 60, data: 'ns.example' };
const SOA: Answer = {
  type: 'SOA',
  name: 'a.example',
  ttl: 60,
  data: { mname: 'ns.example', rname: 'hostmaster.example' },
};

describe('a look-up of mail exchangers', () => {
  it('gives all records', async () => {
    const { address } = await serve(() => ({
      answers: mx('a.example', [20, 'b.example'], [10, 'c.example']),
    }));
    const found = await createResolver({ server: address }).resolveMx('a.example');
    expect(found).toMatchObject({ kind: 'found' });
    expect(found.kind === 'found' && [...found.records].sort((a, b) => a.preference - b.preference)).toEqual([
      { exchange: 'c.example', preference: 10 },
      { exchange: 'b.example', preference: 20 },
    ]);
  });

  it('gives a null MX that routing knows for one (RFC 7505)', async () => {
    const { address } = await serve(() => ({ answers: mx('a.example', [0, '.']) }));
    const route = await findRoute('a.example', createResolver({ server: address }));
    expect(route).toMatchObject({ kind: 'rejected', reply: { code: 556, enhancedCode: '5.1.10' } });
  });

  it('follows a CNAME of the domain (RFC 5321 §5.1)', async () => {
    const { address } = await serve(() => ({
      answers: [
        { type: 'CNAME', name: 'a.example', ttl: 60, data: 'real.example' },
        ...mx('real.example', [1, 'mx.example']),
      ],
    }));
    expect(await createResolver({ server: address }).resolveMx('a.example')).toEqual({
      kind: 'found',
      records: [{ exchange: 'mx.example', preference: 1 }],
    });
  });

  it.each([
    ['none', 'no record of the type', {}],
    [
      'none',
      'a CNAME that leads nowhere',
      { answers: [{ type: 'CNAME', name: 'a.example', data: 'b.example' }], authorities: [SOA] },
    ],
    ['none', 'records of another type', { answers: [NS] }],
    [
      'temporary',
      'records of another name',
      { answers: [{ type: 'CNAME', name: 'other.example', data: 'b.example' }] },
    ],
    [
      'temporary',
      'a CNAME whose target the server does not answer for',
      { answers: [{ type: 'CNAME', name: 'a.example', data: 'b.example' }] },
    ],
    ['noSuchDomain', 'NXDOMAIN', { rcode: NXDOMAIN }],
    ['temporary', 'SERVFAIL', { rcode: SERVFAIL }],
    ['temporary', 'REFUSED', { rcode: REFUSED }],
    ...[6, 7, 8, 9, 10, 11].map((rcode): [string, string, DnsReply] => [
      'temporary',
      `the response code ${rcode}`,
      { rcode },
    ]),
    ['temporary', 'a referral', { authorities: [NS] }],
    ['temporary', 'a referral of a server that is not recursive', { authorities: [NS], flags: 0 }],
    ['temporary', 'nothing from a server that does not know', { flags: 0 }],
    ['none', 'nothing from one that is authoritative', { flags: dnsPacket.AUTHORITATIVE_ANSWER }],
    ['none', 'the SOA record of the zone', { authorities: [SOA], flags: 0 }],
    [
      'temporary',
      'a CNAME that leads back',
      {
        answers: [
          { type: 'CNAME', name: 'a.example', data: 'b.example' },
          { type: 'CNAME', name: 'b.example', data: 'a.example' },
        ],
      },
    ],
    ['temporary', 'silence', undefined],
  ] satisfies [string, string, DnsReply | undefined][])(
    'is answered by "%s" to %s',
    async (kind, _, reply) => {
      const { address } = await serve(() => reply);
      // Only silence takes its time: an answer may need longer on a busy machine.
      const resolver = createResolver({ server: address, timeout: reply ? 10_000 : 50, tries: 1 });
      expect(await resolver.resolveMx('a.example')).toMatchObject({ kind });
      expect(await resolver.resolveTxt('a.example')).toMatchObject({ kind });
      expect(await resolver.resolveAddresses('a.example')).toMatchObject({ kind });
    },
  );

  it('follows a CNAME of which the answer says nothing more, for so long', async () => {
    const zone: Zone = (type, name) => {
      const number = Number(/^a(\d+)\.example$/.exec(name)?.[1] ?? 0);
      if (number === 5 && type === 'MX') return { answers: mx(name, [1, 'mx.example']) };
      return { answers: [{ type: 'CNAME', name, data: `a${number + 1}.example` }] };
    };
    const { address, queries } = await serve(zone);
    const resolver = createResolver({ server: address });
    expect(await resolver.resolveMx('a1.example')).toMatchObject({ kind: 'found' });
    queries.length = 0;
    expect(await resolver.resolveTxt('a1.example')).toMatchObject({ kind: 'temporary' });
    expect(queries.length).toBeLessThan(20);
  });

  it('passes over what is no answer to the question', async () => {
    const socket = createSocket('udp4');
    socket.on('message', (message, { port, address }) => {
      const query = dnsPacket.decode(message);
      const id = query.id ?? 0;
      const answer = (id: number, name: string, exchange: string, flags = 0): Buffer =>
        dnsPacket.encode({
          type: 'response',
          id,
          flags,
          questions: [{ type: 'MX', name }],
          answers: mx('a.example', [1, exchange]),
        });
      for (const octets of [
        Buffer.from('no message'),
        answer(id ^ 1, 'a.example', 'evil.example'),
        answer(id, 'b.example', 'evil.example'),
        answer(id, 'a.example', 'evil.example', NOTIFY),
        answer(id, 'a.example', 'mx.example'),
      ]) {
        socket.send(octets, port, address);
      }
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    try {
      const resolver = createResolver({ server: `127.0.0.1:${socket.address().port}` });
      expect(await resolver.resolveMx('a.example')).toMatchObject({ records: [{ exchange: 'mx.example' }] });
    } finally {
      socket.close();
    }
  });

  it('is answered by "noSuchDomain" for a name that cannot be asked for, and asks nothing', async () => {
    const { address, queries } = await serve(() => ({}));
    for (const name of ['a..example', `${'a'.repeat(64)}.example`]) {
      expect(await createResolver({ server: address }).resolveMx(name)).toEqual({ kind: 'noSuchDomain' });
    }
    expect(queries).toEqual([]);
  });

  it('says what failed', async () => {
    const { address } = await serve(() => ({ rcode: SERVFAIL }));
    expect(await createResolver({ server: address, tries: 1 }).resolveMx('a.example')).toEqual({
      kind: 'temporary',
      problem: 'DNS look-up failed: the server answered SERVFAIL',
    });
  });

  it('is answered by "temporary" where no server listens', async () => {
    const { address } = await serve(() => ({}));
    await servers.pop()?.();
    const resolver = createResolver({ server: address, timeout: 100, tries: 1 });
    expect(await resolver.resolveMx('a.example')).toMatchObject({ kind: 'temporary' });
  });

  it('asks again over TCP when the answer does not fit (RFC 7766 §5)', async () => {
    const { address, queries } = await serve(() => ({
      truncated: true,
      answers: mx('a.example', [1, 'b.example']),
    }));
    expect(await createResolver({ server: address }).resolveMx('a.example')).toMatchObject({
      records: [{ exchange: 'b.example', preference: 1 }],
    });
    expect(queries).toEqual(['udp MX a.example', 'tcp MX a.example']);
  });
});

describe('a look-up of addresses', () => {
  it('asks for both families, and follows a CNAME of the exchanger', async () => {
    const { address, queries } = await serve((type) => ({
      answers: [
        { type: 'CNAME', name: 'mx.example', ttl: 60, data: 'host.example' },
        ...(type === 'A'
          ? addresses('A', 'host.example', '192.0.2.1', '192.0.2.2')
          : addresses('AAAA', 'host.example', '2001:db8::1')),
      ],
    }));
    const found = await createResolver({ server: address }).resolveAddresses('mx.example');
    expect(found.kind === 'found' && [...found.records].sort()).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      '2001:db8::1',
    ]);
    expect(queries.sort()).toEqual(['udp A mx.example', 'udp AAAA mx.example']);
  });

  it.each([
    ['found', { answers: addresses('A', 'mx.example', '192.0.2.1') }, { rcode: SERVFAIL }],
    ['found', { rcode: SERVFAIL }, { answers: addresses('AAAA', 'mx.example', '2001:db8::1') }],
    ['found', {}, { answers: addresses('AAAA', 'mx.example', '2001:db8::1') }],
    ['temporary', {}, { rcode: SERVFAIL }],
    ['temporary', { rcode: SERVFAIL }, {}],
    ['temporary', { rcode: SERVFAIL }, { rcode: NXDOMAIN }],
    ['none', {}, {}],
    ['none', {}, { rcode: NXDOMAIN }],
    ['noSuchDomain', { rcode: NXDOMAIN }, { rcode: NXDOMAIN }],
  ] satisfies [string, DnsReply, DnsReply][])(
    'is "%s" when A gives %j and AAAA %j',
    async (kind, a, aaaa) => {
      const { address } = await serve((type) => (type === 'A' ? a : aaaa));
      const resolver = createResolver({ server: address, tries: 1 });
      expect(await resolver.resolveAddresses('mx.example')).toMatchObject({ kind });
    },
  );
});

describe('a look-up of text', () => {
  it('joins the strings of each record', async () => {
    const { address } = await serve((_, name) => ({
      answers: [
        { type: 'TXT', name, ttl: 60, data: ['v=STS', 'v1; id=1;'] },
        { type: 'TXT', name, ttl: 60, data: 'other' },
      ],
    }));
    const found = await createResolver({ server: address }).resolveTxt('_mta-sts.a.example');
    expect(found.kind === 'found' && [...found.records].sort()).toEqual(['other', 'v=STSv1; id=1;']);
  });
});

describe('a resolver', () => {
  it('asks as often as it may', async () => {
    const { address, queries } = await serve(() => undefined);
    await createResolver({ server: address, timeout: 50, tries: 2 }).resolveMx('a.example');
    expect(queries).toHaveLength(2);
  });

  it('ends at its deadline', async () => {
    const { address } = await serve(() => undefined);
    const before = performance.now();
    const answer = await createResolver({ server: address, deadline: 50 }).resolveAddresses('a.example');
    expect(answer).toMatchObject({ kind: 'temporary' });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('ends when it is told to, by the reason given', async () => {
    const { address } = await serve(() => undefined);
    const resolver = createResolver({ server: address });
    const controller = new AbortController();
    const lookUp = resolver.resolveMx('a.example', controller.signal);
    const reason = new Error('shutting down');
    controller.abort(reason);
    await expect(lookUp).rejects.toBe(reason);
    await expect(resolver.resolveAddresses('a.example', controller.signal)).rejects.toBe(reason);
  });

  it('stops one look-up without the others', async () => {
    const { address } = await serve((_, name) =>
      name === 'slow.example' ? undefined : { answers: mx(name, [1, 'b.example']) },
    );
    const resolver = createResolver({ server: address });
    const controller = new AbortController();
    const slow = resolver.resolveMx('slow.example', controller.signal);
    const quick = resolver.resolveMx('quick.example');
    controller.abort();
    await expect(slow).rejects.toThrow('abort');
    expect(await quick).toMatchObject({ kind: 'found' });
  });

  it('routes mail with what a server says', async () => {
    const { address } = await serve((type, name) => {
      if (type === 'MX' && name === 'xn--bcher-kva.example') return { answers: mx(name, [5, 'mx.example']) };
      if (type === 'A' && name === 'mx.example') return { answers: addresses('A', name, '192.0.2.1') };
      return {};
    });
    expect(await findRoute('bücher.example', createResolver({ server: address }))).toMatchObject({
      attempts: [{ host: 'mx.example', address: '192.0.2.1', preference: 5 }],
    });
  });

  it('refuses options that mean nothing', () => {
    expect(() => createResolver({ server: 'dns.example:53' })).toThrow(TypeError);
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createResolver({ timeout: value })).toThrow(RangeError);
      expect(() => createResolver({ tries: value })).toThrow(RangeError);
      expect(() => createResolver({ deadline: value })).toThrow(RangeError);
    }
  });
});

describe('a pause of our own', () => {
  /** The event loop stands still, once what was sent is on its way. */
  const standStill = (milliseconds: number) =>
    void setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds));

  it.each([
    ['timeout', { timeout: 200, tries: 1 }],
    ['deadline', { deadline: 200 }],
  ])('is not held against the server: its answer is read before the %s is over', async (_, options) => {
    const { address } = await serve((type, name) => {
      standStill(400);
      return { answers: [{ type: 'TXT', name, data: `${type} is here` }] };
    });
    const found = await createResolver({ server: address, ...options }).resolveTxt('a.example');
    expect(found).toEqual({ kind: 'found', records: ['TXT is here'] });
  });
});
