/** A delivery can be stopped whatever it waits for, and a mailer closed. */
import { getEventListeners } from 'node:events';
import type { ByteStream } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { describe, expect, it } from 'vitest';
import type { PolicyResponse } from '../policies/mta-sts.js';
import type { MailerOptions } from './mailer-options.js';
import { envelopeTo, expectNothingLeft, mailing, resolverOf } from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';
const resolver = resolverOf({ 'b.example': [A] }, true);
const announcing = {
  ...resolver,
  resolveTxt: async () => ({ kind: 'found', records: ['v=STSv1; id=1;'] }) as const,
};
const cache = { get: () => undefined, set: () => {} };
const response: PolicyResponse = {
  status: 200,
  contentType: 'text/plain',
  body: Buffer.from('version: STSv1\nmode: none\nmax_age: 1\n'),
};
const fetchPolicy = async () => response;
const forEver = () => new Promise<never>(() => {});

describe('a delivery is stopped by its deadline, and the mailer can be closed, while', () => {
  it.each<[string, MailerOptions]>([
    ['resolveMx() hangs', { resolver: { ...resolver, resolveMx: forEver } }],
    ['resolveAddresses() hangs', { resolver: { ...resolver, resolveAddresses: forEver } }],
    ['resolveTxt() hangs', { resolver: { ...resolver, resolveTxt: forEver }, sts: { fetchPolicy, cache } }],
    ['resolveTlsa() hangs', { resolver, tlsa: { resolveTlsa: forEver } }],
    ['fetchPolicy() hangs', { resolver: announcing, sts: { fetchPolicy: forEver, cache } }],
    [
      'PolicyCache.get() hangs',
      { resolver: announcing, sts: { fetchPolicy, cache: { ...cache, get: forEver } } },
    ],
    [
      'PolicyCache.set() hangs',
      { resolver: announcing, sts: { fetchPolicy, cache: { ...cache, set: forEver } } },
    ],
    ['openStream() hangs', { resolver, openStream: forEver }],
    ['openStream() to a relay hangs', { relay: { host: A }, openStream: forEver }],
  ])('%s', async (_, options) => {
    const { mailer, network } = mailing({ [A]: {} }, options);
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 5_000 });
    const closing = mailer.close();
    expect(await network.run(sending)).toMatchObject([{ verdict: 'deferred', error: { code: 'ETIMEDOUT' } }]);
    await network.run(closing);
    expect(network.connections).toEqual([]);
  });
});

describe('a stream', () => {
  it('that is opened when the delivery was stopped already is aborted', async () => {
    let answer: (stream: ByteStream) => void = () => {};
    const late = new Promise<ByteStream>((resolve) => {
      answer = resolve;
    });
    const { mailer, network } = mailing({}, { relay: { host: A }, openStream: () => late });
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 100 }));
    const [near, far] = createMemoryPair({ clock: network.clock });
    let closed = false;
    const close = () => {
      closed = true;
    };
    far.open({ data() {}, end() {}, drain() {}, secure() {}, close });
    answer(near);
    await network.clock.advanceAsync(10);
    expect(closed).toBe(true);
  });
});

describe('close() with a signal', () => {
  it('drops the sessions that get no answer to QUIT', async () => {
    const { mailer, network } = mailing(
      { [A]: { reply: (command) => (command === 'QUIT' ? 'silence' : undefined) } },
      { relay: { host: A } },
    );
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    const controller = new AbortController();
    const closing = mailer.close({ signal: controller.signal });
    await network.clock.advanceAsync(10);
    const before = network.clock.now();
    controller.abort();
    await closing;
    expect(network.clock.now()).toBe(before);
    expect(network.connections[0]?.commands.at(-1)).toBe('QUIT');
  });

  it.each<[string, MailerOptions]>([
    ['a relay', { relay: { host: A } }],
    ['mail exchangers', { resolver }],
  ])('stops the mail that is under way to %s', async (_, options) => {
    const { mailer, network } = mailing(
      { [A]: { reply: (command) => (command === '.' ? 'silence' : undefined) } },
      { ...options, pool: { connectionsPerHost: 1 } },
    );
    const sendings = ['1', '2'].map((name) => mailer.send(envelopeTo(`${name}@b.example`), MESSAGE));
    await network.clock.advanceAsync(100);
    const before = network.clock.now();
    await mailer.close({ signal: AbortSignal.abort(new Error('Enough')) });
    const verdicts = await Promise.all(sendings);
    expect(network.clock.now()).toBe(before);
    expect(verdicts).toMatchObject([[{ verdict: 'unknown' }], [{ verdict: 'deferred' }]]);
    expect(verdicts[1]?.[0]?.reason).toContain('Enough');
  });

  it('stops the mail that waits for a look-up', async () => {
    const { mailer, network } = mailing({}, { resolver: { ...resolver, resolveMx: forEver } });
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE);
    await network.clock.advanceAsync(100);
    const closing = mailer.close();
    const error = new Error('Enough');
    await mailer.close({ signal: AbortSignal.abort(error) });
    expect(await network.run(sending)).toMatchObject([{ verdict: 'deferred', error }]);
    await closing;
  });

  it('does not wait for a body that hangs', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    async function* body() {
      yield Buffer.from(MESSAGE);
      await forEver();
    }
    const sending = mailer.send(envelopeTo('r@b.example'), body());
    await network.clock.advanceAsync(100);
    await mailer.close({ signal: AbortSignal.abort() });
    expect(await network.run(sending)).toMatchObject([{ verdict: 'deferred' }]);
  });
});

describe('a signal', () => {
  it('may be shared by any number of deliveries: it has one listener, and none behind them', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const { mailer, network } = mailing({ [A]: {} }, { resolver });
    const sendings = Array.from({ length: 30 }, (_, name) =>
      mailer.send(envelopeTo(`${name}@b.example`), MESSAGE, { signal }),
    );
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await network.run(Promise.all(sendings));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('that is shared stops them all', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { mailer, network } = mailing({ [A]: 'unreachable' }, { resolver });
    const sendings = ['1', '2'].map((name) =>
      mailer.send(envelopeTo(`${name}@b.example`), MESSAGE, { signal }),
    );
    await network.clock.advanceAsync(10);
    controller.abort();
    expect(await Promise.all(sendings)).toMatchObject([[{ verdict: 'deferred' }], [{ verdict: 'deferred' }]]);
  });
});
