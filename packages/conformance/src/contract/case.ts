/** What a case is: a single demand of an RFC, as data, with the dialogue that judges it. */
import type { Target } from './target.js';

/**
 * How much a deviation matters.
 *
 * - `MUST`: the clause has MUST or MUST NOT, or its grammar allows nothing else.
 * - `SHOULD`: the clause recommends it.
 * - `SECURITY`: framing, addressee or trust are at stake, whatever word the clause has.
 * - `INTEROP`: no clause is broken, but peers suffer. To accept what the grammar lacks is never more than this, unless it
 *   changes framing, addressee or trust.
 */
export type Level = 'MUST' | 'SHOULD' | 'SECURITY' | 'INTEROP';

/**
 * What must hold of the server for the case to be judged; else it is skipped, with the reason.
 *
 * An EHLO keyword in upper case: the server offers it, in the clear or under TLS. `mail`: it takes a transaction
 * from us to the recipient. `smtp`, `lmtp`: it speaks that one. `credentials`: we have a name and a password, and it
 * offers AUTH. `implicit TLS`: there is a port for it. `stored messages`: what it stores can be seen.
 */
export type Need =
  | Uppercase<string>
  | 'mail'
  | 'smtp'
  | 'lmtp'
  | 'credentials'
  | 'implicit TLS'
  | 'stored messages';

export interface ConformanceCase {
  /** `group/what-it-demands`: readable, and never changed once it is published. */
  readonly id: string;
  /** Where the demand stands, such as `RFC 5321 §4.1.4`. */
  readonly section: string;
  readonly level: Level;
  /** What is demanded and why, in a sentence. */
  readonly rationale: string;
  /** @default none */
  readonly needs?: readonly Need[];
  /** What to do about a deviation, in a sentence. @default that of the group */
  readonly remedy?: string;
  /**
   * Resolves if the server conforms.
   * @throws {Deviation} it does not
   * @throws {CannotJudge} nothing can be said
   */
  run(target: Target): Promise<void>;
}

/** The cases of one subject, for servers or for clients, as far as they are written about; a page of the documents. */
export interface CaseGroupText {
  /** The part of its ids before the slash. */
  readonly name: string;
  readonly title: string;
  /** What the group is about, in a sentence or two. */
  readonly introduction: string;
  /** What to do about a deviation where the case does not say. */
  readonly remedy: string;
  readonly cases: readonly Omit<ConformanceCase, 'run'>[];
}

/** The cases of one subject for servers. */
export interface CaseGroup extends CaseGroupText {
  readonly cases: readonly ConformanceCase[];
}
