/** A domain that is slow to look up holds up nobody but its own recipients. */
import { describe, expect, it } from 'vitest';
import type { MailResolver } from '../routing/mail-resolver.js';
import type { MailerOptions } from './mailer-options.js';
import {
  type Connection,
  envelopeTo,
  expectNothingLeft,
  mailing,
  type Network,
  resolverOf,
} from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const B = '192.0.2.2';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';
const DOMAINS = {
  'fast.example': [A],
  'swift.example': [A],
  'slow.example': [A],
  'late.example': [A],
  'other.example': [B],
};

/** @param delays milliseconds until DNS says anything of a domain */
function mailingWithDelays(delays: Readonly<Record<string, number>>, options: MailerOptions = {}) {
  const found = resolverOf(DOMAINS);
  const { mailer, network } = mailing({ [A]: {}, [B]: {} }, { resolver: delayed(), ...options });
  function delayed(): MailResolver {
    return {
      ...found,
      async resolveMx(domain, signal) {
        await wait(network, delays[domain] ?? 0);
        return found.resolveMx(domain, signal);
      },
    };
  }
  return { mailer, network };
}

const wait = (network: Network, milliseconds: number): Promise<void> =>
  milliseconds === Number.POSITIVE_INFINITY
    ? new Promise(() => {})
    : new Promise((resolve) => network.clock.set(network.clock.now() + milliseconds, resolve));

/** The recipients of each message that was taken, in order. */
const taken = (connections: readonly Connection[]) =>
  connections.flatMap(({ messages }) => messages.map(({ recipients }) => recipients));

describe('a domain of which DNS says nothing', () => {
  it('is stopped by the deadline, and the others have their mail before', async () => {
    const { mailer, network } = mailingWithDelays({ 'slow.example': Number.POSITIVE_INFINITY });
    const envelope = envelopeTo('1@slow.example', '2@fast.example', '3@none.example');
    const sending = mailer.send(envelope, MESSAGE, { deadline: 15_000 });
    await network.clock.advanceAsync(2_000);
    expect(taken(network.connections)).toEqual([['2@fast.example']]);
    expect(await network.run(sending)).toMatchObject([
      { verdict: 'deferred', phase: 'routing', enhancedCode: '4.4.7' },
      { verdict: 'delivered' },
      { verdict: 'rejected', phase: 'routing', enhancedCode: '5.1.2' },
    ]);
  });

  it('holds up nobody though there are very many of them', async () => {
    const { mailer, network } = mailingWithDelays(
      {},
      {
        resolver: {
          ...resolverOf(DOMAINS),
          resolveMx: (domain) =>
            domain.startsWith('silent') ? new Promise(() => {}) : resolverOf(DOMAINS).resolveMx(domain),
        },
      },
    );
    const silent = Array.from({ length: 40 }, (_, index) => `r@silent${index}.example`);
    const sending = mailer.send(envelopeTo(...silent, 'r@fast.example'), MESSAGE, { deadline: 15_000 });
    const verdicts = await network.run(sending);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...silent.map(() => 'deferred'), 'delivered']);
  });

  it('is given up at once when the signal says so', async () => {
    const { mailer, network } = mailingWithDelays({ 'slow.example': Number.POSITIVE_INFINITY });
    const controller = new AbortController();
    const envelope = envelopeTo('1@slow.example', '2@fast.example');
    const sending = mailer.send(envelope, MESSAGE, { signal: controller.signal });
    await network.clock.advanceAsync(3_500);
    controller.abort(new Error('Enough'));
    expect(await sending).toMatchObject([{ verdict: 'deferred' }, { verdict: 'delivered' }]);
    expect(network.clock.now()).toBe(3_500);
  });

  it('is not waited for when the body fails', async () => {
    const { mailer, network } = mailingWithDelays({ 'slow.example': Number.POSITIVE_INFINITY });
    const fault = new Error('The disk is on fire');
    async function* body() {
      yield Buffer.from(MESSAGE);
      throw fault;
    }
    const sending = mailer.send(envelopeTo('1@slow.example', '2@fast.example'), body());
    await expect(network.run(sending)).rejects.toBe(fault);
    expect(network.clock.now()).toBeLessThan(60_000);
  });
});

describe('a domain whose MTA-STS policy hangs (RFC 8461 §3.3)', () => {
  it('waits for it alone', async () => {
    const { mailer, network } = mailingWithDelays(
      {},
      {
        resolver: {
          ...resolverOf(DOMAINS),
          resolveTxt: async (name) =>
            name === '_mta-sts.slow.example'
              ? { kind: 'found', records: ['v=STSv1; id=1;'] }
              : { kind: 'none' },
        },
        sts: { fetchPolicy: () => new Promise(() => {}), cache: { get: () => undefined, set: () => {} } },
      },
    );
    const sending = mailer.send(envelopeTo('1@slow.example', '2@fast.example'), MESSAGE);
    await network.clock.advanceAsync(2_000);
    expect(taken(network.connections)).toEqual([['2@fast.example']]);
    await network.clock.advanceAsync(60_000);
    expect(await sending).toMatchObject([{ verdict: 'delivered' }, { verdict: 'delivered' }]);
  });
});

describe('domains with a common exchanger', () => {
  it('share a mail transaction when DNS answers within the second', async () => {
    const { mailer, network } = mailingWithDelays({ 'slow.example': 900, 'swift.example': 300 });
    const envelope = envelopeTo('1@slow.example', '2@fast.example', '3@swift.example', '4@other.example');
    await network.run(mailer.send(envelope, MESSAGE));
    expect(taken(network.to(A))).toEqual([['1@slow.example', '2@fast.example', '3@swift.example']]);
    expect(taken(network.to(B))).toEqual([['4@other.example']]);
  });

  it('that answer later share one with those of the same second, and verdicts keep their order', async () => {
    const { mailer, network } = mailingWithDelays({ 'late.example': 5_700, 'slow.example': 5_200 });
    const envelope = envelopeTo('1@late.example', '2@fast.example', '3@slow.example', '4@none.example');
    const verdicts = await network.run(mailer.send(envelope, MESSAGE));
    expect(taken(network.connections)).toEqual([['2@fast.example'], ['1@late.example', '3@slow.example']]);
    expect(verdicts.map(({ recipient: { localPart }, verdict }) => [localPart, verdict])).toEqual([
      ['1', 'delivered'],
      ['2', 'delivered'],
      ['3', 'delivered'],
      ['4', 'rejected'],
    ]);
  });
});

describe('a message that comes as a stream', () => {
  it('is whole for those who come late, too', async () => {
    const { mailer, network } = mailingWithDelays({ 'late.example': 5_000 });
    async function* body() {
      yield Buffer.from(MESSAGE.slice(0, 9));
      yield Buffer.from(MESSAGE.slice(9));
    }
    const verdicts = await network.run(mailer.send(envelopeTo('1@fast.example', '2@late.example'), body()));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }, { verdict: 'delivered' }]);
    const messages = network.connections.flatMap((connection) => connection.messages);
    expect(messages.map(({ text }) => text)).toEqual([MESSAGE, MESSAGE]);
  });
});
