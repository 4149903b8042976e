import { describe, expect, it } from 'vitest';
import { Dialogue, failureIn, verdictsIn, written } from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const MAIL = 'MAIL FROM:<s@a.example>\r\n';
const rcpt = (index: number) => `RCPT TO:<r${index}@b.example>\r\n`;
const DATA = 'DATA\r\n';

describe('a mail transaction with PIPELINING (RFC 2920)', () => {
  const whole = MAIL + rcpt(0) + rcpt(1) + DATA;

  it('leaves in one write, and its replies are matched in order', () => {
    const client = new Dialogue().ready('PIPELINING');
    expect(client.send(2)).toEqual([whole]);
    expect(client.session.state).toBe('session.transaction.mailing');
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.session.state).toBe('session.transaction.addressing');
    expect(client.hear('550 No', '250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(550, 'No') },
      { type: 'recipient', index: 1, reply: reply(250, 'OK') },
    ]);
    expect(client.session.state).toBe('session.transaction.initiating');
    expect(client.hear('354 Go on')).toEqual([{ type: 'mailDataWanted' }]);
    client.end();
    expect(verdictsIn(client.hear('250 OK'))).toMatchObject([
      { verdict: 'rejected' },
      { verdict: 'delivered' },
    ]);
  });

  it('is not sent so after HELO, whatever the reply to HELO lists', () => {
    const client = new Dialogue();
    client.hear('220 b.example');
    client.hear('500 What?');
    client.hear('250-b.example', '250 PIPELINING');
    expect(client.send()).toEqual([MAIL]);
  });

  it('answers a 354 without an accepted recipient by the lone dot (RFC 2920 §3.1)', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(2);
    client.hear('250 OK', '550 No', '450 No');
    expect(client.hear('354 Go on')).toEqual(['.\r\n']);
    expect(client.session.state).toBe('session.transaction.terminating');
    expect(verdictsIn(client.hear('250 Taken for nobody'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(450, 'No') },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('keeps the refusals when the reply to the lone dot does not come', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    client.hear('250 OK', '550 No', '354 Go on');
    const outputs = client.handle({ type: 'lost' });
    expect(verdictsIn(outputs)).toEqual([{ verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') }]);
    expect(failureIn(outputs)).toEqual({ kind: 'lost', phase: 'message' });
  });

  it('whose recipients and DATA are all refused is dropped by RSET', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    expect(written(client.hear('250 OK', '550 No', '554 No valid recipients'))).toBe('RSET\r\n');
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
    ]);
  });

  it('whose MAIL is refused still takes the replies to what was written ahead, and lets MAIL decide', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(2);
    expect(client.hear('451 Not now', '503 MAIL first', '250 Whatever')).toEqual([
      { type: 'recipient', index: 0, reply: reply(503, 'MAIL first') },
      { type: 'recipient', index: 1, reply: reply(250, 'Whatever') },
    ]);
    const each = { verdict: 'deferred', phase: 'mail', reply: reply(451, 'Not now') };
    expect(client.hear('503 MAIL first')).toEqual([{ type: 'done', verdicts: [each, each] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('whose MAIL is refused and DATA accepted gets the lone dot, even after an accepted RCPT', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    expect(written(client.hear('550 No', '250 OK', '354 Go on'))).toBe('.\r\n');
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'mail', reply: reply(550, 'No') },
    ]);
  });

  it('keeps within maximumOctetsInFlight; the rest follows once half was answered', () => {
    const limit = MAIL.length + rcpt(0).length * 2;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send(5)).toEqual([MAIL + rcpt(0) + rcpt(1)]);
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.hear('250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(250, 'OK') },
      rcpt(2) + rcpt(3),
    ]);
    expect(written(client.hear('250 OK', '250 OK'))).toBe(rcpt(4) + DATA);
    expect(client.hear('250 OK', '250 OK', '354 Go on').at(-1)).toEqual({ type: 'mailDataWanted' });
  });

  it('sends one octet less, one command less', () => {
    const limit = MAIL.length + rcpt(0).length + DATA.length;
    const whole = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(whole.send()).toEqual([MAIL + rcpt(0) + DATA]);
    const short = new Dialogue({ maximumOctetsInFlight: limit - 1 }).ready('PIPELINING');
    expect(short.send()).toEqual([MAIL + rcpt(0)]);
  });

  it('sends no DATA that is not on its way yet when the last recipient was refused', () => {
    const limit = MAIL.length + rcpt(0).length;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send()).toEqual([MAIL + rcpt(0)]);
    expect(written(client.hear('250 OK', '550 No'))).toBe(DATA); // written before that refusal
    expect(client.session.state).toBe('session.transaction.initiating');

    const tight = new Dialogue({ maximumOctetsInFlight: 1 }).ready('PIPELINING');
    expect(tight.send()).toEqual([MAIL]);
    expect(written(tight.hear('250 OK'))).toBe(rcpt(0));
    expect(written(tight.hear('550 No'))).toBe('RSET\r\n');
  });

  it('sends no more RCPTs once MAIL was refused', () => {
    const limit = MAIL.length + rcpt(0).length;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send(3)).toEqual([MAIL + rcpt(0)]);
    expect(written(client.hear('550 No'))).toBe('');
    const outputs = client.hear('503 MAIL first');
    expect(written(outputs)).toBe('');
    expect(verdictsIn(outputs)).toHaveLength(3);
    expect(client.session.state).toBe('session.ready');
  });

  it('sends no DATA once MAIL was refused, not even after an accepted RCPT', () => {
    const client = new Dialogue({ maximumOctetsInFlight: MAIL.length + rcpt(0).length }).ready('PIPELINING');
    expect(client.send()).toEqual([MAIL + rcpt(0)]);
    const outputs = client.hear('550 No', '250 Whatever');
    expect(written(outputs)).toBe('');
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'rejected', phase: 'mail' }]);
    expect(client.session.state).toBe('session.ready');
  });
});
