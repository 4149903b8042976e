import { describe, expect, it } from 'vitest';
import { accept, answering, Dialogue, hangUp, reject, typesOf } from './dialogue.test-support.js';

const KEYWORDS = [
  '250-PIPELINING',
  '250-SIZE 36700160',
  '250-8BITMIME',
  '250-ENHANCEDSTATUSCODES',
  '250-CHUNKING',
  '250-BINARYMIME',
  '250-SMTPUTF8',
  '250-DSN',
  '250 HELP',
];

describe('the greeting', () => {
  it('asks the application first, and says nothing until it has answered (RFC 5321 §3.1)', () => {
    const dialogue = new Dialogue({ application: answering({ connect: undefined }) });
    expect(dialogue.questions).toEqual([{ kind: 'connect' }]);
    expect(dialogue.session.question).toEqual({ kind: 'connect' });
    expect(dialogue.session.state).toBe('connecting');
    expect(dialogue.session.wantsInput).toBe(false);
    expect(dialogue.replies).toEqual([]);

    expect(dialogue.answer(accept)).toEqual(['220 s.example ESMTP']);
    expect(dialogue.session.question).toBeUndefined();
    expect(dialogue.session.state).toBe('session.greeted');
    expect(dialogue.session.wantsInput).toBe(true);
  });

  it('begins with the host name, and has no enhanced status code (RFC 5321 §4.2, RFC 2034 §3)', () => {
    const reply = { code: 220, enhancedCode: '2.0.0', lines: ['Come in', 'and sit down'] };
    const application = answering({ connect: { decision: 'accept', reply } });
    expect(new Dialogue({ application }).replies).toEqual(['220 s.example Come in and sit down']);
  });

  it('is 554 to a client that is not served, and from there on only QUIT is (RFC 5321 §3.1)', () => {
    const dialogue = new Dialogue({ application: answering({ connect: reject }) });
    expect(dialogue.replies).toEqual(['554 5.7.1 No service for you here']);
    expect(dialogue.session.state).toBe('refused');
    const refusal = '503 5.5.1 No service here; only QUIT is accepted';
    for (const line of ['EHLO c.example', 'MAIL FROM:<a@b>', 'NOOP', 'RSET', 'nonsense']) {
      expect(dialogue.say(line)).toEqual([refusal]);
    }
    expect(dialogue.asked).toEqual(['connect']);
    expect(dialogue.say('QUIT')).toEqual(['221 2.0.0 Closing the session']);
    expect(typesOf(dialogue.outputs).at(-1)).toBe('close');
    expect(dialogue.session.state).toBe('closing');
  });

  it('may be refused in other words than the default', () => {
    const reply = { code: 550, enhancedCode: '5.7.25', lines: ['No reverse DNS'] };
    const application = answering({ connect: { decision: 'reject', reply } });
    const dialogue = new Dialogue({ application });
    expect(dialogue.replies).toEqual(['550 5.7.25 No reverse DNS']);
    expect(dialogue.session.state).toBe('refused');
  });

  it('ends the session when it is 421 (RFC 5321 §3.8)', () => {
    const dialogue = new Dialogue({ application: answering({ connect: hangUp }) });
    expect(dialogue.replies).toEqual(['421 4.3.2 Not now']);
    expect(typesOf(dialogue.outputs)).toEqual(['ask', 'write', 'close']);
    expect(dialogue.session.state).toBe('closing');
  });
});

describe('EHLO and HELO', () => {
  it('EHLO is answered by the service extensions, in their order (RFC 5321 §4.1.1.1)', () => {
    expect(new Dialogue().say('EHLO c.example')).toEqual(['250-s.example OK', ...KEYWORDS]);
  });

  it('EHLO says how large a message may be (RFC 1870 §4)', () => {
    const keyword = (maximumMessageSize: number) => new Dialogue({ maximumMessageSize }).say('EHLO c')[2];
    expect(keyword(1000)).toBe('250-SIZE 1000');
    expect(keyword(Number.POSITIVE_INFINITY)).toBe('250-SIZE 0');
  });

  it('HELO is answered by one line (RFC 5321 §4.1.1.1)', () => {
    expect(new Dialogue().say('HELO c.example')).toEqual(['250 s.example OK']);
  });

  it('remembers how the client introduced itself last', () => {
    const dialogue = new Dialogue();
    expect(dialogue.session.hello).toBeUndefined();
    dialogue.say('EHLO [192.0.2.1]');
    expect(dialogue.session.hello).toEqual({ verb: 'EHLO', name: '[192.0.2.1]' });
    dialogue.say('HELO c.example');
    expect(dialogue.session.hello).toEqual({ verb: 'HELO', name: 'c.example' });
  });

  it('puts the words of the application behind the host name, and never among the keywords', () => {
    const reply = { code: 250, lines: ['Hello\r\nSTARTTLS', 'AUTH PLAIN', 'x'.repeat(600)] };
    const application = answering({ hello: { decision: 'accept', reply } });
    const dialogue = new Dialogue({ application });
    const [first, ...keywords] = dialogue.say('EHLO c');
    expect(first).toMatch(/^250-s\.example Hello STARTTLS AUTH PLAIN x+$/);
    expect(keywords).toEqual(KEYWORDS);
    expect(dialogue.say('HELO c')).toHaveLength(1);
  });

  it('ends an open mail transaction, as RSET does (RFC 5321 §4.1.4)', () => {
    const dialogue = new Dialogue().addressed();
    dialogue.say('EHLO c.example');
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.say('DATA')).toEqual(['503 5.5.1 Bad sequence of commands: send MAIL first']);
    dialogue.say('MAIL FROM:<other@c.example>');
    dialogue.say('RCPT TO:<c@s.example>', 'DATA');
    dialogue.say('Hello', '.');
    const [message] = dialogue.messages;
    expect(message?.envelope.reversePath).toEqual({ localPart: 'other', domain: 'c.example' });
    expect(message?.envelope.recipients.map(({ forwardPath }) => forwardPath)).toEqual([
      { localPart: 'c', domain: 's.example' },
    ]);
  });

  it.each([
    ['before any', (dialogue: Dialogue) => dialogue, 'session.greeted'],
    ['after another', (dialogue: Dialogue) => dialogue.ready(), 'session.ready'],
    ['after MAIL', (dialogue: Dialogue) => dialogue.opened(), 'session.transaction.opened'],
    ['after RCPT', (dialogue: Dialogue) => dialogue.addressed(), 'session.transaction.addressed'],
  ])('changes nothing when it is refused %s (RFC 5321 §4.1.4)', (_, lead, state) => {
    const application = answering();
    const dialogue = lead(
      new Dialogue({
        application: (question) =>
          question.kind === 'hello' && question.hello.name === 'bad' ? reject : application(question),
      }),
    );
    const { hello } = dialogue.session;
    expect(dialogue.say('EHLO bad')).toEqual(['550 5.7.1 Not accepted under this name']);
    expect(dialogue.say('HELO bad')).toEqual(['550 5.7.1 Not accepted under this name']);
    expect(dialogue.session.state).toBe(state);
    expect(dialogue.session.hello).toEqual(hello);
  });

  it('keeps the mail transaction whole when it is refused in the midst of it (RFC 5321 §4.1.4)', () => {
    const application = answering();
    const dialogue = new Dialogue({
      application: (question) =>
        question.kind === 'hello' && question.hello.name === 'bad' ? reject : application(question),
    }).addressed();
    dialogue.say('EHLO bad');
    dialogue.say('RCPT TO:<c@s.example>', 'DATA');
    dialogue.say('Hello', '.');
    expect(dialogue.messages[0]?.envelope.recipients).toHaveLength(2);
    expect(dialogue.messages[0]?.envelope.reversePath).toEqual({ localPart: 'a', domain: 'c.example' });
  });
});
