/**
 * A small server with faults to be planted in it, one flag each: what the kit is measured by. Plain code of its own, which
 * shares nothing with the core or the model; without a flag it is as it should be, and passes every case.
 *
 * It takes mail for everybody but `nobody@…`; with LMTP, a mailbox `full@…` is taken and has no room for the message.
 * One character is one octet throughout.
 */
import type { ByteStream } from '@sansmtp/transport';
import { isDomain, SIZE_LIMIT } from './arguments.js';
import { MECHANISMS } from './authentication.js';
import { ClientOctets } from './client-octets.js';
import type { Flags, ServerFault } from './faults.js';
import { Logins } from './logins.js';
import { contentOf } from './mail-data.js';
import { type Awaited, MailTransactions } from './mail-transactions.js';
import { Replies } from './replies.js';

export interface PlantedMessage {
  readonly from: string;
  readonly recipients: readonly string[];
  /** One character is one octet. */
  readonly content: string;
}

export interface PlantedServerOptions {
  /** @default none */
  readonly faults?: readonly ServerFault[];
  /** @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp';
  /** Names and passwords. @default nobody */
  readonly users?: Readonly<Record<string, string>>;
  readonly onMessage?: (message: PlantedMessage) => void;
}

/** Serves one connection. */
export function servePlanted(stream: ByteStream, options: PlantedServerOptions = {}): void {
  const session = new PlantedSession(stream, options);
  session.open();
}

class PlantedSession {
  readonly #stream: ByteStream;
  readonly #has: Flags;
  readonly #lmtp: boolean;
  readonly #octets: ClientOctets;
  readonly #replies: Replies;
  readonly #transactions: MailTransactions;
  readonly #logins: Logins;
  #awaits: 'command' | 'response' | 'handshake' | 'nothing' | Awaited = 'command';
  #hello: '' | 'HELO' | 'EHLO' = '';
  #secure = false;
  #commands = 0;
  #greeted = false;

  constructor(
    stream: ByteStream,
    { faults = [], protocol = 'smtp', users = {}, onMessage = () => {} }: PlantedServerOptions,
  ) {
    const planted = new Set(faults);
    const has: Flags = (fault) => planted.has(fault);
    this.#stream = stream;
    this.#has = has;
    this.#lmtp = protocol === 'lmtp';
    this.#octets = new ClientOctets(has);
    this.#replies = new Replies(stream, has, {
      refusal: () => has('input-after-error-lost') && this.#octets.clear(),
      end: () => {
        this.#awaits = 'nothing';
      },
    });
    this.#transactions = new MailTransactions(has, this.#replies, { lmtp: this.#lmtp, onMessage });
    this.#logins = new Logins(has, this.#replies, users);
    this.#secure = stream.tls !== undefined;
  }

  open(): void {
    this.#stream.open({
      data: (octets) => this.#hear(Buffer.from(octets).toString('latin1')),
      end: () => this.#leave(),
      drain: () => {},
      secure: () => this.#secured(),
      close: () => this.#lost(),
    });
    if (!this.#has('greeting-waits')) this.#greet();
  }

  #greet(): undefined {
    this.#greeted = true;
    this.#replies.say(`${this.#has('greeting-says-250') ? 250 : 220} planted.test ESMTP`);
    this.#replies.flush();
  }

  #hear(octets: string): undefined {
    if (!this.#greeted) this.#greet();
    if (this.#awaits === 'nothing') return;
    this.#octets.push(octets);
    this.#work();
  }

  #work(): undefined {
    while (this.#next());
    this.#replies.flush();
  }

  /** Takes the next thing; false: it is not there yet. */
  #next(): boolean {
    const awaited = this.#awaits;
    if (awaited === 'nothing' || awaited === 'handshake') return false;
    if (awaited === 'mailData') return this.#mailData();
    if (typeof awaited === 'object') return this.#chunk(awaited.octets);
    const read = this.#octets.line(awaited);
    if (read === undefined) return false;
    if ('tooLong' in read) {
      this.#replies.refuse('500 5.5.2 The line is too long');
      this.#goOnWith('is over');
    } else if (awaited === 'response' && !(this.#has('auth-runs-commands') && /^MAIL /i.test(read.line)))
      this.#goOnWith(this.#logins.respond(read.line));
    else this.#command(read.line);
    return true;
  }

  #mailData(): boolean {
    const data = this.#octets.mailData();
    if (data === undefined) return false;
    this.#awaits = 'command';
    this.#transactions.takeMessage(contentOf(data, this.#has), data.length);
    if (this.#has('input-after-message-lost')) this.#octets.clear();
    return true;
  }

  #chunk(size: number): boolean {
    const octets = this.#octets.chunk(size);
    if (octets === undefined) return false;
    this.#awaits = 'command';
    this.#transactions.takeChunk(octets);
    return true;
  }

  #command(line: string): undefined {
    this.#commands += 1;
    const [, word = '', rest = ''] = /^([a-z0-9]*)(.*)$/is.exec(line) ?? [];
    const verb = this.#has('verbs-need-capitals') ? word : word.toUpperCase();
    const argument = rest.replace(/^ /, '');
    if (/[^ -~\x80-\xff]/.test(line) && !this.#has('controls-taken'))
      return this.#replies.refuse('500 5.5.2 Control characters');
    if (/[\x80-\xff]/.test(line) && verb !== 'MAIL' && verb !== 'RCPT')
      return this.#replies.refuse('500 5.5.2 ASCII only');
    switch (verb) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        return this.#greetClient(verb, argument);
      case 'MAIL':
        this.#transactions.mail(argument, this.#hello);
        if (this.#has('input-after-mail-lost')) this.#octets.clear();
        return;
      case 'RCPT':
        return this.#transactions.rcpt(argument, this.#hello);
      case 'DATA':
        return this.#await(this.#transactions.data(argument));
      case 'BDAT':
        return this.#await(this.#transactions.bdat(argument, this.#hello));
      case 'RSET':
        return this.#rset(argument);
      case 'NOOP':
        return this.#noop(argument);
      case 'VRFY':
        if (this.#has('vrfy-resets')) this.#transactions.drop();
        return argument === ''
          ? this.#replies.refuse('501 5.5.4 Whom?')
          : this.#replies.accept('252 2.5.0 Try it');
      case 'STARTTLS':
        return this.#startTls(argument);
      case 'AUTH': {
        const { isOpen } = this.#transactions;
        return this.#goOnWith(this.#logins.begin(argument, { hello: this.#hello, isOpen }));
      }
      case 'QUIT':
        return argument.trim() === ''
          ? this.#quit()
          : this.#replies.refuse('501 5.5.4 QUIT takes no argument');
      default:
        return this.#unknown(line);
    }
  }

  #await(awaited: Awaited | undefined): undefined {
    if (awaited !== undefined) this.#awaits = awaited;
  }

  #goOnWith(exchange: 'goes on' | 'is over'): undefined {
    if (this.#awaits !== 'nothing') this.#awaits = exchange === 'goes on' ? 'response' : 'command';
  }

  #greetClient(verb: 'EHLO' | 'HELO' | 'LHLO', argument: string): undefined {
    const takesEhlo = this.#has('lmtp-takes-ehlo') && verb === 'EHLO';
    if (this.#lmtp !== (verb === 'LHLO') && !takesEhlo)
      return this.#replies.refuse('500 5.5.1 Not in this protocol');
    // What a host is called, only its owner can judge.
    if (!isDomain(argument.trim().replaceAll('_', '-'), () => false)) {
      if (this.#has('refused-ehlo-resets')) this.#transactions.drop();
      return this.#replies.refuse('501 5.5.4 Who?');
    }
    const keeps = verb === 'HELO' ? 'helo-keeps-transaction' : 'ehlo-keeps-transaction';
    if (!this.#has(keeps)) this.#transactions.drop();
    this.#replies.forgiveErrors();
    const hadExtensions = this.#hello === 'EHLO' && this.#has('helo-keeps-extensions');
    this.#hello = verb === 'HELO' && !hadExtensions ? 'HELO' : 'EHLO';
    if (verb === 'HELO') return this.#replies.say('250 planted.test');
    this.#replies.say(this.#has('ehlo-codes-differ') ? '250-planted.test\r\n251-HELP' : '250-planted.test');
    const keywords = this.#keywords();
    const last = keywords.pop() ?? '';
    for (const keyword of keywords) this.#replies.say(`250-${keyword}`);
    this.#replies.say(`250${this.#has('ehlo-never-ends') ? '-' : ' '}${last}`);
  }

  #keywords(): string[] {
    return [
      'PIPELINING',
      `SIZE ${SIZE_LIMIT}`,
      '8BITMIME',
      'BINARYMIME',
      'SMTPUTF8',
      'DSN',
      'CHUNKING',
      'ENHANCEDSTATUSCODES',
      `AUTH ${MECHANISMS.join(' ')}`,
      ...(this.#secure && !this.#has('starttls-offered-again') ? [] : ['STARTTLS']),
      ...(this.#has('ehlo-keyword-malformed') ? ['X_SIZE=1'] : []),
    ];
  }

  #rset(argument: string): undefined {
    if (!this.#transactions.rset(argument)) return;
    if (this.#has('rset-loses-hello')) this.#hello = '';
    this.#replies.accept('250 2.0.0 OK');
    if (this.#has('reply-twice')) this.#replies.say('250 2.0.0 OK');
    if (this.#has('input-after-rset-lost')) this.#octets.clear();
  }

  #noop(argument: string): undefined {
    if (this.#has('noop-resets')) this.#transactions.drop();
    if (argument !== '' && this.#has('reply-missing')) return;
    if (argument !== '' && this.#has('noop-argument-refused'))
      return this.#replies.refuse('501 5.5.4 NOOP takes no argument');
    if (this.#commands > 12 && this.#has('noop-fails-after-12-commands'))
      return this.#replies.refuse('550 5.5.1 No');
    this.#replies.accept('250 2.0.0 OK');
    if (this.#has('reply-ends-in-lf')) this.#replies.endLastInLf();
  }

  #unknown(line: string): undefined {
    if (this.#has('unknown-command-resets')) this.#transactions.drop();
    if (this.#has('unknown-command-accepted')) return this.#replies.accept('250 2.0.0 OK');
    this.#replies.refuse(
      this.#has('long-reply')
        ? `500 5.5.1 What is ${line.slice(0, 600)}, which I do not know?`
        : '500 5.5.1 Unknown',
    );
    if (this.#has('unknown-command-closes')) this.#replies.close();
  }

  #quit(): undefined {
    this.#transactions.quit();
    if (!this.#has('quit-is-silent'))
      this.#replies.say(this.#has('quit-says-250') ? '250 2.0.0 Bye' : '221 2.0.0 Bye');
    if (!this.#has('quit-stays-open')) this.#replies.close();
  }

  #startTls(argument: string): undefined {
    if (argument !== '' && !this.#has('starttls-takes-argument'))
      return this.#replies.refuse('501 5.5.4 STARTTLS takes no argument');
    if (this.#secure) {
      return this.#has('starttls-twice')
        ? this.#replies.accept('220 2.0.0 Go on')
        : this.#replies.refuse('503 5.5.1 TLS is there');
    }
    if (this.#transactions.isOpen) return this.#replies.refuse('503 5.5.1 A mail transaction is open');
    if (!this.#stream.canStartTls) return this.#replies.refuse('454 4.7.0 TLS is not to be had');
    if (this.#has('starttls-says-250')) return this.#replies.accept('250 2.0.0 Go on');
    this.#replies.say('220 2.0.0 Go on');
    this.#replies.flush();
    this.#awaits = 'handshake';
    this.#stream.startTls();
  }

  #secured(): undefined {
    this.#secure = true;
    this.#awaits = 'command';
    this.#replies.forgiveErrors();
    if (!this.#has('starttls-keeps-buffer')) this.#octets.clear();
    if (!this.#has('starttls-keeps-hello')) this.#hello = '';
    if (!this.#has('starttls-keeps-login')) this.#logins.forget();
    this.#work();
  }

  /** The client sends nothing more. */
  #leave(): undefined {
    this.#lost();
    this.#stream.end();
  }

  #lost(): undefined {
    if (this.#awaits === 'mailData') this.#transactions.lose(this.#octets.rest);
    this.#awaits = 'nothing';
  }
}
