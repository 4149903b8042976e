/**
 * What a client asks for without bringing mail forward: "junk", as Postfix calls it. Each such command is cheap and
 * legal, so no client that counts as one of many may send them without end.
 */
import type { Command } from '../../wire/commands/command.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Question } from '../decisions/questions.js';
import { replies } from '../decisions/replies.js';

const JUNK: ReadonlySet<Command['verb'] | undefined> = new Set([
  'NOOP',
  'VRFY',
  'EXPN',
  'HELP',
  'RSET',
  'ETRN',
] as const);
const HELLO: ReadonlySet<Command['verb'] | undefined> = new Set(['EHLO', 'HELO', 'LHLO'] as const);

export interface JunkLimits {
  readonly maximumJunkCommands: number;
  readonly maximumRefusedRecipients: number;
}

/** Counts for one session. Where a limit is exceeded, the reply that ends the session comes back. */
export class Junk {
  readonly #limits: JunkLimits;
  /** Since the last message that reached its end. */
  #commands = 0;
  #refusedRecipients = 0;
  /** EHLO, HELO or LHLO was said: the next one is a repetition. */
  #greeted = false;

  constructor(limits: JunkLimits) {
    this.#limits = limits;
  }

  /** A well-formed command came. */
  take(verb: Command['verb'] | undefined): Reply | undefined {
    // Nearly all commands bring mail forward.
    if (verb === 'MAIL' || verb === 'RCPT' || verb === 'DATA') return undefined;
    if (JUNK.has(verb)) return this.#count();
    if (!HELLO.has(verb)) return undefined;
    if (this.#greeted) return this.#count();
    this.#greeted = true;
    return undefined;
  }

  /** The application refused what was asked. */
  refuse(kind: Question['kind']): Reply | undefined {
    if (kind === 'mail') return this.#count();
    if (kind !== 'rcpt') return undefined;
    this.#refusedRecipients += 1;
    return this.#refusedRecipients > this.#limits.maximumRefusedRecipients
      ? replies.tooManyRefusedRecipients
      : undefined;
  }

  /** A mail transaction ended that had no recipient. The limit shows at the next command that counts. */
  endFruitless(): void {
    this.#commands += 1;
  }

  /** A message reached its end, whatever became of it. */
  endMessage(): void {
    this.#commands = 0;
  }

  /** The client has to introduce itself anew (RFC 3207 §4.2). */
  forgetHello(): void {
    this.#greeted = false;
  }

  /** Another client is spoken for (XCLIENT). */
  forgetAll(): void {
    this.#commands = 0;
    this.#refusedRecipients = 0;
    this.#greeted = false;
  }

  #count(): Reply | undefined {
    this.#commands += 1;
    return this.#commands > this.#limits.maximumJunkCommands ? replies.tooManyJunkCommands : undefined;
  }
}
