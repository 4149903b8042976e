import { describe, expect, it } from 'vitest';
import type {
  ClientCredentials,
  ClientMechanism,
  ClientStep,
  MechanismName,
  ServerMechanism,
} from '../sasl/exchange/exchange.js';
import { base64, passwordOf, ServerHalf, stored, tokenOf } from '../sasl/running.test-support.js';
import { serverMechanisms } from '../sasl/server-mechanisms.js';
import { Secret } from '../secret.js';
import type { ClientOutput } from './contract/messages.js';
import type { ClientAuthentication } from './contract/options.js';
import {
  Dialogue,
  failureIn,
  octetsOf,
  type Shown,
  TLS,
  textOf,
  withPassword,
  written,
} from './dialogue.test-support.js';

const QUIT = 'QUIT\r\n';
const encoded = (text: string | Uint8Array) => Buffer.from(text).toString('base64');
const readyIn = (outputs: readonly Shown[]) =>
  outputs.find((output) => typeof output !== 'string' && output.type === 'ready');
const authenticating = (authentication: ClientAuthentication) => new Dialogue({ tls: TLS, authentication });

/** Lets the client talk to the server's half of a mechanism, up to the first output that is no response. */
function exchange(client: Dialogue, mechanism: ServerMechanism, half: ServerHalf): Shown[] {
  let outputs = client.offered(`AUTH ${mechanism.name}`);
  for (let line = written(outputs); line !== ''; line = written(outputs)) {
    const [, response = ''] = /^(?:AUTH \S+ ?)?(.*)\r\n$/.exec(line) ?? [];
    if (line === '*\r\n' || line === QUIT) return outputs;
    // Without an initial response, the first challenge is the answer.
    if (response !== '' || !line.startsWith('AUTH')) half.respond(base64(response === '=' ? '' : response));
    const { challenge, outcome } = half;
    if (challenge !== undefined) outputs = client.say(`334 ${encoded(challenge)}`);
    else outputs = client.say(outcome?.type === 'success' ? '235 Welcome' : '535 5.7.8 No');
  }
  return outputs;
}

describe('a mechanism of the application', () => {
  /** The steps of its exchange, and why it gives up. */
  const own = (
    steps: readonly unknown[],
    reason: (heard: string) => unknown = () => 'No more',
  ): ClientMechanism => ({
    name: 'X-OWN',
    fits: ({ kind }) => kind === 'token',
    *begin() {
      let heard: Uint8Array = new Uint8Array();
      for (const step of steps) heard = yield step as ClientStep;
      return reason(textOf(heard)) as string;
    },
  });
  const say = (text: string, mayEnd = true) => ({ type: 'respond', data: new Secret(text), mayEnd });
  const session = (mechanism: ClientMechanism, more: Partial<ClientAuthentication> = {}) =>
    authenticating({
      credentials: tokenOf('ann', 'T1-ticket'),
      mechanisms: ['OAUTHBEARER', mechanism],
      ...more,
    });

  it('goes before ours, and its name is told', () => {
    const client = session(own([say('ann T1-ticket')]));
    const offered = client.offered('AUTH OAUTHBEARER X-OWN');
    expect(written(offered)).toBe(`AUTH X-OWN ${encoded('ann T1-ticket')}\r\n`);
    expect(readyIn(client.say('235 Welcome'))).toMatchObject({ offer: { authenticatedBy: 'X-OWN' } });
  });

  it('does not where the credentials do not fit, or the server does not offer it', () => {
    expect(written(session(own([])).offered('AUTH OAUTHBEARER'))).toMatch(/^AUTH OAUTHBEARER /);
    const client = session(own([]), {
      credentials: passwordOf('u', 'pencil'),
      mechanisms: [own([]), 'PLAIN'],
    });
    expect(written(client.offered('AUTH X-OWN PLAIN'))).toMatch(/^AUTH PLAIN /);
  });

  it('is refused by name, and gives up in its own words', () => {
    const refused = session(own([say('x')]));
    refused.offered('AUTH X-OWN');
    expect(failureIn(refused.say('535 5.7.8 No'))).toMatchObject({ kind: 'refused', mechanism: 'X-OWN' });
    const stopping = session(own([], () => 'The ticket is of yesterday'));
    expect(failureIn(stopping.offered('AUTH X-OWN'))).toMatchObject({ reason: 'The ticket is of yesterday' });
    const silent = session(own([], () => undefined));
    expect(failureIn(silent.offered('AUTH X-OWN'))).toMatchObject({ reason: 'X-OWN has given up' });
  });

  it('tells nobody what was said, be it in the reason for which it gives up', () => {
    for (const reason of [() => 'T1-ticket is used up', (heard: string) => `What is ${heard}?`]) {
      const client = session(own([say('ann T1-ticket', false)], reason));
      client.offered('AUTH X-OWN');
      const outputs = [...client.say(`334 ${encoded('challenge-7')}`), ...client.say('501 Cancelled')];
      expect(failureIn(outputs)).toMatchObject({
        reason: 'X-OWN has given up (its reason quotes the exchange)',
      });
    }
  });

  it.each([
    'ann',
    undefined,
    { type: 'challenge' },
    { type: 'respond', data: 'T1-ticket', mayEnd: true },
    { type: 'compute' },
  ])('that yields what is no step is told so, without what it is: %j', (step) => {
    let error: unknown;
    try {
      session(own([step])).offered('AUTH X-OWN');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/X-OWN yielded what is no step; it takes \{ type: 'respond'/);
    expect(String(error)).not.toContain('T1');
  });
});

describe('credentials', () => {
  const password = new Secret('hush-hush');
  const aSecret = 'a Secret: new Secret(…) of a string or of octets';
  const kinds = "'password', 'token' or 'external'";

  it.each<[string, unknown, string]>([
    ['password', { kind: 'password', username: 'u', password: 'hush-hush' }, aSecret],
    ['password', { kind: 'password', username: 'u' }, aSecret],
    ['token', { kind: 'token', username: 'u', token: 'hush-hush' }, aSecret],
    ['username', { kind: 'password', password }, 'a string'],
    ['username', { kind: 'token', username: password, token: password }, 'a string'],
    [
      'authorizationIdentity',
      { kind: 'password', username: 'u', password, authorizationIdentity: 7 },
      'a string',
    ],
    ['authorizationIdentity', { kind: 'external', authorizationIdentity: null }, 'a string'],
    [
      'authorizationIdentity',
      { kind: 'external', authorizationIdentity: 'ann\0bob' },
      'a string without control characters',
    ],
    ['kind', { username: 'u', password }, kinds],
    ['kind', { kind: 'hush-hush', username: 'u' }, kinds],
    ['kind', 'hush-hush', kinds],
    ['kind', undefined, kinds],
  ])('of the wrong shape are refused before anything is said: %s in %j', (field, credentials, wanted) => {
    const making = () => authenticating({ credentials: credentials as ClientCredentials });
    const message = `The option authentication.credentials.${field} takes ${wanted}`;
    expect(making).toThrow(new TypeError(message)); // and the value, which may be the secret, is nowhere in it
  });
});

describe('AUTH', () => {
  const password = passwordOf('user', 'pencil');
  const accounts = new Map([['user', stored('pencil')]]);
  const mechanisms = [...serverMechanisms].filter(([name]) => !name.endsWith('-PLUS') && name !== 'EXTERNAL');

  it.each(mechanisms)('by %s lets in who knows the password or has the token', (name, mechanism) => {
    const bearer = name === 'XOAUTH2' || name === 'OAUTHBEARER';
    const credentials = bearer ? tokenOf('user', 'token') : password;
    for (const host of bearer ? ['b.example', undefined] : [undefined]) {
      const half = new ServerHalf(mechanism, { accounts });
      const client = authenticating({ credentials, mechanisms: [name], ...(host && { host, port: 587 }) });
      expect(readyIn(exchange(client, mechanism, half))).toMatchObject({
        offer: { authenticatedBy: name },
      });
      expect(half.outcome).toMatchObject({
        type: 'success',
        identity: { mechanism: name, username: 'user' },
      });
      expect(client.session.offer?.authenticatedBy).toBe(name);
    }
  });

  it.each(mechanisms)('by %s fails for who does not, and QUIT follows', (name, mechanism) => {
    const wrong: ClientCredentials =
      name === 'XOAUTH2' || name === 'OAUTHBEARER' ? tokenOf('user', 'x') : passwordOf('user', 'x');
    const half = new ServerHalf(mechanism, { accounts, verify: () => false });
    const client = authenticating({ credentials: wrong, mechanisms: [name] });
    const outputs = exchange(client, mechanism, half);
    expect(failureIn(outputs)).toMatchObject({ kind: 'refused', phase: 'auth', reply: { code: 535 } });
    expect(written(outputs)).toBe(QUIT);
    expect(client.session.state).toBe('refused');
  });

  it('takes the strongest mechanism of those that are offered and allowed; CRAM-MD5 only when it is named', () => {
    const first = (offer: string, more: Partial<ClientAuthentication> = {}) =>
      written(authenticating({ credentials: password, ...more }).offered(offer)).split(' ')[1];
    expect(first('AUTH PLAIN LOGIN scram-sha-256 SCRAM-SHA-1')).toBe('SCRAM-SHA-256');
    expect(first('AUTH LOGIN PLAIN CRAM-MD5')).toBe('PLAIN');
    expect(first('AUTH LOGIN CRAM-MD5', { mechanisms: ['CRAM-MD5'] })).toBe('CRAM-MD5\r\n');
  });

  it('sends the initial response with the command, and "=" for an empty one (RFC 4954 §4)', () => {
    const plain = authenticating({ credentials: password });
    expect(plain.offered('AUTH PLAIN')).toEqual([`AUTH PLAIN ${encoded('\0user\0pencil')}\r\n`]);
    const external = authenticating({ credentials: { kind: 'external' } });
    expect(external.offered('AUTH EXTERNAL')).toEqual(['AUTH EXTERNAL =\r\n']);
  });

  it('sends an initial response that does not fit into the 512 octets of a command behind an empty 334 (RFC 4954 §4, erratum 5224)', () => {
    const offered = (length: number) => {
      const credentials = passwordOf('user', 'x'.repeat(length));
      const client = authenticating({ credentials, mechanisms: ['PLAIN'] });
      return { client, line: written(client.offered('AUTH PLAIN')) };
    };
    // "AUTH PLAIN " and CRLF leave 499 octets: base64 of 372, of which six are not the password's.
    const fitting = offered(366);
    expect(fitting.line).toHaveLength('AUTH PLAIN '.length + 496 + 2);
    const { client, line } = offered(367);
    expect(line).toBe('AUTH PLAIN\r\n');
    expect(client.hear('334 ')).toEqual([`${encoded(`\0user\0${'x'.repeat(367)}`)}\r\n`]);
    expect(readyIn(client.hear('235 OK'))).toBeDefined();

    const token = authenticating({ credentials: tokenOf('user', 't'.repeat(1000)) });
    expect(written(token.offered('AUTH XOAUTH2'))).toBe('AUTH XOAUTH2\r\n');
    expect(written(token.hear('334 '))).toHaveLength(4 * Math.ceil((1000 + 26) / 3) + 2);
    expect(readyIn(token.hear('235 OK'))).toBeDefined();

    const [asked, early, over] = [offered(367).client, offered(367).client, offered(9220)];
    expect(failureIn(asked.hear('334 eA=='))).toMatchObject({ kind: 'protocol' });
    expect(failureIn(early.hear('235 OK'))).toMatchObject({ kind: 'protocol' });
    expect(over.line).toBe(QUIT); // not even by itself
  });

  it('takes reply lines of 12288 octets, whatever maximumReplyLineLength is (RFC 4954 §4)', () => {
    const challenged = (text: string) => {
      const client = new Dialogue({
        ...withPassword('x', { mechanisms: ['LOGIN'] }),
        maximumReplyLineLength: 100,
      });
      client.offered('AUTH LOGIN');
      return client.hear(`334 ${text}`);
    };
    expect(written(challenged('A'.repeat(12_280)))).toBe(`${encoded('user')}\r\n`);
    expect(failureIn(challenged('A'.repeat(12_283)))).toMatchObject({ kind: 'protocol', phase: 'auth' });
  });
});

describe('credentials', () => {
  it('are withheld without TLS, whatever the server offers (RFC 4954 §9)', () => {
    for (const keywords of [['AUTH PLAIN'], ['AUTH EXTERNAL', 'STARTTLS'], []]) {
      const client = new Dialogue({ authentication: withPassword().authentication });
      const outputs = client.offered(...keywords);
      expect(failureIn(outputs)).toEqual({
        kind: 'withheld',
        phase: 'auth',
        reason: expect.stringContaining('allowInsecure'),
      });
      expect(written(outputs)).toBe(QUIT);
    }
  });

  it('are withheld when an opportunistic STARTTLS was refused, and shown when it was not', () => {
    const { authentication } = withPassword();
    const opportunistic = () => new Dialogue({ startTls: 'opportunistic', authentication });
    const refused = opportunistic();
    refused.offered('STARTTLS', 'AUTH PLAIN');
    expect(failureIn(refused.hear('454 No'))).toMatchObject({ kind: 'withheld' });

    const secured = opportunistic();
    secured.offered('STARTTLS', 'AUTH PLAIN');
    secured.hear('220 Go');
    secured.handle({ type: 'tlsEstablished', tls: TLS });
    expect(written(secured.offer('AUTH PLAIN'))).toMatch(/^AUTH PLAIN /);
  });

  it('are shown without TLS only where that is allowed', () => {
    const { authentication } = withPassword('pencil', { allowInsecure: true });
    const client = new Dialogue({ authentication });
    expect(written(client.offered('AUTH PLAIN'))).toMatch(/^AUTH PLAIN /);
  });

  it('that fit no mechanism in common end the session', () => {
    const failed = (offered: string[], switchedOff: MechanismName[] = []) => ({
      kind: 'notOffered',
      phase: 'auth',
      keyword: 'AUTH',
      offered,
      switchedOff,
    });
    const outcome = (authentication: ClientAuthentication, ...keywords: string[]) =>
      authenticating(authentication).offered(...keywords);
    const password = passwordOf('user', 'pencil');
    expect(failureIn(outcome({ credentials: password }, 'AUTH xoauth2 GSSAPI'))).toEqual(
      failed(['XOAUTH2', 'GSSAPI']),
    );
    expect(failureIn(outcome({ credentials: password }))).toEqual(failed([]));
    expect(failureIn(outcome({ credentials: password, mechanisms: ['PLAIN'] }, 'AUTH LOGIN'))).toEqual(
      failed(['LOGIN'], ['LOGIN']),
    );
    expect(failureIn(outcome({ credentials: password }, 'AUTH CRAM-MD5', 'AUTH=NTLM'))).toEqual(
      failed(['CRAM-MD5', 'NTLM'], ['CRAM-MD5']),
    );
    expect(failureIn(outcome({ credentials: password }, 'AUTH SCRAM-SHA-256-PLUS'))).toEqual(
      failed(['SCRAM-SHA-256-PLUS']),
    );
    expect(written(outcome({ credentials: password }))).toBe(QUIT);
  });
});

describe('a SASL exchange', () => {
  const started = (mechanism: 'PLAIN' | 'LOGIN' | 'SCRAM-SHA-256') => {
    const client = new Dialogue(withPassword('pencil', { mechanisms: [mechanism] }));
    client.offered(`AUTH ${mechanism}`);
    return client;
  };

  it.each(['334 not base64', '334 QQ', '334 QR==', '334-QQ==\r\n334 QQ==', '334 QQ== '])(
    'is cancelled by "*" at the challenge %j (RFC 4954 §4)',
    (line) => {
      const client = started('PLAIN');
      const outputs = client.octets(`${line}\r\n`);
      expect(failureIn(outputs)).toMatchObject({ kind: 'protocol', phase: 'auth' });
      expect(outputs.at(-1)).toBe('*\r\n');
      expect(client.hear('501 Cancelled')).toEqual([QUIT]);
      expect(client.hear('221 Bye')).toEqual([{ type: 'close' }]);
    },
  );

  it.each(['334 Username:', '334', '334-Your\r\n334 name'])(
    'by LOGIN passes over a prompt that is no base64: %j',
    (prompt) => {
      const client = started('LOGIN');
      expect(client.octets(`${prompt}\r\n`)).toEqual([`${encoded('user')}\r\n`]);
      expect(client.hear('334 Password:')).toEqual([`${encoded('pencil')}\r\n`]);
      expect(readyIn(client.hear('235 OK'))).toMatchObject({ offer: { authenticatedBy: 'LOGIN' } });
    },
  );

  it('is cancelled where the mechanism gives up, for the reason that it gives', () => {
    const client = started('PLAIN');
    expect(client.hear('334 QQ==')).toEqual([
      {
        type: 'failed',
        failure: {
          kind: 'authentication',
          phase: 'auth',
          reason: 'The server asked for more than PLAIN has to say',
        },
      },
      '*\r\n',
    ]);
    expect(client.hear('421 Bye')).toEqual([{ type: 'close' }]);
  });

  it('that cannot begin is not begun', () => {
    const client = authenticating({ credentials: passwordOf('', 'pencil'), mechanisms: ['PLAIN'] });
    const outputs = client.offered('AUTH PLAIN');
    expect(failureIn(outputs)).toMatchObject({ kind: 'authentication' });
    expect(written(outputs)).toBe(QUIT);
  });

  it('whose success comes before the server has proven itself is not believed (RFC 5802 §3)', () => {
    const client = started('SCRAM-SHA-256');
    const outputs = client.say('235 Welcome');
    expect(failureIn(outputs)).toMatchObject({ kind: 'protocol', phase: 'auth' });
    expect(outputs.at(-1)).toEqual({ type: 'closed' });
    expect(readyIn(outputs)).toBeUndefined();
  });

  it('whose success comes before all was said is not believed, for the reason that holds for the mechanism', () => {
    const failure = failureIn(started('LOGIN').hear('235 Welcome'));
    expect(failure).toMatchObject({
      kind: 'protocol',
      phase: 'auth',
      error: { message: expect.stringContaining('before the SASL exchange has come to its end') },
    });
  });

  it('gives up on a server that asks for too many iterations (RFC 5802 §9)', () => {
    const client = new Dialogue(withPassword('pencil', { maximumIterations: 4096 }));
    const [line = ''] = client.offered('AUTH SCRAM-SHA-256');
    const nonce = /r=([^,]+)/.exec(textOf(base64(String(line).split(' ')[2] ?? '')))?.[1];
    const outputs = client.say(`334 ${encoded(`r=${nonce}x,s=c2FsdA==,i=4097`)}`);
    expect(failureIn(outputs)).toMatchObject({
      kind: 'authentication',
      reason: expect.stringContaining('4097'),
    });
  });

  it.each([454, 504, 530, 535])('that is refused by %i is followed by QUIT', (code) => {
    const outputs = started('PLAIN').hear(`${code} No`);
    expect(failureIn(outputs)).toMatchObject({ kind: 'refused', phase: 'auth', reply: { code } });
    expect(written(outputs)).toBe(QUIT);
  });

  it('waits for computations, with a deadline, and takes no reply meanwhile', () => {
    const waiting = () => {
      const client = new Dialogue(withPassword());
      client.hear('220 b');
      const outputs = client.hear('250-b', '250 AUTH SCRAM-SHA-256');
      expect(outputs).toMatchObject([{ type: 'compute', computation: { kind: 'random' } }]);
      return client;
    };
    expect(waiting().session.nextDeadline()).toBe(60_000);
    expect(failureIn(waiting().timeout())).toEqual({ kind: 'timeout', phase: 'auth' });
    expect(failureIn(waiting().hear('235 Welcome'))).toMatchObject({ kind: 'protocol', phase: 'auth' });
    const late = waiting();
    late.hear('421 Bye');
    expect(late.session.wantsComputed).toBe(false);
    expect(late.handle({ type: 'computed', result: new Uint8Array(18) })).toEqual([]);
  });

  it('says what of it may be recorded: of each line, how long it was', () => {
    const recordedOf = (mechanism: MechanismName) => {
      const client = new Dialogue(withPassword('pencil', { mechanisms: [mechanism] }));
      return (...lines: string[]) => {
        const bytes = octetsOf(lines.map((line) => `${line}\r\n`).join(''));
        const heard = textOf(client.session.recordable(bytes));
        client.session.handle({ type: 'bytes', bytes, now: 0 });
        const outputs: ClientOutput[] = [];
        for (let output = client.session.poll(); output; output = client.session.poll()) outputs.push(output);
        const said = outputs.flatMap((output) =>
          output.type === 'write' ? textOf(output.redacted ?? output.bytes) : [],
        );
        return [heard, ...said];
      };
    };
    const login = recordedOf('LOGIN');
    expect(login('220 b')).toEqual(['220 b\r\n', 'EHLO c.example\r\n']);
    expect(login('250-b', '250 AUTH LOGIN')).toEqual(['250-b\r\n250 AUTH LOGIN\r\n', 'AUTH LOGIN\r\n']);
    expect(login('334 ')).toEqual(['334 [6 octets]\r\n', '[8 octets]\r\n']);
    expect(login('334 ')).toEqual(['334 [6 octets]\r\n', '[8 octets]\r\n']);
    expect(login('235-So', '235 be it')).toEqual(['235-[8 octets]\r\n235 [11 octets]\r\n']);
    expect(login('421 Bye')).toEqual(['421 Bye\r\n']);

    const plain = recordedOf('PLAIN');
    plain('220 b');
    expect(plain('250-b', '250 AUTH PLAIN').slice(1)).toEqual(['AUTH PLAIN [16 octets]\r\n']);
    expect(plain('334 QQ==')).toEqual(['334 [10 octets]\r\n', '*\r\n']);
    expect(plain('501 No')).toEqual(['501 [8 octets]\r\n', QUIT]);
    expect(plain('221 Bye')).toEqual(['221 Bye\r\n']);
  });

  it('needs no password as text', () => {
    const credentials = {
      kind: 'password',
      username: 'user',
      password: new Secret(octetsOf('\xff')),
    } as const;
    const client = authenticating({ credentials });
    expect(client.offered('AUTH PLAIN')).toEqual([`AUTH PLAIN ${encoded(octetsOf('\0user\0\xff'))}\r\n`]);
  });
});
