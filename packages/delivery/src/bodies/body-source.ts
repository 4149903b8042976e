/**
 * What can be read once: async iterables, Node streams and web streams, alike in that a reader that waits for one
 * of them can be sent away. An iterator alone cannot: its `return()` stands in line behind the `next()` that hangs.
 */
import { Readable } from 'node:stream';
import { heedErrors } from '@sansmtp/transport';

/** As much of a web `ReadableStream` as is needed of it. */
export interface WebStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

export interface BodySource {
  /** The next octets, one at least; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** No more will be read. Harmless at the end, and when repeated. */
  stop(): void;
}

interface Reader {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Rejects for nothing that concerns anybody any more. */
  cancel(): unknown;
}

export function isWebStream(body: object): body is WebStream {
  return 'getReader' in body && typeof body.getReader === 'function';
}

export function openSource(body: AsyncIterable<Uint8Array> | WebStream): BodySource {
  heedErrors(body);
  let reader: Reader | undefined;
  let stopped = false;
  return {
    async next() {
      for (;;) {
        if (stopped) return undefined;
        reader ??= readerOf(body);
        const { done, value } = await reader.read();
        if (done) {
          stopped = true;
          return undefined;
        }
        if (!(value instanceof Uint8Array)) throw new TypeError('A body consists of Uint8Arrays only');
        if (value.length > 0) return value;
      }
    },
    stop() {
      if (stopped) return;
      stopped = true;
      void cancel(reader ?? readerOf(body));
    },
  };
}

async function cancel(reader: Reader): Promise<void> {
  try {
    await reader.cancel();
  } catch {}
}

function readerOf(body: AsyncIterable<Uint8Array> | WebStream): Reader {
  if (isWebStream(body)) {
    const reader = body.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
  const iterator = body[Symbol.asyncIterator]();
  return {
    read: () => iterator.next(),
    cancel: () => (body instanceof Readable ? body.destroy() : iterator.return?.()),
  };
}
