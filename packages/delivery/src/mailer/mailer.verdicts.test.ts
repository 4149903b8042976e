/** What verdicts say: of a body that fails late, of a delivery that was stopped, of demands on TLS, and by which code. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReplayableBody } from '../bodies/message-body.js';
import type { OpenStream } from '../sessions/endpoint.js';
import type { MailerOptions } from './mailer-options.js';
import {
  type Address,
  type Answer,
  envelopeTo,
  expectNothingLeft,
  mailing,
  resolverOf,
  type Script,
} from './scripted-network.test-support.js';

const A = '192.0.2.1';
const B = '192.0.2.2';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

expectNothingLeft();

const failingAt = (verb: string, answer: Answer, more: Script = {}): Script => ({
  ...more,
  reply: (command) => (command.split(' ')[0] === verb ? answer : undefined),
});

/** A body whose second reading fails. */
function readableOnce(fault: unknown): ReplayableBody {
  let readings = 0;
  return {
    async *read() {
      readings += 1;
      yield Buffer.from(MESSAGE);
      if (readings > 1) throw fault;
    },
  };
}

describe('a body that fails after a server has decided', () => {
  const fault = new Error('The disk is on fire');

  it('leaves the verdicts that there are, and defers the other recipients for its error', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, recipientsPerTransaction: 1 });
    const envelope = envelopeTo('1@b.example', '2@b.example', '3@b.example');
    expect(await network.run(mailer.send(envelope, readableOnce(fault)))).toMatchObject([
      { verdict: 'delivered', reply: { code: 250 } },
      { verdict: 'deferred', phase: 'message', host: A, enhancedCode: '4.3.0', error: fault },
      { verdict: 'deferred', reason: 'The body of the message failed: The disk is on fire', error: fault },
    ]);
    expect(network.connections.flatMap(({ messages }) => messages)).toHaveLength(1);
  });

  it('does so in another group, too, and where the message may have been delivered', async () => {
    const { mailer, network } = mailing(
      { [A]: failingAt('.', 'drop'), [B]: { greeting: 'silence' } },
      { resolver: resolverOf({ 'a.example': [A], 'b.example': [B, A] }) },
    );
    const sending = mailer.send(envelopeTo('1@a.example', '2@b.example'), readableOnce(fault));
    expect(await network.run(sending)).toMatchObject([
      { verdict: 'unknown', host: `${A}.mx`, enhancedCode: '4.4.2' },
      { verdict: 'deferred', host: `${A}.mx`, error: fault },
    ]);
  });

  it('is an error of the message as well: what mail cannot hold', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, recipientsPerTransaction: 1 });
    let readings = 0;
    const body = {
      async *read() {
        readings += 1;
        yield Buffer.from(readings === 1 ? MESSAGE : 'a\rb');
      },
    };
    const verdicts = await network.run(mailer.send(envelopeTo('1@b.example', '2@b.example'), body));
    expect(verdicts).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'deferred', error: { name: 'MailDataError' } },
    ]);
  });

  it('is thrown where only DNS has decided, or nobody could be reached', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: 'refused' },
      { resolver: resolverOf({ 'a.example': [A], 'b.example': [B] }) },
    );
    async function* body() {
      yield Buffer.from(MESSAGE);
      throw fault;
    }
    const envelope = envelopeTo('1@none.example', '2@a.example', '3@b.example');
    await expect(network.run(mailer.send(envelope, body()))).rejects.toBe(fault);
  });
});

describe('a stream that cannot be stored on the disk', () => {
  const LARGE = `Subject: test\r\n\r\n${'0123456789\r\n'.repeat(20_000)}`;
  const wholeOnce = { recipients: ['r@b.example'], text: LARGE, taken: true };
  /** The disk takes its own time. */
  const session = { timeouts: { dataBlock: Number.POSITIVE_INFINITY } };
  async function* stream() {
    for (let start = 0; start < LARGE.length; start += 10_000) {
      yield Buffer.from(LARGE.slice(start, start + 10_000));
    }
  }
  const { TMPDIR } = process.env;
  beforeEach(() => {
    process.env.TMPDIR = '/nonexistent';
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });

  it('is passed on to the exchanger that takes it', async () => {
    const { mailer, network } = mailing(
      { [A]: {}, [B]: {} },
      { resolver: resolverOf({ 'b.example': [A, B] }), session },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), stream()));
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(network.connections.flatMap(({ messages }) => messages)).toEqual([wholeOnce]);
  });

  it('is lost with the session amid it, and its recipients are deferred for that', async () => {
    let heard = 0;
    const failing: Script = {
      reply(command) {
        if (command === 'body') heard += 1;
        return heard > 8 ? 'drop' : undefined;
      },
    };
    const { mailer, network } = mailing(
      { [A]: failing, [B]: {} },
      { resolver: resolverOf({ 'b.example': [A, B] }), session },
    );
    const [verdict] = await network.run(mailer.send(envelopeTo('r@b.example'), stream()));
    expect(verdict).toMatchObject({
      verdict: 'deferred',
      phase: 'message',
      host: `${B}.mx`,
      enhancedCode: '4.3.0',
      error: { code: 'ENOENT' },
    });
    expect(verdict?.reason).toMatch(
      /^The message cannot be read again, for it could not be stored in \/nonexistent: ENOENT.*; before: 192\.0\.2\.1\.mx: .*lost/,
    );
    expect(network.to(B)).toEqual([]);
  });

  it('goes to those of several exchangers who are there in time, and the others are deferred', async () => {
    let onTaken: () => void = () => {};
    const taken = new Promise<void>((resolve) => {
      onTaken = resolve;
    });
    const first: Script = {
      reply(command) {
        if (command === '.') onTaken();
        return undefined;
      },
    };
    const openStream: OpenStream = async (endpoint, tls, signal) => {
      if (!('path' in endpoint) && endpoint.address === B) await taken;
      return network.openStream(endpoint, tls, signal);
    };
    const resolver = resolverOf({ 'b.example': [A], 'c.example': [B, A] });
    const { mailer, network } = mailing({ [A]: first, [B]: {} }, { resolver, session, openStream });
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example', 's@c.example'), stream()));
    expect(verdicts).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'deferred', phase: 'message', host: `${B}.mx`, enhancedCode: '4.3.0' },
    ]);
    expect(verdicts[1]?.reason).toContain('could not be stored');
    expect(network.connections.flatMap(({ messages }) => messages)).toEqual([wholeOnce]);
  });
});

describe('a verdict that follows from several hosts', () => {
  const C = '192.0.2.3';
  const reasonOf = async (hosts: Readonly<Record<string, Address>>) => {
    const resolver = resolverOf({ 'b.example': Object.keys(hosts) });
    const { mailer, network } = mailing(hosts, { resolver, connectTimeout: 1_000 });
    const [verdict] = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    return verdict;
  };

  it('tells of those before, the host of the last being its own', async () => {
    expect(await reasonOf({ [A]: { greeting: '554 5.3.2 Not here' }, [B]: 'refused' })).toMatchObject({
      verdict: 'deferred',
      host: `${B}.mx`,
      reason: `${B}.mx: ${B} refuses connections; before: ${A}.mx replied: 554 5.3.2 Not here`,
    });
  });

  it('tells of those behind the one that decides', async () => {
    const hosts = { [A]: 'refused', [B]: { greeting: '554 No' }, [C]: { greeting: '550 No' } } as const;
    expect(await reasonOf(hosts)).toMatchObject({
      verdict: 'deferred',
      host: `${A}.mx`,
      reason: `${A}.mx: ${A} refuses connections; then: ${B}.mx replied: 554 No; ${C}.mx replied: 550 No`,
    });
  });

  it('tells of three at most, and of a long reply the beginning', async () => {
    const line = `554-${'𝄞'.repeat(100)}`;
    const long = { greeting: [...new Array<string>(5).fill(line), '554 No'].join('\r\n') };
    const others = Object.fromEntries([4, 5, 6, 7, 8].map((end) => [`192.0.2.${end}`, 'refused'] as const));
    const reason = (await reasonOf({ [A]: long, ...others }))?.reason ?? '';
    expect(reason).toMatch(
      /^192\.0\.2\.8\.mx: [^;]+; before: 192\.0\.2\.1\.mx replied: [^;]+\.\.\.; [^;]+; [^;]+; and 2 more$/,
    );
    expect(reason).not.toMatch(/\p{Cs}/u);
    expect(reason.length).toBeLessThan(1_500);
  });
});

describe('a delivery that is stopped', () => {
  it.each<[string, Address, string]>([
    ['refused by its greeting', { greeting: '421 4.3.2 Busy' }, `${A}.mx replied: 421 4.3.2 Busy`],
    ['not reached', 'refused', `${A}.mx: ${A} refuses connections`],
  ])('tells also of a server before: %s', async (_, first, words) => {
    const { mailer, network } = mailing(
      { [A]: first, [B]: { greeting: 'silence' } },
      { resolver: resolverOf({ 'b.example': [A, B] }) },
    );
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 5_000 });
    const [verdict] = await network.run(sending);
    expect(verdict).toMatchObject({
      verdict: 'deferred',
      phase: 'greeting',
      host: `${B}.mx`,
      enhancedCode: '4.4.7',
      reason: `The delivery was stopped: The deadline of 5000 ms has passed; before: ${words}`,
    });
  });

  it('tells of it also amid a mail transaction', async () => {
    const { mailer, network } = mailing(
      { [A]: 'refused', [B]: failingAt('MAIL', 'silence') },
      { resolver: resolverOf({ 'b.example': [A, B] }) },
    );
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 5_000 });
    const [verdict] = await network.run(sending);
    expect(verdict).toMatchObject({
      verdict: 'deferred',
      phase: 'mail',
      host: `${B}.mx`,
      enhancedCode: '4.4.7',
    });
    expect(verdict?.reason).toMatch(/deadline.*connection was lost.*; before: 192\.0\.2\.1\.mx: .* refuses/);
  });

  it('may have delivered behind the final dot, and its code does not say otherwise', async () => {
    const { mailer, network } = mailing({ [A]: failingAt('.', 'silence') }, { relay: { host: A } });
    const sending = mailer.send(envelopeTo('r@b.example'), MESSAGE, { deadline: 5_000 });
    expect(await network.run(sending)).toMatchObject([{ verdict: 'unknown', enhancedCode: '4.4.2' }]);
  });

  it('tells how far each mail transaction of several had come', async () => {
    const { mailer, network } = mailing(
      { [A]: failingAt('MAIL', 'silence') },
      { relay: { host: A }, recipientsPerTransaction: 1 },
    );
    const envelope = envelopeTo('1@b.example', '2@b.example');
    expect(await network.run(mailer.send(envelope, MESSAGE, { deadline: 5_000 }))).toMatchObject([
      { verdict: 'deferred', phase: 'mail', host: A },
      { verdict: 'deferred', phase: 'connect', host: A },
    ]);
  });
});

describe('TLS that cannot be had is put on who demands it:', () => {
  const policyOf = (mode: string): NonNullable<MailerOptions['sts']> => {
    const body = Buffer.from(`version: STSv1\nmode: ${mode}\nmx: *.mx\nmx: ${A}.mx\nmax_age: 86400\n`);
    return {
      fetchPolicy: async () => ({ status: 200, contentType: 'text/plain', body }),
      cache: { get: async () => undefined, set: async () => {} },
    };
  };
  const withSts: MailerOptions = {
    resolver: {
      ...resolverOf({ 'b.example': [A] }),
      resolveTxt: async () => ({ kind: 'found', records: ['v=STSv1; id=1'], secure: false }),
    },
    sts: policyOf('enforce'),
  };
  const withDane: MailerOptions = {
    resolver: resolverOf({ 'b.example': [A] }, true),
    tlsa: {
      resolveTlsa: async () => ({
        kind: 'found',
        secure: true,
        records: [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) }],
      }),
    },
  };
  const byOption: MailerOptions = { resolver: resolverOf({ 'b.example': [A] }), tls: 'required' };

  const NOT_OFFERED: Script = {};
  const REFUSED = failingAt('STARTTLS', '502 5.5.1 No', { tls: 'works' });
  const FAILS: Script = { tls: 'fails' };

  it.each<[string, string, MailerOptions, Script, string]>([
    ['the MTA-STS policy of the domain', 'does not offer STARTTLS', withSts, NOT_OFFERED, '4.7.10'],
    ['the MTA-STS policy of the domain', 'replied to STARTTLS: 502', withSts, REFUSED, '4.7.0'],
    ['the MTA-STS policy of the domain', 'could not be established', withSts, FAILS, '4.7.0'],
    ['DANE', 'does not offer STARTTLS', withDane, NOT_OFFERED, '4.7.10'],
    ['DANE', 'could not be established', withDane, FAILS, '4.7.0'],
    ['DANE', 'presented no certificate', withDane, { tls: 'works' }, '4.7.0'],
  ])('%s (the server %s)', async (blamed, problem, options, script, enhancedCode) => {
    const { mailer, network } = mailing({ [A]: script }, options);
    const [verdict] = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdict).toMatchObject({ verdict: 'deferred', phase: 'policy', host: `${A}.mx`, enhancedCode });
    expect(verdict?.reason).toContain(problem);
    expect(verdict?.reason).toContain(`; ${blamed}`);
    expect(verdict?.reason).not.toContain('the options require');
    expect(network.connections).toHaveLength(1);
  });

  it('REQUIRETLS', async () => {
    const { mailer, network } = mailing({ [A]: { keywords: ['REQUIRETLS'] } }, { relay: { host: A } });
    const envelope = { ...envelopeTo('r@b.example'), parameters: { requireTls: true } as const };
    const [verdict] = await network.run(mailer.send(envelope, MESSAGE));
    expect(verdict).toMatchObject({ verdict: 'deferred', phase: 'policy', enhancedCode: '4.7.10' });
    expect(verdict?.reason).toContain('; REQUIRETLS demands TLS');
  });

  it('the options, where they do', async () => {
    const { mailer, network } = mailing({ [A]: NOT_OFFERED }, byOption);
    const [verdict] = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdict).toMatchObject({ verdict: 'deferred', phase: 'startTls', enhancedCode: '4.7.10' });
    expect(verdict?.reason).toContain('the options require');
  });

  it('nobody, where the connection is lost', async () => {
    const script = failingAt('STARTTLS', 'drop', { tls: 'works' });
    const { mailer, network } = mailing({ [A]: script }, withSts);
    const verdicts = await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([{ verdict: 'deferred', phase: 'startTls', enhancedCode: '4.4.2' }]);
  });

  it('each domain, though their exchangers are the same', async () => {
    const { mailer, network } = mailing(
      { [A]: NOT_OFFERED },
      {
        resolver: {
          ...resolverOf({ 'b.example': [A], 'c.example': [A] }),
          resolveTxt: async (name) =>
            name.includes('b.example')
              ? { kind: 'found', records: ['v=STSv1; id=1'], secure: false }
              : { kind: 'none' },
        },
        sts: policyOf('enforce'),
        tls: 'required',
        tlsOptions: { verify: true },
      },
    );
    expect(await network.run(mailer.send(envelopeTo('r@b.example', 'r@c.example'), MESSAGE))).toMatchObject([
      { phase: 'policy' },
      { phase: 'startTls' },
    ]);
  });
});

describe('the enhanced code, where no reply has one,', () => {
  it.each<[string, Address, string]>([
    ['of a message that was taken', {}, '2.0.0'],
    ['of no connection', 'refused', '4.4.1'],
    ['of no connection in time', 'unreachable', '4.4.1'],
    ['of no greeting', { greeting: 'silence' }, '4.4.2'],
    ['of a connection that is lost', failingAt('MAIL', 'drop'), '4.4.2'],
    ['of a message that may have been delivered', failingAt('.', 'drop'), '4.4.2'],
    ['of a greeting that is none', { greeting: 'Welcome' }, '4.5.0'],
    ['of a greeting that refuses', { greeting: '554 No' }, '5.0.0'],
    ['of a recipient who is refused', failingAt('RCPT', '550 Nobody'), '5.0.0'],
    ['of a recipient who is put off', failingAt('RCPT', '450 Later'), '4.0.0'],
  ])('%s', async (_, address, enhancedCode) => {
    const { mailer, network } = mailing({ [A]: address }, { relay: { host: A } });
    expect(await network.run(mailer.send(envelopeTo('r@b.example'), MESSAGE))).toMatchObject([
      { enhancedCode },
    ]);
  });

  it('of an envelope that cannot be written is 5.5.4', async () => {
    const { mailer, network } = mailing({ [A]: { keywords: ['SIZE'] } }, { relay: { host: A } });
    const envelope = { ...envelopeTo('r@b.example'), parameters: { size: -1 } };
    const [verdict] = await network.run(mailer.send(envelope, MESSAGE));
    expect(verdict).toMatchObject({
      verdict: 'rejected',
      phase: 'mail',
      enhancedCode: '5.5.4',
    });
  });
});

it.each([
  { kind: 'text', verdict: 'delivered' },
  { kind: 'a stream', verdict: 'deferred' },
])(
  'says $verdict of $kind amid which a session from the pool breaks, and never doubles it',
  async ({ kind, verdict }) => {
    const script: Script = {
      reply(command, { commands }) {
        const again = commands.filter((said) => said.startsWith('MAIL')).length > 1;
        return again && command === 'body' ? 'drop' : undefined;
      },
    };
    const { mailer, network } = mailing({ [A]: script }, { relay: { host: A } });
    // One recipient and one server: a stream is not kept, for that would put each on the disk.
    async function* stream() {
      yield Buffer.from(MESSAGE.slice(0, 10));
      await new Promise<void>((resolve) => network.clock.set(network.clock.now() + 100, resolve));
      yield Buffer.from(MESSAGE.slice(10));
    }
    const body = () => (kind === 'text' ? MESSAGE : stream());
    const first = mailer.send(envelopeTo('r@b.example'), body());
    expect(await network.run(first)).toMatchObject([{ verdict: 'delivered' }]);
    const second = mailer.send(envelopeTo('s@b.example'), body());
    expect(await network.run(second)).toMatchObject([{ verdict }]);
    await network.clock.advanceAsync(100); // the stream's own timer
    const taken = network.connections.flatMap(({ messages }) => messages.map(({ text }) => text));
    expect(taken).toEqual(verdict === 'delivered' ? [MESSAGE, MESSAGE] : [MESSAGE]);
  },
);
