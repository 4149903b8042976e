import type { MemoryPairOptions } from '../src/index.js';

/** Options that tests give together: those of the streams, and those of the session over them. */
export function separated<Session extends object>(
  options: Session & MemoryPairOptions,
): { readonly pair: MemoryPairOptions; readonly session: Omit<Session, keyof MemoryPairOptions> } {
  const { chunkSize, latency, bufferSize, dropAfter, lends, tls, clock: _, ...session } = options;
  return {
    pair: {
      ...(chunkSize !== undefined && { chunkSize }),
      ...(latency !== undefined && { latency }),
      ...(bufferSize !== undefined && { bufferSize }),
      ...(dropAfter && { dropAfter }),
      ...(lends !== undefined && { lends }),
      ...(tls && { tls }),
    },
    session,
  };
}
