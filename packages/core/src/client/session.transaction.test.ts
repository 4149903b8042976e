import { describe, expect, it } from 'vitest';
import { Dialogue, mailbox, verdictsIn } from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const MAIL = 'MAIL FROM:<s@a.example>\r\n';
const rcpt = (index: number) => `RCPT TO:<r${index}@b.example>\r\n`;
const DATA = 'DATA\r\n';
const closed = { type: 'closed' };
const close = { type: 'close' };

describe('a mail transaction without PIPELINING', () => {
  it('sends one command at a time (RFC 5321 §3.3)', () => {
    const client = new Dialogue().ready();
    expect(client.send(2)).toEqual([MAIL]);
    expect(client.hear('250 OK')).toEqual([rcpt(0)]);
    expect(client.hear('250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(250, 'OK') },
      rcpt(1),
    ]);
    expect(client.hear('250 OK')).toEqual([{ type: 'recipient', index: 1, reply: reply(250, 'OK') }, DATA]);
    expect(client.session.wantsMailData).toBe(false);
    expect(client.hear('354 Go on')).toEqual([{ type: 'mailDataWanted' }]);
    expect(client.session.wantsMailData).toBe(true);
    expect(client.data('Hello\r\n')).toEqual(['Hello\r\n']);
    expect(client.end()).toEqual(['.\r\n']);
    const delivered = { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') };
    expect(client.hear('250 Taken')).toEqual([{ type: 'done', verdicts: [delivered, delivered] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('may be followed by another, and by QUIT', () => {
    const client = new Dialogue().sending();
    client.end();
    client.hear('250 OK');
    expect(client.send()).toEqual([MAIL]);
    client.hear('550 No');
    expect(client.handle({ type: 'quit' })).toEqual(['QUIT\r\n']);
    expect(client.hear('221 Bye')).toEqual([close]);
    expect(client.handle({ type: 'eof' })).toEqual([closed]);
    expect(client.session.nextDeadline()).toBeUndefined();
  });

  it('takes a null reverse-path, and the parameters that the server offers (RFC 5321 §4.5.5)', () => {
    const envelope = {
      reversePath: null,
      parameters: { size: 10, body: '8BITMIME' },
      recipients: [mailbox('Postmaster@')],
    } as const;
    expect(new Dialogue().ready('SIZE').handle({ type: 'send', envelope })).toEqual([
      'MAIL FROM:<> SIZE=10\r\n',
    ]);
    expect(new Dialogue().ready('8BITMIME', 'SIZE 20').handle({ type: 'send', envelope })).toEqual([
      'MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n',
    ]);
    expect(new Dialogue().ready().handle({ type: 'send', envelope })).toEqual(['MAIL FROM:<>\r\n']);
  });

  it('gives each recipient its own verdict', () => {
    const client = new Dialogue().ready();
    client.send(5);
    client.hear('250 OK');
    for (const code of [550, 251, 452, 552, 252]) client.hear(`${code} RCPT`);
    client.hear('354 Go on');
    client.end();
    expect(verdictsIn(client.hear('250 Taken'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'RCPT') },
      { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(452, 'RCPT') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(552, 'RCPT') },
      { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') },
    ]);
  });

  it('that no recipient is left to sends RSET instead of DATA, and is done once that is answered', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.hear('250 OK');
    client.hear('550 No');
    expect(client.hear('450 No')).toEqual([
      { type: 'recipient', index: 1, reply: reply(450, 'No') },
      'RSET\r\n',
    ]);
    expect(client.session.state).toBe('session.resetting');
    expect(client.hear('250 OK')).toEqual([
      {
        type: 'done',
        verdicts: [
          { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
          { verdict: 'deferred', phase: 'rcpt', reply: reply(450, 'No') },
        ],
      },
    ]);
    expect(client.send()).toEqual([MAIL]);
  });

  it.each([
    [450, 'deferred'],
    [552, 'rejected'],
  ])('whose MAIL is refused by %i is %s for all, and needs no RSET', (code, verdict) => {
    const client = new Dialogue().ready();
    client.send(2);
    const each = { verdict, phase: 'mail', reply: reply(code, 'No') };
    expect(client.hear(`${code} No`)).toEqual([{ type: 'done', verdicts: [each, each] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('whose DATA is refused is dropped by RSET; refused recipients keep their reply', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.hear('250 OK');
    client.hear('550 No');
    client.hear('250 OK');
    expect(client.hear('451 Not now')).toEqual(['RSET\r\n']);
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
      { verdict: 'deferred', phase: 'data', reply: reply(451, 'Not now') },
    ]);
  });

  it.each([
    [452, 'deferred'],
    [552, 'rejected'],
    [599, 'rejected'],
  ])('whose final dot is answered by %i is %s, and over without RSET', (code, verdict) => {
    const client = new Dialogue().sending();
    client.end();
    expect(client.hear(`${code} No`)).toEqual([
      { type: 'done', verdicts: [{ verdict, phase: 'message', reply: reply(code, 'No') }] },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it.each([450, 550])(
    'whose RSET is refused by %i ends the session: the next envelope would mix with it',
    (code) => {
      const client = new Dialogue().ready();
      client.send();
      client.hear('250 OK');
      client.hear('550 Unknown');
      expect(client.hear(`${code} No RSET`)).toEqual([
        { type: 'done', verdicts: [{ verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'Unknown') }] },
        { type: 'failed', failure: { kind: 'refused', phase: 'reset', reply: reply(code, 'No RSET') } },
        'QUIT\r\n',
      ]);
    },
  );

  it('reads codes that nobody defined by their first digit (RFC 5321 §4.2)', () => {
    const client = new Dialogue();
    client.hear('299 b.example');
    client.hear('288 b.example');
    client.send();
    client.hear('277 OK');
    client.hear('266 OK');
    client.hear('399 Go on');
    client.end();
    expect(verdictsIn(client.hear('255 Taken'))).toMatchObject([{ verdict: 'delivered' }]);
  });
});
