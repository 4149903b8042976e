/**
 * The body of a message to be delivered: opened once for all that is done with it, and read once for each mail
 * transaction that gets as far as to want it.
 *
 * - No body is held in memory as a whole that was not there before.
 * - What can be read once only is stored for other readings where the reader says that there may be any; else it passes
 *   straight through.
 * - What a reading throws is `failure` from then on, so that a body's fault is not taken for the network's; but that it
 *   could not be stored is `loss`.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { MessageSource } from '@sansmtp/transport';
import { settledOrAborted } from '../signals/settled-or-aborted.js';
import { type BodySource, isWebStream, openSource, type WebStream } from './body-source.js';
import { Spool, UnstoredError } from './spool.js';

/**
 * A message, header section included. Text is sent as UTF-8; a LF on its own is sent as CRLF. Node streams are async
 * iterables; what they yield must be octets, so no stream may have an encoding set.
 *
 * `path` names a file, which must not change until `send()` has settled.
 */
export type MessageBody =
  | string
  | Uint8Array
  | AsyncIterable<Uint8Array>
  | WebStream
  | { readonly path: string }
  | ReplayableBody;

/** What can be read any number of times, also at the same time. */
export interface ReplayableBody {
  /** Octets, as far as it is known. */
  readonly size?: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface OpenBody {
  /**
   * Octets, as far as it is known. Lines that end in LF count as they are, which makes it an estimate: counting them
   * would mean to read a large message twice, and servers must bear with estimates (RFC 1870 §6.3).
   */
  readonly size: number | undefined;
  /** What reading it has thrown. */
  readonly failure: { readonly error: unknown } | undefined;
  /** False once it has been read in a way that lets nobody read it again. */
  readonly readable: boolean;
  /** Why another reading would fail: what was read so far could not be stored. The body is not to blame for it. */
  readonly loss?: UnstoredError | undefined;
  /** @param again whether another reading may be wanted, later or at the same time */
  read(again: boolean): MessageSource;
  /** Lets go of it, whether or not it was read; undefined: there was nothing to let go of. */
  close(): Promise<void> | undefined;
}

/** Octets of a file that are read at once. */
const CHUNK_OCTETS = 65_536;

/**
 * Rejects with the system's error when a file cannot be opened. What is in memory is open at once.
 * @throws {TypeError} it is no body
 * @param signal whoever wants to read; aborted while a file is being opened, it gives a body that nobody can read
 */
export function openBody(body: MessageBody, signal?: AbortSignal): OpenBody | Promise<OpenBody> {
  if (typeof body === 'string') return bytesBody(Buffer.from(body));
  if (body instanceof Uint8Array) return bytesBody(body);
  if (typeof body !== 'object' || body === null) throw noBody(`${body === undefined ? 'missing' : body}`);
  if (isWebStream(body) || Symbol.asyncIterator in body) return new OnceBody(openSource(body));
  if ('read' in body && typeof body.read === 'function') return new RereadBody(body);
  const { path } = body as { readonly path?: unknown };
  if (typeof path !== 'string') throw noBody('an object of another kind');
  return openUnlessAborted(openFile(path), signal);
}

function noBody(given: string): TypeError {
  return new TypeError(
    `The message is ${given}; give a text, a Uint8Array, a stream of octets, { path } of a file, or { read() }`,
  );
}

function bytesBody(bytes: Uint8Array): OpenBody {
  return {
    size: bytes.length,
    failure: undefined,
    readable: true,
    read: () => bytes,
    close: () => undefined,
  };
}

/** A pipe is not open before somebody writes to it. The system cannot be called back: what is open late is closed. */
async function openUnlessAborted(
  opening: Promise<OpenBody>,
  signal: AbortSignal | undefined,
): Promise<OpenBody> {
  try {
    return await settledOrAborted(opening, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    opening.then(
      (body) => body.close(),
      () => {},
    );
    return {
      size: undefined,
      failure: undefined,
      readable: false,
      read() {
        throw signal.reason;
      },
      close: () => undefined,
    };
  }
}

async function openFile(path: string): Promise<OpenBody> {
  const handle = await open(path);
  try {
    const information = await handle.stat();
    if (information.isFile()) return new FileBody(handle, path, information.size);
    // A pipe or a terminal has no size, and can be read once only.
    return new OnceBody(openSource(handle.createReadStream()));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class RereadBody implements OpenBody {
  readonly size: number | undefined;
  readonly readable = true;
  failure: { readonly error: unknown } | undefined;
  readonly #body: ReplayableBody;

  constructor(body: ReplayableBody) {
    this.#body = body;
    this.size = body.size;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#body.read();
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }

  close(): undefined {}
}

class FileBody implements OpenBody {
  readonly size: number;
  readonly readable = true;
  failure: { readonly error: unknown } | undefined;
  readonly #handle: FileHandle;
  readonly #path: string;

  constructor(handle: FileHandle, path: string, size: number) {
    this.#handle = handle;
    this.#path = path;
    this.size = size;
  }

  /** Exactly the size that was declared: a file that grows meanwhile is sent as it was. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let position = 0; position < this.size; ) {
        const length = Math.min(CHUNK_OCTETS, this.size - position);
        const { bytesRead, buffer } = await this.#handle.read(
          Buffer.allocUnsafeSlow(length),
          0,
          length,
          position,
        );
        if (bytesRead === 0) {
          throw new Error(`The file ${this.#path} has become shorter than its ${this.size} octets meanwhile`);
        }
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

const END = { done: true, value: undefined } as const;

/** A body that can be read once. */
class OnceBody implements OpenBody {
  failure: { readonly error: unknown } | undefined;
  readonly #source: BodySource;
  #spool: Spool | undefined;
  #passed = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get size(): number | undefined {
    return this.#spool?.size;
  }

  get readable(): boolean {
    return !this.#passed;
  }

  get loss(): UnstoredError | undefined {
    return this.#spool?.loss;
  }

  read(again: boolean): AsyncIterable<Uint8Array> {
    return {
      [Symbol.asyncIterator]: () =>
        this.#spool === undefined && !again ? this.#passThrough() : this.#readStored(),
    };
  }

  /** No generator: those of a large message would cost more than to make it transparent. */
  #passThrough(): AsyncIterator<Uint8Array> {
    this.#passed = true;
    let isOver = false;
    return {
      next: async () => {
        if (isOver) return END;
        try {
          const value = await this.#source.next();
          if (value !== undefined) return { value };
        } catch (error) {
          isOver = true;
          this.failure ??= { error };
          throw error;
        }
        isOver = true;
        return END;
      },
      return: async () => {
        isOver = true;
        return END;
      },
    };
  }

  async *#readStored(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      this.#spool ??= new Spool(this.#source);
      yield* this.#spool.read();
    } catch (error) {
      if (!(error instanceof UnstoredError)) this.failure ??= { error };
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#source.stop();
    await this.#spool?.close();
  }
}
