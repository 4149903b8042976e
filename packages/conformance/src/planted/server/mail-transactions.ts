/** MAIL, RCPT, DATA and BDAT of the planted server, and what becomes of a message (RFC 5321 §3.3, RFC 3030). */
import { mailRefusal, type ReadArgument, rcptRefusal, readArgument, SIZE_LIMIT } from './arguments.js';
import type { Flags } from './faults.js';
import { contentFlaw, storedOf } from './mail-data.js';
import type { PlantedMessage } from './planted-server.js';
import type { Replies } from './replies.js';

/** What the mail transaction waits for: mail data, or so many octets of a chunk. */
export type Awaited = 'mailData' | { readonly octets: number };

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

const emptyTransaction = (): Transaction => ({
  from: '',
  utf8: false,
  binary: false,
  recipients: [],
  chunks: undefined,
  refused: 0,
});

export class MailTransactions {
  readonly #has: Flags;
  readonly #lmtp: boolean;
  readonly #replies: Replies;
  readonly #onMessage: (message: PlantedMessage) => void;
  #open: Transaction | undefined;
  #chunk = { size: 0, last: false, taken: true };
  /** How many there were, and messages in them. */
  #begun = 0;
  #messages = 0;
  /** For the faults that keep something from one to the next. */
  #lastRecipients: string[] = [];
  #lostChunks: string | undefined;

  constructor(
    has: Flags,
    replies: Replies,
    { lmtp, onMessage }: { readonly lmtp: boolean; readonly onMessage: (message: PlantedMessage) => void },
  ) {
    this.#has = has;
    this.#lmtp = lmtp;
    this.#replies = replies;
    this.#onMessage = onMessage;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  drop(): undefined {
    this.#open = undefined;
  }

  mail(argument: string, hello: '' | 'HELO' | 'EHLO'): undefined {
    if (hello === '' && !this.#has('mail-before-hello')) return this.#replies.refuse('503 5.5.1 EHLO first');
    if (this.#open !== undefined && !this.#has('mail-twice')) {
      if (this.#has('second-mail-resets')) this.drop();
      return this.#replies.refuse('503 5.5.1 A mail transaction is open');
    }
    const read = readArgument('MAIL', argument, this.#has);
    if (typeof read === 'string') return this.#replies.refuse(read);
    const refusal = mailRefusal(read, hello === 'EHLO', this.#has);
    if (refusal !== undefined) return this.#replies.refuse(refusal);
    this.#begun += 1;
    if (this.#has('third-transaction-needs-hello') && this.#begun === 3)
      return this.#replies.refuse('503 5.5.1 EHLO first');
    const keeps = this.#has('message-keeps-recipients') || this.#has('rset-keeps-recipients');
    this.#open = {
      ...emptyTransaction(),
      from: read.mailbox,
      utf8: read.parameters.has('SMTPUTF8'),
      binary: read.parameters.get('BODY')?.toUpperCase() === 'BINARYMIME',
      recipients: keeps ? [...this.#lastRecipients] : [],
      chunks: this.#lostChunks,
    };
    this.#lostChunks = undefined;
    this.#replies.accept(this.#has('enhanced-class-differs') ? '250 5.1.0 OK' : '250 2.1.0 OK');
  }

  rcpt(argument: string, hello: '' | 'HELO' | 'EHLO'): undefined {
    if (this.#open === undefined && this.#has('rcpt-before-mail')) this.#open = emptyTransaction();
    const transaction = this.#open;
    if (transaction === undefined || transaction.chunks !== undefined)
      return this.#replies.refuse('503 5.5.1 MAIL first');
    const read = readArgument('RCPT', argument, this.#has);
    if (typeof read === 'string') return this.#replies.refuse(read);
    const extensions = hello === 'EHLO';
    const refusal = rcptRefusal(read, { extensions, utf8: transaction.utf8 }, this.#has);
    if (refusal !== undefined) return this.#replies.refuse(refusal);
    const policy = this.#policy(read, transaction);
    if (policy === undefined) {
      const mailbox = this.#has('local-part-in-lower-case') ? inLowerCase(read.mailbox) : read.mailbox;
      transaction.recipients.push(mailbox);
      return this.#replies.accept(this.#has('enhanced-code-missing') ? '250 OK' : '250 2.1.5 OK');
    }
    transaction.refused += 1;
    if (this.#has('refused-rcpt-resets')) this.drop();
    if (this.#has('refused-rcpt-kept')) transaction.recipients.push(read.mailbox);
    // No error of the client's.
    this.#replies.say(policy);
  }

  /** Who is taken, and how many. */
  #policy({ mailbox }: ReadArgument, { recipients }: Transaction): string | undefined {
    if (mailbox.startsWith('nobody@')) return '550 5.1.1 No such mailbox';
    if (this.#has('rcpt-class-flips-later') && this.#begun > 1) return '550 5.1.1 No such mailbox';
    const limit = RECIPIENT_LIMIT - (this.#has('recipients-off-by-one') ? 1 : 0);
    if (recipients.length < limit || this.#has('recipients-beyond-limit-lost')) return undefined;
    if (this.#has('recipients-limit-resets')) this.drop();
    return '452 4.5.3 Too many recipients';
  }

  data(argument: string): Awaited | undefined {
    if (argument !== '' && !this.#has('argument-of-data-ignored'))
      return this.#replies.refuse('501 5.5.4 DATA takes no argument');
    if (this.#open === undefined && this.#has('data-before-mail'))
      this.#open = { ...emptyTransaction(), recipients: ['postmaster'] };
    const transaction = this.#open;
    if (transaction === undefined) return this.#replies.refuse('503 5.5.1 MAIL first');
    const chunked = transaction.chunks !== undefined && !this.#has('bdat-then-data');
    if (chunked || (transaction.binary && !this.#has('binarymime-then-data')))
      return this.#replies.refuse('503 5.5.1 BDAT goes on');
    const needsRecipient = !this.#has('data-before-rcpt') && !this.#has('lmtp-data-without-recipient');
    if (transaction.recipients.length === 0 && needsRecipient)
      return this.#replies.refuse('503 5.5.1 RCPT first');
    this.#replies.accept(this.#has('data-says-250') ? '250 2.0.0 OK' : '354 Go on');
    return 'mailData';
  }

  bdat(argument: string, hello: '' | 'HELO' | 'EHLO'): Awaited | undefined {
    const [, digits, last] = /^(\d{1,9})( LAST)?$/i.exec(argument) ?? [];
    if (digits === undefined) {
      if (this.#has('bdat-size-malformed-taken')) return this.#replies.accept('250 2.0.0 Octets received');
      // How many octets follow, nobody can tell.
      this.#replies.say('501 5.5.4 BDAT takes a size');
      return this.#replies.close();
    }
    const transaction = this.#open;
    const size = Number(digits);
    const isLast = last !== undefined && !this.#has('bdat-last-ignored');
    const hasRecipients = (transaction?.recipients.length ?? 0) > 0 || this.#has('bdat-without-recipient');
    const taken = transaction !== undefined && hasRecipients && hello === 'EHLO';
    if (taken && size === 0 && last !== undefined && this.#has('bdat-empty-last-refused'))
      return this.#replies.refuse('501 5.5.4 Nothing?');
    this.#chunk = { size: !taken && this.#has('bdat-refused-runs') ? 0 : size, last: isLast, taken };
    const short = this.#has('bdat-one-octet-short') && this.#chunk.size > 0 ? 1 : 0;
    return { octets: this.#chunk.size - short };
  }

  /** The octets of the chunk are there. */
  takeChunk(octets: string): undefined {
    const { last, taken, size } = this.#chunk;
    const transaction = this.#open;
    if (!taken || transaction === undefined) return this.#replies.refuse('503 5.5.1 RCPT first');
    const before = this.#has('bdat-first-chunk-lost') ? '' : (transaction.chunks ?? '');
    const content = this.#has('dots-in-chunks-removed') ? octets.replace(/(^|\r\n)\./g, '$1') : octets;
    transaction.chunks = before + content;
    if (transaction.chunks.length > SIZE_LIMIT && !last) {
      this.drop();
      return this.#replies.refuse('552 5.3.4 Too large');
    }
    if (!last) return this.#replies.accept(`250 2.0.0 ${size} octets received`);
    this.takeMessage(transaction.chunks, transaction.chunks.length);
  }

  /** A whole message; `raw` is its length with dots of transparency. */
  takeMessage(content: string, raw: number): undefined {
    const transaction = this.#open ?? emptyTransaction();
    const { recipients } = transaction;
    if (recipients.length === 0 && !this.#has('data-before-rcpt')) {
      this.drop();
      return this.#replies.refuse('554 5.5.1 No recipients');
    }
    const flaw = contentFlaw(content, raw, transaction.binary, this.#has);
    if (flaw !== undefined) {
      if (this.#has('large-message-closes') && flaw.startsWith('552')) return this.#replies.close();
      if (!this.#has('refused-message-keeps-transaction')) this.drop();
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
    if (!this.#has('message-keeps-transaction')) this.drop();
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
    this.#replies.forgiveErrors();
    const first = verdictOn(recipients[0] ?? '');
    if (!this.#lmtp || this.#has('lmtp-one-reply'))
      return this.#replies.say(this.#has('message-says-354') ? '354 Go on' : first);
    const verdicts = recipients.map((each) =>
      this.#has('lmtp-same-verdict-for-all') ? first : verdictOn(each),
    );
    if (this.#has('lmtp-replies-reversed')) verdicts.reverse();
    if (this.#has('lmtp-reply-for-refused'))
      for (let count = 0; count < refused; count++) verdicts.push('550 5.1.1 No such mailbox');
    for (const verdict of verdicts) this.#replies.say(verdict);
  }

  rset(argument: string): boolean {
    if (argument !== '') {
      this.#replies.refuse('501 5.5.4 RSET takes no argument');
      return false;
    }
    if (this.#has('rset-keeps-recipients')) this.#lastRecipients = this.#open?.recipients ?? [];
    if (this.#has('bdat-rset-keeps-chunks')) this.#lostChunks = this.#open?.chunks;
    if (!this.#has('rset-keeps-sender')) this.drop();
    return true;
  }

  /** The client says QUIT. */
  quit(): undefined {
    if (this.#has('quit-stores-message') && this.#open?.chunks !== undefined)
      this.#store({ ...this.#open, content: this.#open.chunks });
    this.drop();
  }

  /** The connection is over amid a message. */
  lose(octets: string): undefined {
    if (this.#open !== undefined && this.#has('lost-connection-stores-message'))
      this.#store({ ...this.#open, content: octets });
  }
}

function inLowerCase(mailbox: string): string {
  const at = mailbox.lastIndexOf('@');
  return mailbox.slice(0, at).toLowerCase() + mailbox.slice(at);
}
