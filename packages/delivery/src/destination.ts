/**
 * A destination: where a session goes, what its TLS must prove, and how it is opened.
 *
 * - TLS that is demanded and cannot be had is never done without, nor is the one under which credentials go out.
 * - Opportunistic TLS is better than none and no more: where the handshake fails, the same address is tried again in
 *   the clear (RFC 7435 §3).
 */
import {
  type ByteStream,
  type ClientConnection,
  type OpenSessionOptions,
  openSession,
  SessionError,
} from '@sansmtp/transport';
import type { ClientTlsOptions } from '@sansmtp/transport-node';
import { type TlsaRecord, verifyDane } from './dane.js';
import type { MailerOptions, OpenStream } from './mailer-options.js';
import type { PoolDestination } from './session-pool.js';

/** Where to connect. */
export type Endpoint =
  | {
      /** The name that a certificate has to be for. */
      readonly host: string;
      /** An address; a name where the system is to look it up. */
      readonly address: string;
      readonly port: number;
      /** Milliseconds until the connection has to stand. */
      readonly connectTimeout: number;
    }
  | {
      /** File name of a Unix socket. */
      readonly path: string;
      /** Milliseconds until the connection has to stand. */
      readonly connectTimeout: number;
    };

/** The TLS of a session. */
export interface TlsPlan {
  readonly mode: 'none' | 'opportunistic' | 'required' | 'implicit';
  /** The certificate is for the host and from an authority that is trusted. */
  readonly verify: boolean;
  /** The certificate is one that DANE names (RFC 7672), for the host or this domain. */
  readonly dane?: { readonly records: readonly TlsaRecord[]; readonly domain: string };
}

/** What all sessions of a mailer have in common. */
export interface SessionSettings {
  readonly openStream: OpenStream;
  readonly options: Omit<OpenSessionOptions, 'signal' | 'startTls'>;
  readonly tlsOptions: NonNullable<MailerOptions['tlsOptions']>;
}

export interface Destination extends PoolDestination {
  /** What to call it in verdicts. */
  readonly host: string;
}

/** What DANE demands is not there. */
export class DaneError extends Error {
  override readonly name = 'DaneError';
}

export function hostOf(endpoint: Endpoint): string {
  return 'path' in endpoint ? endpoint.path : endpoint.host;
}

export function createDestination(endpoint: Endpoint, plan: TlsPlan, settings: SessionSettings): Destination {
  const host = hostOf(endpoint);
  const address = 'path' in endpoint ? endpoint.path : `${endpoint.address} ${endpoint.port}`;
  // A chain that one domain's records accept says nothing of another domain's.
  const dane = plan.dane && [plan.dane.domain, plan.dane.records.map(recordKey)];
  return {
    host,
    address,
    key: JSON.stringify([host, address, plan.mode, plan.verify, dane]),
    open: (signal, onClosed) => open(endpoint, plan, settings, signal, onClosed),
  };
}

function recordKey({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('base64')}`;
}

async function open(
  endpoint: Endpoint,
  plan: TlsPlan,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
  onClosed: () => void,
): Promise<ClientConnection> {
  if (plan.mode !== 'opportunistic' || plan.verify || settings.options.authentication !== undefined) {
    return openOnce(endpoint, plan, settings, signal, onClosed);
  }
  let letGo: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  try {
    const connection = await openOnce(endpoint, plan, settings, signal, () => letGo());
    void closed.then(onClosed);
    return connection;
  } catch (error) {
    if (signal?.aborted || !isHandshakeFailure(error)) {
      void closed.then(onClosed);
      throw error;
    }
  }
  await closed;
  return openOnce(endpoint, { mode: 'none', verify: false }, settings, signal, onClosed);
}

/** Not that STARTTLS was refused: the session then goes on without it by itself, or was refused as a whole. */
function isHandshakeFailure(error: unknown): boolean {
  return (
    error instanceof SessionError && error.failure.phase === 'startTls' && error.failure.kind !== 'refused'
  );
}

async function openOnce(
  endpoint: Endpoint,
  plan: TlsPlan,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
  onClosed: () => void,
): Promise<ClientConnection> {
  const { openStream, options } = settings;
  let stream: ByteStream;
  try {
    stream = await openStream(endpoint, tlsFor(endpoint, plan, settings), signal);
  } catch (error) {
    onClosed();
    throw error;
  }
  const startTls = plan.mode === 'implicit' || plan.mode === 'none' ? 'never' : plan.mode;
  const connection = await openSession(watched(stream, onClosed), {
    ...options,
    startTls,
    ...(signal && { signal }),
  });
  if (plan.dane === undefined) return connection;

  const { records, domain } = plan.dane;
  const names = [hostOf(endpoint), domain];
  const chain = connection.offer.tls?.peerCertificate?.chain ?? [];
  const verdict = verifyDane(records, chain, { names, now: Date.now() });
  if (verdict.kind === 'matched') return connection;
  const error = new DaneError(verdict.problem);
  connection.abort(error);
  throw error;
}

function tlsFor(
  endpoint: Endpoint,
  { mode, verify }: TlsPlan,
  { tlsOptions }: SessionSettings,
): ClientTlsOptions | undefined {
  if (mode === 'none') return undefined;
  const host = hostOf(endpoint);
  // An address literal is an address in brackets.
  const servername = host.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1');
  return {
    ...(!('path' in endpoint) && { servername }),
    ...tlsOptions,
    mode: mode === 'implicit' ? 'implicit' : 'startTls',
    verify,
  };
}

/** The stream, and word of its end: a session that does not open leaves nobody else to ask. */
function watched(stream: ByteStream, onClosed: () => void): ByteStream {
  return {
    peer: stream.peer,
    get tls() {
      return stream.tls;
    },
    get canStartTls() {
      return stream.canStartTls;
    },
    open: (listener) =>
      stream.open({
        data: (bytes) => listener.data(bytes),
        end: () => listener.end(),
        drain: () => listener.drain(),
        secure: (tls) => listener.secure(tls),
        close(reason) {
          listener.close(reason);
          onClosed();
        },
      }),
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    startTls: () => stream.startTls(),
    abort: (reason) => stream.abort(reason),
  };
}
