/** Every failure, at every phase of a delivery: what it makes of the message, and where the mailer turns next. */
import { Secret } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import type { MailerOptions } from './mailer-options.js';
import {
  type Address,
  type Answer,
  envelopeTo,
  expectNothingLeft,
  mailing,
  type Network,
  resolverOf,
  type Script,
} from './scripted-network.test-support.js';

const FIRST = '192.0.2.1';
const SECOND = '192.0.2.2';
const ANN = { kind: 'password', username: 'ann', password: new Secret('secret') } as const;
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

expectNothingLeft();

/** A server that fails at one command, each time. */
const failingAt = (verb: string, answer: Answer, more: Script = {}): Script => ({
  ...more,
  reply: (command) => (command.split(' ')[0] === verb ? answer : undefined),
});

/** `MESSAGE`, with time for the server to say something in its middle. */
async function* inTwoPieces({ clock }: Network): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('Subject: test\r\n');
  await new Promise<void>((resolve) => clock.set(clock.now() + 100, resolve));
  yield Buffer.from('\r\nHello\r\n');
}

/** To a domain with two exchangers, of which the first one fails. */
async function throughFirst(first: Address, options: MailerOptions = {}) {
  const { mailer, network } = mailing(
    { [FIRST]: first, [SECOND]: {} },
    { resolver: resolverOf({ 'b.example': [FIRST, SECOND] }), ...options },
  );
  const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
  expect(verdicts).toHaveLength(1);
  return { verdict: verdicts[0], network };
}

const CLEAR_AGAIN = { keywords: ['PIPELINING'], tls: 'fails' } as const;

describe('the next exchanger gets the message when the first', () => {
  it.each<[string, Address]>([
    ['refuses the connection', 'refused'],
    ['cannot be reached', 'unreachable'],
    ['greets with 421', { greeting: '421 4.3.2 Busy' }],
    ['greets with 450', { greeting: '450 Later' }],
    ['greets with 554', { greeting: '554 5.3.2 Not here' }],
    ['greets with what is no greeting', { greeting: 'Welcome' }],
    ['does not greet', { greeting: 'silence' }],
    ['is lost before the greeting', { greeting: 'drop' }],
    ['answers EHLO by 421', failingAt('EHLO', '421 4.3.2 Busy')],
    ['answers EHLO by 450', failingAt('EHLO', '450 Later')],
    [
      'answers EHLO and HELO by 550',
      { reply: (command) => (/^(EHLO|HELO)/.test(command) ? '550 No' : undefined) },
    ],
    ['does not answer EHLO', failingAt('EHLO', 'silence')],
    ['is lost at EHLO', failingAt('EHLO', 'drop')],
    ['answers MAIL by 421', failingAt('MAIL', '421 4.3.2 Shutting down')],
    ['does not answer MAIL', failingAt('MAIL', 'silence')],
    ['is lost at MAIL', failingAt('MAIL', 'drop')],
    ['answers RCPT by 421', failingAt('RCPT', '421 4.3.2 Shutting down')],
    ['does not answer RCPT', failingAt('RCPT', 'silence')],
    ['is lost at RCPT', failingAt('RCPT', 'drop')],
    ['answers DATA by 421', failingAt('DATA', '421 4.3.2 Shutting down')],
    ['does not answer DATA', failingAt('DATA', 'silence')],
    ['is lost at DATA', failingAt('DATA', 'drop')],
    [
      'does not begin TLS after 220',
      failingAt('STARTTLS', 'drop', { tls: 'works', greeting: '220 mx ESMTP' }),
    ],
  ])('%s', async (_, first) => {
    const { verdict, network } = await throughFirst(first);
    const inTheClear = typeof first === 'object' && first.tls !== undefined;
    expect(verdict).toMatchObject({
      verdict: 'delivered',
      phase: 'message',
      host: inTheClear ? `${FIRST}.mx` : `${SECOND}.mx`,
      reply: { code: 250 },
    });
    const taken = network.connections.flatMap(({ messages }) => messages);
    expect(taken.map(({ recipients }) => recipients)).toEqual([['r@b.example']]);
  });

  it.each<[string, Answer]>([
    ['is lost', 'drop'],
    ['says 421', '421 4.3.2 Shutting down'],
  ])('%s amid the message', async (_, answer) => {
    const { mailer, network } = mailing(
      { [FIRST]: failingAt('body', answer), [SECOND]: {} },
      { resolver: resolverOf({ 'b.example': [FIRST, SECOND] }) },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), inTwoPieces(network)));
    expect(verdicts).toMatchObject([{ verdict: 'delivered', host: `${SECOND}.mx` }]);
    expect(network.to(SECOND)[0]?.messages[0]?.text).toBe(MESSAGE);
  });
});

describe('the same address gets the message in the clear', () => {
  it.each<[string, Script]>([
    ['when the handshake fails', CLEAR_AGAIN],
    ['when STARTTLS is not answered', failingAt('STARTTLS', 'silence', CLEAR_AGAIN)],
    ['when the connection is lost at STARTTLS', failingAt('STARTTLS', 'drop', CLEAR_AGAIN)],
    [
      'on the same connection when STARTTLS is refused',
      failingAt('STARTTLS', '454 4.7.0 Not now', CLEAR_AGAIN),
    ],
  ])('%s', async (_, first) => {
    const { verdict, network } = await throughFirst(first);
    expect(verdict).toMatchObject({ verdict: 'delivered', host: `${FIRST}.mx` });
    expect(network.to(SECOND)).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['replies stand behind the 220 to STARTTLS (CVE-2011-0411)', '220 Go ahead\r\n250 Believe me'],
    ['STARTTLS is answered by what it never is', '354 Go ahead'],
  ])('but not where %s', async (_, answer) => {
    const { verdict, network } = await throughFirst(failingAt('STARTTLS', answer, CLEAR_AGAIN));
    expect(verdict).toMatchObject({ verdict: 'delivered', host: `${SECOND}.mx` });
    expect(network.to(FIRST)).toHaveLength(1);
    expect(network.to(FIRST).flatMap(({ messages }) => messages)).toEqual([]);
  });

  it('but never where TLS is required', async () => {
    const { mailer, network } = mailing(
      { [FIRST]: CLEAR_AGAIN },
      { resolver: resolverOf({ 'b.example': [FIRST] }), tls: 'required' },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'deferred', phase: 'startTls', host: `${FIRST}.mx`, failure: { kind: 'tls' } },
    ]);
    expect(network.connections).toHaveLength(1);
  });

  it('but never where there are credentials', async () => {
    const { mailer, network } = mailing(
      { [FIRST]: CLEAR_AGAIN },
      {
        relay: { host: FIRST, port: 587 },
        authentication: { credentials: ANN },
      },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'startTls' }]);
    expect(network.connections).toHaveLength(1);
  });
});

describe('what the first exchanger says about the mail is final:', () => {
  it.each<[string, string, Answer, object]>([
    [
      '451 to MAIL',
      'MAIL',
      '451 4.3.0 Trouble',
      { verdict: 'deferred', phase: 'mail', enhancedCode: '4.3.0' },
    ],
    ['550 to MAIL', 'MAIL', '550 5.7.1 No', { verdict: 'rejected', phase: 'mail', enhancedCode: '5.7.1' }],
    ['450 to RCPT', 'RCPT', '450 4.2.0 Later', { verdict: 'deferred', phase: 'rcpt', reply: { code: 450 } }],
    [
      '452 to RCPT',
      'RCPT',
      '452 4.5.3 Too many',
      { verdict: 'deferred', phase: 'rcpt', reply: { code: 452 } },
    ],
    [
      '550 to RCPT',
      'RCPT',
      '550 5.1.1 Nobody',
      { verdict: 'rejected', phase: 'rcpt', enhancedCode: '5.1.1' },
    ],
    ['451 to DATA', 'DATA', '451 4.3.0 Trouble', { verdict: 'deferred', phase: 'data' }],
    ['554 to DATA', 'DATA', '554 5.6.0 No', { verdict: 'rejected', phase: 'data' }],
    ['421 to the message', '.', '421 4.3.2 Shutting down', { verdict: 'deferred', phase: 'message' }],
    ['452 to the message', '.', '452 4.3.1 Full', { verdict: 'deferred', phase: 'message' }],
    ['554 to the message', '.', '554 5.7.1 Spam', { verdict: 'rejected', phase: 'message' }],
  ])('%s', async (_, verb, answer, expected) => {
    const { verdict, network } = await throughFirst(failingAt(verb, answer));
    expect(verdict).toMatchObject({ host: `${FIRST}.mx`, ...expected });
    expect(verdict?.reason).toContain(String(answer).split(' ').at(-1));
    expect(network.to(SECOND)).toEqual([]);
  });
});

describe('after the final dot nobody else is tried (RFC 1047):', () => {
  it.each<[string, Answer]>([
    ['the connection is lost', 'drop'],
    ['no reply comes', 'silence'],
    ['what comes is no reply', 'Perhaps'],
  ])('%s', async (_, answer) => {
    const { verdict, network } = await throughFirst(failingAt('.', answer));
    expect(verdict).toMatchObject({ verdict: 'unknown', phase: 'message', host: `${FIRST}.mx` });
    expect(verdict?.reason).toContain('may have been delivered');
    expect(network.to(SECOND)).toEqual([]);
    expect(network.to(FIRST).flatMap(({ messages }) => messages)).toHaveLength(1);
  });
});

describe('when nothing is left to be tried', () => {
  const AUTHENTICATION: MailerOptions = {
    authentication: { credentials: ANN, allowInsecure: true },
    tls: 'none',
  };
  const OFFERING_AUTH: Script = { keywords: ['PIPELINING', 'AUTH PLAIN'] };

  it.each<[string, Address, object, MailerOptions?]>([
    [
      'connection refused',
      'refused',
      { verdict: 'deferred', phase: 'connect', error: { code: 'ECONNREFUSED' } },
    ],
    [
      'connection times out',
      'unreachable',
      { verdict: 'deferred', phase: 'connect', error: { code: 'ETIMEDOUT' } },
    ],
    [
      'greeting 554',
      { greeting: '554 No' },
      { verdict: 'rejected', phase: 'greeting', reply: { code: 554 } },
    ],
    [
      'greeting 421',
      { greeting: '421 Busy' },
      { verdict: 'deferred', phase: 'greeting', reply: { code: 421 } },
    ],
    [
      'no greeting',
      { greeting: 'silence' },
      { verdict: 'deferred', phase: 'greeting', failure: { kind: 'timeout' } },
    ],
    [
      'EHLO lost',
      failingAt('EHLO', 'drop'),
      { verdict: 'deferred', phase: 'hello', failure: { kind: 'lost' } },
    ],
    [
      'MAIL lost',
      failingAt('MAIL', 'drop'),
      { verdict: 'deferred', phase: 'mail', failure: { kind: 'lost' } },
    ],
    [
      'RCPT times out',
      failingAt('RCPT', 'silence', { keywords: [] }),
      { verdict: 'deferred', phase: 'rcpt', failure: { kind: 'timeout' } },
    ],
    [
      'STARTTLS not offered',
      {},
      { verdict: 'deferred', phase: 'startTls', failure: { kind: 'notOffered' } },
      { tls: 'required' },
    ],
    [
      'STARTTLS 454',
      failingAt('STARTTLS', '454 No', { tls: 'works' }),
      { verdict: 'deferred', phase: 'startTls' },
      { tls: 'required' },
    ],
    [
      'STARTTLS 502',
      failingAt('STARTTLS', '502 No', { tls: 'works' }),
      { verdict: 'deferred', phase: 'startTls' },
      { tls: 'required' },
    ],
    [
      'AUTH 535',
      failingAt('AUTH', '535 5.7.8 Wrong', OFFERING_AUTH),
      { verdict: 'rejected', phase: 'auth', enhancedCode: '5.7.8' },
      AUTHENTICATION,
    ],
    [
      'AUTH 454',
      failingAt('AUTH', '454 4.7.0 Later', OFFERING_AUTH),
      { verdict: 'deferred', phase: 'auth', reply: { code: 454 } },
      AUTHENTICATION,
    ],
    [
      'AUTH lost',
      failingAt('AUTH', 'drop', OFFERING_AUTH),
      { verdict: 'deferred', phase: 'auth', failure: { kind: 'lost' } },
      AUTHENTICATION,
    ],
    [
      'AUTH not offered',
      {},
      { verdict: 'deferred', phase: 'auth', failure: { kind: 'notOffered' } },
      AUTHENTICATION,
    ],
  ])('the verdict says why: %s', async (_, address, expected, options = {}) => {
    const { mailer, network } = mailing({ [FIRST]: address }, { relay: { host: FIRST }, ...options });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example', 's@c.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { host: FIRST, recipient: { localPart: 'r' }, ...expected },
      { host: FIRST, recipient: { localPart: 's' }, ...expected },
    ]);
  });

  it('one exchanger that may come back outweighs others that refuse for good', async () => {
    const { mailer, network } = mailing(
      { [FIRST]: 'refused', [SECOND]: { greeting: '554 No' } },
      { resolver: resolverOf({ 'b.example': [FIRST, SECOND] }) },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'connect', host: `${FIRST}.mx` }]);
  });
});

describe('a session from the pool that has broken', () => {
  /** Breaks each session at the second message. */
  const second = (verb: string, answer: Answer, more: Script = {}): Script => ({
    ...more,
    reply(command, connection) {
      const again = connection.commands.filter((said) => said.startsWith('MAIL')).length > 1;
      return again && command.split(' ')[0] === verb ? answer : undefined;
    },
  });

  it.each<[string, Script]>([
    ['at MAIL', second('MAIL', 'drop')],
    ['at MAIL, by 421', second('MAIL', '421 4.4.2 Idle too long')],
    ['at RCPT', second('RCPT', 'drop')],
    ['at DATA', second('DATA', 'drop')],
    ['amid the message', second('body', 'drop')],
    ['amid the message, by 421', second('body', '421 4.3.2 Shutting down')],
    ['by a time-out', second('MAIL', 'silence')],
  ])('%s is followed by a new one to the same address', async (_, script) => {
    const { mailer, network } = mailing({ [FIRST]: script }, { relay: { host: FIRST } });
    for (const name of ['r', 's', 't']) {
      const body = { read: () => inTwoPieces(network) };
      const verdicts = await network.run(mailer.send(envelopeTo(`${name}@b.example`), body));
      expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    }
    const taken = network.connections.flatMap(({ messages }) => messages);
    expect(taken.map(({ recipients }) => recipients)).toEqual([
      ['r@b.example'],
      ['s@b.example'],
      ['t@b.example'],
    ]);
    expect(network.connections).toHaveLength(3);
  });

  it.each<[string, Answer, string]>([
    ['', 'drop', 'unknown'],
    [', by 421,', '421 4.3.2 Shutting down', 'deferred'],
  ])('after the final dot%s is followed by none', async (_, answer, verdict) => {
    const { mailer, network } = mailing({ [FIRST]: second('.', answer) }, { relay: { host: FIRST } });
    const send = (name: string) => network.run(mailer.send(envelopeTo(`${name}@b.example`), MESSAGE));
    expect(await send('r')).toMatchObject([{ verdict: 'delivered' }]);
    expect(await send('s')).toMatchObject([{ verdict }]);
    expect(network.connections).toHaveLength(1);
  });

  it.each<[string, (network: Network) => void]>([
    ['with 421', (network) => network.connections[0]?.say('421 4.4.2 Idle too long')],
    ['without a word', (network) => network.connections[0]?.stream.end()],
    ['by a reset', (network) => network.connections[0]?.stream.abort()],
  ])('while it was idle, %s, is forgotten', async (_, breakOff) => {
    const { mailer, network } = mailing({ [FIRST]: {} }, { relay: { host: FIRST } });
    const send = () => network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    await send();
    breakOff(network);
    await network.clock.advanceAsync(100);
    expect(await send()).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.connections.map(({ messages }) => messages.length)).toEqual([1, 1]);
  });
});
