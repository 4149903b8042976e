/** Connections in memory: whoever tests connects as often as it likes, and all end with the test. */
import type { ByteStream } from '@sansmtp/transport';
import type { OwnTime } from './kit-time.js';

/** A session that can be seen and ended. */
export interface OpenSession {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
  /** What it waits for, for a test that has stalled; undefined if for nothing. */
  waitsFor(): string | undefined;
  abort(): void;
}

export interface MemorySessions {
  /**
   * A client's end of a new connection.
   * @throws {Error} they were closed
   */
  connect(): ByteStream;
  /**
   * Serves the server's end of a connection that somebody else has made. Resolves when it is closed.
   * @throws {Error} (rejects) they were closed
   */
  accept(stream: ByteStream): Promise<unknown>;
  /** Drops the connections that stand; no more can be made. */
  close(): Promise<void>;
}

/**
 * @param pair connects two streams: the client's end and the server's
 * @param serve serves the server's end
 */
export function memorySessions(
  time: OwnTime,
  pair: () => [ByteStream, ByteStream],
  serve: (stream: ByteStream) => OpenSession,
): MemorySessions {
  const open = new Set<OpenSession>();
  let closed = false;

  function accept(stream: ByteStream): Promise<unknown> {
    const session = serve(stream);
    const forget = time.addSession(() => session.waitsFor());
    open.add(session);
    return session.closed.then(() => {
      open.delete(session);
      forget();
      time.stir();
    });
  }

  function checkOpen(): void {
    if (closed) throw new Error('Nobody can connect any more: it was closed');
  }

  return {
    async accept(stream) {
      checkOpen();
      await accept(stream);
    },
    connect() {
      checkOpen();
      const [near, far] = pair();
      void accept(far);
      return near;
    },
    async close() {
      closed = true;
      const all = [...open];
      for (const session of all) session.abort();
      await Promise.all(all.map((session) => session.closed));
    },
  };
}
