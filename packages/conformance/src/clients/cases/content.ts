/** The message, to the octet: transparency, line ends, long lines. */
import { type ClientCaseGroup, clientCase, messageWith } from '../client-case.js';
import { latin1 } from '../conversation.js';
import { all, type Judge, serverTook } from '../judging.js';
import { lines } from '../rules/index.js';

type Row = readonly [name: string, body: string, rationale: string];

const DOTS: readonly Row[] = [
  ['dot-alone', 'a\r\n.\r\nb\r\n', 'A line that is a dot is part of the message: the dot is doubled.'],
  ['dot-first', '.\r\nb\r\n', 'So is one right after the header.'],
  ['dot-last', 'a\r\n.\r\n', 'So is one at the end.'],
  ['two-dots', '..\r\n', 'Two dots become three.'],
  ['many-dots', '.\r\n..\r\n...\r\n....\r\n', 'Every line that begins with a dot gets one more.'],
  ['dot-and-text', '.hidden\r\n', 'A dot before text is doubled too.'],
  ['dot-within', 'a.b\r\n .c . d\r\n', 'A dot elsewhere is not.'],
  ['dot-blank', '. \r\n.\t\r\n', 'A dot before a blank is doubled.'],
  [
    'dots-of-a-large-message',
    '.line that begins with a dot\r\n'.repeat(4000),
    'Dots are doubled wherever buffers end.',
  ],
  [
    'dots-at-every-offset',
    Array.from({ length: 300 }, (_, n) => `.${'x'.repeat(n)}\r\n`).join(''),
    'Dots are doubled at every offset.',
  ],
  [
    'dots-within-lines-at-buffer-ends',
    `x${'.'.repeat(70)}\r\n`.repeat(500),
    'A dot within a line is not doubled, wherever buffers end.',
  ],
  [
    'dots-at-buffer-ends',
    Array.from({ length: 8 }, () => `${'x'.repeat(988)}\r\n.\r\n`.repeat(9)).join(''),
    'Dots are doubled after long lines.',
  ],
];

const PLAIN: readonly Row[] = [
  ['empty-body', '', 'A message may have no body.'],
  ['empty-lines', '\r\n\r\n\r\n', 'Empty lines are lines.'],
  ['blanks-at-line-ends', 'a  \r\nb\t\r\n \r\n', 'Blanks at the end of a line are part of it.'],
  ['line-of-998', `${'x'.repeat(998)}\r\n`, 'A line of 998 octets and CRLF is allowed.'],
  ['commands-as-text', 'QUIT\r\nMAIL FROM:<>\r\nRSET\r\n', 'Mail data may look like commands.'],
  ['from-line', 'From ann\r\n>From bob\r\n', 'SMTP has no mbox quoting.'],
  [
    'all-of-ascii',
    `${Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).join('')}\r\n`,
    'All printable ASCII arrives.',
  ],
  [
    'tab-and-controls',
    'a\tb\x01\x07\x1b[0m\x7f\r\n',
    'Control characters other than CR, LF and NUL are text.',
  ],
  ['large', `${'0123456789'.repeat(7)}\r\n`.repeat(5000), 'A message of 360 kB arrives whole.'],
];

/** What a client must encode, mend or refuse: never may it go out as it is. */
const SMUGGLED: readonly Row[] = [
  ['lf-dot-lf', 'a\n.\nMAIL FROM:<eve@example.org>\r\n', 'LF.LF ends the message for some servers.'],
  ['lf-dot-crlf', 'a\n.\r\nMAIL FROM:<eve@example.org>\r\n', 'LF.CRLF ends the message for some servers.'],
  ['crlf-dot-lf', 'a\r\n.\nMAIL FROM:<eve@example.org>\r\n', 'CRLF.LF ends the message for some servers.'],
  ['cr-dot-cr', 'a\r.\rMAIL FROM:<eve@example.org>\r\n', 'CR.CR ends the message for some servers.'],
  ['crlf-dot-cr', 'a\r\n.\rb\r\n', 'CRLF.CR ends the message for some servers.'],
  ['cr-crlf', 'a\r\r\n.\r\r\nMAIL FROM:<eve@example.org>\r\n', 'CR CRLF is not a line end.'],
  ['bare-lf', 'a\nb\r\n', 'A bare LF does not go out: CR and LF come as CRLF only.'],
  ['bare-cr', 'a\rb\r\n', 'A bare CR does not go out.'],
  ['cr-at-the-end', 'a\r', 'A message that ends in CR is not ended by CR CRLF.'],
];

const sent: Judge = (seen) => (serverTook(seen) ? undefined : 'the server got no message');

/** A client that refuses to send it does no harm. */
const unharmedIfSent: Judge = (seen) => (serverTook(seen) ? lines.contentIsTransparent(seen) : undefined);

/** The mail data end where the message ends, with CRLF before the dot. */
const endsByCrlf: Judge = ({ connections }) => {
  const ends = connections.flat().filter(({ moment, line }) => moment === 'message' && !/^BDAT/i.test(line));
  const wrong = ends.find((exchange) => !/(?:^|\r\n)\.\r\n$/.test(exchange.sent));
  return wrong && 'the mail data do not end by CRLF, a dot and CRLF';
};

const withoutAdditions: Judge = ({ connections, task }) => {
  const given = latin1(task.message);
  const message = connections.flat().find(({ moment }) => moment === 'message')?.sent;
  if (message === undefined) return 'the server got no message';
  const body = `${given.slice(given.indexOf('\r\n\r\n'))}\r\n.\r\n`;
  return message.endsWith(body) || message.includes(given)
    ? undefined
    : 'the last line is not the one that was given';
};

export const content: ClientCaseGroup = {
  name: 'client-content',
  title: 'The message, to the octet',
  introduction: 'The server reads the very message that the client was given. CR and LF go out as CRLF only.',
  remedy:
    'Double each dot at the beginning of a line, end the last line by CRLF, and refuse or mend bare CR and LF before anything is sent.',
  cases: [
    ...[...DOTS, ...PLAIN].map(([name, body, rationale]) =>
      clientCase(
        [`client-content/${name}`, 'RFC 5321 §4.5.2', 'MUST'],
        rationale,
        { offers: ['8BITMIME'] },
        all(sent, lines.contentIsTransparent),
        { task: { message: messageWith(body) } },
      ),
    ),
    ...SMUGGLED.map(([name, body, rationale]) =>
      clientCase(
        [`client-content/${name}`, 'RFC 5321 §2.3.8', 'SECURITY'],
        rationale,
        { offers: ['8BITMIME'] },
        lines.dataHasNoBareLineEnds,
        { task: { message: messageWith(body) } },
      ),
    ),
    clientCase(
      ['client-content/last-line-without-end', 'RFC 5321 §4.1.1.4', 'MUST'],
      'A message whose last line has no end gets one before the final dot.',
      {},
      all(endsByCrlf, withoutAdditions),
      { task: { message: messageWith('The end') } },
    ),
    clientCase(
      ['client-content/last-dot-without-end', 'RFC 5321 §4.5.2', 'MUST'],
      'A last line that is a dot without an end is doubled, and gets its end.',
      {},
      all(endsByCrlf, ({ connections }) => {
        const message = connections.flat().find(({ moment }) => moment === 'message')?.sent ?? '';
        return message === '' || message.endsWith('\r\n..\r\n.\r\n') || /^BDAT/i.test(message)
          ? undefined
          : 'the last dot is not part of the message';
      }),
      { task: { message: messageWith('The end\r\n.') } },
    ),
    clientCase(
      ['client-content/final-dot', 'RFC 5321 §4.1.1.4', 'MUST'],
      'The message ends by CRLF, a dot and CRLF.',
      {},
      endsByCrlf,
    ),
    clientCase(
      ['client-content/no-empty-line-added', 'RFC 5321 §4.1.1.4', 'MUST'],
      'The CRLF at the end of the last line is the first of the final CRLF.CRLF: none is added.',
      {},
      lines.contentIsTransparent,
      { task: { message: messageWith('The end.\r\n') } },
    ),
    clientCase(
      ['client-content/nul', 'RFC 5321 §2.3.7', 'INTEROP'],
      'A NUL does not cut the message: it goes out, or nothing does.',
      { offers: ['8BITMIME'] },
      unharmedIfSent,
      { task: { message: messageWith('before\0after\r\nend\r\n') } },
    ),
    clientCase(
      ['client-content/line-of-5000', 'RFC 5321 §4.5.3.1.6', 'INTEROP'],
      'A line that is too long is not cut in silence: it goes out whole, or nothing does.',
      { offers: ['8BITMIME'] },
      unharmedIfSent,
      { task: { message: messageWith(`${'x'.repeat(5000)}\r\nend\r\n`) } },
    ),
    clientCase(
      ['client-content/dot-after-long-line', 'RFC 5321 §4.5.2', 'MUST'],
      'A dot that stands where a long line might be cut is not doubled.',
      { offers: ['8BITMIME'] },
      unharmedIfSent,
      { task: { message: messageWith(`${'x'.repeat(1022)}.${'y'.repeat(4000)}\r\n`) } },
    ),
  ],
};
