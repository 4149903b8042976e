/** SMTPUTF8 (RFC 6531): characters outside ASCII in paths, in what VRFY and EXPN ask about, and in their replies. */
import { describe, expect, it } from 'vitest';
import type { ServiceExtension } from '../extensions/contract/extension.js';
import { eightBitMime } from '../extensions/mail-data/eight-bit-mime.js';
import { smtpUtf8 } from '../extensions/mail-data/smtp-utf8.js';
import type { Answer } from './decisions/questions.js';
import { answering, Dialogue, utf8 } from './dialogue.test-support.js';

const JOSE = utf8('josé@exämple.org');

describe('a mail transaction with SMTPUTF8 (RFC 6531 §3.3)', () => {
  it('may have addresses in UTF-8', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say(`MAIL FROM:<${JOSE}> SMTPUTF8`, `RCPT TO:<${JOSE}>`)).toEqual([
      '250 2.1.0 Sender OK',
      '250 2.1.5 Recipient OK',
    ]);
    expect(dialogue.questions.slice(2)).toMatchObject([
      {
        kind: 'mail',
        reversePath: { localPart: 'josé', domain: 'exämple.org' },
        parameters: { smtpUtf8: true },
      },
      { kind: 'rcpt', forwardPath: { localPart: 'josé', domain: 'exämple.org' } },
    ]);
  });

  it('may have headers in UTF-8 alone: its addresses may be ASCII', () => {
    const dialogue = new Dialogue().ready();
    dialogue.say('MAIL FROM:<> SMTPUTF8', 'RCPT TO:<a@b>', 'DATA');
    dialogue.say(utf8('Subject: é'), '.');
    expect(dialogue.messages[0]?.envelope.parameters).toEqual({ smtpUtf8: true });
  });

  it('takes a MAIL line longer by 10 octets (RFC 6531 §3.1), which are octets and not characters', () => {
    const dialogue = new Dialogue({ extensions: [eightBitMime, smtpUtf8] }).ready();
    const mail = (octets: number) => `${`MAIL FROM:<${JOSE}> `.padEnd(octets - 10)}SMTPUTF8`;
    const longest = 512 + 17 + 10; // RFC 6152 §2 adds 17
    expect(dialogue.say(mail(longest), 'RSET')[0]).toBe('250 2.1.0 Sender OK');
    expect(dialogue.say(mail(longest + 1))).toEqual(['500 5.5.2 Line too long']);
  });

  it.each(['SMTPUTF8=1', 'SMTPUTF8='])('has no value: %s gets 501', (parameter) => {
    expect(new Dialogue().ready().say(`MAIL FROM:<a@b> ${parameter}`)[0]).toMatch(/^501 5\.5\.4/);
  });
});

describe('a mail transaction without SMTPUTF8 (RFC 6531 §3.5)', () => {
  it('gets 550 for such a sender, and 553 for such a recipient', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.say(`MAIL FROM:<${JOSE}>`)[0]).toMatch(/^550 5\.6\.7 /);
    expect(dialogue.say('MAIL FROM:<a@b>', `RCPT TO:<${JOSE}>`)[1]).toMatch(/^553 5\.6\.7 /);
    expect(dialogue.asked).toEqual(['connect', 'hello', 'mail']);
  });

  it('gets the same for a parameter in UTF-8: its value is an address as well', () => {
    const dialogue = new Dialogue().ready();
    const orcpt = `RCPT TO:<a@b> ORCPT=utf-8;${JOSE}`;
    expect(dialogue.say('MAIL FROM:<a@b>', orcpt, 'RCPT TO:<a@b> ORCPT=utf-8;jos\\x{E9}@b')).toEqual([
      '250 2.1.0 Sender OK',
      expect.stringMatching(/^553 5\.6\.7 /),
      '250 2.1.5 Recipient OK',
    ]);
    expect(dialogue.say('RSET', 'MAIL FROM:<a@b> SMTPUTF8', orcpt).slice(1)).toEqual([
      '250 2.1.0 Sender OK',
      '250 2.1.5 Recipient OK',
    ]);
    const parameter = utf8('é');
    const taking: ServiceExtension = {
      keyword: 'X-WORD',
      mailParameters: [{ keyword: 'WORD', parse: () => ({}), format: () => undefined }],
    };
    const extended = new Dialogue({ extensions: [eightBitMime, smtpUtf8, taking] }).ready();
    expect(extended.say(`MAIL FROM:<a@b> WORD=${parameter}`)[0]).toMatch(/^550 5\.6\.7 /);
    expect(extended.say(`MAIL FROM:<a@b> WORD=${parameter} SMTPUTF8`)[0]).toBe('250 2.1.0 Sender OK');
  });

  it.each([
    ['before EHLO', () => new Dialogue()],
    ['after HELO', () => new Dialogue()],
    ['where it is not offered', () => new Dialogue({ extensions: [] }).ready()],
  ])('gets 553 or 503 %s: no such address is understood', (when, start) => {
    const dialogue = start();
    if (when === 'after HELO') dialogue.say('HELO c');
    expect(dialogue.say(`MAIL FROM:<${JOSE}>`)[0]).toMatch(/^553 5\.6\.7 /);
    expect(dialogue.say(`MAIL FROM:<${JOSE}> SMTPUTF8`)[0]).toMatch(/^5(?:53 5\.6\.7|55 5\.5\.4) /);
    expect(dialogue.asked).not.toContain('mail');
  });

  it('knows nothing of it after TLS, before EHLO', () => {
    const dialogue = new Dialogue({ startTls: 'offered' }).ready();
    dialogue.say('STARTTLS');
    dialogue.handle({
      type: 'tlsEstablished',
      tls: { protocol: 'TLSv1.3', cipher: 'c', channelBindings: {} },
    });
    expect(dialogue.say(`VRFY ${JOSE} SMTPUTF8`)[0]).toMatch(/^500 5\.5\.2/);
  });
});

describe('octets that are not UTF-8', () => {
  it.each(['MAIL FROM:<\xe9@b> SMTPUTF8', 'VRFY \xe9 SMTPUTF8', 'NOOP \xff'])(
    'are in no command: %j',
    (line) => {
      expect(new Dialogue().ready().say(line)[0]).toMatch(/^50[01] 5\.5\.[24] /);
    },
  );
});

describe.each(['VRFY', 'EXPN'] as const)('%s with SMTPUTF8 (RFC 6531 §3.7.4)', (verb) => {
  const kind = verb === 'VRFY' ? 'verify' : 'expand';
  const reply = { code: 250, lines: ['José <josé@exämple.org>'] };
  const application = answering({ [kind]: { decision: 'accept', reply } });

  it('may ask in UTF-8, and be answered so', () => {
    const dialogue = new Dialogue({ application }).ready();
    expect(dialogue.say(`${verb} ${JOSE} SMTPUTF8`)).toEqual([
      `250 2.0.0 ${utf8('José <josé@exämple.org>')}`,
    ]);
    expect(dialogue.questions.at(-1)).toEqual({ kind, argument: 'josé@exämple.org', utf8: true });
  });

  it('is told where it did not ask so that the answer needs UTF-8 (RFC 6531 §3.7.4.2)', () => {
    const dialogue = new Dialogue({ application }).ready();
    expect(dialogue.say(`${verb} jose`)).toEqual([
      verb === 'VRFY'
        ? '252 2.6.8 Cannot verify the user without SMTPUTF8: the reply needs it'
        : '550 5.6.8 Cannot expand the list without SMTPUTF8: the reply needs it',
    ]);
    expect(dialogue.questions.at(-1)).toEqual({ kind, argument: 'jose' });
  });

  it('is told so of any line of the answer, and of none that is ASCII', () => {
    const lines = ['a <a@example.org>', 'é <b@example.org>', 'c <c@example.org>'];
    const answered = (...own: string[]) =>
      new Dialogue({
        application: answering({ [kind]: { decision: 'accept', reply: { code: 250, lines: own } } }),
      })
        .ready()
        .say(`${verb} x`);
    expect(answered(...lines)).toEqual([expect.stringMatching(/^(?:252 2\.6\.8|550 5\.6\.8) /)]);
    expect(answered('a <a@example.org>')).toEqual(['250 2.0.0 a <a@example.org>']);
  });

  it('is refused in ASCII, whatever the words', () => {
    const refusal: Answer = { decision: 'reject', reply: { code: 550, lines: ['Keine Auskünfte'] } };
    const dialogue = new Dialogue({ application: answering({ [kind]: refusal }) }).ready();
    expect(dialogue.say(`${verb} x`)).toEqual(['550 5.0.0 Keine Ausk?nfte']);
  });

  it('has to say so where it asks in UTF-8: 553', () => {
    expect(new Dialogue({ application }).ready().say(`${verb} ${JOSE}`)[0]).toMatch(/^553 5\.6\.7 /);
  });

  it('is a user of that name where SMTPUTF8 was not offered', () => {
    const dialogue = new Dialogue({ application, extensions: [] }).ready();
    dialogue.say(`${verb} x SMTPUTF8`);
    expect(dialogue.questions.at(-1)).toEqual({ kind, argument: 'x SMTPUTF8' });
  });
});
