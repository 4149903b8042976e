/**
 * The way into each state: the charts are walked, by what peers and hosts do, from the first state on. What is found for a
 * state first is shortest.
 */
import { ClientTarget } from './client-target.js';
import { ServerTarget } from './server-target.js';
import { type End, type Host, host, type Move, peer } from './story.js';
import type { Target } from './target.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const lines = (...texts: readonly string[]): Move[] => texts.map((text) => peer(`${text}\r\n`));

const serverMoves: readonly Move[] = [
  host('accept'),
  ...lines('EHLO c', 'LHLO c', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA', 'BDAT 5'),
  ...['abc', 'abcde', '\r\n.\r\n', 'BDAT 9 LAST\r\nabc'].map(peer),
  ...lines('STARTTLS', 'VRFY x', 'EXPN x', 'HELP', 'ETRN x', 'XVERB', 'AUTH PLAIN', 'AUTH CRAM-MD5', 'QUIT'),
  ...lines(base64('\0user\0pencil'), `AUTH SCRAM-SHA-256 ${base64('n,,n=user,r=nonce')}`),
  ...['reject', 'compute', 'tlsEstablished', 'timeout', 'lost'].map(host),
];

const clientMoves: readonly Move[] = [
  // What offers most comes first: the way behind it leads furthest.
  ...lines('250-mx.example.com\r\n250-PIPELINING\r\n250 CHUNKING', '220 mx.example.com ready', '250 OK'),
  ...lines('354 Go on', '334 ', '235 Yes', '500 What?', '450 No', '550 No', '221 Bye', '421 Off'),
  ...['STARTTLS', 'AUTH SCRAM-SHA-256 PLAIN XOAUTH2', 'XCLIENT NAME ADDR', 'XFORWARD NAME SOURCE'].map(
    (keyword) => peer(`250-mx.example.com\r\n250 ${keyword}\r\n`),
  ),
  ...['send', 'mailData', 'much mailData', 'bad mailData', 'endOfMailData', 'inquire', 'quit'].map(host),
  ...['compute', 'tlsEstablished', 'lost', 'timeout'].map(host),
];

export const movesOf = (end: End): readonly Move[] => (end === 'server' ? serverMoves : clientMoves);

/** A session that has gone this way; only from then on its host answers by itself. */
export function targetOf(end: End, mode: string, host: Host, way: readonly Move[] = []): Target {
  const target = end === 'server' ? new ServerTarget(mode) : new ClientTarget(mode);
  for (const move of way) target.take(move);
  target.host = host;
  return target;
}

const TO_MAIL_DATA: readonly Move[] = [host('send'), ...lines('250 OK', '250 OK', '250 OK', '250 OK')];

/** Several moves at once, where the state that they go through stays the same, or is known by another way. */
const stepsOf: Readonly<Record<End, readonly (readonly Move[])[]>> = {
  server: [],
  client: [
    TO_MAIL_DATA,
    // Several chunks are in flight: before the last, and when the first is refused. Without PIPELINING one is all there may be.
    [host('much mailData'), host('endOfMailData')],
    [host('much mailData'), host('much mailData'), ...lines('550 No')],
    [...lines('250-mx.example.com\r\n250 CHUNKING'), ...TO_MAIL_DATA, host('much mailData')],
  ],
};

const known = new Map<string, ReadonlyMap<string, readonly Move[]>>();

/** Modes that differ in what is taken, and not in the way of a dialogue, have the ways of one of them. */
const LIKE: Readonly<Record<End, { readonly [mode: string]: string }>> = {
  server: { lmtp: 'lmtp' },
  client: {
    bdat: 'bdat',
    lmtp: 'lmtp',
    xclient: 'xclient',
    xforward: 'xforward',
    auth: 'auth',
    token: 'auth',
  },
};

/** By the state that it leads to. An application that answers by itself is not to be met on the way. */
export function waysOf(end: End, mode: string): ReadonlyMap<string, readonly Move[]> {
  const like = LIKE[end][mode] ?? (end === 'server' ? 'reject' : 'data');
  const name = `${end} ${like}`;
  const ways = known.get(name) ?? walk(end, like);
  known.set(name, ways);
  return ways;
}

function walk(end: End, mode: string): ReadonlyMap<string, readonly Move[]> {
  const ways = new Map<string, readonly Move[]>();
  let front: (readonly Move[])[] = [[]];
  while (front.length > 0) {
    const next: (readonly Move[])[] = [];
    for (const way of front) {
      const { state } = targetOf(end, mode, 'waits', way);
      if (ways.has(state)) continue;
      ways.set(state, way);
      for (const step of [...movesOf(end).map((move) => [move]), ...stepsOf[end]]) {
        const longer = [...way, ...step];
        const reached = targetOf(end, mode, 'waits', longer).state;
        if (reached !== state && !ways.has(reached)) next.push(longer);
      }
    }
    front = next;
  }
  return ways;
}
