/** What a generated server offers, in the clear and under TLS, and how TLS and a login begin (RFC 3207, RFC 4954). */
import type { Script, Step } from '@sansmtp/testing';
import * as fc from 'fast-check';
import type { Setup } from '../contract.js';
import { LONGEST_PAUSE } from './timing.js';

/** A keyword, and how often in ten it is there. */
const KEYWORDS: readonly (readonly [keyword: string, inTen: number])[] = [
  ['PIPELINING', 5],
  ['8BITMIME', 7],
  ['SMTPUTF8', 6],
  ['CHUNKING', 3],
  ['DSN', 3],
  ['XYZZY a=b', 2],
];

const SIZES = ['SIZE 1000000', 'SIZE 1000000', 'SIZE 0', 'SIZE', 'SIZE 100', '', '', ''];

/** Now and then in lower case (RFC 5321 §2.4). */
const offers: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.tuple(...KEYWORDS.map(([keyword, inTen]) => fc.nat(9).map((n) => (n < inTen ? keyword : '')))),
    fc.constantFrom(...SIZES),
    fc.nat(5),
  )
  .map(([keywords, size, inLowerCase]) => {
    const offered = [...keywords, size].filter((keyword) => keyword !== '');
    return inLowerCase === 5 ? offered.map((keyword) => keyword.toLowerCase()) : offered;
  });

/** The first line is no keyword, whatever words it has (RFC 5321 §4.1.1.1). */
const greetings = fc.constantFrom(
  'script.test',
  'script.test',
  'script.test',
  'script.test SIZE 8BITMIME CHUNKING',
);

const ehlo = (greeting: string, keywords: readonly string[]): string => {
  const lines = [greeting, ...keywords];
  return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n');
};

const MECHANISMS = ['AUTH PLAIN LOGIN', 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH LOGIN', 'AUTH XYZZY', ''];

const inFive = (times: number): fc.Arbitrary<boolean> => fc.nat(4).map((n) => n < times);

/** Replies to STARTTLS: mostly the handshake follows. What is said behind 220 was never said under TLS. */
const startTls: fc.Arbitrary<Script> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Script>({}) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom<Step>(
        '454 4.7.0 Not now',
        '501 5.5.4 No',
        'drop',
        { reply: '220 Go on', ending: 'failHandshake' },
        '220 Go on\n250-script.test\n250 SIZE',
      )
      .map((step): Script => ({ STARTTLS: step })),
  },
);

const authSteps: fc.Arbitrary<Script> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Script>({}) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<Step | readonly Step[]>(
        '535 5.7.8 No',
        '454 4.7.0 Later',
        '334 ',
        ['334 VXNlcm5hbWU6', '535 5.7.8 No'],
        ['334 VXNlcm5hbWU6', 'drop'],
      )
      .map((AUTH): Script => ({ AUTH })),
  },
);

/** Now and then the reply comes late, or is cut amid a keyword. */
const manner = (reply: string): fc.Arbitrary<Step> =>
  fc.constantFrom<Step>(
    reply,
    reply,
    reply,
    { reply, wait: LONGEST_PAUSE },
    { reply, stall: { after: reply.length - 2, for: LONGEST_PAUSE } },
  );

/** The reply to EHLO or LHLO where nothing has to be secure. */
function open(setup: Setup): fc.Arbitrary<Script> {
  const verb = setup === 'lmtp' ? 'LHLO' : 'EHLO';
  return fc
    .tuple(greetings, offers)
    .chain(([greeting, keywords]) => manner(ehlo(greeting, keywords)))
    .map((step): Script => ({ [verb]: step }));
}

/** What is offered before and under TLS, and what is said to STARTTLS and AUTH. */
function secure(isLogin: boolean): fc.Arbitrary<Script> {
  const choice = fc.record({
    greeting: greetings,
    before: offers,
    after: offers,
    mechanisms: fc.constantFrom(...MECHANISMS),
    isOffered: inFive(4),
    isOfferedAgain: inFive(1),
    inTheClearOnly: inFive(1),
    tls: startTls,
    auth: isLogin ? authSteps : fc.constant<Script>({}),
  });
  return choice.chain(({ greeting, before, after, mechanisms, tls, auth, ...is }) => {
    const login = isLogin && mechanisms !== '' ? [mechanisms] : [];
    const inTheClear = is.inTheClearOnly || !is.isOffered ? login : [];
    const clear = [...(is.isOffered ? ['STARTTLS'] : []), ...before, ...inTheClear];
    const under = [...(is.isOfferedAgain ? ['STARTTLS'] : []), ...after, ...(is.inTheClearOnly ? [] : login)];
    const first = ehlo(greeting, clear);
    return manner(ehlo(greeting, under)).map(
      (second): Script => ({ EHLO: [first, second], ...tls, ...auth }),
    );
  });
}

/** How a session begins: what is offered, and what comes of TLS and a login where the client was told to want them. */
export const beginning = (setup: Setup): fc.Arbitrary<Script> =>
  setup === 'startTls' || setup === 'login' ? secure(setup === 'login') : open(setup);
