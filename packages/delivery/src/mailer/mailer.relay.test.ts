import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMailer } from './mailer.js';
import {
  envelopeTo,
  expectNothingLeft,
  mailing,
  Network,
  resolverOf,
} from './scripted-network.test-support.js';

expectNothingLeft();

const [FIRST, SECOND] = ['2001:db8::1', '192.0.2.2'];

const resolver = {
  ...resolverOf({}),
  resolveAddresses: async (host: string) =>
    host === 'relay.example'
      ? ({ kind: 'found', records: [FIRST, SECOND], secure: false } as const)
      : host === 'slow.example'
        ? ({ kind: 'temporary', problem: 'no answer' } as const)
        : ({ kind: 'noSuchDomain' } as const),
};

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('a relay by name', () => {
  it('whose handshakes take longer than the delay between attempts gets its mail: no attempt is given up', async () => {
    const network = new Network({ [FIRST]: {}, [SECOND]: {} });
    const begun: [string, number][] = [];
    const mailer = createMailer({
      relay: { host: 'relay.example' },
      resolver,
      clock: network.clock,
      pool: { idleTime: 0 },
      async openStream(endpoint, tls, signal) {
        begun.push(['path' in endpoint ? '' : endpoint.address, network.clock.now()]);
        await new Promise<void>((resolve, reject) => {
          const cancel = network.clock.set(network.clock.now() + 400, resolve);
          signal?.addEventListener('abort', () => {
            cancel();
            reject(signal.reason);
          });
        });
        return network.openStream(endpoint, tls, signal);
      },
    });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    expect(verdicts).toMatchObject([{ verdict: 'delivered', host: 'relay.example' }]);
    expect(begun).toEqual([
      [FIRST, 0],
      [SECOND, 250],
    ]);
    expect(network.to(FIRST)).toHaveLength(1);
    await network.run(mailer.close());
  });

  it('is reached at its second address where nobody answers at the first', async () => {
    const { mailer, network } = mailing(
      { [FIRST]: 'refused', [SECOND]: {} },
      { relay: { host: 'relay.example' }, resolver },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.to(SECOND)).toHaveLength(1);
  });

  it('is looked up for each session, and what came of the addresses of earlier ones is forgotten', async () => {
    const network = new Network({ [SECOND]: {} });
    const seen: WeakRef<object>[] = [];
    const mailer = createMailer({
      relay: { host: 'relay.example' },
      resolver,
      clock: network.clock,
      pool: { idleTime: 0 },
      openStream(endpoint, tls, signal) {
        seen.push(new WeakRef(endpoint));
        return network.openStream(endpoint, tls, signal);
      },
    });
    for (let session = 0; session < 20; session++) {
      await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    }
    expect(seen).toHaveLength(40);
    collectGarbage();
    expect(seen.slice(0, 20).filter((endpoint) => endpoint.deref() !== undefined)).toEqual([]);
    await network.run(mailer.close());
  });

  it.each([
    ['relä.example', 'xn--rel-sla.example'],
    ['Relay.Example.', 'relay.example'],
    ['my_relay', 'my_relay'],
  ])('is asked of DNS, and of its certificate, by the name that these know: %s', async (host, name) => {
    const asked: string[] = [];
    const network = new Network({ [SECOND]: {} });
    const mailer = createMailer({
      relay: { host },
      resolver: {
        ...resolver,
        async resolveAddresses(name) {
          asked.push(name);
          return { kind: 'found', records: [SECOND] };
        },
      },
      clock: network.clock,
      openStream(endpoint, tls, signal) {
        asked.push(String(tls?.servername));
        return network.openStream(endpoint, tls, signal);
      },
    });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    expect(verdicts).toMatchObject([{ verdict: 'delivered', host: name }]);
    expect(asked).toEqual([name, name]);
    await network.run(mailer.close());
  });

  it.each([
    ['nowhere.example', 'ENOTFOUND'],
    ['slow.example', 'EAI_AGAIN'],
  ])('without an address defers the mail: %s', async (host, code) => {
    const { mailer, network } = mailing({}, { relay: { host }, resolver });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'connect', error: { code } }]);
  });

  it('that the system looks up is tried at each of its addresses', async () => {
    // `localhost` is both of 127.0.0.1 and ::1 on most machines, and nobody listens at the latter.
    const server = createServer((socket) => socket.end('554 Not today\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const mailer = createMailer({ relay: { host: 'localhost', port }, pool: { idleTime: 0 } });
    const verdicts = await mailer.send(envelopeTo('r@b.example'), 'Hello\r\n');
    expect(verdicts).toMatchObject([{ verdict: 'rejected', phase: 'greeting', reply: { code: 554 } }]);
    await mailer.close();
  });
});

describe('the rate of mail', () => {
  it('is that of pool.rateLimit and pool.rateDelta', async () => {
    const begun: number[] = [];
    const { mailer, network } = mailing(
      {
        [SECOND]: {
          reply(command) {
            if (command.startsWith('MAIL')) begun.push(network.clock.now());
            return undefined;
          },
        },
      },
      { relay: { host: SECOND }, pool: { rateLimit: 2, rateDelta: 1_000 } },
    );
    const sent = Array.from({ length: 6 }, () => mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
    const verdicts = await network.run(Promise.all(sent));
    expect(verdicts.flat().map(({ verdict }) => verdict)).toEqual(Array(6).fill('delivered'));
    for (const [index, at] of begun.entries()) {
      const before = begun[index - 2];
      if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(990); // the first ones had to greet first
    }
  });

  it('does not hold up a delivery that is stopped, nor a mailer that is', async () => {
    const { mailer, network } = mailing(
      { [SECOND]: {} },
      { relay: { host: SECOND }, pool: { rateLimit: 1, rateDelta: 3_600_000 } },
    );
    const send = (options: object) => mailer.send(envelopeTo('r@b.example'), 'Hello\r\n', options);
    expect(await network.run(send({}))).toMatchObject([{ verdict: 'delivered' }]);
    expect(await network.run(send({ deadline: 1000 }))).toMatchObject([
      { verdict: 'deferred', error: { code: 'ETIMEDOUT' } },
    ]);
    const waiting = send({});
    await network.clock.advanceAsync(10);
    await mailer.close({ signal: AbortSignal.abort(new Error('Enough')) });
    expect(await network.run(waiting)).toMatchObject([{ verdict: 'deferred' }]);
  });
});
