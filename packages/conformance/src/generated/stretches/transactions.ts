/** Mail transactions: whole, given up, with many recipients, with messages that end oddly or are as large as is offered. */
import { concatenate, encodeText } from '@sansmtp/core';
import * as fc from 'fast-check';
import { type MailData, mailDataOf } from '../steps.js';
import {
  contentOf,
  each,
  helloOf,
  lines,
  mailLine,
  rcptLine,
  type Stretch,
  type Surroundings,
} from './surroundings.js';

/** A message as it should be; its commands one by one, or all at once. */
export function transaction(around: Surroundings): fc.Arbitrary<Stretch> {
  const rcpts = fc.array(rcptLine(around), { minLength: 1, maxLength: 4 });
  const behind = fc.constantFrom(
    undefined,
    undefined,
    ['NOOP'],
    ['RSET', 'NOOP'],
    ['MAIL FROM:<>', `RCPT TO:${around.recipient}`],
  );
  return fc
    .record({
      mail: mailLine(around),
      rcpts,
      content: contentOf(around),
      together: fc.nat(3),
      behind,
      hello: fc.nat(2),
    })
    .map(({ mail, rcpts, content, together, behind, hello }) => {
      const begin = hello === 0 ? each(helloOf(around)) : [];
      const pipelines = around.offers.has('PIPELINING');
      const data = mailDataOf(content, pipelines ? behind : undefined);
      if (!pipelines || together === 0) {
        return [...begin, ...each(mail, ...rcpts), { kind: 'lines', lines: ['DATA'], message: data }];
      }
      const group = [
        ...(together === 1 ? ['RSET'] : []),
        mail,
        ...rcpts,
        ...(together === 2 ? ['RSET', 'MAIL FROM:<>', ...rcpts] : []),
      ];
      return [...begin, { kind: 'lines', lines: [...group, 'DATA'], message: data }];
    });
}

/** What a command leaves of a mail transaction shows in the next one. */
export function leftAfter(around: Surroundings): fc.Arbitrary<Stretch> {
  const between = fc.constantFrom<Stretch>(
    each('RSET'),
    each(helloOf(around)),
    each('HELO c.example'),
    each(around.protocol === 'lmtp' ? 'LHLO' : 'EHLO'),
    each('NOOP'),
    each('VRFY nobody'),
    each('XYZZY'),
    each('MAIL FROM:<>'),
    each('RSET', 'NOOP again'),
    [
      {
        kind: 'lines',
        lines: ['DATA'],
        message: mailDataOf(concatenate([around.preface, encodeText('a\0\r\n')])),
      },
    ],
    [{ kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) }],
  );
  const after = fc.constantFrom<Stretch>(
    [{ kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) }],
    each(`RCPT TO:${around.recipient}`),
    [lines('MAIL FROM:<>'), { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) }],
    [
      ...each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
      { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) },
    ],
  );
  const envelope = fc.oneof(
    { weight: 3, arbitrary: mailLine(around).map((mail) => [mail, `RCPT TO:${around.recipient}`]) },
    { weight: 1, arbitrary: fc.tuple(mailLine(around), rcptLine(around)) },
    { weight: 1, arbitrary: fc.tuple(mailLine(around)) },
  );
  return fc
    .tuple(fc.boolean(), envelope, between, after)
    .map(([fresh, commands, middle, end]) => [
      lines(fresh ? helloOf(around) : 'RSET'),
      ...each(...commands),
      ...middle,
      ...end,
    ]);
}

/** Mail data with what is no line end, amid what would be commands if it were one (CVE-2023-51764 to 51766). */
export function oddMessage(around: Surroundings): fc.Arbitrary<Stretch> {
  const ends = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r.\r\n', 'a.\r\n', ' .\r\n', '\n', '\r', '\0'];
  const smuggled = fc
    .tuple(fc.constantFrom(...ends), fc.constantFrom('XYZZY', 'RSET', 'MAIL FROM:<>'))
    .map(([end, command]) => unchanged(around, `a${end}${command}\r\n`));
  const plain = fc
    .constantFrom(
      'a \r\n',
      'a\t\tb\r\n',
      'a\r\n\r\n\r\n',
      `${'a'.repeat(998)}\r\n`,
      `${'b'.repeat(600)}\r\n`,
      '.\r\n..\r\n.a\r\n',
      '',
    )
    .map((body) => mailDataOf(concatenate([around.preface, encodeText(body)])));
  const raw = fc.oneof(
    smuggled,
    plain,
    contentOf(around, false).map((content) => mailDataOf(content)),
  );
  return fc
    .tuple(mailLine(around), raw)
    .map(([mail, message]) => [
      lines('RSET'),
      ...each(mail, `RCPT TO:${around.recipient}`),
      { kind: 'lines', lines: ['DATA'], message },
      lines('NOOP'),
    ]);
}

/** As it stands, dots and all, and then the final one. */
const unchanged = ({ preface }: Surroundings, text: string): MailData => ({
  octets: concatenate([preface, encodeText(`${text}.\r\n`)]),
});

/** RFC 5321 §4.5.3.1.8: a hundred recipients have to be taken. */
export function crowd(around: Surroundings): fc.Arbitrary<Stretch> {
  return fc.constantFrom(100, 101, 102).map((count) => {
    const rcpts = Array.from({ length: count }, () => `RCPT TO:${around.recipient}`);
    const all = ['RSET', 'MAIL FROM:<>', ...rcpts];
    const commands = around.offers.has('PIPELINING') ? [lines(...all)] : each(...all);
    return [...commands, { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) }];
  });
}

/** The size of a message counts neither the dots of transparency nor the final one (RFC 1870 §3). */
export function atTheSize(around: Surroundings): fc.Arbitrary<Stretch> {
  const offered = Number(around.offers.get('SIZE') || 0);
  const limit = offered > 0 && offered <= 1_000_000 ? offered : 4000;
  return fc
    .tuple(fc.constantFrom(0, 0, -1, -2, 1, 2), fc.constantFrom('a', '.'))
    .map(([over, text]) => [
      lines('RSET'),
      ...each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
      { kind: 'lines', lines: ['DATA'], message: mailDataOf(messageOf(limit + over, text, around.preface)) },
      lines('NOOP'),
    ]);
}

/** A message of just so many octets, in lines of 100 that begin with the text. */
function messageOf(octets: number, text: string, preface: Uint8Array): Uint8Array {
  let body = '';
  const wanted = Math.max(2, octets - preface.length);
  while (wanted - body.length > 200) body += `${text.padEnd(98, 'x')}\r\n`;
  return concatenate([preface, encodeText(`${body}${text.padEnd(wanted - body.length - 2, 'x')}\r\n`)]);
}

/** Amid a message, or where nothing stands open: what was not ended by a dot is no message. */
export function leaving(around: Surroundings): fc.Arbitrary<Stretch> {
  const begun = fc
    .constantFrom('', 'a\r\n', 'a\r\n.', 'a\r\n.\r', '.')
    .map((end) => concatenate([around.preface, encodeText(end)]));
  return begun.map((octets) => [
    lines('RSET'),
    ...each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
    { kind: 'leave', begun: octets },
  ]);
}
