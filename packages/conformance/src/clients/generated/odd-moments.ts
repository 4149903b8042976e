/**
 * Servers that take everything but for a moment or two: there they say something else, say it otherwise, or say nothing. So a
 * client comes to each state of its session (RFC 5321 §3), and meets each class of reply there.
 */
import type { Moment, Script, Step } from '@sansmtp/testing';
import * as fc from 'fast-check';
import { LONGEST_PAUSE } from './timing.js';

interface Replies {
  /** What is said where nothing is odd. */
  readonly usual: string;
  /** Successes of another code (RFC 5321 §4.2.1: the first digit counts). */
  readonly others: readonly string[];
  readonly refusals: readonly string[];
}

const LATER = '451 4.3.0 Later';
const REFUSALS = [LATER, '450 4.2.1 Not now', '550 5.1.1 No such user', '554 5.7.1 No', '552 5.3.4 Too much'];
const SELDOM = ['499 4.0.0 What is that', '599 5.0.0 What is that', '503 5.5.1 Not now', '354 Go on'];

const AT: Readonly<
  Record<'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'BDAT' | 'message' | 'QUIT', Replies>
> = {
  greeting: { usual: '220 script.test', others: [], refusals: ['554 5.3.2 No', LATER, '521 5.3.2 No mail'] },
  EHLO: {
    usual: '250 script.test',
    others: [],
    refusals: ['500 5.5.2 What', '502 5.5.1 What', '550 5.7.1 No', LATER],
  },
  MAIL: {
    usual: '250 2.1.0 OK',
    others: ['251 2.1.0 OK', '299 2.0.0 Fine'],
    refusals: [...REFUSALS, ...SELDOM],
  },
  RCPT: {
    usual: '250 2.1.5 OK',
    others: ['251 2.1.5 OK', '299 2.0.0 Fine'],
    refusals: [...REFUSALS, ...SELDOM],
  },
  DATA: { usual: '354 Go on', others: [], refusals: ['250 2.0.0 OK', ...REFUSALS] },
  BDAT: { usual: '250 2.0.0 OK', others: ['299 2.0.0 Fine'], refusals: REFUSALS },
  message: {
    usual: '250 2.0.0 Stored',
    others: ['251 2.0.0 OK', '299 2.0.0 Fine'],
    refusals: [...REFUSALS, ...SELDOM],
  },
  QUIT: {
    usual: '221 2.0.0 Bye',
    others: ['250 2.0.0 Bye'],
    refusals: ['500 5.5.2 What', LATER, '550 5.0.0 No'],
  },
};

type OddMoment = keyof typeof AT;

/** A reply of several lines, whose words mean nothing; another class of enhanced status code neither. */
const manners = (text: string): readonly Step[] => {
  const code = text.slice(0, 3);
  const class_ = code[0] === '2' ? '5' : '2';
  const long = `${code}-no problem\n${code}-550 is only a word\n${text}`;
  return [
    long,
    `${code} ${class_}.1.0 no error`,
    code,
    { reply: text, wait: LONGEST_PAUSE },
    { reply: text, stall: { after: 2, for: LONGEST_PAUSE } },
    { reply: long, stall: { after: long.length - text.length + 2, for: LONGEST_PAUSE } },
    { reply: text, stall: { after: text.length + 2, for: LONGEST_PAUSE } },
  ];
};

/** What is no reply, or not one reply, or only half of one. */
const flaws = (text: string): readonly Step[] => [
  { octets: `${text.slice(0, 3)}-so far\r\n550 No\r\n`, ending: 'end' },
  { octets: `${text}\r\n250 2.0.0 OK\r\n` },
  { octets: text, ending: 'end' },
  { octets: `${text.slice(0, 3)}-and\r\n`, ending: 'end' },
  { octets: `${text.slice(0, 2)} OK\r\n`, ending: 'end' },
  { octets: '\r\n', ending: 'end' },
  { octets: `${text.slice(0, 3)}-a\r\n`.repeat(5000), ending: 'end' },
];

function oddStep(moment: OddMoment, silence: number | undefined): fc.Arbitrary<Step> {
  const { usual, others, refusals } = AT[moment];
  const leaves: readonly Step[] = ['421 4.3.2 Going down', { reply: '421 4.3.2 Going down', ending: 'stay' }];
  const kinds: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
    { weight: 6, arbitrary: fc.constantFrom<Step>(...refusals) },
    { weight: 4, arbitrary: fc.constantFrom(...manners(usual)) },
    { weight: 2, arbitrary: fc.constantFrom(...flaws(usual)) },
    { weight: 2, arbitrary: fc.constantFrom<Step>(...leaves, 'drop', 'end') },
  ];
  if (others.length > 0) kinds.push({ weight: 3, arbitrary: fc.constantFrom<Step>(...others) });
  if (silence !== undefined)
    kinds.push({ weight: 1, arbitrary: fc.constant({ wait: 3 * silence, reply: usual }) });
  return fc.oneof(...kinds);
}

/** One thing after the other: what is usual comes between. */
const oddSteps = (moment: OddMoment, silence: number | undefined): fc.Arbitrary<readonly Step[]> => {
  const usual = fc.constant<Step>(AT[moment].usual);
  const step = fc.oneof({ weight: 2, arbitrary: oddStep(moment, silence) }, { weight: 1, arbitrary: usual });
  return fc.oneof(
    { weight: 2, arbitrary: oddStep(moment, silence).map((only) => [only]) },
    { weight: 3, arbitrary: fc.array(step, { minLength: 2, maxLength: 4 }) },
  );
};

/** After a MAIL that was refused, a server refuses what was pipelined behind it, or asks for mail data all the same. */
function consistent(script: Script): fc.Arbitrary<Script> {
  const goOn: Script = { RCPT: '503 5.5.1 MAIL first', DATA: '503 5.5.1 MAIL first' };
  return script.MAIL === undefined
    ? fc.constant(script)
    : fc.constantFrom(script, { ...script, ...goOn }, { ...goOn, ...script });
}

/** @param silence milliseconds after which the client gives up, if servers are to fall silent as well */
export function oddServer(isLmtp: boolean, silence: number | undefined): fc.Arbitrary<Script> {
  const moments = (Object.keys(AT) as OddMoment[]).filter((moment) => moment !== 'BDAT');
  const moment = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...moments) },
    { weight: 4, arbitrary: fc.constantFrom<OddMoment>('RCPT', 'message') },
    { weight: 1, arbitrary: fc.constant<OddMoment>('BDAT') },
  );
  const part = moment.chain((each) => {
    const name: Moment = each === 'EHLO' && isLmtp ? 'LHLO' : each;
    return oddSteps(each, silence).map((steps): Script => ({ [name]: steps }));
  });
  const helo = fc.constantFrom<Script>({}, {}, { HELO: '550 5.7.1 No' });
  return fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 2 }), helo)
    .map(([parts, first]): Script => Object.assign({}, first, ...parts))
    .chain(consistent);
}
