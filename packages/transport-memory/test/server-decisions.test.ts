import {
  etrn,
  type Reply,
  type ServiceExtension,
  standardExtensions,
  type TransitionRecord,
} from '@sansmtp/core';
import {
  ForeignProtocolError,
  type HandlerResult,
  Rejection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { octetsOf, Peer, settle } from './peer.js';
import { expectEverySessionToEnd, type Pending, pending, serve } from './serving.js';
import { StubStream } from './stub-stream.js';

expectEverySessionToEnd();

/** Those that accept by returning nothing; AUTH has tests of its own. */
type Decision = Exclude<
  keyof ServerHandlers,
  'createState' | 'onSecure' | 'onAuth' | 'onAuthDecided' | 'onCredentials' | 'onClose' | 'onError'
>;

interface Exchange {
  /** What leads up to the question. */
  readonly before: readonly string[];
  /** What is decided on. */
  readonly said: readonly string[];
  /** A reply of the application's own that accepts. */
  readonly accepting: Reply;
  /** The reply when the handler returns nothing, and when there is none. */
  readonly accepted: string;
  readonly unhandled?: string;
}

const hello = ['EHLO c.example'];
const opened = [...hello, 'MAIL FROM:<s@a.example>'];
const addressed = [...opened, 'RCPT TO:<r@b.example>'];
const text = (code: number, enhancedCode: string): Reply => ({ code, enhancedCode, lines: ['By all means'] });

const exchanges: Readonly<Record<Decision, Exchange>> = {
  onConnect: {
    before: [],
    said: [],
    accepting: { code: 220, lines: ['By all means'] },
    accepted: '220 mx.example ESMTP',
  },
  onHello: {
    before: [],
    said: ['HELO c.example'],
    accepting: { code: 250, lines: ['By all means'] },
    accepted: '250 mx.example OK',
  },
  onMailFrom: {
    before: hello,
    said: ['MAIL FROM:<s@a.example>'],
    accepting: text(250, '2.1.0'),
    accepted: '250 2.1.0 Sender OK',
  },
  onRcptTo: {
    before: opened,
    said: ['RCPT TO:<r@b.example>'],
    accepting: text(250, '2.1.5'),
    accepted: '250 2.1.5 Recipient OK',
  },
  onData: {
    before: addressed,
    said: ['DATA'],
    accepting: { code: 354, lines: ['By all means'] },
    accepted: '354 Send the message; end it with <CRLF>.<CRLF>',
  },
  onMessage: {
    before: [...addressed, 'DATA'],
    said: ['Subject: x', '', 'text', '.'],
    accepting: text(250, '2.0.0'),
    accepted: '250 2.0.0 Message accepted',
  },
  onVerify: {
    before: hello,
    said: ['VRFY somebody'],
    accepting: text(250, '2.1.5'),
    accepted: '252 2.5.0 Cannot verify the user, but will take mail for it',
  },
  onExpand: {
    before: hello,
    said: ['EXPN list'],
    accepting: text(250, '2.1.5'),
    accepted: '252 2.5.0 Cannot expand the list, but will take mail for it',
    unhandled: '502 5.5.1 EXPN is not implemented',
  },
  onEtrn: {
    before: hello,
    said: ['ETRN b.example'],
    accepting: text(250, '2.0.0'),
    accepted: '250 2.0.0 Queuing for the node started',
    unhandled: '459 4.7.1 The node is not allowed',
  },
  onExtension: {
    before: hello,
    said: ['XTEST word'],
    accepting: text(250, '2.0.0'),
    accepted: '250 2.0.0 OK',
    unhandled: '502 5.5.1 The command is not implemented',
  },
  onHelp: {
    before: hello,
    said: ['HELP'],
    accepting: text(214, '2.0.0'),
    accepted: '214 2.0.0 See RFC 5321',
  },
};

const embedded: ServiceExtension = { keyword: 'XTEST', verbs: ['XTEST'] };
const extensions = [...standardExtensions, etrn, embedded];

/** Of those that may decide more than a reply says. */
const TAKES: { readonly [Name in Decision]?: string } = {
  onHello: 'nothing, a Reply, or { withhold: { extensions, mechanisms } } and nothing beside it',
  onMessage: 'nothing, a Reply, or in LMTP a Reply for each recipient',
};

const decisions = Object.keys(exchanges) as Decision[];

/** The reply to what is decided on, when `handler` decides; and what `onError` was told. */
async function decide(decision: Decision, handler: () => HandlerResult) {
  const { before, said } = exchanges[decision];
  const session = await serve({ [decision]: handler }, { extensions });
  const { peer, errors } = session;
  const greeting = peer.news();
  if (decision === 'onConnect') return { session, reply: greeting, errors };
  await peer.say(...before);
  return { session, reply: await peer.say(...said), errors };
}

describe.each(decisions)('%s', (decision) => {
  const { accepting, accepted, unhandled = accepted, before, said } = exchanges[decision];
  const own = [accepting.code, accepting.enhancedCode, 'By all means'].filter(Boolean).join(' ');

  it('accepts by returning nothing', async () => {
    expect(await decide(decision, () => {})).toMatchObject({ reply: [accepted], errors: [] });
  });

  it('accepts by a promise of nothing', async () => {
    expect(await decide(decision, async () => {})).toMatchObject({ reply: [accepted], errors: [] });
  });

  if (decision !== 'onMessage') {
    it('is decided without a handler', async () => {
      const { peer } = await serve({}, { extensions });
      const greeting = peer.news();
      await peer.say(...before);
      const replies = await peer.say(...said);
      expect(decision === 'onConnect' ? greeting : replies).toEqual([unhandled]);
    });
  }

  it('accepts by a reply', async () => {
    const { reply, errors } = await decide(decision, () => accepting);
    // The greeting and the reply to HELO begin with our name (RFC 5321 §4.2).
    const named = own.replace(/^(220|250) By/, '$1 mx.example By');
    expect(reply).toEqual([named]);
    expect(errors).toEqual([]);
  });

  it('refuses by a reply', async () => {
    const refusal: Reply = { code: 550, enhancedCode: '5.7.1', lines: ['First line', 'last line'] };
    const { reply, errors } = await decide(decision, () => refusal);
    expect(reply).toEqual(['550-5.7.1 First line', '550 5.7.1 last line']);
    expect(errors).toEqual([]);
  });

  it('refuses by a promise of a reply', async () => {
    const refusal: Reply = { code: 450, enhancedCode: '4.2.1', lines: ['Not now'] };
    expect(await decide(decision, async () => refusal)).toMatchObject({
      reply: ['450 4.2.1 Not now'],
      errors: [],
    });
  });

  it.each([
    [
      'throwing',
      () => {
        throw new Rejection(553, '5.1.3', 'Not like this');
      },
    ],
    ['a promise that rejects with', () => Promise.reject(new Rejection(553, '5.1.3', 'Not like this'))],
  ])('refuses by %s a Rejection', async (_, handler) => {
    expect(await decide(decision, handler)).toMatchObject({
      reply: ['553 5.1.3 Not like this'],
      errors: [],
    });
  });

  it('refuses by an error with a responseCode, with the enhanced status code of its class', async () => {
    const error = Object.assign(new Error('Over quota'), { responseCode: 452 });
    const { reply, errors } = await decide(decision, async () => {
      throw error;
    });
    expect(reply).toEqual(['452 4.0.0 Over quota']);
    expect(errors).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('ENOENT: /etc/secret');
      },
    ],
    ['rejects with', () => Promise.reject(new Error('ENOENT: /etc/secret'))],
  ])(
    'answers 451 4.3.0 when the handler %s any other error, which onError alone is told',
    async (_, handler) => {
      const { session, reply, errors } = await decide(decision, handler);
      expect(reply).toEqual(['451 4.3.0 Local error in processing; try again later']);
      expect(errors).toEqual([new Error('ENOENT: /etc/secret')]);
      expect(session.peer.heard).not.toContain('secret');
    },
  );

  it.each([250, 354, 600, '550', Number.NaN])(
    'takes an error for a fault whose responseCode is %s',
    async (code) => {
      const error = Object.assign(new Error('Not meant for the client'), { responseCode: code });
      const { reply, errors } = await decide(decision, () => Promise.reject(error));
      expect(reply).toEqual(['451 4.3.0 Local error in processing; try again later']);
      expect(errors).toEqual([error]);
    },
  );

  it.each<[string, Reply]>([
    ['would go with another question', { code: decision === 'onData' ? 250 : 354, lines: ['Go on'] }],
    ['has a code of no class', { code: 199, lines: ['No such code'] }],
    ['has a code above 599', { code: 600, lines: ['No such code'] }],
    ['has an enhanced status code of another class', { code: 550, enhancedCode: '4.0.0', lines: ['No'] }],
    ['has no line', { code: 550, lines: [] }],
  ])('answers 451 4.3.0 when the reply %s, and tells onError', async (_, wrong) => {
    for (const handler of [() => wrong, async () => wrong]) {
      const { reply, errors } = await decide(decision, handler);
      expect(reply).toEqual(['451 4.3.0 Local error in processing; try again later']);
      expect(errors).toEqual([expect.any(Error)]);
    }
  });

  it.each<[string, unknown]>([
    ['a boolean', true],
    ['a number', 250],
    ['a string', 'OK'],
    ['an object of another form', { accepted: true }],
    ['an object of another form', { code: 550, lines: 'text' }],
  ])('answers 451 4.3.0 when the handler returns %s, and tells onError', async (words, value) => {
    // As a handler in JavaScript may.
    const wrong = value as Reply;
    for (const handler of [() => wrong, async () => wrong]) {
      const { reply, errors } = await decide(decision, handler);
      expect(reply).toEqual(['451 4.3.0 Local error in processing; try again later']);
      const takes = TAKES[decision] ?? 'nothing or a Reply';
      expect(errors).toEqual([new TypeError(`${decision} returned ${words}; return ${takes}`)]);
    }
  });

  it('ends the session by 421', async () => {
    const { session, reply } = await decide(decision, () => {
      throw new Rejection(421, '4.3.2', 'Going down');
    });
    expect(reply).toEqual(['421 4.3.2 Going down']);
    expect(session.peer.ended).toBe(true);
    session.peer.stream.end();
    await settle();
    expect(session.closings).toEqual([undefined]);
  });

  it('cannot be made to send a second reply by the text of an error', async () => {
    const { reply } = await decide(decision, () => {
      throw new Rejection(550, undefined, 'No\r\n250 2.0.0 Yes\u0000');
    });
    expect(reply).toEqual(['550-5.0.0 No', '550 5.0.0 250 2.0.0 Yes?']);
  });

  it('lets nothing that the client pipelines overtake the decision', async () => {
    const decided = pending();
    const session = await serve({ [decision]: () => decided.promise }, { extensions });
    const { peer } = session;
    const replies = peer.news();
    replies.push(...(await peer.say(...before)));
    // Behind DATA comes the message.
    const ahead = decision === 'onData' ? ['.', 'NOOP'] : ['NOOP'];
    replies.push(...(await peer.say(...said, ...ahead)));
    expect(replies).not.toContainEqual(expect.stringMatching(/^250 2\.0\.0/));
    decided.resolve();
    await settle();
    const [first, ...others] = peer.news();
    expect(first).toBe(accepted);
    expect(others.at(-1)).toBe('250 2.0.0 OK');
  });

  it('answers 421 and takes no late decision when the handler does not settle in time', async () => {
    for (const late of [(decided: Pending) => decided.resolve(), refuseLate]) {
      const decided = pending();
      const session = await serve(
        { [decision]: () => decided.promise },
        { extensions, timeouts: { decision: 60_000 } },
      );
      const { clock, peer, connection } = session;
      await peer.say(...before);
      await peer.say(...said);
      await clock.advanceAsync(59_999);
      expect(peer.news()).toEqual([]);
      await clock.advanceAsync(1);
      expect(peer.news()).toEqual(['421 4.3.0 No decision in time, closing the session; try again later']);
      expect(peer.ended).toBe(true);
      late(decided);
      await settle();
      expect(session.errors).toEqual([]);
      peer.stream.end();
      await connection.closed;
      expect(peer.news()).toEqual([]);
    }
  });
});

function refuseLate(decided: Pending): void {
  decided.reject(new Rejection(550, undefined, 'Too late'));
}

describe('a server session', () => {
  it('tells handlers who is there, how it introduced itself and what the envelope holds', async () => {
    const told: unknown[] = [];
    const session = await serve({
      onConnect: ({ peer, hello }) => void told.push([peer, hello]),
      onHello: (hello, information) => void told.push([hello, information.hello]),
      onMailFrom: ({ reversePath, parameters }, { hello }) =>
        void told.push([reversePath, parameters, hello]),
      onRcptTo: ({ forwardPath }, { reversePath, recipients }) =>
        void told.push([forwardPath, reversePath, recipients.length]),
      onData: ({ recipients }) => void told.push(recipients.map(({ forwardPath }) => forwardPath)),
      onMessage: ({ envelope }) => void told.push(envelope.recipients.length),
    });
    const sender = { localPart: 's', domain: 'a.example' };
    const recipients = [1, 2].map((n) => ({ localPart: `r${n}`, domain: 'b.example' }));
    await session.peer.say('EHLO c.example', 'MAIL FROM:<s@a.example> SIZE=7');
    await session.peer.say('RCPT TO:<r1@b.example>', 'RCPT TO:<r2@b.example>', 'DATA');
    await session.peer.say('.');
    const introduced = { verb: 'EHLO', name: 'c.example' };
    expect(told).toEqual([
      [{}, undefined],
      [introduced, undefined],
      [sender, { size: 7 }, introduced],
      [recipients[0], sender, 0],
      [recipients[1], sender, 1],
      recipients,
      2,
    ]);
  });

  it('calls handlers with their object as `this`', async () => {
    class Handlers {
      readonly heard: string[] = [];
      onHello({ name }: { name: string }) {
        this.heard.push(name);
      }
      onMessage() {}
    }
    const handlers = new Handlers();
    const [near, far] = createMemoryPair();
    serveSession(far, handlers, { clock: createVirtualClock() });
    await new Peer(near).say('HELO c.example');
    expect(handlers.heard).toEqual(['c.example']);
  });

  it('answers EHLO by 451 4.3.0 where an extension offers what no reply can hold, and tells onError', async () => {
    let offer: string | undefined = 'RED\r\n250 AUTH PLAIN';
    const colour: ServiceExtension = { keyword: 'X-COLOUR', offer: () => offer };
    const { peer, errors } = await serve({}, { extensions: [colour] });
    peer.news();
    expect(await peer.say('EHLO c.example')).toEqual([
      '451 4.3.0 Local error in processing; try again later',
    ]);
    expect(errors).toMatchObject([{ name: 'RangeError', message: expect.stringContaining('X-COLOUR') }]);
    offer = 'RED';
    expect(await peer.say('EHLO c.example')).toEqual(['250-mx.example OK', '250 X-COLOUR RED']);
    expect(await peer.say('MAIL FROM:<s@a.example>')).toEqual(['250 2.1.0 Sender OK']);
  });

  it('serves nothing but QUIT to a client that onConnect refused (RFC 5321 §3.1)', async () => {
    const { peer } = await serve({
      onConnect: () => {
        throw new Rejection(554, '5.7.1', 'Not you');
      },
    });
    expect(peer.news()).toEqual(['554 5.7.1 Not you']);
    expect(await peer.say('EHLO c.example')).toEqual(['503 5.5.1 No service here; only QUIT is accepted']);
    expect(await peer.say('QUIT')).toEqual(['221 2.0.0 Closing the session']);
  });

  it('decides on each recipient for itself', async () => {
    const { peer } = await serve({
      async onRcptTo({ forwardPath }) {
        if (forwardPath.localPart === 'bad') throw new Rejection(550, '5.1.1', 'Unknown');
      },
    });
    await peer.say('EHLO c.example', 'MAIL FROM:<>');
    expect(
      await peer.say('RCPT TO:<a@b.example>', 'RCPT TO:<bad@b.example>', 'RCPT TO:<c@b.example>', 'DATA'),
    ).toEqual([
      '250 2.1.5 Recipient OK',
      '550 5.1.1 Unknown',
      '250 2.1.5 Recipient OK',
      expect.stringMatching(/^354 /),
    ]);
  });

  it('answers what is decided at once in one write (RFC 2920 §3.2)', () => {
    const stream = new StubStream();
    serveSession(stream, { onRcptTo() {}, onMessage() {} }, { clock: createVirtualClock() });
    stream.listener.data(octetsOf('EHLO c.example\r\n'));
    stream.writes.length = 0;
    const commands = ['MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>', 'RCPT TO:<q@b.example>', 'DATA'];
    stream.listener.data(octetsOf(commands.map((command) => `${command}\r\n`).join('')));
    expect(stream.writes.map((text) => text.match(/^\d{3}/gm))).toEqual([['250', '250', '250', '354']]);
    stream.listener.close();
  });

  it('gives a stream what it says in writes of 16 KiB at most and one reply', async () => {
    const stream = new StubStream();
    serveSession(
      stream,
      { onMessage() {} },
      { clock: createVirtualClock(), maximumJunkCommands: Number.POSITIVE_INFINITY },
    );
    stream.writes.length = 0;
    stream.listener.data(octetsOf('NOOP\r\n'.repeat(10_000)));
    await settle();
    const reply = '250 2.0.0 OK\r\n';
    expect(stream.writes.join('')).toBe(reply.repeat(10_000));
    for (const text of stream.writes) expect(text.length).toBeLessThan(16_384 + reply.length);
    stream.listener.close();
  });

  it('lets all others have their turn after 128 commands of one client, and reads no more of it meanwhile', async () => {
    const clock = createVirtualClock();
    const [flooding, ordinary] = [new StubStream(), new StubStream()];
    for (const stream of [flooding, ordinary]) {
      const options = { clock, maximumJunkCommands: Number.POSITIVE_INFINITY };
      serveSession(stream, { onMessage() {} }, options);
      stream.writes.length = 0;
    }
    const replies = () => flooding.writes.join('').split('\r\n').length - 1;
    flooding.listener.data(octetsOf('NOOP\r\n'.repeat(1000)));
    expect(replies()).toBe(128);
    expect(flooding.calls).toEqual(['pause']);
    ordinary.listener.data(octetsOf('NOOP\r\n'));
    expect(ordinary.writes).toEqual(['250 2.0.0 OK\r\n']);
    expect(replies()).toBe(128);
    await settle();
    expect(replies()).toBe(1000);
    expect(flooding.calls).toEqual(['pause', 'resume']);
    for (const stream of [flooding, ordinary]) stream.listener.close();
  });

  it('joins the replies that a stream has no room for, and writes them in one when it has', async () => {
    const stream = new StubStream();
    stream.hasRoom = false;
    serveSession(
      stream,
      { onMessage() {} },
      { clock: createVirtualClock(), maximumJunkCommands: Number.POSITIVE_INFINITY },
    );
    for (let command = 0; command < 1000; command += 1) stream.listener.data(octetsOf('NOOP\r\n'));
    await settle();
    expect(stream.writes).toHaveLength(1);
    stream.hasRoom = true;
    stream.listener.drain();
    expect(stream.writes.slice(1)).toEqual(['250 2.0.0 OK\r\n'.repeat(1000)]);
    stream.listener.close();
  });

  it('tells onClose that something else than SMTP was spoken', async () => {
    const { peer, closings } = await serve();
    peer.write('POST / HTTP/1.1\r\nHost: mx.example\r\n\r\nEHLO c\r\n');
    await settle();
    expect(peer.news().at(-1)).toBe('421 4.7.0 HTTP is not spoken here, closing the session');
    peer.stream.abort();
    await settle();
    expect(closings).toEqual([new ForeignProtocolError('HTTP')]);
  });

  it('tells onTransition each step of the chart', async () => {
    const records: TransitionRecord[] = [];
    const { peer } = await serve({}, { onTransition: (record) => records.push(record) });
    await peer.say('EHLO c.example', 'QUIT');
    expect(records.length).toBeGreaterThan(2);
    for (const record of records) {
      expect(record).toEqual({
        event: expect.any(String),
        from: expect.any(String),
        to: expect.any(String),
        effects: expect.any(Array),
        changes: expect.any(Array),
        transition: expect.any(String),
        guards: expect.any(Array),
        left: expect.any(Array),
        entered: expect.any(Array),
        description: expect.any(String),
      });
    }
    // Each step begins where the one before has ended.
    expect(records.slice(1).map(({ from }) => from)).toEqual(records.slice(0, -1).map(({ to }) => to));
  });
});
