/** AUTH of the planted server: when it may come, and how often it may fail (RFC 4954). */
import { type Exchange, openExchange, type Step } from './authentication.js';
import type { Flags } from './faults.js';
import type { Replies } from './replies.js';

const LOGIN_LIMIT = 5;

export class Logins {
  readonly #has: Flags;
  readonly #replies: Replies;
  readonly #users: Readonly<Record<string, string>>;
  #exchange: Exchange | undefined;
  #authenticated = false;
  #failed = 0;

  constructor(has: Flags, replies: Replies, users: Readonly<Record<string, string>>) {
    this.#has = has;
    this.#replies = replies;
    this.#users = users;
  }

  /** TLS begins: who has logged in has not any more (RFC 3207 §4.2). */
  forget(): undefined {
    this.#authenticated = false;
  }

  begin(
    argument: string,
    { hello, isOpen }: { readonly hello: string; readonly isOpen: boolean },
  ): 'goes on' | 'is over' {
    const [mechanism = '', initial, ...more] = argument.split(' ');
    const refuse = (reply: string) => {
      this.#replies.refuse(reply);
      return 'is over' as const;
    };
    if (hello !== 'EHLO' && !this.#has('auth-before-ehlo')) return refuse('503 5.5.1 EHLO first');
    if (this.#authenticated && !this.#has('auth-twice')) return refuse('503 5.5.1 You are logged in');
    if (isOpen && !this.#has('auth-in-transaction')) return refuse('503 5.5.1 A mail transaction is open');
    if (more.length > 0 || mechanism === '') return refuse('501 5.5.4 One mechanism');
    const exchange = openExchange(mechanism.toUpperCase(), this.#users, this.#has);
    if (exchange === undefined) return refuse('504 5.5.4 That mechanism is not there');
    this.#exchange = exchange;
    return this.#take(exchange.begin(initial));
  }

  respond(line: string): 'goes on' | 'is over' {
    return this.#exchange === undefined ? 'is over' : this.#take(this.#exchange.respond(line));
  }

  #take(step: Step): 'goes on' | 'is over' {
    if ('challenge' in step) {
      this.#replies.say(`334 ${step.challenge}`);
      return 'goes on';
    }
    if (step.over === 'right') {
      this.#authenticated = true;
      this.#replies.accept(this.#has('auth-success-says-250') ? '250 2.7.0 Welcome' : '235 2.7.0 Welcome');
    } else if (step.over === 'malformed') {
      this.#replies.refuse('501 5.5.2 No');
    } else if (++this.#failed < LOGIN_LIMIT) {
      this.#replies.refuse('535 5.7.8 No');
    } else {
      this.#replies.say('421 4.7.0 Too many attempts');
      this.#replies.close();
    }
    return 'is over';
  }
}
