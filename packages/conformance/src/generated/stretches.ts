/**
 * Stretches of a dialogue that lead to where servers err: groups of commands, limits, ends of lines that are none, what is
 * left after a reset. Each is a few steps that fit anywhere; what does not fit is refused, which is judged as well.
 */
import { concatenate, encodeText } from '@sansmtp/core';
import { message } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import { type GeneratedStep, type MailData, mailDataOf } from './steps.js';

/** What the generator knows of the server. */
export interface Surroundings {
  readonly protocol: 'smtp' | 'lmtp';
  readonly offers: ReadonlyMap<string, string>;
  /** Paths of MAIL, with their angle brackets. */
  readonly senders: fc.Arbitrary<string>;
  /** Paths of RCPT for which the server takes mail; where anything may be tried, others too. */
  readonly recipients: fc.Arbitrary<string>;
  /** A recipient that is surely taken. */
  readonly recipient: string;
  /** Recipients of the second kind: refused, or without room for the message. */
  readonly others: fc.Arbitrary<string>;
  /** What a message begins with, so that who finds it knows what it is. */
  readonly preface: Uint8Array;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

type Stretch = readonly GeneratedStep[];

const lines = (...all: readonly string[]): GeneratedStep => ({ kind: 'lines', lines: all });
const each = (...all: readonly string[]): Stretch => all.map((line) => lines(line));

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

export function stretches(around: Surroundings): fc.Arbitrary<Stretch> {
  const { offers } = around;
  const all: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Stretch> }[] = [
    { weight: 8, arbitrary: transaction(around) },
    { weight: 4, arbitrary: leftAfter(around) },
    { weight: 3, arbitrary: oddMessage(around) },
    { weight: 3, arbitrary: oddLine() },
    { weight: 2, arbitrary: longLine() },
    { weight: 2, arbitrary: outOfOrder(around) },
    { weight: 4, arbitrary: parameters(around) },
    { weight: 3, arbitrary: nearEnvelope(around) },
    { weight: 1, arbitrary: crowd(around) },
    { weight: 1, arbitrary: fc.constant(Array.from({ length: 24 }, () => lines('XYZZY'))) },
    { weight: 1, arbitrary: leaving(around) },
  ];
  if (offers.has('SIZE')) all.push({ weight: 2, arbitrary: atTheSize(around) });
  if (offers.has('CHUNKING')) all.push({ weight: 8, arbitrary: chunks(around) });
  if (offers.has('STARTTLS')) all.push({ weight: 3, arbitrary: tls(around) });
  if (offers.has('AUTH')) all.push({ weight: 3, arbitrary: login(around) });
  return fc.oneof(...all);
}

/** EHLO, or LHLO. */
export const helloOf = ({ protocol }: Surroundings): string =>
  protocol === 'lmtp' ? 'LHLO c.example' : 'EHLO c.example';

const contentOf = (around: Surroundings, wellFormed = true): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom('', '', '', '.a\r\n', '..\r\n'),
      message({ wellFormed, eightBit: around.offers.has('8BITMIME') }),
    )
    .map(([first, body]) => concatenate([around.preface, encodeText(first), body]));

const mailLine = ({ senders, offers }: Surroundings): fc.Arbitrary<string> => {
  const body = offers.has('8BITMIME') ? ' BODY=8BITMIME' : '';
  return fc
    .tuple(senders, fc.constantFrom(body, body, ''))
    .map(([path, parameters]) => `MAIL FROM:${path}${parameters}`);
};

const rcptLine = ({ recipients, others }: Surroundings): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 5, arbitrary: recipients }, { weight: 2, arbitrary: others })
    .map((path) => `RCPT TO:${path}`);

/** A message as it should be; its commands one by one, or all at once. */
function transaction(around: Surroundings): fc.Arbitrary<Stretch> {
  const rcpts = fc.array(rcptLine(around), { minLength: 1, maxLength: 4 });
  const behind = fc.constantFrom(
    undefined,
    undefined,
    ['NOOP'],
    ['NOOP', 'RSET'],
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
function leftAfter(around: Surroundings): fc.Arbitrary<Stretch> {
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
function oddMessage(around: Surroundings): fc.Arbitrary<Stretch> {
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

/** A line with what no line holds: each is one line, with one reply. */
function oddLine(): fc.Arbitrary<Stretch> {
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
function longLine(): fc.Arbitrary<Stretch> {
  return fc
    .constantFrom(498, 499, 500, 509, 510, 511, 512, 513, 514, 600, 1030)
    .map((octets) => each(`NOOP ${'x'.repeat(octets - 7)}`, 'NOOP'));
}

function outOfOrder(around: Surroundings): fc.Arbitrary<Stretch> {
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
function parameters(around: Surroundings): fc.Arbitrary<Stretch> {
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
function nearEnvelope(around: Surroundings): fc.Arbitrary<Stretch> {
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

/** RFC 5321 §4.5.3.1.8: a hundred recipients have to be taken. */
function crowd(around: Surroundings): fc.Arbitrary<Stretch> {
  return fc.constantFrom(100, 101, 102).map((count) => {
    const rcpts = Array.from({ length: count }, () => `RCPT TO:${around.recipient}`);
    const all = ['RSET', 'MAIL FROM:<>', ...rcpts];
    const commands = around.offers.has('PIPELINING') ? [lines(...all)] : each(...all);
    return [...commands, { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) }];
  });
}

/** The size of a message counts neither the dots of transparency nor the final one (RFC 1870 §3). */
function atTheSize(around: Surroundings): fc.Arbitrary<Stretch> {
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
function leaving(around: Surroundings): fc.Arbitrary<Stretch> {
  const begun = fc
    .constantFrom('', 'a\r\n', 'a\r\n.', 'a\r\n.\r', '.')
    .map((end) => concatenate([around.preface, encodeText(end)]));
  return begun.map((octets) => [
    lines('RSET'),
    ...each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
    { kind: 'leave', begun: octets },
  ]);
}

const isReset = (step: GeneratedStep | undefined): boolean =>
  step?.kind === 'lines' && step.lines[0] === 'RSET';

/** RFC 3030. */
function chunks(around: Surroundings): fc.Arbitrary<Stretch> {
  const octets = fc.oneof(
    fc
      .constantFrom('', 'a\r\n', '.a\r\n..\r\n', '\r\n.\r\n', 'QUIT\r\n', 'XYZZY\r\nRSET\r\n')
      .map(encodeText),
    message({ eightBit: around.offers.has('8BITMIME') }),
  );
  const chunk = fc
    .record({ octets, last: fc.constantFrom(false, false, false, true) })
    .map((one): GeneratedStep => ({ kind: 'chunk', ...one }));
  const first: GeneratedStep = { kind: 'chunk', octets: around.preface, last: false };
  const between = fc.constantFrom<GeneratedStep>(
    lines('RSET'),
    lines('NOOP'),
    { kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) },
    lines('MAIL FROM:<>'),
    lines(`RCPT TO:${around.recipient}`),
    lines('QUIT'),
    lines(helloOf(around)),
    { kind: 'chunk', octets: new Uint8Array(), last: true, size: 'x' },
  );
  const body = around.offers.has('BINARYMIME')
    ? fc.constantFrom('', ' BODY=8BITMIME', ' BODY=BINARYMIME')
    : fc.constant('');
  return fc
    .record({
      body,
      recipient: fc.nat(4),
      before: fc.array(chunk, { maxLength: 2 }),
      middle: fc.option(between, { nil: undefined, freq: 3 }),
      after: fc.array(chunk, { maxLength: 2 }),
      again: fc.boolean(),
      /** Before the first chunk: refused if the body is binary (RFC 3030 §3). */
      data: fc.constantFrom(false, false, true),
    })
    .map(({ body, recipient, before, middle, after, again, data }) => [
      ...each('RSET', `MAIL FROM:<>${body}`, ...(recipient === 0 ? [] : [`RCPT TO:${around.recipient}`])),
      ...(data ? [{ kind: 'lines', lines: ['DATA'], message: mailDataOf(around.preface) } as const] : []),
      first,
      ...before,
      ...(middle === undefined ? [] : [middle]),
      ...(again || isReset(middle) ? each('MAIL FROM:<>', `RCPT TO:${around.recipient}`) : []),
      ...after,
      { kind: 'chunk', octets: encodeText('end\r\n'), last: true },
      lines('NOOP'),
    ]);
}

/** RFC 3207. */
function tls(around: Surroundings): fc.Arbitrary<Stretch> {
  const before = fc.constantFrom<Stretch>(
    [],
    [],
    each('STARTTLS now'),
    each('MAIL FROM:<>'),
    loginSteps(around),
  );
  const upgrade = fc.constantFrom<GeneratedStep>(
    lines('STARTTLS'),
    lines('STARTTLS'),
    { kind: 'injection', line: 'NOOP' },
    { kind: 'injection', line: 'XYZZY' },
  );
  const after = fc.constantFrom<Stretch>(
    each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
    each(helloOf(around), 'STARTTLS'),
    [lines(helloOf(around)), ...loginSteps(around)],
    each('NOOP', helloOf(around)),
  );
  return fc
    .tuple(fc.boolean(), before, upgrade, after)
    .map(([hello, first, second, third]) => [
      ...(hello ? each(helloOf(around)) : []),
      ...first,
      second,
      ...third,
    ]);
}

const loginSteps = ({ credentials, offers }: Surroundings): Stretch => {
  if (credentials === undefined || !/\bPLAIN\b/i.test(offers.get('AUTH') ?? '')) return [];
  return each(`AUTH PLAIN ${base64(`\0${credentials.user}\0${credentials.password}`)}`);
};

/** RFC 4954, RFC 4616. */
function login(around: Surroundings): fc.Arbitrary<Stretch> {
  const { user, password } = around.credentials ?? { user: 'nobody', password: 'wrong' };
  const right = `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`;
  const wrong = (text: string): GeneratedStep => ({
    kind: 'lines',
    lines: [`AUTH PLAIN ${base64(text)}`],
    failsLogin: true,
  });
  const exchange = (line: string, ...responses: readonly string[]): GeneratedStep => ({
    kind: 'lines',
    lines: [line],
    responses,
  });
  const steps: Stretch = [
    ...(around.credentials === undefined ? [] : [lines(right), lines(right)]),
    ...(around.credentials === undefined ? [] : [exchange('AUTH LOGIN', base64(user), base64(password))]),
    exchange('AUTH PLAIN', '*'),
    exchange('AUTH LOGIN', '*'),
    exchange('AUTH PLAIN', 'no base64!'),
    exchange('AUTH PLAIN ='),
    exchange('AUTH LOGIN =', base64(password)),
    lines('AUTH XYZZY'),
    lines('AUTH XYZZY ='),
    lines('MAIL FROM:<>'),
    lines('MAIL FROM:<> AUTH=<>'),
    wrong(`\0${user}\0${password}x`),
    wrong(`\0${user}\0${password.slice(0, 3)}`),
    wrong(`somebody\0${user}\0${password}`),
    wrong(`\0${user}\0`),
  ];
  return fc
    .tuple(fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([all, reset]) => [...(reset ? each('RSET') : []), lines(helloOf(around)), ...all]);
}
