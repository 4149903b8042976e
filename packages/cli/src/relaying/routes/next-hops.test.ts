/** Where a relay delivers to, over real connections: what the policies of domains demand of their exchangers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTls, standardExtensions } from '@sansmtp/core';
import { openMaildir } from '@sansmtp/delivery';
import { createTlsContext, startMailServer } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveDns } from '../../../../delivery/test/dns-server.js';
import { openNextHops } from './next-hops.js';

let shown: { readonly cert: string; readonly key: string };
beforeAll(async () => {
  const altNames = [{ type: 2 as const, value: 'mx.example' }];
  const extensions = [{ name: 'subjectAltName' as const, altNames }];
  const made = await generate([{ name: 'commonName', value: 'mx.example' }], { keyType: 'ec', extensions });
  shown = { cert: made.cert, key: made.private };
});

/** @param policy of domain.example; undefined: it announces none */
async function sendTo(
  server: { readonly tls: boolean },
  policy: string | undefined,
  parameters: { readonly requireTls?: true },
) {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-hops-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const exchanger = await startMailServer({
    addresses: [
      { port: 0, ...(server.tls && { tls: { mode: 'startTls', context: createTlsContext(shown) } }) },
    ],
    // REQUIRETLS is offered over TLS.
    session: { extensions: [...standardExtensions, requireTls] },
    handlers: {
      async onMessage({ body }) {
        for await (const _ of body);
      },
    },
  });
  onTestFinished(() => exchanger.shutdown(0));
  const [address] = exchanger.addresses;
  const dns = await serveDns({
    'MX domain.example': ['10 mx.example'],
    'A mx.example': ['127.0.0.1'],
    ...(policy !== undefined && { 'TXT _mta-sts.domain.example': ['v=STSv1; id=1;'] }),
  });
  onTestFinished(() => dns.close());
  const options = {
    ...{ host: '127.0.0.1', port: 0, mxPort: address?.kind === 'tcp' ? address.port : 0, dns: dns.address },
    ...{ connections: 10, connectionsPerHost: 10, domain: new Set<string>() },
    viaTls: 'opportunistic',
  } as const;
  const hops = openNextHops(
    options,
    'relay.example',
    await openMaildir(join(folder, 'mail'), { hostname: 'relay.example' }),
    { ca: shown.cert, credentials: undefined },
    async () => ({ status: 200, contentType: 'text/plain', body: Buffer.from(policy ?? '') }),
  );
  onTestFinished(() => hops.close());
  const [verdict] = await hops.mailer.send(
    { from: null, to: ['bob@domain.example'], parameters },
    'Subject: a\n\na\n',
  );
  return verdict;
}

const policyOf = (mx: string) => `version: STSv1\r\nmode: enforce\r\nmx: ${mx}\r\nmax_age: 86400\r\n`;

describe('the exchangers of a domain with an MTA-STS policy', () => {
  it('get its mail under TLS with their certificate verified, REQUIRETLS too, and not in the clear', async () => {
    expect(await sendTo({ tls: true }, policyOf('mx.example'), { requireTls: true })).toMatchObject({
      verdict: 'delivered',
    });
    expect(await sendTo({ tls: false }, policyOf('mx.example'), {})).toMatchObject({ verdict: 'deferred' });
  });

  it('get nothing if it does not name them', async () => {
    expect(await sendTo({ tls: true }, policyOf('other.example'), {})).toMatchObject({
      verdict: 'deferred',
      reason: expect.stringContaining('does not name mx.example'),
    });
  });

  it('of one without a policy get its mail, but for what needs REQUIRETLS', async () => {
    expect(await sendTo({ tls: false }, undefined, {})).toMatchObject({ verdict: 'delivered' });
    expect((await sendTo({ tls: true }, undefined, { requireTls: true }))?.verdict).not.toBe('delivered');
  });
});
