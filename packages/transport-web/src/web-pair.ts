/**
 * What is used of the web streams of a host: written out here, since each host has types of its own for them. All of them
 * fit.
 */
import type { TlsInformation } from '@sansmtp/core';

export interface WebReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

export interface WebWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** The two directions of a connection, seen from this end: a Worker's socket, a connection of Deno's. */
export interface WebPair {
  readonly readable: { getReader(): WebReader };
  readonly writable: { getWriter(): WebWriter };
}

/** A connection under TLS. */
export interface SecuredWebPair extends WebPair {
  /**
   * What the host tells of the TLS.
   * @default nothing is known of it
   */
  readonly tls?: Partial<TlsInformation>;
}
