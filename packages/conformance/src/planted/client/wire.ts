/** The small client's end of a connection: lines go out, replies come in, and what each fault makes of them. */
import type { Socket } from 'node:net';
import type { ClientVerdict } from '../../clients/contract.js';
import type { FaultId } from './faults.js';
import { NoReply, type Reply, ReplyReader } from './reply-reader.js';

/** How the attempt ended for all recipients, before each had a fate of its own. */
export class GivenUp extends Error {
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

export class Wire {
  readonly fault: FaultId | undefined;
  readonly #reader: ReplyReader;
  #socket: Socket | undefined;
  /** The server has said 421: it closes (RFC 5321 §3.8). */
  #is421 = false;

  constructor(fault: FaultId | undefined, timeout: number) {
    this.fault = fault;
    this.#reader = new ReplyReader(fault, timeout);
  }

  has(fault: FaultId): boolean {
    return this.fault === fault;
  }

  get is421(): boolean {
    return this.#is421;
  }

  /** The server has ended the connection. */
  get ended(): boolean {
    return this.#reader.ended;
  }

  get socket(): Socket {
    if (this.#socket === undefined) throw new Error('Not connected yet');
    return this.#socket;
  }

  /** Speaks over this socket from now on: the first one, or TLS over it. */
  attach(socket: Socket): void {
    this.#socket = socket;
    this.#reader.attach(socket);
  }

  close(): void {
    this.#socket?.destroy();
  }

  /** One character is one octet. */
  write(text: string): void {
    this.#socket?.write(Buffer.from(text, 'latin1'));
  }

  /** A command as it goes out, with its end. */
  encoded(line: string): string {
    return Buffer.from(line + (this.has('commands-end-in-lf') ? '\n' : '\r\n'), 'utf8').toString('latin1');
  }

  send(line: string): void {
    if (this.#is421 && !this.has('421-ignored')) throw new GivenUp('deferred', 'the server closes');
    this.expectNothing();
    this.write(this.encoded(line));
  }

  /** What came before it was asked for is no reply to what follows. */
  expectNothing(): void {
    if (this.#reader.unasked) throw new NoReply('a reply that nobody asked for');
  }

  async reply(): Promise<Reply> {
    const reply = await this.#reader.next();
    if (reply.code === 421) this.#is421 = true;
    return { ...reply, code: this.#understood(reply) };
  }

  async ask(line: string): Promise<Reply> {
    this.send(line);
    return this.reply();
  }

  /** The code as the fault reads it. */
  #understood({ code, lines }: Reply): number {
    const text = lines.join(' ');
    if (this.has('unknown-codes-succeed') && !KNOWN.includes(code)) return 250;
    if (this.has('unknown-codes-fail') && code < 400 && ![220, 221, 250, 334, 235, 354].includes(code))
      return 550;
    const [enhanced] = /^[245](?=\.\d+\.\d+)/.exec(text) ?? [];
    if (this.has('enhanced-code-decides') && enhanced !== undefined && code < 300)
      return Number(`${enhanced}50`);
    if (this.has('text-decides') && /\bno\b/i.test(text)) return 550;
    return code;
  }

  refusal(code: number): ClientVerdict {
    if (code >= 500) return this.has('5yz-is-temporary') ? 'deferred' : 'rejected';
    return this.has('4yz-is-permanent') ? 'rejected' : 'deferred';
  }

  giveUp({ code }: Reply, what: string): GivenUp {
    return new GivenUp(code < 400 ? 'failed' : this.refusal(code), `${code} to ${what}`);
  }
}
