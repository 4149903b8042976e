/** The MTA-STS policies of a mailer: fetched once for all its messages (RFC 8461 §3.3). */
import { describe, expect, it } from 'vitest';
import { certificate } from '../policies/certificate.test-support.js';
import type { CachedPolicy, FetchPolicy } from '../policies/mta-sts.js';
import { envelopeTo, expectNothingLeft, mailing, resolverOf } from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

function mailingWithPolicy(fetchPolicy: FetchPolicy) {
  return mailing(
    { [A]: {} },
    {
      resolver: {
        ...resolverOf({ 'b.example': [A] }),
        resolveTxt: async () => ({ kind: 'found', records: ['v=STSv1; id=1;'] }),
      },
      sts: { fetchPolicy, cache: new Map<string, CachedPolicy>() },
    },
  );
}

describe('the policy of a domain', () => {
  it('is fetched once for all messages that are sent at a time', async () => {
    let fetches = 0;
    const body = Buffer.from('version: STSv1\nmode: testing\nmx: *.mx\nmax_age: 86400\n');
    const { mailer, network } = mailingWithPolicy(async () => {
      fetches += 1;
      await new Promise<void>((resolve) => network.clock.set(network.clock.now() + 50, resolve));
      return { status: 200, contentType: 'text/plain', body };
    });
    const sendings = Array.from({ length: 30 }, (_, name) =>
      mailer.send(envelopeTo(`${name}@b.example`), MESSAGE),
    );
    const verdicts = (await network.run(Promise.all(sendings))).flat();
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(new Array(30).fill('delivered'));
    expect(fetches).toBe(1);
  });

  it('that cannot be fetched is tried again after five minutes', async () => {
    let fetches = 0;
    const { mailer, network } = mailingWithPolicy(async () => {
      fetches += 1;
      throw new Error('down');
    });
    for (let round = 0; round < 5; round++) {
      await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    }
    expect(fetches).toBe(1);
    await network.clock.advanceAsync(5 * 60_000);
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(fetches).toBe(2);
  });

  it('is still fetched for one message when another gives up', async () => {
    let aborted = false;
    const { mailer, network } = mailingWithPolicy((_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    });
    const impatient = mailer.send(envelopeTo('1@b.example'), MESSAGE, { deadline: 100 });
    const patient = mailer.send(envelopeTo('2@b.example'), MESSAGE);
    await network.clock.advanceAsync(200);
    expect(await impatient).toMatchObject([{ verdict: 'deferred', enhancedCode: '4.4.7' }]);
    expect(aborted).toBe(false);
    expect(await network.run(patient)).toMatchObject([{ verdict: 'delivered' }]);
  });
});

describe('a session to the same host, for a domain without a policy', () => {
  const own = certificate({ name: `${A}.mx` }).der;

  it('is not used for one whose policy demands more of the certificate (RFC 8461 §4.2)', async () => {
    const { mailer, network } = mailing(
      {
        [A]: {
          keywords: ['STARTTLS'],
          tls: 'works',
          information: {
            protocol: 'TLSv1.3',
            cipher: 'TLS_AES_256_GCM_SHA384',
            channelBindings: {},
            peerCertificate: {
              subject: `CN=${A}.mx`,
              subjectAlternativeNames: [],
              fingerprint: '0'.repeat(64),
              der: own,
              chain: [own],
            },
          },
        },
      },
      {
        tls: 'required',
        tlsOptions: { verify: true },
        resolver: {
          ...resolverOf({ 'b.example': [A], 'enforced.example': [A] }),
          resolveTxt: async (name) =>
            name === '_mta-sts.enforced.example'
              ? { kind: 'found', records: ['v=STSv1; id=1;'] }
              : { kind: 'none' },
        },
        sts: {
          fetchPolicy: async () => ({
            status: 200,
            contentType: 'text/plain',
            body: Buffer.from('version: STSv1\nmode: enforce\nmx: 192.0.2.1.mx\nmax_age: 86400\n'),
          }),
          cache: new Map<string, CachedPolicy>(),
        },
        pool: { idleTime: 60_000 },
      },
    );
    const send = (to: string) => network.run(mailer.send(envelopeTo(to), MESSAGE));
    expect(await send('r@b.example')).toMatchObject([{ verdict: 'delivered' }]);
    expect(await send('r@enforced.example')).toMatchObject([
      { verdict: 'deferred', phase: 'policy', reason: expect.stringContaining('subjectAltName') },
    ]);
    expect(await send('r@b.example')).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.connections).toHaveLength(2);
  });
});
