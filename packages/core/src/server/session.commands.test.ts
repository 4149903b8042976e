import { describe, expect, it } from 'vitest';
import type { Answer, Question } from './decisions/questions.js';
import {
  accept,
  answering,
  Dialogue,
  dialogueUpTo,
  hangUp,
  questionKinds,
  reject,
  typesOf,
} from './dialogue.test-support.js';

const HELLO_FIRST = '503 5.5.1 Bad sequence of commands: send EHLO or HELO first';
const MAIL_FIRST = '503 5.5.1 Bad sequence of commands: send MAIL first';
const RCPT_FIRST = '503 5.5.1 Bad sequence of commands: send RCPT first';

describe('a mail transaction', () => {
  it('goes through MAIL, RCPT and DATA to a message (RFC 5321 §3.3)', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say('MAIL FROM:<a@c.example> SIZE=7 BODY=8BITMIME')).toEqual(['250 2.1.0 Sender OK']);
    expect(dialogue.session.state).toBe('session.transaction.opened');
    expect(dialogue.say('RCPT TO:<b@s.example>')).toEqual(['250 2.1.5 Recipient OK']);
    expect(dialogue.say('RCPT TO:<Postmaster>')).toEqual(['250 2.1.5 Recipient OK']);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
    expect(dialogue.say('DATA')).toEqual(['354 Send the message; end it with <CRLF>.<CRLF>']);
    expect(dialogue.session.state).toBe('session.transaction.receiving');
    expect(dialogue.say('Hello', '.')).toEqual(['250 2.0.0 Message accepted']);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.messages).toEqual([
      {
        envelope: {
          reversePath: { localPart: 'a', domain: 'c.example' },
          parameters: { size: 7, body: '8BITMIME' },
          recipients: [
            { forwardPath: { localPart: 'b', domain: 's.example' }, parameters: {} },
            { forwardPath: { localPart: 'Postmaster', domain: '' }, parameters: {} },
          ],
        },
        text: 'Hello\r\n',
      },
    ]);
  });

  it('asks about each step with what is known by then', () => {
    const dialogue = new Dialogue().addressed();
    dialogue.say('RCPT TO:<c@s.example>', 'DATA');
    dialogue.say('Hello', '.');
    expect(dialogue.asked).toEqual(['connect', 'hello', 'mail', 'rcpt', 'rcpt', 'data', 'message']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'message', size: 7 });
    const recipients = dialogue.messages[0]?.envelope.recipients ?? [];
    expect(recipients.map(({ forwardPath }) => forwardPath.localPart)).toEqual(['b', 'c']);
  });

  it('takes the null reverse-path (RFC 5321 §4.5.5)', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say('MAIL FROM:<>')).toEqual(['250 2.1.0 Sender OK']);
    expect(dialogue.questions.at(-1)).toEqual({ kind: 'mail', reversePath: null, parameters: {} });
  });

  it('may follow another in the same session, and remembers nothing of it (RFC 5321 §3.3)', () => {
    const dialogue = new Dialogue().ready();
    for (const sender of ['a', 'b']) {
      dialogue.say(`MAIL FROM:<${sender}@c.example> SIZE=9`, 'RCPT TO:<x@s.example>', 'DATA');
      dialogue.say(`from ${sender}`, '.');
    }
    dialogue.say('MAIL FROM:<c@c.example>', 'RCPT TO:<x@s.example>', 'DATA');
    dialogue.say('from c', '.');
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['from a\r\n', 'from b\r\n', 'from c\r\n']);
    expect(dialogue.messages.map(({ envelope }) => envelope.parameters.size)).toEqual([9, 9, undefined]);
    expect(dialogue.messages.map(({ envelope }) => envelope.recipients.length)).toEqual([1, 1, 1]);
  });
});

describe('the order of commands', () => {
  it('answers 503 to MAIL, RCPT and DATA before EHLO or HELO (RFC 5321 §4.1.4)', () => {
    const dialogue = new Dialogue();
    expect(dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'DATA')).toEqual([
      HELLO_FIRST,
      HELLO_FIRST,
      HELLO_FIRST,
    ]);
    expect(dialogue.session.state).toBe('session.greeted');
  });

  it('answers 503 to RCPT and DATA before MAIL (RFC 5321 §3.3)', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say('RCPT TO:<a@b>')).toEqual([MAIL_FIRST]);
    expect(dialogue.say('DATA')).toEqual([MAIL_FIRST]);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('answers 503 to DATA before RCPT (RFC 5321 §3.3)', () => {
    const dialogue = new Dialogue().opened();
    expect(dialogue.say('DATA')).toEqual([RCPT_FIRST]);
    expect(dialogue.session.state).toBe('session.transaction.opened');
  });

  it('answers 554 to DATA after nothing but refused recipients (RFC 5321 §3.3, RFC 2920 §3.1)', () => {
    const dialogue = new Dialogue({ application: answering({ rcpt: reject }) }).opened();
    expect(dialogue.say('RCPT TO:<b@s.example>')).toEqual(['550 5.7.1 Recipient refused']);
    expect(dialogue.say('DATA')).toEqual(['554 5.5.1 No valid recipients']);
    expect(dialogue.asked).not.toContain('data');
    expect(dialogue.session.state).toBe('session.transaction.opened');
  });

  it('forgets refused recipients with their mail transaction', () => {
    const dialogue = new Dialogue({ application: answering({ rcpt: reject }) }).addressed();
    expect(dialogue.say('RSET', 'MAIL FROM:<a@b>', 'DATA').at(-1)).toBe(RCPT_FIRST);
  });

  it('forgets a refused MAIL with the next that is accepted', () => {
    const dialogue = new Dialogue({
      application: (question) =>
        question.kind === 'mail' && question.reversePath?.localPart === 'no' ? reject : accept,
    }).ready();
    expect(dialogue.say('MAIL FROM:<no@b>', 'MAIL FROM:<a@b>', 'DATA').at(-1)).toBe(RCPT_FIRST);
  });

  it('answers 503 to MAIL in a mail transaction, which goes on (RFC 5321 §4.1.4)', () => {
    const nested = '503 5.5.1 Bad sequence of commands: a mail transaction is open, send RSET to drop it';
    expect(new Dialogue().opened().say('MAIL FROM:<x@y>')).toEqual([nested]);
    const dialogue = new Dialogue().addressed();
    expect(dialogue.say('MAIL FROM:<x@y>')).toEqual([nested]);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
    dialogue.say('DATA');
    dialogue.say('.');
    expect(dialogue.messages[0]?.envelope.reversePath).toEqual({ localPart: 'a', domain: 'c.example' });
  });

  it('goes on with the recipients it has when another is refused (RFC 5321 §3.3)', () => {
    const dialogue = new Dialogue({
      application: (question) =>
        question.kind === 'rcpt' && question.forwardPath.localPart === 'no' ? reject : accept,
    }).ready();
    const replies = dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<no@s>', 'RCPT TO:<yes@s>', 'RCPT TO:<no@s>');
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['250', '550', '250', '550']);
    expect(dialogue.say('DATA')[0]).toMatch(/^354 /);
    dialogue.say('.');
    expect(dialogue.messages[0]?.envelope.recipients).toHaveLength(1);
  });
});

describe('commands that open no mail transaction', () => {
  const states: readonly (readonly [string, () => Dialogue])[] = [
    ['before EHLO', () => new Dialogue()],
    ['after EHLO', () => new Dialogue().ready()],
    ['after MAIL', () => new Dialogue().opened()],
    ['after RCPT', () => new Dialogue().addressed()],
  ];

  it.each(states)(
    'serves NOOP, VRFY, EXPN and HELP %s, and changes nothing (RFC 5321 §4.1.4)',
    (_, start) => {
      const dialogue = start();
      const { state } = dialogue.session;
      expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
      expect(dialogue.say('NOOP with an argument')).toEqual(['250 2.0.0 OK']); // RFC 5321 §4.1.1.9
      expect(dialogue.say('VRFY someone')).toEqual([
        '252 2.5.0 Cannot verify the user, but will take mail for it', // RFC 5321 §3.5.3
      ]);
      expect(dialogue.say('EXPN a-list')).toEqual(['502 5.5.1 EXPN is not implemented']);
      expect(dialogue.say('HELP')).toEqual(['214 2.0.0 See RFC 5321']);
      expect(dialogue.session.state).toBe(state);
      expect(dialogue.questions.slice(-3)).toEqual([
        { kind: 'verify', argument: 'someone' },
        { kind: 'expand', argument: 'a-list' },
        { kind: 'help', argument: '' },
      ]);
    },
  );

  it.each(states)('serves RSET %s (RFC 5321 §4.1.1.5)', (when, start) => {
    const dialogue = start();
    expect(dialogue.say('RSET')).toEqual(['250 2.0.0 OK']);
    const greeted = when === 'before EHLO';
    expect(dialogue.session.state).toBe(greeted ? 'session.greeted' : 'session.ready');
    expect(dialogue.say('DATA')).toEqual([greeted ? HELLO_FIRST : MAIL_FIRST]);
  });

  it.each(states)('serves QUIT %s, and executes nothing behind it (RFC 5321 §4.1.1.10)', (_, start) => {
    const dialogue = start();
    const asked = dialogue.asked.length;
    expect(dialogue.say('QUIT', 'EHLO c.example', 'NOOP')).toEqual(['221 2.0.0 Closing the session']);
    expect(dialogue.say('EHLO c.example', 'NOOP')).toEqual([]);
    expect(dialogue.asked).toHaveLength(asked);
    expect(dialogue.session.state).toBe('closing');
    expect(typesOf(dialogue.handle({ type: 'eof' }))).toEqual(['closed']);
    expect(dialogue.session.state).toBe('closed');
  });

  it('refuses DATA, RSET and QUIT with an argument (RFC 5321 §4.3.2)', () => {
    const dialogue = new Dialogue().addressed();
    for (const verb of ['DATA', 'RSET', 'QUIT']) {
      expect(dialogue.say(`${verb} now`)).toEqual([`501 5.5.4 Syntax: ${verb}, without an argument`]);
    }
    expect(dialogue.session.state).toBe('session.transaction.addressed');
  });
});

describe('refusals told apart (RFC 5321 §4.2.4)', () => {
  it.each([
    ['500 5.5.1', 'a verb that nobody knows', 'FOO bar'],
    ['500 5.5.2', 'an empty line', ''],
    ['501 5.5.4', 'an argument that is missing', 'MAIL'],
    ['501 5.5.4', 'an argument that is malformed', 'RSET x'],
    ['501 5.1.7', 'a malformed reverse-path', 'MAIL FROM:<a@>'],
    ['501 5.1.3', 'a malformed forward-path', 'RCPT TO:<@b>'],
    ['502 5.5.1', 'a verb that is known elsewhere', 'STARTTLS'],
    ['502 5.5.1', 'a verb that is known elsewhere', 'TURN'],
    ['503 5.5.1', 'a command out of order', 'DATA'],
    ['555 5.5.4', 'a parameter that no offered extension defines', 'MAIL FROM:<a@b> FOO=bar'],
  ])('%s: %s', (codes, _, line) => {
    const dialogue = new Dialogue().ready();
    const [reply, ...more] = dialogue.say(line);
    expect(reply?.slice(0, 9)).toBe(codes);
    expect(more).toEqual([]);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('tells out of order before it tells wrong parameters', () => {
    expect(new Dialogue().say('MAIL FROM:<a@b> FOO=bar')).toEqual([HELLO_FIRST]);
    expect(new Dialogue().ready().say('RCPT TO:<a@b> FOO=bar')).toEqual([MAIL_FIRST]);
  });

  it('refuses a parameter of RCPT that no offered extension defines (RFC 5321 §4.1.1.11)', () => {
    const dialogue = new Dialogue().opened();
    expect(dialogue.say('RCPT TO:<a@b> FOO=1')).toEqual([
      '555 5.5.4 FOO is not a parameter of RCPT that was offered',
    ]);
    expect(dialogue.session.state).toBe('session.transaction.opened');
    expect(dialogue.say('DATA')).toEqual(['554 5.5.1 No valid recipients']);
  });

  it('refuses any parameter of MAIL after HELO, which offers no extension (RFC 5321 §2.2.1)', () => {
    const dialogue = new Dialogue();
    dialogue.say('HELO c.example');
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1')).toEqual([
      '555 5.5.4 SIZE is not a parameter of MAIL that was offered',
    ]);
    dialogue.say('EHLO c.example');
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1')).toEqual(['250 2.1.0 Sender OK']);
  });
});

describe('the SIZE parameter (RFC 1870)', () => {
  const TOO_LARGE = '552 5.3.4 The message exceeds the size limit of 1000 octets';

  it('is taken up to the limit, and answered 552 beyond it (RFC 1870 §6.1)', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 1000 }).ready();
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1001')).toEqual([TOO_LARGE]);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.asked).not.toContain('mail');
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1000')).toEqual(['250 2.1.0 Sender OK']);
  });

  it('is 501 when it is no number of 1 to 20 digits (RFC 1870 §3)', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 1000 }).ready();
    for (const parameter of ['SIZE', 'SIZE=1x', 'SIZE=-1', 'SIZE=123456789012345678901']) {
      expect(dialogue.say(`MAIL FROM:<a@b> ${parameter}`)).toEqual([
        '501 5.5.4 SIZE takes a number of 1 to 20 digits',
      ]);
    }
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=99999999999999999999')).toEqual([TOO_LARGE]);
  });

  it('is no error of the client when it is over the limit: it may try as many messages as it likes', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 1000, maximumErrors: 2 }).ready();
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say('MAIL FROM:<a@b> SIZE=1001')).toEqual([TOO_LARGE]);
    }
  });
});

describe('the limit of recipients (RFC 5321 §4.5.3.1.10)', () => {
  it('answers 452 4.5.3 beyond it, and the mail transaction goes on', () => {
    const dialogue = new Dialogue({ maximumRecipients: 2, maximumErrors: 2 }).addressed();
    expect(dialogue.say('RCPT TO:<c@s.example>')).toEqual(['250 2.1.5 Recipient OK']);
    const tooMany = '452 4.5.3 Too many recipients; send the rest in another mail transaction';
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say('RCPT TO:<d@s.example>')).toEqual([tooMany]);
    }
    dialogue.say('DATA');
    dialogue.say('.');
    expect(dialogue.messages[0]?.envelope.recipients).toHaveLength(2);
  });

  it('counts accepted recipients only, and each mail transaction anew', () => {
    const dialogue = new Dialogue({
      maximumRecipients: 1,
      application: (question) =>
        question.kind === 'rcpt' && question.forwardPath.localPart === 'no' ? reject : accept,
    }).opened();
    expect(dialogue.say('RCPT TO:<no@s>', 'RCPT TO:<yes@s>')[1]).toMatch(/^250 /);
    expect(dialogue.say('RSET', 'MAIL FROM:<a@b>', 'RCPT TO:<yes@s>')[2]).toMatch(/^250 /);
  });
});

describe('errors in a row', () => {
  const GIVEN_UP = '421 4.7.0 Too many errors in a row, closing the session';

  it('end the session at the tenth, whose reply is 421 4.7.0 (RFC 5321 §3.8)', () => {
    const dialogue = new Dialogue().ready();
    const nine = Array.from({ length: 9 }, () => 'FOO');
    expect(dialogue.say(...nine)).toHaveLength(9);
    expect(dialogue.session.state).toBe('session.ready');
    const outputs = dialogue.handle({
      type: 'bytes',
      bytes: Uint8Array.from(Buffer.from('FOO\r\nNOOP\r\n')),
    });
    expect(typesOf(outputs)).toEqual(['write', 'close']);
    expect(dialogue.replies.at(-1)).toBe(GIVEN_UP);
    expect(dialogue.session.state).toBe('closing');
  });

  it.each([
    ['an unknown verb', 'FOO', (dialogue: Dialogue) => dialogue.ready()],
    ['a malformed line', 'NOOP\n', (dialogue: Dialogue) => dialogue.ready()],
    ['a line too long', `NOOP ${'x'.repeat(1000)}`, (dialogue: Dialogue) => dialogue.ready()],
    ['a command out of order', 'DATA', (dialogue: Dialogue) => dialogue.ready()],
    ['MAIL before EHLO', 'MAIL FROM:<a@b>', (dialogue: Dialogue) => dialogue],
    ['nested MAIL', 'MAIL FROM:<a@b>', (dialogue: Dialogue) => dialogue.addressed()],
    ['an unknown parameter of MAIL', 'MAIL FROM:<a@b> FOO', (dialogue: Dialogue) => dialogue.ready()],
    ['a wrong value', 'MAIL FROM:<a@b> SIZE=x', (dialogue: Dialogue) => dialogue.ready()],
    ['an unknown parameter of RCPT', 'RCPT TO:<a@b> FOO', (dialogue: Dialogue) => dialogue.opened()],
  ])('count %s', (_, line, lead) => {
    const dialogue = lead(new Dialogue({ maximumErrors: 2 }));
    expect(dialogue.say(line)[0]).toMatch(/^5/);
    expect(dialogue.say(line)).toEqual([GIVEN_UP]);
  });

  it('count in a session that is refused, too', () => {
    const dialogue = new Dialogue({ maximumErrors: 3, application: answering({ connect: reject }) });
    expect(dialogue.say('NOOP', 'NOOP', 'NOOP').at(-1)).toBe(GIVEN_UP);
  });

  it.each([
    ['NOOP', ['NOOP']],
    ['RSET', ['RSET']],
    ['EHLO', ['EHLO c.example']],
    ['VRFY', ['VRFY someone']],
    ['HELP', ['HELP']],
    ['MAIL', ['MAIL FROM:<a@b>']],
  ])('begin anew after an accepted %s', (_, good) => {
    const dialogue = new Dialogue({ maximumErrors: 2 }).ready();
    dialogue.say('FOO', ...good, 'FOO');
    expect(dialogue.session.state).not.toBe('closing');
    expect(dialogue.say('FOO')).toEqual([GIVEN_UP]);
  });

  it('do not begin anew after what the application refused', () => {
    const dialogue = new Dialogue({ maximumErrors: 2, application: answering({ mail: reject }) }).ready();
    expect(dialogue.say('FOO', 'MAIL FROM:<a@b>', 'FOO').at(-1)).toBe(GIVEN_UP);
  });

  it('do not count what the application refuses', () => {
    const refusals: { readonly [Kind in Question['kind']]?: Answer } = { mail: reject, verify: reject };
    const dialogue = new Dialogue({ maximumErrors: 2, application: answering(refusals) }).ready();
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say('MAIL FROM:<a@b>', 'VRFY x', 'EXPN y')).toHaveLength(3);
    }
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('do not count what a pipelining client sends behind a refused MAIL (RFC 2920 §3.1)', () => {
    const dialogue = new Dialogue({ maximumErrors: 2, application: answering({ mail: reject }) }).ready();
    const batch = ['MAIL FROM:<a@b>', 'RCPT TO:<c@s>', 'RCPT TO:<d@s>', 'RCPT TO:<e@s>', 'DATA'];
    expect(dialogue.say(...batch)).toEqual([
      '550 5.7.1 Sender refused',
      ...Array.from({ length: 4 }, () => MAIL_FIRST),
    ]);
    dialogue.say('RSET');
    expect(dialogue.say('DATA', 'DATA').at(-1)).toBe(GIVEN_UP);
  });

  it('do not count where they are about addresses: a list with ten odd recipients is no attack', () => {
    const dialogue = new Dialogue().opened();
    const odd = [
      'joe',
      'joe@',
      '@example.org',
      'joe@@example.org',
      'joe jim@example.org',
      'joe\tjim@example.org',
      'jos\u00e9@example.org',
      '"joe@example.org',
      'joe@-example.org',
      `joe@${'a'.repeat(64)}.example`,
      'joe@example.org>, <jim@example.org',
      'joe@example.org>> <',
      'joe@example.org> ORCPT=rfc822;a+zz@example.org <',
    ].map((address) => `RCPT TO:<${address}>`.replace(' <>', ''));
    const unbracketed = ['joe@example.org', 'Joe <joe@example.org>'].map((address) => `RCPT TO:${address}`);
    const good = Array.from({ length: 20 }, (_, index) => `RCPT TO:<c${index}@example.org>`);
    const replies = dialogue.say(...odd, ...unbracketed, ...good);
    expect(replies.slice(0, -good.length).map((reply) => reply.slice(0, 3))).toEqual(
      [...odd, ...unbracketed].map((line) => (line.includes('\u00e9') ? '500' : '501')),
    );
    expect(replies.slice(-good.length)).toEqual(good.map(() => '250 2.1.5 Recipient OK'));
    expect(dialogue.say('DATA', 'Hello', '.').at(-1)).toBe('250 2.0.0 Message accepted');
  });

  it('do not count in a MAIL, either: with the submitter in AUTH=', () => {
    const dialogue = new Dialogue({ maximumErrors: 2, authentication: { allowInsecure: true } }).ready();
    for (let time = 0; time < 5; time++) {
      expect(dialogue.say('MAIL FROM:<a@b> AUTH=a+zz', 'MAIL FROM:<a b@c>')).toEqual([
        expect.stringMatching(/^501 5\.5\.4 AUTH takes /),
        expect.stringMatching(/^501 5\.1\.7 /),
      ]);
    }
  });

  it('do not count what a pipelining client sends behind a MAIL that is declared too large', () => {
    const dialogue = new Dialogue({ maximumErrors: 2, maximumMessageSize: 10 }).ready();
    const batch = ['MAIL FROM:<a@b> SIZE=11', 'RCPT TO:<c@s>', 'RCPT TO:<d@s>', 'RCPT TO:<e@s>', 'DATA'];
    expect(dialogue.say(...batch).slice(1)).toEqual(Array.from({ length: 4 }, () => MAIL_FIRST));
  });
});

describe('answers of the application', () => {
  it.each([
    ['connect', [], '220 s.example ESMTP', '554 5.7.1 No service for you here'],
    ['hello', ['HELO c'], '250 s.example OK', '550 5.7.1 Not accepted under this name'],
    ['mail', ['EHLO c', 'MAIL FROM:<a@b>'], '250 2.1.0 Sender OK', '550 5.7.1 Sender refused'],
    [
      'rcpt',
      ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<a@b>'],
      '250 2.1.5 Recipient OK',
      '550 5.7.1 Recipient refused',
    ],
    [
      'verify',
      ['VRFY x'],
      '252 2.5.0 Cannot verify the user, but will take mail for it',
      '550 5.1.1 No such user here',
    ],
    [
      'expand',
      ['EXPN x'],
      '252 2.5.0 Cannot expand the list, but will take mail for it',
      '502 5.5.1 EXPN is not implemented',
    ],
    ['help', ['HELP'], '214 2.0.0 See RFC 5321', '502 5.5.1 HELP is not implemented'],
  ] as const)('have default replies to %s', (kind, lines, accepted, rejected) => {
    for (const [answer, reply] of [
      [accept, accepted],
      [reject, rejected],
    ] as const) {
      const dialogue = new Dialogue({ application: answering({ [kind]: answer }) });
      if (lines.length > 0) dialogue.say(...lines);
      expect(dialogue.replies.at(-1)).toBe(reply);
    }
  });

  it.each([
    ['data', '554 5.7.1 Message refused'],
    ['message', '554 5.3.0 Message refused'],
  ] as const)('end the mail transaction by rejecting %s (RFC 5321 §4.1.1.4)', (kind, reply) => {
    const dialogue = new Dialogue({ application: answering({ [kind]: reject }) }).receiving();
    if (kind === 'message') dialogue.say('.');
    expect(dialogue.replies.at(-1)).toBe(reply);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.say('RCPT TO:<a@b>')).toEqual([MAIL_FIRST]);
  });

  it('may say it in words of their own, over several lines', () => {
    const reply = { code: 451, enhancedCode: '4.7.1', lines: ['Greylisted', 'try again in 5 minutes'] };
    const dialogue = new Dialogue({ application: answering({ rcpt: { decision: 'reject', reply } }) });
    dialogue.opened();
    expect(dialogue.say('RCPT TO:<b@s.example>')).toEqual([
      '451-4.7.1 Greylisted',
      '451 4.7.1 try again in 5 minutes',
    ]);
    expect(dialogue.session.state).toBe('session.transaction.opened');
  });

  it.each(questionKinds)('end the session by 421 to %s (RFC 5321 §3.8)', (kind) => {
    const dialogue = dialogueUpTo(kind, { answer: hangUp });
    expect(dialogue.replies.at(-1)).toBe('421 4.3.2 Not now');
    expect(typesOf(dialogue.outputs).slice(-2)).toEqual(['write', 'close']);
    expect(dialogue.session.state).toBe('closing');
  });
});
