/**
 * A server in miniature, to judge the real one by: which reply code each command gets, as RFC 5321 has it, and with
 * STARTTLS (RFC 3207), AUTH PLAIN (RFC 4954), BDAT (RFC 3030) and LMTP (RFC 2033), strictly and in lenient mode. It knows
 * neither chart nor session: a handful of flags and counts, and rules written down a second time.
 */
import type { Question } from './decisions/questions.js';

/** Small limits, so that random dialogues meet them. */
export const limits = {
  maximumMessageSize: 100,
  maximumRecipients: 2,
  maximumErrors: 6,
  startTls: 'offered',
  authentication: { mechanisms: ['PLAIN'], maximumFailures: 2 },
  maximumCommandLength: 60,
  timeouts: { idle: 100, mailData: 200, decision: 300, handshake: 400, linger: 50 },
} as const;

/** A MAIL line may be longer by what extensions add to it, once they were offered (RFC 5321 §4.5.3.1.4). */
const LONGEST_MAIL = limits.maximumCommandLength + 26 + 17 + 16 + 10 + (16 + 100) + 500;

/** What the application does: `late` accepts just in time, `never` lets the time pass. */
export type Answering = 'accept' | 'reject' | 'hangUp' | 'late' | 'never';

export type MessageKind = 'good' | 'malformed' | 'tooLarge' | 'stalled';

export type ChunkKind = 'empty' | 'good' | 'half' | 'malformed' | 'tooLarge';

/** How the client authenticates itself; `asked` and `cancelled` let the server ask for the response first. */
export type AuthenticationKind = 'initial' | 'asked' | 'cancelled' | 'notBase64' | 'malformed';

/** What the client does; `answer` is the application's to it, if it is asked; `loose` lines lenient mode takes. */
export type Step =
  | { readonly verb: 'EHLO' | 'HELO'; readonly answer: Answering }
  | { readonly verb: 'VRFY' | 'EXPN' | 'HELP'; readonly answer: Answering }
  | {
      readonly verb: 'MAIL';
      readonly parameter: string;
      /** Octets of the line, CRLF included: spaces are put at its end. */
      readonly length: number;
      readonly loose: boolean;
      readonly answer: Answering;
    }
  | {
      readonly verb: 'RCPT';
      readonly parameter: string;
      readonly loose: boolean;
      readonly answer: Answering;
    }
  | {
      readonly verb: 'DATA';
      readonly answer: Answering;
      readonly message: MessageKind;
      readonly verdict: Answering;
    }
  | {
      readonly verb: 'BDAT';
      readonly chunk: ChunkKind;
      readonly last: boolean;
      readonly answer: Answering;
      readonly verdict: Answering;
    }
  | { readonly verb: 'AUTH'; readonly kind: AuthenticationKind; readonly answer: Answering }
  /** The handshake succeeds. */
  | { readonly verb: 'STARTTLS'; readonly answer: Answering }
  | { readonly verb: 'RSET' | 'NOOP' }
  | { readonly verb: 'QUIT'; readonly loose: boolean }
  /** A line that is no command, and the reply that says so. */
  | { readonly verb: 'bad'; readonly line: string; readonly reply: string; readonly aboutAddress?: boolean };

/** The octets of each message, its end included but where it stalls. */
export const messages: Readonly<Record<MessageKind, string>> = {
  good: 'Subject: x\r\n\r\n..\r\nQUIT\r\n.\r\n',
  malformed: 'Hello\n.\nQUIT\r\n.\r\n',
  tooLarge: `${'x'.repeat(49)}\r\n${'y'.repeat(48)}\r\n.\r\n`,
  stalled: 'Hello\r\n.',
};

/** The octets of each chunk. */
export const chunks: Readonly<Record<ChunkKind, string>> = {
  empty: '',
  good: '.\r\nQUIT\r\n',
  half: `${'x'.repeat(48)}\r\n`,
  malformed: 'a\nQUIT\r\n',
  tooLarge: `${'x'.repeat(49)}\r\n`.repeat(2),
};

const RESPONSE = 'AHUAcA=='; // user "u", password "p"

const AUTH_ARGUMENTS: Readonly<Record<AuthenticationKind, string>> = {
  initial: ` ${RESPONSE}`,
  asked: '',
  cancelled: '',
  notBase64: ' ***',
  malformed: ' eA==',
};

export function lineOf(step: Step, protocol: Protocol): string {
  switch (step.verb) {
    case 'EHLO':
      return `${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} c.example`;
    case 'BDAT':
      return `BDAT ${chunks[step.chunk].length}${step.last ? ' LAST' : ''}`;
    case 'AUTH':
      return `AUTH PLAIN${AUTH_ARGUMENTS[step.kind]}`;
    case 'HELO':
      return `${step.verb} c.example`;
    case 'VRFY':
    case 'EXPN':
    case 'HELP':
      return `${step.verb} x`;
    case 'MAIL':
      return `MAIL FROM:${step.loose ? 'a@b' : '<a@b>'}${step.parameter && ` ${step.parameter}`}`.padEnd(
        step.length - 2,
      );
    case 'RCPT':
      return `${step.loose ? 'RCPT\tTO:< c@d >' : 'RCPT TO:<c@d>'}${step.parameter && ` ${step.parameter}`}`;
    case 'QUIT':
      return step.loose ? 'QUIT now' : 'QUIT';
    case 'bad':
      return step.line;
    default:
      return step.verb;
  }
}

/** What is predicted of one step. */
export interface Prediction {
  /** Codes and enhanced status codes of the replies, in order. */
  readonly replies: readonly string[];
  /** What the application is asked, and answers. */
  readonly questions: readonly { readonly kind: Question['kind']; readonly answer: Answering }[];
  /** The message that the client sends behind the line, once the server asks for it. */
  readonly message?: MessageKind;
  /** The response that the client sends behind the line, because the server asks for it. */
  readonly behind?: string;
  /** The TLS handshake follows. */
  readonly upgrade?: true;
}

export type Protocol = 'smtp' | 'lmtp';

const BAD_SEQUENCE = '503 5.5.1';

const MAIL_PARAMETERS: Readonly<Record<string, string>> = {
  'SIZE=101': '552 5.3.4', // RFC 1870 §6.1
  'SIZE=x': '501 5.5.4',
  'BODY=X': '504 5.5.4', // RFC 5321 §4.2.2
  'FOO=1': '555 5.5.4', // RFC 5321 §4.1.1.11
};

const ACCEPTED: Readonly<Partial<Record<Question['kind'], string>>> = {
  connect: '220',
  hello: '250',
  mail: '250 2.1.0',
  rcpt: '250 2.1.5',
  data: '354',
  message: '250 2.0.0',
  verify: '252 2.5.0',
  expand: '252 2.5.0',
  help: '214 2.0.0',
  startTls: '220 2.0.0',
  authenticate: '235 2.7.0',
};

export class ReferenceModel {
  /** The session ended: nothing is replied to any more. */
  over = false;
  #served = true;
  #shuttingDown = false;
  #introduced: 'EHLO' | 'HELO' | undefined;
  /** A mail transaction is open. */
  #open = false;
  #recipients = 0;
  /** The last MAIL, or a RCPT behind it, was refused: what follows may have been sent before that was known. */
  #refused = false;
  #consecutiveErrors = 0;
  /** Milliseconds since the client's last line. */
  #waited = 0;
  /** The octets of the message that comes in chunks; undefined before the first. */
  #chunked: number | undefined;
  #binary = false;
  #secured: boolean;
  #authenticated = false;
  #failures = 0;
  readonly #protocol: Protocol;
  readonly #lenient: boolean;

  constructor({
    protocol,
    secured,
    lenient,
  }: {
    readonly protocol: Protocol;
    readonly secured: boolean;
    readonly lenient: boolean;
  }) {
    this.#protocol = protocol;
    this.#secured = secured;
    this.#lenient = lenient;
  }

  /** The greeting. */
  connect(answer: Answering): Prediction {
    return this.#ask('connect', answer, {
      rejected: () => {
        this.#served = false;
      },
    });
  }

  /** Time passes in which the client sends nothing. */
  wait(milliseconds: number): Prediction {
    this.#waited += milliseconds;
    return this.#waited < limits.timeouts.idle ? nothing : this.#end('421 4.4.2');
  }

  /** It waits for a message that comes in chunks. */
  shutDown(): Prediction {
    this.#shuttingDown = true;
    return this.#chunked === undefined ? this.#end('421 4.3.2') : nothing;
  }

  take(step: Step): Prediction {
    const prediction = this.#take(step);
    if (!this.#shuttingDown || this.#chunked !== undefined) return prediction;
    return { ...prediction, replies: [...prediction.replies, ...this.#end('421 4.3.2').replies] };
  }

  #take(step: Step): Prediction {
    if (this.over) return nothing;
    this.#waited = 0;
    if (step.verb === 'QUIT' && this.#reads(step)) return this.#end('221 2.0.0');
    if (!this.#served) return this.#wrong(BAD_SEQUENCE);
    switch (step.verb) {
      case 'EHLO':
      case 'HELO':
        if (step.verb === 'HELO' && this.#protocol === 'lmtp') return this.#wrong('500 5.5.1');
        return this.#ask('hello', step.answer, {
          accepted: () => {
            this.#introduced = step.verb;
            this.#endTransaction();
          },
        });
      case 'VRFY':
        return this.#ask('verify', step.answer);
      case 'EXPN':
        return this.#ask('expand', step.answer);
      case 'HELP':
        return this.#ask('help', step.answer);
      case 'NOOP':
        return this.#right('250 2.0.0');
      case 'RSET':
        this.#endTransaction();
        return this.#right('250 2.0.0');
      case 'bad':
        return step.aboutAddress ? this.#wrongAddress(step.reply) : this.#wrong(step.reply);
      case 'QUIT':
        return this.#wrong('501 5.5.4');
      case 'MAIL':
        return this.#mail(step);
      case 'RCPT':
        return this.#rcpt(step);
      case 'DATA':
        return this.#data(step);
      case 'BDAT':
        return this.#bdat(step);
      case 'AUTH':
        return this.#auth(step);
      case 'STARTTLS':
        return this.#startTls(step.answer);
    }
  }

  /** EHLO was said, or need not be. */
  get #mayBringMail(): boolean {
    return this.#lenient || this.#introduced !== undefined;
  }

  #reads({ loose }: { readonly loose: boolean }): boolean {
    return this.#lenient || !loose;
  }

  #mail(step: Extract<Step, { verb: 'MAIL' }>): Prediction {
    const { parameter, answer } = step;
    const length = lineOf(step, this.#protocol).length + 2;
    const longest = this.#introduced === 'EHLO' ? LONGEST_MAIL : limits.maximumCommandLength;
    if (length > longest) return this.#wrongAddress('500 5.5.2');
    if (!this.#reads(step)) return this.#wrongAddress('501 5.1.7');
    if (!this.#mayBringMail || this.#open) return this.#wrong(BAD_SEQUENCE);
    if (parameter !== '') {
      const refusal = this.#introduced !== 'EHLO' ? '555 5.5.4' : MAIL_PARAMETERS[parameter];
      if (refusal !== undefined) {
        this.#refused = true;
        return refusal.startsWith('552') ? says(refusal) : this.#wrong(refusal);
      }
    }
    return this.#ask('mail', answer, {
      accepted: () => {
        this.#endTransaction();
        this.#open = true;
        this.#binary = parameter === 'BODY=BINARYMIME';
      },
      rejected: () => {
        this.#refused = true;
      },
    });
  }

  #rcpt(step: Extract<Step, { verb: 'RCPT' }>): Prediction {
    const { parameter, answer } = step;
    if (!this.#reads(step)) return this.#wrong('501 5.5.2');
    if (!this.#open) return this.#refused ? says(BAD_SEQUENCE) : this.#wrong(BAD_SEQUENCE);
    if (this.#chunked !== undefined) return this.#wrong(BAD_SEQUENCE);
    if (parameter !== '') {
      this.#refused = true;
      return this.#wrong('555 5.5.4');
    }
    if (this.#recipients === limits.maximumRecipients) return says('452 4.5.3');
    return this.#ask('rcpt', answer, {
      accepted: () => {
        this.#recipients += 1;
      },
      rejected: () => {
        this.#refused = true;
      },
    });
  }

  #data({ answer, message, verdict }: Extract<Step, { verb: 'DATA' }>): Prediction {
    if (!this.#open) return this.#refused ? says(BAD_SEQUENCE) : this.#wrong(BAD_SEQUENCE);
    if (this.#recipients === 0) return this.#noRecipients();
    // RFC 3030 §2, §3
    if (this.#chunked !== undefined || this.#binary) return this.#wrong(BAD_SEQUENCE);
    const initiation = this.#ask('data', answer);
    const recipients = this.#recipients;
    this.#endTransaction();
    if (!initiation.replies.includes('354')) return initiation;
    const outcome = this.#forEach(recipients, this.#message(message, verdict));
    return {
      replies: [...initiation.replies, ...outcome.replies],
      questions: [...initiation.questions, ...outcome.questions],
      message,
    };
  }

  /** RFC 2033 §4.2: in LMTP it is 503 in any case. */
  #noRecipients(): Prediction {
    if (!this.#refused) return this.#wrong(BAD_SEQUENCE);
    return says(this.#protocol === 'lmtp' ? '503 5.5.1' : '554 5.5.1');
  }

  #message(message: MessageKind, verdict: Answering): Prediction {
    switch (message) {
      case 'good':
        return this.#ask('message', verdict);
      case 'malformed':
        return says('554 5.6.0');
      case 'tooLarge':
        return says('552 5.3.4');
      case 'stalled':
        return this.#end('421 4.4.2');
    }
  }

  /** The octets are sent in any case, and never taken for commands (RFC 3030 §2). */
  #bdat({ chunk, last, answer, verdict }: Extract<Step, { verb: 'BDAT' }>): Prediction {
    if (this.#introduced === 'HELO') return this.#wrong('502 5.5.1');
    if (this.#introduced === undefined) return this.#wrong(BAD_SEQUENCE);
    if (!this.#open) return this.#refused ? says(BAD_SEQUENCE) : this.#wrong(BAD_SEQUENCE);
    if (this.#recipients === 0) return this.#noRecipients();
    const answeredFor = last ? this.#recipients : 1;
    let questions: Prediction['questions'] = [];
    if (this.#chunked === undefined) {
      const initiation = this.#ask('data', answer);
      questions = initiation.questions;
      if (!initiation.replies.includes('354')) {
        this.#endTransaction();
        this.#refused = true;
        return this.#forEach(answeredFor, initiation);
      }
    }
    const before = this.#chunked ?? 0;
    this.#chunked = before + chunks[chunk].length;
    const found = this.#flawOf(chunk, before);
    if (found !== undefined) {
      this.#endTransaction();
      this.#refused = true;
      return { ...this.#forEach(answeredFor, says(found)), questions };
    }
    if (!last) return { ...this.#right('250 2.0.0'), questions };
    this.#endTransaction();
    const outcome = this.#ask('message', verdict);
    return { ...this.#forEach(answeredFor, outcome), questions: [...questions, ...outcome.questions] };
  }

  /** The first flaw of a chunk behind so many octets: a bare LF is its second octet. */
  #flawOf(chunk: ChunkKind, before: number): string | undefined {
    const fits = before < limits.maximumMessageSize;
    if (chunk === 'malformed' && !this.#binary && fits) return '554 5.6.0';
    return before + chunks[chunk].length > limits.maximumMessageSize ? '552 5.3.4' : undefined;
  }

  /** RFC 2033 §4.2, §4.3: in LMTP a message has a reply for each recipient. */
  #forEach(recipients: number, outcome: Prediction): Prediction {
    const [only] = outcome.replies;
    if (this.#protocol === 'smtp' || only === undefined || only.startsWith('421')) return outcome;
    return { ...outcome, replies: Array<string>(recipients).fill(only) };
  }

  #auth({ kind, answer }: Extract<Step, { verb: 'AUTH' }>): Prediction {
    if (this.#introduced !== 'EHLO' || this.#open || this.#authenticated) return this.#wrong(BAD_SEQUENCE);
    if (!this.#secured) return this.#wrong('538 5.7.11');
    if (kind === 'notBase64' || kind === 'malformed') return this.#wrong('501 5.5.2');
    const asked = kind === 'initial' ? [] : ['334'];
    if (kind === 'cancelled') return { ...after(asked, this.#wrong('501 5.7.0')), behind: '*\r\n' };
    const outcome = this.#ask('authenticate', answer, {
      accepted: () => {
        this.#authenticated = true;
      },
      rejected: () => {
        this.#failures += 1;
      },
    });
    const isLast = answer === 'reject' && this.#failures === limits.authentication.maximumFailures;
    const verdict = isLast ? { ...outcome, ...this.#endBy('421 4.7.0') } : outcome;
    return { ...after(asked, verdict), ...(asked.length === 0 ? {} : { behind: `${RESPONSE}\r\n` }) };
  }

  #startTls(answer: Answering): Prediction {
    if (this.#introduced !== 'EHLO' || this.#open || this.#secured) return this.#wrong(BAD_SEQUENCE);
    const outcome = this.#ask('startTls', answer, {
      accepted: () => {
        this.#secured = true;
        this.#introduced = undefined;
        this.#authenticated = false;
        this.#endTransaction();
      },
    });
    return this.#secured ? { ...outcome, upgrade: true } : outcome;
  }

  #endBy(reply: string): { readonly replies: readonly string[] } {
    return { replies: this.#end(reply).replies };
  }

  #ask(
    kind: Question['kind'],
    answer: Answering,
    then: { readonly accepted?: () => void; readonly rejected?: () => void } = {},
  ): Prediction {
    const questions = [{ kind, answer }];
    switch (answer) {
      case 'hangUp':
        return { ...this.#end('421 4.3.2'), questions };
      case 'never':
        return { ...this.#end('421 4.3.0'), questions };
      case 'reject':
        then.rejected?.();
        return { replies: ['550 5.7.1'], questions };
      default:
        then.accepted?.();
        return { ...this.#right(ACCEPTED[kind] ?? ''), questions };
    }
  }

  #right(reply: string): Prediction {
    this.#consecutiveErrors = 0;
    return says(reply);
  }

  /** The client's error. */
  #wrong(reply: string): Prediction {
    this.#consecutiveErrors += 1;
    return this.#consecutiveErrors < limits.maximumErrors ? says(reply) : this.#end('421 4.7.0');
  }

  /** No error of the kind that ends a session, and what follows may have been sent before it was known. */
  #wrongAddress(reply: string): Prediction {
    if (this.#mayBringMail) this.#refused = true;
    return says(reply);
  }

  #end(reply: string): Prediction {
    if (this.over) return nothing;
    this.over = true;
    return says(reply);
  }

  #endTransaction(): void {
    this.#open = false;
    this.#recipients = 0;
    this.#refused = false;
    this.#chunked = undefined;
    this.#binary = false;
  }
}

const nothing: Prediction = { replies: [], questions: [] };

const after = (before: readonly string[], then: Prediction): Prediction => ({
  ...then,
  replies: [...before, ...then.replies],
});

const says = (reply: string): Prediction => ({ replies: [reply], questions: [] });
