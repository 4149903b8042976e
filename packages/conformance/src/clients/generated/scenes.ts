/** Servers and tasks that are generated: what a client may meet, and be asked for. A scene shrinks towards a server that takes everything. */
import type { Moment, Script, Step, StepDetails, Steps } from '@sansmtp/testing';
import { message, serverBehaviour } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import { messageWith } from '../client-case.js';
import type { Setup, Task } from '../contract.js';
import type { Scene } from '../observe.js';

/** Milliseconds that a generated server waits at most: enough to see who does not wait for it. */
const LONGEST_PAUSE = 60;

const KEYWORDS = [
  'PIPELINING',
  'SIZE 1000000',
  '8BITMIME',
  'SMTPUTF8',
  'CHUNKING',
  'DSN',
  'size 0',
  'SIZE 100',
  'XYZZY a=b',
];
const RECIPIENTS = ['bob@example.com', 'Eve.Smith@example.com', 'joe@example.com', 'jürgen@example.com'];

/** Time is real: what waits for minutes waits for moments. */
function hurried(step: Step): Step {
  if (typeof step !== 'object') return step;
  const { wait, stall, ...rest }: StepDetails = step;
  return {
    ...rest,
    ...(wait !== undefined && { wait: wait % LONGEST_PAUSE }),
    ...(stall !== undefined && { stall: { after: stall.after, for: stall.for % LONGEST_PAUSE } }),
  };
}

function hurriedScript({ offers: _, ...script }: Script): Script {
  const moments = Object.entries(script) as [Moment, Steps][];
  return Object.fromEntries(
    moments.map(([moment, steps]) => [moment, ([steps].flat() as Step[]).map(hurried)]),
  );
}

const ehlo = (keywords: readonly string[]): string => {
  const lines = ['script.test', ...keywords];
  return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n');
};

/** A pause before a reply shows who does not wait for it. */
const pauses: fc.Arbitrary<Script> = fc.constantFrom<Script>(
  {},
  {},
  {
    MAIL: { reply: '250 2.1.0 OK', wait: 40 },
    DATA: { reply: '354 Go on', wait: 40 },
    message: { reply: '250 2.0.0 OK', wait: 40 },
  },
  {
    greeting: { reply: '220 script.test', wait: 40 },
    RCPT: { reply: '250-OK\n250 2.1.5 OK', stall: { after: 8, for: 40 } },
  },
  { DATA: '250 2.0.0 OK' },
  { message: ['299 Fine', '250 2.0.0 OK'], MAIL: '250 5.1.0 no problem' },
  { RCPT: ['250 2.1.5 OK', '550 5.1.1 No', '450 4.2.1 Later', '250 2.1.5 OK'] },
  { RCPT: '550 5.1.1 No' },
  { RCPT: { reply: '354 Go on', ending: 'stay' } },
  { MAIL: { reply: '421 4.3.2 Down', ending: 'stay' } },
  { MAIL: '451 4.3.0 Later', RCPT: '503 5.5.1 MAIL first', DATA: '503 5.5.1 MAIL first' },
  { EHLO: '500 What?' },
  { EHLO: '550 No', HELO: '550 No' },
  { QUIT: { reply: '221 2.0.0 Bye', stall: { after: 3, for: 40 } } },
);

/** How TLS begins, or does not. */
function tlsBeginning(
  before: readonly string[],
  after: readonly string[],
  auth: readonly string[],
): fc.Arbitrary<Script> {
  const usual: Script = { EHLO: [ehlo(['STARTTLS', ...before]), ehlo([...after, ...auth])] };
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(usual) },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Script>(
        { EHLO: ehlo([...before, ...auth]) },
        { EHLO: [ehlo(['STARTTLS', ...before]), ehlo(['STARTTLS', ...after, ...auth])] },
        { ...usual, STARTTLS: '454 4.7.0 Not now' },
        { ...usual, STARTTLS: { reply: '220 Go on', ending: 'failHandshake' } },
        {
          EHLO: [ehlo(['STARTTLS']), { reply: ehlo(auth), wait: 60 }],
          STARTTLS: '220 Go on\n250-script.test\n250 SIZE',
        },
        { EHLO: [ehlo(['STARTTLS', ...before, ...auth]), ehlo(after)] },
      ),
    },
  );
}

const authSteps: fc.Arbitrary<Script> = fc.constantFrom<Script>(
  {},
  {},
  {},
  { AUTH: '535 5.7.8 No' },
  { AUTH: '454 4.7.0 Later' },
  { AUTH: '334 ' },
  { AUTH: ['334 VXNlcm5hbWU6', '535 5.7.8 No'] },
);

function scriptFor(setup: Setup): fc.Arbitrary<Script> {
  const keywords = fc.subarray(KEYWORDS);
  const beginning =
    setup === 'startTls' || setup === 'login'
      ? fc
          .tuple(
            keywords,
            keywords,
            fc.constantFrom('AUTH PLAIN LOGIN', 'AUTH LOGIN', 'AUTH PLAIN', 'AUTH XYZZY'),
          )
          .chain(([before, after, auth]) => tlsBeginning(before, after, setup === 'login' ? [auth] : []))
      : fc.constant<Script>({});
  const behaviour = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Script>({}) },
    { weight: 3, arbitrary: pauses },
    { weight: 4, arbitrary: serverBehaviour().map(hurriedScript) },
  );
  return fc
    .tuple(keywords, behaviour, beginning, setup === 'login' ? authSteps : fc.constant<Script>({}))
    .map(([offers, some, first, auth]) => ({ offers, ...some, ...first, ...auth }));
}

/** A message with a header of ours, and a body that is biased to dots and line ends; now and then with bare ones. */
const body: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 6, arbitrary: message() },
    { weight: 2, arbitrary: message({ wellFormed: false }) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(
          '.\r\n',
          ' .a\r\n',
          'x  \r\n',
          `${'y'.repeat(1200)}\r\n`,
          'Grüße\r\n',
          `x${'.'.repeat(70)}\r\n`.repeat(200),
          'no end',
          'a\0b\r\n',
        )
        .map((text) => new TextEncoder().encode(text)),
    },
  )
  .map((octets) => Uint8Array.from(Buffer.concat([messageWith(''), octets])));

const task: fc.Arbitrary<Pick<Task, 'from' | 'to' | 'message'>> = fc.record({
  from: fc.constantFrom('ann@example.org', 'Ann@Example.org', ''),
  to: fc.subarray(RECIPIENTS, { minLength: 1 }),
  message: body,
});

/** What is met, and what is asked for. */
export function scene(setups: readonly Setup[]): fc.Arbitrary<Omit<Scene, 'limit'>> {
  return fc.constantFrom(...setups).chain((setup) =>
    fc.record({
      setup: fc.constant(setup),
      script: scriptFor(setup),
      task,
      stranger: fc.constantFrom(false, false, false, false, setup !== 'plain' && setup !== 'lmtp'),
    }),
  );
}
