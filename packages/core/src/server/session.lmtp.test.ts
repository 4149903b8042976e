/** LMTP (RFC 2033): LHLO, and a reply for each recipient of a message. */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import type { Answer } from './decisions/questions.js';
import {
  accept,
  answering,
  Dialogue,
  type DialogueOptions,
  hangUp,
  reject,
} from './dialogue.test-support.js';

const ACCEPTED = '250 2.0.0 Message accepted';
const lmtp: DialogueOptions = { protocol: 'lmtp' };

/** With three recipients, of whom the second is refused. */
function addressed(options: DialogueOptions = {}): Dialogue {
  const application = options.application ?? answering();
  const dialogue = new Dialogue({
    ...lmtp,
    ...options,
    application: (question) =>
      question.kind === 'rcpt' && question.forwardPath.localPart === 'no' ? reject : application(question),
  });
  dialogue.say('LHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'RCPT TO:<no@d>', 'RCPT TO:<c@d>');
  return dialogue;
}

describe('LHLO (RFC 2033 §4.1)', () => {
  it('is answered as EHLO is, and remembered', () => {
    const dialogue = new Dialogue(lmtp);
    const replies = dialogue.say('LHLO c.example');
    expect(replies[0]).toBe('250-s.example OK');
    // RFC 2033 §5 demands these two.
    expect(replies).toContain('250-PIPELINING');
    expect(replies).toContain('250-ENHANCEDSTATUSCODES');
    expect(dialogue.session.hello).toEqual({ verb: 'LHLO', name: 'c.example' });
  });

  it.each(['EHLO c', 'HELO c', 'EHLO', 'HELO'])('is what is spoken: %s gets 500', (line) => {
    const dialogue = new Dialogue(lmtp);
    expect(dialogue.say(line)).toEqual(['500 5.5.1 LMTP is spoken here: send LHLO']);
    expect(dialogue.say('MAIL FROM:<a@b>')[0]).toMatch(/^503/);
  });

  it.each(['LHLO c', 'LHLO'])('is no command of SMTP: %s gets 500', (line) => {
    expect(new Dialogue().say(line)).toEqual(['500 5.5.1 Command not recognized']);
  });
});

describe('a message (RFC 2033 §4.2)', () => {
  it('is answered once for each recipient that was accepted, the same one twice', () => {
    const dialogue = addressed();
    dialogue.say('DATA');
    expect(dialogue.say('Hello', '.', 'NOOP')).toEqual([ACCEPTED, ACCEPTED, '250 2.0.0 OK']);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('may be answered differently for each, whatever the decision', () => {
    const recipientReplies = [
      { code: 250, enhancedCode: '2.1.5', lines: ['Delivered'] },
      { code: 452, enhancedCode: '4.2.2', lines: ['Mailbox full'] },
    ];
    for (const decision of ['accept', 'reject'] as const) {
      const dialogue = addressed({ application: answering({ message: { decision, recipientReplies } }) });
      dialogue.say('DATA');
      expect(dialogue.say('Hello', '.')).toEqual(['250 2.1.5 Delivered', '452 4.2.2 Mailbox full']);
    }
  });

  it('has an enhanced status code in each reply, also where the application gave none (RFC 2034 §4)', () => {
    const recipientReplies = [250, 452].map((code) => ({ code, lines: ['Said'] }));
    const dialogue = addressed({
      application: answering({ message: { decision: 'accept', recipientReplies } }),
    });
    dialogue.say('DATA');
    expect(dialogue.say('Hello', '.')).toEqual(['250 2.0.0 Said', '452 4.0.0 Said']);
  });

  it('is refused once for each where it is refused as a whole', () => {
    const dialogue = addressed({ application: answering({ message: reject }) });
    dialogue.say('DATA');
    expect(dialogue.say('Hello', '.')).toEqual(['554 5.3.0 Message refused', '554 5.3.0 Message refused']);
  });

  it.each([
    ['malformed', 'a\nb', '554 5.6.0'],
    ['too large', 'x'.repeat(50), '552 5.3.4'],
  ])('is refused once for each where it is %s', (_, text, code) => {
    const dialogue = addressed({ maximumMessageSize: 40 });
    dialogue.say('DATA');
    expect(dialogue.say(text, '.').map((line) => line.slice(0, 9))).toEqual([code, code]);
  });

  it('is answered once where the session ends: 421', () => {
    const dialogue = addressed({ application: answering({ message: hangUp }) });
    dialogue.say('DATA');
    expect(dialogue.say('Hello', '.')).toEqual(['421 4.3.2 Not now']);
  });

  it('is refused by one reply to DATA, before there is any mail data', () => {
    expect(addressed({ application: answering({ data: reject }) }).say('DATA')).toEqual([
      '554 5.7.1 Message refused',
    ]);
  });
});

describe('DATA and BDAT where no recipient was accepted', () => {
  const refused = (options: DialogueOptions, hello: string) => {
    const dialogue = new Dialogue({ ...options, maximumErrors: 2, application: answering({ rcpt: reject }) });
    dialogue.say(hello, 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>');
    return dialogue;
  };

  it('get 503, and are no error of a client that has pipelined them (RFC 2033 §4.2, RFC 2920 §3.1)', () => {
    const dialogue = refused(lmtp, 'LHLO c');
    for (let count = 0; count < 3; count++) {
      expect(dialogue.say('DATA')).toEqual(['503 5.5.1 No valid recipients']);
      expect(dialogue.octets('BDAT 2 LAST\r\nab')).toEqual(['503 5.5.1 No valid recipients']);
    }
  });

  it('get 554 in SMTP (RFC 5321 §3.3)', () => {
    expect(refused({}, 'EHLO c').say('DATA')).toEqual(['554 5.5.1 No valid recipients']);
  });
});

describe('BDAT (RFC 2033 §4.3)', () => {
  it('has one reply for each recipient behind the last chunk, and one behind any other', () => {
    const dialogue = addressed();
    expect(dialogue.octets('BDAT 2\r\nab')).toEqual(['250 2.0.0 Chunk received']);
    expect(dialogue.octets('BDAT 2 LAST\r\ncd')).toEqual([ACCEPTED, ACCEPTED]);
  });

  it.each([
    ['malformed', 'a\nb', '554 5.6.0'],
    ['too large', 'x'.repeat(50), '552 5.3.4'],
  ])('has one reply to a chunk that is %s, unless it is the last', (_, text, code) => {
    const chunk = (last: string) =>
      addressed({ maximumMessageSize: 40 })
        .octets(`BDAT ${text.length}${last}\r\n${text}`)
        .map((line) => line.slice(0, 9));
    expect(chunk('')).toEqual([code]);
    expect(chunk(' LAST')).toEqual([code, code]);
  });

  it('has as many where the application refuses the message at its first chunk, its octets read away', () => {
    const refuse = (text: string) => {
      const dialogue = addressed({ application: answering({ data: reject }) });
      expect(dialogue.octets(text.slice(0, -1))).toEqual([]);
      return dialogue.octets(text.slice(-1));
    };
    expect(refuse('BDAT 2\r\nab')).toEqual(['554 5.7.1 Message refused']);
    expect(refuse('BDAT 2 LAST\r\nab')).toEqual(['554 5.7.1 Message refused', '554 5.7.1 Message refused']);
  });
});

describe('replies for each recipient', () => {
  const reply = (code: number) => ({ code, lines: ['Text'] });

  it.each<[string, DialogueOptions, string, Answer]>([
    ['one too few', lmtp, 'message', { decision: 'accept', recipientReplies: [reply(250)] }],
    ['one too many', lmtp, 'message', { decision: 'accept', recipientReplies: [250, 250, 250].map(reply) }],
    ['of the code 354', lmtp, 'message', { decision: 'accept', recipientReplies: [250, 354].map(reply) }],
    ['of the code 421', lmtp, 'message', { decision: 'accept', recipientReplies: [250, 421].map(reply) }],
    ['in SMTP', {}, 'message', { decision: 'accept', recipientReplies: [250, 250].map(reply) }],
    ['to another question', lmtp, 'data', { decision: 'accept', recipientReplies: [250, 250].map(reply) }],
    ['to another question, and none', lmtp, 'data', { decision: 'accept', recipientReplies: [] }],
  ])('are the fault of the caller: %s', (_, options, kind, answer) => {
    const dialogue = new Dialogue({ ...options, application: answering({ [kind]: undefined }) });
    dialogue.say(
      options.protocol === 'lmtp' ? 'LHLO c' : 'EHLO c',
      'MAIL FROM:<a@b>',
      'RCPT TO:<c@d>',
      'RCPT TO:<e@f>',
    );
    dialogue.say('DATA');
    if (kind === 'message') dialogue.say('Hello', '.');
    expect(dialogue.session.question?.kind).toBe(kind);
    expect(() => dialogue.answer(answer)).toThrow(LocalProtocolError);
    expect(() => dialogue.answer(answer)).toThrow(
      /a reply (354|421) came for a recipient|\d recipientReplies came/,
    );
    expect(dialogue.session.question?.kind).toBe(kind);
    expect(dialogue.answer(accept)[0]).toMatch(/^[23]/);
  });
});
