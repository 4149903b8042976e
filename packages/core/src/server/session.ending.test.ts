import { describe, expect, it } from 'vitest';
import type { ServerOutput } from './contract/messages.js';
import { accept, answering, Dialogue, octetsOf, reject, typesOf } from './dialogue.test-support.js';

const SHUTTING_DOWN = '421 4.3.2 The service is shutting down, closing the session';

describe('the end of what the client sends', () => {
  it.each([
    ['after the greeting', (dialogue: Dialogue) => dialogue],
    ['after EHLO', (dialogue: Dialogue) => dialogue.ready()],
    ['after MAIL', (dialogue: Dialogue) => dialogue.opened()],
    ['after RCPT', (dialogue: Dialogue) => dialogue.addressed()],
  ])('ends the session without a word %s (RFC 5321 §4.1.1.10)', (_, lead) => {
    const dialogue = lead(new Dialogue());
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
    expect(dialogue.session.state).toBe('closed');
  });

  it('ends the session of a refused client', () => {
    const dialogue = new Dialogue({ application: answering({ connect: reject }) });
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
  });

  it('is looked at behind all that was pipelined: everything is still answered', () => {
    const application = answering({ mail: undefined, message: undefined });
    const dialogue = new Dialogue({ application }).ready();
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA', 'Hello', '.', 'NOOP', 'VRFY x');
    expect(dialogue.handle({ type: 'eof' })).toEqual([]);
    expect(dialogue.session.state).toBe('session.transaction.opening');
    dialogue.answer(accept);
    expect(dialogue.session.state).toBe('session.transaction.committing');
    dialogue.answer(accept);
    const codes = dialogue.replies.slice(-6).map((line) => line.slice(0, 3));
    expect(codes).toEqual(['250', '250', '354', '250', '250', '252']);
    expect(dialogue.outputs.at(-1)).toEqual({ type: 'closed' });
  });

  it('leaves a line that has not ended unexecuted', () => {
    const dialogue = new Dialogue().addressed();
    dialogue.octets('DATA\r');
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
    expect(dialogue.asked).not.toContain('data');
  });

  it('takes back mail data that has not ended (RFC 5321 §4.1.1.10)', () => {
    const dialogue = new Dialogue().receiving();
    dialogue.octets('Hello\r\n.\r');
    expect(dialogue.handle({ type: 'eof' })).toEqual([
      { type: 'abandonMailData', reason: 'closed' },
      { type: 'closed' },
    ]);
    expect(dialogue.asked).not.toContain('message');
  });

  it('takes back once only what was taken back before', () => {
    const dialogue = new Dialogue().receiving();
    expect(typesOf(dialogue.handle({ type: 'bytes', bytes: octetsOf('a\n') }))).toEqual(['abandonMailData']);
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
  });

  it('is what we wait for after QUIT', () => {
    const dialogue = new Dialogue();
    dialogue.say('QUIT');
    expect(dialogue.session.wantsInput).toBe(true);
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
  });

  it('may come with QUIT', () => {
    const dialogue = new Dialogue({ application: answering({ verify: undefined }) });
    dialogue.say('VRFY x', 'QUIT');
    dialogue.handle({ type: 'eof' });
    const answered = dialogue.answer(accept);
    expect(answered.at(-1)).toBe('221 2.0.0 Closing the session');
    expect(typesOf(dialogue.outputs).slice(-2)).toEqual(['close', 'closed']);
  });
});

describe('a connection that is lost', () => {
  it.each([
    ['while the greeting is undecided', () => new Dialogue({ application: () => undefined })],
    ['after the greeting', () => new Dialogue()],
    ['in a mail transaction', () => new Dialogue().addressed()],
    [
      'while the message is undecided',
      () => {
        const dialogue = new Dialogue({ application: answering({ message: undefined }) }).receiving();
        dialogue.octets('Hello\r\n.\r\nNOOP\r\n');
        return dialogue;
      },
    ],
  ])('ends the session at once %s', (_, start) => {
    const dialogue = start();
    expect(dialogue.handle({ type: 'lost' })).toEqual([{ type: 'closed' }]);
    expect(dialogue.session.state).toBe('closed');
    expect(dialogue.session.question).toBeUndefined();
    expect(dialogue.session.wantsInput).toBe(false);
    expect(dialogue.session.nextDeadline()).toBeUndefined();
  });

  it('takes back mail data that has not ended', () => {
    const dialogue = new Dialogue().receiving();
    dialogue.octets('Hello\r\n');
    expect(dialogue.handle({ type: 'lost' })).toEqual([
      { type: 'abandonMailData', reason: 'closed' },
      { type: 'closed' },
    ]);
  });

  it('ends the wait for the client to close', () => {
    const dialogue = new Dialogue();
    dialogue.say('QUIT');
    expect(dialogue.handle({ type: 'lost' })).toEqual([{ type: 'closed' }]);
  });
});

describe('a session that is closed', () => {
  it('takes no more input, and gives no more output', () => {
    const dialogue = new Dialogue().receiving();
    dialogue.handle({ type: 'lost' });
    for (const input of [
      { type: 'bytes', bytes: octetsOf('NOOP\r\n.\r\n') },
      { type: 'eof' },
      { type: 'lost' },
      { type: 'timeout' },
      { type: 'answer', decision: 'accept' },
      { type: 'shutdown' },
    ] as const) {
      expect(dialogue.handle(input)).toEqual([]);
      expect(dialogue.session.state).toBe('closed');
    }
  });
});

describe('a shutdown (RFC 5321 §3.8)', () => {
  const shutDown = (outputs: readonly ServerOutput[], dialogue: Dialogue) => {
    expect(typesOf(outputs).slice(-2)).toEqual(['write', 'close']);
    expect(dialogue.replies.at(-1)).toBe(SHUTTING_DOWN);
    expect(dialogue.session.state).toBe('closing');
  };

  it.each([
    ['after the greeting', (dialogue: Dialogue) => dialogue],
    ['after EHLO', (dialogue: Dialogue) => dialogue.ready()],
    ['after MAIL', (dialogue: Dialogue) => dialogue.opened()],
    ['after RCPT', (dialogue: Dialogue) => dialogue.addressed()],
  ])('ends a waiting session by 421 4.3.2 %s', (_, lead) => {
    const dialogue = lead(new Dialogue());
    shutDown(dialogue.handle({ type: 'shutdown' }), dialogue);
  });

  it('ends the session of a refused client', () => {
    const dialogue = new Dialogue({ application: answering({ connect: reject }) });
    shutDown(dialogue.handle({ type: 'shutdown' }), dialogue);
  });

  it('waits for the open question, and comes before what was pipelined behind it', () => {
    const dialogue = new Dialogue({ application: answering({ mail: undefined }) }).ready();
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@s>');
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    expect(dialogue.answer(accept)).toEqual(['250 2.1.0 Sender OK', SHUTTING_DOWN]);
    shutDown(dialogue.outputs, dialogue);
    expect(dialogue.asked).not.toContain('rcpt');
  });

  it('waits for a message under way, which gets its reply (RFC 5321 §4.1.1.5)', () => {
    const dialogue = new Dialogue({ application: answering({ message: undefined }) }).receiving();
    dialogue.octets('Hello\r\n');
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    dialogue.octets('there\r\n.\r\nNOOP\r\n');
    expect(dialogue.session.state).toBe('session.transaction.committing');
    expect(dialogue.answer(accept)).toEqual(['250 2.0.0 Message accepted', SHUTTING_DOWN]);
    shutDown(dialogue.outputs, dialogue);
    expect(dialogue.messages).toHaveLength(1);
  });

  it('waits for mail data that DATA has just called for', () => {
    const dialogue = new Dialogue({ application: answering({ data: undefined }) }).receiving();
    dialogue.handle({ type: 'shutdown' });
    expect(dialogue.answer(accept)[0]).toMatch(/^354 /);
    expect(dialogue.octets('.\r\n')).toEqual(['250 2.0.0 Message accepted', SHUTTING_DOWN]);
  });

  it.each([
    ['by DATA', (dialogue: Dialogue) => dialogue.receiving().octets('Hello\r\n')],
    ['within a chunk', (dialogue: Dialogue) => dialogue.addressed().octets('BDAT 9\r\nHello\r\n')],
    ['between two chunks', (dialogue: Dialogue) => dialogue.addressed().octets('BDAT 7\r\nHello\r\n')],
  ])('gives up a message that arrives %s once it may not finish any more', (_, lead) => {
    const dialogue = new Dialogue();
    lead(dialogue);
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    const outputs = dialogue.handle({ type: 'shutdown', abandoning: true });
    expect(typesOf(outputs)).toEqual(['write', 'abandonMailData', 'close']);
    expect(dialogue.replies.at(-1)).toBe(SHUTTING_DOWN);
    expect(dialogue.octets('there\r\n.\r\nNOOP\r\n')).toEqual([]);
  });

  it('gives up no message about which the application is asked: it may be kept already', () => {
    const dialogue = new Dialogue({ application: answering({ message: undefined }) }).receiving();
    dialogue.octets('Hello\r\n.\r\n');
    expect(dialogue.handle({ type: 'shutdown', abandoning: true })).toEqual([]);
    expect(dialogue.answer(accept)).toEqual(['250 2.0.0 Message accepted', SHUTTING_DOWN]);
  });

  it('does nothing more to a session that is closing', () => {
    const dialogue = new Dialogue();
    dialogue.say('QUIT');
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    expect(dialogue.handle({ type: 'eof' })).toEqual([{ type: 'closed' }]);
  });
});
