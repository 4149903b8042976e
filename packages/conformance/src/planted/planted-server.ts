/**
 * A small server with faults to be planted in it, one flag each: what the kit is measured by. Plain code of its own, which
 * shares nothing with the core or the model; without a flag it is as it should be, and passes every case.
 *
 * It takes mail for everybody but `nobody@…`; with LMTP, a mailbox `full@…` is taken and has no room for the message.
 * One character is one octet throughout.
 */
import type { ByteStream } from '@sansmtp/transport';
import {
  isDomain,
  mailRefusal,
  type ReadArgument,
  rcptRefusal,
  readArgument,
  SIZE_LIMIT,
} from './arguments.js';
import { Exchange, type Step } from './authentication.js';
import { ClientOctets } from './client-octets.js';
import { contentFlaw, contentOf, storedOf } from './mail-data.js';
import type { ServerFault } from './server-faults.js';

export type Flags = (fault: ServerFault) => boolean;

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

interface Transaction {
  readonly from: string;
  readonly utf8: boolean;
  readonly binary: boolean;
  recipients: string[];
  chunks: string | undefined;
  /** Refused recipients, for the fault that reports on them. */
  refused: number;
}

const RECIPIENT_LIMIT = 100;
const ERROR_LIMIT = 20;
const LOGIN_LIMIT = 5;

const encode = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Serves one connection. */
export function servePlanted(stream: ByteStream, options: PlantedServerOptions = {}): void {
  const session = new PlantedSession(stream, options);
  session.open();
}

class PlantedSession {
  readonly #stream: ByteStream;
  readonly #has: Flags;
  readonly #lmtp: boolean;
  readonly #users: Readonly<Record<string, string>>;
  readonly #onMessage: (message: PlantedMessage) => void;
  readonly #octets: ClientOctets;
  /** Replies to what has come at once. */
  #out: string[] = [];
  #phase: 'commands' | 'mailData' | 'chunk' | 'exchange' | 'handshake' | 'over' = 'commands';
  #hello: '' | 'HELO' | 'EHLO' = '';
  #transaction: Transaction | undefined;
  #chunk = { size: 0, last: false, taken: true };
  #exchange: Exchange | undefined;
  #secure = false;
  #authenticated = false;
  #errors = 0;
  #failedLogins = 0;
  #commands = 0;
  #messages = 0;
  #transactions = 0;
  #greeted = false;
  #lastRecipients: string[] = [];

  constructor(
    stream: ByteStream,
    { faults = [], protocol = 'smtp', users = {}, onMessage = () => {} }: PlantedServerOptions,
  ) {
    const planted = new Set(faults);
    this.#stream = stream;
    this.#has = (fault) => planted.has(fault);
    this.#lmtp = protocol === 'lmtp';
    this.#users = users;
    this.#onMessage = onMessage;
    this.#octets = new ClientOctets(this.#has);
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
    this.#say(`${this.#has('greeting-says-250') ? 250 : 220} planted.test ESMTP`);
    this.#flush();
  }

  #hear(octets: string): undefined {
    if (!this.#greeted) this.#greet();
    if (this.#phase === 'over') return;
    this.#octets.push(octets);
    this.#work();
  }

  #work(): undefined {
    while (this.#next());
    this.#flush();
  }

  /** Takes the next thing; false: it is not there yet. */
  #next(): boolean {
    switch (this.#phase) {
      case 'mailData': {
        const data = this.#octets.mailData();
        if (data === undefined) return false;
        this.#phase = 'commands';
        this.#message(contentOf(data, this.#has), data.length);
        if (this.#has('input-after-message-lost')) this.#octets.clear();
        return true;
      }
      case 'chunk': {
        const short = this.#has('bdat-one-octet-short') && this.#chunk.size > 0 ? 1 : 0;
        const octets = this.#octets.chunk(this.#chunk.size - short);
        if (octets === undefined) return false;
        this.#phase = 'commands';
        this.#chunkTaken(octets);
        return true;
      }
      case 'handshake':
      case 'over':
        return false;
      default: {
        const read = this.#octets.line(this.#phase === 'exchange' ? 'response' : 'command');
        if (read === undefined) return false;
        if ('tooLong' in read) this.#refuse('500 5.5.2 The line is too long');
        else if (this.#phase === 'exchange') this.#respond(read.line);
        else this.#command(read.line);
        return true;
      }
    }
  }

  #command(line: string): undefined {
    this.#commands += 1;
    const [, word = '', rest = ''] = /^([a-z0-9]*)(.*)$/is.exec(line) ?? [];
    const verb = this.#has('verbs-need-capitals') ? word : word.toUpperCase();
    const argument = rest.replace(/^ /, '');
    if (/[^ -~\x80-\xff]/.test(line) && !this.#has('controls-taken'))
      return this.#refuse('500 5.5.2 Control characters');
    if (/[\x80-\xff]/.test(line) && verb !== 'MAIL' && verb !== 'RCPT')
      return this.#refuse('500 5.5.2 ASCII only');
    switch (verb) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        return this.#greetClient(verb, argument);
      case 'MAIL':
        this.#mail(argument);
        if (this.#has('input-after-mail-lost')) this.#octets.clear();
        return;
      case 'RCPT':
        return this.#rcpt(argument);
      case 'DATA':
        return this.#data(argument);
      case 'BDAT':
        return this.#bdat(argument);
      case 'RSET':
        return this.#rset(argument);
      case 'NOOP':
        return this.#noop(argument);
      case 'VRFY':
        if (this.#has('vrfy-resets')) this.#transaction = undefined;
        return argument === '' ? this.#refuse('501 5.5.4 Whom?') : this.#accept('252 2.5.0 Try it');
      case 'STARTTLS':
        return this.#startTls(argument);
      case 'AUTH':
        return this.#auth(argument);
      case 'QUIT':
        return argument.trim() === '' ? this.#quit() : this.#refuse('501 5.5.4 QUIT takes no argument');
      default:
        return this.#unknown(line);
    }
  }

  #greetClient(verb: 'EHLO' | 'HELO' | 'LHLO', argument: string): undefined {
    const takesEhlo = this.#has('lmtp-takes-ehlo') && verb === 'EHLO';
    if (this.#lmtp !== (verb === 'LHLO') && !takesEhlo) return this.#refuse('500 5.5.1 Not in this protocol');
    // What a host is called, only its owner can judge.
    if (!isDomain(argument.trim().replaceAll('_', '-'), () => false)) {
      if (this.#has('refused-ehlo-resets')) this.#transaction = undefined;
      return this.#refuse('501 5.5.4 Who?');
    }
    const keeps = verb === 'HELO' ? 'helo-keeps-transaction' : 'ehlo-keeps-transaction';
    if (!this.#has(keeps)) this.#transaction = undefined;
    this.#errors = 0;
    const hadExtensions = this.#hello === 'EHLO' && this.#has('helo-keeps-extensions');
    this.#hello = verb === 'HELO' && !hadExtensions ? 'HELO' : 'EHLO';
    if (verb === 'HELO') return this.#say('250 planted.test');
    this.#say(this.#has('ehlo-codes-differ') ? '250-planted.test\r\n251-HELP' : '250-planted.test');
    const keywords = [
      'PIPELINING',
      `SIZE ${SIZE_LIMIT}`,
      '8BITMIME',
      'BINARYMIME',
      'SMTPUTF8',
      'DSN',
      'CHUNKING',
      'ENHANCEDSTATUSCODES',
      'AUTH PLAIN LOGIN',
      ...(this.#secure && !this.#has('starttls-offered-again') ? [] : ['STARTTLS']),
      ...(this.#has('ehlo-keyword-malformed') ? ['X_SIZE=1'] : []),
    ];
    const last = keywords.pop() ?? '';
    for (const keyword of keywords) this.#say(`250-${keyword}`);
    this.#say(`250${this.#has('ehlo-never-ends') ? '-' : ' '}${last}`);
  }

  #mail(argument: string): undefined {
    if (this.#hello === '' && !this.#has('mail-before-hello')) return this.#refuse('503 5.5.1 EHLO first');
    if (this.#transaction !== undefined && !this.#has('mail-twice')) {
      if (this.#has('second-mail-resets')) this.#transaction = undefined;
      return this.#refuse('503 5.5.1 A mail transaction is open');
    }
    const read = readArgument('MAIL', argument, this.#has);
    if (typeof read === 'string') return this.#refuse(read);
    const refusal = mailRefusal(read, this.#hello === 'EHLO', this.#has);
    if (refusal !== undefined) return this.#refuse(refusal);
    this.#transactions += 1;
    if (this.#has('third-transaction-needs-hello') && this.#transactions === 3)
      return this.#refuse('503 5.5.1 EHLO first');
    const recipients =
      this.#has('message-keeps-recipients') || this.#has('rset-keeps-recipients') ? this.#lastRecipients : [];
    const binary = read.parameters.get('BODY')?.toUpperCase() === 'BINARYMIME';
    const utf8 = read.parameters.has('SMTPUTF8');
    const chunks = this.#lostChunks;
    this.#lostChunks = undefined;
    this.#transaction = { from: read.mailbox, utf8, binary, recipients: [...recipients], chunks, refused: 0 };
    this.#accept(this.#has('enhanced-class-differs') ? '250 5.1.0 OK' : '250 2.1.0 OK');
  }

  #lostChunks: string | undefined;

  #rcpt(argument: string): undefined {
    if (this.#transaction === undefined && this.#has('rcpt-before-mail'))
      this.#transaction = this.#emptyTransaction();
    const transaction = this.#transaction;
    if (transaction === undefined || transaction.chunks !== undefined)
      return this.#refuse('503 5.5.1 MAIL first');
    const read = readArgument('RCPT', argument, this.#has);
    if (typeof read === 'string') return this.#refuse(read);
    const extensions = this.#hello === 'EHLO';
    const refusal = rcptRefusal(read, { extensions, utf8: transaction.utf8 }, this.#has);
    if (refusal !== undefined) return this.#refuse(refusal);
    const policy = this.#policy(read, transaction);
    if (policy === undefined) {
      const mailbox = this.#has('local-part-in-lower-case') ? inLowerCase(read.mailbox) : read.mailbox;
      transaction.recipients.push(mailbox);
      return this.#accept(this.#has('enhanced-code-missing') ? '250 OK' : '250 2.1.5 OK');
    }
    transaction.refused += 1;
    if (this.#has('refused-rcpt-resets')) this.#transaction = undefined;
    if (this.#has('refused-rcpt-kept')) transaction.recipients.push(read.mailbox);
    // No error of the client's.
    this.#say(policy);
  }

  /** Who is taken, and how many. */
  #policy({ mailbox }: ReadArgument, { recipients }: Transaction): string | undefined {
    if (mailbox.startsWith('nobody@')) return '550 5.1.1 No such mailbox';
    if (this.#has('rcpt-class-flips-later') && this.#transactions > 1) return '550 5.1.1 No such mailbox';
    const limit = RECIPIENT_LIMIT - (this.#has('recipients-off-by-one') ? 1 : 0);
    if (recipients.length < limit || this.#has('recipients-beyond-limit-lost')) return undefined;
    if (this.#has('recipients-limit-resets')) this.#transaction = undefined;
    return '452 4.5.3 Too many recipients';
  }

  #emptyTransaction(): Transaction {
    return { from: '', utf8: false, binary: false, recipients: [], chunks: undefined, refused: 0 };
  }

  #data(argument: string): undefined {
    if (argument !== '' && !this.#has('argument-of-data-ignored'))
      return this.#refuse('501 5.5.4 DATA takes no argument');
    if (this.#transaction === undefined && this.#has('data-before-mail')) {
      this.#transaction = { ...this.#emptyTransaction(), recipients: ['postmaster'] };
    }
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#refuse('503 5.5.1 MAIL first');
    const chunked = transaction.chunks !== undefined && !this.#has('bdat-then-data');
    if (chunked || (transaction.binary && !this.#has('binarymime-then-data')))
      return this.#refuse('503 5.5.1 BDAT goes on');
    if (
      transaction.recipients.length === 0 &&
      !this.#has('data-before-rcpt') &&
      !this.#has('lmtp-data-without-recipient')
    ) {
      return this.#refuse('503 5.5.1 RCPT first');
    }
    this.#phase = 'mailData';
    this.#errors = 0;
    this.#say(this.#has('data-says-250') ? '250 2.0.0 OK' : '354 Go on');
  }

  /** A whole message; `raw` is its length with dots of transparency. */
  #message(content: string, raw: number): undefined {
    const transaction = this.#transaction ?? this.#emptyTransaction();
    const { recipients } = transaction;
    if (recipients.length === 0 && !this.#has('data-before-rcpt')) {
      this.#endTransaction();
      return this.#refuse('554 5.5.1 No recipients');
    }
    const flaw = contentFlaw(content, raw, transaction.binary, this.#has);
    if (flaw !== undefined) {
      if (this.#has('large-message-closes') && flaw.startsWith('552')) return this.#close();
      if (!this.#has('refused-message-keeps-transaction')) this.#endTransaction();
      return this.#verdicts(transaction, () => flaw);
    }
    this.#messages += 1;
    const isFull = (mailbox: string) => this.#lmtp && mailbox.startsWith('full@');
    const taken = recipients.filter((each) => !isFull(each)).slice(0, RECIPIENT_LIMIT);
    this.#store({
      from: transaction.from,
      recipients: this.#has('second-recipient-lost') ? taken.slice(0, 1) : taken,
      content,
    });
    this.#verdicts(transaction, (mailbox) => (isFull(mailbox) ? '452 4.2.2 Full' : '250 2.0.0 Stored'));
    if (this.#has('message-keeps-recipients')) this.#lastRecipients = recipients;
    if (!this.#has('message-keeps-transaction')) this.#endTransaction();
    else transaction.chunks = undefined;
  }

  #store({ from, recipients, content }: PlantedMessage): undefined {
    if (recipients.length === 0) return;
    if (this.#has('second-message-lost') && this.#messages === 2) return;
    const large = content.length > SIZE_LIMIT;
    const whole = storedOf(content, this.#has);
    const stored = { from, recipients, content: large ? whole.slice(0, SIZE_LIMIT) : whole };
    this.#onMessage(stored);
    if (this.#has('message-stored-twice')) this.#onMessage(stored);
  }

  /** One reply, and with LMTP one for each recipient (RFC 2033 §4.2). */
  #verdicts({ recipients, refused }: Transaction, verdictOn: (mailbox: string) => string): undefined {
    this.#errors = 0;
    if (!this.#lmtp || this.#has('lmtp-one-reply')) {
      const verdict = verdictOn(recipients[0] ?? '');
      return this.#say(this.#has('message-says-354') ? '354 Go on' : verdict);
    }
    const first = verdictOn(recipients[0] ?? '');
    const verdicts = recipients.map((each) =>
      this.#has('lmtp-same-verdict-for-all') ? first : verdictOn(each),
    );
    if (this.#has('lmtp-replies-reversed')) verdicts.reverse();
    if (this.#has('lmtp-reply-for-refused'))
      for (let count = 0; count < refused; count++) verdicts.push('550 5.1.1 No such mailbox');
    for (const verdict of verdicts) this.#say(verdict);
  }

  #bdat(argument: string): undefined {
    const [, digits, last] = /^(\d{1,9})( LAST)?$/i.exec(argument) ?? [];
    if (digits === undefined) {
      if (this.#has('bdat-size-malformed-taken')) return this.#accept('250 2.0.0 Octets received');
      // How many octets follow, nobody can tell.
      this.#say('501 5.5.4 BDAT takes a size');
      return this.#close();
    }
    const transaction = this.#transaction;
    const size = Number(digits);
    const isLast = last !== undefined && !this.#has('bdat-last-ignored');
    const hasRecipients = (transaction?.recipients.length ?? 0) > 0 || this.#has('bdat-without-recipient');
    const taken = transaction !== undefined && hasRecipients && this.#hello === 'EHLO';
    if (taken && size === 0 && last !== undefined && this.#has('bdat-empty-last-refused'))
      return this.#refuse('501 5.5.4 Nothing?');
    this.#chunk = { size: !taken && this.#has('bdat-refused-runs') ? 0 : size, last: isLast, taken };
    this.#phase = 'chunk';
  }

  #chunkTaken(octets: string): undefined {
    const { last, taken, size } = this.#chunk;
    const transaction = this.#transaction;
    if (!taken || transaction === undefined) return this.#refuse('503 5.5.1 RCPT first');
    const before = this.#has('bdat-first-chunk-lost') ? '' : (transaction.chunks ?? '');
    const content = this.#has('dots-in-chunks-removed') ? octets.replace(/(^|\r\n)\./g, '$1') : octets;
    transaction.chunks = before + content;
    if (transaction.chunks.length > SIZE_LIMIT && !last) {
      this.#endTransaction();
      return this.#refuse('552 5.3.4 Too large');
    }
    if (!last) return this.#accept(`250 2.0.0 ${size} octets received`);
    this.#message(transaction.chunks, transaction.chunks.length);
  }

  #endTransaction(): undefined {
    this.#transaction = undefined;
  }

  #rset(argument: string): undefined {
    if (argument !== '') return this.#refuse('501 5.5.4 RSET takes no argument');
    if (this.#has('rset-keeps-recipients')) this.#lastRecipients = this.#transaction?.recipients ?? [];
    if (this.#has('bdat-rset-keeps-chunks')) this.#lostChunks = this.#transaction?.chunks;
    if (!this.#has('rset-keeps-sender')) this.#transaction = undefined;
    if (this.#has('rset-loses-hello')) this.#hello = '';
    this.#accept('250 2.0.0 OK');
    if (this.#has('reply-twice')) this.#say('250 2.0.0 OK');
    if (this.#has('input-after-rset-lost')) this.#octets.clear();
  }

  #noop(argument: string): undefined {
    if (this.#has('noop-resets')) this.#transaction = undefined;
    if (argument !== '' && this.#has('reply-missing')) return;
    if (argument !== '' && this.#has('noop-argument-refused'))
      return this.#refuse('501 5.5.4 NOOP takes no argument');
    if (this.#commands > 12 && this.#has('noop-fails-after-12-commands')) return this.#refuse('550 5.5.1 No');
    this.#accept('250 2.0.0 OK');
    if (this.#has('reply-ends-in-lf')) this.#out.push(`${(this.#out.pop() ?? '').replace(/\r\n$/, '\n')}`);
  }

  #unknown(line: string): undefined {
    if (this.#has('unknown-command-resets')) this.#transaction = undefined;
    if (this.#has('unknown-command-accepted')) return this.#accept('250 2.0.0 OK');
    this.#refuse(
      this.#has('long-reply')
        ? `500 5.5.1 What is ${line.slice(0, 600)}, which I do not know?`
        : '500 5.5.1 Unknown',
    );
    if (this.#has('unknown-command-closes')) this.#close();
  }

  #quit(): undefined {
    const transaction = this.#transaction;
    if (this.#has('quit-stores-message') && transaction?.chunks !== undefined) {
      this.#store({ ...transaction, content: transaction.chunks });
    }
    this.#transaction = undefined;
    if (!this.#has('quit-is-silent'))
      this.#say(this.#has('quit-says-250') ? '250 2.0.0 Bye' : '221 2.0.0 Bye');
    if (!this.#has('quit-stays-open')) this.#close();
  }

  #startTls(argument: string): undefined {
    if (argument !== '' && !this.#has('starttls-takes-argument'))
      return this.#refuse('501 5.5.4 STARTTLS takes no argument');
    if (this.#secure) {
      return this.#has('starttls-twice')
        ? this.#accept('220 2.0.0 Go on')
        : this.#refuse('503 5.5.1 TLS is there');
    }
    if (this.#transaction !== undefined) return this.#refuse('503 5.5.1 A mail transaction is open');
    if (!this.#stream.canStartTls) return this.#refuse('454 4.7.0 TLS is not to be had');
    if (this.#has('starttls-says-250')) return this.#accept('250 2.0.0 Go on');
    this.#say('220 2.0.0 Go on');
    this.#flush();
    this.#phase = 'handshake';
    this.#stream.startTls();
  }

  #secured(): undefined {
    this.#secure = true;
    this.#phase = 'commands';
    this.#errors = 0;
    if (!this.#has('starttls-keeps-buffer')) this.#octets.clear();
    if (!this.#has('starttls-keeps-hello')) this.#hello = '';
    if (!this.#has('starttls-keeps-login')) this.#authenticated = false;
    this.#work();
  }

  #auth(argument: string): undefined {
    const [mechanism = '', initial, ...more] = argument.split(' ');
    const name = mechanism.toUpperCase();
    if (this.#hello !== 'EHLO') return this.#refuse('503 5.5.1 EHLO first');
    if (this.#authenticated && !this.#has('auth-twice')) return this.#refuse('503 5.5.1 You are logged in');
    if (this.#transaction !== undefined && !this.#has('auth-in-transaction'))
      return this.#refuse('503 5.5.1 A mail transaction is open');
    if (more.length > 0 || name === '') return this.#refuse('501 5.5.4 One mechanism');
    const known = name === 'PLAIN' || name === 'LOGIN';
    if (!known && !this.#has('auth-unknown-mechanism-goes-on'))
      return this.#refuse('504 5.5.4 That mechanism is not there');
    this.#exchange = new Exchange(known ? name : 'PLAIN', this.#users, this.#has);
    this.#goOn(this.#exchange.begin(initial));
  }

  #respond(line: string): undefined {
    this.#phase = 'commands';
    if (this.#exchange !== undefined) this.#goOn(this.#exchange.respond(line));
  }

  #goOn(step: Step): undefined {
    if ('challenge' in step) {
      this.#phase = 'exchange';
      return this.#say(`334 ${step.challenge}`);
    }
    if (step.over === 'right') {
      this.#authenticated = true;
      return this.#accept(this.#has('auth-success-says-250') ? '250 2.7.0 Welcome' : '235 2.7.0 Welcome');
    }
    if (step.over !== 'wrong') return this.#refuse('501 5.5.2 No');
    this.#failedLogins += 1;
    if (this.#failedLogins < LOGIN_LIMIT) return this.#refuse('535 5.7.8 No');
    this.#say('421 4.7.0 Too many attempts');
    this.#close();
  }

  #accept(reply: string): undefined {
    this.#errors = 0;
    this.#say(reply);
  }

  #refuse(reply: string): undefined {
    this.#errors += 1;
    if (this.#errors < ERROR_LIMIT) {
      this.#say(reply);
      if (this.#has('input-after-error-lost')) this.#octets.clear();
      return;
    }
    this.#errors = 0;
    if (!this.#has('errors-close-silently')) this.#say('421 4.7.0 Too many errors');
    if (!this.#has('errors-421-stays-open')) this.#close();
  }

  #say(line: string): undefined {
    this.#out.push(`${line}\r\n`);
  }

  #flush(): undefined {
    const batch =
      this.#has('batch-replies-reversed') && this.#out.every((line) => /^[25]\d\d /.test(line))
        ? this.#out.reverse()
        : this.#out;
    const same = this.#has('batch-same-reply-once');
    const lines = batch.filter((line, index) => !same || index === 0 || line !== batch[index - 1]);
    this.#out = [];
    if (lines.length > 0) this.#stream.write(encode(lines.join('')));
  }

  #close(): undefined {
    this.#phase = 'over';
    this.#flush();
    this.#stream.end();
  }

  /** The client sends nothing more. */
  #leave(): undefined {
    this.#lost();
    this.#stream.end();
  }

  #lost(): undefined {
    const transaction = this.#transaction;
    if (
      this.#phase === 'mailData' &&
      transaction !== undefined &&
      this.#has('lost-connection-stores-message')
    ) {
      this.#store({ ...transaction, content: this.#octets.rest });
    }
    this.#phase = 'over';
  }
}

function inLowerCase(mailbox: string): string {
  const at = mailbox.lastIndexOf('@');
  return mailbox.slice(0, at).toLowerCase() + mailbox.slice(at);
}
