/**
 * A small SMTP and LMTP client of the kit's own, written from the RFCs and not from the core: right as long as no fault is
 * planted. It shows that the cases find faults, and not that clients should be written so.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientVerdict, Task } from '../../clients/contract.js';
import type { FaultId } from './faults.js';
import { damaged, flawOf, forChunks, forData } from './mail-data.js';
import { NoReply, type Reply, ReplyReader } from './reply-reader.js';

export interface SmallClientOptions {
  /** What it does wrong. @default nothing */
  readonly fault?: FaultId;
  /** Milliseconds that it waits for a reply. @default 1500 */
  readonly timeout?: number;
}

/** How the attempt ended for all recipients, before each had a fate of its own. */
class GivenUp extends Error {
  readonly verdict: ClientVerdict;
  constructor(verdict: ClientVerdict, message: string) {
    super(message);
    this.verdict = verdict;
  }
}

const KNOWN = [
  220, 221, 235, 250, 251, 252, 334, 354, 421, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 521, 530,
  534, 535, 550, 551, 552, 553, 554, 555,
];
const ASCII = /^[\0-\x7f]*$/;
const CHUNK = 65_536;

/** Delivers one message. Resolves with the fate of each recipient, in order. */
export async function deliver(
  task: Task,
  options: SmallClientOptions = {},
): Promise<readonly ClientVerdict[]> {
  const session = new SmallSession(task, options.fault, options.timeout ?? 1500);
  try {
    return await session.run();
  } catch (error) {
    if (error instanceof GivenUp) throw Object.assign(error, { output: error.message });
    throw error;
  } finally {
    session.close();
  }
}

class SmallSession {
  readonly #task: Task;
  readonly #fault: FaultId | undefined;
  readonly #reader: ReplyReader;
  readonly #message: string;
  #socket: Socket | undefined;
  #offers = new Map<string, string>();
  #isSecure = false;
  #is421 = false;
  /** The final dot was sent, and its reply did not come. */
  #isOpen = false;

  constructor(task: Task, fault: FaultId | undefined, timeout: number) {
    this.#task = task;
    this.#fault = fault;
    this.#reader = new ReplyReader(fault, timeout);
    this.#message = damaged(Buffer.from(task.message).toString('latin1'), fault);
  }

  async run(): Promise<readonly ClientVerdict[]> {
    const flaw = flawOf(this.#message, this.#fault);
    if (flaw !== undefined) throw new GivenUp('failed', `the message has ${flaw}`);
    try {
      await this.#open();
      await this.#login();
      const verdicts = await this.#transaction();
      await this.#quit(verdicts.includes('delivered'), verdicts);
      return verdicts;
    } catch (error) {
      if (error instanceof NoReply) throw this.#loss(error);
      if (error instanceof GivenUp && !this.#is421) await this.#quit(false);
      throw error;
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  #has(fault: FaultId): boolean {
    return this.#fault === fault;
  }

  #loss(error: NoReply): GivenUp {
    if (error.isTimeout && this.#has('time-out-rejects')) return new GivenUp('rejected', error.message);
    if (this.#isOpen) {
      if (this.#has('delivered-after-loss')) return new GivenUp('delivered', error.message);
      return new GivenUp(this.#has('rejected-after-loss') ? 'rejected' : 'unknown', error.message);
    }
    return new GivenUp(this.#has('rejected-after-early-loss') ? 'rejected' : 'deferred', error.message);
  }

  // The wire

  #write(text: string): void {
    this.#socket?.write(Buffer.from(text, 'latin1'));
  }

  #send(line: string): void {
    if (this.#is421 && !this.#has('421-ignored')) throw new GivenUp('deferred', 'the server closes');
    if (this.#reader.unasked) throw new NoReply('a reply that nobody asked for');
    const octets = Buffer.from(line, 'utf8').toString('latin1');
    this.#write(octets + (this.#has('commands-end-in-lf') ? '\n' : '\r\n'));
  }

  async #reply(): Promise<Reply> {
    const reply = await this.#reader.next();
    if (reply.code === 421) this.#is421 = true;
    return { ...reply, code: this.#understood(reply) };
  }

  /** The code as the fault reads it. */
  #understood({ code, lines }: Reply): number {
    const text = lines.join(' ');
    if (this.#has('unknown-codes-succeed') && !KNOWN.includes(code)) return 250;
    if (this.#has('unknown-codes-fail') && code < 400 && ![220, 221, 250, 334, 235, 354].includes(code))
      return 550;
    const [enhanced] = /^[245](?=\.\d+\.\d+)/.exec(text) ?? [];
    if (this.#has('enhanced-code-decides') && enhanced !== undefined && code < 300)
      return Number(`${enhanced}50`);
    if (this.#has('text-decides') && /\bno\b/i.test(text)) return 550;
    return code;
  }

  async #ask(line: string): Promise<Reply> {
    this.#send(line);
    return this.#reply();
  }

  #refusal(code: number): ClientVerdict {
    if (code >= 500) return this.#has('5yz-is-temporary') ? 'deferred' : 'rejected';
    return this.#has('4yz-is-permanent') ? 'rejected' : 'deferred';
  }

  #giveUp({ code }: Reply, what: string): GivenUp {
    return new GivenUp(code < 400 ? 'failed' : this.#refusal(code), `${code} to ${what}`);
  }

  // The session

  async #open(): Promise<void> {
    const { host, port, setup, ca, signal } = this.#task;
    const isImplicit = setup === 'implicitTls';
    const socket = isImplicit ? connectTls({ host, port, ...this.#trust(ca) }) : connectTcp({ host, port });
    this.#socket = socket;
    signal.addEventListener('abort', () => this.#socket?.destroy());
    this.#reader.attach(socket);
    if (isImplicit) {
      await this.#secured(socket);
      this.#isSecure = true;
    }
    if (this.#has('greeting-not-awaited')) this.#write('EHLO client.example.org\r\n');
    const greeting = await this.#reply();
    if (greeting.code !== 220 && !(this.#has('greeting-not-heeded') && greeting.code >= 400)) {
      throw this.#giveUp(greeting, 'the connection');
    }
    await this.#hello(!this.#has('greeting-not-awaited'));
    if (setup === 'startTls' || setup === 'login') await this.#startTls();
  }

  #trust(ca: string) {
    return { ca, rejectUnauthorized: !this.#has('certificate-not-verified') };
  }

  #secured(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', (error) => reject(new GivenUp('deferred', error.message)));
      socket.once('close', () => reject(new NoReply('the connection is over')));
    });
  }

  async #hello(isSent = true): Promise<void> {
    const isLmtp = this.#task.setup === 'lmtp';
    const verb = isLmtp && !this.#has('lmtp-by-ehlo') ? 'LHLO' : 'EHLO';
    if (isSent) this.#send(this.#has('hello-without-name') ? verb : `${verb} client.example.org`);
    let reply = await this.#reply();
    this.#offers = new Map();
    if (reply.code >= 200 && reply.code < 300) {
      this.#offers = this.#offersOf(reply);
      return;
    }
    const isUnknown = (reply.code === 500 || reply.code === 502) && !isLmtp;
    if (isUnknown && !this.#has('no-helo')) reply = await this.#ask('HELO client.example.org');
    const isFine = reply.code >= 200 && reply.code < 300;
    if (!isFine && !this.#has('hello-refusal-ignored')) throw this.#giveUp(reply, 'EHLO');
  }

  #offersOf({ lines }: Reply): Map<string, string> {
    const offers = new Map<string, string>();
    for (const line of lines.slice(this.#has('first-line-offers') ? 0 : 1)) {
      const [keyword = '', ...parameters] = line.split(' ');
      offers.set(
        this.#has('keywords-in-upper-case-only') ? keyword : keyword.toUpperCase(),
        parameters.join(' '),
      );
      if (this.#has('first-line-offers')) for (const word of parameters) offers.set(word, '');
    }
    return offers;
  }

  async #startTls(): Promise<void> {
    if (!this.#offers.has('STARTTLS') && !this.#has('starttls-unoffered')) {
      if (this.#has('tls-optional')) return;
      // A login that would go in the clear is tried later on, by the fault.
      if (this.#has('auth-in-the-clear') && this.#task.setup === 'login') return;
      throw new GivenUp('failed', 'STARTTLS is not offered');
    }
    const reply = await this.#ask('STARTTLS');
    if (reply.code !== 220) {
      if (this.#has('tls-refusal-ignored') && reply.code !== 421) return;
      if (this.#has('auth-in-the-clear') && this.#task.setup === 'login') return;
      throw this.#giveUp(reply, 'STARTTLS');
    }
    const { host, ca } = this.#task;
    const plain = this.#socket as Socket;
    plain.removeAllListeners('data');
    const secure = connectTls({ socket: plain, host, ...this.#trust(ca) });
    this.#socket = secure;
    this.#reader.attach(secure);
    await this.#secured(secure).catch((error: Error) => {
      throw error instanceof GivenUp ? error : new GivenUp('deferred', 'the handshake failed');
    });
    this.#isSecure = true;
    if (this.#has('no-ehlo-under-tls')) return;
    const before = this.#offers;
    await this.#hello();
    if (this.#has('keywords-kept')) this.#offers = new Map([...before, ...this.#offers]);
    if (this.#has('starttls-again') && this.#offers.has('STARTTLS')) await this.#ask('STARTTLS');
  }

  // AUTH

  async #login(): Promise<void> {
    if (this.#task.setup !== 'login') return;
    if (!this.#isSecure && !this.#has('auth-in-the-clear')) return; // by another fault TLS was skipped
    const offered = (this.#offers.get('AUTH') ?? '').toUpperCase().split(' ');
    const mechanism = this.#has('mechanism-unoffered')
      ? 'PLAIN'
      : ['PLAIN', 'LOGIN'].find((name) => offered.includes(name));
    if (mechanism === undefined) {
      if (this.#has('auth-skipped')) return;
      throw new GivenUp('failed', 'no mechanism of ours is offered');
    }
    const reply = await this.#exchange(mechanism);
    if (reply.code >= 200 && reply.code < 300) {
      if (this.#has('auth-twice')) await this.#exchange(mechanism);
      return;
    }
    if (this.#has('auth-failure-ignored') && reply.code >= 500) return;
    const words = this.#has('secret-in-errors') ? ` for ${this.#task.user}:${this.#task.password}` : '';
    throw this.#giveUp(reply, `AUTH${words}`);
  }

  async #exchange(mechanism: string): Promise<Reply> {
    const { user, password } = this.#task;
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const identity = this.#has('plain-without-identity') ? '' : '\0';
    const answers = this.#has('login-swapped') ? [password, user] : [user, password];
    let reply = await this.#ask(
      mechanism === 'PLAIN' ? `AUTH PLAIN ${base64(`${identity}${user}\0${password}`)}` : 'AUTH LOGIN',
    );
    for (let count = 0; count < 100; count++) {
      const goesOn =
        reply.code === 334 || (this.#has('login-goes-on') && mechanism === 'LOGIN' && count === 1);
      if (!goesOn) return reply;
      const challenge = reply.lines[0] ?? '';
      const isAsked = mechanism === 'LOGIN' && count < 2 && /^[\w+/]*=*$/.test(challenge);
      const cancels = !isAsked && !this.#has('challenges-without-end') && reply.code === 334;
      reply = await this.#ask(cancels ? '*' : base64(answers[count] ?? ''));
      if (cancels) return reply;
    }
    return reply;
  }

  // The transaction

  #mailLine(): string {
    const { from, to } = this.#task;
    const message = this.#message;
    const limit = this.#offers.get('SIZE');
    const isZero = Number(limit) === 0 && !this.#has('size-zero-is-a-limit');
    const isBeyond = limit !== undefined && limit !== '' && !isZero && message.length > Number(limit);
    if (isBeyond && !this.#has('size-limit-ignored')) throw new GivenUp('rejected', 'beyond the limit');
    const parameters: string[] = [];
    const size = this.#has('size-wrong') ? message.length >> 1 : message.length;
    if (limit !== undefined || this.#has('size-unoffered')) parameters.push(`SIZE=${size}`);
    const is8Bit = !ASCII.test(message);
    const may8Bit = this.#offers.has('8BITMIME');
    if (is8Bit && !may8Bit && !this.#has('8-bit-unoffered')) throw new GivenUp('failed', 'needs 8BITMIME');
    if (is8Bit && may8Bit && !this.#has('8-bit-undeclared')) parameters.push('BODY=8BITMIME');
    const isInternational = !ASCII.test([from, ...to].join(''));
    const mayInternational = this.#offers.has('SMTPUTF8');
    if (isInternational && !mayInternational && !this.#has('smtputf8-unoffered')) {
      throw new GivenUp('failed', 'needs SMTPUTF8');
    }
    if (isInternational && mayInternational && !this.#has('smtputf8-undeclared')) parameters.push('SMTPUTF8');
    const path = from === '' && this.#has('null-path-replaced') ? 'postmaster@example.org' : from;
    return [`MAIL FROM:${this.#path(path)}`, ...parameters].join(' ');
  }

  #path(address: string): string {
    const written = this.#has('address-in-lower-case') ? address.toLowerCase() : address;
    return `${this.#has('blank-after-colon') ? ' ' : ''}<${written}>`;
  }

  #recipientLines(): string[] {
    const lines = this.#task.to.map((address) => `RCPT TO:${this.#path(address)}`);
    if (this.#has('last-recipient-forgotten') && lines.length > 1) lines.pop();
    if (this.#has('recipient-twice')) lines.push(lines[0] ?? '');
    return lines;
  }

  async #transaction(): Promise<readonly ClientVerdict[]> {
    const mail = this.#mailLine();
    const usesBdat = this.#offers.has('CHUNKING') || this.#has('bdat-unoffered');
    const isGroup = this.#offers.has('PIPELINING') || this.#has('pipelining-unoffered');
    const begun = isGroup ? await this.#group(mail, usesBdat) : await this.#oneByOne(mail, usesBdat);
    const { fates, data } = begun;
    const accepted = [...fates.keys()].filter((index) => fates[index] === 'delivered');
    if (usesBdat) {
      if (accepted.length > 0) await this.#chunks(fates, accepted);
      return this.#told(fates);
    }
    if (data === undefined) return this.#told(fates);
    const isGoAhead = data.code === 354 || (this.#has('250-is-a-go-ahead') && data.code < 400);
    if (!isGoAhead && !this.#has('data-refusal-ignored')) {
      for (const index of accepted) fates[index] = data.code < 400 ? 'failed' : this.#refusal(data.code);
      return this.#told(fates);
    }
    await this.#mailData(fates, accepted);
    return this.#told(fates);
  }

  /** What it says of the recipients in the end. */
  #told(fates: ClientVerdict[]): ClientVerdict[] {
    if (this.#has('one-refusal-fails-all') && fates.includes('rejected')) return fates.map(() => 'rejected');
    if (this.#has('refused-is-delivered') && fates.includes('delivered')) return fates.map(() => 'delivered');
    if (this.#has('last-recipient-forgotten') && fates.length > 1) fates[fates.length - 1] = 'delivered';
    if (this.#has('refusals-shifted') && fates.length > 1)
      return [fates.at(-1) ?? 'failed', ...fates.slice(0, -1)];
    return fates;
  }

  /** `delivered` stands for accepted so far. */
  #fateOf({ code }: Reply): ClientVerdict {
    const isAccepted = code < 300 || (code < 400 && this.#has('3yz-accepts-the-recipient'));
    if (isAccepted) return 'delivered';
    if (code < 400) return 'failed';
    return code === 552 ? 'deferred' : this.#refusal(code);
  }

  async #oneByOne(mail: string, usesBdat: boolean) {
    const opened = await this.#ask(mail);
    if (opened.code >= 300 && !this.#has('mail-refusal-ignored')) throw this.#giveUp(opened, 'MAIL');
    const fates: ClientVerdict[] = [];
    for (const line of this.#recipientLines()) fates.push(this.#fateOf(await this.#ask(line)));
    fates.splice(this.#task.to.length);
    const isWanted = this.#has('last-recipient-decides')
      ? fates.at(-1) === 'delivered'
      : fates.includes('delivered');
    if ((!isWanted && !this.#has('data-for-nobody')) || usesBdat) return { fates, data: undefined };
    return { fates, data: await this.#ask('DATA') };
  }

  async #group(mail: string, usesBdat: boolean) {
    const lines = [mail, ...this.#recipientLines(), ...(usesBdat ? [] : ['DATA'])];
    const early = this.#has('go-ahead-not-awaited') && !usesBdat ? forData(this.#message, this.#fault) : '';
    if (this.#reader.unasked) throw new NoReply('a reply that nobody asked for');
    const end = this.#has('commands-end-in-lf') ? '\n' : '\r\n';
    const written = lines.map((line) => Buffer.from(line + end, 'utf8').toString('latin1'));
    this.#write(written.join('') + early);
    const opened = await this.#reply();
    const fates: ClientVerdict[] = [];
    for (let count = this.#recipientLines().length; count > 0; count--) {
      fates.push(this.#fateOf(await this.#groupReply()));
    }
    fates.splice(this.#task.to.length);
    const data = usesBdat ? undefined : await this.#groupReply();
    if (opened.code < 300) {
      const isOver = data !== undefined && data.code >= 400 && !fates.includes('delivered');
      return { fates, data: isOver ? undefined : data };
    }
    if (data?.code === 354) await this.#loneDot();
    if (this.#has('503-decides') && fates.includes('rejected')) throw new GivenUp('rejected', '503');
    throw this.#giveUp(opened, 'MAIL');
  }

  async #groupReply(): Promise<Reply> {
    if (this.#is421) throw new GivenUp('deferred', 'the server closes');
    return this.#reply();
  }

  /** RFC 2920 §3.1: nobody was accepted, and the server waits for mail data. */
  async #loneDot(): Promise<void> {
    this.#write('.\r\n');
    await this.#reply();
  }

  async #mailData(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const isForNobody =
      accepted.length === 0 && !this.#has('lone-dot-forgotten') && !this.#has('data-for-nobody');
    if (this.#reader.unasked) throw new NoReply('a reply that nobody asked for');
    if (!(this.#has('go-ahead-not-awaited') && this.#offers.has('PIPELINING'))) {
      const quit = this.#has('quit-with-the-message') ? 'QUIT\r\n' : '';
      this.#write((isForNobody ? '.\r\n' : forData(this.#message, this.#fault)) + quit);
    }
    this.#isOpen = accepted.length > 0;
    await this.#conclude(fates, accepted);
  }

  async #chunks(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const content = forChunks(this.#message, this.#fault);
    for (let at = 0; at < content.length || at === 0; at += CHUNK) {
      const chunk = content.slice(at, at + CHUNK);
      const isLast = at + CHUNK >= content.length;
      const size = chunk.length + (this.#has('bdat-size-off-by-one') ? 1 : 0);
      const last = isLast && !this.#has('bdat-without-last') ? ' LAST' : '';
      if (this.#reader.unasked) throw new NoReply('a reply that nobody asked for');
      this.#write(`BDAT ${size}${last}\r\n${chunk}`);
      if (isLast) break;
      const reply = await this.#reply();
      if (reply.code < 300) continue;
      for (const index of accepted) fates[index] = reply.code < 400 ? 'failed' : this.#refusal(reply.code);
      return;
    }
    this.#isOpen = true;
    await this.#conclude(fates, accepted);
  }

  /** The replies after the end of the message: in LMTP one for each accepted recipient (RFC 2033 §4.2). */
  async #conclude(fates: ClientVerdict[], accepted: readonly number[]): Promise<void> {
    const isLmtp = this.#task.setup === 'lmtp' && !this.#has('lmtp-one-reply');
    const concerned = this.#has('lmtp-replies-for-refused') && isLmtp ? [...fates.keys()] : accepted;
    const groups = isLmtp ? concerned.map((index) => [index]) : [accepted];
    for (const group of groups) {
      let reply: Reply;
      try {
        reply = await this.#reply();
      } catch (error) {
        if (!isLmtp || !(error instanceof NoReply)) throw error;
        for (const left of groups.slice(groups.indexOf(group)).flat())
          fates[left] = this.#loss(error).verdict;
        break;
      }
      const isTaken = reply.code < 300 || (reply.code < 400 && this.#has('3yz-takes-the-message'));
      const fate = isTaken ? 'delivered' : reply.code < 400 ? 'failed' : this.#refusal(reply.code);
      for (const index of group) fates[index] = fate;
      if (isTaken && reply.code !== 250 && this.#has('sent-again')) await this.#again();
    }
    this.#isOpen = false;
  }

  async #again(): Promise<void> {
    await this.#ask(this.#mailLine());
    for (const line of this.#recipientLines()) await this.#ask(line);
    await this.#ask('DATA');
    this.#write(forData(this.#message, this.#fault));
    await this.#reply();
  }

  async #quit(isSuccess: boolean, verdicts: readonly ClientVerdict[] = []): Promise<void> {
    const isSkipped = this.#has('quit-forgotten') || (this.#has('quit-after-success-only') && !isSuccess);
    if (isSkipped || this.#reader.ended || (this.#is421 && !this.#has('421-ignored'))) return;
    try {
      if (this.#has('421-ignored') && this.#is421) await this.#ask('NOOP');
      const reply =
        this.#has('quit-with-the-message') && verdicts.length > 0
          ? await this.#reply()
          : await this.#ask('QUIT');
      if (this.#has('command-after-quit')) this.#write('NOOP\r\n');
      if (this.#has('quit-decides') && reply.code >= 300) throw this.#giveUp(reply, 'QUIT');
    } catch (error) {
      if (error instanceof GivenUp && this.#has('quit-decides')) throw error;
      if (this.#has('quit-decides') && error instanceof NoReply) throw new GivenUp('deferred', error.message);
    }
    this.#socket?.end();
  }
}
