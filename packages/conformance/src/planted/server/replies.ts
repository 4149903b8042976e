/** The replies of the planted server: what has come at once is answered at once, and too many errors end the session. */
import type { ByteStream } from '@sansmtp/transport';
import type { Flags } from './faults.js';

const ERROR_LIMIT = 20;

const encode = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

export class Replies {
  readonly #stream: ByteStream;
  readonly #has: Flags;
  /** What is done after an error, and at the end. */
  readonly #after: { readonly refusal: () => void; readonly end: () => void };
  #out: string[] = [];
  #errors = 0;

  constructor(
    stream: ByteStream,
    has: Flags,
    after: { readonly refusal: () => void; readonly end: () => void },
  ) {
    this.#stream = stream;
    this.#has = has;
    this.#after = after;
  }

  say(line: string): undefined {
    this.#out.push(`${line}\r\n`);
  }

  accept(reply: string): undefined {
    this.forgiveErrors();
    this.say(reply);
  }

  /** An error of the client's. */
  refuse(reply: string): undefined {
    this.#errors += 1;
    if (this.#errors < ERROR_LIMIT) {
      this.say(reply);
      this.#after.refusal();
      return;
    }
    this.forgiveErrors();
    if (!this.#has('errors-close-silently')) this.say('421 4.7.0 Too many errors');
    if (!this.#has('errors-421-stays-open')) this.close();
  }

  /** Errors are counted anew. */
  forgiveErrors(): undefined {
    this.#errors = 0;
  }

  endLastInLf(): undefined {
    this.#out.push((this.#out.pop() ?? '').replace(/\r\n$/, '\n'));
  }

  flush(): undefined {
    const batch =
      this.#has('batch-replies-reversed') && this.#out.every((line) => /^[25]\d\d /.test(line))
        ? this.#out.reverse()
        : this.#out;
    const same = this.#has('batch-same-reply-once');
    const lines = batch.filter((line, index) => !same || index === 0 || line !== batch[index - 1]);
    this.#out = [];
    if (lines.length > 0) this.#stream.write(encode(lines.join('')));
  }

  close(): undefined {
    this.#after.end();
    this.flush();
    this.#stream.end();
  }
}
