/**
 * What the chart says is to be done: its effects, performed one by one in the order in which it gives them. None of them
 * takes the chart on.
 *
 * - Every command gets one reply, in order; in LMTP a message has one for each of its recipients.
 * - Mail data that was handed out is either asked about (`message`) or taken back (`abandonMailData`).
 */
import { CLEAR_DEADLINE, type DeadlineEffect, type Effect, SET_DEADLINE } from '../chart/table/operations.js';
import { encodeBase64 } from '../sasl/exchange/base64.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ServerAction } from './chart/chart-events.js';
import { forgetClient, impersonate } from './client/client-identity.js';
import type { Question } from './decisions/questions.js';
import { defaultReplies, replies } from './decisions/replies.js';
import { type Dialogue, present } from './dialogue.js';
import { Receiving } from './mail-data/receiving.js';

export function performAll(dialogue: Dialogue, effects: readonly Effect[]): void {
  for (const effect of effects) perform(dialogue, effect);
}

function perform(dialogue: Dialogue, effect: Effect): void {
  const action = effect as ServerAction | DeadlineEffect;
  const { giving, observing, question } = dialogue;
  switch (action.type) {
    case SET_DEADLINE:
      dialogue.time.deadlines.set(action.params.id, action.params.delay, dialogue.time.now);
      observing?.timerSet(action.params);
      break;
    case CLEAR_DEADLINE:
      if (dialogue.time.deadlines.clear(action.params.id)) observing?.timerCleared(action.params.id);
      break;
    case 'reply':
      giving.reply(action.params.reply === 'shuttingDown' ? dialogue.farewell : replies[action.params.reply]);
      break;
    case 'refuse':
      giving.reply(action.params.reply);
      break;
    case 'ask': {
      const asked = ask(dialogue, action.params.question);
      dialogue.question = asked;
      observing?.asked();
      giving.emit({ type: 'ask', question: asked });
      break;
    }
    case 'answer':
      giveAnswer(dialogue);
      break;
    case 'introduce':
      if (question?.kind === 'hello') dialogue.know({ hello: question.hello });
      break;
    case 'openTransaction':
      if (question?.kind === 'mail') {
        const { reversePath, parameters } = question;
        dialogue.transaction = { reversePath, parameters, recipients: [] };
      }
      break;
    case 'addRecipient':
      if (question?.kind === 'rcpt') {
        const { forwardPath, parameters } = question;
        dialogue.transaction?.recipients.push({ forwardPath, parameters });
      }
      break;
    case 'endTransaction':
      abandon(dialogue, 'reset');
      if (dialogue.transaction?.recipients.length === 0) dialogue.junk.endFruitless();
      dialogue.transaction = undefined;
      if (dialogue.client.forwarded !== undefined) dialogue.know({ forwarded: undefined });
      break;
    case 'receiveMailData':
      dialogue.receiving = new Receiving('data', dialogue.options, {
        afterBareLineFeed: dialogue.afterBareLineFeed,
      });
      dialogue.time.watchRate();
      break;
    case 'receiveChunk':
      receiveChunk(dialogue);
      break;
    case 'refuseMessage':
      refuseMessage(dialogue, action.params.reply);
      break;
    case 'upgradeTls':
      giving.emit({ type: 'upgradeTls' });
      break;
    case 'forget':
      dialogue.client = forgetClient(dialogue.client);
      dialogue.reading.forget();
      dialogue.junk.forgetHello();
      break;
    case 'challenge': {
      const { data } = dialogue.exchange.step('challenge');
      giving.reply({ code: 334, lines: [encodeBase64(data)] });
      break;
    }
    case 'compute':
      giving.emit({ type: 'compute', computation: dialogue.exchange.step('compute').computation });
      break;
    case 'admitClient':
      dialogue.know({ authenticated: dialogue.exchange.identity });
      giving.reply(dialogue.exchange.lastReply('accept'));
      break;
    case 'turnAway':
      giving.reply(dialogue.exchange.lastReply('reject'));
      break;
    case 'impersonate':
      dialogue.junk.forgetAll();
      dialogue.client = impersonate(dialogue.client, present(dialogue.command?.attributes, 'XCLIENT'));
      // Trust is in the peer's address, and the client has another: what a proxy passes on may hold an XCLIENT, too.
      if (dialogue.client.client?.address !== undefined) dialogue.reading.distrust();
      break;
    case 'keepForwarded':
      dialogue.know({ forwarded: present(dialogue.command?.attributes, 'XFORWARD') });
      break;
    case 'close':
      if (dialogue.isWaiting) dialogue.wait.drop();
      giving.replying.releaseOctets();
      giving.giveHeld();
      drop(dialogue);
      giving.emit({
        type: 'close',
        ...(dialogue.foreignProtocol && { foreignProtocol: dialogue.foreignProtocol }),
      });
      break;
    case 'closed':
      giving.replying.forgetHeld();
      drop(dialogue);
      giving.emit({ type: 'closed' });
      break;
  }
}

function ask(dialogue: Dialogue, kind: Question['kind']): Question {
  switch (kind) {
    case 'connect':
      return { kind };
    case 'message': {
      const size = dialogue.receiving?.size ?? 0;
      dialogue.receiving = undefined; // complete: from here on it is the application's
      return { kind, envelope: dialogue.envelope, size };
    }
    case 'credentials':
    case 'authenticate':
      return dialogue.exchange.question(kind);
    default: {
      const question = present(dialogue.command?.question, `a decision on ${kind}`);
      if (question.kind === kind) return question;
      throw new Error(`The server chart asks "${kind}" where the command raises "${question.kind}"`);
    }
  }
}

function receiveChunk(dialogue: Dialogue): void {
  const { octetsBehind = 0, last = false } = present(dialogue.command, 'a chunk');
  const binary = dialogue.transaction?.parameters.body === 'BINARYMIME';
  if (dialogue.receiving === undefined) {
    dialogue.receiving = new Receiving(binary ? 'binary' : 'chunks', dialogue.options);
    dialogue.time.watchRate();
  }
  dialogue.receiving.announce(octetsBehind, last);
  dialogue.giving.replying.releaseOctets();
  dialogue.settle();
}

/** Replies to the command on which the application has decided. */
function giveAnswer(dialogue: Dialogue): void {
  const question = present(dialogue.question, 'a question');
  const answer = present(dialogue.answer, 'an answer');
  const isLastChunk = dialogue.command?.last;
  const { giving, offer } = dialogue;
  dialogue.settle();
  const { decision, recipientReplies } = answer;
  const reply = answer.reply ?? defaultReplies[question.kind][decision];
  if (question.kind === 'message' && dialogue.observing !== undefined) {
    const { envelope, size } = question;
    dialogue.observing.message(envelope, size, recipientReplies ?? giving.eachOf(envelope, reply));
  }
  if (decision === 'accept' && (question.kind === 'connect' || question.kind === 'hello')) {
    if (offer !== undefined) dialogue.reading.offer(offer);
    giving.introduce(reply, offer);
  } else if (question.kind === 'message' && reply.code !== 421) {
    giving.replyToMessage(question.envelope, reply, recipientReplies);
  } else if (question.kind === 'data' && isLastChunk && reply.code !== 421) {
    giving.replyToMessage(question.envelope, reply);
  } else if (question.kind === 'verify' || question.kind === 'expand') {
    giving.replyToInquiry(question, reply);
  } else {
    giving.reply(reply);
  }
}

/** Only the last chunk is answered for the message; any other has one reply, in LMTP too (RFC 2033 §4.3). */
function refuseMessage({ giving, observing, receiving, envelope }: Dialogue, reply: Reply): void {
  if (observing !== undefined && receiving !== undefined) {
    const { size, flaw = 'malformed' } = receiving;
    const given = receiving.last === false ? [reply] : giving.eachOf(envelope, reply);
    observing.message(envelope, size, given, flaw);
  }
  if (receiving?.last === false) giving.reply(reply);
  else giving.replyToMessage(envelope, reply);
}

/** Nothing that was begun will be finished. */
function drop(dialogue: Dialogue): void {
  abandon(dialogue, 'closed');
  dialogue.transaction = undefined;
  dialogue.settle();
  dialogue.forgetInbound();
}

/** Takes back the mail data that was handed out, if it has not become the application's. */
function abandon(dialogue: Dialogue, reason: 'reset' | 'closed'): void {
  const { receiving } = dialogue;
  dialogue.receiving = undefined;
  dialogue.time.readOn();
  if (receiving === undefined || receiving.flaw !== undefined) return;
  dialogue.observing?.message(dialogue.envelope, receiving.size, [], reason);
  dialogue.giving.emit({ type: 'abandonMailData', reason });
}
