/** Command lines as a whole: verbs, arguments and parameters (RFC 5321 §4.1.1, §4.1.1.11). */
import type { ConformanceCase, Level } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import { CannotJudge } from '../../dialogue/findings.js';
import { goesOn, refuses, understands } from '../judging.js';

/** name, line, why it is no command */
const INVALID_LINES: readonly (readonly [string, string, string])[] = [
  ['empty-line', '', 'a line without a verb is no command'],
  ['space-only', '   ', 'blanks are no verb'],
  ['space-before-verb', ' NOOP', 'a verb begins the line'],
  ['glued-verb', 'NOOPS', 'a verb is compared as a whole'],
  ['short-verb', 'NOO', 'a verb is not abbreviated'],
  ['mail-without-from', 'MAIL <ann@probe.invalid>', 'MAIL is followed by FROM:'],
  ['mail-without-colon', 'MAIL FROM <ann@probe.invalid>', 'a colon follows FROM'],
  ['mail-space-before-colon', 'MAIL FROM :<ann@probe.invalid>', 'no space stands before the colon'],
  ['mail-glued', 'MAILFROM:<ann@probe.invalid>', 'a space parts MAIL from FROM'],
  ['mail-alone', 'MAIL', 'MAIL needs a reverse-path'],
  ['mail-to', 'MAIL TO:<ann@probe.invalid>', 'MAIL is followed by FROM'],
  ['rcpt-alone', 'RCPT', 'RCPT needs a forward-path'],
  ['vrfy-alone', 'VRFY', 'VRFY needs a string'],
  ['expn-alone', 'EXPN', 'EXPN needs a string'],
  ['noop-with-control', 'NOOP \u0001', 'an argument holds no control character'],
  ['binary', '\u0001\u0002\u0003', 'control characters are no verb'],
  ['digits', '12345', 'digits are no verb'],
  ['reply-as-command', '250 OK', 'a reply is no command: two servers would talk to each other without end'],
];

export const malformedLines: readonly ConformanceCase[] = INVALID_LINES.map(
  ([name, line, why]): ConformanceCase => ({
    id: `syntax/line-${name}`,
    section: 'RFC 5321 §4.1.1',
    level: 'INTEROP',
    rationale: `A malformed line is refused: ${why}.`,
    needs: name.startsWith('rcpt') || name.startsWith('mail') ? ['mail'] : [],
    run: async (target) =>
      refuses(name.startsWith('rcpt') ? await target.mailed() : await target.ready(), line),
  }),
);

/** name, line, what the parameter has */
const PARAMETERS: readonly (readonly [string, string, string])[] = [
  ['unknown', 'XPROBE', 'is of no extension that is offered'],
  ['unknown-with-value', 'XPROBE=1', 'is of no extension that is offered'],
  ['without-keyword', '=1', 'has no keyword'],
  ['with-underscore', 'X_PROBE=1', 'has a keyword with an underscore'],
  ['hyphen-first', '-XPROBE=1', 'has a keyword that begins with a hyphen'],
];

export const parameters = (verb: 'mail' | 'rcpt'): ConformanceCase[] => [
  ...PARAMETERS.map(
    ([name, parameter, why]): ConformanceCase => ({
      id: `syntax/${verb}-parameter-${name}`,
      section: 'RFC 5321 §4.1.1.11',
      level: 'MUST',
      rationale: `${verb.toUpperCase()} is refused where a parameter ${why}: what is passed over is not what was asked for.`,
      needs: ['mail'],
      run: async (target) =>
        verb === 'mail'
          ? refuses(await target.ready(), target.mail(parameter))
          : refuses(await target.mailed(), target.rcpt(parameter)),
    }),
  ),
  {
    id: `syntax/${verb}-parameter-code`,
    section: 'RFC 5321 §4.1.1.11',
    level: 'SHOULD',
    rationale: `The code for a parameter of ${verb.toUpperCase()} that is not known is 555.`,
    needs: ['mail'],
    async run(target) {
      if (verb === 'mail') await (await target.ready()).ask(target.mail('XPROBE=1'), '555');
      else await (await target.mailed()).ask(target.rcpt('XPROBE=1'), '555');
    },
  },
];

/** Commands in another case: verbs and keywords are compared without regard to it (RFC 5321 §2.4). */
export const anyCase: ConformanceCase[] = (
  [
    ['ehlo', 'hello', (target) => target.helloLine.toLowerCase()],
    ['mail', 'ready', (target) => target.mail().replace('MAIL FROM', 'mail from')],
    ['mail-mixed', 'ready', (target) => target.mail().replace('MAIL FROM', 'MaIl FrOm')],
    ['rcpt', 'mailed', (target) => target.rcpt().replace('RCPT TO', 'rcpt to')],
    ['data', 'addressed', () => 'data'],
    ['rset', 'hello', () => 'rset'],
    ['noop', 'hello', () => 'noop'],
    ['quit', 'hello', () => 'quit'],
    ['vrfy', 'hello', () => 'vrfy postmaster'],
  ] as readonly [string, 'hello' | 'ready' | 'mailed' | 'addressed', (target: Target) => string][]
).map(([name, place, line]) => ({
  id: `syntax/lower-case-${name}`,
  section: 'RFC 5321 §2.4',
  level: 'MUST',
  rationale: 'Verbs and keywords are the same in upper and lower case.',
  ...(place !== 'hello' && { needs: ['mail'] as const }),
  async run(target) {
    const dialogue = await target[place]();
    const expected =
      name === 'data' ? '354' : name === 'vrfy' ? '2yz or 4yz or 502 or 550 or 551 or 553' : '2yz';
    await dialogue.ask(line(target), expected);
  },
}));

/** White space before CRLF (RFC 5321 §4.1.1). */
export const trailingSpace: ConformanceCase[] = (
  [
    ['ehlo', 'hello', (target) => target.helloLine, '250'],
    ['mail', 'ready', (target) => target.mail(), '250'],
    ['rcpt', 'mailed', (target) => target.rcpt(), '250 or 251'],
    ['data', 'addressed', () => 'DATA', '354'],
    ['rset', 'hello', () => 'RSET', '250'],
    ['noop', 'hello', () => 'NOOP', '250'],
    ['quit', 'hello', () => 'QUIT', '221'],
  ] as readonly [string, 'hello' | 'ready' | 'mailed' | 'addressed', (target: Target) => string, string][]
).map(([name, place, line, expected]) => ({
  id: `syntax/trailing-space-${name}`,
  section: 'RFC 5321 §4.1.1',
  level: 'SHOULD',
  rationale: `A blank before the CRLF of ${name.toUpperCase()} is tolerated.`,
  ...(place !== 'hello' && { needs: ['mail'] as const }),
  run: async (target) => void (await (await target[place]()).ask(`${line(target)} `, expected)),
}));

export const hello: ConformanceCase[] = [
  ...(
    [
      ['domain', 'client.probe.invalid', 'MUST', 'RFC 5321 §4.1.1.1', 'a domain'],
      ['ipv4-literal', '[192.0.2.1]', 'MUST', 'RFC 5321 §4.1.3', 'an IPv4 literal, of who has no name'],
      [
        'ipv6-literal',
        '[IPv6:2001:db8::1]',
        'MUST',
        'RFC 5321 §4.1.3',
        'an IPv6 literal, of who has no name',
      ],
      ['single-label', 'desktop', 'MUST', 'RFC 5321 §4.1.1.1', 'one label, which is a domain by the grammar'],
      ['a-label', 'xn--bcher-kva.invalid', 'MUST', 'RFC 5321 §4.1.1.1', 'an A-label'],
      [
        'unresolvable',
        'no-such-host.invalid',
        'MUST',
        'RFC 5321 §4.1.4',
        'a name that cannot be looked up: that is no reason to refuse',
      ],
    ] as readonly [string, string, Level, string, string][]
  ).map(
    ([name, argument, level, section, what]): ConformanceCase => ({
      id: `syntax/ehlo-${name}`,
      section,
      level,
      rationale: `EHLO takes ${what}.`,
      run: async (target) =>
        understands(await target.greeted(), `${target.helloLine.slice(0, 4)} ${argument}`),
    }),
  ),
  {
    id: 'syntax/ehlo-without-argument',
    section: 'RFC 5321 §4.1.1.1',
    level: 'INTEROP',
    rationale: 'EHLO without a name is refused: it belongs to the command.',
    run: async (target) => refuses(await target.greeted(), target.helloLine.slice(0, 4)),
  },
  {
    id: 'syntax/helo-without-argument',
    section: 'RFC 5321 §4.1.1.1',
    level: 'INTEROP',
    rationale: 'HELO without a name is refused: it belongs to the command.',
    needs: ['smtp'],
    run: async (target) => refuses(await target.greeted(), 'HELO'),
  },
  {
    id: 'syntax/helo-literal',
    section: 'RFC 5321 §4.1.4',
    level: 'INTEROP',
    rationale:
      'HELO with an address literal, which the grammar lacks and clients send, brings no session to its end.',
    needs: ['smtp'],
    async run(target) {
      const dialogue = await target.greeted();
      await dialogue.ask('HELO [192.0.2.1]', '250 or 5yz');
      await goesOn(dialogue);
    },
  },
];

/** Commands that take no parameter, or one that counts for nothing. */
export const withArguments: ConformanceCase[] = [
  ...(
    [
      ['rset', 'hello', 'RSET now'],
      ['quit', 'hello', 'QUIT now'],
      ['data', 'addressed', 'DATA now'],
    ] as const
  ).map(
    ([name, place, line]): ConformanceCase => ({
      id: `syntax/${name}-with-argument`,
      section: 'RFC 5321 §4.1.1',
      level: 'SHOULD',
      rationale: `${name.toUpperCase()} takes no parameter; with one it is refused as malformed.`,
      ...(place === 'addressed' && { needs: ['mail'] as const }),
      run: async (target) => refuses(await target[place](), line),
    }),
  ),
  {
    id: 'syntax/noop-with-argument',
    section: 'RFC 5321 §4.1.1.9',
    level: 'SHOULD',
    rationale: 'NOOP may have a string, which is passed over.',
    run: async (target) => void (await (await target.hello()).ask('NOOP anything at all', '250')),
  },
  {
    id: 'syntax/help-with-argument',
    section: 'RFC 5321 §4.1.1.8',
    level: 'SHOULD',
    rationale: 'HELP may have an argument; a server that has HELP takes it.',
    async run(target) {
      const dialogue = await target.hello();
      const { code } = await dialogue.ask('HELP', 'any');
      if (code >= 400) throw new CannotJudge('HELP is not supported');
      await dialogue.ask('HELP MAIL', '211 or 214 or 504');
    },
  },
];
