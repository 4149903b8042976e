/**
 * The application's answer to the question that is open: checked, counted where it refuses, and told to the chart. What the
 * client then hears of it, `performing.ts` says.
 */
import { checkAnswer, completed } from './contract/answers.js';
import type { Answer, Question } from './decisions/questions.js';
import { defaultReplies } from './decisions/replies.js';
import type { Dialogue } from './dialogue.js';
import { step } from './stepping.js';

/** What nearly every step tells the chart, and its messages. */
const ACCEPTED = { type: 'accepted' } as const;
const ACCEPTANCE: Answer = { decision: 'accept' };

/** The questions that are only answered: nothing else is known, begun or counted with their acceptance. */
const TAKES_MERE_ACCEPTANCE: ReadonlySet<Question['kind']> = new Set(['mail', 'rcpt', 'data', 'message']);

/**
 * What `takeAnswer` does with an acceptance without a word, where that says everything and nobody is to be told of it.
 * @returns false: nothing was done
 */
export function takeMereAcceptance(dialogue: Dialogue, now: number): boolean {
  const { question, observing } = dialogue;
  if (question === undefined || observing?.wants('decision') || !TAKES_MERE_ACCEPTANCE.has(question.kind)) {
    return false;
  }
  // No client waits while a question is open, nor is the time of its message running.
  dialogue.time.pass(now, false);
  dialogue.answer = ACCEPTANCE;
  return step(dialogue, ACCEPTED);
}

/** @throws as `ServerSession.handle()` of an answer; the question stays open */
export function takeAnswer(dialogue: Dialogue, answer: Answer): void {
  const { question, options, observing } = dialogue;
  checkAnswer(question, answer, options.protocol, dialogue.state);
  const { decision } = answer;
  if (question.kind === 'hello' && decision === 'accept') {
    dialogue.offer = dialogue.reading.offerTo(question.hello.verb, dialogue.client, answer.withhold);
  }
  observing?.decision(question, answer);
  const { code } = answer.reply ?? defaultReplies[question.kind][decision];
  if ((question.kind === 'credentials' || question.kind === 'authenticate') && code !== 421) {
    dialogue.question = undefined;
    const next = dialogue.exchange.resumeWithAnswer(question.kind, completed(question.kind, answer));
    step(dialogue, decision === 'accept' ? { type: 'accepted', next } : { type: 'rejected', code, next });
    return;
  }
  const isCounted = decision === 'reject' && code !== 421;
  const excess = isCounted ? dialogue.junk.refuse(question.kind) : undefined;
  dialogue.answer = excess === undefined ? completed(question.kind, answer) : { decision, reply: excess };
  if (decision === 'reject') {
    step(dialogue, { type: 'rejected', code: excess?.code ?? code });
  } else if (question.kind === 'startTls' && dialogue.heldOctets > 0) {
    step(dialogue, { type: 'accepted', plaintextFollows: true });
  } else {
    step(dialogue, ACCEPTED);
  }
}
