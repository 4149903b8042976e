/**
 * What a client may say, by the RFCs alone: small, slow and obvious. It is told what goes over the wire, in the order in which
 * it does at the client's end, and says where the client breaks a rule.
 *
 * Theory of operation: the client's octets are read as commands, chunks and mail data, the server's replies are matched to
 * them one to one and in order (RFC 5321 §4.2). What a command may rely on is what was replied by the time it was sent;
 * a client that pipelines relies on replies to come (RFC 2920 §3.1).
 */
import { readCommand } from './command-grammar.js';
import { isMalformed, readMailData } from './mail-data.js';
import { parametersForm } from './parameter-rules.js';
import type { Violation } from './server-model.js';
import type { ModelReply } from './server-state.js';

/** A command whose reply is due. */
interface Sent {
  readonly verb: string;
  readonly line: string;
  /** BDAT with LAST. */
  readonly last: boolean;
}

/** A mail transaction as the client has put it; codes are those of the replies so far. */
export interface SentTransaction {
  mail: number | undefined;
  readonly recipients: (number | undefined)[];
  /** Replies to the message; with LMTP one for each accepted recipient. */
  readonly end: number[];
  /** A reply 4yz or 5yz to DATA or to a chunk. */
  refusal: number | undefined;
  /** The final dot, or the last chunk, was sent. */
  complete: boolean;
}

/** Commands behind which nothing may be sent before their reply (RFC 2920 §3.1, RFC 3030 §2, RFC 3207 §4). */
const LAST_OF_GROUP = new Set([
  'EHLO',
  'HELO',
  'LHLO',
  'DATA',
  'VRFY',
  'EXPN',
  'QUIT',
  'NOOP',
  'AUTH',
  'STARTTLS',
]);

const LATIN1_LIMIT = 0x80;

const text = (octets: Uint8Array): string => String.fromCharCode(...octets);

export class ClientModel {
  readonly transactions: SentTransaction[] = [];
  readonly #lmtp: boolean;
  #pending: Uint8Array = new Uint8Array();
  /** Octets of a chunk that have yet to come. */
  #chunkLeft = 0;
  /** `leaving`: the server has said 421, and QUIT may follow or not (RFC 5321 §3.8). */
  #phase: 'commands' | 'mailData' | 'exchange' | 'securing' | 'leaving' | 'over' = 'commands';
  readonly #due: Sent[] = [{ verb: 'greeting', line: '', last: false }];
  #introduced = false;
  #offers: ReadonlyMap<string, string> = new Map();
  #greeting = 0;

  constructor({ protocol = 'smtp' }: { readonly protocol?: 'smtp' | 'lmtp' } = {}) {
    this.#lmtp = protocol === 'lmtp';
  }

  /** The client has sent octets. Undefined: it may. */
  say(octets: Uint8Array): Violation | undefined {
    this.#pending = Uint8Array.from([...this.#pending, ...octets]);
    for (;;) {
      const before = this.#pending.length;
      const violation = this.#read();
      if (violation !== undefined) return violation;
      if (this.#pending.length === before || this.#pending.length === 0) return undefined;
    }
  }

  /** Takes the next whole thing off what the client has sent. */
  #read(): Violation | undefined {
    if (this.#phase === 'over')
      return broken('RFC 5321 §3.8, §4.1.1.10', 'the session is over, and the client goes on');
    if (this.#phase === 'securing')
      return broken('RFC 3207 §4', 'something is sent before the TLS handshake');
    if (this.#chunkLeft > 0) {
      const taken = Math.min(this.#chunkLeft, this.#pending.length);
      this.#chunkLeft -= taken;
      this.#pending = this.#pending.slice(taken);
      return undefined;
    }
    if (this.#phase === 'mailData') return this.#mailData();
    const end = this.#pending.indexOf(0x0a) + 1;
    if (end === 0) return undefined;
    const line = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end);
    if (line.at(-2) !== 0x0d) return broken('RFC 5321 §2.3.8', 'a line ends in a bare LF');
    if (this.#phase === 'exchange') {
      this.#due.push({ verb: 'AUTH', line: '', last: false });
      return undefined;
    }
    return this.#command(line.slice(0, -2));
  }

  #mailData(): Violation | undefined {
    const { content, rest } = readMailData(this.#pending);
    if (content === undefined) return undefined;
    this.#pending = rest;
    this.#phase = 'commands';
    this.#endMessage('.');
    return isMalformed(content)
      ? broken('RFC 5321 §2.3.8, §4.1.1.4', 'mail data holds a bare CR, a bare LF or a NUL')
      : undefined;
  }

  /** With LMTP a reply is due for each recipient that was accepted (RFC 2033 §4.2). */
  #endMessage(line: string): void {
    const transaction = this.transactions.at(-1);
    if (transaction === undefined) return;
    transaction.complete = true;
    const accepted = transaction.recipients.filter((code) => code !== undefined && code < 300).length;
    const replies = this.#lmtp ? accepted : 1;
    for (let count = 0; count < replies; count++) this.#due.push({ verb: '.', line, last: true });
  }

  #command(octets: Uint8Array): Violation | undefined {
    const line = text(octets);
    const { verb, argument } = readCommand(line);
    if (this.#phase === 'leaving' && verb !== 'QUIT')
      return broken('RFC 5321 §3.8', `after 421 the session is over, and the client says ${line}`);
    const ahead = this.#due.at(-1);
    const flaw = this.#flawOfOrder(verb) ?? this.#flawOfLine(line, octets) ?? this.#flawOfGroup(verb, ahead);
    if (flaw !== undefined) return flaw;
    const [, size, last] = /^(\d{1,15})( LAST)?$/i.exec(argument) ?? [];
    if (verb === 'BDAT') this.#chunkLeft = Number(size ?? 0);
    if (verb === 'BDAT' && last !== undefined) this.#endMessage(line);
    else this.#due.push({ verb, line, last: false });
    if (verb === 'MAIL') {
      this.transactions.push({
        mail: undefined,
        recipients: [],
        end: [],
        refusal: undefined,
        complete: false,
      });
    }
    if (verb === 'RCPT') this.transactions.at(-1)?.recipients.push(undefined);
    return undefined;
  }

  /** RFC 5321 §4.1.1, §4.1.4. */
  #flawOfOrder(verb: string): Violation | undefined {
    if (this.#due.some((each) => each.verb === 'greeting')) {
      return broken('RFC 5321 §3.1, §4.3.1', `${verb} is sent before the greeting`);
    }
    if (this.#greeting !== 220 && verb !== 'QUIT')
      return broken('RFC 5321 §3.1', `${verb} after a greeting of ${this.#greeting}`);
    const hello = verb === 'EHLO' || verb === 'HELO' || verb === 'LHLO';
    if (hello && this.#lmtp !== (verb === 'LHLO'))
      return broken('RFC 2033 §4.1', `${verb} is not of this protocol`);
    if (!this.#introduced && !hello && !['QUIT', 'NOOP', 'RSET', 'HELP', 'VRFY', 'EXPN'].includes(verb)) {
      return broken('RFC 5321 §4.1.4', `${verb} is sent before EHLO`);
    }
    const open = this.#open;
    if (verb === 'MAIL' && open !== undefined)
      return broken('RFC 5321 §4.1.4', 'MAIL is sent while a mail transaction is open');
    if (verb === 'RCPT' && open === undefined)
      return broken('RFC 5321 §3.3', 'RCPT is sent without a mail transaction');
    if (verb === 'DATA' || verb === 'BDAT') {
      if (open === undefined) return broken('RFC 5321 §3.3', `${verb} is sent without a mail transaction`);
      if (open.recipients.length === 0) return broken('RFC 5321 §3.3', `${verb} is sent without a recipient`);
    }
    return undefined;
  }

  /** The mail transaction that is open, or may be as far as the client knows. */
  get #open(): SentTransaction | undefined {
    const transaction = this.transactions.at(-1);
    if (transaction === undefined || transaction.complete) return undefined;
    if (this.#due.some(({ verb }) => verb === 'RSET')) return undefined;
    if (this.#dropped === transaction) return undefined;
    return transaction.mail !== undefined && transaction.mail >= 300 ? undefined : transaction;
  }

  /** The mail transaction that RSET or EHLO has ended. */
  #dropped: SentTransaction | undefined;

  #flawOfLine(line: string, octets: Uint8Array): Violation | undefined {
    const { verb, form, parameters } = readCommand(line);
    if (octets.some((octet) => octet === 0 || octet === 0x0d))
      return broken('RFC 5321 §2.3.8', 'a command holds a bare CR or a NUL');
    if (octets.some((octet) => octet >= LATIN1_LIMIT) && !this.#offers.has('SMTPUTF8')) {
      return broken('RFC 5321 §2.4, RFC 6531 §3', 'a command is not ASCII, and SMTPUTF8 is not offered');
    }
    if (verb !== 'MAIL' && verb !== 'RCPT') {
      const offeredBy: Readonly<Record<string, string>> = {
        BDAT: 'CHUNKING',
        STARTTLS: 'STARTTLS',
        AUTH: 'AUTH',
      };
      const keyword = offeredBy[verb];
      const missing = keyword !== undefined && !this.#offers.has(keyword);
      return missing
        ? broken('RFC 5321 §2.2.1', `${verb} is sent, and ${keyword} is not offered`)
        : undefined;
    }
    if (form === 'invalid' && octets.every((octet) => octet < LATIN1_LIMIT)) {
      return broken('RFC 5321 §4.1.2', `${line} is no command`);
    }
    return parametersForm(verb, parameters, this.#offers) === 'unknown'
      ? broken('RFC 5321 §2.2.1, §4.1.1.11', `${line} has a parameter that is not offered`)
      : undefined;
  }

  /** RFC 2920 §3.1: what may stand behind a command whose reply has not come. */
  #flawOfGroup(verb: string, ahead: Sent | undefined): Violation | undefined {
    if (ahead === undefined) return undefined;
    if (!this.#offers.has('PIPELINING'))
      return broken('RFC 2920 §3.1, RFC 5321 §4.3.1', `${verb} is sent before the reply to ${ahead.verb}`);
    return LAST_OF_GROUP.has(ahead.verb)
      ? broken('RFC 2920 §3.1', `${verb} is sent behind ${ahead.verb}, whose reply decides what may follow`)
      : undefined;
  }

  /** The server's reply, whole. */
  hear(reply: ModelReply): void {
    const { code } = reply;
    const sent = this.#due.shift();
    const transaction = this.transactions.at(-1);
    if (code === 421) this.#phase = 'leaving';
    if (sent?.verb === 'QUIT') this.#phase = 'over';
    if (sent === undefined) return;
    const accepted = code < 300;
    switch (sent.verb) {
      case 'greeting':
        this.#greeting = code;
        break;
      case 'EHLO':
      case 'LHLO':
      case 'HELO':
        if (!accepted) break;
        this.#introduced = true;
        this.#dropped = transaction;
        this.#offers = sent.verb === 'HELO' ? new Map() : offersOf(reply);
        break;
      case 'RSET':
        this.#dropped = transaction;
        break;
      case 'STARTTLS':
        if (code === 220) this.#enter('securing');
        break;
      case 'AUTH':
        this.#enter(code === 334 ? 'exchange' : 'commands');
        break;
      default:
        if (transaction !== undefined) this.#hearOfTransaction(sent, code, transaction);
    }
  }

  /** Whatever is said after 421, the session goes on no more. */
  #enter(phase: 'commands' | 'mailData' | 'exchange' | 'securing'): void {
    if (this.#phase !== 'leaving' && this.#phase !== 'over') this.#phase = phase;
  }

  #hearOfTransaction({ verb }: Sent, code: number, transaction: SentTransaction): void {
    const accepted = code < 300;
    if (verb === 'MAIL') transaction.mail = code;
    if (verb === 'RCPT') {
      const index = transaction.recipients.indexOf(undefined);
      if (index >= 0) transaction.recipients[index] = code;
    }
    if (verb === '.') transaction.end.push(code);
    if (verb === 'DATA' && code === 354) this.#enter('mailData');
    else if ((verb === 'DATA' || verb === 'BDAT') && !accepted) {
      transaction.refusal = code;
      transaction.complete = true;
    }
  }

  /** The TLS handshake has succeeded: nothing that was said before counts (RFC 3207 §4.2). */
  secured(): void {
    this.#phase = 'commands';
    this.#introduced = false;
    this.#offers = new Map();
    this.#dropped = this.transactions.at(-1);
  }
}

const broken = (clause: string, message: string): Violation => ({ clause, message });

function offersOf({ lines }: ModelReply): Map<string, string> {
  return new Map(
    lines.slice(1).map((line) => {
      const [keyword = '', ...rest] = line.split(' ');
      return [keyword.toUpperCase(), rest.join(' ')];
    }),
  );
}

/** What a client may tell of one recipient of a mail transaction. */
export type Fate = 'delivered' | 'rejected' | 'deferred' | 'unknown';

/**
 * What may be told of the recipient with this index: the message is its server's or it is not (RFC 5321 §4.2.5), 4yz asks for
 * another attempt (§4.2.1), and without a reply to the final dot nobody knows (RFC 1047).
 */
export function fatesOf(
  transaction: SentTransaction,
  index: number,
  protocol: 'smtp' | 'lmtp' = 'smtp',
): readonly Fate[] {
  const { mail, recipients, refusal, end, complete } = transaction;
  const refused = (code: number): readonly Fate[] => (code < 500 ? ['deferred'] : ['rejected']);
  if (mail !== undefined && mail >= 400) return refused(mail);
  const own = recipients[index];
  // RFC 5321 §4.5.3.1.10: 552 may stand for 452.
  // After a 421 a client may read no further (RFC 5321 §3.8): then it does not know what was said to this recipient.
  if (recipients.slice(0, index).includes(421))
    return ['deferred', ...(own === undefined || own < 400 ? [] : refused(own))];
  if (own !== undefined && own >= 400) return own === 552 ? ['deferred', 'rejected'] : refused(own);
  if (refusal !== undefined) return refused(refusal);
  if (!complete) return ['deferred'];
  const before = recipients.slice(0, index).filter((code) => code !== undefined && code < 300).length;
  const code = protocol === 'lmtp' ? (end[before] ?? end.find((each) => each === 421)) : end[0];
  if (code === undefined) return ['unknown', 'deferred'];
  return code < 300 ? ['delivered'] : refused(code);
}
