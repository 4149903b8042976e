import { type ClientCredentials, type Reply, Secret } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { CredentialsError, type CredentialsSource } from '../sessions/session-credentials.js';
import { envelopeTo, expectNothingLeft, mailing, type Script } from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const token = (text: string): ClientCredentials => ({
  kind: 'token',
  username: 'ann',
  token: new Secret(text),
});

const AUTH = /^AUTH \S+ (\S+)$/;
const responseIn = (command: string) => Buffer.from(AUTH.exec(command)?.[1] ?? '', 'base64').toString();

/** A relay that lets in who shows this token, or password. */
function relayFor(accepted: string, mechanisms = 'XOAUTH2'): Script {
  return {
    keywords: [`AUTH ${mechanisms}`],
    reply(command) {
      if (!command.startsWith('AUTH')) return undefined;
      return responseIn(command).includes(accepted) ? '235 Welcome' : '535 5.7.8 No';
    },
  };
}

function withCredentials(script: Script, credentials: ClientCredentials | CredentialsSource, idleTime = 0) {
  return mailing(
    { [A]: script },
    { relay: { host: A }, authentication: { credentials, allowInsecure: true }, pool: { idleTime } },
  );
}

const send = ({ mailer, network }: ReturnType<typeof mailing>) =>
  network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));

describe('credentials by a function', () => {
  it('are asked for anew for each session, and for none beside', async () => {
    let asked = 0;
    const given = withCredentials(relayFor('tok'), () => token(`tok${++asked}`), 60_000);
    expect(asked).toBe(0);
    for (let messages = 0; messages < 3; messages++) {
      expect(await send(given)).toMatchObject([{ verdict: 'delivered' }]);
    }
    expect(asked).toBe(1);
    const single = withCredentials(relayFor('tok'), async () => token(`tok${++asked}`));
    await send(single);
    await send(single);
    const shown = single.network.connections.map(({ commands }) => responseIn(commands[1] ?? ''));
    expect(shown).toEqual([expect.stringContaining('tok2'), expect.stringContaining('tok3')]);
  });

  it('are asked for again, once, where the token is refused by 535: it has expired meanwhile', async () => {
    const refusals: (Reply | undefined)[] = [];
    const given = withCredentials(relayFor('fresh'), (refused) => {
      refusals.push(refused);
      return token(refused ? 'fresh' : 'stale');
    });
    expect(await send(given)).toMatchObject([{ verdict: 'delivered' }]);
    expect(refusals).toEqual([undefined, { code: 535, enhancedCode: '5.7.8', lines: ['No'] }]);
    expect(given.network.connections).toHaveLength(2);
    expect(given.network.mostInAll).toBe(1);
  });

  it('are asked for twice, and then the refusal stands', async () => {
    let asked = 0;
    const given = withCredentials(relayFor('fresh'), () => token(`stale${++asked}`));
    expect(await send(given)).toMatchObject([{ verdict: 'rejected', phase: 'auth', reply: { code: 535 } }]);
    expect(asked).toBe(2);
  });

  it.each<[string, Script, ClientCredentials]>([
    [
      'a password',
      relayFor('right', 'PLAIN'),
      { kind: 'password', username: 'ann', password: new Secret('wrong') },
    ],
    [
      'a token that is refused for now',
      {
        keywords: ['AUTH XOAUTH2'],
        reply: (command) => (command.startsWith('AUTH') ? '454 4.7.0 Later' : undefined),
      },
      token('tok'),
    ],
  ])('are not asked for again for %s', async (_, script, credentials) => {
    let asked = 0;
    const given = withCredentials(script, () => {
      asked += 1;
      return credentials;
    });
    expect(await send(given)).toMatchObject([{ phase: 'auth' }]);
    expect(asked).toBe(1);
    expect(given.network.connections).toHaveLength(1);
  });

  it('that are not to be had defer the mail, and nobody is connected to', async () => {
    const given = withCredentials(relayFor('tok'), () => {
      throw new Error('The issuer of tokens is down');
    });
    expect(await send(given)).toMatchObject([
      {
        verdict: 'deferred',
        phase: 'auth',
        enhancedCode: '4.7.0',
        reason: `${A}: There are no credentials: The issuer of tokens is down`,
        error: expect.any(CredentialsError),
      },
    ]);
    expect(given.network.connections).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a password that is no Secret', { kind: 'password', username: 'ann', password: 'secret' }],
    ['an unknown kind', { kind: 'ticket' }],
  ])('of a wrong shape defer the mail, and take no room in the pool: %s', async (_, wrong) => {
    const relay = relayFor('right', 'PLAIN');
    const right = { kind: 'password', username: 'ann', password: new Secret('right') };
    let asked = 0;
    const { mailer, network } = mailing(
      { [A]: relay },
      {
        relay: { host: A },
        authentication: {
          credentials: () => (asked++ === 0 ? wrong : right) as ClientCredentials,
          allowInsecure: true,
        },
        pool: { connectionsPerHost: 1 },
      },
    );
    expect(await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'))).toMatchObject([
      {
        verdict: 'deferred',
        phase: 'auth',
        reason: expect.stringContaining('There are no credentials: The option authentication.credentials.'),
        error: expect.any(CredentialsError),
      },
    ]);
    expect(network.connections).toEqual([]);
    expect(await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'))).toMatchObject([
      { verdict: 'delivered' },
    ]);
  });

  it('that never come do not hold up a delivery that is stopped', async () => {
    const { mailer, network } = withCredentials(relayFor('tok'), () => new Promise<never>(() => {}));
    const verdicts = network.run(mailer.send(envelopeTo('r@b.example'), 'Hello', { deadline: 1000 }));
    expect(await verdicts).toMatchObject([{ verdict: 'deferred', error: { code: 'ETIMEDOUT' } }]);
  });
});

describe('credentials', () => {
  const password: ClientCredentials = { kind: 'password', username: 'ann', password: new Secret('right') };
  const relay = { path: '/run/relay' };

  it('need a certificate that is verified, at a Unix socket too, unless told otherwise', () => {
    const making = (options: object) => () => mailing({}, { relay, ...options });
    expect(making({ authentication: { credentials: password } })).toThrow(
      /without its name: give tlsOptions\.servername/,
    );
    for (const told of [
      { authentication: { credentials: password, allowInsecure: true } },
      { authentication: { credentials: password }, tlsOptions: { verify: false } },
      { authentication: { credentials: password }, tlsOptions: { servername: 'relay.example' } },
    ]) {
      expect(making(told)).not.toThrow();
    }
  });

  it('make the certificate of a relay be verified, whatever `tls` is, and go out over no other', async () => {
    for (const tls of ['opportunistic', 'required', 'implicit'] as const) {
      const { mailer, network } = mailing(
        { [A]: { tls: 'fails' } },
        { relay: { host: A }, tls, authentication: { credentials: password } },
      );
      const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'));
      expect(verdicts).toMatchObject([{ verdict: 'deferred' }]);
      expect(network.handshakes).toEqual([{ address: A, verify: true }]);
      expect(network.connections.flatMap(({ commands }) => commands).join()).not.toContain('AUTH');
    }
  });
});
