import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { MailDataError } from '../wire/mail-data/mail-data-encoder.js';
import { Dialogue, failureIn, octetsOf, verdictsIn, written } from './dialogue.test-support.js';

const closed = { type: 'closed' };

describe('the message', () => {
  it('is sent with transparency applied (RFC 5321 §4.5.2), lone line feeds as CRLF', () => {
    const client = new Dialogue().sending();
    expect(client.data('.a\n..b\r')).toEqual(['..a\r\n...b\r']);
    expect(client.data('\n')).toEqual(['\n']);
    expect(client.data('c')).toEqual(['c']);
    expect(client.end()).toEqual(['\r\n.\r\n']);
  });

  it('passes without being copied where nothing is to be added', () => {
    const client = new Dialogue().sending();
    const bytes = octetsOf('Hello\r\n');
    client.session.handle({ type: 'mailData', bytes, now: 0 });
    const output = client.session.poll();
    expect(output?.type === 'write' && output.bytes).toBe(bytes);
  });

  it('writes nothing for an empty piece', () => {
    expect(new Dialogue().sending().data('')).toEqual([]);
  });

  it.each(['a\0', 'a\rb', '\r\r'])('that holds %j cannot be ended any more', (text) => {
    const client = new Dialogue().sending();
    client.data('Hello\r\n');
    expect(() => client.data(text)).toThrow(MailDataError);
    expect(client.session.state).toBe('session.transaction.abandoned');
    expect(client.session.poll()).toBeUndefined();
    expect(() => client.data('more')).toThrow(LocalProtocolError);
    expect(() => client.end()).toThrow('allowed there: lost, once the connection is closed');
    expect(client.handle({ type: 'lost' })).toEqual([
      {
        type: 'done',
        verdicts: [{ verdict: 'deferred', phase: 'message', failure: { kind: 'lost', phase: 'message' } }],
      },
      { type: 'failed', failure: { kind: 'lost', phase: 'message' } },
      closed,
    ]);
  });

  it('that ends in CR cannot be ended', () => {
    const client = new Dialogue().sending();
    client.data('Hello\r');
    expect(() => client.end()).toThrow(MailDataError);
    expect(client.session.state).toBe('session.transaction.abandoned');
  });

  it('may have its lone line feeds refused', () => {
    const client = new Dialogue({ newlines: 'reject' }).sending();
    expect(() => client.data('a\n')).toThrow(MailDataError);
  });

  it('begins anew with each mail transaction', () => {
    const client = new Dialogue().sending();
    client.data('no line end');
    client.end();
    client.hear('250 OK');
    client.send();
    client.hear('250 OK');
    client.hear('250 OK');
    client.hear('354 Go on');
    expect(client.end()).toEqual(['.\r\n']);
  });
});

describe('a refusal of the message before its end', () => {
  it.each([
    ['450', 'deferred'],
    ['552', 'rejected'],
  ])('by %s is the verdict for those whose RCPT was accepted: %s (RFC 5321 §4.2.1)', (code, verdict) => {
    const client = new Dialogue().ready();
    client.send(2);
    for (const line of ['250 OK', '250 OK', '551 No', '354 Go on']) client.hear(line);
    client.data('Hello\r\n');
    const outputs = client.hear(`${code} Stop`);
    const reply = { code: Number(code), lines: ['Stop'] };
    expect(verdictsIn(outputs)).toEqual([
      { verdict, phase: 'message', reply },
      { verdict: 'rejected', phase: 'rcpt', reply: { code: 551, lines: ['No'] } },
    ]);
    expect(failureIn(outputs)).toEqual({ kind: 'refused', phase: 'message', reply });
  });

  it('closes the connection without a final dot, which a server could take for its end (RFC 5321 §4.1.1.10)', () => {
    const client = new Dialogue().sending();
    client.data('Hello\r\n');
    const outputs = client.hear('552 Too large');
    expect(written(outputs)).toBe('');
    expect(outputs.at(-1)).toEqual({ type: 'close' });
    expect(client.session.wantsMailData).toBe(false);
    expect(() => client.end()).toThrow(LocalProtocolError);
    expect(client.handle({ type: 'eof' })).toEqual([closed]);
  });

  it('counts as well when the message had been given up', () => {
    const client = new Dialogue().sending();
    expect(() => client.data('\0')).toThrow(MailDataError);
    expect(verdictsIn(client.hear('550 Stop'))).toMatchObject([{ verdict: 'rejected', phase: 'message' }]);
  });
});
