/**
 * What an answer must be for its question. It is checked before anything changes: a wrong one leaves the question
 * open.
 */
import { LocalProtocolError } from '../../errors.js';
import type { TokenError } from '../../sasl/exchange/exchange.js';
import { encodeText } from '../../wire/octets.js';
import { formatReply, type Reply, severity, withEnhancedCode } from '../../wire/replies/reply.js';
import type { ServerState } from '../chart/chart-events.js';
import type { Answer, Question } from '../decisions/questions.js';
import { allowedIn } from './allowed-inputs.js';
import type { ResolvedServerOptions } from './options.js';

/** Where a client goes on only after this code (RFC 5321 §4.3.2, RFC 3207 §4, RFC 4954 §4). */
const ACCEPTING_CODES: { readonly [Kind in Question['kind']]?: number } = {
  data: 354,
  startTls: 220,
  credentials: 235,
  authenticate: 235,
};

/** Octets of JSON. Many clients read lines of 512 octets, and base64 takes a third more. */
const MAXIMUM_TOKEN_ERROR = 380;

/**
 * @param question the one that is open
 * @param state where the session stands, for the error
 * @throws {LocalProtocolError} no question is open, or the answer contradicts it; the message says what would fit
 * @throws {RangeError} a reply of it cannot be written (RFC 5321 §4.2)
 * @throws {TypeError} a reply has no lines of text
 */
export function checkAnswer(
  question: Question | undefined,
  answer: Answer,
  protocol: ResolvedServerOptions['protocol'],
  state: ServerState,
): asserts question is Question {
  if (question === undefined) {
    const problem = 'an answer came though no question is open';
    throw new LocalProtocolError(state, problem, allowedIn(state, undefined));
  }
  const { kind } = question;
  const { decision, reply, credentials, grant, tokenError, withhold, recipientReplies } = answer;
  if (kind === 'credentials' && decision === 'accept' && credentials === undefined) {
    throw new LocalProtocolError(
      state,
      'an answer came to accept the question "credentials" without any',
      'credentials, or to reject',
    );
  }
  if (
    (grant !== undefined && (kind !== 'authenticate' || decision !== 'accept')) ||
    (tokenError !== undefined && (kind !== 'authenticate' || decision !== 'reject'))
  ) {
    throw new LocalProtocolError(
      state,
      `a ${grant === undefined ? 'tokenError' : 'grant'} came to ${decision} the question "${kind}"`,
      'a grant to accept, or a tokenError to reject, the question "authenticate"',
    );
  }
  checkTokenError(tokenError);
  if (withhold !== undefined && (kind !== 'hello' || decision !== 'accept')) {
    throw new LocalProtocolError(
      state,
      `a withhold came to ${decision} the question "${kind}"`,
      'a withhold to accept the question "hello"',
    );
  }
  if (recipientReplies !== undefined) {
    const count = kind === 'message' && protocol === 'lmtp' ? question.envelope.recipients.length : 0;
    if (recipientReplies.length !== count || count === 0) {
      throw new LocalProtocolError(
        state,
        `${recipientReplies.length} recipientReplies came to the question "${kind}"`,
        count > 0 ? `${count}, one for each recipient` : 'none',
      );
    }
    for (const each of recipientReplies) {
      // A 421 says that the session ends, which is for `reply` to say.
      if (severity(each.code) === 'intermediate' || each.code === 421) {
        throw new LocalProtocolError(
          state,
          `a reply ${each.code} came for a recipient`,
          'codes 2yz, 4yz and 5yz, but 421',
        );
      }
      formatReply(each);
    }
  }
  if (reply === undefined) return;
  const { expected, agrees } = agreement(kind, decision, reply.code);
  if (!agrees) {
    throw new LocalProtocolError(
      state,
      `a reply ${reply.code} came to ${decision} the question "${kind}"`,
      `a code ${expected}`,
    );
  }
  formatReply(reply);
}

/**
 * @throws {LocalProtocolError} it does not say that the session ends
 * @throws {RangeError} the reply cannot be written (RFC 5321 §4.2)
 */
export function checkFarewell(reply: Reply, state: ServerState): Reply {
  if (reply.code !== 421 && severity(reply.code) !== 'permanent') {
    throw new LocalProtocolError(state, `a shutdown came with a reply ${reply.code}`, 'a reply 421 or 5yz');
  }
  formatReply(reply);
  return withEnhancedCode(reply);
}

/** It is a line of the dialogue, in base64. */
function checkTokenError(tokenError: TokenError | undefined): void {
  const octets = tokenError === undefined ? 0 : encodeText(JSON.stringify(tokenError)).length;
  if (octets <= MAXIMUM_TOKEN_ERROR) return;
  throw new RangeError(
    `A tokenError has ${MAXIMUM_TOKEN_ERROR} octets of JSON at most; this one has ${octets}`,
  );
}

/** Whether the code says what was decided, and which codes would. */
function agreement(
  kind: Question['kind'],
  decision: Answer['decision'],
  code: number,
): { readonly expected: string; readonly agrees: boolean } {
  const first = Math.floor(code / 100);
  if (decision === 'reject') return { expected: '4yz or 5yz', agrees: first === 4 || first === 5 };
  const only = ACCEPTING_CODES[kind];
  if (only === undefined) return { expected: '2yz', agrees: first === 2 };
  return { expected: String(only), agrees: code === only };
}

/**
 * The answer with an enhanced status code in each reply, except for the greeting and the reply that accepts EHLO or
 * HELO, which have none (RFC 2034 §4).
 */
export function completed(kind: Question['kind'], answer: Answer): Answer {
  const { decision, reply, recipientReplies } = answer;
  if (reply === undefined && recipientReplies === undefined) return answer;
  if (decision === 'accept' && (kind === 'connect' || kind === 'hello')) return answer;
  return {
    ...answer,
    ...(reply && { reply: withEnhancedCode(reply) }),
    ...(recipientReplies && { recipientReplies: recipientReplies.map(withEnhancedCode) }),
  };
}
