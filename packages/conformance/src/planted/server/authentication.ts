/** An AUTH exchange of the planted server (RFC 4954 §4): its lines, and the mechanism that they are for. */
import { cramMd5 } from './cram-md5.js';
import type { Flags } from './faults.js';
import { external, login, plain } from './passwords.js';
import { scram } from './scram.js';

/** What comes next: a challenge in base64, or the end. */
export type Step = { readonly challenge: string } | { readonly over: 'right' | 'wrong' | 'malformed' };

/** A mechanism, one exchange of it: takes the client's responses one after the other. */
export interface Mechanism {
  /** The client begins; else the server does, by this challenge. */
  readonly first?: string;
  /** @param responses all so far, one at least */
  readonly next: (responses: readonly string[]) => { readonly say: string } | 'right' | 'wrong';
}

export interface MechanismContext {
  readonly users: Readonly<Record<string, string>>;
  readonly has: Flags;
}

const ALL: Readonly<Record<string, (context: MechanismContext) => Mechanism>> = {
  PLAIN: plain,
  LOGIN: login,
  'CRAM-MD5': cramMd5,
  'SCRAM-SHA-256': scram,
  // No stream in memory has anything that a client could bind to: whoever tries is refused.
  'SCRAM-SHA-256-PLUS': scram,
  EXTERNAL: external,
};

/** All that are offered. EXTERNAL is not: no client shows a certificate. */
export const MECHANISMS: readonly string[] = Object.keys(ALL).filter((name) => name !== 'EXTERNAL');

/** Undefined: nobody knows the mechanism. */
export function openExchange(
  mechanism: string,
  users: Readonly<Record<string, string>>,
  has: Flags,
): Exchange | undefined {
  const known = Object.hasOwn(ALL, mechanism) ? ALL[mechanism] : undefined;
  const open = known ?? (has('auth-unknown-mechanism-goes-on') ? plain : undefined);
  return open && new Exchange(open({ users, has }), has, mechanism);
}

export class Exchange {
  readonly #mechanism: Mechanism;
  readonly #has: Flags;
  readonly #name: string;
  readonly #responses: string[] = [];

  constructor(mechanism: Mechanism, has: Flags, name: string) {
    this.#mechanism = mechanism;
    this.#has = has;
    this.#name = name;
  }

  /** The command itself, with its initial response if it has one. */
  begin(initial: string | undefined): Step {
    const { first } = this.#mechanism;
    if (initial === undefined)
      return challenge(first ?? (this.#has('auth-challenge-has-words') ? 'Go on' : ''));
    // Where the server begins, there is none (RFC 4954 §4). Of LOGIN it is the name.
    if (this.#name === 'CRAM-MD5' && !this.#has('cram-md5-initial-response-taken'))
      return { over: 'malformed' };
    if (this.#name === 'LOGIN' && this.#has('login-name-at-once-refused')) return { over: 'malformed' };
    if (initial === '=')
      return this.#has('auth-empty-response-refused') ? { over: 'malformed' } : this.#take('');
    return this.respond(initial);
  }

  respond(line: string): Step {
    if (line === '*' && !this.#has('auth-cancel-ignored')) return { over: 'malformed' };
    const isBase64 = line.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(line);
    if (!isBase64 && !this.#has('auth-base64-ignored') && line !== '*') return { over: 'malformed' };
    return this.#take(Buffer.from(line, 'base64').toString('latin1'));
  }

  #take(response: string): Step {
    this.#responses.push(response);
    const next = this.#mechanism.next(this.#responses);
    return typeof next === 'string' ? { over: next } : challenge(next.say);
  }
}

const challenge = (text: string): Step => ({ challenge: Buffer.from(text, 'latin1').toString('base64') });
