import { describe, expect, it } from 'vitest';
import { Dialogue, failureIn, withPassword, written } from './dialogue.test-support.js';

const xclient = { name: 'x.example', address: '2001:db8::1', login: 'a b' } as const;
const xforward = { name: 'x.example', identifier: 'Q1', source: 'REMOTE' } as const;
const EHLO = 'EHLO c.example\r\n';
const QUIT = 'QUIT\r\n';
const ready = { type: 'ready' };

describe('XCLIENT', () => {
  it('is sent behind EHLO with the attributes that the server takes, and EHLO again behind its 220', () => {
    const client = new Dialogue({ xclient });
    expect(client.offered('XCLIENT NAME ADDR LOGIN')).toEqual([
      'XCLIENT NAME=x.example ADDR=IPV6:2001:db8::1 LOGIN=a+20b\r\n',
    ]);
    expect(client.hear('220 b.example again')).toEqual([EHLO]);
    expect(client.session.offer).toBeUndefined();
    expect(client.offer('XCLIENT NAME ADDR LOGIN', 'SIZE')).toMatchObject([ready]);
    expect(written(new Dialogue({ xclient }).offered('XCLIENT NAME PORT'))).toBe(
      'XCLIENT NAME=x.example\r\n',
    );
  });

  it('is sent before AUTH: with it, a server forgets who was authenticated', () => {
    const client = new Dialogue({ xclient, ...withPassword() });
    expect(written(client.offered('AUTH PLAIN', 'XCLIENT NAME'))).toBe('XCLIENT NAME=x.example\r\n');
    client.hear('220 again');
    expect(written(client.offer('AUTH PLAIN', 'XCLIENT NAME'))).toMatch(/^AUTH PLAIN/);
    expect(client.hear('235 OK')).toMatchObject([{ ...ready, offer: { authenticatedBy: 'PLAIN' } }]);
  });

  it('that is not offered, or takes nothing of what is to be said, ends the session', () => {
    const failure = { kind: 'notOffered', phase: 'xclient', keyword: 'XCLIENT' };
    for (const keywords of [[], ['XCLIENT PORT'], ['XFORWARD NAME']]) {
      const outputs = new Dialogue({ xclient }).offered(...keywords);
      expect(outputs).toEqual([{ type: 'failed', failure }, QUIT]);
    }
  });

  it('that is refused ends the session: the other is not to be served', () => {
    const client = new Dialogue({ xclient });
    client.offered('XCLIENT NAME');
    const outputs = client.hear('550 Banned');
    expect(failureIn(outputs)).toMatchObject({ kind: 'refused', phase: 'xclient', reply: { code: 550 } });
    expect(written(outputs)).toBe(QUIT);
  });

  it('with nothing to say is not sent; what cannot be said is told at once', () => {
    expect(new Dialogue({ xclient: {}, xforward: {} }).offered('XCLIENT NAME')).toMatchObject([ready]);
    expect(() => new Dialogue({ xclient: { name: 'a b' } })).toThrow(RangeError);
    expect(() => new Dialogue({ xforward: { identifier: 'x'.repeat(256) } })).toThrow(RangeError);
    const long = 'x'.repeat(250);
    expect(() => new Dialogue({ xclient: { name: long, login: long, helo: long } })).toThrow('512');
  });
});

describe('XFORWARD', () => {
  it('is sent last, and the session is open whatever the reply', () => {
    for (const code of [250, 450, 550]) {
      const client = new Dialogue({ xforward });
      expect(client.offered('XFORWARD NAME IDENT SOURCE')).toEqual([
        'XFORWARD NAME=x.example IDENT=Q1 SOURCE=REMOTE\r\n',
      ]);
      expect(client.hear(`${code} x`)).toMatchObject([ready]);
    }
  });

  it('is left out where it is not offered', () => {
    expect(new Dialogue({ xforward }).offered('XCLIENT NAME')).toMatchObject([ready]);
  });

  it('is sent behind XCLIENT and its EHLO', () => {
    const client = new Dialogue({ xclient, xforward });
    expect(written(client.offered('XCLIENT NAME', 'XFORWARD NAME'))).toMatch(/^XCLIENT/);
    client.hear('220 b');
    expect(written(client.offer('XCLIENT NAME', 'XFORWARD NAME'))).toMatch(/^XFORWARD/);
    expect(client.hear('250 OK')).toMatchObject([ready]);
  });
});
