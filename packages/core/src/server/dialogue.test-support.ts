/**
 * A server session as the tests speak to it: lines of the client go in as text, the application answers as it was
 * told to, and what comes out is kept to be looked at.
 */

import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import type { Computation } from '../sasl/exchange/exchange.js';
import { compute } from '../sasl/running.test-support.js';
import type { TlsInformation } from '../tls.js';
import type { ServerInput, ServerOutput } from './contract/messages.js';
import type { ServerSessionOptions } from './contract/options.js';
import type { Answer, Envelope, Question } from './decisions/questions.js';
import { handInLent } from './lent-octets.test-support.js';
import { ServerSession } from './session.js';

/** One octet a character, so that strings can stand for octets. */
export const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
/** Text as the client's octets in UTF-8, one character each. */
export const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** What the application says to a question; undefined leaves the question open. */
export type Application = (question: Question) => Answer | undefined;

export const accept: Answer = { decision: 'accept' };
export const reject: Answer = { decision: 'reject' };
/** A refusal that ends the session. */
export const hangUp: Answer = {
  decision: 'reject',
  reply: { code: 421, enhancedCode: '4.3.2', lines: ['Not now'] },
};

/**
 * Accepts all but EXPN, and knows no user's credentials, except for the kinds of questions given: undefined there
 * leaves them open.
 */
export function answering(
  answers: { readonly [Kind in Question['kind']]?: Answer | undefined } = {},
): Application {
  return ({ kind }) =>
    kind in answers ? answers[kind] : kind === 'expand' || kind === 'credentials' ? reject : accept;
}

export interface DialogueOptions extends ServerSessionOptions {
  readonly application?: Application;
  /** What the host computes; null leaves computations open. By default they are done by Node, at once. */
  readonly compute?: ((computation: Computation) => Uint8Array | undefined) | null;
}

/** An input without its time. */
export type TimelessInput = ServerInput extends infer Input
  ? Input extends ServerInput
    ? Omit<Input, 'now'>
    : never
  : never;

/** A message that arrived whole. */
export interface Message {
  readonly envelope: Envelope;
  readonly text: string;
}

export class Dialogue {
  readonly session: ServerSession;
  now = 0;
  /** All that came out so far. */
  readonly outputs: ServerOutput[] = [];
  readonly messages: Message[] = [];
  readonly #application: Application;
  readonly #compute: ((computation: Computation) => Uint8Array | undefined) | null;
  #mailData = '';

  constructor({ application = answering(), compute: host = compute, ...options }: DialogueOptions = {}) {
    this.#application = application;
    this.#compute = host;
    this.session = new ServerSession({ hostname: 's.example', now: 0, ...options });
    this.#drain();
  }

  /** Hands in one input, and takes out all that comes of it. */
  handle(input: TimelessInput): ServerOutput[] {
    const before = this.outputs.length;
    if (input.type === 'bytes') {
      handInLent(this.session, input.bytes, this.now, () => this.#drain());
    } else {
      this.session.handle({ ...input, now: this.now });
      this.#drain();
    }
    return this.outputs.slice(before);
  }

  /** The client's octets in one chunk; gives back the lines of the replies. */
  octets(text: string): string[] {
    return linesOf(this.handle({ type: 'bytes', bytes: octetsOf(text) }));
  }

  /** The client's lines in one chunk; gives back the lines of the replies. */
  say(...lines: string[]): string[] {
    return this.octets(lines.map((line) => `${line}\r\n`).join(''));
  }

  answer(answer: Answer): string[] {
    return linesOf(this.handle({ type: 'answer', ...answer }));
  }

  /** Hands in `timeout` at this moment. */
  timeoutAt(now: number): ServerOutput[] {
    this.now = now;
    return this.handle({ type: 'timeout' });
  }

  /** Lines of all replies so far. */
  get replies(): string[] {
    return linesOf(this.outputs);
  }

  /** Each `write` so far, as text. */
  get writes(): string[] {
    return this.outputs.flatMap((output) => (output.type === 'write' ? [textOf(output.bytes)] : []));
  }

  /** The questions so far. */
  get questions(): Question[] {
    return this.outputs.flatMap((output) => (output.type === 'ask' ? [output.question] : []));
  }

  /** The questions so far, by their kinds. */
  get asked(): Question['kind'][] {
    return this.questions.map(({ kind }) => kind);
  }

  /** Introduced by EHLO. */
  ready(): this {
    this.say('EHLO c.example');
    return this;
  }

  /** Through a TLS handshake behind STARTTLS; EHLO is to be said anew. */
  secured(tls: TlsInformation): this {
    this.ready().say('STARTTLS');
    this.handle({ type: 'tlsEstablished', tls });
    return this;
  }

  /** In a mail transaction without a recipient. */
  opened(): this {
    this.ready().say('MAIL FROM:<a@c.example>');
    return this;
  }

  /** In a mail transaction with a recipient. */
  addressed(): this {
    this.opened().say('RCPT TO:<b@s.example>');
    return this;
  }

  /** Told to send the message. */
  receiving(): this {
    this.addressed().say('DATA');
    return this;
  }

  #drain(): void {
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      this.outputs.push(
        output.type === 'mailData' ? { ...output, bytes: new Uint8Array(output.bytes) } : output,
      );
      if (output.type === 'mailData') this.#mailData += textOf(output.bytes);
      if (output.type === 'abandonMailData') this.#mailData = '';
      if (output.type === 'ask') this.#ask(output.question);
      if (output.type === 'compute' && this.#compute !== null) {
        const result = this.#compute(output.computation);
        this.session.handle({ type: 'computed', result, now: this.now });
      }
    }
  }

  #ask(question: Question): void {
    if (question.kind === 'message') {
      this.messages.push({ envelope: question.envelope, text: this.#mailData });
      this.#mailData = '';
    }
    const answer = this.#application(question);
    if (answer === accept) this.session.accept(this.now);
    else if (answer !== undefined) this.session.handle({ type: 'answer', ...answer, now: this.now });
  }
}

const TRANSACTION = ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'DATA', 'Hello', '.'];

/** What the client says for each kind of question to be raised. */
const linesUpTo: Readonly<Record<Question['kind'], readonly string[]>> = {
  connect: [],
  hello: TRANSACTION.slice(0, 1),
  mail: TRANSACTION.slice(0, 2),
  rcpt: TRANSACTION.slice(0, 3),
  data: TRANSACTION.slice(0, 4),
  message: TRANSACTION,
  verify: ['VRFY x'],
  expand: ['EXPN x'],
  help: ['HELP'],
  etrn: ['EHLO c', 'ETRN x'],
  extension: ['EHLO c', 'XVERB x'],
  startTls: ['EHLO c', 'STARTTLS'],
  credentials: ['EHLO c', `AUTH SCRAM-SHA-256 ${base64('n,,n=u,r=x')}`],
  authenticate: ['EHLO c', `AUTH PLAIN ${base64('\0u\0p')}`],
};

export const questionKinds = Object.keys(linesUpTo) as Question['kind'][];

/**
 * A dialogue up to the first question of this kind, and a NOOP behind it. The question gets the answer given, or is left
 * open.
 */
export function dialogueUpTo(
  kind: Question['kind'],
  { answer, ...options }: ServerSessionOptions & { readonly answer: Answer | undefined },
): Dialogue {
  const dialogue = new Dialogue({
    startTls: 'offered',
    authentication: { allowInsecure: true },
    extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XVERB'] }],
    application: answering({ [kind]: answer }),
    ...options,
  });
  dialogue.say(...linesUpTo[kind], 'NOOP');
  return dialogue;
}

/** The lines of the replies among these outputs. */
export function linesOf(outputs: readonly ServerOutput[]): string[] {
  const text = outputs.map((output) => (output.type === 'write' ? textOf(output.bytes) : '')).join('');
  return text === '' ? [] : text.replace(/\r\n$/, '').split('\r\n');
}

/** The kinds of these outputs, in order. */
export function typesOf(outputs: readonly ServerOutput[]): ServerOutput['type'][] {
  return outputs.map(({ type }) => type);
}
