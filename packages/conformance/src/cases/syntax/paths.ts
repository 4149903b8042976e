/** Reverse-paths and forward-paths (RFC 5321 §4.1.2): mailboxes that have to be taken, and what is no path. */
import type { ConformanceCase } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import { CannotJudge } from '../../dialogue/findings.js';
import { filled, octets, refuses, understands } from '../judging.js';

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

export const validReversePaths: ConformanceCase[] = [
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

export const invalidPaths = (verb: 'mail' | 'rcpt'): ConformanceCase[] =>
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

export const recipients: ConformanceCase[] = [
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
export const hostileOctets: ConformanceCase[] = (
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
