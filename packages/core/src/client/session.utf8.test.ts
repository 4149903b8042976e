import { describe, expect, it } from 'vitest';
import { smtpUtf8 } from '../extensions/mail-data/smtp-utf8.js';
import { ExtensionNotOfferedError } from '../extensions/not-offered.js';
import { Dialogue, mailbox, written } from './dialogue.test-support.js';
import type { ClientEnvelope } from './envelope/envelope.js';

const ascii = mailbox('s@a.example');
const UTF8 = ['SMTPUTF8', '8BITMIME'];
const octets = (text: string) => Buffer.from(text).toString('latin1');

describe('an address outside ASCII', () => {
  const envelopes: Readonly<Record<string, ClientEnvelope>> = {
    'of the sender': { reversePath: mailbox('é@a.example'), recipients: [ascii] },
    'of a recipient': { reversePath: ascii, recipients: [ascii, mailbox('ü@b.example')] },
    'by its domain': { reversePath: null, recipients: [mailbox('r@bücher.example')] },
  };

  it.each(Object.entries(envelopes))('%s is sent as UTF-8 with SMTPUTF8 (RFC 6531 §3.4)', (_, envelope) => {
    const client = new Dialogue().ready(...UTF8, 'PIPELINING');
    const lines = written(client.handle({ type: 'send', envelope })).split('\r\n');
    expect(lines[0]).toMatch(/^MAIL FROM:<[^>]*> SMTPUTF8$/);
    const { reversePath, recipients } = envelope;
    const spelt = (path: typeof reversePath) => (path ? octets(`<${path.localPart}@${path.domain}>`) : '<>');
    expect(lines[0]).toContain(spelt(reversePath));
    expect(lines.slice(1, -2)).toEqual(recipients.map((path) => `RCPT TO:${spelt(path)}`));
  });

  it.each(Object.entries(envelopes))('%s is not sent where SMTPUTF8 is not offered', (_, envelope) => {
    for (const keywords of [[], ['8BITMIME'], ['SMTPUTF8']]) {
      const client = new Dialogue().ready(...keywords);
      expect(() => client.handle({ type: 'send', envelope })).toThrow(ExtensionNotOfferedError);
      expect(() => client.handle({ type: 'send', envelope })).toThrow('SMTPUTF8');
      expect(client.session.state).toBe('session.ready');
      expect(client.send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
    }
  });

  it('is not sent where the options leave SMTPUTF8 out', () => {
    const client = new Dialogue({ extensions: [] }).ready(...UTF8);
    const [envelope] = Object.values(envelopes);
    expect(() => envelope && client.handle({ type: 'send', envelope })).toThrow(ExtensionNotOfferedError);
    expect(client.session.state).toBe('session.ready');
  });
});

describe('SMTPUTF8', () => {
  it('is sent for ASCII addresses where the headers need it, and never unasked', () => {
    const client = new Dialogue().ready(...UTF8);
    expect(client.send(1, { smtpUtf8: true })).toEqual(['MAIL FROM:<s@a.example> SMTPUTF8\r\n']);
    expect(new Dialogue().ready(...UTF8).send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
    expect(() => new Dialogue().ready().send(1, { smtpUtf8: true })).toThrow(ExtensionNotOfferedError);
  });

  it('lets a sole extension of the options do', () => {
    const { requires: _, ...alone } = smtpUtf8;
    const client = new Dialogue({ extensions: [alone] }).ready('SMTPUTF8');
    expect(client.send(1, { smtpUtf8: true })).toEqual(['MAIL FROM:<s@a.example> SMTPUTF8\r\n']);
  });
});

describe('other parameters', () => {
  it('of MAIL and of each RCPT are sent where their extensions are offered', () => {
    const envelope: ClientEnvelope = {
      reversePath: ascii,
      parameters: { ret: 'HDRS', size: 10 },
      recipients: [{ ...mailbox('r@b.example'), parameters: { notify: 'NEVER' } }, mailbox('t@b.example')],
    };
    const wire = (...keywords: string[]) =>
      written(new Dialogue().ready('PIPELINING', ...keywords).handle({ type: 'send', envelope })).split(
        '\r\n',
      );
    expect(wire('DSN', 'SIZE').slice(0, 3)).toEqual([
      'MAIL FROM:<s@a.example> SIZE=10 RET=HDRS',
      'RCPT TO:<r@b.example> NOTIFY=NEVER',
      'RCPT TO:<t@b.example>',
    ]);
    expect(wire().slice(0, 2)).toEqual(['MAIL FROM:<s@a.example>', 'RCPT TO:<r@b.example>']);
  });

  it('without which the mail would not be what it is keep it from being sent (RFC 8689 §4.2)', () => {
    const client = new Dialogue().ready('DSN');
    expect(() => client.send(1, { requireTls: true })).toThrow(ExtensionNotOfferedError);
    expect(client.session.state).toBe('session.ready');
  });
});
