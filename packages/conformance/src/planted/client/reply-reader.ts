/** Replies, read from a socket: each waits for its last line. */
import type { Socket } from 'node:net';
import type { FaultId } from './faults.js';

export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The connection is over, or what came is no reply, or none came in time. */
export class NoReply extends Error {
  readonly isTimeout: boolean;
  constructor(message: string, isTimeout = false) {
    super(message);
    this.isTimeout = isTimeout;
  }
}

const MAXIMUM_OCTETS = 100_000;

export class ReplyReader {
  #text = '';
  #ended = false;
  #wake: () => void = () => {};
  readonly #fault: FaultId | undefined;
  readonly #timeout: number;

  constructor(fault: FaultId | undefined, timeout: number) {
    this.#fault = fault;
    this.#timeout = timeout;
  }

  /** Reads from this socket from now on. What was received before is forgotten. */
  attach(socket: Socket): void {
    if (this.#fault !== 'injected-replies-kept') this.#text = '';
    socket.on('data', (octets) => {
      this.#text += octets.toString('latin1');
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('error', end);
    socket.on('close', end);
  }

  /** Octets that came without being asked for. */
  get unasked(): boolean {
    return (
      this.#text !== '' && this.#fault !== 'replies-read-ahead' && this.#fault !== 'injected-replies-kept'
    );
  }

  get ended(): boolean {
    return this.#ended;
  }

  async next(): Promise<Reply> {
    for (;;) {
      const reply = this.#take();
      if (reply !== undefined) return reply;
      if (this.#ended) throw new NoReply('the connection is over');
      if (this.#text.length > MAXIMUM_OCTETS) throw new NoReply('a reply without an end');
      await this.#more();
    }
  }

  #take(): Reply | undefined {
    const fault = this.#fault;
    if (fault === 'segment-is-the-reply' && this.#text !== '') return this.#whole(this.#text.length);
    if (fault === 'line-end-not-awaited' && this.#ended && /^\d{3}/.test(this.#text)) {
      return this.#whole(this.#text.length);
    }
    for (let begin = 0; ; ) {
      const end = this.#text.indexOf('\r\n', begin);
      if (end < 0) return undefined;
      const isLast = this.#text[begin + 3] !== '-' || fault === 'first-line-is-the-reply';
      begin = end + 2;
      if (isLast) return this.#whole(begin);
    }
  }

  /** The first octets are a reply. */
  #whole(length: number): Reply {
    const lines = this.#text.slice(0, length).replace(/\r\n$/, '').split('\r\n');
    this.#text = this.#text.slice(length);
    const first = lines[0] ?? '';
    if (this.#fault === 'any-digits-are-a-code' && /^\d/.test(first))
      return { code: Number(`${first[0]}50`), lines };
    const code = first.slice(0, 3);
    const isReply = (line: string) => /^[2-5]\d\d(?:$|[ -])/.test(line);
    const agree = lines.every((line) => isReply(line) && line.startsWith(code));
    const isLenient = ['first-line-decides', 'segment-is-the-reply', 'line-end-not-awaited'].includes(
      this.#fault ?? '',
    );
    if (!(isLenient ? isReply(first) : agree)) throw new NoReply('octets that are no reply');
    return { code: Number(code), lines: lines.map((line) => line.slice(4)) };
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer =
        this.#fault === 'no-time-out'
          ? undefined
          : setTimeout(() => reject(new NoReply('no reply in time', true)), this.#timeout);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
