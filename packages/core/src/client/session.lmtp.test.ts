import { describe, expect, it } from 'vitest';
import { CHUNKFUL, Dialogue, delivered, failureIn, verdictsIn, written } from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });

describe('LMTP (RFC 2033)', () => {
  it('says LHLO, and knows no HELO (§4.1)', () => {
    const client = new Dialogue({ protocol: 'lmtp' });
    expect(client.hear('220 b').at(-1)).toBe('LHLO c.example\r\n');
    expect(client.hear('250-b', '250 PIPELINING')).toMatchObject([
      { type: 'ready', offer: { verb: 'LHLO', keywords: new Map([['PIPELINING', '']]) } },
    ]);
    const smtpOnly = new Dialogue({ protocol: 'lmtp' });
    smtpOnly.hear('220 b');
    expect(failureIn(smtpOnly.hear('500 What?'))).toMatchObject({ kind: 'refused', phase: 'hello' });
  });

  it('says LHLO again once TLS stands', () => {
    const client = new Dialogue({ protocol: 'lmtp', startTls: 'required' });
    client.offered('STARTTLS');
    client.hear('220 Go');
    const tls = { protocol: 'TLSv1.3', cipher: 'x', channelBindings: {} };
    expect(client.handle({ type: 'tlsEstablished', tls })).toEqual(['LHLO c.example\r\n']);
  });

  it('has a reply for each accepted recipient behind the message, in their order (§4.2)', () => {
    const client = new Dialogue({ protocol: 'lmtp' }).ready('PIPELINING');
    client.send(4);
    client.hear('250 OK', '250 OK', '550 Who?', '250 OK', '250 OK', '354 Go on');
    client.data('Hello\r\n');
    expect(client.end()).toEqual(['.\r\n']);
    expect(client.hear('250 First')).toEqual([]);
    expect(client.session.state).toBe('session.transaction.delivering');
    expect(client.hear('452 Over quota')).toEqual([]);
    expect(client.hear('550 Gone')).toEqual([
      {
        type: 'done',
        verdicts: [
          { verdict: 'delivered', phase: 'message', reply: reply(250, 'First') },
          { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'Who?') },
          { verdict: 'deferred', phase: 'message', reply: reply(452, 'Over quota') },
          { verdict: 'rejected', phase: 'message', reply: reply(550, 'Gone') },
        ],
      },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('takes replies that come in one chunk, and none too many', () => {
    const client = delivered(3);
    expect(verdictsIn(client.hear('250 a', '250 b', '250 c'))).toMatchObject([
      { reply: { lines: ['a'] } },
      { reply: { lines: ['b'] } },
      { reply: { lines: ['c'] } },
    ]);
    expect(failureIn(client.hear('250 d'))).toMatchObject({ kind: 'protocol', phase: 'ready' });
  });

  it('has a deadline for each of the replies', () => {
    const client = delivered(2);
    expect(client.session.nextDeadline()).toBe(600_000);
    client.now = 1000;
    client.hear('250 a');
    expect(client.session.nextDeadline()).toBe(601_000);
    expect(verdictsIn(client.timeout())).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'unknown', failure: { kind: 'timeout', phase: 'message' } },
    ]);
  });

  it('leaves the outcome unknown for those only whose reply did not come (RFC 1047)', () => {
    const client = delivered(3);
    client.hear('450 Not now');
    expect(verdictsIn(client.handle({ type: 'lost' }))).toMatchObject([
      { verdict: 'deferred', reply: { code: 450 } },
      { verdict: 'unknown', failure: { kind: 'lost' } },
      { verdict: 'unknown', failure: { kind: 'lost' } },
    ]);
  });

  it('lets a 421 decide about those whose reply did not come', () => {
    const client = delivered(2);
    client.hear('250 OK');
    expect(verdictsIn(client.hear('421 Bye'))).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'deferred', reply: { code: 421 } },
    ]);
  });

  it('has no lone dot: a server must not want a message for nobody (§4.2)', () => {
    const client = new Dialogue({ protocol: 'lmtp' }).ready('PIPELINING');
    client.send();
    const outputs = client.hear('250 OK', '550 No', '354 Go on');
    expect(failureIn(outputs)).toMatchObject({ kind: 'protocol', phase: 'data' });
    expect(written(outputs)).toBe('');
    const refused = new Dialogue({ protocol: 'lmtp' }).ready('PIPELINING');
    refused.send();
    expect(written(refused.hear('250 OK', '550 No', '503 No valid recipients'))).toBe('RSET\r\n');
  });

  it('has the replies for the recipients behind the last chunk', () => {
    const client = new Dialogue({ protocol: 'lmtp', mailDataBy: 'bdat' }).ready('PIPELINING', 'CHUNKING');
    client.send(2);
    client.hear('250 OK', '250 OK', '250 OK');
    client.data(CHUNKFUL);
    client.end();
    expect(written(client.hear('250 65536 octets'))).toBe('BDAT 3 LAST\r\nx\r\n');
    expect(client.hear('250 a')).toEqual([]);
    expect(verdictsIn(client.hear('550 b'))).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'rejected' },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('is refused as a whole by the refusal of a chunk before the last, which is not sent then', () => {
    const client = new Dialogue({ protocol: 'lmtp', mailDataBy: 'bdat' }).ready('PIPELINING', 'CHUNKING');
    client.send(2);
    client.hear('250 OK', '250 OK', '250 OK');
    client.data(CHUNKFUL);
    client.end();
    expect(written(client.hear('452 Full'))).toBe('RSET\r\n');
    expect(verdictsIn(client.hear('250 OK'))).toMatchObject([
      { verdict: 'deferred', reply: { code: 452 } },
      { verdict: 'deferred', reply: { code: 452 } },
    ]);
    expect(client.session.state).toBe('session.ready');
  });
});
