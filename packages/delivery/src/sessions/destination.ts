/**
 * A destination: where a session goes, what its TLS must prove, and how it is opened.
 *
 * - TLS that is demanded and cannot be had is never done without, nor is the one under which credentials go out.
 * - Opportunistic TLS is better than none and no more: where the handshake fails, the same address is tried again in
 *   the clear (RFC 7435 §3).
 * - A token that is refused is asked for anew, once: see `session-credentials.ts`.
 * - Where a host has several addresses, they race. Each is tried for one destination of a delivery only.
 */
import type { ClientAuthentication, Reply } from '@sansmtp/core';
import {
  type ByteStream,
  type ClientConnection,
  checkStream,
  type OpenSessionOptions,
  openSession,
  SessionError,
  TlsError,
} from '@sansmtp/transport';
import type { ClientTlsOptions } from '@sansmtp/transport-node';
import { type TlsaRecord, verifyDane } from '../policies/dane.js';
import { hasDnsId } from '../policies/dns-id.js';
import { settledOrAborted } from '../signals/settled-or-aborted.js';
import { abortGuarded, connectToFirst } from './connection-race.js';
import { type Endpoint, hostOf, type OpenStream } from './endpoint.js';
import { type AddressLookUp, withAddresses } from './relay-addresses.js';
import { authenticationOf, type MailerAuthentication, refusedToken } from './session-credentials.js';
import type { PoolDestination } from './session-pool.js';

/** Who demands TLS, if not the options. */
export type TlsDemand = 'MTA-STS' | 'DANE' | 'REQUIRETLS';

/** The TLS of a session. */
export interface TlsPlan {
  readonly mode: 'none' | 'opportunistic' | 'required' | 'implicit';
  /** The certificate is for the host and from an authority that is trusted. */
  readonly verify: boolean;
  /** The certificate is one that DANE names (RFC 7672), for the host or this domain. */
  readonly dane?: { readonly records: readonly TlsaRecord[]; readonly domain: string };
  /** Absent: the options, or nobody. */
  readonly demandedBy?: TlsDemand;
}

/** What all sessions of a mailer have in common. */
export interface SessionSettings {
  readonly openStream: OpenStream;
  readonly options: Omit<OpenSessionOptions, 'signal' | 'startTls' | 'authentication'>;
  /** Undefined: nobody authenticates. */
  readonly authentication: MailerAuthentication | undefined;
  /** Finds the addresses of a relay by its name; undefined: whoever opens the stream does. */
  readonly lookUp: AddressLookUp | undefined;
  readonly tlsOptions: Partial<Omit<ClientTlsOptions, 'mode'>>;
  /** Milliseconds until the host's next address is tried beside. */
  readonly attemptDelay: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** All addresses of a host, among which the destinations of one delivery share out their attempts. */
export interface HostAddresses {
  /** Best first. */
  readonly endpoints: readonly Endpoint[];
  /** What came of those that were tried: for which destination's sake, and why it failed, if so. */
  readonly tried: Map<Endpoint, { readonly by: Endpoint; readonly failure?: { readonly error: unknown } }>;
}

export interface Destination extends PoolDestination {
  /** What to call it in verdicts. */
  readonly host: string;
  /** Who is to be named where its TLS cannot be had. */
  readonly demandedBy?: TlsDemand;
  /** Whether its sessions are to have TLS. */
  readonly tls: TlsPlan['mode'];
}

/** What DANE demands is not there. */
export class DaneError extends Error {
  override readonly name = 'DaneError';
}

/**
 * @param addresses those of the host, this one's among them, if the destination is for one delivery; undefined: it is the
 *   host's only one, and outlives many
 */
export function createDestination(
  endpoint: Endpoint,
  plan: TlsPlan,
  settings: SessionSettings,
  addresses?: HostAddresses,
): Destination {
  const host = hostOf(endpoint);
  // A chain that one domain's records accept says nothing of another domain's.
  const dane = plan.dane && [plan.dane.domain, plan.dane.records.map(recordKey)];
  return {
    tls: plan.mode,
    host,
    // DNS gives the addresses of a host in any order; whichever wins, it is the same host.
    address: addresses?.endpoints.map(addressOf).sort()[0] ?? addressOf(endpoint),
    key: JSON.stringify([host, addressOf(endpoint), plan.mode, plan.verify, needsDnsId(plan), dane]),
    ...(plan.demandedBy && { demandedBy: plan.demandedBy }),
    open(signal, onClosed) {
      const ofHost = addresses ?? { endpoints: [endpoint], tried: new Map() };
      return open(endpoint, ofHost, plan, settings, signal, onClosed);
    },
  };
}

/** Whether the host's name must stand in the subjectAltName (RFC 8461 §4.2). */
function needsDnsId({ demandedBy }: TlsPlan): boolean {
  return demandedBy === 'MTA-STS';
}

function addressOf(endpoint: Endpoint): string {
  return 'path' in endpoint ? endpoint.path : `${endpoint.address} ${endpoint.port}`;
}

function recordKey({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('base64')}`;
}

async function open(
  endpoint: Endpoint,
  addresses: HostAddresses,
  plan: TlsPlan,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
  onClosed: () => void,
): Promise<ClientConnection> {
  const { tried } = addresses;
  const { authentication, lookUp, options } = settings;
  let reached = endpoint;
  const connectToAny = async (): Promise<Connected> => {
    const left = untried(endpoint, addresses);
    const [only = endpoint] = left;
    const candidates = left.length > 1 ? left : await withAddresses(only, lookUp, options.clock, signal);
    const connected = await connect(candidates, plan, settings, signal, (failed, error) =>
      tried.set(failed, { by: endpoint, failure: { error } }),
    );
    reached = connected.candidate;
    tried.set(reached, { by: endpoint });
    return connected;
  };
  const first: Opening = (onClosed) => openOnce(connectToAny, plan, settings, signal, onClosed);
  const clear: TlsPlan = { mode: 'none', verify: false };
  const connectAgain = () => connect([reached], clear, settings, signal, () => {});
  const isFree = plan.mode === 'opportunistic' && !plan.verify && authentication === undefined;

  const second = (error: unknown): Opening | undefined => {
    if (signal?.aborted) return undefined;
    if (isFree && isHandshakeFailure(error)) {
      return (onClosed) => openOnce(connectAgain, clear, settings, signal, onClosed);
    }
    const refused = typeof authentication?.credentials === 'function' ? refusedToken(error) : undefined;
    return refused && ((onClosed) => openOnce(connectToAny, plan, settings, signal, onClosed, refused));
  };
  return openOrAgain(first, second, onClosed);
}

/** @param onClosed called once, when the connection is gone that it has made; after a failure too */
type Opening = (onClosed: () => void) => Promise<ClientConnection>;

/**
 * Opens a session; where that fails, and there is another way, by that, once the first connection is gone: there is one
 * at a time.
 */
async function openOrAgain(
  first: Opening,
  second: (error: unknown) => Opening | undefined,
  onClosed: () => void,
): Promise<ClientConnection> {
  let letGo: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let again: Opening | undefined;
  try {
    const connection = await first(() => letGo());
    void closed.then(onClosed);
    return connection;
  } catch (error) {
    again = second(error);
    if (again === undefined) {
      void closed.then(onClosed);
      throw error;
    }
  }
  await closed;
  return again(onClosed);
}

/**
 * The addresses that no other destination of this delivery has tried yet, its own first.
 * @throws why one of them failed, when nothing is left to be tried
 */
function untried(endpoint: Endpoint, { endpoints, tried }: HostAddresses): readonly Endpoint[] {
  const left = [endpoint, ...endpoints.filter((other) => other !== endpoint)].filter(
    (each) => (tried.get(each)?.by ?? endpoint) === endpoint,
  );
  if (left.length > 0) return left;
  const failures = [...tried.values()].flatMap(({ failure }) => failure ?? []);
  const failure = tried.get(endpoint)?.failure ?? failures.at(-1);
  if (failure !== undefined) throw failure.error;
  return [endpoint];
}

interface Connected {
  readonly candidate: Endpoint;
  readonly stream: ByteStream;
}

function connect(
  candidates: readonly Endpoint[],
  plan: TlsPlan,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
  onFailure: (endpoint: Endpoint, error: unknown) => void,
): Promise<Connected> {
  const { openStream, attemptDelay, options } = settings;
  return connectToFirst({
    candidates,
    connect: async (candidate, signal) => {
      const stream = await openStream(candidate, tlsFor(candidate, plan, settings), signal);
      checkStream(stream);
      return stream;
    },
    attemptDelay,
    clock: options.clock,
    signal,
    onFailure,
  });
}

/**
 * Not that STARTTLS was refused: the session then goes on without it by itself, or was refused as a whole. Nor that
 * the protocol was broken: somebody may stand in between who put replies behind the 220 (CVE-2011-0411), and would
 * get what he is after if the message went in the clear now.
 */
function isHandshakeFailure(error: unknown): boolean {
  if (!(error instanceof SessionError) || error.failure.phase !== 'startTls') return false;
  return error.failure.kind !== 'refused' && error.failure.kind !== 'protocol';
}

/** @param refused the reply that refused the credentials of the last attempt */
async function openOnce(
  connect: () => Promise<Connected>,
  plan: TlsPlan,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
  onClosed: () => void,
  refused?: Reply,
): Promise<ClientConnection> {
  const { options, now } = settings;
  let authentication: ClientAuthentication | undefined;
  let connected: Connected;
  try {
    if (settings.authentication !== undefined) {
      authentication = await settledOrAborted(authenticationOf(settings.authentication, refused), signal);
    }
    connected = await connect();
  } catch (error) {
    onClosed();
    throw error;
  }
  const startTls = plan.mode === 'implicit' || plan.mode === 'none' ? 'never' : plan.mode;
  const stream = watched(connected.stream, onClosed);
  let connection: ClientConnection;
  try {
    connection = await openSession(stream, {
      ...options,
      ...(authentication && { authentication }),
      startTls,
      ...(signal && { signal }),
    });
  } catch (error) {
    stream.leaveUnopened();
    throw error;
  }
  const chain = connection.offer.tls?.peerCertificate?.chain ?? [];
  const error = shortcomingOf(chain, hostOf(connected.candidate), plan, now());
  if (error === undefined) return connection;
  connection.abort(error);
  throw error;
}

/** What the policy demands of the server's certificate beyond what the TLS handshake has verified, and is not there. */
function shortcomingOf(
  chain: readonly Uint8Array[],
  host: string,
  plan: TlsPlan,
  now: number,
): DaneError | TlsError | undefined {
  const { dane } = plan;
  if (dane !== undefined) {
    const verdict = verifyDane(dane.records, chain, { names: [host, dane.domain], now });
    return verdict.kind === 'matched' ? undefined : new DaneError(verdict.problem);
  }
  const [own] = chain;
  if (!needsDnsId(plan) || (own !== undefined && hasDnsId(own, host))) return undefined;
  const problem = `The certificate of the server does not have ${host} in its subjectAltName; a common name does not count`;
  return new TlsError(problem, 'ERR_TLS_CERT_ALTNAME_INVALID');
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

interface WatchedStream extends ByteStream {
  /** Drops the connection if nobody has opened the stream: its close would never come. */
  leaveUnopened(): void;
}

/** The stream, and word of its end: a session that does not open leaves nobody else to ask. */
function watched(stream: ByteStream, onClosed: () => void): WatchedStream {
  let isOpen = false;
  let isClosed = false;
  const tellClosed = (): void => {
    if (!isClosed) onClosed();
    isClosed = true;
  };
  return {
    leaveUnopened() {
      if (isOpen) return;
      abortGuarded(stream);
      tellClosed();
    },
    peer: stream.peer,
    ...(stream.local && { local: stream.local }),
    get tls() {
      return stream.tls;
    },
    get canStartTls() {
      return stream.canStartTls;
    },
    open(listener) {
      stream.open({
        data: (bytes) => listener.data(bytes),
        end: () => listener.end(),
        drain: () => listener.drain(),
        secure: (tls) => listener.secure(tls),
        close(reason) {
          listener.close(reason);
          tellClosed();
        },
      });
      isOpen = true;
    },
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    startTls: () => stream.startTls(),
    abort: (reason) => stream.abort(reason),
  };
}
