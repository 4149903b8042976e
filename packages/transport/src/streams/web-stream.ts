/**
 * An async iterable as a web stream (WHATWG Streams), by the host's own `ReadableStream`: every runtime has one, and
 * this package is compiled without the types of any.
 */

interface HostReadableStream {
  getReader(): WebStreamReader;
}

/** The host's `ReadableStream`, where its types are known to the compiler. */
export type WebStream = typeof globalThis extends { ReadableStream: { prototype: infer Host } }
  ? Host
  : HostReadableStream;

/** What reads a web stream. */
export interface WebStreamReader {
  read(): Promise<
    | { readonly done: false; readonly value: Uint8Array }
    | { readonly done: true; readonly value?: Uint8Array | undefined }
  >;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
  readonly closed: Promise<unknown>;
}

interface Controller {
  enqueue(chunk: Uint8Array): void;
  close(): void;
}

interface UnderlyingSource {
  pull(controller: Controller): Promise<void>;
  cancel(): Promise<void>;
}

type HostConstructor = new (
  source: UnderlyingSource,
  strategy: { readonly highWaterMark: number },
) => WebStream;

/**
 * The source is asked for a chunk only when the stream is, so that its backpressure stays its own; reading begins with the
 * first, since some look at a `readable` that they do not read (Node's `pipeline()`).
 */
export function webStreamOf(source: AsyncIterable<Uint8Array>): WebStream {
  const ReadableStream: unknown = Reflect.get(globalThis, 'ReadableStream');
  if (typeof ReadableStream !== 'function') throw new TypeError('This runtime has no ReadableStream');
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const begun = () => {
    iterator ??= source[Symbol.asyncIterator]();
    return iterator;
  };
  return new (ReadableStream as HostConstructor)(
    {
      async pull(controller) {
        const { done, value } = await begun().next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await begun().return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
