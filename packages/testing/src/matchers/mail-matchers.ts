/** Matchers for `expect.extend` of vitest and jest: their failures say what has come instead. */
import { type MessageCriteria, matching } from '../mail/criteria.js';
import type { Mail } from '../mail/mail-list.js';
import { describeMessage, describeMessages, type ReceivedMessage } from '../mail/received-message.js';

/** What vitest and jest want of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers as `expect` has them; `Result` is its own. */
export interface MailMatchers<Result = unknown> {
  /** An inbox or a scripted server has received such a message; it does not wait. */
  toHaveReceived(criteria?: MessageCriteria): Result;
  /** A message is such a one. */
  toBeMail(criteria: MessageCriteria): Result;
}

/** For `expect.extend(mailMatchers)`. */
export const mailMatchers: {
  readonly [Name in keyof MailMatchers]: (received: unknown, criteria?: MessageCriteria) => MatcherResult;
} = {
  toHaveReceived(received, criteria) {
    const { messages } = received as Mail<unknown>;
    if (!Array.isArray(messages)) throw new TypeError('toHaveReceived takes an inbox or a scripted server');
    const { matches, words } = matching(criteria);
    const pass = messages.some(matches);
    return {
      pass,
      message: () =>
        `Expected ${pass ? 'no' : 'there to be'} ${bare(words, pass)}. ${describeMessages(messages)}`,
    };
  },
  toBeMail(received, criteria) {
    const message = received as ReceivedMessage<unknown>;
    if (!(message?.raw instanceof Uint8Array))
      throw new TypeError('toBeMail takes a message that was received');
    const { matches, words } = matching(criteria);
    const pass = matches(message);
    const shown = `${describeMessage(message)}\n\n${message.text}`;
    return { pass, message: () => `Expected ${pass ? 'anything but ' : ''}${words}; it is from ${shown}` };
  },
};

/** `a message to …` without its article, after a `no`. */
const bare = (words: string, isNegated: boolean): string => (isNegated ? words.replace(/^a /, '') : words);
