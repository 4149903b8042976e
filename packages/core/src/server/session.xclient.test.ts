/** XCLIENT and XFORWARD (Postfix's XCLIENT_README and XFORWARD_README): trusted peers that speak of others. */
import { describe, expect, it } from 'vitest';
import { answering, Dialogue, type DialogueOptions, reject } from './dialogue.test-support.js';

const trusting: DialogueOptions = { trusted: true };
const GREETING = '220 s.example ESMTP';
const DENIED = '550 5.7.0 Not for this client';

describe.each(['XCLIENT', 'XFORWARD'])('%s', (verb) => {
  it('is offered to trusted peers, and to no others', () => {
    const keywordOf = (options: DialogueOptions) =>
      new Dialogue(options).say('EHLO c').find((line) => line.slice(4).startsWith(verb));
    expect(keywordOf(trusting)).toContain(`${verb} NAME ADDR PORT PROTO HELO`);
    expect(keywordOf({})).toBeUndefined();
  });

  it('is refused to all others: 550', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say(`${verb} NAME=c`)).toEqual([DENIED]);
    expect(dialogue.session.client).toBeUndefined();
    expect(dialogue.session.forwarded).toBeUndefined();
    expect(dialogue.asked).toEqual(['connect', 'hello']);
  });

  it('is refused where its extension is not listed: 502', () => {
    const dialogue = new Dialogue({ ...trusting, extensions: [] }).ready();
    expect(dialogue.say(`${verb} NAME=c`)[0]).toMatch(/^502 5\.5\.1/);
  });

  it('is refused in a mail transaction, which it does not end: 503', () => {
    const dialogue = new Dialogue(trusting).addressed();
    expect(dialogue.say(`${verb} NAME=c`)[0]).toMatch(/^503 5\.5\.1/);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
    expect(dialogue.session.client).toBeUndefined();
    expect(dialogue.session.forwarded).toBeUndefined();
  });

  it.each(['', ' NAME', ' NAME=', ' FOO=bar', ' NAME=a NAME=b', ' PORT=x', ' ADDR=300.1.1.1', ' NAME=<x>'])(
    'is refused where it is malformed: %j gets 501',
    (argument) => {
      const dialogue = new Dialogue({ ...trusting, maximumErrors: 2 }).ready();
      expect(dialogue.say(`${verb}${argument}`)[0]).toMatch(/^501 5\.5\.4/);
      expect(dialogue.session.client).toBeUndefined();
      expect(dialogue.session.forwarded).toBeUndefined();
      expect(dialogue.say(`${verb}${argument}`)[0]).toMatch(/^421 4\.7\.0/);
    },
  );
});

describe('XCLIENT', () => {
  it('begins the session anew as that of another client, who may be refused', () => {
    const dialogue = new Dialogue(trusting).ready();
    expect(dialogue.say('XCLIENT ADDR=192.0.2.1 PORT=25 NAME=[UNAVAILABLE] HELO=c.example')).toEqual([
      GREETING,
    ]);
    expect(dialogue.asked).toEqual(['connect', 'hello', 'connect']);
    expect(dialogue.session.client).toEqual({
      address: '192.0.2.1',
      port: 25,
      name: { unavailable: 'permanently' },
      helo: 'c.example',
    });
    expect(dialogue.session.hello).toBeUndefined();
    expect(dialogue.say('MAIL FROM:<a@b>')[0]).toMatch(/^503/);
    expect(dialogue.ready().say('MAIL FROM:<a@b>')).toEqual(['250 2.1.0 Sender OK']);

    let asked = 0;
    const refusing = new Dialogue({
      ...trusting,
      application: (question) =>
        question.kind === 'connect' && asked++ > 0 ? reject : answering()(question),
    });
    expect(refusing.say('XCLIENT ADDR=192.0.2.1')[0]).toMatch(/^554 5\.7\.1/);
    expect(refusing.session.state).toBe('refused');
  });

  it('tells who the client is before the application decides on it', () => {
    const seen: unknown[] = [];
    const dialogue: Dialogue = new Dialogue({
      ...trusting,
      application: (question) => {
        if (question.kind === 'connect' && seen.push(question) > 1) seen.push(dialogue.session.client);
        return answering()(question);
      },
    });
    dialogue.say('XCLIENT NAME=c.example');
    expect(seen.at(-1)).toEqual({ name: 'c.example' });
  });

  it('may come in several commands, each adding to those before', () => {
    const dialogue = new Dialogue(trusting);
    dialogue.say('XCLIENT NAME=c', 'XCLIENT LOGIN=u', 'XCLIENT ADDR=192.0.2.1');
    expect(dialogue.session.client).toEqual({ name: 'c', login: 'u', address: '192.0.2.1' });
    expect(dialogue.session.identity).toEqual({ mechanism: 'EXTERNAL', authenticatedAs: 'u', username: 'u' });
  });

  it.each(['ADDR=192.0.2.1', 'ADDR=[UNAVAILABLE]', 'ADDR=IPV6:2001:db8::1'])(
    'ends the trust with %s: what comes then may be the words of the client',
    (attribute) => {
      const dialogue = new Dialogue(trusting);
      expect(dialogue.say(`XCLIENT ${attribute}`)).toEqual([GREETING]);
      const { client } = dialogue.session;
      expect(dialogue.say('XCLIENT LOGIN=admin')).toEqual([DENIED]);
      expect(dialogue.say('EHLO c').join()).not.toMatch(/XCLIENT|XFORWARD/);
      expect(dialogue.say('XCLIENT ADDR=127.0.0.1', 'XFORWARD NAME=c')).toEqual([DENIED, DENIED]);
      expect(dialogue.session.client).toEqual(client);
      expect(dialogue.session.identity).toBeUndefined();
    },
  );

  it('forgets what the client said: errors, XFORWARD, a refused MAIL', () => {
    const dialogue = new Dialogue({
      ...trusting,
      maximumErrors: 3,
      application: answering({ mail: reject }),
    }).ready();
    dialogue.say('XFORWARD NAME=c', 'FOO', 'FOO', 'MAIL FROM:<a@b>', 'XCLIENT NAME=d');
    expect(dialogue.session.forwarded).toBeUndefined();
    dialogue.ready();
    expect(dialogue.say('DATA', 'DATA', 'DATA').map((line) => line.slice(0, 3))).toEqual([
      '503',
      '503',
      '421',
    ]);
  });

  it('forgets the failures of another client to authenticate itself', () => {
    const dialogue = new Dialogue({
      ...trusting,
      authentication: { allowInsecure: true, maximumFailures: 2 },
      application: answering({ authenticate: reject }),
    }).ready();
    const wrong = 'AUTH PLAIN AHUAcA==';
    dialogue.say(wrong, 'XCLIENT NAME=d', 'EHLO c');
    expect(dialogue.say(wrong, wrong).map((line) => line.slice(0, 3))).toEqual(['535', '421']);
  });

  it('comes before what was pipelined behind it', () => {
    const dialogue = new Dialogue(trusting).ready();
    const replies = dialogue.say('XCLIENT NAME=c', 'HELO d', 'MAIL FROM:<a@b>');
    expect(replies).toEqual([GREETING, '250 s.example OK', '250 2.1.0 Sender OK']);
  });
});

describe('LOGIN of XCLIENT', () => {
  const requiring: DialogueOptions = { ...trusting, authentication: { allowInsecure: true, required: true } };

  it('says that the client has authenticated itself', () => {
    const dialogue = new Dialogue(requiring);
    dialogue.say('XCLIENT LOGIN=u');
    expect(dialogue.session.identity).toEqual({ mechanism: 'EXTERNAL', authenticatedAs: 'u', username: 'u' });
    dialogue.ready();
    expect(dialogue.say('AUTH PLAIN AHUAcA==')).toEqual(['503 5.5.1 Authenticated already']);
    expect(dialogue.say('MAIL FROM:<a@b>')).toEqual(['250 2.1.0 Sender OK']);
  });

  it.each(['XCLIENT LOGIN=[UNAVAILABLE]', 'XCLIENT NAME=c'])(
    'says that it has not, or nothing: %s',
    (line) => {
      const dialogue = new Dialogue(requiring).ready();
      dialogue.say('AUTH PLAIN AHUAcA==', line);
      expect(dialogue.session.identity).toBeUndefined();
      expect(dialogue.ready().say('MAIL FROM:<a@b>')).toEqual(['530 5.7.0 Authentication required']);
    },
  );

  it('can be taken back', () => {
    const dialogue = new Dialogue(requiring);
    dialogue.say('XCLIENT LOGIN=u', 'XCLIENT LOGIN=[UNAVAILABLE]');
    expect(dialogue.session.identity).toBeUndefined();
    expect(dialogue.ready().say('MAIL FROM:<a@b>')).toEqual(['530 5.7.0 Authentication required']);
  });

  it('decodes xtext', () => {
    const dialogue = new Dialogue(trusting);
    dialogue.say('XCLIENT LOGIN=u+40example.org');
    expect(dialogue.session.identity?.username).toBe('u@example.org');
  });
});

describe('XFORWARD', () => {
  it('keeps what it says, and changes nothing else', () => {
    const dialogue = new Dialogue(trusting).ready();
    expect(dialogue.say('XFORWARD NAME=c ADDR=192.0.2.1', 'XFORWARD SOURCE=REMOTE')).toEqual([
      '250 2.0.0 OK',
      '250 2.0.0 OK',
    ]);
    expect(dialogue.session.forwarded).toEqual({ name: 'c', address: '192.0.2.1', source: 'REMOTE' });
    expect(dialogue.session.client).toBeUndefined();
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.asked).toEqual(['connect', 'hello']);
  });

  it('is known while its mail transaction lasts, and not in the next', () => {
    const seen: unknown[] = [];
    const dialogue: Dialogue = new Dialogue({
      ...trusting,
      application: (question) => {
        if (question.kind === 'message') seen.push(dialogue.session.forwarded);
        return answering()(question);
      },
    }).ready();
    dialogue.say('XFORWARD NAME=c');
    for (let count = 0; count < 2; count++) {
      dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA');
      dialogue.say('Hello', '.');
    }
    expect(seen).toEqual([{ name: 'c' }, undefined]);
  });

  it.each(['RSET', 'EHLO c'])('is forgotten by %s', (line) => {
    const dialogue = new Dialogue(trusting).ready();
    dialogue.say('XFORWARD NAME=c', line);
    expect(dialogue.session.forwarded).toBeUndefined();
  });
});
