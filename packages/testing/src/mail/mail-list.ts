/**
 * The messages that have come, and those who wait for one.
 *
 * - `next()` gives each message once, the oldest that matches first; `messages` has them all.
 * - Whoever waits in vain is told what has come instead.
 */
import { checkNames } from '@sansmtp/core';
import { afterRealTime } from '../time/host-timers.js';
import type { KitTime } from '../time/kit-time.js';
import { type MessageCriteria, matching } from './criteria.js';
import { describeMessages, type ReceivedMessage } from './received-message.js';

/** No such message has come. */
export class NoSuchMessageError extends Error {
  override readonly name = 'NoSuchMessageError';
}

export interface NextOptions {
  /**
   * Milliseconds of real time to wait at most. It has to be shorter than the patience of the test runner, which would say
   * only that time is up.
   * @default 4000
   */
  readonly within?: number;
}

/** What a test asks of the mail that has come. */
export interface Mail<Parsed = undefined> {
  /** All that have come, in order, those that `next()` gave included. */
  readonly messages: readonly ReceivedMessage<Parsed>[];
  /**
   * The oldest message that matches and that `next()` has not given before; waits until there is one.
   * @throws {NoSuchMessageError} none came in time, or none can come any more; its text lists what came
   * @throws {StalledError} none can come before virtual time passes
   * @throws {RangeError} an address among the criteria is none
   */
  next(criteria?: MessageCriteria<Parsed>, options?: NextOptions): Promise<ReceivedMessage<Parsed>>;
  /** Forgets all that have come. */
  clear(): void;
}

/** The kit's own side of it. */
export interface MailList<Parsed> extends Mail<Parsed> {
  add(message: ReceivedMessage<Parsed>): void;
  /** No more will come. */
  end(): void;
}

interface Waiting<Parsed> {
  readonly matches: (message: ReceivedMessage<Parsed>) => boolean;
  readonly take: (message: ReceivedMessage<Parsed>) => void;
  readonly fail: (end: string) => void;
}

export function createMailList<Parsed>(time: KitTime): MailList<Parsed> {
  const messages: ReceivedMessage<Parsed>[] = [];
  const untaken: ReceivedMessage<Parsed>[] = [];
  const waitingOnes = new Set<Waiting<Parsed>>();
  let ended = false;

  function none(words: string, end: string): NoSuchMessageError {
    const given = messages.length - untaken.length;
    const note = given > 0 ? `\nnext() gave ${given === 1 ? 'one' : given} of them before.` : '';
    return new NoSuchMessageError(`There was not ${words} ${end}. ${describeMessages(messages)}${note}`);
  }

  function wait(matches: Waiting<Parsed>['matches'], words: string, within: number) {
    let withdraw = () => {};
    const message = new Promise<ReceivedMessage<Parsed>>((resolve, reject) => {
      const fail = (end: string) => {
        withdraw();
        reject(none(words, end));
      };
      const take = (taken: ReceivedMessage<Parsed>) => {
        withdraw();
        resolve(taken);
      };
      const waiting = { matches, take, fail };
      const takeBack = afterRealTime(within, () => fail(`within ${within} ms`));
      withdraw = () => {
        waitingOnes.delete(waiting);
        takeBack();
      };
      waitingOnes.add(waiting);
    });
    return { message, withdraw };
  }

  return {
    messages,
    add(message) {
      messages.push(message);
      const waiting = [...waitingOnes].find(({ matches }) => matches(message));
      if (waiting === undefined) untaken.push(message);
      else waiting.take(message);
    },
    async next(criteria, options = {}) {
      const { matches, words } = matching(criteria);
      checkNames('The option', options, ['within']);
      const { within = 4000 } = options;
      if (!(typeof within === 'number' && within >= 0)) {
        throw new RangeError(`The option within is ${within}; it takes milliseconds from 0 on`);
      }
      const index = untaken.findIndex(matches);
      const [taken] = index < 0 ? [] : untaken.splice(index, 1);
      if (taken !== undefined) return taken;
      if (ended) throw none(words, 'before this was closed');
      const waiting = wait(matches, words, within);
      try {
        return await time.wait(waiting.message);
      } finally {
        waiting.withdraw(); // after a stall nobody waits for it any more
      }
    },
    clear() {
      messages.length = 0;
      untaken.length = 0;
    },
    end() {
      ended = true;
      for (const { fail } of [...waitingOnes]) fail('before this was closed');
    },
  };
}
