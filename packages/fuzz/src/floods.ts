/**
 * What takes a session long, if anything does: inputs that are long in one way. Sixteen times as much may take thirty-two
 * times as long at most, and the session may hold no more of it than its limits allow.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type End, octetsOf } from './story.js';
import type { Target } from './target.js';
import { targetOf, waysOf } from './ways.js';

export interface Flood {
  readonly name: string;
  readonly end: End;
  readonly mode: string;
  readonly state: string;
  /** In chunks of so many octets. */
  readonly chunk: number;
  /** Of about so many octets. */
  text(octets: number): string;
}

const repeated =
  (piece: string, before = '', after = '') =>
  (octets: number): string =>
    before + piece.repeat(Math.max(1, Math.floor(octets / piece.length))) + after;

const READ = 65_536;
const server = (name: string, state: string, text: Flood['text'], mode = 'patient', chunk = READ): Flood => ({
  name,
  end: 'server',
  mode,
  state,
  chunk,
  text,
});
const client = (name: string, state: string, text: Flood['text'], mode = 'patient', chunk = READ): Flood => ({
  ...server(name, state, text, mode, chunk),
  end: 'client',
});

/** As deep in as the line is long. */
const nested = (open: string, close: string) => (octets: number) =>
  open.repeat(Math.floor(octets / 2)) + close.repeat(Math.floor(octets / 2));

const [GREETED, READY, OPENED, ADDRESSED, RECEIVING] = [
  'session.greeted',
  'session.ready',
  'session.transaction.opened',
  'session.transaction.addressed',
  'session.transaction.receiving',
] as const;

export const floods: readonly Flood[] = [
  server('a line without end', GREETED, repeated('x')),
  server('a line without end, octet by octet', GREETED, repeated('x'), 'patient', 1),
  server('NOOP, octet by octet', READY, repeated('NOOP\r\n'), 'patient', 1),
  server('NOOP, pipelined', READY, repeated('NOOP\r\n')),
  server('empty lines', READY, repeated('\r\n')),
  server('line feeds', READY, repeated('\n')),
  server('line feeds, normalized', READY, repeated('\n'), 'patientNormalize'),
  server('carriage returns', READY, repeated('\r')),
  server('NULs', READY, repeated('\0')),
  server('lines of garbage', READY, repeated('\xff\xfe \x01\r\n')),
  server('recipients', OPENED, repeated('RCPT TO:<bob@example.com>\r\n')),
  server('wrong recipients', OPENED, repeated('RCPT TO:<bob example>\r\n')),
  server(
    'mail transactions',
    READY,
    repeated('MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRSET\r\n'),
  ),
  server('parameters', READY, repeated(' X=1', 'MAIL FROM:<a@b>', '\r\n')),
  server('lines with many parameters', READY, repeated(`MAIL FROM:<a@b>${' X=1'.repeat(100)}\r\nRSET\r\n`)),
  server('a source route', READY, repeated('@a,', 'MAIL FROM:<', ':a@b>\r\n')),
  server('source routes', READY, repeated(`MAIL FROM:<${'@a,'.repeat(100)}@b:a@b>\r\nRSET\r\n`)),
  server('a quoted string', READY, repeated('\\"', 'MAIL FROM:<"', '"@b>\r\n')),
  server('quoted strings', READY, repeated(`MAIL FROM:<"${'\\"'.repeat(150)}"@b>\r\nRSET\r\n`)),
  server('nested comments', READY, nested('(', ')'), 'patientLenient'),
  server('nested angle brackets', READY, nested('<', '>'), 'patientLenient'),
  server('xtext', READY, repeated(`MAIL FROM:<a@b> ENVID=${'+2B'.repeat(30)}\r\nRSET\r\n`)),
  server('base64', 'session.authenticating.challenged', repeated('QUJD', '', '\r\n')),
  server('AUTH', READY, repeated(`AUTH PLAIN ${'QUJD'.repeat(100)}\r\n`)),
  server('dots', RECEIVING, repeated('.')),
  server('lines of a dot too many', RECEIVING, repeated('..\r\n')),
  server('dots, octet by octet', RECEIVING, repeated('..\r\n'), 'patient', 1),
  server('ends that are none', RECEIVING, repeated('\r\n.\r')),
  server('bare line feeds in a message', RECEIVING, repeated('\n.\n')),
  server('bare line feeds in a message, normalized', RECEIVING, repeated('\n.\n'), 'patientNormalize'),
  server('messages', READY, repeated('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n')),
  server('chunks', ADDRESSED, repeated('BDAT 1\r\nx')),
  server('chunks of nothing', ADDRESSED, repeated('BDAT 0\r\n')),
  server('a BDAT of many digits', ADDRESSED, repeated('9', 'BDAT ', '\r\n')),
  client('a reply without end', 'session.greeting', repeated('x', '220 ')),
  client('a reply without end, octet by octet', 'session.greeting', repeated('x', '220 '), 'patient', 1),
  client('a greeting of many lines', 'session.greeting', repeated('220-x\r\n', '', '220 x\r\n')),
  client('a greeting of many lines, octet by octet', 'session.greeting', repeated('220-x\r\n'), 'patient', 1),
  client(
    'EHLO keywords',
    'session.identifying',
    repeated('250-XKEYWORD a b c\r\n', '250-b\r\n', '250 x\r\n'),
  ),
  client(
    'an EHLO keyword of many parameters',
    'session.identifying',
    repeated(' x', '250 b\r\n250 AUTH', '\r\n'),
  ),
  client(
    'EHLO keywords of many parameters',
    'session.identifying',
    repeated(`250-AUTH${' X'.repeat(500)}\r\n`, '250-b\r\n', '250 x\r\n'),
  ),
  client(
    'LIMITS',
    'session.identifying',
    repeated(`250-LIMITS${' RCPTMAX=1'.repeat(100)}\r\n`, '250-b\r\n', '250 x\r\n'),
  ),
  client('a challenge', 'session.authentication.responding', repeated('QUJD', '334 ', '\r\n'), 'auth'),
  client('challenges', 'session.authentication.responding', repeated('334 QUJD\r\n'), 'auth'),
  client('replies that nobody waits for', 'session.ready', repeated('250 x\r\n')),
  client(
    'a refusal of many lines',
    'session.transaction.mailing',
    repeated('550-5.1.1 x\r\n', '', '550 5.1.1 x\r\n'),
  ),
  client('line feeds', 'session.greeting', repeated('\n')),
  client('NULs', 'session.greeting', repeated('\0')),
];

/** Microseconds that this process has worked: what others do meanwhile does not count. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const opened = ({ end, mode, state }: Flood): Target =>
  targetOf(end, mode, 'accepts', waysOf(end, mode).get(state));

/** Into each of these sessions by turns. */
function pour(targets: readonly Target[], octets: Uint8Array, chunk: number): void {
  for (let begin = 0; begin < octets.length; begin += chunk) {
    for (const target of targets) {
      if (!target.isClosed) target.take({ by: 'peer', octets: octets.subarray(begin, begin + chunk) });
    }
  }
}

/**
 * How many times as long it takes for sixteen times as much: each the best of five, or of twenty where that is more than may
 * be, for the machine may have been busy with something else.
 *
 * The long one is compared with sixteen sessions side by side, into which the short one is poured by turns. So as much is
 * held in both, and they cost the garbage collector the same: what that does is linear as well, but costs nothing at all
 * for a session alone that holds little.
 */
export function growthOf(flood: Flood, octets: number): number {
  const long = octetsOf(flood.text(octets));
  const short = octetsOf(flood.text(octets / 16));
  // The short one in eight chunks at least, so that all sixteen are under way at once.
  const chunk = Math.min(flood.chunk, Math.ceil(short.length / 8));
  const timeOf = (some: Uint8Array, sessions: number, times: number): number => {
    // What little the small ones leave is not worth the time.
    if (octets >= 1024 * 1024) collectGarbage();
    const begin = worked();
    for (let time = 0; time < times; time++) {
      const targets = Array.from({ length: sessions }, () => opened(flood));
      pour(targets, some, chunk);
    }
    return worked() - begin;
  };
  // What takes less than some milliseconds cannot be measured, nor what the interpreter still does.
  let times = 1;
  while (timeOf(short, 16, times) < 4_000) times *= 2;
  let [shortest, longest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < 5 || (run < 20 && 16 * longest > 32 * shortest); run++) {
    shortest = Math.min(shortest, timeOf(short, 16, times));
    longest = Math.min(longest, timeOf(long, 1, times));
  }
  return (16 * longest) / shortest;
}

function occupied(): number {
  // What one collection finds, V8 may count until the next.
  for (let time = 0; time < 2; time++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * A session of its own, after the flood, whose reads are arrays of their own as from a socket: the last one it may hold. All the
 * octets are gone when this returns: as an argument they would be there still.
 */
function flooded(flood: Flood, octets: number): Target {
  const target = opened(flood);
  const all = octetsOf(flood.text(octets));
  for (let begin = 0; begin < all.length && !target.isClosed; begin += flood.chunk) {
    target.take({ by: 'peer', octets: all.slice(begin, begin + flood.chunk) });
  }
  return target;
}

/** Octets that a session holds after the flood beyond those that it held before. */
export function heldAfter(flood: Flood, octets: number): number {
  const held = (amount: number): number => {
    const target = flooded(flood, amount);
    const then = occupied();
    // Used after the measurement, so that it was there.
    return target.isClosed && target.fault !== undefined ? Number.POSITIVE_INFINITY : then;
  };
  // The client that waits for replies of any length holds them.
  const { end, mode } = flood;
  if (end === 'client' && mode === 'patient') return heldAfter({ ...flood, mode: 'data' }, octets);
  const before = held(1_000);
  return held(octets) - before;
}
