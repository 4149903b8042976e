/**
 * smtp-server's parser as a stream, for programs that import it from `lib/smtp-stream`. Sessions of this package do not
 * use it. A line ends in CRLF, and mail data in CRLF.CRLF, and in nothing else (RFC 5321 §2.3.8, §4.1.1.4).
 */
import { Writable } from 'node:stream';
import { MailDataDecoder } from '@sansmtp/core';
import { DataStream } from './data-stream.js';

export interface SMTPStreamOptions {
  /** Octets of a line without its CRLF. @default 16384 */
  readonly maxCommandLength?: number | undefined;
}

type Done = (error?: Error | null) => void;

export class SMTPStream extends Writable {
  /** Octets of mail data so far. */
  dataBytes = 0;
  /** Set it, and what comes is dropped unread. */
  isClosed = false;
  readonly #maximum: number;
  #line: Buffer = Buffer.alloc(0);
  #message: { readonly stream: DataStream; readonly decoder: MailDataDecoder } | undefined;
  #goOn: (() => void) | undefined;

  constructor({ maxCommandLength }: SMTPStreamOptions = {}) {
    super();
    this.#maximum = maxCommandLength || 16_384;
  }

  /** Overwrite it. The line after is read when the callback was called; the last one at the end has no callback. */
  oncommand(_command: Buffer, _callback?: () => void): void {
    throw new Error('oncommand was not set');
  }

  /** What follows the current command is mail data, without transparency, until its end. */
  startDataMode(maxBytes?: number | string | null): DataStream {
    const stream = new DataStream(Number(maxBytes) || Number.POSITIVE_INFINITY);
    const decoder = new MailDataDecoder({ maximumLineLength: Number.POSITIVE_INFINITY, bareNewline: 'keep' });
    this.dataBytes = 0;
    this.#message = { stream, decoder };
    return stream;
  }

  /** After mail data: go on with the next command. */
  continue(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#take(chunk).then(() => done(), done);
  }

  override _final(done: Done): void {
    const line = this.#line;
    this.#line = Buffer.alloc(0);
    if (line.length > 0 && !this.isClosed) this.oncommand(line);
    done();
  }

  async #take(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && !this.isClosed) {
      rest =
        this.#message === undefined ? await this.#takeLine(rest) : await this.#takeData(rest, this.#message);
    }
  }

  /** Gives back what comes after the line. */
  async #takeLine(chunk: Buffer): Promise<Buffer> {
    const held = this.#line.length > 0 ? Buffer.concat([this.#line, chunk]) : chunk;
    const end = held.indexOf('\r\n');
    if ((end < 0 ? held.length : end) > this.#maximum) {
      this.#line = Buffer.alloc(0);
      throw new Error('Command line too long');
    }
    if (end < 0) {
      this.#line = held;
      return Buffer.alloc(0);
    }
    this.#line = Buffer.alloc(0);
    await new Promise<void>((resolve) => this.oncommand(held.subarray(0, end), resolve));
    return held.subarray(end + 2);
  }

  async #takeData(
    chunk: Buffer,
    { stream, decoder }: { readonly stream: DataStream; readonly decoder: MailDataDecoder },
  ): Promise<Buffer> {
    const { data, consumed, ended } = decoder.decode(chunk);
    this.dataBytes += data.length;
    if (data.length > 0) await stream.accept(data);
    if (!ended) return chunk.subarray(consumed);
    this.#message = undefined;
    const continued = new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    stream.end();
    await continued;
    return chunk.subarray(consumed);
  }
}
