import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dialogue } from './dialogue.js';

type Piece = readonly ['sent' | 'received', string];

function show(...pieces: Piece[]): string[] {
  const lines: string[] = [];
  const dialogue = new Dialogue((speaker, line) => lines.push(`${speaker}: ${line}`));
  for (const [direction, text] of pieces) dialogue[direction](Buffer.from(text, 'latin1'));
  dialogue.endMessage();
  return lines;
}

const session: Piece[] = [
  ['received', '220 mx.example ESMTP\r\n'],
  ['sent', 'EHLO client.example\r\n'],
  ['received', '250-mx.example\r\n250 PIPELINING\r\n'],
  ['sent', 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n'],
  ['received', '250 OK\r\n250 OK\r\n354 Go on\r\n'],
  ['sent', 'Subject: secret\r\n\r\nMAIL FROM:<x@y>\r\n'],
  ['sent', '.\r\n'],
  ['received', '250 Kept\r\n'],
  ['sent', 'QUIT\r\n'],
];

describe('the dialogue', () => {
  it('is shown line by line, but of the message only its length', () => {
    expect(show(...session)).toEqual([
      'S: 220 mx.example ESMTP',
      'C: EHLO client.example',
      'S: 250-mx.example',
      'S: 250 PIPELINING',
      'C: MAIL FROM:<a@b>',
      'C: RCPT TO:<c@d>',
      'C: DATA',
      'S: 250 OK',
      'S: 250 OK',
      'S: 354 Go on',
      'C: (39 octets of mail data on the wire)',
      'S: 250 Kept',
      'C: QUIT',
    ]);
  });

  it('shows UTF-8 as it is, also cut amid a character (RFC 6531)', () => {
    const octets = Buffer.from('RCPT TO:<jürgen@bücher.example>\r\n').toString('latin1');
    const middle = octets.indexOf('\xc3') + 1;
    expect(show(['sent', octets.slice(0, middle)], ['sent', octets.slice(middle)])).toEqual([
      'C: RCPT TO:<jürgen@bücher.example>',
    ]);
  });

  it('is the same however it is cut', () => {
    const whole = show(...session);
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (lengths) => {
        const pieces = session.flatMap(([direction, text]) => {
          const cut: Piece[] = [];
          for (let at = 0; at < text.length; ) {
            const length: number = lengths.next().value ?? 1;
            cut.push([direction, text.slice(at, at + length)]);
            at += length;
          }
          return cut;
        });
        expect(show(...pieces)).toEqual(whole);
      }),
    );
  });

  it('tells of a message that got no reply', () => {
    expect(show(['received', '354 Go on\r\n'], ['sent', 'secret']).at(-1)).toBe(
      'C: (6 octets of mail data on the wire)',
    );
  });

  it('shows nothing of a message while a reply to it has not come to its last line (RFC 5321 §4.2.1)', () => {
    const lines = show(
      ['received', '354 Go on\r\n'],
      ['sent', 'secret\r\n'],
      ['received', '552-5.3.4 Too\r\n'],
      ['sent', 'more secrets\r\n'],
      ['received', '552 5.3.4 big\r\n'],
      ['sent', 'QUIT\r\n'],
    );
    expect(lines).toEqual([
      'S: 354 Go on',
      'C: (8 octets of mail data on the wire)',
      'S: 552-5.3.4 Too',
      'C: (14 octets of mail data on the wire)',
      'S: 552 5.3.4 big',
      'C: QUIT',
    ]);
  });

  it('shows a reply of many lines behind the whole message', () => {
    const reply = '250-Kept\r\n250 as 1\r\n';
    expect(show(['received', '354\r\n'], ['sent', 'a\r\n.\r\n'], ['received', reply])).toEqual([
      'S: 354',
      'C: (6 octets of mail data on the wire)',
      'S: 250-Kept',
      'S: 250 as 1',
    ]);
  });

  it('shows DATA that was refused, and what follows', () => {
    const lines = show(['sent', 'DATA\r\n'], ['received', '554 No\r\n'], ['sent', 'QUIT\r\n']);
    expect(lines).toEqual(['C: DATA', 'S: 554 No', 'C: QUIT']);
  });

  it('cannot steer a terminal', () => {
    expect(show(['received', '220 \x1b[2Jmx\xc2\x9b1m\x9b\r\n'])).toEqual(['S: 220 ?[2Jmx?1m\ufffd']);
  });

  it('has a line for each line, by whatever its reader goes', () => {
    const separators = Buffer.from('\n\v\f\u0085\u2028\u2029').toString('latin1');
    expect(show(['received', `220 mx\r\n250 ${separators}mx\r\n`])).toEqual(['S: 220 mx', 'S: 250 ??????mx']);
  });

  it('shows the replies of a server that ends its lines in LF, and of one under TLS that does not', () => {
    const lines = show(
      ['received', '220 mx\n'],
      ['sent', 'EHLO c\r\n'],
      ['received', '250-mx\n250 STARTTLS\n'],
      ['sent', 'STARTTLS\r\n'],
      ['received', '220 Go on\n'],
      ['sent', 'EHLO c\r\n'],
      ['received', '250 mx\r\n250 a\nb\r\n'],
    );
    expect(lines.filter((line) => line.startsWith('S'))).toEqual([
      'S: 220 mx',
      'S: 250-mx',
      'S: 250 STARTTLS',
      'S: 220 Go on',
      'S: 250 mx',
      'S: 250 a?b',
    ]);
  });

  it('cuts a line that never ends', () => {
    const lines = show(['received', 'x'.repeat(10_000)], ['received', 'y\r\n']);
    expect(lines[0]?.length).toBeLessThan(5000);
  });
});
