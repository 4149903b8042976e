/** The message as a stream of Node's, counted as it comes. */
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { MailDataAbandonedError } from '@sansmtp/transport';
import type { SMTPServerDataStream } from '../types.js';

export class DataStream extends PassThrough implements SMTPServerDataStream {
  byteLength = 0;
  sizeExceeded = false;
  readonly #limit: number;

  /** @param limit octets beyond which `sizeExceeded` turns true; nothing is cut off */
  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  /** Passes a part of the message on, and waits while nobody reads. */
  async accept(chunk: Uint8Array): Promise<void> {
    this.byteLength += chunk.length;
    this.sizeExceeded = this.byteLength > this.#limit;
    if (this.write(chunk) || this.destroyed) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        this.off('drain', go).off('close', go);
        resolve();
      };
      this.on('drain', go).on('close', go);
    });
  }
}

/**
 * Passes the whole message on. Where it breaks off, the stream is destroyed: with an error if somebody listens for one,
 * for an error that nobody awaits would end the process.
 */
export async function feed(stream: DataStream, body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) await stream.accept(chunk);
    stream.end();
  } catch (error) {
    const cause = error instanceof MailDataAbandonedError ? error : undefined;
    const lost = Object.assign(
      new Error('Connection closed before the message was received in full', { cause }),
      {
        code: 'ECONNECTION',
      },
    );
    stream.destroy(stream.listenerCount('error') > 0 ? lost : undefined);
    throw error;
  }
}

/** Resolves when the stream was read to its end, or was destroyed; if nobody reads it by now, nobody will. */
export async function drained(stream: DataStream): Promise<void> {
  if (stream.readableFlowing === null && stream.listenerCount('readable') === 0) stream.resume();
  await finished(stream).catch(() => {});
}
