/** AUTH of the planted server: PLAIN and LOGIN (RFC 4954, RFC 4616). */
import type { Flags } from './planted-server.js';

/** What comes next: a challenge, or the end. */
export type Step =
  | { readonly challenge: string }
  | { readonly over: 'right' | 'wrong' | 'malformed' | 'cancelled' };

export class Exchange {
  readonly #mechanism: 'PLAIN' | 'LOGIN';
  readonly #users: Readonly<Record<string, string>>;
  readonly #has: Flags;
  readonly #responses: string[] = [];

  constructor(mechanism: 'PLAIN' | 'LOGIN', users: Readonly<Record<string, string>>, has: Flags) {
    this.#mechanism = mechanism;
    this.#users = users;
    this.#has = has;
  }

  /** The command itself, with its initial response if it has one. */
  begin(initial: string | undefined): Step {
    if (initial === undefined) return this.#next();
    if (initial === '=')
      return this.#has('auth-empty-response-refused') ? { over: 'malformed' } : this.#take('');
    return this.respond(initial);
  }

  respond(line: string): Step {
    if (line === '*' && !this.#has('auth-cancel-ignored')) return { over: 'cancelled' };
    const isBase64 = line.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(line);
    if (!isBase64 && !this.#has('auth-base64-ignored') && line !== '*') return { over: 'malformed' };
    return this.#take(Buffer.from(line, 'base64').toString('latin1'));
  }

  #take(response: string): Step {
    this.#responses.push(response);
    return this.#next();
  }

  #next(): Step {
    const given = this.#responses.length;
    if (this.#mechanism === 'LOGIN') {
      if (given < 2) return { challenge: given === 0 ? 'VXNlcm5hbWU6' : 'UGFzc3dvcmQ6' };
      return { over: this.#isRight(this.#responses[0] ?? '', this.#responses[1] ?? '') ? 'right' : 'wrong' };
    }
    if (given === 0) return { challenge: '' };
    const [authorization = '', name = '', password = '', ...more] = (this.#responses[0] ?? '').split('\0');
    if (more.length > 0 || name === '') return { over: 'wrong' };
    const forOthers = authorization !== '' && authorization !== name && !this.#has('auth-for-others');
    return { over: !forOthers && this.#isRight(name, password) ? 'right' : 'wrong' };
  }

  #isRight(name: string, password: string): boolean {
    const known = Object.hasOwn(this.#users, name) ? (this.#users[name] ?? '') : '';
    if (known === '' || password === '') return false;
    if (this.#has('auth-wrong-password')) return true;
    return this.#has('auth-password-prefix') ? known.startsWith(password) : known === password;
  }
}
