/**
 * The other end of a session under test, played by the test: it writes text, one octet a character, and writes
 * down what it hears.
 */
import type { ByteStream, ByteStreamListener } from '@sansmtp/transport';

export const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** Lets everything happen that takes no time: without latency, memory streams run on promise reactions alone. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A stream that counts what passes through it. */
export class CountedStream implements ByteStream {
  written = 0;
  received = 0;
  readonly #stream: ByteStream;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get peer() {
    return this.#stream.peer;
  }

  get tls() {
    return this.#stream.tls;
  }

  get lends() {
    return this.#stream.lends ?? false;
  }

  get canStartTls() {
    return this.#stream.canStartTls;
  }

  open(listener: ByteStreamListener): void {
    this.#stream.open({
      borrows: listener.borrows ?? false,
      data: (bytes) => {
        this.received += bytes.length;
        listener.data(bytes);
      },
      end: () => listener.end(),
      drain: () => listener.drain(),
      secure: (tls) => listener.secure(tls),
      close: (reason) => listener.close(reason),
    });
  }

  write(bytes: Uint8Array): boolean {
    this.written += bytes.length;
    return this.#stream.write(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  startTls(): void {
    this.#stream.startTls();
  }

  abort(reason?: Error): void {
    this.#stream.abort(reason);
  }
}

export class Peer implements ByteStreamListener {
  readonly stream: ByteStream;
  /** All that was heard. */
  heard = '';
  ended = false;
  closed = false;
  reason: Error | undefined;
  /** The TLS handshake stands. */
  secured = false;
  /** A write filled the stream's buffer, and it has not been emptied since. */
  blocked = false;
  #told = 0;

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.open(this);
  }

  data(bytes: Uint8Array): void {
    this.heard += textOf(bytes);
  }

  end(): void {
    this.ended = true;
  }

  drain(): void {
    this.blocked = false;
  }

  secure(): void {
    this.secured = true;
  }

  close(reason?: Error): void {
    this.closed = true;
    this.reason = reason;
  }

  write(text: string): void {
    if (!this.stream.write(octetsOf(text))) this.blocked = true;
  }

  /** The lines heard since this was last asked. */
  news(): string[] {
    const text = this.heard.slice(this.#told);
    this.#told = this.heard.length;
    return text.split('\r\n').slice(0, -1);
  }

  /** Writes lines in one go, and gives the lines heard in reply, all that can come without time passing. */
  async say(...lines: string[]): Promise<string[]> {
    this.write(lines.map((line) => `${line}\r\n`).join(''));
    await settle();
    return this.news();
  }
}
