/** Commands that are malformed, too long, out of order, or have parameters that were not offered. */
import * as fc from 'fast-check';
import { each, helloOf, lines, mailLine, rcptLine, type Stretch, type Surroundings } from './surroundings.js';

/** A line with what no line holds: each is one line, with one reply. */
export function oddLine(): fc.Arbitrary<Stretch> {
  const line = fc.constantFrom(
    'NOOP\nNOOP',
    'NOOP\rNOOP',
    'NOOP\0x',
    'NOOP \x01',
    'NOOP a',
    'NOOP  ',
    'XYZZY',
    `XYZZY ${'x'.repeat(490)}`,
    'DATA now',
    'RSET now',
    'QUIT now',
    '',
    ' NOOP',
    'noop',
    'NoOp',
    'VRFY',
    'QUIT',
  );
  return fc.array(line, { minLength: 1, maxLength: 3 }).map((all) => each(...all));
}

/** RFC 5321 §4.5.3.1.4: 512 octets with CRLF. */
export function longLine(): fc.Arbitrary<Stretch> {
  return fc
    .constantFrom(498, 499, 500, 509, 510, 511, 512, 513, 514, 600, 1030)
    .map((octets) => each(`NOOP ${'x'.repeat(octets - 7)}`, 'NOOP'));
}

export function outOfOrder(around: Surroundings): fc.Arbitrary<Stretch> {
  const other = around.protocol === 'lmtp' ? 'EHLO c.example' : 'LHLO c.example';
  const command = fc.oneof(
    fc.constant(other),
    fc.constantFrom(
      'MAIL FROM:<>',
      `RCPT TO:${around.recipient}`,
      'DATA',
      'RSET',
      'NOOP',
      'VRFY a',
      'XYZZY',
      'HELO c.example',
      other,
    ),
    rcptLine(around),
    mailLine(around),
  );
  return fc.array(command, { minLength: 1, maxLength: 5 }).map((all) => each(...all));
}

/** Parameters, right and nearly right. */
export function parameters(around: Surroundings): fc.Arbitrary<Stretch> {
  const limit = Number(around.offers.get('SIZE') || 0);
  const sizes = limit > 0 ? [`SIZE=${limit}`, `SIZE=${limit - 1}`, `SIZE=${limit + 1}`] : [];
  const mail = fc.constantFrom(
    ...sizes,
    ...[
      'SIZE=',
      'SIZE=1k',
      'SIZE=-1',
      'BODY=8BITMIME',
      'body=7bit',
      'BODY=9BIT',
      'BODY=',
      'SMTPUTF8',
      'SMTPUTF8=1',
    ],
    ...[
      'RET=FULL',
      'RET=HDRS',
      'ret=hdrs',
      'RET=ALL',
      'ENVID=a+2B',
      'ENVID=a+2',
      'ENVID==',
      'AUTH=<>',
      'AUTH=a+',
    ],
    ...['XYZZY=1', 'XYZZY'],
  );
  const rcpt = fc.constantFrom(
    ...['NOTIFY=NEVER', 'notify=success,failure', 'NOTIFY=NEVER,SUCCESS', 'NOTIFY=SOON', 'NOTIFY='],
    ...['ORCPT=rfc822;a@b.example', 'ORCPT=a@b.example', 'ORCPT=;a', 'XYZZY=1'],
  );
  const address = fc.constantFrom('<é@b.example>', '<a@é.example>', '<>');
  const mailLine = fc.oneof(
    { weight: 4, arbitrary: mail.map((parameter) => `MAIL FROM:<> ${parameter}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(address, fc.boolean())
        .map(([path, utf8]) => `MAIL FROM:${path}${utf8 ? ' SMTPUTF8' : ''}`),
    },
  );
  const rcptLine = rcpt.map((parameter) => `RCPT TO:${around.recipient} ${parameter}`);
  return fc
    .record({
      mails: fc.array(mailLine, { minLength: 1, maxLength: 4 }),
      rcpts: fc.array(rcptLine, { maxLength: 3 }),
      helo: fc.nat(5),
    })
    .map(({ mails, rcpts, helo }) => [
      lines(helo === 0 ? 'HELO c.example' : helloOf(around)),
      ...mails.flatMap((line) => each('RSET', line)),
      ...each('RSET', 'MAIL FROM:<>', ...rcpts),
    ]);
}

/** Paths that are nearly right, where they may stand. */
export function nearEnvelope(around: Surroundings): fc.Arbitrary<Stretch> {
  const { recipient } = around;
  const [local = ''] = recipient.slice(1).split('@');
  const rcpt = fc.constantFrom(
    ...[`${recipient}x`, recipient.slice(0, -1), `<${local}>`, '<>', ` ${recipient}`, `${recipient} <>`],
  );
  const mail = fc.constantFrom(
    '<>x',
    '<a@b.example',
    '<a@b.example>SIZE=1',
    '<a@@b.example>',
    'a@b.example',
    '<"a@b.example>',
  );
  const other = fc.constantFrom(
    'DATA now',
    `RCPT ${recipient}`,
    `RCPT FROM:${recipient}`,
    'MAIL TO:<>',
    'MAIL <>',
    'RCPT',
  );
  return fc
    .record({
      mail,
      rcpts: fc.array(rcpt, { minLength: 1, maxLength: 3 }),
      other,
      good: fc.boolean(),
    })
    .map(({ mail, rcpts, other, good }) => [
      ...each('RSET', `MAIL FROM:${mail}`, 'RSET', 'MAIL FROM:<>'),
      ...rcpts.map((path) => lines(`RCPT TO:${path}`)),
      ...(good ? each(`RCPT TO:${recipient}`) : []),
      lines(other),
    ]);
}
