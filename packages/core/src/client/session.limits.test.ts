import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { Dialogue, mailbox, type Shown, verdictsIn, written } from './dialogue.test-support.js';

const limit = (keyword: string, value: number) => ({
  verdict: 'deferred',
  phase: 'rcpt',
  failure: { kind: 'limit', phase: 'rcpt', keyword, limit: value },
});
const to = (...addresses: string[]) =>
  ({
    type: 'send',
    envelope: { reversePath: null, recipients: addresses.map(mailbox) },
  }) as const;
const rcpts = (outputs: readonly Shown[]) =>
  [...written(outputs).matchAll(/^RCPT TO:<(.*)>\r$/gm)].map(([, address]) => address);

describe('LIMITS (RFC 9422)', () => {
  it('RCPTMAX: recipients beyond it are not sent, and deferred to another mail transaction (§4.2)', () => {
    const client = new Dialogue().ready('PIPELINING', 'LIMITS RCPTMAX=2');
    expect(rcpts(client.send(4))).toEqual(['r0@b.example', 'r1@b.example']);
    client.hear('250 OK', '250 OK', '550 No', '354 Go on');
    client.end();
    expect(verdictsIn(client.hear('250 Taken'))).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'rejected', reply: { code: 550 } },
      limit('RCPTMAX', 2),
      limit('RCPTMAX', 2),
    ]);
    expect(rcpts(client.send(2))).toHaveLength(2);
  });

  it('RCPTDOMAINMAX: nor are those of a domain too many in the session (§4.3)', () => {
    const client = new Dialogue().ready('PIPELINING', 'LIMITS RCPTDOMAINMAX=2');
    const outputs = client.handle(to('1@a.example', '2@b.example', '3@c.example', '4@A.EXAMPLE'));
    expect(rcpts(outputs)).toEqual(['1@a.example', '2@b.example', '4@A.EXAMPLE']);
    const heard = client.hear('250 OK', '250 OK', '250 OK', '450 No', '354 Go on');
    expect(heard.filter((output) => typeof output !== 'string' && output.type === 'recipient')).toMatchObject(
      [{ index: 0 }, { index: 1 }, { index: 3 }],
    );
    client.end();
    expect(verdictsIn(client.hear('250 Taken'))).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'delivered' },
      limit('RCPTDOMAINMAX', 2),
      { verdict: 'deferred', reply: { code: 450 } },
    ]);
    expect(rcpts(client.handle(to('5@c.example', '6@b.example')))).toEqual(['6@b.example']);
  });

  it('settles at once a mail transaction of which no recipient may be sent', () => {
    const client = new Dialogue().ready('PIPELINING', 'LIMITS RCPTDOMAINMAX=1 MAILMAX=2');
    client.handle(to('1@a.example'));
    client.hear('250 OK', '250 OK', '354 Go on');
    client.end();
    client.hear('250 Taken');
    expect(client.handle(to('2@b.example', '3@c.example'))).toEqual([
      { type: 'done', verdicts: [limit('RCPTDOMAINMAX', 1), limit('RCPTDOMAINMAX', 1)] },
    ]);
    expect(client.session.state).toBe('session.ready');
    expect(client.session.transactionsLeft).toBe(1);
  });

  it('keeps the refusal of MAIL from those who were not sent', () => {
    const client = new Dialogue().ready('LIMITS RCPTMAX=1');
    client.send(2);
    expect(verdictsIn(client.hear('550 No'))).toMatchObject([
      { verdict: 'rejected', phase: 'mail' },
      limit('RCPTMAX', 1),
    ]);
  });

  it('MAILMAX: no more mail transactions are begun than the server takes, failed ones included (§4.1)', () => {
    const client = new Dialogue().ready('LIMITS MAILMAX=2');
    for (const left of [2, 1]) {
      expect(client.session.transactionsLeft).toBe(left);
      client.send();
      client.hear('450 No');
    }
    expect(client.session.transactionsLeft).toBe(0);
    expect(() => client.send()).toThrow(LocalProtocolError);
    expect(() => client.send()).toThrow('2 mail transactions that the server takes (MAILMAX)');
    expect(client.handle({ type: 'quit' })).toEqual(['QUIT\r\n']);
  });

  it('are none where the server gives none', () => {
    for (const keywords of [[], ['LIMITS'], ['LIMITS RCPTMAX=0 FOO=1'], ['LIMITS nonsense=']]) {
      const client = new Dialogue().ready('PIPELINING', ...keywords);
      expect(client.session.transactionsLeft).toBe(Number.POSITIVE_INFINITY);
      expect(rcpts(client.send(5))).toHaveLength(5);
    }
  });
});
