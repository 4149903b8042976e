/**
 * Connecting to one host by several addresses ("happy eyeballs", RFC 8305 §5): they are begun in their order, the next
 * one when the last begun has failed or takes long; the first connection that stands is the one, the others are given
 * up at once.
 *
 * - It ends with the signal, also where what connects does not heed it: a stream that comes too late is aborted.
 */
import { type ByteStream, type Clock, complain, guarded } from '@sansmtp/transport';

export interface ConnectionRace<Candidate> {
  /** One at least, in their order. */
  readonly candidates: readonly Candidate[];
  readonly connect: (candidate: Candidate, signal: AbortSignal) => Promise<ByteStream>;
  /** Milliseconds after which the next one is begun beside those that are under way. */
  readonly attemptDelay: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Told of each that has failed by itself. */
  readonly onFailure: (candidate: Candidate, error: unknown) => void;
}

/** @throws the signal's reason once it is aborted, and the last error when all have failed */
export function connectToFirst<Candidate>({
  candidates,
  connect,
  attemptDelay,
  clock,
  signal,
  onFailure,
}: ConnectionRace<Candidate>): Promise<{ readonly candidate: Candidate; readonly stream: ByteStream }> {
  return new Promise((resolve, reject) => {
    const left = [...candidates];
    // Each has its own: whoever won must not hear that the others are given up.
    const running = new Set<AbortController>();
    let isOver = false;
    let cancelTimer: (() => void) | undefined;

    const finish = (reason: unknown): void => {
      isOver = true;
      cancelTimer?.();
      signal?.removeEventListener('abort', onAbort);
      for (const controller of running) controller.abort(reason);
    };
    const onAbort = (): void => {
      finish(signal?.reason);
      reject(signal?.reason);
    };

    const attempt = async (candidate: Candidate): Promise<void> => {
      const controller = new AbortController();
      running.add(controller);
      let stream: ByteStream;
      try {
        stream = await connect(candidate, controller.signal);
      } catch (error) {
        running.delete(controller);
        if (isOver) return;
        onFailure(candidate, error);
        if (left.length > 0) {
          next();
        } else if (running.size === 0) {
          finish(error);
          reject(error);
        }
        return;
      }
      running.delete(controller);
      if (isOver) {
        abortGuarded(stream);
        return;
      }
      finish(new Error('Another address was faster'));
      resolve({ candidate, stream });
    };

    const next = (): void => {
      cancelTimer?.();
      cancelTimer = undefined;
      const candidate = left.shift();
      if (candidate === undefined) return;
      if (left.length > 0) cancelTimer = clock.set(clock.now() + attemptDelay, next);
      void attempt(candidate);
    };

    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    next();
  });
}

/** Drops a connection that nobody has opened: whose stream it is may be anybody's, and nobody waits for what it throws. */
export function abortGuarded(stream: ByteStream): void {
  guarded(
    () => stream.abort(),
    (thrown) => complain('abort of a stream', thrown),
  );
}
