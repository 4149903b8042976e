import { describe, expect, it } from 'vitest';
import type { ServerSessionOptions } from './contract/options.js';
import { Dialogue } from './dialogue.test-support.js';

const TOO_LONG = '500 5.5.2 Line too long';
const BARE = expect.stringMatching(/^500 5\.5\.2 (This line ends in LF alone.* nc -C|A CR without LF|A NUL)/);
const OK = '250 2.0.0 OK';

/** A NOOP command line of so many octets, CRLF included. */
const noop = (octets: number) => `${'NOOP '.padEnd(octets - 2, 'x')}\r\n`;
/** A RCPT command line of so many octets, CRLF included. */
const rcpt = (octets: number) => `${'RCPT TO:<b@s.example> '.padEnd(octets - 14)}NOTIFY=NEVER\r\n`;
/** By how much the extensions that are offered by default lengthen a MAIL line: SIZE (RFC 1870 §3), 8BITMIME
 * (RFC 6152 §2), BINARYMIME (RFC 3030 §3), SMTPUTF8 (RFC 6531 §3.1), DSN's RET and ENVID, AUTH (RFC 4954 §3). */
const MORE_OF_MAIL = 26 + 17 + 16 + 10 + (16 + 100) + 500;
/** DSN's NOTIFY and ORCPT (RFC 3461 §4.1, §4.2). */
const MORE_OF_RCPT = ' NOTIFY=SUCCESS,FAILURE,DELAY ORCPT='.length + 500;
/** A MAIL command line of so many octets, CRLF included. */
const mail = (octets: number) => `${'MAIL FROM:<a@c.example> '.padEnd(octets - 8)}SIZE=1\r\n`;

describe('the length of a command line', () => {
  it('is 512 octets at most, CRLF included (RFC 5321 §4.5.3.1.4)', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.octets(noop(512))).toEqual([OK]);
    expect(dialogue.octets(noop(513))).toEqual([TOO_LONG]);
    expect(dialogue.octets(noop(5000))).toEqual([TOO_LONG]);
    expect(dialogue.octets(noop(512))).toEqual([OK]);
  });

  it('may be greater for MAIL by what the offered extensions add (RFC 5321 §4.5.3.1.4)', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.octets(mail(512 + MORE_OF_MAIL))).toEqual(['250 2.1.0 Sender OK']);
    dialogue.say('RSET');
    expect(dialogue.octets(mail(512 + MORE_OF_MAIL + 1))).toEqual([TOO_LONG]);
    expect(dialogue.octets(mail(512 + MORE_OF_MAIL))).toEqual(['250 2.1.0 Sender OK']);
  });

  it('may be greater for RCPT, too, and for no other command', () => {
    const dialogue = new Dialogue().opened();
    expect(dialogue.octets(rcpt(512 + MORE_OF_RCPT))).toEqual(['250 2.1.5 Recipient OK']);
    expect(dialogue.octets(rcpt(512 + MORE_OF_RCPT + 1))).toEqual([TOO_LONG]);
    expect(dialogue.octets(`VRFY ${'x'.repeat(506)}\r\n`)).toEqual([TOO_LONG]);
  });

  it('is no greater for RCPT when no extension was offered', () => {
    const dialogue = new Dialogue();
    dialogue.say('HELO c.example', 'MAIL FROM:<a@c.example>');
    expect(dialogue.octets(rcpt(513))).toEqual([TOO_LONG]);
    expect(dialogue.octets(rcpt(512).replace('NOTIFY=NEVER', ' '.repeat(12)))).toEqual([
      '250 2.1.5 Recipient OK',
    ]);
  });

  it('is no greater for MAIL when no extension was offered', () => {
    const dialogue = new Dialogue();
    dialogue.say('HELO c.example');
    expect(dialogue.octets(mail(513))).toEqual([TOO_LONG]);
    expect(dialogue.octets(mail(513).replace('SIZE=1', '      '))).toEqual([TOO_LONG]);
    expect(dialogue.octets(mail(512).replace('SIZE=1', '      '))).toEqual(['250 2.1.0 Sender OK']);
  });

  it('is an option', () => {
    const dialogue = new Dialogue({ maximumCommandLength: 1000 }).ready();
    expect(dialogue.octets(noop(1000))).toEqual([OK]);
    expect(dialogue.octets(noop(1001))).toEqual([TOO_LONG]);
    expect(dialogue.octets(mail(1000 + MORE_OF_MAIL))).toEqual(['250 2.1.0 Sender OK']);
  });

  it('is refused as soon as it is known, and the rest of the line is dropped unread', () => {
    const dialogue = new Dialogue().ready();
    // No command may be longer than MAIL.
    expect(dialogue.octets('x'.repeat(512 + MORE_OF_MAIL - 1))).toEqual([]);
    expect(dialogue.octets('x')).toEqual([TOO_LONG]);
    expect(dialogue.octets('x'.repeat(100_000))).toEqual([]);
    expect(dialogue.octets('\r\nNOOP\r\n')).toEqual([OK]);
  });

  it('is 12288 octets where AUTH is, whose lines may be as long (RFC 4954 §4)', () => {
    const dialogue = new Dialogue({ authentication: {} }).ready();
    expect(dialogue.octets(noop(512))).toEqual([OK]);
    expect(dialogue.octets(noop(513))).toEqual([TOO_LONG]);
    expect(dialogue.octets('x'.repeat(12_287))).toEqual([]);
    expect(dialogue.octets('x')).toEqual([TOO_LONG]);
    expect(dialogue.octets('\r\nNOOP\r\n')).toEqual([OK]);
  });
});

describe('a bare CR, bare LF or NUL in a command line (RFC 5321 §2.3.8)', () => {
  const bare = [
    ['a bare LF', '\n'],
    ['a bare CR', '\r'],
    ['a NUL', '\0'],
    ['LF CR', '\n\r'],
    ['two LFs', '\n\n'],
  ] as const;

  it.each(bare)('is refused at once: %s', (_, octets) => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.octets(`NOOP${octets}x`)).toEqual([BARE]);
  });

  it.each(bare)('executes nothing up to the true end of the line: %s', (_, octets) => {
    const dialogue = new Dialogue().addressed();
    const asked = dialogue.asked.length;
    expect(dialogue.octets(`NOOP${octets}RSET${octets}QUIT${octets}VRFY evil\r\nNOOP\r\n`)).toEqual([
      BARE,
      OK,
    ]);
    expect(dialogue.asked).toHaveLength(asked);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
  });

  it('is one error, however many of them a line holds', () => {
    expect(new Dialogue().octets('\n\n\n\n\0\r\r\nNOOP\r\n')).toEqual([BARE, OK]);
  });

  it('takes no line for ended in `keep` either, and no command has such an argument', () => {
    const options: ServerSessionOptions = { bareNewline: 'keep' };
    for (const [, octets] of bare) {
      const dialogue = new Dialogue(options).addressed();
      const asked = dialogue.asked.length;
      expect(dialogue.octets(`NOOP${octets}RSET`)).toEqual([]);
      const replies = dialogue.octets(`${octets}VRFY evil\r\nNOOP\r\n`);
      expect(replies).toEqual(['501 5.5.2 Control characters are not allowed in a command', OK]);
      expect(dialogue.asked).toHaveLength(asked);
      expect(dialogue.session.state).toBe('session.transaction.addressed');
    }
  });
});
