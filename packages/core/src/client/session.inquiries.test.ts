import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { ExtensionNotOfferedError } from '../extensions/not-offered.js';
import type { ClientInquiry } from './contract/messages.js';
import { Dialogue, failureIn } from './dialogue.test-support.js';

const inquire = (client: Dialogue, command: ClientInquiry) => client.handle({ type: 'inquire', command });

describe('an inquiry', () => {
  it.each<[ClientInquiry, string]>([
    [{ verb: 'VRFY', argument: 'joe' }, 'VRFY joe\r\n'],
    [{ verb: 'EXPN', argument: 'list' }, 'EXPN list\r\n'],
    [{ verb: 'HELP', argument: '' }, 'HELP\r\n'],
    [{ verb: 'HELP' }, 'HELP\r\n'],
    [{ verb: 'NOOP', argument: 'x' }, 'NOOP x\r\n'],
  ])('%j is asked in ready, and answered by any reply (RFC 5321 §3.5, §4.1.1)', (command, line) => {
    for (const code of [250, 252, 450, 502, 550]) {
      const client = new Dialogue().ready();
      expect(inquire(client, command)).toEqual([line]);
      expect(client.session.state).toBe('session.inquiring');
      expect(client.hear(`${code}-a`, `${code} b`)).toEqual([
        { type: 'answered', reply: { code, lines: ['a', 'b'] } },
      ]);
      expect(client.session.state).toBe('session.ready');
      expect(client.send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
    }
  });

  it('is asked in UTF-8 only where SMTPUTF8 is offered (RFC 6531 §3.7.4)', () => {
    const command = { verb: 'VRFY', argument: 'jörg', utf8: true } as const;
    const client = new Dialogue().ready('SMTPUTF8', '8BITMIME');
    expect(inquire(client, command)).toEqual([Buffer.from('VRFY jörg SMTPUTF8\r\n').toString('latin1')]);
    const without = new Dialogue().ready();
    expect(() => inquire(without, command)).toThrow(ExtensionNotOfferedError);
    expect(() => inquire(without, { verb: 'VRFY', argument: 'jörg' })).toThrow(LocalProtocolError);
    expect(without.session.state).toBe('session.ready');
  });

  it('by ETRN is asked only where that is offered (RFC 1985 §5)', () => {
    const command = { verb: 'ETRN', argument: 'a.example' } as const;
    expect(inquire(new Dialogue().ready('ETRN'), command)).toEqual(['ETRN a.example\r\n']);
    expect(() => inquire(new Dialogue().ready(), command)).toThrow(ExtensionNotOfferedError);
  });

  it("by an extension's verb is asked only where the extension is known and offered", () => {
    const extensions = [{ keyword: 'XTIME', verbs: ['XTIME', 'XDATE'] }];
    const command = { verb: 'extension', name: 'xdate', argument: 'utc' } as const;
    expect(inquire(new Dialogue({ extensions }).ready('XTIME'), command)).toEqual(['xdate utc\r\n']);
    const bare = { verb: 'extension', name: 'XTIME' } as const;
    expect(inquire(new Dialogue({ extensions }).ready('XTIME'), bare)).toEqual(['XTIME\r\n']);
    expect(() => inquire(new Dialogue({ extensions }).ready('XDATE'), command)).toThrow('XTIME');
    const unknown = () => inquire(new Dialogue().ready('XTIME'), command);
    expect(unknown).toThrow(LocalProtocolError);
    expect(unknown).toThrow('a verb of none of the option extensions');
  });

  it.each<[unknown, string]>([
    ['XCOLOURS', 'inquire came without a verb'],
    [{}, 'inquire came without a verb'],
    [undefined, 'inquire came without a verb'],
    [{ verb: 'XCOLOURS' }, 'inquire came with the verb "XCOLOURS"'],
    [{ verb: 'vrfy', argument: 'joe' }, 'inquire came with the verb "vrfy"'],
    [{ verb: 'DATA' }, 'inquire came with the verb "DATA"'],
    [{ verb: 'QUIT' }, 'inquire came with the verb "QUIT"'],
    [{ verb: 'RCPT' }, 'inquire came with the verb "RCPT"'],
  ])('asks nothing else: %j is not sent (RFC 5321 §4.1.4)', (command, problem) => {
    const client = new Dialogue().ready();
    const asking = () => inquire(client, command as ClientInquiry);
    expect(asking).toThrow(LocalProtocolError);
    expect(asking).toThrow(problem);
    expect(asking).toThrow("VRFY, EXPN, HELP, NOOP, ETRN, and as 'extension' verbs of the option extensions");
    expect(client.session.state).toBe('session.ready');
    expect(client.session.poll()).toBeUndefined();
  });

  it.each(['VRFY', 'EXPN', 'ETRN'])('by %s without an argument cannot be written', (verb) => {
    const client = new Dialogue().ready('ETRN');
    expect(() => inquire(client, { verb } as ClientInquiry)).toThrow(`${verb} needs an argument`);
    expect(client.session.poll()).toBeUndefined();
  });

  it.each(['a\r\nQUIT', 'é', ' a', 'x'.repeat(512)])('with %j cannot be written', (argument) => {
    const client = new Dialogue().ready();
    expect(() => inquire(client, { verb: 'NOOP', argument })).toThrow(LocalProtocolError);
    expect(() => inquire(client, { verb: 'NOOP', argument })).toThrow(
      'allowed there: an argument of printable ASCII',
    );
    expect(client.session.state).toBe('session.ready');
  });

  it('that is not answered ends the session, as does a 421', () => {
    const asked = () => {
      const client = new Dialogue().ready();
      inquire(client, { verb: 'NOOP', argument: '' });
      return client;
    };
    expect(failureIn(asked().timeout())).toEqual({ kind: 'timeout', phase: 'inquiry' });
    expect(failureIn(asked().hear('421 Bye'))).toMatchObject({ kind: 'refused', phase: 'inquiry' });
    expect(failureIn(asked().hear('354 ?'))).toMatchObject({ kind: 'protocol', phase: 'inquiry' });
    expect(failureIn(asked().hear('250 OK', '250 OK'))).toMatchObject({ kind: 'protocol', phase: 'ready' });
  });
});

describe('what is refused to the application', () => {
  it('is said with what it may do instead', () => {
    const allowed = (act: () => unknown): string => {
      try {
        act();
      } catch (error) {
        return (error as LocalProtocolError).message;
      }
      return '';
    };
    const ready = new Dialogue().ready('LIMITS MAILMAX=1');
    expect(allowed(() => ready.handle({ type: 'endOfMailData' }))).toMatch(/send, inquire, quit/);
    expect(allowed(() => inquire(ready, { verb: 'VRFY', argument: 'a\r\nb' }))).toMatch(
      /inquire came with a command that cannot be written .*an argument of printable ASCII/,
    );
    ready.send();
    ready.hear('550 No');
    expect(allowed(() => ready.send())).toMatch(/MAILMAX.*inquire, quit/);
    const greeting = new Dialogue();
    expect(allowed(() => greeting.send())).toMatch(/only to wait/);
    const securing = new Dialogue({ startTls: 'required' });
    securing.offered('STARTTLS');
    securing.hear('220 Go ahead');
    expect(allowed(() => securing.send())).toMatch(/tlsEstablished, tlsFailed/);
    const sending = new Dialogue().sending();
    expect(allowed(() => sending.send())).toMatch(/mailData, endOfMailData/);
  });
});
