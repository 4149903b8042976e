/**
 * One connection to a scripted server. It says what the script says, and for the rest takes everything.
 *
 * - It is no SMTP server: it does not ask whether a command is legal, so that a script can make any mistake.
 * - Commands are answered one after the other; a step that waits holds up those that follow.
 * - Mail data begins after a 354 to DATA, and ends at CRLF.CRLF; a chunk of BDAT is read whatever its reply will be.
 */
import { concatenate, encodeText, type ForwardPath, parseMailbox, type ReversePath } from '@sansmtp/core';
import type { ByteStream, Clock } from '@sansmtp/transport';
import { type ReceivedMessage, receivedMessage, utf8 } from '../mail/received-message.js';
import type { OpenSession } from '../time/memory-sessions.js';
import { ClientInput } from './client-input.js';
import { defaultChallenge, defaultReply } from './default-reply.js';
import type { PassedMoment } from './passed-moment.js';
import { detailsOf, type Moment, momentOf, type Script, type StepDetails, stepsFor } from './script.js';
import { printable, type SpokenLine, withheld } from './transcript.js';

/** What a session needs of the server that has it. */
export interface ScriptedSessionOptions {
  readonly id: string;
  readonly script: Script;
  readonly protocol: 'smtp' | 'lmtp';
  readonly hostname: string;
  readonly clock: Clock;
  readonly onMessage: (message: ReceivedMessage) => void;
  readonly onLine: (line: SpokenLine) => void;
  readonly onMoment: (moment: Omit<PassedMoment, 'connection'>) => void;
  readonly failHandshake: FailHandshake;
}

/**
 * Ends the TLS handshake that now begins.
 * @param begun resolves when the client has sent the first octets of it
 */
export type FailHandshake = (stream: ByteStream, begun: () => Promise<unknown>) => Promise<void>;

/** Beyond it the connection is dropped. */
const MAXIMUM_MESSAGE_OCTETS = 36_700_160;

/** How a script goes on after a step. */
type Ending = 'drop' | 'end' | 'stay' | 'failHandshake';

export class ScriptedSession implements OpenSession {
  readonly closed: Promise<void>;
  readonly #stream: ByteStream;
  readonly #options: ScriptedSessionOptions;
  readonly #input: ClientInput;
  /** How often each moment has come. */
  readonly #counts = new Map<Moment, number>();
  #reversePath: ReversePath = null;
  #recipients: ForwardPath[] = [];
  #chunks: Uint8Array[] = [];
  /** The client's last line, for addresses beyond ASCII. */
  #lineAsUtf8 = '';
  #isClosed = false;
  #pause: { readonly until: number; readonly cancel: () => void } | undefined;
  #onDrain = () => {};
  #onSecure = () => {};

  constructor(stream: ByteStream, options: ScriptedSessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#input = new ClientInput(stream);
    this.closed = new Promise((resolve) => {
      stream.open({
        data: (octets) => this.#input.push(octets),
        end: () => this.#input.end(),
        drain: () => this.#onDrain(),
        secure: () => this.#onSecure(),
        close: () => {
          this.#isClosed = true;
          this.#pause?.cancel();
          this.#input.end();
          this.#input.rest();
          this.#pass('closed', new Uint8Array(0), true);
          resolve();
        },
      });
    });
    this.#run().catch((error: Error) => {
      this.#say('server', `(dropped: ${error.message})`);
      stream.abort(error);
    });
  }

  abort(): void {
    this.#stream.abort();
  }

  waitsFor(): string | undefined {
    if (this.#pause === undefined) return undefined;
    const left = Math.ceil(this.#pause.until - this.#options.clock.now());
    return `The script of ${this.#options.id} waits ${left} ms more`;
  }

  async #run(): Promise<void> {
    if ((await this.#act('greeting', '')) === undefined) return;
    for (;;) {
      const line = await this.#line();
      if (line === undefined) break;
      if (!(await this.#command(line))) return;
    }
    this.#stream.end();
  }

  /** The client's next line, without its end. */
  async #line(): Promise<string | undefined> {
    const octets = await this.#input.line();
    if (octets === undefined) return undefined;
    this.#lineAsUtf8 = utf8().decode(octets);
    return printable(octets).replace(/(?:\\x0d)?\\x0a$/, '');
  }

  /** False: the connection is over. */
  async #command(line: string): Promise<boolean> {
    const [word = '', ...rest] = line.split(' ');
    const verb = word.toUpperCase();
    const moment = momentOf(verb);
    if (verb === 'AUTH') return this.#authenticate(line);
    this.#say('client', line);
    if (verb === 'BDAT') return this.#chunk(Number(rest[0]), rest[1]?.toUpperCase() === 'LAST', line);
    const reply = await this.#act(moment, line);
    if (reply === undefined) return false;
    const accepted = reply.startsWith('2');
    if (verb === 'DATA' && reply.startsWith('354')) return this.#mailData();
    if (accepted && (verb === 'MAIL' || verb === 'RSET'))
      this.#begin(verb === 'MAIL' ? pathOf(this.#lineAsUtf8) : null);
    const recipient = verb === 'RCPT' && accepted ? pathOf(this.#lineAsUtf8) : null;
    if (recipient !== null) this.#recipients.push(recipient);
    return true;
  }

  #begin(reversePath: ReversePath): void {
    this.#reversePath = reversePath;
    this.#recipients = [];
    this.#chunks = [];
  }

  /** An exchange goes on as long as it is answered by 334. */
  async #authenticate(command: string): Promise<boolean> {
    const [verb, mechanism = '', ...rest] = command.split(' ');
    const initial = rest.length > 0 ? ` ${withheld(rest.join(' ').length)}` : '';
    this.#say('client', `${verb} ${mechanism}${initial}`);
    let line = command;
    for (let responses = rest.length > 0 ? 1 : 0; ; responses++) {
      const challenge = defaultChallenge(mechanism.toUpperCase(), responses);
      const reply = await this.#act('AUTH', line, challenge);
      if (reply === undefined || !reply.startsWith('334')) return reply !== undefined;
      const response = await this.#line();
      if (response === undefined) return false;
      this.#say('client', withheld(response.length));
      line = response;
    }
  }

  /** Resolves when TLS stands, or the connection is over. */
  async #startTls(): Promise<void> {
    if (!this.#stream.canStartTls) {
      throw new Error(
        'The script accepts STARTTLS, but this connection has no TLS: give the server the option tls',
      );
    }
    const secure = new Promise<void>((resolve) => {
      this.#onSecure = resolve;
    });
    this.#input.clear();
    this.#stream.startTls();
    await Promise.race([secure, this.closed]);
  }

  /** Reads until CRLF.CRLF, transparency undone (RFC 5321 §4.5.2). */
  async #mailData(): Promise<boolean> {
    let size = 0;
    for (;;) {
      const line = await this.#input.line();
      if (line === undefined) return true; // the client has left: the next line says so
      if (line.length === 3 && line[0] === DOT && line[1] === CR) break;
      const octets = line[0] === DOT ? line.subarray(1) : line;
      size += octets.length;
      if (size > MAXIMUM_MESSAGE_OCTETS)
        throw new Error(`The message has more than ${MAXIMUM_MESSAGE_OCTETS} octets`);
      this.#chunks.push(octets);
    }
    this.#say('client', `${withheld(size)} of mail data, and the final dot`);
    return this.#endOfMessage();
  }

  async #chunk(size: number, isLast: boolean, line: string): Promise<boolean> {
    if (!(Number.isSafeInteger(size) && size >= 0 && size <= MAXIMUM_MESSAGE_OCTETS)) {
      return (await this.#act('otherwise', line)) !== undefined;
    }
    for (let left = size; left > 0; ) {
      const octets = await this.#input.octets(left);
      if (octets === undefined) return true;
      left -= octets.length;
      this.#chunks.push(octets);
    }
    if (isLast) return this.#endOfMessage();
    return (await this.#act('BDAT', line)) !== undefined;
  }

  async #endOfMessage(): Promise<boolean> {
    const raw = concatenate(this.#chunks);
    const recipients = this.#recipients;
    const envelope = {
      reversePath: this.#reversePath,
      parameters: {},
      recipients: recipients.map((forwardPath) => ({ forwardPath, parameters: {} })),
    };
    this.#begin(null);
    const replies = this.#options.protocol === 'lmtp' ? recipients.length : 1;
    // Of a message for nobody there is a moment all the same, that its octets belong to.
    if (replies === 0) this.#pass('message', new Uint8Array(0), false);
    for (let reply = 0; reply < replies; reply++) {
      const text = await this.#act('message', '');
      if (text?.startsWith('2') && reply === 0) {
        const session = { sessionId: this.#options.id, secure: this.#stream.tls !== undefined };
        this.#options.onMessage(receivedMessage(envelope, raw, undefined, session));
      }
      if (text === undefined) return false;
    }
    return true;
  }

  /** Does what the script says about a moment. Resolves with what was said; undefined: the connection is over. */
  async #act(
    moment: Moment,
    line: string,
    usual = defaultReply(moment, this.#options),
  ): Promise<string | undefined> {
    const { script } = this.#options;
    const steps = stepsFor(script, moment);
    const count = this.#counts.get(moment) ?? 0;
    this.#counts.set(moment, count + 1);
    const index = Math.min(count, steps.length - 1);
    const step = steps[index];
    const details = step === undefined ? { reply: usual } : detailsOf(step, line, `${moment}[${index}]`);
    const text = details.reply ?? goAhead(moment, details.octets);
    const ending = details.ending ?? (/^(?:221|421)/.test(text) ? 'end' : 'stay');
    const beginsTls = moment === 'STARTTLS' && text.startsWith('220') && ending === 'stay';
    const pass = (said: Uint8Array) => this.#pass(moment, said, ending === 'drop' || ending === 'end');
    await this.#speak(details, beginsTls, pass);
    return this.#goOn(ending, text);
  }

  async #speak(
    { wait = 0, reply, octets, stall }: StepDetails,
    beginsTls: boolean,
    pass: (said: Uint8Array) => void,
  ): Promise<void> {
    if (wait > 0) await this.#waitFor(wait);
    const given = typeof octets === 'string' ? encodeText(octets) : octets;
    const spoken = reply === undefined ? given : encodeText(`${reply.replaceAll('\n', '\r\n')}\r\n`);
    if (spoken === undefined) {
      pass(new Uint8Array(0));
      return;
    }
    for (const text of reply?.split('\n') ?? [printable(spoken)]) this.#say('server', text);
    const first = stall === undefined ? 0 : Math.min(stall.after, spoken.length);
    const isAllSaid = first === spoken.length && first > 0;
    if (isAllSaid) pass(spoken); // the pause comes after the last octet
    if (first > 0) await this.#write(spoken.subarray(0, first));
    if (stall !== undefined) await this.#waitFor(stall.for);
    if (!isAllSaid) pass(spoken);
    const written = this.#write(spoken.subarray(first));
    // At once: what the client says next belongs to the handshake already.
    if (beginsTls) await this.#startTls();
    await written;
  }

  #pass(moment: PassedMoment['moment'], said: Uint8Array, ended: boolean): void {
    const { ahead } = this.#input;
    const secure = this.#stream.tls !== undefined;
    this.#options.onMoment({ moment, octets: this.#input.passed(), ahead, said, secure, ended });
  }

  async #goOn(ending: Ending, text: string): Promise<string | undefined> {
    if (ending === 'stay') return this.#isClosed ? undefined : text;
    if (ending === 'end') this.#stream.end();
    else if (ending === 'drop') this.#stream.abort();
    else await this.#options.failHandshake(this.#stream, () => this.#input.octets(1));
    return undefined;
  }

  async #write(octets: Uint8Array): Promise<void> {
    if (octets.length === 0 || this.#stream.write(octets)) return;
    const drained = new Promise<void>((resolve) => {
      this.#onDrain = resolve;
    });
    await Promise.race([drained, this.closed]);
  }

  /** Nobody goes on if the connection closes meanwhile. */
  async #waitFor(milliseconds: number): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + milliseconds;
    await new Promise<void>((resolve) => {
      this.#pause = { until, cancel: clock.set(until, resolve) };
    });
    this.#pause = undefined;
  }

  #say(by: SpokenLine['by'], text: string): void {
    this.#options.onLine({ by, text, time: this.#options.clock.now() });
  }
}

/** Octets that the client may take for a go-ahead: what follows is mail data, or TLS. */
function goAhead(moment: Moment, octets: string | Uint8Array = ''): string {
  const text = typeof octets === 'string' ? octets : printable(octets);
  const code = moment === 'DATA' ? '354' : moment === 'STARTTLS' ? '220' : undefined;
  return code !== undefined && text.startsWith(code) ? text : '';
}

const DOT = 0x2e;
const CR = 0x0d;

/** The path of MAIL or RCPT as far as it is one: a script may take what is none. */
function pathOf(line: string): ReversePath {
  const text = /<([^<>]*)>/.exec(line)?.[1] ?? '';
  const parsed = parseMailbox(text, true);
  return 'failure' in parsed ? (text === '' ? null : { localPart: text, domain: '' }) : parsed;
}
