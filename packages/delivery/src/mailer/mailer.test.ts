import { describe, expect, it } from 'vitest';
import { UnwritableAddressError } from '../verdicts/unwritable-address.js';
import { createMailer } from './mailer.js';
import type { MailerOptions } from './mailer-options.js';
import {
  envelopeTo,
  expectNothingLeft,
  mailbox,
  mailing,
  resolverOf,
  type Script,
} from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const B = '192.0.2.2';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

/** All messages that a network's servers took, by address, as lists of recipients. */
const taken = (connections: { address: string; messages: { recipients: string[] }[] }[]) =>
  connections.flatMap(({ address, messages }) => messages.map(({ recipients }) => [address, ...recipients]));

describe('recipients', () => {
  it('of several domains with the same exchangers share one mail transaction', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      { resolver: resolverOf({ 'a.example': [A, B], 'b.example': [A, B], 'c.example': [B] }) },
    );
    const verdicts = await network.run(
      mailer.send(envelopeTo('1@a.example', '2@c.example', '3@B.example', '4@a.example'), MESSAGE),
    );
    expect(verdicts.map(({ verdict, host }) => [verdict, host])).toEqual([
      ['delivered', `${A}.mx`],
      ['delivered', `${B}.mx`],
      ['delivered', `${A}.mx`],
      ['delivered', `${A}.mx`],
    ]);
    expect(taken(network.connections).sort()).toEqual([
      [A, '1@a.example', '3@B.example', '4@a.example'],
      [B, '2@c.example'],
    ]);
  });

  it('share it also when exchangers of equal preference come in another order', async () => {
    let turn = 0;
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      {
        resolver: resolverOf({ 'a.example': [[A, B]], 'b.example': [[A, B]] }),
        random: () => (turn++ % 2) * 0.9,
      },
    );
    await network.run(mailer.send(envelopeTo('1@a.example', '2@b.example'), MESSAGE));
    expect(taken(network.connections)).toHaveLength(1);
  });

  it('of domains that cannot be routed have their verdict from that', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { resolver: resolverOf({ 'a.example': [A] }) });
    const envelope = envelopeTo('1@none.example', '2@a.example');
    const postmaster = { localPart: 'Postmaster', domain: '' };
    const verdicts = await network.run(
      mailer.send({ ...envelope, recipients: [...envelope.recipients, postmaster] }, MESSAGE),
    );
    expect(verdicts).toMatchObject(
      [
        { verdict: 'rejected', phase: 'routing', enhancedCode: '5.1.2', reason: /does not exist/ },
        { verdict: 'delivered' },
        { verdict: 'rejected', phase: 'routing', recipient: postmaster },
      ].map((expected) => ({
        ...expected,
        ...('reason' in expected && { reason: expect.stringMatching(expected.reason ?? '') }),
      })),
    );
  });

  it('are as many in a mail transaction as the option says, one after the other on one session', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, recipientsPerTransaction: 2 });
    const names = ['1', '2', '3', '4', '5'].map((name) => `${name}@b.example`);
    const verdicts = await network.run(mailer.send(envelopeTo(...names), MESSAGE));
    expect(verdicts.every(({ verdict }) => verdict === 'delivered')).toBe(true);
    expect(taken(network.connections)).toEqual([
      [A, '1@b.example', '2@b.example'],
      [A, '3@b.example', '4@b.example'],
      [A, '5@b.example'],
    ]);
    expect(network.connections).toHaveLength(1);
    expect(network.connections[0]?.commands).not.toContain('RSET');
  });

  it.each<[string, Script]>([
    ['RCPTMAX', { keywords: ['PIPELINING', 'LIMITS RCPTMAX=2'] }],
    ['452 4.5.3', { reply: tooMany('452 4.5.3 Too many recipients') }],
    ['452 alone', { reply: tooMany('452 Too many recipients') }],
    ['552, as RFC 821 had it,', { reply: tooMany('552 Too many recipients') }],
  ])('beyond %s go in another mail transaction of the same session', async (_, script) => {
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A } });
    const names = ['1', '2', '3', '4', '5'].map((name) => `${name}@b.example`);
    const verdicts = await network.run(mailer.send(envelopeTo(...names), MESSAGE));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(new Array(5).fill('delivered'));
    expect(taken(network.connections)).toEqual([
      [A, '1@b.example', '2@b.example'],
      [A, '3@b.example', '4@b.example'],
      [A, '5@b.example'],
    ]);
    expect(network.connections).toHaveLength(1);
  });

  it('beyond RCPTDOMAINMAX go on another session', async () => {
    const script = { keywords: ['PIPELINING', 'LIMITS RCPTDOMAINMAX=1'] };
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A } });
    const verdicts = await network.run(
      mailer.send(envelopeTo('1@a.example', '2@b.example', '3@a.example', '4@c.example'), MESSAGE),
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(new Array(4).fill('delivered'));
    expect(taken(network.connections)).toEqual([
      [A, '1@a.example', '3@a.example'],
      [A, '2@b.example'],
      [A, '4@c.example'],
    ]);
  });

  it('are not tried again for a 452 that says something else', async () => {
    const { mailer, network } = mailing(
      { [A]: { reply: (command) => (command.startsWith('RCPT TO:<2') ? '452 4.2.2 Full' : undefined) } },
      { relay: { host: A } },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('1@b.example', '2@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'deferred', enhancedCode: '4.2.2' },
    ]);
    expect(taken(network.connections)).toHaveLength(1);
  });

  it('have a verdict each', async () => {
    const replies: Record<string, string> = { 2: '550 5.1.1 Nobody', 3: '450 4.2.0 Greylisted' };
    const { mailer, network } = mailing(
      { [A]: { reply: (command) => replies[/^RCPT TO:<(\d)/.exec(command)?.[1] ?? ''] } },
      { relay: { host: A } },
    );
    const verdicts = await network.run(
      mailer.send(envelopeTo('1@b.example', '2@b.example', '3@b.example'), MESSAGE),
    );
    expect(verdicts).toMatchObject([
      { recipient: mailbox('1@b.example'), verdict: 'delivered', phase: 'message' },
      { recipient: mailbox('2@b.example'), verdict: 'rejected', phase: 'rcpt', enhancedCode: '5.1.1' },
      { recipient: mailbox('3@b.example'), verdict: 'deferred', phase: 'rcpt', enhancedCode: '4.2.0' },
    ]);
  });

  it('have a verdict each in LMTP, also from the reply to the message (RFC 2033 §4.2)', async () => {
    const { mailer, network } = mailing(
      {
        '/run/lmtp': {
          reply(command) {
            if (command.startsWith('LHLO')) return '250-mx.example\r\n250 PIPELINING';
            return command === '.' ? '250 2.0.0 Kept\r\n452 4.2.2 Over quota' : undefined;
          },
        },
      },
      { relay: { path: '/run/lmtp' }, protocol: 'lmtp' },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('1@b.example', '2@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'delivered', host: '/run/lmtp' },
      { verdict: 'deferred', phase: 'message', enhancedCode: '4.2.2' },
    ]);
  });
});

/** Takes two recipients in each mail transaction. */
function tooMany(answer: string): NonNullable<Script['reply']> {
  return (command, { commands }) => {
    if (!command.startsWith('RCPT')) return undefined;
    const begun = commands.findLastIndex((said) => said.startsWith('MAIL'));
    return commands.length - begun > 3 ? answer : undefined;
  };
}

describe('the exchangers', () => {
  it('are tried further when one does not offer what the mail needs; it is rejected if none does', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: { keywords: ['PIPELINING', 'SMTPUTF8', '8BITMIME'] } },
      { resolver: resolverOf({ 'a.example': [A], 'b.example': [A, B] }) },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('jörg@a.example', 'jörg@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'rejected', enhancedCode: '5.6.7', host: `${A}.mx` },
      { verdict: 'delivered', host: `${B}.mx` },
    ]);
  });
});

it('keeps an address that needs SMTPUTF8 from spoiling the mail for others', async () => {
  const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
  const verdicts = await network.run(mailer.send(envelopeTo('jörg@b.example', 'r@b.example'), MESSAGE));
  expect(verdicts).toMatchObject([{ verdict: 'rejected', enhancedCode: '5.6.7' }, { verdict: 'delivered' }]);
});

describe('REQUIRETLS (RFC 8689)', () => {
  const envelope = { ...envelopeTo('r@b.example'), parameters: { requireTls: true } as const };
  const offering = { keywords: ['PIPELINING', 'REQUIRETLS'], tls: 'works' } as const;

  it('goes to no exchanger that only unsigned DNS names', async () => {
    const { mailer, network } = mailing({ [A]: offering }, { resolver: resolverOf({ 'b.example': [A] }) });
    const verdicts = await network.run(mailer.send(envelope, MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'policy', host: `${A}.mx` }]);
    expect(network.connections).toEqual([]);
  });

  it.each<[string, MailerOptions]>([
    ['an exchanger that DNSSEC proves', { resolver: resolverOf({ 'b.example': [A] }, true) }],
    ['a relay', { relay: { host: A } }],
  ])('has %s verified', async (_, options) => {
    const { mailer, network } = mailing({ [A]: offering }, options);
    const verdicts = await network.run(mailer.send(envelope, MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.handshakes).toEqual([{ address: A, verify: true }]);
    expect(network.connections[0]?.commands).toContain('MAIL FROM:<sender@a.example> REQUIRETLS');
  });

  it('goes in the clear to nobody', async () => {
    const { mailer, network } = mailing({ [A]: { ...offering, tls: 'fails' } }, { relay: { host: A } });
    const verdicts = await network.run(mailer.send(envelope, MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'policy', enhancedCode: '4.7.0' }]);
    expect(verdicts[0]?.reason).toContain('REQUIRETLS demands TLS');
    expect(network.connections).toHaveLength(1);
  });
});

describe('a certificate', () => {
  it.each<[string, MailerOptions, boolean]>([
    ['of a mail exchanger', { resolver: resolverOf({ 'b.example': [A] }) }, false],
    [
      'of a mail exchanger, with TLS required,',
      { resolver: resolverOf({ 'b.example': [A] }), tls: 'required' },
      false,
    ],
    ['of a relay', { relay: { host: A } }, false],
    ['of a relay, with TLS required,', { relay: { host: A }, tls: 'required' }, true],
    [
      'of a relay, with TLS required, but not verified,',
      { relay: { host: A }, tls: 'required', tlsOptions: { verify: false } },
      false,
    ],
    ['of a relay, with implicit TLS,', { relay: { host: A }, tls: 'implicit' }, true],
    ['at a Unix socket, with TLS required,', { relay: { path: A }, tls: 'required' }, false],
  ])('%s is verified by default: %3$s', async (_, options, verify) => {
    const { mailer, network } = mailing({ [A]: { tls: 'works' } }, options);
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.handshakes).toEqual([{ address: A, verify }]);
  });
});

describe('a session', () => {
  it('has no more mail transactions than the server takes (MAILMAX, RFC 9422 §4.1)', async () => {
    const script = { keywords: ['PIPELINING', 'LIMITS MAILMAX=2'] };
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A }, recipientsPerTransaction: 1 });
    const names = ['1', '2', '3'].map((name) => `${name}@b.example`);
    const verdicts = await network.run(mailer.send(envelopeTo(...names), MESSAGE));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(network.connections.map(({ messages }) => messages.length)).toEqual([2, 1]);
  });

  it('is not shared by mail that wants more of its TLS', async () => {
    const script = { keywords: ['PIPELINING', 'REQUIRETLS'], tls: 'works' } as const;
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A } });
    await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    await network.run(
      mailer.send({ ...envelopeTo('r@b.example'), parameters: { requireTls: true } }, MESSAGE),
    );
    expect(network.handshakes.map(({ verify }) => verify)).toEqual([false, true]);
  });
});

describe('a body', () => {
  it('that cannot be read again is not sent again, and the mail is deferred', async () => {
    const script: Script = { reply: (command) => (command === 'body' ? 'drop' : undefined) };
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A } });
    async function* body() {
      yield Buffer.from('Subject: test\r\n');
      await new Promise<void>((resolve) => network.clock.set(network.clock.now() + 5, resolve));
      yield Buffer.from('\r\nHello\r\n');
    }
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), body()));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'message', failure: { kind: 'lost' } }]);
    expect(network.connections).toHaveLength(1);
  });

  it('has its size declared where it is known (RFC 1870 §6)', async () => {
    const { mailer, network } = mailing({ [A]: { keywords: ['SIZE'] } }, { relay: { host: A } });
    async function* unknown() {
      yield Buffer.from(MESSAGE);
    }
    for (const body of [MESSAGE, Buffer.from(MESSAGE), unknown()]) {
      await network.run(mailer.send(envelopeTo('r@b.example'), body));
    }
    const mails = network.connections[0]?.commands.filter((command) => command.startsWith('MAIL'));
    expect(mails).toEqual([
      `MAIL FROM:<sender@a.example> SIZE=${MESSAGE.length}`,
      `MAIL FROM:<sender@a.example> SIZE=${MESSAGE.length}`,
      'MAIL FROM:<sender@a.example>',
    ]);
    expect(network.connections[0]?.messages.map(({ text }) => text)).toEqual(new Array(3).fill(MESSAGE));
  });

  it('that fails half-way breaks the connection, and send() throws what it threw', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      { resolver: resolverOf({ 'a.example': [A], 'b.example': [B] }), recipientsPerTransaction: 1 },
    );
    const fault = new Error('The disk is on fire');
    async function* body() {
      yield Buffer.from(MESSAGE);
      throw fault;
    }
    const sending = mailer.send(envelopeTo('1@a.example', '2@b.example', '3@a.example'), body());
    await expect(network.run(sending)).rejects.toBe(fault);
    expect(network.connections.flatMap(({ messages }) => messages)).toEqual([]);
    const mails = network.connections.flatMap(({ commands }) =>
      commands.filter((said) => /^MAIL/.test(said)),
    );
    expect(mails).toHaveLength(2);
  });

  it('with a bare CR is not sent', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    const sending = mailer.send(envelopeTo('r@b.example'), 'a\rb');
    await expect(network.run(sending)).rejects.toThrow('CR');
    expect(network.connections.flatMap(({ messages }) => messages)).toEqual([]);
  });

  it('that can be read once only goes to several servers', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      { resolver: resolverOf({ 'a.example': [A], 'b.example': [B] }) },
    );
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from(MESSAGE.slice(0, 10)));
        controller.enqueue(Buffer.from(MESSAGE.slice(10)));
        controller.close();
      },
    });
    await network.run(mailer.send(envelopeTo('1@a.example', '2@b.example'), readable));
    const texts = network.connections.flatMap(({ messages }) => messages.map(({ text }) => text));
    expect(texts).toEqual([MESSAGE, MESSAGE]);
  });
});

describe('a delivery is stopped', () => {
  it.each<[string, 'unreachable' | Script, object]>([
    ['while it connects', 'unreachable', { verdict: 'deferred', phase: 'connect' }],
    [
      'while it waits for the greeting',
      { greeting: 'silence' },
      { verdict: 'deferred', phase: 'greeting', host: A },
    ],
    [
      'while it waits for the reply to EHLO',
      silentAt('EHLO'),
      { verdict: 'deferred', phase: 'hello', host: A },
    ],
    [
      'while it waits for the reply to STARTTLS',
      { ...silentAt('STARTTLS'), tls: 'works' },
      { verdict: 'deferred', phase: 'startTls', host: A },
    ],
    ['while it waits for the reply to MAIL', silentAt('MAIL'), { verdict: 'deferred', phase: 'mail' }],
    ['while it waits for the reply to DATA', silentAt('DATA'), { verdict: 'deferred', phase: 'data' }],
    ['behind the final dot', silentAt('.'), { verdict: 'unknown', phase: 'message' }],
  ])('by its deadline %s', async (_, address, expected) => {
    const { mailer, network } = mailing({ [A]: address }, { relay: { host: A } });
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 5_000 });
    const verdicts = await network.run(sending);
    expect(verdicts).toMatchObject([{ ...expected, error: { code: 'ETIMEDOUT' } }]);
    expect(verdicts[0]?.reason).toContain('The deadline of 5000 ms has passed');
    expect(network.clock.now()).toBeLessThan(15_200);
  });

  it('by a signal, while it looks up the exchangers', async () => {
    const controller = new AbortController();
    const { mailer, network } = mailing(
      {},
      {
        resolver: {
          ...resolverOf({}),
          resolveMx: (_, signal) =>
            new Promise((__, reject) => {
              signal?.addEventListener('abort', () => reject(signal.reason));
            }),
        },
      },
    );
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { signal: controller.signal });
    await network.clock.advanceAsync(10);
    const reason = new Error('Enough');
    controller.abort(reason);
    expect(await network.run(sending)).toMatchObject([
      { verdict: 'deferred', phase: 'routing', enhancedCode: '4.4.7', error: reason },
    ]);
  });

  it('by a signal, while it waits for a connection', async () => {
    const controller = new AbortController();
    const { mailer, network } = mailing(
      { [A]: silentAt('MAIL') },
      { relay: { host: A }, pool: { connections: 1 } },
    );
    const first = mailer.send(envelopeTo('1@b.example'), MESSAGE, { deadline: 60_000 });
    await network.clock.advanceAsync(100);
    const second = mailer.send(envelopeTo('2@b.example'), MESSAGE, { signal: controller.signal });
    await network.clock.advanceAsync(100);
    controller.abort();
    expect(await second).toMatchObject([{ verdict: 'deferred', phase: 'connect' }]);
    await network.run(first);
    expect(network.connections).toHaveLength(1);
  });

  it('though its body hangs', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    async function* body() {
      yield Buffer.from('Subject: test\r\n');
      await new Promise(() => {});
    }
    const sending = mailer.send(envelopeTo('r@b.example'), body(), { deadline: 5_000 });
    expect(await network.run(sending)).toMatchObject([{ verdict: 'deferred', phase: 'message' }]);
  });

  it('before it begins', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { signal: AbortSignal.abort() });
    expect(await network.run(sending)).toMatchObject([{ verdict: 'deferred' }]);
    expect(network.connections).toEqual([]);
  });
});

describe('a recipient that no command can carry', () => {
  const resolver = resolverOf({ 'b.example': [A] });

  it.each([
    ['a relay', { relay: { host: A } }],
    ['mail exchangers', { resolver }],
  ])('is rejected by itself (5.1.3), and the others get the message: by %s', async (_, options) => {
    const { mailer, network } = mailing({ [A]: {} }, options);
    const envelope = envelopeTo('r@-', 'a@b.example', 'r@exa mple', 'b@b.example');
    const verdicts = await network.run(mailer.send(envelope, MESSAGE));
    const rejected = {
      verdict: 'rejected',
      phase: 'rcpt',
      enhancedCode: '5.1.3',
      error: expect.any(UnwritableAddressError),
    };
    expect(verdicts).toMatchObject([rejected, { verdict: 'delivered' }, rejected, { verdict: 'delivered' }]);
    expect(verdicts.map(({ recipient }) => recipient)).toEqual(envelope.recipients);
    expect(network.to(A)[0]?.messages[0]?.recipients).toEqual(['a@b.example', 'b@b.example']);
  });

  it('in text that is no address is rejected by itself, too', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    const to = ['a@b.example', 'no address', 'b@b.example', 'c@@b.example', '', 'd\r\n@b.example'];
    const verdicts = await network.run(mailer.send({ from: 'ann@example.org', to }, MESSAGE));
    expect(verdicts.map(({ verdict, enhancedCode }) => [verdict, enhancedCode])).toEqual([
      ['delivered', expect.any(String)],
      ['rejected', '5.1.3'],
      ['delivered', expect.any(String)],
      ['rejected', '5.1.3'],
      ['rejected', '5.1.3'],
      ['rejected', '5.1.3'],
    ]);
    expect(verdicts[1]?.reason).toContain('The forward-path "no address" is no mailbox');
    expect(verdicts[1]?.error).toBeInstanceOf(UnwritableAddressError);
    expect(verdicts[3]?.recipient).toEqual({ localPart: 'c@', domain: 'b.example' });
    expect(network.to(A)[0]?.messages[0]?.recipients).toEqual(['a@b.example', 'b@b.example']);
  });

  it.each([undefined, null, 4711, {}])(
    'that is neither text nor a mailbox is an error: %j',
    async (wrong) => {
      const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
      const to = ['a@b.example', wrong as never];
      await expect(mailer.send({ from: null, to }, MESSAGE)).rejects.toThrow('The forward-path is ');
      expect(network.connections).toEqual([]);
    },
  );

  it.each([undefined, null, 4711, {}])('get no message that is none: %j', async (wrong) => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    const sending = mailer.send({ from: null, to: 'a@b.example' }, wrong as never);
    await expect(sending).rejects.toThrow(/^The message is .*; give a text/);
    expect(network.connections).toEqual([]);
  });
});

function silentAt(verb: string): Script {
  return { reply: (command) => (command.split(' ')[0] === verb ? 'silence' : undefined) };
}

describe('close()', () => {
  it('lets the mail that is under way come to its end, and takes no more', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, pool: { connectionsPerHost: 1 } });
    const sendings = ['1', '2', '3'].map((name) => mailer.send(envelopeTo(`${name}@b.example`), MESSAGE));
    const closing = mailer.close();
    await expect(mailer.send(envelopeTo('4@b.example'), MESSAGE)).rejects.toThrow('closed');
    const verdicts = await network.run(Promise.all(sendings));
    expect(verdicts.flat().map(({ verdict }) => verdict)).toEqual(['delivered', 'delivered', 'delivered']);
    await network.run(closing);
    expect(network.connections.map(({ commands }) => commands.at(-1))).toEqual(['QUIT']);
  });
});

describe('what the caller does wrong is thrown', () => {
  it.each<[string, MailerOptions, string]>([
    ['authentication without a relay', { authentication: { credentials: { kind: 'external' } } }, 'relay'],
    ['LMTP without a relay', { protocol: 'lmtp' }, 'relay'],
    ['implicit TLS without a relay', { tls: 'implicit' }, 'relay'],
    [
      'no TLS with DANE',
      { tls: 'none', tlsa: { resolveTlsa: async () => ({ kind: 'none' }) } },
      'contradicts',
    ],
    [
      'DANE by a resolver that proves nothing',
      { tlsa: { resolveTlsa: async () => ({ kind: 'none' }) } },
      'validates DNSSEC',
    ],
    [
      'DANE with a relay',
      { relay: { host: A }, tlsa: { resolveTlsa: async () => ({ kind: 'none' }) } },
      'without a relay',
    ],
    [
      'a socket that cannot be verified',
      { relay: { path: '/s' }, tlsOptions: { verify: true } },
      'servername',
    ],
    ['a limit of 0', { pool: { connections: 0 } }, 'pool.connections is 0'],
    ['an idle time of -1', { pool: { idleTime: -1 } }, 'pool.idleTime is -1'],
    ['a port of 65536', { port: 65536 }, 'port is 65536'],
    ['a name that is none', { hostname: 'a b' }, 'hostname'],
    ['a session option out of range', { session: { maximumReplyLines: 0 } }, 'maximumReplyLines is 0'],
  ])('%s', (_, options, words) => {
    expect(() => createMailer(options)).toThrow(words);
  });

  it('an envelope that cannot be sent, before anything is', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A } });
    await expect(mailer.send(envelopeTo(), MESSAGE)).rejects.toThrow('no recipient');
    await expect(mailer.send({ from: '', to: 'r@b.example' }, MESSAGE)).rejects.toThrow(
      "The reverse-path is ''",
    );
    await expect(mailer.send({ from: '<>', to: ['r@b'] }, MESSAGE, { deadline: -1 })).rejects.toThrow(
      'deadline',
    );
    await expect(mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: -1 })).rejects.toThrow(
      'deadline',
    );
    await expect(mailer.send(envelopeTo('r@b.example'), { path: '/nowhere/at/all' })).rejects.toThrow(
      'ENOENT',
    );
    expect(network.connections).toEqual([]);
  });
});
