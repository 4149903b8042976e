/** The server session beside a reference model, which predicts the code of every reply. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPORTER } from '../sasl/running.test-support.js';
import type { Answer, Question } from './decisions/questions.js';
import {
  type Application,
  accept,
  Dialogue,
  hangUp,
  linesOf,
  octetsOf,
  textOf,
} from './dialogue.test-support.js';
import { handInLent } from './lent-octets.test-support.js';
import {
  type Answering,
  type AuthenticationKind,
  type ChunkKind,
  chunks,
  limits,
  lineOf,
  messages,
  type Prediction,
  type Protocol,
  ReferenceModel,
  type Step,
} from './reference-model.test-support.js';
import { ServerSession } from './session.js';

const refusal: Answer = {
  decision: 'reject',
  reply: { code: 550, enhancedCode: '5.7.1', lines: ['No'] },
};
/** The answers that are given at once. */
const answers: Readonly<Partial<Record<Answering, Answer>>> = { accept, reject: refusal, hangUp };

/** Code and enhanced status code of each reply in these lines. */
const codesOf = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^\d{3} (?:\d\.\d\.\d+(?= )|)/.exec(line)?.[0].trim() ?? []);

/** The session, and an application that expects the questions which the model predicts. */
class Served {
  readonly dialogue: Dialogue;
  readonly #expected: { kind: Question['kind']; answer: Answering }[] = [];
  readonly #cuts: readonly number[];
  readonly protocol: Protocol;
  #open: Answering | undefined;

  /** @param cuts the lengths into which octets are cut, again and again; none leaves them whole */
  constructor(greeting: Prediction, cuts: readonly number[], protocol: Protocol, lenient: boolean) {
    this.#cuts = cuts;
    this.protocol = protocol;
    this.#expected.push(...greeting.questions);
    const application: Application = (question) => this.#decide(question);
    this.dialogue = new Dialogue({ ...limits, protocol, lenient, application });
    this.#finish();
  }

  /** All replies so far. */
  get codes(): string[] {
    return codesOf(this.dialogue.replies);
  }

  expect({ questions }: Prediction): void {
    this.#expected.push(...questions);
  }

  /** The client sends this. */
  send(text: string): void {
    for (let from = 0, count = 0; from < text.length; count += 1) {
      const length = this.#cuts[count % this.#cuts.length] ?? text.length;
      this.dialogue.octets(text.slice(from, from + length));
      this.#finish();
      from += length;
    }
  }

  pass(milliseconds: number): void {
    this.dialogue.timeoutAt(this.dialogue.now + milliseconds);
  }

  #decide({ kind }: Question): Answer | undefined {
    const expected = this.#expected.shift();
    expect(`asked ${kind}`).toBe(`asked ${expected?.kind ?? 'nothing'}`);
    this.#open = expected?.answer;
    return answers[this.#open ?? 'accept'];
  }

  /** Comes to the answers that take their time. */
  #finish(): void {
    const { session } = this.dialogue;
    while (session.question !== undefined) {
      const { decision } = limits.timeouts;
      this.pass(this.#open === 'never' ? decision : decision - 1);
      if (this.#open === 'never') expect(session.question).toBeUndefined();
      else this.dialogue.answer(accept);
    }
  }
}

const NOTHING: Prediction = { replies: [], questions: [] };

type ModelCommand = fc.Command<ReferenceModel, Served>;

function compare(served: Served, before: number, predictions: readonly Prediction[]): void {
  const predicted = predictions.flatMap(({ replies }) => replies);
  for (const code of predicted) reached.add(code);
  expect(served.codes.slice(before)).toEqual(predicted);
}

/** Every reply that was predicted and given. */
const reached = new Set<string>();

/** Lines that the client sends at once, and messages where the server asks for them. */
function batch(steps: readonly Step[]): ModelCommand {
  return {
    check: () => true,
    run(model, served) {
      const before = served.codes.length;
      const predictions: Prediction[] = [];
      let text = '';
      for (const step of steps) {
        const prediction = model.take(step);
        predictions.push(prediction);
        served.expect(prediction);
        text += octetsOfStep(step, prediction, served.protocol);
        if (prediction.message === 'stalled') break;
        if (prediction.upgrade === undefined) continue;
        served.send(text);
        served.dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER });
        text = '';
      }
      served.send(text);
      if (predictions.at(-1)?.message === 'stalled') served.pass(limits.timeouts.mailData);
      compare(served, before, predictions);
    },
    toString: () => steps.map(stepToString).join(' | '),
  };
}

/** What the client sends at a step. */
function octetsOfStep(step: Step, { behind = '', message }: Prediction, protocol: Protocol): string {
  // The octets behind BDAT are sent whatever the server will say to it.
  const chunk = step.verb === 'BDAT' ? chunks[step.chunk] : '';
  return `${lineOf(step, protocol)}\r\n${chunk}${behind}${message === undefined ? '' : messages[message]}`;
}

function stepToString(step: Step): string {
  const line = JSON.stringify(lineOf(step, 'smtp'));
  if (step.verb === 'BDAT') return `${line} (${step.answer}; ${step.chunk} chunk: ${step.verdict})`;
  if (step.verb === 'DATA') return `${line} (${step.answer}; ${step.message} message: ${step.verdict})`;
  return 'answer' in step ? `${line} (${step.answer})` : line;
}

const wait = (milliseconds: number): ModelCommand => ({
  check: () => true,
  run(model, served) {
    const before = served.codes.length;
    const prediction = model.wait(milliseconds);
    served.pass(milliseconds);
    compare(served, before, [prediction]);
  },
  toString: () => `wait ${milliseconds} ms`,
});

const shutDown: ModelCommand = {
  check: () => true,
  run(model, served) {
    const before = served.codes.length;
    const prediction = model.shutDown();
    served.dialogue.handle({ type: 'shutdown' });
    compare(served, before, [prediction]);
  },
  toString: () => 'shutdown',
};

const immediate = fc.oneof(
  { weight: 16, arbitrary: fc.constant<Answering>('accept') },
  { weight: 5, arbitrary: fc.constant<Answering>('reject') },
  { weight: 1, arbitrary: fc.constant<Answering>('hangUp') },
);
const anyhow = fc.oneof(
  { weight: 40, arbitrary: immediate },
  { weight: 4, arbitrary: fc.constant<Answering>('late') },
  { weight: 1, arbitrary: fc.constant<Answering>('never') },
);

const badLines: readonly (readonly [line: string, reply: string])[] = [
  ['', '500 5.5.2'],
  ['FOO', '500 5.5.1'],
  ['SEND FROM:<a@b>', '502 5.5.1'],
  ['RSET x', '501 5.5.4'],
  ['MAIL', '501 5.5.4'],
  ['MAIL FROM:<a@>', '501 5.1.7'],
  ['MAIL FROM:<a@b> =', '501 5.5.4'],
  ['RCPT TO:<>', '501 5.1.3'],
  ['DATA x', '501 5.5.4'],
  ['RCPT TO:a@b,c@d', '501 5.1.3'],
  ['MAIL FROM:Ann <a@b>', '501 5.1.7'],
  ['MAIL FROM:<a@b> (c)', '501 5.5.4'],
  ['VRFY', '501 5.5.4'],
  ['NOOP \x01', '501 5.5.2'],
  ['NOOP\n', '500 5.5.2'],
  ['NO\0OP', '500 5.5.2'],
  ['caf\xe9', '500 5.5.2'],
  [`NOOP ${'x'.repeat(54)}`, '500 5.5.2'],
  ['x'.repeat(300), '500 5.5.2'],
];

const MAIL_PARAMETERS = [
  'SIZE=100',
  'SIZE=101',
  'SIZE=x',
  'BODY=8BITMIME',
  'BODY=BINARYMIME',
  'BODY=X',
  'FOO=1',
];

const dataWith = (answer: fc.Arbitrary<Answering>, ...kinds: (keyof typeof messages)[]) =>
  fc.record({
    verb: fc.constant('DATA' as const),
    answer,
    message: fc.constantFrom(...kinds),
    verdict: answer,
  });

/** Whether a line is one that only lenient mode takes. */
const loose = fc.constantFrom(false, false, false, true);

/**
 * What a client may send: any one line, or a mail transaction as it should be, or the first part of one, or an AUTH
 * exchange behind all that leads to it.
 */
function stretchesWith(
  answer: fc.Arbitrary<Answering>,
  data: fc.Arbitrary<Step & { verb: 'DATA' }>,
  mayUpgrade: boolean,
): fc.Arbitrary<Step[]> {
  const hello = fc.record({
    verb: fc.constantFrom('EHLO' as const, 'EHLO' as const, 'HELO' as const),
    answer,
  });
  const mail = fc.record({
    verb: fc.constant('MAIL' as const),
    answer,
    parameter: fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      { weight: 2, arbitrary: fc.constantFrom(...MAIL_PARAMETERS) },
    ),
    length: fc.constantFrom(0, 0, 0, 0, 60, 61, 745, 746),
    loose,
  });
  const rcpt = fc.record({
    verb: fc.constant('RCPT' as const),
    answer,
    parameter: fc.constantFrom('', '', '', '', '', '', 'FOO'),
    loose,
  });
  const inquiry = fc.record({
    verb: fc.constantFrom('VRFY' as const, 'EXPN' as const, 'HELP' as const),
    answer,
  });
  const bdat = fc.record({
    verb: fc.constant('BDAT' as const),
    chunk: fc.constantFrom<ChunkKind[]>(
      'empty',
      'good',
      'good',
      'good',
      'half',
      'half',
      'malformed',
      'tooLarge',
    ),
    last: fc.boolean(),
    answer,
    verdict: answer,
  });
  const auth = fc.record({
    verb: fc.constant('AUTH' as const),
    kind: fc.constantFrom<AuthenticationKind[]>(
      'initial',
      'initial',
      'asked',
      'cancelled',
      'notBase64',
      'malformed',
    ),
    answer,
  });
  const startTls = fc.record({ verb: fc.constant('STARTTLS' as const), answer });
  const neutral = fc.constantFrom<Step>({ verb: 'NOOP' }, { verb: 'RSET' });
  const looseQuit = fc.constant<Step>({ verb: 'QUIT', loose: true });
  const bad = fc
    .constantFrom(...badLines)
    .map(([line, reply]): Step => ({ verb: 'bad', line, reply, aboutAddress: reply.startsWith('501 5.1.') }));
  const transaction = fc
    .tuple(hello, mail, fc.array(rcpt, { minLength: 1, maxLength: 3 }), data, fc.integer({ min: 1, max: 6 }))
    .map(([first, second, recipients, last, length]): Step[] =>
      [first, second, ...recipients, last].slice(0, length),
    );
  const chunked = fc
    .tuple(hello, mail, rcpt, fc.array(bdat, { minLength: 1, maxLength: 4 }))
    .map(([first, second, third, chunks]): Step[] => [first, second, third, ...chunks]);
  const authenticated = fc
    .tuple(hello, startTls, hello, fc.array(auth, { minLength: 1, maxLength: 3 }))
    .map(([first, second, third, exchanges]): Step[] =>
      mayUpgrade ? [first, second, third, ...exchanges] : [first, ...exchanges],
    );
  const line = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    ...[
      { weight: 3, arbitrary: hello },
      { weight: 5, arbitrary: mail },
      { weight: 6, arbitrary: rcpt },
      { weight: 4, arbitrary: data },
      { weight: 2, arbitrary: inquiry },
      { weight: 3, arbitrary: neutral },
      { weight: 5, arbitrary: bad },
      { weight: 1, arbitrary: looseQuit },
      { weight: 4, arbitrary: bdat },
      { weight: 3, arbitrary: auth },
      ...(mayUpgrade ? [{ weight: 1, arbitrary: startTls }] : []),
    ],
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(line) },
    { weight: 4, arbitrary: transaction },
    { weight: 3, arbitrary: chunked },
    { weight: 1, arbitrary: authenticated },
  );
}

const stretch = stretchesWith(
  anyhow,
  fc.oneof(
    { weight: 20, arbitrary: dataWith(anyhow, 'good', 'good', 'good', 'malformed', 'tooLarge') },
    { weight: 1, arbitrary: dataWith(anyhow, 'stalled') },
  ),
  true,
);

const command: fc.Arbitrary<ModelCommand> = fc.oneof(
  { weight: 30, arbitrary: stretch.map(batch) },
  { weight: 6, arbitrary: fc.array(stretch, { minLength: 2, maxLength: 4 }).map((all) => batch(all.flat())) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 45 }).map(wait) },
  { weight: 1, arbitrary: fc.constantFrom(99, 100, 101).map(wait) },
  { weight: 1, arbitrary: fc.constantFrom(batch([{ verb: 'QUIT', loose: false }]), shutDown) },
);

const cuts = fc.oneof(
  fc.constant<readonly number[]>([]),
  fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
);

const protocols = fc.constantFrom<Protocol>('smtp', 'smtp', 'lmtp');

describe('the server session', () => {
  it('gives the replies that a reference model predicts, to any client and application', () => {
    const connect = fc.oneof(
      { weight: 15, arbitrary: fc.constantFrom<Answering>('accept', 'late') },
      { weight: 1, arbitrary: fc.constantFrom<Answering>('reject', 'hangUp', 'never') },
    );
    fc.assert(
      fc.property(
        fc.commands([command], { maxCommands: 60, size: 'max' }),
        connect,
        cuts,
        protocols,
        fc.boolean(),
        (commands, answer, lengths, protocol, lenient) => {
          fc.modelRun(() => {
            const model = new ReferenceModel({ protocol, secured: false, lenient });
            const greeting = model.connect(answer);
            const real = new Served(greeting, lengths, protocol, lenient);
            compare(real, 0, [greeting]);
            return { model, real };
          }, commands);
        },
      ),
      { numRuns: 500 },
    );
    expect([...reached].sort()).toEqual([
      ...['214 2.0.0', '220', '220 2.0.0', '221 2.0.0', '235 2.7.0', '250', '250 2.0.0', '250 2.1.0'],
      ...['250 2.1.5', '252 2.5.0', '334', '354'],
      ...['421 4.3.0', '421 4.3.2', '421 4.4.2', '421 4.7.0', '452 4.5.3'],
      ...[
        '500 5.5.1',
        '500 5.5.2',
        '501 5.1.3',
        '501 5.1.7',
        '501 5.5.2',
        '501 5.5.4',
        '501 5.7.0',
        '502 5.5.1',
        '503 5.5.1',
      ],
      ...['504 5.5.4', '538 5.7.11', '550 5.7.1', '552 5.3.4', '554 5.5.1', '554 5.6.0', '555 5.5.4'],
    ]);
  });

  it('gives the same replies in whatever order chunks of the client and answers of the application come in', async () => {
    const steps = fc
      .array(stretchesWith(immediate, dataWith(immediate, 'good', 'malformed', 'tooLarge'), false), {
        maxLength: 12,
      })
      .map((stretches) => stretches.flat());
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        steps,
        cuts,
        protocols,
        fc.boolean(),
        async (scheduler, dialogue, lengths, protocol, lenient) => {
          const model = new ReferenceModel({ protocol, secured: true, lenient });
          const predictions = [model.connect('accept'), ...dialogue.map((each) => model.take(each))];
          const expected = predictions.flatMap(({ questions }) => questions);
          const text = dialogue
            .map((each, index) => octetsOfStep(each, predictions[index + 1] ?? NOTHING, protocol))
            .join('');

          const session = new ServerSession({ ...limits, protocol, lenient, tls: EXPORTER, now: 0 });
          let written = '';
          const asked: Question['kind'][] = [];
          const drain = () => {
            for (let output = session.poll(); output !== undefined; output = session.poll()) {
              if (output.type === 'write') written += textOf(output.bytes);
              if (output.type !== 'ask') continue;
              const answer = answers[expected[asked.length]?.answer ?? 'accept'] ?? accept;
              asked.push(output.question.kind);
              void scheduler.schedule(Promise.resolve(), `answer ${output.question.kind}`).then(() => {
                session.handle({ type: 'answer', ...answer, now: 0 });
                drain();
              });
            }
          };
          drain();
          const chunks: string[] = [];
          for (let from = 0, count = 0; from < text.length; count += 1) {
            const length = lengths[count % lengths.length] ?? text.length;
            chunks.push(text.slice(from, from + length));
            from += length;
          }
          scheduler.scheduleSequence(
            chunks.map((chunk) => ({
              label: `client ${JSON.stringify(chunk)}`,
              builder: async () => {
                handInLent(session, octetsOf(chunk), 0, drain);
              },
            })),
          );
          await scheduler.waitAll();
          const lines = linesOf([{ type: 'write', bytes: octetsOf(written) }]);
          expect(codesOf(lines)).toEqual(predictions.flatMap(({ replies }) => replies));
          expect(asked).toEqual(expected.map(({ kind }) => kind));
        },
      ),
      { numRuns: 100 },
    );
  });
});
