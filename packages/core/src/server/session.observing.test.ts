import { describe, expect, it } from 'vitest';
import type { Reply } from '../wire/replies/reply.js';
import { answering, base64, Dialogue, type DialogueOptions, reject } from './dialogue.test-support.js';
import type { ServerProtocolEvent } from './observing/protocol-events.js';

type EventOf<Type extends ServerProtocolEvent['type']> = Extract<
  ServerProtocolEvent,
  { readonly type: Type }
>;

function observed(options: DialogueOptions = {}): Dialogue {
  return new Dialogue({ observe: true, authentication: { allowInsecure: true }, ...options });
}

function eventsOf(dialogue: Dialogue): ServerProtocolEvent[] {
  return dialogue.outputs.flatMap((output) => (output.type === 'observed' ? [output.event] : []));
}

function only<Type extends ServerProtocolEvent['type']>(dialogue: Dialogue, type: Type): EventOf<Type>[] {
  return eventsOf(dialogue).filter((event): event is EventOf<Type> => event.type === type);
}

const linesIn = (dialogue: Dialogue) => only(dialogue, 'command').map(({ line }) => line);

describe('an observed session', () => {
  it('tells of a command, the transitions that it leads to, the decision and the reply, in this order', () => {
    const dialogue = observed();
    const before = eventsOf(dialogue).length;
    dialogue.say('EHLO c');
    const events = eventsOf(dialogue).slice(before);
    expect(events.map(({ type }) => type).filter((type) => !type.startsWith('timer'))).toEqual([
      'command',
      'transition',
      'decision',
      'transition',
      'reply',
    ]);
    expect(events[0]).toMatchObject({ verb: 'EHLO', line: 'EHLO c', length: 8, state: 'session.greeted' });
    expect(events.at(-2)).toMatchObject({
      type: 'reply',
      verb: 'EHLO',
      state: 'session.greeted',
      reply: { code: 250 },
    });
  });

  it.each(['reply', 'refusal', 'message', 'decision', 'transition', 'timerSet', 'command'] as const)(
    'tells the same of each %s whatever else is wanted',
    (kind) => {
      const told = (observe: DialogueOptions['observe']) => {
        const application = answering({ data: reject });
        const dialogue = observed({ application, ...(observe !== undefined && { observe }) });
        dialogue.ready().say('MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA', 'RSET', 'DATA');
        dialogue.say('MAIL FROM:<>', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example', 'nonsense', 'QUIT');
        return only(dialogue, kind);
      };
      expect(told([kind])).toEqual(told(true));
    },
  );

  it('tells the guards that were asked, and what they said', () => {
    const dialogue = observed({ maximumRecipients: 1 }).addressed();
    dialogue.say('RCPT TO:<c@s.example>');
    const { guards } = only(dialogue, 'transition').at(-1) ?? {};
    expect(guards?.length).toBeGreaterThan(1);
    expect(guards?.at(-1)?.passed).toBe(true);
    expect(guards?.slice(0, -1).every(({ passed }) => !passed)).toBe(true);
  });

  it('tells what the chart remembers since', () => {
    const dialogue = observed().opened();
    dialogue.say('RCPT TO:<b@s.example>');
    expect(only(dialogue, 'transition').at(-1)).toMatchObject({
      event: 'accepted',
      changes: [{ name: 'recipients', before: 0, after: 1 }],
    });
    dialogue.say('NOOP');
    expect(only(dialogue, 'transition').at(-1)?.changes).toEqual([]);
  });

  it('tells by what a reply of its own goes, also in other words', () => {
    const rephrase = (reply: Reply) => ({ ...reply, lines: ['In other words'] });
    const dialogue = observed({ rephrase }).opened();
    dialogue.say('DATA', 'NONSENSE', 'BDAT 3', 'abcRCPT TO:<b@s.example>');
    expect(only(dialogue, 'reply').map(({ title }) => title)).toEqual([
      'connect.accept',
      'hello.accept',
      'mail.accept',
      'rcptFirst',
      undefined,
      'rcptFirst',
      'rcpt.accept',
    ]);
  });

  it('tells why a line is no command, and where it found the session', () => {
    const dialogue = observed();
    dialogue.say('MAIL FROM:<a@c.example>', 'FOO bar', 'MAIL TO:<x>');
    expect(only(dialogue, 'command').map(({ refusal, verb }) => [verb, refusal?.code])).toEqual([
      ['MAIL', undefined],
      [undefined, 500],
      ['MAIL', 501],
    ]);
    expect(only(dialogue, 'reply').slice(1)).toMatchObject([
      { verb: 'MAIL', state: 'session.greeted', reply: { code: 503 } },
      { state: 'session.greeted', reply: { code: 500 } },
      { verb: 'MAIL', reply: { code: 501 } },
    ]);
  });

  it('tells what the application has decided, and how long it took', () => {
    const dialogue = observed({ application: answering({ rcpt: undefined }) }).opened();
    dialogue.say('RCPT TO:<b@s.example>');
    dialogue.now = 25;
    dialogue.answer(reject);
    expect(only(dialogue, 'decision').at(-1)).toMatchObject({
      question: { kind: 'rcpt', forwardPath: { localPart: 'b', domain: 's.example' } },
      decision: 'reject',
      waited: 25,
      time: 25,
    });
  });

  it('tells of timers as they are set, begun anew and cleared', () => {
    const dialogue = observed({ timeouts: { idle: 1000 } });
    const before = eventsOf(dialogue).length;
    dialogue.say('FOO');
    expect(eventsOf(dialogue).slice(before)).toContainEqual({
      type: 'timerSet',
      time: 0,
      id: expect.stringContaining('idle'),
      delay: 1000,
    });
    dialogue.say('QUIT');
    expect(only(dialogue, 'timerCleared').at(-1)?.id).toContain('idle');
    expect(new Set(only(dialogue, 'transition').map(({ event }) => event))).toContain('command.QUIT');
  });

  it.each([
    ['accepted', {}, ['Hello', '.'], { outcome: 'accepted', size: 7, replies: [{ code: 250 }] }],
    [
      'refused by the application',
      { application: answering({ message: reject }) },
      ['Hello', '.'],
      { outcome: 'refused', size: 7, replies: [{ code: 554 }] },
    ],
    ['malformed', {}, ['a\rb', '.'], { outcome: 'refused', reason: 'malformed', replies: [{ code: 554 }] }],
    [
      'too large',
      { maximumMessageSize: 10 },
      ['Hello, hello', '.'],
      { outcome: 'refused', reason: 'tooLarge', replies: [{ code: 552 }] },
    ],
  ] as const)('tells of a message that is %s, with its size', (_, options, lines, event) => {
    const dialogue = observed(options).receiving();
    dialogue.say(...lines);
    expect(only(dialogue, 'message')).toMatchObject([event]);
  });

  it('tells of a message that breaks off', () => {
    const dialogue = observed().receiving();
    dialogue.say('Hello');
    dialogue.handle({ type: 'lost' });
    expect(only(dialogue, 'message')).toMatchObject([
      { outcome: 'abandoned', reason: 'closed', size: 7, replies: [] },
    ]);
  });

  it('tells of a message on which nobody has decided when the client goes', () => {
    const dialogue = observed({ application: answering({ message: undefined }) }).receiving();
    dialogue.say('Hello', '.');
    dialogue.handle({ type: 'lost' });
    expect(only(dialogue, 'message')).toMatchObject([{ outcome: 'abandoned', reason: 'undecided', size: 7 }]);
  });

  it('tells of a reply to each recipient in LMTP', () => {
    const dialogue = observed({ protocol: 'lmtp' });
    dialogue.say('LHLO c', 'MAIL FROM:<a@c>', 'RCPT TO:<b@s>', 'RCPT TO:<c@s>', 'DATA', 'x', '.');
    expect(only(dialogue, 'reply').slice(-2)).toMatchObject([
      { reply: { code: 250 } },
      { reply: { code: 250 } },
    ]);
  });
});

describe('what is observed', () => {
  it('is no more than somebody wants', () => {
    const dialogue = observed({ observe: ['message', 'refusal'] });
    dialogue.say('EHLO c', 'FOO', 'MAIL FROM:<a@c>', 'RCPT TO:<b@s>', 'DATA', 'Hello', '.', 'QUIT');
    expect(eventsOf(dialogue).map(({ type }) => type)).toEqual(['refusal', 'message']);
  });

  it('is nothing by default, and of known kinds only', () => {
    expect(eventsOf(new Dialogue().ready())).toEqual([]);
    expect(() => observed({ observe: ['mesage' as never] })).toThrow(/observe is \["mesage"\]; .*message/);
  });
});

describe('a refusal', () => {
  const refusalsOf = (dialogue: Dialogue) => only(dialogue, 'refusal');

  it('is told with the command that is refused, or its length where it is none', () => {
    const dialogue = observed({ observe: ['refusal'] });
    dialogue.say('MAIL FROM:<a@c.example>', 'pencil', 'NOOP', 'EHLO c');
    expect(refusalsOf(dialogue)).toMatchObject([
      { refused: 'command', verb: 'MAIL', length: 25, state: 'session.greeted', reply: { code: 503 } },
      { refused: 'command', length: 8, reply: { code: 500 } },
    ]);
    expect(refusalsOf(dialogue)[1]).not.toHaveProperty('verb');
  });

  it('is told with the recipient who is refused', () => {
    const dialogue = observed({ application: answering({ rcpt: reject }) }).opened();
    dialogue.say('RCPT TO:<b@s.example>');
    expect(refusalsOf(dialogue)).toMatchObject([
      { refused: 'recipient', forwardPath: { localPart: 'b', domain: 's.example' }, reply: { code: 550 } },
    ]);
  });

  it('is of the session where it is ended unasked', () => {
    const dialogue = observed().ready();
    dialogue.handle({ type: 'shutdown' });
    expect(refusalsOf(dialogue)).toMatchObject([
      { refused: 'session', state: 'session.ready', reply: { code: 421 } },
    ]);
  });

  it('is of AUTH, whatever was said meanwhile', () => {
    const dialogue = observed().ready();
    dialogue.say('AUTH LOGIN', base64('ann'), '*');
    expect(refusalsOf(dialogue)).toMatchObject([{ refused: 'command', verb: 'AUTH', reply: { code: 501 } }]);
  });

  it('of a message is told as what became of it alone', () => {
    const dialogue = observed({ protocol: 'lmtp' });
    dialogue.say('LHLO c', 'MAIL FROM:<a@c>', 'RCPT TO:<b@s>', 'RCPT TO:<c@s>', 'DATA', 'a\rb', '.');
    expect(refusalsOf(dialogue)).toEqual([]);
    expect(only(dialogue, 'message')).toMatchObject([{ replies: [{ code: 554 }, { code: 554 }] }]);
  });

  it.each([
    ['QUIT', '\n', 'QUIT'],
    ['STARTTLS', '\n', 'STARTTLS'],
    ['NOOP', '\0', 'NOOP'],
    ['RSET', '\rx', 'RSET'],
    ['HELO x', '\n', 'HELO'],
    ['pencil', '\n', undefined],
  ])('is of a known verb whatever ends it: %s%j', (line, end, verb) => {
    const dialogue = observed({ observe: ['refusal'] });
    dialogue.say(`${line}${end}`);
    const [refusal] = refusalsOf(dialogue);
    expect(refusal?.verb).toBe(verb);
    expect(JSON.stringify(refusal)).not.toContain('pencil');
  });
});

describe('an observer that wants none of a kind', () => {
  it.each(['authentication', 'message', 'refusal', 'command', 'reply', 'timerSet', 'timerCleared'] as const)(
    'is told of none: %s',
    (kind) => {
      const told = (observe: DialogueOptions['observe']) => {
        const dialogue = observed({ ...(observe !== undefined && { observe }) }).ready();
        dialogue.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`, 'MAIL FROM:<a@c.example>', 'MAIL FROM:<>');
        dialogue.say('RCPT TO:<b@s.example>', 'DATA');
        dialogue.say('Hello', '.', 'QUIT');
        return dialogue;
      };
      expect(only(told(true), kind).length).toBeGreaterThan(0);
      expect(eventsOf(told(['decision'])).map(({ type }) => type)).not.toContain(kind);
    },
  );
});

describe('a line that is refused before its end', () => {
  it.each([
    ['MAIL ', 'MAIL [a line too long]'],
    ['', '[a line too long]'],
    ['nonsense', '[a line too long]'],
  ])('is shown by its verb, if it begins with one: %j', (beginning, shown) => {
    const dialogue = observed({ maximumCommandLength: 64 }).ready();
    dialogue.say(beginning + 'x'.repeat(20_000));
    expect(linesIn(dialogue).at(-1)).toBe(shown);
  });
});

describe('an observed AUTH exchange', () => {
  it.each([
    ['accepted', {}, 'accepted'],
    ['refused', { application: answering({ authenticate: reject }) }, 'refused'],
    [
      'not decided on',
      {
        application: answering({
          authenticate: { decision: 'reject', reply: { code: 454, enhancedCode: '4.7.0', lines: ['Later'] } },
        }),
      },
      'unavailable',
    ],
  ])('is told of once it is decided, with mechanism and name: %s', (_, options, outcome) => {
    const dialogue = observed(options).ready();
    dialogue.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`);
    expect(only(dialogue, 'authentication')).toEqual([
      { type: 'authentication', time: 0, mechanism: 'PLAIN', username: 'ann', outcome },
    ]);
  });

  it('is told of when a SCRAM proof is wrong, which calls no handler', () => {
    const dialogue = observed().ready();
    const [challenge = ''] = dialogue.say(`AUTH SCRAM-SHA-256 ${base64('n,,n=ann,r=x')}`);
    const first = Buffer.from(challenge.slice(4), 'base64').toString();
    const nonce = /r=([^,]*)/.exec(first)?.[1];
    dialogue.say(base64(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`));
    expect(dialogue.asked).not.toContain('authenticate');
    expect(only(dialogue, 'authentication')).toMatchObject([
      { mechanism: 'SCRAM-SHA-256', username: 'ann', outcome: 'refused' },
    ]);
  });

  it('is told of when the client gives up', () => {
    const dialogue = observed().ready();
    dialogue.say('AUTH PLAIN', '*');
    expect(only(dialogue, 'authentication')).toMatchObject([{ mechanism: 'PLAIN', outcome: 'abandoned' }]);
  });

  it('is not told of where AUTH is not legal', () => {
    const dialogue = observed();
    dialogue.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`);
    expect(only(dialogue, 'authentication')).toEqual([]);
  });
});

describe('what may be a secret', () => {
  it('is the response behind AUTH: its length is told', () => {
    const dialogue = observed().ready();
    dialogue.say('AUTH PLAIN AGFubgBwZW5jaWw=', 'AUTH', 'AUTH pencil', 'auth plain  =');
    expect(linesIn(dialogue).slice(1)).toEqual([
      'AUTH PLAIN [16 octets]',
      'AUTH',
      'AUTH [6 octets]',
      'auth plain [2 octets]',
    ]);
  });

  it('is what the client says in the exchange, and what the server says: lengths are told', () => {
    const dialogue = observed().ready();
    dialogue.say('AUTH LOGIN', base64('ann'), base64('pencil'));
    expect(only(dialogue, 'response').map(({ length }) => length)).toEqual([6, 10]);
    const challenges = only(dialogue, 'reply').filter(({ reply }) => reply.code === 334);
    expect(challenges.map(({ reply }) => reply.lines)).toEqual([['[12 octets]'], ['[12 octets]']]);
  });

  it.each<[string, string, DialogueOptions?]>([
    ['refused by 504', 'AUTH NTLM'],
    ['refused by 501', 'AUTH'],
    ['not there', 'AUTH LOGIN', { authentication: { mechanisms: [] } }],
    ['misspelt', 'AUTHENTICATE LOGIN'],
    ['written with a tab', 'AUTH\tLOGIN'],
    ['too long', `AUTH LOGIN ${'x'.repeat(13_000)}`],
  ])('is what follows an AUTH that is %s, until a known verb comes', (_, auth, options = {}) => {
    const dialogue = observed({ maximumErrors: 20, ...options }).ready();
    dialogue.say(auth, base64('ann'), base64('pencil'), 'NOOP', 'nonsense');
    expect(linesIn(dialogue).slice(2)).toEqual(['[4 octets]', '[8 octets]', 'NOOP', 'nonsense']);
    expect(JSON.stringify(eventsOf(dialogue))).not.toContain(base64('pencil'));
  });

  it('is nothing more once 235 was said', () => {
    const dialogue = observed().ready();
    dialogue.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`, 'nonsense');
    expect(linesIn(dialogue).at(-1)).toBe('nonsense');
  });

  it.each(['DATA', 'BDAT 0'])(
    'is a message that comes though %s was refused, until a known verb comes',
    (command) => {
      const dialogue = observed({ maximumErrors: 20 }).ready();
      dialogue.say(command, 'Subject: plans', '', 'the merger', '.', 'RSET', 'nonsense');
      expect(JSON.stringify(eventsOf(dialogue))).not.toMatch(/plans|merger/);
      expect(linesIn(dialogue).slice(-2)).toEqual(['RSET', 'nonsense']);
    },
  );

  it('is not an ordinary line: it is told with its octets, fit to be shown', () => {
    const dialogue = observed();
    dialogue.say('F\xff\x1b[2J');
    const [event] = only(dialogue, 'command');
    expect(event).toMatchObject({ line: 'F??[2J', length: 8 });
    expect(event?.octets).toEqual(Uint8Array.of(0x46, 0xff, 0x1b, 0x5b, 0x32, 0x4a));
  });
});
