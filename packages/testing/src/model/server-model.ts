/**
 * A server in miniature, to judge others by: small, slow and obvious, written from the RFCs. It is told what a client says
 * and hears what the server replies, and knows at each moment all states in which the server may be.
 *
 * Theory of operation: RFC 5321 leaves freedom. Each state allows a set of replies, each of which leads to a state; what is
 * heard leaves those that it agrees with. When none is left, the server deviates.
 */

import { authenticationStep } from './server-authentication.js';
import { greeting, replyTo } from './server-commands.js';
import { replyToMailData } from './server-message.js';
import {
  type Expectation,
  FIRST_STATE,
  type ModelReply,
  matchesCodes,
  moved,
  type ServerFacts,
  type ServerModelState,
  type StoredMessage,
} from './server-state.js';

/** What a client sends. */
export type ModelInput =
  /** A command, or a response in an AUTH exchange; without its CRLF. */
  | { readonly kind: 'line'; readonly line: string }
  /** BDAT, with its octets. */
  | { readonly kind: 'chunk'; readonly line: string; readonly octets: Uint8Array }
  /** After 354: up to the final dot, as it stands on the wire. */
  | { readonly kind: 'mailData'; readonly octets: Uint8Array }
  /** The TLS handshake has succeeded. */
  | { readonly kind: 'handshake' };

/** A reply that the RFCs do not allow. */
export interface Violation {
  /** The rule, such as `RFC 5321 §4.1.4: 503`. */
  readonly clause: string;
  /** What would have been allowed, and what came. */
  readonly message: string;
}

const RESPONSES_WITHOUT_CODE = /^(?:EHLO|HELO|LHLO)\b/i;

const SERVED_TO_ALL = /^(?:EHLO|LHLO|NOOP|STARTTLS|QUIT)\b/i;

export class ServerModel {
  readonly #facts: ServerFacts;
  #states: readonly ServerModelState[];
  #last = '';

  constructor(facts: ServerFacts = {}) {
    this.#facts = facts;
    const state: ServerModelState = { ...FIRST_STATE, due: undefined };
    this.#states = [{ ...state, due: greeting(state, facts) }];
  }

  /** All states in which the server may be. */
  get states(): readonly ServerModelState[] {
    return this.#states;
  }

  /** A reply has to come. */
  get awaitsReply(): boolean {
    return this.#states.some(({ due }) => due !== undefined);
  }

  /** The server closes the connection now: it has said 221 or 421. */
  get isOver(): boolean {
    return this.#states.every(({ phase }) => phase === 'over');
  }

  /** The server may close the connection. */
  get mayBeOver(): boolean {
    return this.#states.some(({ phase }) => phase === 'over');
  }

  /** What the last EHLO offered, in capitals. */
  get offers(): ReadonlyMap<string, string> {
    return this.#states[0]?.offers ?? new Map();
  }

  /** The messages that the server has taken. */
  get stored(): readonly StoredMessage[] {
    return this.#states[0]?.stored ?? [];
  }

  /** Whether the client is to send mail data, a response, or nothing until the handshake. */
  get phase(): ServerModelState['phase'] {
    return this.#states[0]?.phase ?? 'over';
  }

  say(input: ModelInput): void {
    this.#last = input.kind === 'line' || input.kind === 'chunk' ? input.line : '';
    this.#states = this.#states.map((state) => this.#say(state, input));
  }

  #say(state: ServerModelState, input: ModelInput): ServerModelState {
    if (state.phase === 'over') return state;
    if (input.kind === 'handshake') {
      // RFC 3207 §4.2: nothing that was said before counts.
      const { stored } = state;
      return { ...FIRST_STATE, phase: 'serving', secure: true, stored, due: undefined };
    }
    return { ...state, due: this.#expectation(state, input) };
  }

  #expectation(state: ServerModelState, input: Exclude<ModelInput, { kind: 'handshake' }>): Expectation {
    const facts = this.#facts;
    if (input.kind === 'mailData') return replyToMailData(state, facts, input.octets);
    if (input.kind === 'chunk') return replyTo(state, facts, input.line, input.octets);
    const { exchange, phase } = state;
    if (phase === 'exchange' && exchange !== undefined) {
      return authenticationStep(state, facts, {
        ...exchange,
        responses: [...exchange.responses, input.line],
      });
    }
    return replyTo(state, facts, input.line);
  }

  /** Judges a reply. Undefined: it is allowed. */
  hear(reply: ModelReply): Violation | undefined {
    const due = this.#states.filter((state) => state.due !== undefined);
    if (due.length === 0) {
      return { clause: 'RFC 5321 §4.2', message: `${reply.code} is a reply to nothing` };
    }
    const flaw = this.#flawOf(reply, due);
    if (flaw !== undefined) return flaw;
    const next = due.flatMap((state) => {
      // RFC 5321 §3.8: a server that has to leave says so at any time.
      if (reply.code === 421) return [moved(state, { phase: 'over', transaction: undefined })];
      if (reply.code === 530 && this.#mayWant(state)) return [moved(state)];
      const answers = (state.due?.answers ?? []).filter(({ codes }) => matchesCodes(codes, reply.code));
      return answers.map(({ next }) => next(reply));
    });
    if (next.length === 0) return this.#violation(reply, due);
    this.#states = distinct(next);
    return undefined;
  }

  /** A server may want TLS or a login before anything else (RFC 3207 §4, RFC 4954 §6). */
  #mayWant({ offers, secure, authenticated }: ServerModelState): boolean {
    if (this.#facts.strict === true || SERVED_TO_ALL.test(this.#last)) return false;
    return (offers.has('STARTTLS') && !secure) || (offers.has('AUTH') && !authenticated) || offers.size === 0;
  }

  #flawOf(reply: ModelReply, due: readonly ServerModelState[]): Violation | undefined {
    for (const { due: expectation } of due) {
      const message = expectation?.flawOf?.(reply);
      if (message !== undefined && expectation !== undefined) return { clause: expectation.clause, message };
    }
    const message = this.offers.has('ENHANCEDSTATUSCODES') ? enhancedCodeFlaw(reply, this.#last) : undefined;
    return message === undefined ? undefined : { clause: 'RFC 2034 §4', message };
  }

  #violation(reply: ModelReply, due: readonly ServerModelState[]): Violation {
    const allowed = [...new Set(due.flatMap((state) => state.due?.answers.map(({ codes }) => codes) ?? []))];
    const clauses = [...new Set(due.map((state) => state.due?.clause ?? ''))];
    return {
      clause: clauses.join('; '),
      message: `expected ${allowed.join(' or ')}, got ${reply.code} ${reply.lines.at(-1) ?? ''}`.trimEnd(),
    };
  }
}

/** RFC 2034 §4: each line of a reply 2yz, 4yz or 5yz begins with a code of its class. */
function enhancedCodeFlaw({ code, lines }: ModelReply, command: string): string | undefined {
  const severity = String(code)[0];
  if (severity === '3' || RESPONSES_WITHOUT_CODE.test(command)) return undefined;
  // Postfix XCLIENT_README: the session begins anew, with a greeting.
  if (code === 220 && /^XCLIENT /i.test(command)) return undefined;
  for (const line of lines) {
    const [, found] = /^([245])\.\d{1,3}\.\d{1,3}(?: |$)/.exec(line) ?? [];
    if (found === undefined)
      return `${code} ${line} has no enhanced status code, though EHLO offered ENHANCEDSTATUSCODES`;
    if (found !== severity) return `${code} ${line} has an enhanced status code of another class`;
  }
  return undefined;
}

/** States that differ in nothing that matters count once. */
function distinct(states: readonly ServerModelState[]): readonly ServerModelState[] {
  const seen = new Map<string, ServerModelState>();
  for (const state of states) {
    const { phase, hello, authenticated, transaction, due, stored } = state;
    const { chunks, ...rest } = transaction ?? { chunks: undefined };
    const open = transaction === undefined ? undefined : { ...rest, chunks: chunks?.length };
    seen.set(JSON.stringify([phase, hello, authenticated, open, due?.clause, stored.length]), state);
  }
  return [...seen.values()];
}
