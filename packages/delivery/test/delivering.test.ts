/** From addresses to delivered messages over real sockets: DNS, several hosts on loopback, TLS, and large bodies. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatMailbox } from '@sansmtp/core';
import { createTlsContext, type MailListenOptions, startMailServer } from '@sansmtp/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type CachedPolicy,
  createMailer,
  createResolver,
  type Mailer,
  type MailerOptions,
  type PolicyCache,
  type TlsaRecord,
} from '../src/index.js';
import { envelopeTo } from '../src/mailer/scripted-network.test-support.js';
import { certificate } from '../src/policies/certificate.test-support.js';
import { serveDns, type Zone } from './dns-server.js';

const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

interface Received {
  readonly recipients: readonly string[];
  readonly octets: number;
  readonly text: string;
  readonly secured: boolean;
}

interface Sink {
  readonly port: number;
  readonly received: Received[];
  readonly connections: number;
}

/** A server on this loopback address. */
async function sink(host: string, port: number, tls?: MailListenOptions['tls']): Promise<Sink> {
  const received: Received[] = [];
  let connections = 0;
  const server = await startMailServer({
    addresses: [{ host, port, ...(tls && { tls }) }],
    session: { maximumMessageSize: 1_000_000_000 },
    handlers: {
      onConnect() {
        connections += 1;
      },
      async onMessage({ body, envelope }, { tls: information }) {
        let octets = 0;
        let text = '';
        for await (const chunk of body) {
          octets += chunk.length;
          if (octets < 1000) text += Buffer.from(chunk).toString();
        }
        const recipients = envelope.recipients.map(({ forwardPath }) => formatMailbox(forwardPath));
        received.push({ recipients, octets, text, secured: information !== undefined });
      },
    },
  });
  endings.push(() => server.shutdown(0));
  const [address] = server.addresses;
  if (address === undefined || !('port' in address)) throw new Error('The server has no port');
  return {
    port: address.port,
    received,
    get connections() {
      return connections;
    },
  };
}

/** A port that is free on all loopback addresses that the tests use. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

function mailerOf(options: MailerOptions): Mailer {
  const mailer = createMailer(options);
  endings.push(() => mailer.close());
  return mailer;
}

/**
 * Octets of memory that are still referred to: what garbage waits to be collected says nothing. What one collection finds of
 * buffers, another thread gives back, when it gets the time; the next collection begins with waiting for it.
 */
function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function resolving(zone: Zone, options: MailerOptions): Promise<Mailer> {
  const dns = await serveDns(zone);
  endings.push(() => dns.close());
  return mailerOf({ dns: dns.address, ...options });
}

describe('a message', () => {
  it('goes to the exchanger with the best preference, and to the next one where that is down', async () => {
    const port = await freePort();
    const best = await sink('127.0.0.2', port);
    const next = await sink('127.0.0.3', port);
    const mailer = await resolving(
      {
        'MX up.example': ['20 next.example', '10 best.example'],
        'MX down.example': ['20 next.example', '10 gone.example'],
        'A best.example': ['127.0.0.2'],
        'A next.example': ['127.0.0.3'],
        'A gone.example': ['127.0.0.4'],
      },
      { port },
    );
    const verdicts = await mailer.send(envelopeTo('r@up.example', 'r@down.example'), MESSAGE);
    expect(verdicts.map(({ verdict, host }) => [verdict, host])).toEqual([
      ['delivered', 'best.example'],
      ['delivered', 'next.example'],
    ]);
    expect(best.received.map(({ recipients }) => recipients)).toEqual([['r@up.example']]);
    expect(next.received.map(({ recipients }) => recipients)).toEqual([['r@down.example']]);
  });

  it('goes to the domain itself without MX records, nowhere with a null MX, and to an address literal', async () => {
    const port = await freePort();
    const server = await sink('127.0.0.2', port);
    const mailer = await resolving(
      { 'A implicit.example': ['127.0.0.2'], 'MX null.example': ['0 .'] },
      { port },
    );
    const verdicts = await mailer.send(
      envelopeTo('r@implicit.example', 'r@null.example', 'r@nowhere.example', 'r@[127.0.0.2]'),
      MESSAGE,
    );
    expect(verdicts).toMatchObject([
      { verdict: 'delivered', host: 'implicit.example' },
      { verdict: 'rejected', phase: 'routing', enhancedCode: '5.1.10' },
      { verdict: 'rejected', phase: 'routing', enhancedCode: '5.1.2' },
      { verdict: 'delivered', host: '[127.0.0.2]' },
    ]);
    expect(server.received).toHaveLength(2);
  });

  it('goes once to a host that takes mail for several of its domains', async () => {
    const port = await freePort();
    const server = await sink('127.0.0.2', port);
    const mailer = await resolving(
      { 'MX a.example': ['10 mx.example'], 'MX b.example': ['5 mx.example'], 'A mx.example': ['127.0.0.2'] },
      { port },
    );
    await mailer.send(envelopeTo('1@a.example', '2@b.example'), MESSAGE);
    expect(server.received.map(({ recipients }) => recipients)).toEqual([['1@a.example', '2@b.example']]);
  });

  it('is deferred while DNS does not answer', async () => {
    const mailer = mailerOf({
      resolver: createResolver({
        server: `127.0.0.1:${await freePort()}`,
        timeout: 100,
        tries: 1,
      }),
    });
    const verdicts = await mailer.send(envelopeTo('r@a.example'), MESSAGE);
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'routing', enhancedCode: '4.4.3' }]);
  });
});

function policyCache(): PolicyCache {
  const policies = new Map<string, CachedPolicy>();
  return {
    get: (domain) => policies.get(domain),
    set(domain, policy) {
      policies.set(domain, policy);
    },
  };
}

function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

describe('TLS', () => {
  const certificates = () => {
    const authority = certificate({ name: 'Authority', ca: true });
    const issued = certificate({ name: 'mx.example', dnsNames: ['mx.example'], issuer: authority });
    const cert = [issued, authority].map(({ der }) => pemOf(der)).join('');
    const key = issued.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { authority, issued, context: createTlsContext({ cert, key }) };
  };
  const ZONE: Zone = { 'MX a.example': ['10 mx.example'], 'A mx.example': ['127.0.0.2'] };

  it('protects mail where it is offered, whatever the certificate', async () => {
    const port = await freePort();
    const { context } = certificates();
    const server = await sink('127.0.0.2', port, { mode: 'startTls', context });
    const mailer = await resolving(ZONE, { port });
    expect(await mailer.send(envelopeTo('r@a.example'), MESSAGE)).toMatchObject([{ verdict: 'delivered' }]);
    expect(server.received).toMatchObject([{ secured: true }]);
  });

  it('that MTA-STS demands needs a certificate for the host from an authority that is trusted', async () => {
    const port = await freePort();
    const { authority, context } = certificates();
    const server = await sink('127.0.0.2', port, { mode: 'startTls', context });
    const zone = { ...ZONE, 'TXT _mta-sts.a.example': ['v=STSv1; id=1'] };
    const sts = {
      fetchPolicy: async () => ({
        status: 200,
        contentType: 'text/plain',
        body: Buffer.from('version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n'),
      }),
      cache: policyCache(),
    };
    const stranger = await resolving(zone, { port, sts: { ...sts, cache: policyCache() } });
    expect(await stranger.send(envelopeTo('r@a.example'), MESSAGE)).toMatchObject([
      { verdict: 'deferred', phase: 'policy', failure: { kind: 'tls' } },
    ]);
    expect(server.received).toEqual([]);
    const trusting = await resolving(zone, { port, sts, tlsOptions: { ca: pemOf(authority.der) } });
    expect(await trusting.send(envelopeTo('r@a.example'), MESSAGE)).toMatchObject([{ verdict: 'delivered' }]);
    expect(server.received).toMatchObject([{ secured: true }]);
  });

  it('that MTA-STS demands needs the host in the subjectAltName: a common name is not enough', async () => {
    const port = await freePort();
    const authority = certificate({ name: 'Authority', ca: true });
    const issued = certificate({ name: 'mx.example', issuer: authority });
    const key = issued.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const context = createTlsContext({ cert: pemOf(issued.der), key });
    const server = await sink('127.0.0.2', port, { mode: 'startTls', context });
    const zone = { ...ZONE, 'TXT _mta-sts.a.example': ['v=STSv1; id=1'] };
    const sts = {
      fetchPolicy: async () => ({
        status: 200,
        contentType: 'text/plain',
        body: Buffer.from('version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n'),
      }),
      cache: policyCache(),
    };
    const mailer = await resolving(zone, { port, sts, tlsOptions: { ca: pemOf(authority.der) } });
    expect(await mailer.send(envelopeTo('r@a.example'), MESSAGE)).toMatchObject([
      { verdict: 'deferred', phase: 'policy', reason: expect.stringMatching(/subjectAltName.*MTA-STS/) },
    ]);
    expect(server.received).toEqual([]);
  });

  it('that DANE demands needs a certificate that a TLSA record names', async () => {
    const port = await freePort();
    const { authority, issued, context } = certificates();
    const server = await sink('127.0.0.2', port, { mode: 'startTls', context });
    const record = (usage: number, data: Uint8Array): TlsaRecord => ({
      usage,
      selector: 0,
      matchingType: 0,
      data,
    });
    const sendWith = async (records: readonly TlsaRecord[]) => {
      const mailer = mailerOf({
        port,
        resolver: {
          resolveMx: async () => ({
            kind: 'found',
            records: [{ exchange: 'mx.example', preference: 10 }],
            secure: true,
          }),
          resolveAddresses: async () => ({ kind: 'found', records: ['127.0.0.2'], secure: true }),
          resolveTxt: async () => ({ kind: 'none' }),
        },
        tlsa: { resolveTlsa: async () => ({ kind: 'found', records, secure: true }) },
      });
      return mailer.send(envelopeTo('r@a.example'), MESSAGE);
    };
    const other = certificates();
    expect(await sendWith([record(3, other.issued.der)])).toMatchObject([
      { verdict: 'deferred', phase: 'policy', host: 'mx.example' },
    ]);
    expect(server.received).toEqual([]);
    expect(await sendWith([record(3, issued.der)])).toMatchObject([{ verdict: 'delivered' }]);
    expect(await sendWith([record(2, authority.der)])).toMatchObject([{ verdict: 'delivered' }]);
    expect(server.received).toMatchObject([{ secured: true }, { secured: true }]);
  });
});

describe('a body', () => {
  const LINE = Buffer.from(`${'x'.repeat(78)}\r\n`);
  const CHUNK = Buffer.concat(new Array(512).fill(LINE));

  it('of any kind arrives as it is', async () => {
    const server = await sink('127.0.0.1', 0);
    const mailer = mailerOf({ relay: { host: '127.0.0.1', port: server.port } });
    const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
    endings.push(() => rm(directory, { recursive: true }));
    const path = join(directory, 'message');
    await writeFile(path, MESSAGE);
    const bodies = [
      MESSAGE,
      Buffer.from(MESSAGE),
      { path },
      createReadStream(path),
      Readable.from([Buffer.from(MESSAGE)]),
      new Blob([MESSAGE]).stream(),
      (async function* () {
        yield Buffer.from(MESSAGE);
      })(),
    ];
    for (const body of bodies) {
      expect(await mailer.send(envelopeTo('r@a.example'), body)).toMatchObject([{ verdict: 'delivered' }]);
    }
    expect(server.received.map(({ text }) => text)).toEqual(bodies.map(() => MESSAGE));
    expect(server.connections).toBe(1);
  });

  it('that is a stream whose file does not exist is an error of send(), and of nobody else', async () => {
    const server = await sink('127.0.0.1', 0);
    const mailer = mailerOf({ relay: { host: '127.0.0.1', port: server.port } });
    const sending = mailer.send(envelopeTo('r@a.example'), createReadStream('/nowhere/at/all'));
    await expect(sending).rejects.toThrow('ENOENT');
    expect(server.received).toEqual([]);
  });

  it.each<[string, number, readonly string[]]>([
    ['of 200 MB passes straight to one server', 5000, ['127.0.0.2']],
    ['of 40 MB passes by way of a temporary file to two', 1000, ['127.0.0.2', '127.0.0.3']],
  ])(
    '%s, in bounded memory',
    async (_, chunks, hosts) => {
      const port = await freePort();
      const servers = await Promise.all(hosts.map((host) => sink(host, port)));
      const mailer = mailerOf({ port });
      let most = 0;
      const before = heldMemory();
      const size = chunks * CHUNK.length;
      async function* body() {
        for (let chunk = 0; chunk < chunks; chunk++) {
          if (chunk % 250 === 0) most = Math.max(most, heldMemory() - before);
          yield CHUNK;
        }
      }
      const verdicts = await mailer.send(envelopeTo(...hosts.map((host) => `r@[${host}]`)), body());
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(hosts.map(() => 'delivered'));
      for (const { received } of servers) expect(received).toMatchObject([{ octets: size }]);
      expect(most).toBeLessThan(16 * 1024 * 1024);
    },
    30_000,
  );
});
