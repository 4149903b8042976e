/** Mail never comes back to the host that sends it (RFC 5321 §5.1), and no zone makes it try without end. */
import { describe, expect, it } from 'vitest';
import { createMailer } from './mailer.js';
import type { MailerOptions } from './mailer-options.js';
import { envelopeTo, expectNothingLeft, mailing, resolverOf } from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const B = '192.0.2.2';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

describe('mail for which this host is the best exchanger is rejected as a loop', () => {
  it.each<[string, MailerOptions]>([
    ['by `hostname`', { hostname: '192.0.2.1.mx' }],
    ['by one of `ownNames`', { routing: { ownNames: ['other.example', '192.0.2.1.MX'] } }],
    ['by one of `ownAddresses`', { routing: { ownAddresses: ['2001:db8::1', A] } }],
  ])('%s', async (_, options) => {
    const resolver = resolverOf({ 'b.example': [A, B], 'c.example': [B, A] });
    const { mailer, network } = mailing({ [A]: {}, [B]: {} }, { resolver, ...options });
    const verdicts = await network.run(mailer.send(envelopeTo('1@b.example', '2@c.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'rejected', phase: 'routing', enhancedCode: '5.4.6' },
      { verdict: 'delivered', host: `${B}.mx` },
    ]);
    expect(network.to(A)).toEqual([]);
  });

  it('not by `hostname` when `ownNames` says otherwise', async () => {
    const { mailer, network } = mailing(
      { [A]: {} },
      { resolver: resolverOf({ 'b.example': [A] }), hostname: '192.0.2.1.mx', routing: { ownNames: [] } },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
  });
});

describe('no more is tried than', () => {
  it.each<[string, MailerOptions]>([
    ['the hosts', { routing: { maximumHosts: 1 } }],
    ['the addresses', { routing: { maximumAttempts: 1 } }],
  ])('%s that the options allow', async (_, options) => {
    const { mailer, network } = mailing(
      { [A]: 'refused', [B]: {} },
      { resolver: resolverOf({ 'b.example': [A, B] }), ...options },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', host: `${A}.mx` }]);
  });
});

const NO_CACHE = { get: () => undefined, set: () => {} };

describe('options out of range are thrown', () => {
  it.each<[MailerOptions, string]>([
    [{ routing: { maximumHosts: 0 } }, 'routing.maximumHosts is 0'],
    [{ routing: { maximumAttempts: 1.5 } }, 'routing.maximumAttempts is 1.5'],
    [{ routing: { ownAddresses: ['mx.example'] } }, 'routing.ownAddresses is "mx.example"'],
    [{ attemptDelay: -1 }, 'attemptDelay is -1'],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((fetchTimeout): [MailerOptions, string] => [
      { sts: { fetchTimeout, fetchPolicy: () => new Promise(() => {}), cache: NO_CACHE } },
      `sts.fetchTimeout is ${fetchTimeout}`,
    ]),
    // What a caller in JavaScript may have read from its environment.
    [
      { sts: { fetchTimeout: '1000' as never, fetchPolicy: () => new Promise(() => {}), cache: NO_CACHE } },
      'sts.fetchTimeout is 1000',
    ],
    [{ connectTimeout: '5000' as never }, 'connectTimeout is "5000"'],
    [{ pool: { idleTime: '5000' as never } }, 'pool.idleTime is "5000"'],
    [{ relay: { host: '' } }, 'relay.host is ""'],
    [{ relay: { path: '' } }, 'relay.path is ""'],
  ])('%j', (options, words) => {
    expect(() => createMailer(options)).toThrow(words);
  });
});
