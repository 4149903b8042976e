/** A stream that counts what its holder does. */
import type { ByteStream, ByteStreamListener } from '@sansmtp/transport';
import type { StreamUse } from './history.js';

export interface WatchedStream extends ByteStream {
  readonly use: StreamUse;
  readonly isClosed: boolean;
}

export function watchedStream(stream: ByteStream): WatchedStream {
  let full = false;
  let whileFull = 0;
  let mostWhileFull = 0;
  let isClosed = false;

  const listenerOf = (listener: ByteStreamListener): ByteStreamListener => ({
    data: (octets) => listener.data(octets),
    end: () => listener.end(),
    secure: (tls) => listener.secure(tls),
    drain() {
      full = false;
      whileFull = 0;
      listener.drain();
    },
    close(reason) {
      isClosed = true;
      listener.close(reason);
    },
  });
  return {
    peer: stream.peer,
    get tls() {
      return stream.tls;
    },
    get canStartTls() {
      return stream.canStartTls;
    },
    get use() {
      return { mostWhileFull };
    },
    get isClosed() {
      return isClosed;
    },
    open: (listener) => stream.open(listenerOf(listener)),
    write(octets) {
      if (full) {
        whileFull += octets.length;
        mostWhileFull = Math.max(mostWhileFull, whileFull);
      }
      const more = stream.write(octets);
      if (!more) full = true;
      return more;
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    startTls: () => stream.startTls(),
    abort: (reason) => stream.abort(reason),
  };
}
