import { describe, expect, it } from 'vitest';
import { Dialogue, failureIn, octetsOf, type Shown } from './dialogue.test-support.js';
import { ClientSession } from './session.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const closed = { type: 'closed' };
const close = { type: 'close' };

describe('the greeting', () => {
  it('is awaited before anything is written (RFC 5321 §3.1)', () => {
    const client = new Dialogue();
    expect(client.session.poll()).toBeUndefined();
    expect(client.hear('220-b.example', '220 ESMTP')).toEqual([
      { type: 'greeting', reply: reply(220, 'b.example', 'ESMTP') },
      'EHLO c.example\r\n',
    ]);
    expect(client.session.state).toBe('session.identifying');
  });

  it.each([554, 450, 599])('that refuses with %i is answered by QUIT (RFC 5321 §3.1)', (code) => {
    const client = new Dialogue();
    expect(client.hear(`${code} No service`)).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'greeting', reply: reply(code, 'No service') } },
      'QUIT\r\n',
    ]);
    expect(client.hear('221 Bye')).toEqual([close]);
    expect(client.handle({ type: 'eof' })).toEqual([closed]);
  });

  it('of 421 ends the session without QUIT (RFC 5321 §3.8)', () => {
    expect(new Dialogue().hear('421 Busy')).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'greeting', reply: reply(421, 'Busy') } },
      close,
    ]);
  });

  it('is not waited for behind a refusal: whatever comes for QUIT, the session ends, and fails once', () => {
    const endings: ((client: Dialogue) => Shown[])[] = [
      (client) => client.hear('garbage'),
      (client) => client.timeout(),
      (client) => client.handle({ type: 'eof' }),
      (client) => client.handle({ type: 'lost' }),
    ];
    for (const end of endings) {
      const client = new Dialogue();
      client.hear('554 No');
      expect(end(client)).toEqual([closed]);
    }
  });
});

describe('EHLO and HELO', () => {
  it('makes known what the server offers (RFC 5321 §4.1.1.1)', () => {
    const client = new Dialogue();
    client.hear('220 b.example');
    const offer = {
      verb: 'EHLO',
      name: 'b.example',
      keywords: new Map([
        ['SIZE', '1000'],
        ['PIPELINING', ''],
      ]),
    };
    expect(client.session.offer).toBeUndefined();
    expect(client.hear('250-b.example hello', '250-size 1000', '250 PIPELINING')).toEqual([
      { type: 'ready', offer },
    ]);
    expect(client.session.offer).toEqual(offer);
    expect(client.session.state).toBe('session.ready');
  });

  it.each([500, 501, 502, 504])('tries HELO after %i to EHLO (RFC 5321 §3.2)', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    expect(client.hear(`${code} What?`)).toEqual(['HELO c.example\r\n']);
    expect(client.hear('250-b.example hello', '250 PIPELINING')).toEqual([
      { type: 'ready', offer: { verb: 'HELO', name: 'b.example', keywords: new Map() } },
    ]);
  });

  it.each([503, 550, 554, 450])('takes %i to EHLO for a refusal of us, and sends QUIT', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    expect(client.hear(`${code} No`)).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'hello', reply: reply(code, 'No') } },
      'QUIT\r\n',
    ]);
  });

  it.each([500, 550, 450])('takes %i to HELO for a refusal', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    client.hear('502 No EHLO');
    expect(failureIn(client.hear(`${code} No`))).toMatchObject({ kind: 'refused', phase: 'hello' });
    expect(client.session.state).toBe('refused');
  });

  it('gives an address literal for a host without a name (RFC 5321 §4.1.4)', () => {
    const session = new ClientSession({ now: 0 });
    session.handle({ type: 'bytes', bytes: octetsOf('220 b\r\n'), now: 0 });
    session.poll();
    expect(session.poll()).toEqual({ type: 'write', bytes: octetsOf('EHLO [127.0.0.1]\r\n') });
  });
});
