import { describe, expect, it } from 'vitest';
import { requireTls } from '../extensions/delivery/require-tls.js';
import { size } from '../extensions/mail-data/size.js';
import { startTls } from '../extensions/session/start-tls.js';
import type { ReplyOccasion } from './decisions/replies.js';
import { accept, answering, Dialogue } from './dialogue.test-support.js';

describe('rephrase', () => {
  it('is asked about each reply, with its title and the verb', () => {
    const occasions: ReplyOccasion[] = [];
    const dialogue = new Dialogue({
      rephrase(reply, occasion) {
        occasions.push(occasion);
        return reply;
      },
    });
    dialogue.say('MAIL FROM:<a@c.example>', 'EHLO c.example', 'STARTTLS now', 'MAIL FROM:<a@c.example>');
    expect(occasions).toEqual([
      { title: 'connect.accept', verb: undefined },
      { title: 'helloFirst', verb: 'MAIL' },
      { title: 'hello.accept', verb: 'EHLO' },
      { title: 'notOffered', verb: 'STARTTLS' },
      { title: 'mail.accept', verb: 'MAIL' },
    ]);
  });

  it('gets a reply of the application without a title', () => {
    const own = { decision: 'accept', reply: { code: 250, lines: ['Welcome'] } } as const;
    const titles: unknown[] = [];
    const dialogue = new Dialogue({
      application: answering({ mail: own }),
      rephrase(reply, { title, verb }) {
        if (verb === 'MAIL') titles.push(title);
        return reply;
      },
    });
    dialogue.ready().say('MAIL FROM:<a@c.example>');
    expect(titles).toEqual([undefined]);
  });

  it('changes words, and codes within their first digit', () => {
    const dialogue = new Dialogue({
      rephrase: (reply) => (reply.code === 503 ? { code: 501, lines: ['Another time'] } : reply),
    });
    expect(dialogue.say('MAIL FROM:<a@c.example>')).toEqual(['501 Another time']);
  });

  it('cannot turn a refusal into its contrary', () => {
    const dialogue = new Dialogue({ rephrase: (reply) => ({ ...reply, code: 250 }) }).ready();
    expect(() => dialogue.say('RCPT TO:<a@c.example>')).toThrow(/rephrase made 250 of the reply 503/);
  });

  it('gets the reply to EHLO with its keywords, and in LMTP one reply for each recipient', () => {
    const lines: (readonly string[])[] = [];
    const dialogue = new Dialogue({
      protocol: 'lmtp',
      extensions: [size],
      application: answering({ message: accept }),
      rephrase(reply, { title }) {
        if (title === 'hello.accept' || title === 'message.accept') lines.push(reply.lines);
        return reply;
      },
    });
    dialogue.say('LHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<a@s.example>', 'RCPT TO:<b@s.example>');
    dialogue.say('DATA');
    dialogue.say('.');
    expect(lines).toEqual([['s.example OK', 'SIZE 36700160'], ['Message accepted'], ['Message accepted']]);
  });
});

describe('an extension that is hidden', () => {
  it('is taken, and the reply to EHLO does not tell of it', () => {
    const dialogue = new Dialogue({ extensions: [{ ...size, hidden: true }] });
    expect(dialogue.say('EHLO c.example')).toEqual(['250 s.example OK']);
    expect(dialogue.say('MAIL FROM:<a@c.example> SIZE=12')).toEqual(['250 2.1.0 Sender OK']);
  });

  it('may withhold STARTTLS from a client', () => {
    const dialogue = new Dialogue({
      startTls: 'offered',
      extensions: [{ ...startTls, offer: () => undefined }],
    });
    dialogue.say('EHLO c.example');
    expect(dialogue.say('STARTTLS')).toEqual(['502 5.5.1 The command is not offered here']);
  });

  it('is not taken where it is not offered either', () => {
    const dialogue = new Dialogue({ extensions: [{ ...requireTls, hidden: true }] });
    dialogue.say('EHLO c.example');
    expect(dialogue.say('MAIL FROM:<a@c.example> REQUIRETLS')[0]).toMatch(/^555 /);
  });
});

describe('a shutdown with a reply', () => {
  it('ends the session by that reply', () => {
    const dialogue = new Dialogue().ready();
    dialogue.handle({ type: 'shutdown', reply: { code: 550, enhancedCode: '5.7.1', lines: ['Go away'] } });
    expect(dialogue.replies.at(-1)).toBe('550 5.7.1 Go away');
    expect(dialogue.session.state).toBe('closing');
  });

  it('says that it ends', () => {
    const dialogue = new Dialogue().ready();
    expect(() => dialogue.handle({ type: 'shutdown', reply: { code: 250, lines: ['Fine'] } })).toThrow(
      /a shutdown came with a reply 250/,
    );
  });
});
