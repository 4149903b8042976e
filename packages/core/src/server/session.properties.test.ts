import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compute, stored } from '../sasl/running.test-support.js';
import type { ServerOutput } from './contract/messages.js';
import type { ServerSessionOptions } from './contract/options.js';
import type { Answer, Question } from './decisions/questions.js';
import {
  type Application,
  accept,
  base64,
  Dialogue,
  hangUp,
  octetsOf,
  reject,
  type TimelessInput,
  textOf,
  utf8,
} from './dialogue.test-support.js';
import { handInLent } from './lent-octets.test-support.js';
import { ServerSession } from './session.js';

/** Small limits, so that random dialogues meet them. */
const limits: ServerSessionOptions = {
  hostname: 's.example',
  maximumMessageSize: 30,
  maximumRecipients: 2,
  maximumErrors: 4,
  maximumCommandLength: 40,
  maximumTextLineLength: 12,
  startTls: 'offered',
  authentication: { mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'], allowInsecure: true },
  trusted: true,
};

const ownReply = (code: number, text: string): Answer => ({
  decision: code < 400 ? 'accept' : 'reject',
  reply: { code, lines: [text] },
});

const OWN_CODES: { readonly [Kind in Question['kind']]?: number } = { data: 354, authenticate: 235 };

/** Decides by what the client wrote, so that the same dialogue gets the same answers. */
const decide: Application = (question) => {
  const subject = subjectOf(question);
  if (subject.includes(`bye-${question.kind}`)) return hangUp;
  if (subject.includes(`own-${question.kind}`)) return ownReply(OWN_CODES[question.kind] ?? 250, 'Own');
  if (subject.includes(`no-${question.kind}`)) return ownReply(450, 'Refused\r\nfor now');
  if (question.kind === 'credentials') return { decision: 'accept', credentials: stored('p') };
  // What comes in the clear behind an accepted STARTTLS ends the session, one way or the other.
  return question.kind === 'expand' || question.kind === 'startTls' ? reject : accept;
};

function subjectOf(question: Question): string {
  switch (question.kind) {
    case 'connect':
      return '';
    case 'hello':
      return question.hello.name;
    case 'mail':
      return question.reversePath?.localPart ?? '';
    case 'rcpt':
      return question.forwardPath.localPart;
    case 'data':
    case 'message':
      return question.envelope.recipients.map(({ forwardPath }) => forwardPath.localPart).join();
    case 'startTls':
      return '';
    case 'credentials':
      return question.username;
    case 'authenticate':
      return 'username' in question.attempt ? question.attempt.username : '';
    default:
      return question.argument;
  }
}

const hello = fc.constantFrom('EHLO c', 'ehlo c', 'HELO c', 'EHLO no-hello', 'EHLO own-hello', 'EHLO');
const mail = fc.constantFrom(
  ...[
    'MAIL FROM:<a@b>',
    'MAIL FROM:<>',
    'MAIL FROM:<no-mail@b>',
    'MAIL FROM:<own-mail@b>',
    'MAIL FROM:<a@b> X=1',
  ],
  ...['MAIL FROM:a@b SIZE=5', 'MAIL\tFROM:\t< a@b >\tSIZE=5', 'MAIL FROM:< >', 'MAIL FROM:a@b,c@d'],
  ...['MAIL FROM:<a@b> SIZE=5', 'MAIL FROM:<a@b> SIZE=31', 'MAIL FROM:<a@b> SIZE=x', 'MAIL FROM:a@b'],
  `MAIL FROM:<a@b>${' '.repeat(40)}SIZE=5`,
);
const rcpt = fc.constantFrom(
  ...['RCPT TO:a@b', 'RCPT\tTO:< postmaster >', 'RCPT TO:a@b c@d', 'RCPT TO:own-rcpt@b'],
  ...['RCPT TO:<a@b>', 'RCPT TO:<no-rcpt@b>', 'RCPT TO:<own-rcpt@b>', 'RCPT TO:<no-data@b>'],
  ...[
    'RCPT TO:<own-data@b>',
    'RCPT TO:<no-message@b>',
    'RCPT TO:<own-message@b>',
    'RCPT TO:<a@b> X',
    'RCPT TO:<>',
  ],
);
const other = fc.constantFrom(
  ...['RSET', 'NOOP', 'NOOP x', 'VRFY x', 'VRFY no-verify', 'EXPN x', 'HELP', 'DATA', 'DATA x', 'FOO', ''],
  ...['NOOP\n', 'a\rb', '\0', `NOOP ${'x'.repeat(33)}`, `NOOP ${'x'.repeat(34)}`, 'x'.repeat(200), 'caf\xe9'],
);
const DIGEST = createHmac('md5', 'p').update('<0.0@s.example>').digest('hex');
/** AUTH exchanges, right and wrong; what of them is not asked for is a command, or none. */
const exchange = fc.constantFrom(
  ...[`AUTH PLAIN ${base64('\0u\0p')}`, `AUTH PLAIN\r\n${base64('\0no-authenticate\0p')}`, 'AUTH PLAIN\r\n*'],
  ...[
    `AUTH LOGIN\r\n${base64('own-authenticate')}\r\n${base64('p')}`,
    'AUTH LOGIN =',
    'AUTH X',
    'AUTH PLAIN\r\nx',
  ],
  ...[`AUTH CRAM-MD5\r\n${base64(`u ${DIGEST}`)}`, `AUTH CRAM-MD5\r\n${base64(`u ${'0'.repeat(32)}`)}`],
  `AUTH PLAIN\r\n${'A'.repeat(13_000)}`,
);
const negotiation = fc.constantFrom(
  ...['STARTTLS', 'STARTTLS x', 'XCLIENT NAME=c', 'XCLIENT ADDR=192.0.2.1 LOGIN=u', 'XFORWARD NAME=c'],
);
const international = fc.constantFrom(
  ...['MAIL FROM:<é@b> SMTPUTF8', 'MAIL FROM:<é@b>', 'RCPT TO:<é@b>', 'VRFY é SMTPUTF8', 'VRFY é'].map(utf8),
);
const ending = fc.constantFrom(
  ...['BDAT 5\n', 'BDAT\r5', 'BDAT\0', `BDAT 5${' '.repeat(13_000)}`, 'BDAT\n5 LAST'],
  'QUIT',
  'QUIT\tnow',
  'EHLO bye-hello',
  'MAIL FROM:<bye-mail@b>',
  'RCPT TO:<bye-message@b>',
);
const line = fc.oneof(
  { weight: 2, arbitrary: hello },
  { weight: 5, arbitrary: mail },
  { weight: 5, arbitrary: rcpt },
  { weight: 5, arbitrary: other },
  { weight: 2, arbitrary: exchange },
  { weight: 1, arbitrary: negotiation },
  { weight: 2, arbitrary: international },
  { weight: 1, arbitrary: ending },
);

const text = fc
  .array(fc.constantFrom('\r\n', '\r\n', '.', '.', '\r', '\n', '\0', 'a', '\xe9', 'x'.repeat(7), '\r\n.\r'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));
/** A mail transaction as it should be, with any text in it. */
const transaction = text.map(
  (body) => `EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n${body}\r\n.\r\n`,
);
/** Octets behind BDAT, or some of them, or more. */
const chunk = fc
  .tuple(text, fc.constantFrom(0, 0, 0, 0, 1, -1), fc.constantFrom('', '', ' LAST'))
  .map(([octets, more, last]) => `BDAT ${Math.max(octets.length + more, 0)}${last}\r\n${octets}`);
const chunkedTransaction = fc
  .tuple(fc.constantFrom('', ' BODY=BINARYMIME'), fc.array(chunk, { maxLength: 4 }))
  .map(([body, chunks]) => `EHLO c\r\nMAIL FROM:<a@b>${body}\r\nRCPT TO:<c@d>\r\n${chunks.join('')}`);
const stretch = fc.oneof(
  { weight: 6, arbitrary: line.map((command) => `${command}\r\n`) },
  { weight: 3, arbitrary: transaction },
  { weight: 3, arbitrary: chunkedTransaction },
  { weight: 1, arbitrary: chunk },
  { weight: 2, arbitrary: text.map((body) => `DATA\r\n${body}\r\n.\r\n`) },
  { weight: 1, arbitrary: text },
);
const dialogue = fc.array(stretch, { maxLength: 10 }).map((parts) => parts.join(''));
const modes = fc.record({
  bareNewline: fc.constantFrom('reject' as const, 'normalize' as const, 'keep' as const),
  lenient: fc.boolean(),
});

/** Cuts a text into chunks, each of the lengths again and again. */
function cut(whole: string, lengths: readonly number[]): string[] {
  const chunks: string[] = [];
  for (let from = 0, count = 0; from < whole.length; count++) {
    const length = lengths[count % lengths.length] ?? whole.length;
    chunks.push(whole.slice(from, from + length));
    from += length;
  }
  return chunks;
}

/** What an observer can tell of a run, apart from how it was cut into outputs. */
interface Observation {
  readonly written: string;
  /** All but the writes; mail data as one piece, and none that was taken back. */
  readonly events: readonly string[];
}

function observe(outputs: readonly ServerOutput[]): Observation {
  let written = '';
  let mailData = '';
  const events: string[] = [];
  for (const output of outputs) {
    if (output.type === 'write') written += textOf(output.bytes);
    else if (output.type === 'mailData') mailData += textOf(output.bytes);
    else {
      if (output.type !== 'abandonMailData' && mailData !== '') events.push(JSON.stringify({ mailData }));
      mailData = '';
      events.push(JSON.stringify(output));
    }
  }
  return { written, events };
}

/** The question in a form that can be cloned: without the secrets, which are none of the observer's. */
const seen = (question: Question): Question => JSON.parse(JSON.stringify(question));

/**
 * Hands in the chunks one by one, as they are or lent, and then the end. The application lets as many inputs pass before each answer
 * as `delays` says, again and again; none means at once.
 */
function run(
  chunks: readonly string[],
  delays: readonly number[],
  options: ServerSessionOptions,
  { lends = true } = {},
): Observation {
  const session = new ServerSession({ ...options, now: 0 });
  const outputs: ServerOutput[] = [];
  let asked = 0;
  let patience = 0;
  const answer = (question: Question) =>
    session.handle({ type: 'answer', ...(decide(question) ?? accept), now: 0 });
  const drain = () => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      outputs.push(
        structuredClone(output.type === 'ask' ? { ...output, question: seen(output.question) } : output),
      );
      if (output.type === 'compute') {
        const { computation } = output;
        const result =
          computation.kind === 'random' ? new Uint8Array(computation.octets) : compute(computation);
        session.handle({ type: 'computed', result, now: 0 });
      }
      if (output.type !== 'ask') continue;
      patience = delays[asked++ % delays.length] ?? 0;
      if (patience === 0) answer(output.question);
    }
  };
  const inputs: TimelessInput[] = chunks.map((chunk) => ({ type: 'bytes', bytes: octetsOf(chunk) }));
  drain();
  for (const input of [...inputs, { type: 'eof' } as const]) {
    if (input.type === 'bytes' && lends) handInLent(session, input.bytes, 0, drain);
    else {
      session.handle({ ...input, now: 0 });
      drain();
    }
    while (session.question !== undefined && --patience <= 0) {
      answer(session.question);
      drain();
    }
  }
  for (let { question } = session; question !== undefined; question = session.question) {
    answer(question);
    drain();
  }
  expect(session.state).toBe('closed');
  return observe(outputs);
}

describe('any dialogue', () => {
  it('goes the same way however its octets are cut, and however late the application answers', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
    const delays = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(dialogue, lengths, delays, modes, (whole, ...[cuts, waits, mode]) => {
        const options = { ...limits, ...mode };
        const expected = run([whole], [0], options, { lends: false });
        expect(run(cut(whole, cuts), [0], options)).toEqual(expected);
        expect(run(cut(whole, cuts), waits, options)).toEqual(expected);
        expect(run([...whole], [1], options)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('gives one reply to each command line, and one to each message', () => {
    const lines = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.oneof(hello, mail, rcpt, other)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('EHLO c'), mail, rcpt, rcpt, fc.constant('DATA')) },
    );
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 20 }), fc.boolean(), (steps, lenient) => {
        const session = new Dialogue({ ...limits, lenient, application: decide });
        const countReplies = (replies: readonly string[]) =>
          replies.filter((reply) => reply[3] === ' ').length;
        expect(countReplies(session.replies)).toBe(1);
        for (const command of steps.flat()) {
          const replies = session.say(command);
          expect(countReplies(replies)).toBe(1);
          if (session.session.state === 'session.transaction.receiving') {
            expect(countReplies(session.octets('.\r\n'))).toBe(1);
          }
          if (session.session.state === 'closing') break;
        }
      }),
      { numRuns: 200 },
    );
  });
});
