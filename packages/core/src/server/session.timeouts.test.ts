import { describe, expect, it } from 'vitest';
import {
  accept,
  answering,
  Dialogue,
  dialogueUpTo,
  octetsOf,
  questionKinds,
  reject,
  typesOf,
} from './dialogue.test-support.js';

const timeouts = { idle: 1000, mailData: 200, decision: 3000, linger: 40 };

/** Shows that nothing happens a millisecond before, and what happens then. */
function expireAt(dialogue: Dialogue, deadline: number) {
  expect(dialogue.session.nextDeadline()).toBe(deadline);
  const { state } = dialogue.session;
  expect(dialogue.timeoutAt(deadline - 1)).toEqual([]);
  expect(dialogue.session.state).toBe(state);
  const outputs = dialogue.timeoutAt(deadline);
  return { types: typesOf(outputs), reply: dialogue.replies.at(-1) };
}

/** Once the client has sent these octets. */
function after(dialogue: Dialogue, octets: string): Dialogue {
  dialogue.octets(octets);
  return dialogue;
}

const IDLE = {
  types: ['write', 'close'],
  reply: '421 4.4.2 Idle for too long, closing the session',
};
const UNDECIDED = {
  types: ['write', 'close'],
  reply: '421 4.3.0 No decision in time, closing the session; try again later',
};

describe('the deadline for the next command (RFC 5321 §4.5.3.2.7)', () => {
  it.each([
    ['after the greeting', (dialogue: Dialogue) => dialogue],
    ['after EHLO', (dialogue: Dialogue) => dialogue.ready()],
    ['after MAIL', (dialogue: Dialogue) => dialogue.opened()],
    ['after RCPT', (dialogue: Dialogue) => dialogue.addressed()],
    ['amid an AUTH exchange', (dialogue: Dialogue) => after(dialogue.ready(), 'AUTH LOGIN\r\n')],
    ['amid the octets of a refused BDAT', (dialogue: Dialogue) => after(dialogue.ready(), 'BDAT 9\r\nx')],
  ])('ends the session %s', (_, lead) => {
    const dialogue = lead(new Dialogue({ timeouts, authentication: { allowInsecure: true } }));
    expect(expireAt(dialogue, 1000)).toEqual(IDLE);
    expect(dialogue.session.state).toBe('closing');
  });

  it('holds between two chunks, too, and takes the mail data back', () => {
    const dialogue = after(new Dialogue({ timeouts }).addressed(), 'BDAT 1\r\nx');
    expect(expireAt(dialogue, 1000)).toEqual({ ...IDLE, types: ['write', 'abandonMailData', 'close'] });
  });

  it('holds for a refused client, too', () => {
    const dialogue = new Dialogue({ timeouts, application: answering({ connect: reject }) });
    expect(expireAt(dialogue, 1000)).toEqual(IDLE);
  });

  it.each([
    ['a command that changes the state', 'MAIL FROM:<a@b>'],
    ['a command that does not', 'NOOP'],
    ['a command with a question', 'VRFY x'],
    ['a command that is refused', 'DATA'],
    ['a line that is no command', 'FOO'],
    ['a malformed line', 'a\nb'],
  ])('begins anew with %s', (_, line) => {
    const dialogue = new Dialogue({ timeouts }).ready();
    dialogue.now = 700;
    dialogue.say(line);
    expect(dialogue.session.nextDeadline()).toBe(1700);
    expect(expireAt(dialogue, 1700)).toEqual(IDLE);
  });

  it('does not begin anew with octets of a line that has not ended', () => {
    const dialogue = new Dialogue({ timeouts }).ready();
    for (dialogue.now = 100; dialogue.now < 1000; dialogue.now += 100) dialogue.octets('N');
    expect(dialogue.session.nextDeadline()).toBe(1000);
    dialogue.octets('\r');
    expect(expireAt(dialogue, 1000)).toEqual(IDLE);
  });

  it('does not begin anew with the rest of a line that was refused', () => {
    const dialogue = new Dialogue({ timeouts }).ready();
    dialogue.now = 10;
    dialogue.octets('a\n');
    dialogue.now = 500;
    dialogue.octets('b'.repeat(5000));
    expect(expireAt(dialogue, 1010)).toEqual(IDLE);
  });

  it('counts from the answer of the application, not from the command', () => {
    const dialogue = new Dialogue({ timeouts, application: answering({ verify: undefined }) }).ready();
    dialogue.now = 100;
    dialogue.say('VRFY x');
    dialogue.now = 2500;
    dialogue.answer(accept);
    expect(expireAt(dialogue, 3500)).toEqual(IDLE);
  });
});

describe('the deadline for mail data (RFC 5321 §4.5.3.2.5)', () => {
  it('ends the session, and takes back what came', () => {
    const dialogue = new Dialogue({ timeouts }).receiving();
    dialogue.octets('Hello\r\n');
    expect(expireAt(dialogue, 200)).toEqual({
      types: ['write', 'abandonMailData', 'close'],
      reply: '421 4.4.2 No mail data for too long, closing the session',
    });
    expect(dialogue.outputs.at(-2)).toEqual({ type: 'abandonMailData', reason: 'closed' });
  });

  it('begins anew with each piece, however small, and though it is not handed out', () => {
    const dialogue = new Dialogue({ timeouts }).receiving();
    for (const [now, octets] of [
      [150, 'x'],
      [300, '\r\n'],
      [450, '.'],
      [600, 'a\n'],
      [750, 'dropped'],
    ] as const) {
      dialogue.now = now;
      dialogue.octets(octets);
      expect(dialogue.session.nextDeadline()).toBe(now + 200);
    }
    expect(expireAt(dialogue, 950).types).toEqual(['write', 'close']);
  });

  it('begins with the 354, and ends with the mail data', () => {
    const application = answering({ data: undefined, message: undefined });
    const dialogue = new Dialogue({ timeouts, application }).receiving();
    dialogue.now = 500;
    dialogue.answer(accept);
    expect(dialogue.session.nextDeadline()).toBe(700);
    dialogue.now = 600;
    dialogue.octets('.\r\n');
    expect(dialogue.session.nextDeadline()).toBe(3600);
  });
});

describe('the deadline for a decision', () => {
  it.each(questionKinds)('ends the session while %s is open', (kind) => {
    const dialogue = dialogueUpTo(kind, { timeouts, answer: undefined });
    expect(dialogue.session.question?.kind).toBe(kind);
    expect(expireAt(dialogue, 3000)).toEqual(UNDECIDED);
    expect(dialogue.session.question).toBeUndefined();
    expect(dialogue.session.state).toBe('closing');
  });

  it('counts from the question, and is not put off by what the client sends', () => {
    const dialogue = new Dialogue({ timeouts, application: answering({ mail: undefined }) }).ready();
    dialogue.now = 100;
    dialogue.say('MAIL FROM:<a@b>');
    dialogue.now = 2000;
    dialogue.say('NOOP');
    expect(expireAt(dialogue, 3100)).toEqual(UNDECIDED);
  });
});

describe('the deadline for the client to close', () => {
  it('ends what is left', () => {
    const dialogue = new Dialogue({ timeouts });
    dialogue.now = 500;
    dialogue.say('QUIT');
    dialogue.now = 520;
    dialogue.say('more', 'and more');
    expect(dialogue.session.nextDeadline()).toBe(540);
    expect(dialogue.timeoutAt(539)).toEqual([]);
    expect(dialogue.timeoutAt(540)).toEqual([{ type: 'closed' }]);
    expect(dialogue.session.state).toBe('closed');
    expect(dialogue.session.nextDeadline()).toBeUndefined();
  });

  it('counts from when the session gave up, however late it was told', () => {
    const dialogue = new Dialogue({ timeouts });
    expect(typesOf(dialogue.timeoutAt(1_000_000))).toEqual(['write', 'close']);
    expect(dialogue.session.nextDeadline()).toBe(1_000_040);
  });

  it('may be none', () => {
    const dialogue = new Dialogue({ timeouts: { ...timeouts, linger: 0 } });
    expect(typesOf(dialogue.timeoutAt(1000))).toEqual(['write', 'close', 'closed']);
  });
});

describe('deadlines', () => {
  it('are minutes by default (RFC 5321 §4.5.3.2)', () => {
    const deadlineOf = (dialogue: Dialogue) => dialogue.session.nextDeadline();
    expect(deadlineOf(new Dialogue())).toBe(300_000);
    expect(deadlineOf(new Dialogue({ minimumMailDataRate: 0 }).receiving())).toBe(300_000);
    expect(deadlineOf(new Dialogue({ application: () => undefined }))).toBe(600_000);
    const quit = new Dialogue();
    quit.say('QUIT');
    expect(deadlineOf(quit)).toBe(5_000);
  });

  it('are counted from whatever moment the connection was made', () => {
    const dialogue = new Dialogue({ timeouts });
    expect(dialogue.session.nextDeadline()).toBe(1000);
    dialogue.now = 123_456;
    dialogue.handle({ type: 'bytes', bytes: octetsOf('NOOP\r\n') });
    expect(dialogue.session.nextDeadline()).toBe(124_456);
  });

  it('ask for one call only: a `timeout` when none has passed is harmless', () => {
    const dialogue = new Dialogue({ timeouts }).receiving();
    expect(dialogue.timeoutAt(0)).toEqual([]);
    expect(dialogue.timeoutAt(199)).toEqual([]);
    expect(dialogue.session.state).toBe('session.transaction.receiving');
  });
});
