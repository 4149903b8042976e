/**
 * One connection to the server, as a case speaks it: what is sent goes out to the octet, replies are read strictly, and all
 * of it stands in the transcript. `ask` judges, `need` prepares: what `need` does not get makes the case impossible to
 * judge, and is some other case's finding.
 */
import { type ByteStream, type Clock, TlsError } from '@sansmtp/transport';
import { type Expectation, matches } from './expectation.js';
import { CannotJudge, Deviation } from './findings.js';
import { announcesLimit, ReplyReader, type SeenReply, shown } from './seen-reply.js';
import type { Transcript } from './transcript.js';

export interface DialogueTimes {
  /** Milliseconds within which a reply has to come. */
  readonly reply: number;
  /** Milliseconds of silence that show that nothing more comes. */
  readonly quiet: number;
  /** Is told how many milliseconds a reply took. */
  readonly replied?: (milliseconds: number) => void;
}

/** What may come without our saying anything: beyond it the server floods, and the connection is broken off. */
const MAXIMUM_OCTETS_AT_ONCE = 2_097_152;

/** What goes on for so many times the time of a reply has no end. */
const TIMES_OF_ENDLESS_REPLIES = 3;

const octetsOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? new TextEncoder().encode(text) : text;

const expected = (expectation: Expectation): string => (expectation === 'any' ? 'a reply' : expectation);

/** Whom to trust is ours to say, and no deviation of the server's. */
function isDistrust({ code = '' }: TlsError): boolean {
  return /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_)/.test(code);
}

export class Dialogue {
  /** EHLO keywords of the last reply to EHLO or LHLO, in upper case, with the text of their parameters. */
  offers: ReadonlyMap<string, string> = new Map();
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #times: DialogueTimes;
  readonly #transcript: Transcript;
  readonly #replies = new ReplyReader();
  #lastSaid = 'the connection';
  /** When something was sent that had no reply yet. */
  #sentAt: number | undefined;
  #ended = false;
  #closed = false;
  #secure = false;
  /** Octets that have come since something was sent. */
  #received = 0;
  #isFlooded = false;
  #closeReason: Error | undefined;
  #wake: () => void = () => {};

  constructor(stream: ByteStream, clock: Clock, times: DialogueTimes, transcript: Transcript) {
    this.#stream = stream;
    this.#clock = clock;
    this.#times = times;
    this.#transcript = transcript;
    this.#secure = stream.tls !== undefined;
    stream.open({
      data: (octets) => {
        if (this.#isFlooded) return;
        transcript.add('S', octets);
        if (this.#sentAt !== undefined) this.#times.replied?.(clock.now() - this.#sentAt);
        this.#sentAt = undefined;
        this.#replies.push(octets);
        this.#received += octets.length;
        if (this.#received > MAXIMUM_OCTETS_AT_ONCE) this.#breakOffFlood();
        this.#wake();
      },
      end: () => {
        if (!this.#ended) transcript.note('S', 'ends the connection');
        this.#ended = true;
        this.#wake();
      },
      drain: () => this.#wake(),
      secure: () => {
        this.#secure = true;
        transcript.note('C', 'TLS handshake');
        this.#wake();
      },
      close: (reason) => {
        if (!this.#ended) transcript.note('S', reason === undefined ? 'closes' : 'breaks off the connection');
        this.#ended = true;
        this.#closed = true;
        this.#closeReason = reason;
        this.#wake();
      },
    });
  }

  /** Whether TLS protects it. */
  get isSecure(): boolean {
    return this.#secure;
  }

  /** Whether the server has ended the connection. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /**
   * Sends octets as they are; text goes out as UTF-8. Nothing is added to it.
   * @param shown what the transcript has in their place, if they hold a secret
   */
  send(octets: string | Uint8Array, shown = octets): void {
    this.#transcript.add('C', octetsOf(shown));
    this.#write(octets);
  }

  /** Sends a line with its CRLF. */
  say(line: string): void {
    this.#lastSaid = line.length > 60 ? `${line.slice(0, 60)}…` : line;
    this.send(`${line}\r\n`);
  }

  /** Sends a line that stands in no transcript: a password, or what holds one. */
  saySecretly(line: string): void {
    this.#transcript.note('C', `${line.length} octets that are not shown`);
    this.#lastSaid = 'a response of the AUTH exchange';
    this.#write(`${line}\r\n`);
  }

  #write(octets: string | Uint8Array): void {
    this.#sentAt = this.#clock.now();
    this.#received = 0;
    this.#stream.write(octetsOf(octets));
  }

  #breakOffFlood(): void {
    this.#isFlooded = true;
    this.#ended = true;
    this.#replies.clear();
    this.abort();
  }

  /** @throws {Deviation} the server has said something to which no command was said yet */
  #needSilenceBefore(line: string): void {
    if (this.#replies.pending.length === 0) return;
    const early = this.#replies.next();
    const seen = early === undefined ? 'the beginning of a reply' : shown(early);
    throw new Deviation(`the server said ${seen} before ${line} was said to it`);
  }

  /** Says a line and judges the reply. */
  async ask(line: string, expectation: Expectation): Promise<SeenReply> {
    this.#needSilenceBefore(line);
    this.say(line);
    return this.reply(expectation);
  }

  /** Says a line whose reply is a prerequisite: if another one comes, the case cannot be judged. */
  async need(line: string, expectation: Expectation = '2yz'): Promise<SeenReply> {
    orCannotJudge(() => this.#needSilenceBefore(line));
    this.say(line);
    return this.needReply(expectation);
  }

  /**
   * Reads the next reply and judges it.
   * @throws {Deviation} it is none, none comes, or it has another code
   * @throws {CannotJudge} it is not expected, and announces a limit of the server's
   */
  async reply(expectation: Expectation = 'any'): Promise<SeenReply> {
    const reply = await this.#next(expectation);
    if (matches(expectation, reply.code)) return reply;
    if (announcesLimit(reply)) throw new CannotJudge(`the server announced a limit: ${shown(reply)}`);
    throw new Deviation(`${expected(expectation)} was due after ${this.#lastSaid}; it said ${shown(reply)}`);
  }

  /** Reads a reply that is a prerequisite. */
  async needReply(expectation: Expectation = '2yz'): Promise<SeenReply> {
    const reply = await this.#next(expectation).catch(cannotJudge);
    if (matches(expectation, reply.code)) return reply;
    throw new CannotJudge(`the server said ${shown(reply)} after ${this.#lastSaid}`);
  }

  /** EHLO, or LHLO, as a prerequisite; remembers what is offered. */
  async hello(line: string): Promise<SeenReply> {
    const reply = await this.need(line, '250');
    this.offers = offersOf(reply);
    return reply;
  }

  /** Begins the TLS handshake; comes after a 220 to STARTTLS. What was received in the clear is dropped. */
  async startTls(): Promise<void> {
    this.#replies.clear();
    this.offers = new Map();
    if (!this.#stream.canStartTls) throw new CannotJudge('this connection cannot start TLS');
    this.#stream.startTls();
    const done = await this.#until(() => this.#secure || this.#closed, this.#times.reply);
    if (this.#secure) return;
    if (!done) throw new Deviation('The TLS handshake does not come to an end');
    const reason = this.#closeReason;
    if (!(reason instanceof TlsError)) throw new Deviation('The TLS handshake failed');
    if (isDistrust(reason))
      throw new CannotJudge(`the certificate of the server is not trusted: ${reason.message}`);
    throw new Deviation(`The TLS handshake failed: ${reason.message}`);
  }

  /**
   * Judges that the server says nothing now.
   * @throws {Deviation} it says something, or ends the connection
   */
  async silence(): Promise<void> {
    await this.#until(() => this.#replies.pending.length > 0 || this.#ended, this.#times.quiet);
    if (this.#isFlooded) throw this.#flood();
    const reply = this.#replies.next();
    if (reply !== undefined) {
      if (announcesLimit(reply)) throw new CannotJudge(`the server announced a limit: ${shown(reply)}`);
      throw new Deviation(`nothing was due after ${this.#lastSaid}; it said ${shown(reply)}`);
    }
    if (this.#replies.pending.length > 0)
      throw new Deviation('nothing was due; the beginning of a reply came');
    if (this.#ended) throw new Deviation('nothing was due; the server ended the connection');
  }

  /**
   * Judges that the server ends the connection, without a further reply.
   * @throws {Deviation} it says something, or does not end it
   */
  async closes(): Promise<void> {
    const replies = await this.untilEnd();
    if (!this.#ended) throw new Deviation(`the connection was to end after ${this.#lastSaid}; it stands`);
    const [reply] = replies;
    if (reply !== undefined)
      throw new Deviation(`the connection was to end; the server said ${shown(reply)} first`);
  }

  /** Waits until the server has ended the connection, has said more, or says nothing. Judges nothing, and reads nothing. */
  async endOrMore(): Promise<void> {
    await this.#until(() => this.#ended || this.#replies.pending.length > 0, this.#times.quiet);
  }

  /**
   * All replies that come until the server ends the connection, or says nothing any more.
   * @throws {Deviation} they have no end
   */
  async rest(): Promise<readonly SeenReply[]> {
    const replies: SeenReply[] = [];
    const goesOn = this.#endless();
    for (;;) {
      const reply = this.#replies.next();
      if (reply !== undefined) {
        replies.push(reply);
        continue;
      }
      if (goesOn()) throw this.#flood();
      if (this.#ended) return replies;
      const { length } = this.#replies.pending;
      const isMore = () => this.#replies.pending.length > length || this.#ended;
      if (!(await this.#until(isMore, this.#times.quiet))) return replies;
    }
  }

  /** All replies that come until the server ends the connection. It has to, and so has the time of a reply for it. */
  async untilEnd(): Promise<readonly SeenReply[]> {
    await this.#until(() => this.#ended, this.#times.reply);
    return this.rest();
  }

  /**
   * Says QUIT, and reads what comes before its 221: all that the server had to say until then, however slow it is.
   * Without a 221, all that comes until the connection ends, or nothing comes in the time of a reply.
   * @throws {Deviation} the replies have no end
   * @throws {CannotJudge} the connection stands, and nothing comes at all: who says nothing does nothing wrong
   */
  async untilQuit(): Promise<readonly SeenReply[]> {
    if (this.#ended) return this.rest();
    this.say('QUIT');
    const replies: SeenReply[] = [];
    const goesOn = this.#endless();
    for (;;) {
      const reply = await this.#next('any').catch((error: unknown) => {
        if (error instanceof Deviation) return undefined;
        throw error;
      });
      if (goesOn()) throw this.#flood();
      if (reply?.code === 221) return replies;
      if (reply === undefined) break;
      replies.push(reply);
    }
    if (replies.length === 0 && !this.#ended)
      throw new CannotJudge('the server says nothing, not even to QUIT');
    return replies;
  }

  /** Whether it has gone on for longer than any server needs. */
  #endless(): () => boolean {
    const end = this.#clock.now() + TIMES_OF_ENDLESS_REPLIES * this.#times.reply;
    return () => this.#isFlooded || this.#clock.now() > end;
  }

  #flood(): Deviation {
    return new Deviation(`the server does not come to an end after ${this.#lastSaid}`);
  }

  /** All octets that come until the server ends the connection, or says nothing any more. They need be no replies. */
  async octets(): Promise<Uint8Array> {
    for (let length = -1; !this.#ended && length !== this.#replies.pending.length; ) {
      length = this.#replies.pending.length;
      await this.#until(() => this.#ended || this.#replies.pending.length > length, this.#times.quiet);
    }
    return this.#replies.pending;
  }

  /** Waits; for what is about time. */
  async wait(milliseconds: number): Promise<void> {
    await this.#until(() => false, milliseconds);
  }

  /** Ends our sending side; the server may still send. */
  endSending(): void {
    this.#transcript.note('C', 'ends its sending side');
    this.#stream.end();
  }

  /** Breaks off the connection, without a word. */
  abort(): void {
    if (!this.#closed) this.#transcript.note('C', 'breaks off the connection');
    this.#stream.abort();
  }

  /** The end of a case: whatever stands is ended. Resolves when it is closed, or was broken off. */
  async finish(): Promise<void> {
    if (this.#closed) return;
    this.#stream.end();
    await this.#until(() => this.#closed, this.#times.quiet);
    if (!this.#closed) this.#stream.abort();
  }

  async #next(expectation: Expectation): Promise<SeenReply> {
    const deadline = this.#clock.now() + this.#times.reply;
    for (;;) {
      const reply = this.#replies.next();
      if (reply !== undefined) return reply;
      if (this.#isFlooded) throw this.#flood();
      const after = `${expected(expectation)} was due after ${this.#lastSaid}`;
      if (this.#ended) throw new Deviation(`${after}; the server ended the connection`);
      const { length } = this.#replies.pending;
      const isMore = () => this.#replies.pending.length > length || this.#ended;
      if (!(await this.#until(isMore, deadline - this.#clock.now()))) {
        throw new Deviation(`${after}; nothing came in ${this.#times.reply} ms`);
      }
    }
  }

  /**
   * Whether it came true within the time. Where this process gets no turn for longer than that, what the server has said
   * is there already and was not read yet: after the time, it is read once more.
   */
  async #until(isTrue: () => boolean, milliseconds: number): Promise<boolean> {
    for (const time of [milliseconds, 1]) {
      let isLate = time <= 0;
      const takeBack = this.#clock.set(this.#clock.now() + Math.max(0, time), () => {
        isLate = true;
        this.#wake();
      });
      while (!isTrue() && !isLate) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      takeBack();
      if (isTrue()) return true;
    }
    return false;
  }
}

/** What deviates where nothing is judged yet is some other case's finding. */
function cannotJudge(error: unknown): never {
  throw error instanceof Deviation ? new CannotJudge(error.message) : error;
}

function orCannotJudge(check: () => void): void {
  try {
    check();
  } catch (error) {
    cannotJudge(error);
  }
}

/** What a reply to EHLO offers; lines that are no `ehlo-line` (RFC 5321 §4.1.1.1) are passed over. */
export function offersOf(reply: SeenReply): ReadonlyMap<string, string> {
  const offers = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [, keyword, parameters = ''] = /^([\dA-Za-z][\dA-Za-z-]*)(?: ([ -~]*))?$/.exec(line) ?? [];
    if (keyword !== undefined && !offers.has(keyword.toUpperCase()))
      offers.set(keyword.toUpperCase(), parameters);
  }
  return offers;
}
