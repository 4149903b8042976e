/** Several addresses of one host: which of them are tried when, and which one is taken (RFC 8305 §5). */
import { ConnectError } from '@sansmtp/transport-node';
import { describe, expect, it } from 'vitest';
import type { MailerOptions } from '../mailer/mailer-options.js';
import {
  type Address,
  envelopeTo,
  expectNothingLeft,
  mailing,
  resolverOf,
} from '../mailer/scripted-network.test-support.js';
import type { MailResolver } from '../routing/mail-resolver.js';

expectNothingLeft();

const A = '192.0.2.1';
const B = '192.0.2.2';
const C = '192.0.2.3';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

/** One exchanger, or several, with these addresses each. */
function hosts(...addresses: readonly (readonly string[])[]): MailResolver {
  return {
    ...resolverOf({ 'b.example': addresses.map((_, index) => `mx${index}`) }),
    resolveAddresses: async (host) => ({ kind: 'found', records: addresses[Number(host[2])] ?? [] }),
  };
}

/** Which addresses were begun, and when. */
function racing(
  addresses: Readonly<Record<string, Address>>,
  resolver: MailResolver,
  options: MailerOptions = {},
) {
  const { mailer, network } = mailing(addresses, {
    resolver,
    openStream: (endpoint, tls, signal) => {
      const address = 'path' in endpoint ? endpoint.path : endpoint.address;
      begun.push([address, network.clock.now() - start]);
      return network.openStream(endpoint, tls, signal);
    },
    ...options,
  });
  const begun: [string, number][] = [];
  const start = network.clock.now();
  return { mailer, network, begun };
}

describe('the addresses of an exchanger', () => {
  it('are tried one beside the other when the first does not answer within 250 ms', async () => {
    const { mailer, network, begun } = racing({ [A]: 'unreachable', [B]: {} }, hosts([A, B, C]));
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'delivered', host: 'mx0.mx' }]);
    expect(begun).toEqual([
      [A, 0],
      [B, 250],
    ]);
  });

  it('are tried beside after `attemptDelay`', async () => {
    const { mailer, network, begun } = racing({ [A]: 'unreachable', [B]: {} }, hosts([A, B]), {
      attemptDelay: 40,
    });
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(begun).toEqual([
      [A, 0],
      [B, 40],
    ]);
  });

  it('are tried at once when the one before has failed, and each once', async () => {
    const { mailer, network, begun } = racing({}, hosts([A, B, C]));
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'connect', host: 'mx0.mx' }]);
    expect(begun).toEqual([
      [A, 0],
      [B, 1],
      [C, 2],
    ]);
  });

  it('take one time-out together when none answers', async () => {
    const silent = { [A]: 'unreachable', [B]: 'unreachable', [C]: 'unreachable' } as const;
    const { mailer, network, begun } = racing(silent, hosts([A, B, C]), { connectTimeout: 1_000 });
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(begun).toEqual([
      [A, 0],
      [B, 250],
      [C, 500],
    ]);
  });

  it('are not raced with those of another exchanger', async () => {
    const { mailer, network, begun } = racing({ [A]: 'unreachable', [B]: {} }, hosts([A], [B]), {
      connectTimeout: 1_000,
    });
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(begun).toEqual([
      [A, 0],
      [B, 1_000],
    ]);
  });

  it('that lost get their turn when the session at the one that won fails, which is not tried again', async () => {
    const busy = { greeting: '421 4.3.2 Busy' };
    const { mailer, network, begun } = racing({ [A]: 'unreachable', [B]: busy }, hosts([A, B]), {
      connectTimeout: 1_000,
    });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'connect' }]);
    expect(begun.map(([address]) => address)).toEqual([A, B, A]);
  });

  it('count as one host in the limits', async () => {
    const { mailer, network } = racing({ [A]: 'unreachable', [B]: {} }, hosts([A, B]), {
      pool: { connectionsPerHost: 1 },
    });
    const sendings = ['1', '2', '3'].map((name) => mailer.send(envelopeTo(`${name}@b.example`), MESSAGE));
    await network.run(Promise.all(sendings));
    expect(network.mostInAll).toBe(1);
    expect(network.connections).toHaveLength(1);
  });

  it('count as one host also when DNS gives them in another order', async () => {
    let turn = 0;
    const resolver: MailResolver = {
      ...hosts([A, B]),
      resolveAddresses: async () => ({ kind: 'found', records: turn++ === 0 ? [A, B] : [B, A] }),
    };
    const { mailer, network, begun } = racing({ [A]: {}, [B]: {} }, resolver, {
      pool: { connectionsPerHost: 1 },
    });
    const sendings = ['1', '2'].map((name) => mailer.send(envelopeTo(`${name}@b.example`), MESSAGE));
    await network.run(Promise.all(sendings));
    expect(begun.map(([address]) => address)).toEqual([A, B]);
    expect(network.mostInAll).toBe(1);
  });

  it('that answer too late are given up: the connection is dropped', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      {
        resolver: hosts([A, B]),
        async openStream(endpoint, tls) {
          const slow = 'address' in endpoint && endpoint.address === A;
          if (slow) await new Promise<void>((resolve) => network.clock.set(900, resolve));
          return network.openStream(endpoint, tls, undefined);
        },
      },
    );
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    await network.clock.advanceAsync(1_000);
    expect(network.to(B)[0]?.messages).toHaveLength(1);
    expect(network.to(A)[0]).toMatchObject({ closed: true, commands: [] });
    network.open.delete(A); // nobody listened to that stream
  });

  it('are all given up with the delivery', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const { mailer, network } = mailing(
      {},
      {
        resolver: hosts([A, B]),
        openStream(_, __, signal) {
          signals.push(signal);
          return new Promise(() => {});
        },
      },
    );
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 1_000 }));
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
  });

  it('that fail with an error tell it', async () => {
    const { mailer, network } = mailing(
      {},
      {
        resolver: hosts([A, B]),
        openStream: async (endpoint) => {
          throw new ConnectError(`No way to ${'address' in endpoint && endpoint.address}`, 'EHOSTUNREACH');
        },
      },
    );
    const [verdict] = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdict?.reason).toContain(`No way to ${B}`);
  });
});
