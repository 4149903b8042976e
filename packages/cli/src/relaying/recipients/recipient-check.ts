/**
 * Whether a recipient of a routed domain exists, asked of its next hop before the client is told 250: who is refused later
 * would need a notification, and its sender is often not who the envelope says (backscatter).
 *
 * - Answers are stored for a while: that somebody exists for an hour, that nobody does for five minutes, as a new mailbox
 *   should not wait for long.
 * - While the next hop does not answer, one known to have existed in the last week is taken, and any other deferred: the
 *   client keeps its message, and will try again.
 * - Of each next hop so many are asked at a time; the others wait, and so many may wait.
 */
import type { ForwardPath } from '@sansmtp/core';
import type { NextHop } from '../routes/routes.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds for which an answer is believed without asking again. */
const FRESH = { exists: HOUR, unknown: 5 * MINUTE } as const;
/** Milliseconds for which one who existed is taken while the next hop does not answer. */
const STALE = 7 * 24 * HOUR;

const MAXIMUM_ANSWERS = 10_000;
const ASKED_AT_ONCE = 5;
const MAXIMUM_WAITING = 200;

export type RecipientAnswer =
  | { readonly kind: 'exists' }
  /** Refused for good. `words`: the next hop's. */
  | { readonly kind: 'unknown'; readonly words: string }
  /** The next hop cannot be asked now, or did not decide. */
  | { readonly kind: 'undecided'; readonly words: string };

/** Asks the next hop, by RCPT from the null reverse-path. Never rejects. */
export type AskNextHop = (hop: NextHop, recipient: ForwardPath) => Promise<RecipientAnswer>;

interface Stored {
  readonly answer: Exclude<RecipientAnswer, { readonly kind: 'undecided' }>;
  readonly at: number;
}

/** @param now milliseconds */
export class RecipientCheck {
  readonly #ask: AskNextHop;
  readonly #now: () => number;
  /** By next hop and address; the one that was looked up the longest ago is first. */
  readonly #answers = new Map<string, Stored>();
  /** Questions under way, so that nobody asks the same. */
  readonly #asking = new Map<string, Promise<RecipientAnswer>>();
  readonly #lines = new Map<string, Line>();

  constructor(ask: AskNextHop, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  /** @param domain of the recipient, as `comparableDomain` gives it */
  async check(hop: NextHop, recipient: ForwardPath, domain: string): Promise<RecipientAnswer> {
    // By the next hop as well: another one, after the routes were read again, may know others.
    const key = `${nameOf(hop)} ${recipient.localPart}@${domain}`;
    const stored = this.#lookUp(key);
    const age = stored === undefined ? Number.POSITIVE_INFINITY : this.#now() - stored.at;
    if (stored !== undefined && age < FRESH[stored.answer.kind]) return stored.answer;
    const answer = await this.#askOnce(hop, recipient, key);
    if (answer.kind !== 'undecided') return answer;
    return stored?.answer.kind === 'exists' && age < STALE ? stored.answer : answer;
  }

  #lookUp(key: string): Stored | undefined {
    const stored = this.#answers.get(key);
    if (stored === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, stored);
    return stored;
  }

  #askOnce(hop: NextHop, recipient: ForwardPath, key: string): Promise<RecipientAnswer> {
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) return underWay;
    const asking = this.#askInTurn(hop, recipient).then((answer) => {
      this.#asking.delete(key);
      if (answer.kind !== 'undecided') this.#store(key, answer);
      return answer;
    });
    this.#asking.set(key, asking);
    return asking;
  }

  #store(key: string, answer: Stored['answer']): void {
    this.#answers.delete(key);
    this.#answers.set(key, { answer, at: this.#now() });
    if (this.#answers.size <= MAXIMUM_ANSWERS) return;
    const [oldest = ''] = this.#answers.keys();
    this.#answers.delete(oldest);
  }

  async #askInTurn(hop: NextHop, recipient: ForwardPath): Promise<RecipientAnswer> {
    const name = nameOf(hop);
    const line = this.#lines.get(name) ?? new Line();
    this.#lines.set(name, line);
    if (!(await line.enter())) return { kind: 'undecided', words: 'too many wait for its answer' };
    try {
      return await this.#ask(hop, recipient);
    } finally {
      line.leave();
    }
  }
}

function nameOf({ protocol, host, port }: NextHop): string {
  return `${protocol}://${host}:${port}`;
}

/** Who asks one next hop. */
class Line {
  #asking = 0;
  readonly #waiting: (() => void)[] = [];

  /** @returns false: too many wait already */
  async enter(): Promise<boolean> {
    if (this.#asking < ASKED_AT_ONCE) {
      this.#asking += 1;
      return true;
    }
    if (this.#waiting.length >= MAXIMUM_WAITING) return false;
    // Whoever leaves gives its place to the next.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#asking -= 1;
    else next();
  }
}
