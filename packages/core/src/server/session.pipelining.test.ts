import { describe, expect, it } from 'vitest';
import { accept, answering, Dialogue, octetsOf, textOf, typesOf } from './dialogue.test-support.js';

/** What each `write` of the reply to these lines, sent in one chunk, holds: the codes of its replies. */
function writesAfter(dialogue: Dialogue, ...lines: string[]): string[][] {
  const before = dialogue.writes.length;
  dialogue.say(...lines);
  return dialogue.writes.slice(before).map((text) => text.match(/^\d{3}(?= )/gm) ?? []);
}

describe('replies to pipelined commands', () => {
  it('leave in one write up to DATA (RFC 2920 §3.2)', () => {
    const dialogue = new Dialogue().ready();
    expect(
      writesAfter(dialogue, 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'RCPT TO:<d@s> FOO', 'RCPT TO:<e@s>', 'DATA'),
    ).toEqual([['250', '250', '555', '250', '354']]);
  });

  it('leave in one write whatever the application says to each', () => {
    const dialogue = new Dialogue({ application: answering({ mail: { decision: 'reject' } }) }).ready();
    expect(writesAfter(dialogue, 'RSET', 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA')).toEqual([
      ['250', '550', '503', '503'],
    ]);
  });

  it('leave when what was sent is used up, without waiting for more (RFC 2920 §3.2)', () => {
    const dialogue = new Dialogue().ready();
    expect(writesAfter(dialogue, 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>')).toEqual([['250', '250']]);
    const outputs = dialogue.handle({ type: 'bytes', bytes: octetsOf('RCPT TO:<d@s>\r\nRCPT TO') });
    expect(typesOf(outputs)).toEqual(['ask', 'write']);
  });

  it.each([
    ['EHLO', 'EHLO c'],
    ['HELO', 'HELO c'],
    ['NOOP', 'NOOP'],
    ['VRFY', 'VRFY x'],
    ['EXPN', 'EXPN x'],
    ['HELP', 'HELP'],
    ['an unknown verb', 'FOO'],
    ['a malformed line', 'a\nb'],
    ['DATA out of order', 'DATA'],
  ])('wait for those behind it after %s too, for the client has sent more', (_, line) => {
    const dialogue = new Dialogue().ready();
    expect(writesAfter(dialogue, 'RSET', line, 'RSET', line, 'RSET').map((codes) => codes.length)).toEqual([
      5,
    ]);
    expect(writesAfter(dialogue, line)).toHaveLength(1);
  });

  it('are not held back behind a message: its reply is to be seen soon (RFC 1047)', () => {
    const dialogue = new Dialogue().receiving();
    expect(writesAfter(dialogue, 'Hello', '.', 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'DATA')).toEqual([
      ['250'],
      ['250', '250', '354'],
    ]);
  });

  it('leave before the session closes', () => {
    const dialogue = new Dialogue({ maximumErrors: 2 }).ready();
    const outputs = dialogue.handle({ type: 'bytes', bytes: octetsOf('RSET\r\nRSET\r\nQUIT\r\n') });
    expect(typesOf(outputs)).toEqual(['write', 'close']);
    expect(outputs[0]?.type === 'write' && textOf(outputs[0].bytes)).toBe(
      '250 2.0.0 OK\r\n250 2.0.0 OK\r\n221 2.0.0 Closing the session\r\n',
    );
  });

  it('leave in one write too when the application takes its time over each (RFC 2920 §3.2)', () => {
    const dialogue = new Dialogue({
      application: ({ kind }) => (kind === 'mail' || kind === 'rcpt' ? undefined : accept),
    }).ready();
    expect(writesAfter(dialogue, 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'RCPT TO:<d@s>', 'RSET')).toEqual([]);
    expect(dialogue.answer(accept)).toEqual([]);
    expect(dialogue.answer(accept)).toEqual([]);
    expect(dialogue.answer(accept)).toHaveLength(4);
  });

  it('do not wait for a decision on the last command: nothing of the batch is held any more', () => {
    const dialogue = new Dialogue({
      application: (question) =>
        question.kind === 'rcpt' && question.forwardPath.localPart === 'slow' ? undefined : accept,
    }).ready();
    expect(writesAfter(dialogue, 'MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'RCPT TO:<slow@s>')).toEqual([
      ['250', '250'],
    ]);
    expect(dialogue.answer(accept)).toHaveLength(1);
  });

  it('leave when they have grown to 16 KiB, however many commands are still to come', () => {
    const reply = { code: 214, lines: ['H'.repeat(500)] };
    const application = answering({ help: { decision: 'accept', reply } });
    const dialogue = new Dialogue({ application, maximumJunkCommands: Number.POSITIVE_INFINITY }).ready();
    const before = dialogue.writes.length;
    dialogue.say(...Array.from({ length: 500 }, () => 'HELP'));
    const sizes = dialogue.writes.slice(before).map((text) => text.length);
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(16_384);
    expect(Math.max(...sizes)).toBeLessThan(16_384 + 512);
  });

  it('leave when there are 128, so that a host can serve others in between', () => {
    const dialogue = new Dialogue({ maximumJunkCommands: Number.POSITIVE_INFINITY }).ready();
    const writes = writesAfter(dialogue, ...Array.from({ length: 300 }, () => 'NOOP'));
    expect(writes.map((codes) => codes.length)).toEqual([128, 128, 44]);
    expect(dialogue.session.commandCount).toBe(301);
  });

  it('are in the order of the commands, though questions are asked before they leave', () => {
    const dialogue = new Dialogue().ready();
    const input = octetsOf('MAIL FROM:<a@b>\r\nRCPT TO:<c@s>\r\nRSET\r\nVRFY x\r\n');
    expect(typesOf(dialogue.handle({ type: 'bytes', bytes: input }))).toEqual(['ask', 'ask', 'ask', 'write']);
    expect(dialogue.replies.slice(-4).map((line) => line.slice(0, 9))).toEqual([
      '250 2.1.0',
      '250 2.1.5',
      '250 2.0.0',
      '252 2.5.0',
    ]);
  });
});

describe('commands behind an open question', () => {
  it('wait for its answer, and are not looked at', () => {
    const dialogue = new Dialogue({ application: answering({ mail: undefined }) }).ready();
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@s>');
    expect(dialogue.session.wantsInput).toBe(false);
    expect(dialogue.say('FOO')).toEqual([]);
    expect(dialogue.asked.at(-1)).toBe('mail');
    expect(dialogue.answer(accept).map((line) => line.slice(0, 3))).toEqual(['250', '250', '500']);
    expect(dialogue.session.wantsInput).toBe(true);
  });

  it('are commands and not mail data when DATA is refused', () => {
    const dialogue = new Dialogue({ application: answering({ data: undefined }) }).receiving();
    dialogue.say('NOOP');
    expect(dialogue.answer({ decision: 'reject' })).toEqual(['554 5.7.1 Message refused', '250 2.0.0 OK']);
  });

  it('are mail data and not commands when DATA is accepted', () => {
    const dialogue = new Dialogue({ application: answering({ data: undefined }) }).receiving();
    dialogue.say('QUIT', '.');
    expect(dialogue.answer(accept).map((line) => line.slice(0, 3))).toEqual(['354', '250']);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['QUIT\r\n']);
  });
});
