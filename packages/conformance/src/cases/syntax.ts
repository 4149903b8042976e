/** The form of each command: valid lines that are to be understood, and near-valid ones that are not (RFC 5321 §4.1). */
import type { CaseGroup, ConformanceCase, Level } from '../contract/case.js';
import type { Target } from '../contract/target.js';
import { CannotJudge } from '../dialogue/findings.js';
import { filled, goesOn, octets, refuses, understands } from './judging.js';

/** name, local-part of the reverse-path, why it is valid */
const LOCAL_PARTS: readonly (readonly [string, string, string])[] = [
  ['dot-string', 'first.last', 'atoms separated by dots are the usual form'],
  ['one-letter', 'a', 'an atom may be one character'],
  ['digits', '12345', 'an atom may be digits alone'],
  ['plus', 'ann+list', 'a plus is an ordinary character, used for sub-addresses'],
  [
    'equals',
    'list-bounces+bob=example.com',
    'an equals sign is ordinary, and what return paths of lists are made of',
  ],
  ['slash', 'g/o=x', 'a slash is ordinary'],
  ['all-specials', "!#$%&'*+-/=?^_`{|}~", 'all these are characters of an atom'],
  ['braces', '{ann}', 'braces are characters of an atom'],
  ['hyphen-first', '-ann', 'an atom may begin with a hyphen, unlike a domain'],
  ['quoted', '"ann"', 'a quoted string is a local-part'],
  ['quoted-space', '"ann smith"', 'a blank may stand in a quoted string'],
  ['quoted-at', '"ann@home"', 'an @ in a quoted string does not end the local-part'],
  ['quoted-angle', '"ann>smith"', 'a > in a quoted string does not end the path'],
  ['quoted-pair', '"ann\\"smith"', 'a backslash quotes the next character'],
  ['quoted-backslash', '"ann\\\\smith"', 'a backslash quotes itself'],
  ['quoted-dots', '"..ann.."', 'dots may stand anywhere in a quoted string'],
  ['quoted-comma', '"smith, ann"', 'a comma may stand in a quoted string'],
  ['quoted-empty', '""', 'a quoted string may be empty'],
  ['mixed-case', 'Ann.Smith', 'letters of either case may stand'],
];

/** name, domain of the reverse-path, why it is valid */
const DOMAINS: readonly (readonly [string, string, string])[] = [
  ['digit-first', '1and1.invalid', 'a label may begin with a digit'],
  ['one-letter-labels', 'a.b.invalid', 'a label may be one character'],
  ['hyphens', 'my--host.invalid', 'hyphens may stand inside of a label, also two'],
  ['upper-case', 'PROBE.INVALID', 'domains are compared without regard to case'],
  ['a-label', 'xn--bcher-kva.invalid', 'an A-label is a label like any other'],
  ['single-label', 'localhost', 'one label is a domain by the grammar'],
  ['many-labels', 'a.b.c.d.e.f.g.h.invalid', 'the grammar has no limit but the length'],
  ['63-octet-label', `${filled(63)}.invalid`, 'a label may have 63 octets (RFC 1035 §2.3.4)'],
  ['ipv4-literal', '[192.0.2.1]', 'an IPv4 address in brackets is a mailbox host'],
  ['ipv6-literal', '[IPv6:2001:db8::1]', 'an IPv6 literal carries its tag'],
  ['ipv6-full', '[IPv6:2001:db8:0:0:0:0:0:1]', 'an IPv6 address may be written in full'],
  ['ipv6-v4', '[IPv6:::ffff:192.0.2.1]', 'an IPv6 address may end in an IPv4 address'],
  ['ipv6-lower-case-tag', '[ipv6:2001:db8::1]', 'literals in ABNF are compared without regard to case'],
];

const domainOf = (mailbox: string): string => mailbox.slice(mailbox.lastIndexOf('@') + 1);

const validReversePaths: ConformanceCase[] = [
  ...LOCAL_PARTS.map(([name, localPart, why]) => ({
    name: `local-part-${name}`,
    path: (target: Target) => `<${localPart}@${domainOf(target.from)}>`,
    section: 'RFC 5321 §4.1.2',
    rationale: `MAIL takes ${localPart} as local-part: ${why}.`,
  })),
  ...DOMAINS.map(([name, domain, why]) => ({
    name: `domain-${name}`,
    path: () => `<ann@${domain}>`,
    section: domain.startsWith('[') ? 'RFC 5321 §4.1.3' : 'RFC 5321 §4.1.2',
    rationale: `MAIL takes ${domain.length > 60 ? 'such a domain' : domain}: ${why}.`,
  })),
  {
    name: 'source-route',
    path: (target: Target) => `<@relay.invalid:${target.from}>`,
    section: 'RFC 5321 §4.1.1.2',
    rationale: 'MAIL takes a source route, which is to be recognized and may be dropped.',
  },
  {
    name: 'source-route-of-two',
    path: (target: Target) => `<@a.invalid,@b.invalid:${target.from}>`,
    section: 'RFC 5321 §4.1.2',
    rationale: 'A source route may have several hosts, separated by commas.',
  },
].map(({ name, path, section, rationale }) => ({
  id: `syntax/mail-${name}`,
  section,
  level: 'MUST',
  rationale,
  needs: ['mail'],
  run: async (target) => understands(await target.ready(), `MAIL FROM:${path(target)}`),
}));

/** name, what stands in place of the path, why it is wrong */
const INVALID_PATHS: readonly (readonly [string, string, string])[] = [
  ['no-brackets', 'ann@probe.invalid', 'a path has angle brackets'],
  ['no-path', '', 'there is no path'],
  ['unclosed', '<ann@probe.invalid', 'the path is not closed'],
  ['unopened', 'ann@probe.invalid>', 'the path is not opened'],
  ['two-brackets', '<<ann@probe.invalid>>', 'a path has one pair of brackets'],
  ['space-after-colon', ' <ann@probe.invalid>', 'no blank stands after the colon'],
  ['tab-after-colon', '\t<ann@probe.invalid>', 'no tab stands after the colon'],
  ['text-after', '<ann@probe.invalid>x', 'a space parts the path from what follows'],
  ['display-name', 'Ann <ann@probe.invalid>', 'a display name belongs into a header'],
  ['comment', '<(home)ann@probe.invalid>', 'a comment belongs into a header'],
  ['two-paths', '<ann@probe.invalid><bob@probe.invalid>', 'nobody can say which of two is meant'],
  ['comma-list', '<ann@probe.invalid,bob@probe.invalid>', 'a path holds one mailbox'],
  ['no-local-part', '<@probe.invalid>', 'a mailbox has a local-part'],
  ['no-domain', '<ann@>', 'what follows the @ is a domain'],
  ['two-ats', '<ann@home@probe.invalid>', 'an unquoted @ stands once; which host is meant is a guess'],
  ['space-in-local-part', '<ann smith@probe.invalid>', 'a blank needs quotes'],
  ['space-in-domain', '<ann@probe invalid>', 'a domain holds no blank'],
  ['space-before-at', '<ann @probe.invalid>', 'no blank stands before the @'],
  ['unclosed-quote', '<"ann@probe.invalid>', 'the quoted string is not closed'],
  ['text-after-quote', '<"ann"smith@probe.invalid>', 'a quoted string is the whole local-part'],
  ['quote-inside', '<an"n@probe.invalid>', 'a quotation mark needs quotes'],
  ['bare-backslash', '<ann\\smith@probe.invalid>', 'a backslash needs quotes'],
  ['parenthesis', '<ann(@probe.invalid>', 'a parenthesis needs quotes'],
  ['semicolon', '<ann;smith@probe.invalid>', 'a semicolon needs quotes'],
  ['leading-dot', '<.ann@probe.invalid>', 'a local-part does not begin with a dot unless it is quoted'],
  ['trailing-dot', '<ann.@probe.invalid>', 'a local-part does not end in a dot unless it is quoted'],
  ['two-dots', '<ann..smith@probe.invalid>', 'dots stand between atoms unless they are quoted'],
  ['underscore-domain', '<ann@my_host.probe.invalid>', 'an underscore is no character of a domain'],
  ['untagged-ipv6', '<ann@[2001:db8::1]>', 'an IPv6 literal has its tag'],
  ['hyphen-first-label', '<ann@-probe.invalid>', 'a label does not begin with a hyphen'],
  ['hyphen-last-label', '<ann@probe-.invalid>', 'a label does not end in a hyphen'],
  ['empty-label', '<ann@probe..invalid>', 'a label is not empty'],
  ['leading-dot-domain', '<ann@.probe.invalid>', 'a domain does not begin with a dot'],
  ['slash-domain', '<ann@probe/invalid>', 'a slash is no character of a domain'],
  ['octet-256', '<ann@[192.0.2.256]>', 'the parts of an IPv4 address go up to 255'],
  ['three-octets', '<ann@[192.0.2]>', 'an IPv4 address has four parts'],
  ['unclosed-literal', '<ann@[192.0.2.1>', 'the literal is not closed'],
  ['two-double-colons', '<ann@[IPv6:2001::db8::1]>', 'an IPv6 address is shortened once'],
  ['long-ipv6-group', '<ann@[IPv6:20010:db8::1]>', 'a group of an IPv6 address has four digits'],
  ['route-without-colon', '<@relay.invalid ann@probe.invalid>', 'a colon ends a source route'],
];

const MAY_REFUSE_ALSO = 'Whoever accepts it may mean something else by it than the sender.';

const invalidPaths = (verb: 'mail' | 'rcpt'): ConformanceCase[] =>
  INVALID_PATHS.map(([name, path, why]) => ({
    id: `syntax/${verb}-path-${name}`,
    section: path.includes('[') ? 'RFC 5321 §4.1.3' : 'RFC 5321 §4.1.2',
    level: 'INTEROP',
    rationale: `${verb === 'mail' ? 'MAIL' : 'RCPT'} refuses ${path === '' ? 'an empty argument' : path.trim()}: ${why}. ${MAY_REFUSE_ALSO}`,
    needs: ['mail'],
    async run(target) {
      if (verb === 'mail') {
        await refuses(await target.ready(), `MAIL FROM:${path}`);
        return;
      }
      // Only where the domain is the server's own is a refusal more than "we do not relay".
      const own = path.replaceAll('probe.invalid', domainOf(target.to));
      await refuses(await target.mailed(), `RCPT TO:${own}`);
    },
  }));

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

/** name, line, what the parameter has */
const PARAMETERS: readonly (readonly [string, string, string])[] = [
  ['unknown', 'XPROBE', 'is of no extension that is offered'],
  ['unknown-with-value', 'XPROBE=1', 'is of no extension that is offered'],
  ['without-keyword', '=1', 'has no keyword'],
  ['with-underscore', 'X_PROBE=1', 'has a keyword with an underscore'],
  ['hyphen-first', '-XPROBE=1', 'has a keyword that begins with a hyphen'],
];

const parameters = (verb: 'mail' | 'rcpt'): ConformanceCase[] => [
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
const anyCase: ConformanceCase[] = (
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
const trailingSpace: ConformanceCase[] = (
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

const hello: ConformanceCase[] = [
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
const withArguments: ConformanceCase[] = [
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

const recipients: ConformanceCase[] = [
  ...(
    [
      ['postmaster', 'postmaster', 'without a domain'],
      ['postmaster-capital', 'Postmaster', 'in any case'],
      ['postmaster-upper-case', 'POSTMASTER', 'in any case'],
    ] as const
  ).map(
    ([name, word, how]): ConformanceCase => ({
      id: `syntax/rcpt-${name}`,
      section: 'RFC 5321 §4.5.1',
      level: 'MUST',
      rationale: `Every server that takes mail takes it for its postmaster, also ${how}: <${word}>.`,
      needs: ['mail', 'smtp'],
      run: async (target) =>
        void (await (await target.mailed()).ask(`RCPT TO:<${word}>`, '250 or 251 or 252 or 4yz')),
    }),
  ),
  {
    id: 'syntax/rcpt-postmaster-of-the-domain',
    section: 'RFC 5321 §4.5.1',
    level: 'MUST',
    rationale: 'A domain that mail is taken for has a postmaster.',
    needs: ['mail'],
    run: async (target) =>
      void (await (
        await target.mailed()
      ).ask(`RCPT TO:<postmaster@${domainOf(target.to)}>`, '250 or 251 or 252 or 4yz')),
  },
  {
    id: 'syntax/rcpt-domain-upper-case',
    section: 'RFC 5321 §2.4',
    level: 'MUST',
    rationale: 'The domain of a recipient is compared without regard to case.',
    needs: ['mail'],
    async run(target) {
      const domain = domainOf(target.to);
      const to = target.to.slice(0, -domain.length) + domain.toUpperCase();
      await (await target.mailed()).ask(`RCPT TO:<${to}>`, '250 or 251');
    },
  },
  {
    id: 'syntax/rcpt-quoted-local-part',
    section: 'RFC 5321 §4.1.2',
    level: 'SHOULD',
    rationale: 'A local-part in quotes that needs none names the same mailbox.',
    needs: ['mail'],
    async run(target) {
      const domain = domainOf(target.to);
      const localPart = target.to.slice(0, -domain.length - 1);
      if (localPart.startsWith('"')) throw new CannotJudge('the recipient given is in quotes already');
      await understands(await target.mailed(), `RCPT TO:<"${localPart}"@${domain}>`);
    },
  },
  {
    id: 'syntax/rcpt-source-route',
    section: 'RFC 5321 §4.1.1.3',
    level: 'MUST',
    rationale: 'A server is prepared for a source route in the forward-path, and may ignore it.',
    needs: ['mail'],
    run: async (target) =>
      understands(await target.mailed(), `RCPT TO:<@${domainOf(target.to)}:${target.to}>`),
  },
  {
    id: 'syntax/rcpt-twice',
    section: 'RFC 5321 §4.1.1.3',
    level: 'INTEROP',
    rationale: 'The same recipient may be named again: clients that gather lists do so.',
    needs: ['mail'],
    run: async (target) => void (await (await target.addressed()).ask(target.rcpt(), '250 or 251')),
  },
  {
    id: 'syntax/rcpt-null',
    section: 'RFC 5321 §4.1.1.3',
    level: 'MUST',
    rationale: 'RCPT refuses <>: a message to it is for nobody.',
    needs: ['mail'],
    run: async (target) => refuses(await target.mailed(), 'RCPT TO:<>'),
  },
];

/** Octets in a path that make its reading differ from program to program: whom the mail is for is at stake. */
const hostileOctets: ConformanceCase[] = (
  [
    ['nul', '\0', 'NUL ends the text for some programs'],
    ['cr', '\r', 'a bare CR ends the line for some programs'],
    ['escape', '\x1b', 'escape sequences steer the terminals of who reads logs'],
    ['del', '\x7f', 'DEL is no character of a path'],
  ] as const
).map(([name, character, why]) => ({
  id: `syntax/rcpt-with-${name}`,
  section: 'RFC 5321 §4.1.2',
  level: 'SECURITY',
  rationale: `RCPT refuses a control character in the path: ${why}.`,
  needs: ['mail'],
  async run(target) {
    const at = target.to.lastIndexOf('@');
    const path = `${target.to.slice(0, at)}${character}x${target.to.slice(at)}`;
    await refuses(await target.mailed(), octets(`RCPT TO:<${path}>\r\n`));
  },
}));

export const syntax: CaseGroup = {
  name: 'syntax',
  title: 'The form of commands',
  introduction:
    'Valid lines that have to be understood, and near-valid ones that have to be refused (RFC 5321 §4.1). To accept what the grammar lacks is a matter of INTEROP at most, unless the addressee is at stake.',
  remedy:
    'Read the line by the grammar of RFC 5321 §4.1.2; answer 501 to a malformed argument, 500 to an unknown verb.',
  cases: [
    {
      id: 'syntax/mail-null-reverse-path',
      section: 'RFC 5321 §4.5.5',
      level: 'MUST',
      rationale: 'MAIL takes <>, the reverse-path of all notifications.',
      needs: ['mail'],
      run: async (target) => void (await (await target.ready()).ask('MAIL FROM:<>', '250')),
    },
    ...validReversePaths,
    ...anyCase,
    ...trailingSpace,
    ...hello,
    ...withArguments,
    ...recipients,
    ...INVALID_LINES.map(
      ([name, line, why]): ConformanceCase => ({
        id: `syntax/line-${name}`,
        section: 'RFC 5321 §4.1.1',
        level: 'INTEROP',
        rationale: `A malformed line is refused: ${why}.`,
        needs: name.startsWith('rcpt') || name.startsWith('mail') ? ['mail'] : [],
        run: async (target) =>
          refuses(name.startsWith('rcpt') ? await target.mailed() : await target.ready(), line),
      }),
    ),
    ...invalidPaths('mail'),
    ...invalidPaths('rcpt'),
    ...parameters('mail'),
    ...parameters('rcpt'),
    ...hostileOctets,
  ],
};
