import { describe, expect, expectTypeOf, it } from 'vitest';
import type { TransitionRecord } from '../chart/table/transition-record.js';
import { LocalProtocolError } from '../errors.js';
import type { ServerState } from './chart/chart-events.js';
import type { Answer } from './decisions/questions.js';
import {
  accept,
  answering,
  Dialogue,
  type DialogueOptions,
  octetsOf,
  type TimelessInput,
  typesOf,
} from './dialogue.test-support.js';
import { serverTable } from './server-table.js';
import type { ServerSession } from './session.js';

/** What `handle` throws; undefined if it throws nothing. */
function errorOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

const reply = (code: number) => ({ code, lines: ['Text'] });

describe('an answer', () => {
  it('to no question is the fault of the caller', () => {
    const dialogue = new Dialogue().opened();
    const error = errorOf(() => dialogue.answer(accept));
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({
      state: 'session.transaction.opened',
      message:
        'an answer came though no question is open in state session.transaction.opened; allowed there: bytes, eof, ' +
        'shutdown, lost, timeout',
    });
    expect(dialogue.say('RCPT TO:<b@s>')).toEqual(['250 2.1.5 Recipient OK']);
  });

  it('is taken once', () => {
    const dialogue = new Dialogue({ application: () => undefined });
    dialogue.answer(accept);
    expect(errorOf(() => dialogue.answer(accept))).toBeInstanceOf(LocalProtocolError);
  });

  it.each<[string, number, Answer['decision'], string[]]>([
    ['4yz or 5yz', 250, 'reject', ['EHLO c', 'MAIL FROM:<a@b>']],
    ['4yz or 5yz', 354, 'reject', ['EHLO c', 'MAIL FROM:<a@b>']],
    ['2yz', 550, 'accept', ['EHLO c', 'MAIL FROM:<a@b>']],
    ['2yz', 354, 'accept', ['EHLO c', 'MAIL FROM:<a@b>']],
    ['2yz', 421, 'accept', ['EHLO c', 'MAIL FROM:<a@b>']],
    ['354', 250, 'accept', ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA']],
    ['354', 355, 'accept', ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA']],
    ['4yz or 5yz', 354, 'reject', ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA']],
  ])('takes a reply of %s, and refuses a %i to %s', (allowed, code, decision, lines) => {
    let open = false;
    const dialogue = new Dialogue({
      application: ({ kind }) => {
        open = kind === (lines.length === 2 ? 'mail' : 'data');
        return open ? undefined : accept;
      },
    });
    dialogue.say(...lines);
    const { state, question } = dialogue.session;
    const error = errorOf(() => dialogue.answer({ decision, reply: reply(code) }));
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({ state, message: expect.stringContaining(`a code ${allowed}`) });
    expect(dialogue.session.state).toBe(state);
    expect(dialogue.session.question).toBe(question);
    expect(dialogue.answer(accept)).toHaveLength(1);
  });

  it('takes a reply that can be written only (RFC 5321 §4.2), and stays open for another', () => {
    const dialogue = new Dialogue({ application: () => undefined });
    for (const bad of [
      { code: 220, lines: [] },
      { code: 220, enhancedCode: '5.0.0', lines: ['Text'] },
      { code: 220.5, lines: ['Text'] },
    ]) {
      expect(errorOf(() => dialogue.answer({ decision: 'accept', reply: bad }))).toBeInstanceOf(Error);
      expect(dialogue.session.state).toBe('connecting');
    }
    expect(dialogue.answer(accept)).toEqual(['220 s.example ESMTP']);
  });
});

describe('octets handed in while wantsInput is false', () => {
  it('are held up to a bound, and more of them is the fault of the caller', () => {
    const dialogue = new Dialogue({
      maximumHeldOctets: 20,
      application: answering({ mail: undefined }),
    }).ready();
    dialogue.octets('MAIL FROM:<a@b>\r\nNOOP\r\n');
    expect(dialogue.session.wantsInput).toBe(false);
    dialogue.octets('NOOP 45678901\r');
    const error = errorOf(() => dialogue.octets('\n'));
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({
      message:
        '1 octets came, over maximumHeldOctets, while wantsInput was false in state session.transaction.opening; ' +
        'allowed there: answer (mail), lost, timeout',
    });
    expect(dialogue.answer(accept)).toEqual(['250 2.1.0 Sender OK', '250 2.0.0 OK']);
    expect(dialogue.octets('\n')).toEqual(['250 2.0.0 OK']);
  });

  it('are as many as one likes while it is true', () => {
    const dialogue = new Dialogue({ maximumHeldOctets: 20 }).ready();
    expect(dialogue.say(...Array.from({ length: 100 }, () => 'VRFY x'))).toHaveLength(100);
  });
});

describe('an input that is not awaited', () => {
  const computed = { type: 'computed', result: new Uint8Array(16) } as const;
  const tlsFailed = { type: 'tlsFailed' } as const;
  const authentication = { mechanisms: ['CRAM-MD5'], allowInsecure: true } as const;

  it.each<[string, string, DialogueOptions, string[], TimelessInput]>([
    ['while the client is waited for', 'bytes, eof, shutdown', {}, [], computed],
    ['while a question is open', 'answer (connect)', { application: () => undefined }, [], tlsFailed],
    [
      'while the host computes',
      'computed',
      { authentication, compute: null },
      ['EHLO c', 'AUTH CRAM-MD5'],
      tlsFailed,
    ],
    [
      'while the TLS handshake is under way',
      'tlsEstablished, tlsFailed',
      { startTls: 'offered' },
      ['EHLO c', 'STARTTLS'],
      computed,
    ],
    ['while the session closes', 'bytes, eof, shutdown', {}, ['QUIT'], tlsFailed],
  ])('is told what is, %s: %s', (_, allowed, options, lines, input) => {
    const dialogue = new Dialogue(options);
    if (lines.length > 0) dialogue.say(...lines);
    const { state } = dialogue.session;
    const error = errorOf(() => dialogue.handle(input));
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({
      message: `${input.type} came in state ${state}; allowed there: ${allowed}, lost, timeout`,
    });
    expect(dialogue.session.state).toBe(state);
  });
});

describe('observing', () => {
  const transitions = (dialogue: Dialogue): TransitionRecord[] =>
    dialogue.outputs.flatMap((output) =>
      output.type === 'observed' && output.event.type === 'transition' ? [output.event] : [],
    );

  it('reports each step of the chart', () => {
    const dialogue = new Dialogue({ observe: true });
    dialogue.say('EHLO c', 'NOOP');
    expect(transitions(dialogue).slice(1)).toMatchObject([
      {
        event: 'command.EHLO',
        from: 'session.greeted',
        to: 'session.identifying',
        left: ['session.greeted'],
        entered: ['session.identifying'],
        effects: ['clearDeadline', 'ask', 'setDeadline'],
      },
      {
        event: 'accepted',
        from: 'session.identifying',
        to: 'session.ready',
        effects: ['clearDeadline', 'endTransaction', 'introduce', 'answer', 'setDeadline'],
      },
      { event: 'command.NOOP', from: 'session.ready', to: 'session.ready', left: [], entered: [] },
    ]);
  });

  it('changes nothing else', () => {
    const run = (observe: boolean) => {
      const dialogue = new Dialogue({ observe }).receiving();
      dialogue.say('Hello', '.', 'RSET', 'FOO', 'QUIT');
      dialogue.handle({ type: 'eof' });
      return dialogue.outputs.filter(({ type }) => type !== 'observed');
    };
    expect(run(true)).toEqual(run(false));
  });

  it('follows the states one by one', () => {
    const dialogue = new Dialogue({ observe: true }).receiving();
    dialogue.say('Hello', '.', 'QUIT');
    dialogue.handle({ type: 'eof' });
    const steps = transitions(dialogue);
    expect(steps[0]?.from).toBe('connecting');
    steps.forEach((step, index) => {
      expect(step.to).toBe(steps[index + 1]?.from ?? 'closed');
    });
  });

  it('is off by default', () => {
    expect(typesOf(new Dialogue().receiving().outputs)).not.toContain('observed');
  });
});

describe('the state', () => {
  const states = {
    connecting: true,
    refused: true,
    'session.greeted': true,
    'session.identifying': true,
    'session.verifying': true,
    'session.expanding': true,
    'session.helping': true,
    'session.turning': true,
    'session.extending': true,
    'session.permittingTls': true,
    'session.securing': true,
    'session.authenticating.challenged': true,
    'session.authenticating.computing': true,
    'session.authenticating.retrieving': true,
    'session.authenticating.judging': true,
    'session.ready': true,
    'session.transaction.opening': true,
    'session.transaction.opened': true,
    'session.transaction.addressing': true,
    'session.transaction.addressed': true,
    'session.transaction.initiating': true,
    'session.transaction.receiving': true,
    'session.transaction.initiatingChunks': true,
    'session.transaction.receivingChunk': true,
    'session.transaction.chunked': true,
    'session.transaction.committing': true,
    closing: true,
    closed: true,
  } satisfies Record<ServerState, true>;

  it('is one of the leaf states of the chart, and its type names them all', () => {
    expectTypeOf<keyof typeof states>().toEqualTypeOf<ServerState>();
    expectTypeOf<ServerSession['state']>().toEqualTypeOf<ServerState>();
    expect([...serverTable.leaves]).toEqual(Object.keys(states));
  });

  it('can be seen while bytes wait', () => {
    const dialogue = new Dialogue({ application: answering({ data: undefined }) });
    dialogue.handle({
      type: 'bytes',
      bytes: octetsOf('EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@s>\r\nDATA\r\n'),
    });
    expect(dialogue.session.state).toBe('session.transaction.initiating');
  });
});

describe('the enhanced status code of an answer without one', () => {
  it.each([
    ['connect', '220 s.example Hello'],
    ['hello', '250-s.example Hello'],
  ])('is left out where there is none: %s (RFC 2034 §4)', (kind, expected) => {
    const code = kind === 'connect' ? 220 : 250;
    const reply = { code, lines: ['Hello'] };
    const dialogue = new Dialogue({ application: answering({ [kind]: { decision: 'accept', reply } }) });
    if (kind === 'hello') dialogue.say('EHLO c');
    expect(
      dialogue.replies.find((line) => line.startsWith(expected.slice(0, 3)) && line.includes('Hello')),
    ).toBe(expected);
  });

  it('is filled in everywhere else', () => {
    const reply = { code: 250, lines: ['Fine'] };
    const dialogue = new Dialogue({ application: answering({ mail: { decision: 'accept', reply } }) });
    expect(dialogue.say('EHLO c', 'MAIL FROM:<a@b>').at(-1)).toMatch(/^250 2\.\d\.\d Fine$/);
  });
});

describe('a grant or a tokenError', () => {
  const grant = { authorizationIdentity: 'ann' } as never;
  const tokenError = { status: 'invalid_token' } as never;
  const came = (kind: 'mail' | 'authenticate', answer: Answer) => {
    const dialogue = new Dialogue({
      authentication: { allowInsecure: true },
      application: answering({ [kind]: undefined }),
    }).ready();
    dialogue.say(kind === 'mail' ? 'MAIL FROM:<a@b>' : 'AUTH PLAIN AGFubgBwZW5jaWw=');
    expect(dialogue.session.question?.kind).toBe(kind);
    return () => dialogue.answer(answer);
  };

  it.each<['mail' | 'authenticate', Answer, string]>([
    ['mail', { decision: 'accept', grant }, 'a grant came to accept the question "mail"'],
    ['mail', { decision: 'reject', grant }, 'a grant came to reject the question "mail"'],
    ['authenticate', { decision: 'reject', grant }, 'a grant came to reject the question "authenticate"'],
    ['mail', { decision: 'reject', tokenError }, 'a tokenError came to reject the question "mail"'],
    ['mail', { decision: 'accept', tokenError }, 'a tokenError came to accept the question "mail"'],
    [
      'authenticate',
      { decision: 'accept', tokenError },
      'a tokenError came to accept the question "authenticate"',
    ],
  ])('is for the question "authenticate" alone: %s, %j', (kind, answer, problem) => {
    const act = came(kind, answer);
    expect(act).toThrow(LocalProtocolError);
    expect(act).toThrow(problem);
    expect(act).toThrow('a grant to accept, or a tokenError to reject, the question "authenticate"');
  });
});
