/**
 * A mail server: listeners, and the sessions of those who connect, up to a limit; and their end.
 */
import {
  type ByteStream,
  checkHandlers,
  checkServeOptions,
  clientNetwork,
  complain,
  connectionId,
  type FailureLimiter,
  failureLimiter,
  guarded,
  type PeerInformation,
  preparedToServe,
  Rejection,
  type ServeOptions,
  type ServerConnection,
  type ServerEvent,
  type ServerHandlers,
  type ServerObserver,
  type ServerSessionInformation,
  type SessionHost,
  TlsError,
  tellOfConnection,
  withoutSession,
} from '@sansmtp/transport';
import { nodeCryptography } from '../node-cryptography.js';
import { checkCount, checkTime } from '../option-checks.js';
import { trustedPeers } from '../proxies/trusted-peers.js';
import { systemClock } from '../system-clock.js';
import { type ConnectionLimit, type ConnectionLimiter, connectionLimiter } from './connection-limiter.js';
import {
  type ArrivalInformation,
  anyClient,
  arrivalLimit,
  type Listener,
  type ListenerAddress,
  type ListenOptions,
  listenAmong,
} from './listen.js';
import { checkMailServerOptions, checkTlsAt } from './mail-server-options.js';
import { ServedConnections, Stay } from './served-connections.js';

/** Options of the sessions: what `ServerSessionOptions` says, but for what the connection decides. */
export type MailSessionOptions = Omit<ServeOptions, 'clock' | 'trusted' | 'id' | 'listener' | 'observer'>;

/** Where to listen, and what is different there. */
export type MailListenOptions = ListenOptions & {
  /** What handlers and observers know this address by, such as `submission`. */
  readonly label?: string;
  /** For those who connect here, in the place of the handlers for all. */
  readonly handlers?: ServerHandlers;
  /** For the sessions of those who connect here, in the place of the same options for all. */
  readonly session?: MailSessionOptions;
};

/** What `startMailServer` is told: where to listen, whom to serve, and how mail is received. */
export interface MailServerOptions<State = unknown> {
  readonly addresses: readonly MailListenOptions[];
  /** For the sessions of all who connect; needed unless each address has handlers of its own. */
  readonly handlers?: ServerHandlers<State>;
  /**
   * Told of what happens at all addresses: a function of everything, an object with functions of these kinds of events.
   * Handshakes of implicit TLS that fail, and connections beyond a limit, are among them, though no session begins. What it
   * throws goes to `onError` of the handlers.
   * @default nobody; subscribers of the channels `sansmtp:server:…` of `node:diagnostics_channel` are told all the same
   */
  readonly observer?: ServerObserver;
  /**
   * STARTTLS is offered where an address has TLS of the mode `startTls`, unless the option `startTls` says otherwise.
   * @default what `ServerSessionOptions` says
   */
  readonly session?: MailSessionOptions;
  /**
   * Peers that may speak for others by XCLIENT and XFORWARD: addresses, networks such as `192.0.2.0/24`, or `unix` for
   * all who connect to a Unix socket.
   * @default nobody
   */
  readonly trusted?: readonly string[];
  /**
   * Sessions at a time, on all addresses together. Who connects beyond it is told 421 4.3.2 (RFC 5321 §3.8), or
   * dropped when a hundred are being told already.
   * @default 10000
   */
  readonly maximumConnections?: number;
  /**
   * Sessions at a time of one client: an IPv4 address or an IPv6 /64, after PROXY; `Infinity` for no limit. Who connects
   * beyond it is told 421 4.7.0.
   * @default 100, and none for loopback, Unix sockets and trusted peers
   */
  readonly maximumConnectionsPerClient?: number;
  /**
   * Counts the sessions. Give one of your own where several processes serve, and their limits are to hold for all of them
   * together; `maximumConnections` is then its affair. A connection waits for what it says; where it fails, the connection
   * is dropped, and `onError` of the handlers is told.
   * @default `connectionLimiter({ maximumConnections })`
   */
  readonly connectionLimiter?: ConnectionLimiter;
  /**
   * PROXY headers and TLS handshakes under way, on all addresses together that say no number of their own: beyond it,
   * the oldest of the client that has most gives way, which the `onError` of the address is told.
   * @default 1000, and none for loopback, Unix sockets and trusted peers
   */
  readonly maximumArriving?: number;
  /** Called for each connection beyond a limit, with whose it is. What it throws is written to stderr. */
  readonly onExcess?: (excess: Excess) => void;
}

/** A connection that was refused, and for which limit. */
export interface Excess {
  readonly id: string;
  readonly peer: PeerInformation;
  readonly local: PeerInformation;
  /** The label of the address where it came in. */
  readonly listener: string | undefined;
  readonly limit: ConnectionLimit;
}

/** What `startMailServer` gives: it serves until `shutdown()`. */
export interface MailServer {
  /** In the order of the options. */
  readonly addresses: readonly ListenerAddress[];
  /**
   * The sessions that are served now: how many (`size`), and each with its peer, state, age and octets, and with
   * `shutdown()` and `abort()` to end it. Those who are told that there are too many are not among them.
   */
  readonly connections: ReadonlySet<ServerConnection>;
  /**
   * Stops listening, tells those who wait 421 4.3.2, and lets messages under way come to their end, for as long as
   * `grace` allows. What is left then is told 421 4.3.2 as well (RFC 5321 §3.8), unless a handler has yet to decide,
   * and has as long again to close, a second at most, before it is aborted. Resolves when all connections are closed.
   * @param grace milliseconds, by default 10,000; 0 aborts messages under way almost at once, `Infinity` never
   * @throws {RangeError} (rejects) `grace` is out of its range; the server goes on
   */
  shutdown(grace?: number): Promise<void>;
}

/** Milliseconds. */
const DEFAULT_GRACE = 10_000;

/** Milliseconds at most between the last word to a connection and its abort, which may overtake it. */
const MAXIMUM_FAREWELL = 1000;

const A_DAY = 24 * 60 * 60 * 1000;

/** Who connects beyond the limit is told so, but only so many at a time: then connections are dropped unheard. */
const MAXIMUM_REFUSED = 100;

function refusing(enhancedCode: string, text: string): ServerHandlers {
  return {
    onConnect() {
      throw new Rejection(421, enhancedCode, text);
    },
    onMessage() {},
  };
}

const REFUSING: Readonly<Record<ConnectionLimit, ServerHandlers>> = {
  maximumConnections: refusing('4.3.2', 'Too many connections; try again later'),
  maximumConnectionsPerClient: refusing('4.7.0', 'Too many connections from your address; try again later'),
};

/** How the server takes a client: one of many, spared most limits, or trusted to speak for others, and spared, too. */
type Standing = 'unspared' | 'spared' | 'trusted';

/** Serves a session, or refuses it for a limit. */
type Serve = (
  stream: ByteStream,
  id: string,
  limit: ConnectionLimit | undefined,
  host: SessionHost,
) => ServerConnection;

/** Who has connected. */
interface Arrived {
  readonly stream: ByteStream;
  readonly id: string;
  /** The label of the address where it came in. */
  readonly listener: string | undefined;
  /** Under what it counts. */
  readonly client: string | undefined;
  readonly serve: Serve;
}

/** Options are prepared once, and not for each who connects. */
function serving(handlers: ServerHandlers, options: ServeOptions): Serve {
  const serve = preparedToServe(handlers, options);
  const refuse = {
    maximumConnections: preparedToServe(REFUSING.maximumConnections, options),
    maximumConnectionsPerClient: preparedToServe(REFUSING.maximumConnectionsPerClient, options),
  };
  return (stream, id, limit, host) => (limit === undefined ? serve : refuse[limit])(stream, id, host);
}

/** Whoever is spared is not measured by the clock either, unless that was asked for. */
function sparing(session: MailSessionOptions): MailSessionOptions {
  const timeouts = { session: Number.POSITIVE_INFINITY, ...session.timeouts };
  return { minimumMailDataRate: 0, ...session, timeouts };
}

/** What holds at one address. What is wrong with it shows here, and not when the first client connects. */
function sessionOptions<State>(
  options: MailServerOptions<State>,
  address: MailListenOptions,
  limiter: FailureLimiter,
  place: number,
): MailSessionOptions {
  const startTls = address.tls?.mode === 'startTls' ? ({ startTls: 'offered' } as const) : {};
  const own = { cryptography: nodeCryptography, failureLimiter: limiter, ...startTls };
  const session = { ...own, ...options.session, ...address.session };
  checkServeOptions({ ...session, ...(options.observer !== undefined && { observer: options.observer }) });
  checkTlsAt(options, place, session);
  return session;
}

/** Who decides about the sessions at one address. */
function handlersAt<State>(
  options: MailServerOptions<State>,
  address: MailListenOptions,
  { authentication }: MailSessionOptions,
): ServerHandlers {
  const handlers = address.handlers ?? options.handlers;
  checkHandlers(handlers, authentication);
  return handlers as ServerHandlers;
}

/**
 * Listens, and serves SMTP to all who connect. To end it, call `shutdown()`.
 * @throws {TypeError} there are no handlers, or no `onMessage` among them; an option is not known, or what cannot work is
 *   asked for: STARTTLS without a certificate, authentication without TLS or `onAuth`: it listens on none of the addresses
 *   then
 * @throws {RangeError} a maximum, or an option of `session` or of an address, is out of its range, or
 *   `trusted` holds what is no network: it listens on none of the addresses then
 * @throws the system's error when one of the addresses cannot be had: it listens on none of them then
 */
export async function startMailServer<State>(options: MailServerOptions<State>): Promise<MailServer> {
  checkMailServerOptions(options);
  const { addresses, maximumConnections, maximumConnectionsPerClient, observer, onExcess } = options;
  const clients =
    options.connectionLimiter ??
    connectionLimiter(maximumConnections === undefined ? {} : { maximumConnections });
  if (maximumConnectionsPerClient !== undefined && maximumConnectionsPerClient !== Number.POSITIVE_INFINITY) {
    checkCount('maximumConnectionsPerClient', maximumConnectionsPerClient);
  }
  const isTrusted = trustedPeers(options.trusted ?? []);
  // One for all addresses: whoever guesses has one allowance, and not one at each.
  const limiter = failureLimiter();
  const maximumOfClient = maximumConnectionsPerClient ?? 100;
  const sharedLimit = arrivalLimit(options.maximumArriving, isTrusted);
  const served = new ServedConnections();
  const refused = new ServedConnections();
  /** What the limiter takes its time for: each begins a session in the end. */
  const asked = new Set<Promise<unknown>>();
  let stopping = false;

  /** Tells observers of what happens to a connection that no session serves. */
  const tell = (event: ServerEvent, client: ServerSessionInformation) =>
    tellOfConnection(observer, event, client, (error) => complain('observer', error));

  const begin = (arrived: Arrived, limit: ConnectionLimit | undefined) => {
    const { stream, id } = arrived;
    if (limit !== undefined) {
      tellOfExcess(arrived, limit);
      if (refused.size >= MAXIMUM_REFUSED) {
        stream.abort();
        return;
      }
    }
    const stay = limit === undefined ? new Stay(served, clients, arrived.client) : new Stay(refused);
    const connection = arrived.serve(stream, id, limit, stay);
    if (stay.begin(connection) && stopping) connection.shutdown();
  };
  const tellOfExcess = ({ stream, id, listener }: Arrived, limit: ConnectionLimit) => {
    const { peer, local } = stream;
    const information = withoutSession({ id, peer, local, listener });
    const excess = { id, peer, local: information.local, listener, limit };
    tell({ type: 'excess', time: systemClock.now(), limit }, information);
    guarded(
      () => onExcess?.(excess),
      (error) => complain('onExcess', error),
    );
  };
  const drop = ({ stream }: Arrived, error: unknown) => {
    complain('connectionLimiter', error);
    stream.abort();
  };
  const beginLater = (arrived: Arrived, answer: Promise<ConnectionLimit | undefined>) => {
    const asking = answer
      .then((limit) => begin(arrived, limit))
      .catch((error) => drop(arrived, error))
      .finally(() => asked.delete(asking));
    asked.add(asking);
  };
  const accept = (
    stream: ByteStream,
    serve: Readonly<Record<Standing, Serve>>,
    trusted: boolean,
    listener: string | undefined,
  ) => {
    const { peer } = stream;
    const unspared = trusted ? undefined : clientNetwork(peer);
    const client = maximumConnectionsPerClient === undefined ? unspared : anyClient(peer);
    const standing = trusted ? 'trusted' : unspared === undefined ? 'spared' : 'unspared';
    const arrived = { stream, id: connectionId(), listener, client, serve: serve[standing] };
    let answer: ReturnType<ConnectionLimiter['enter']>;
    try {
      answer = clients.enter(client, maximumOfClient);
    } catch (error) {
      drop(arrived, error);
      return;
    }
    if (answer instanceof Promise) beginLater(arrived, answer);
    else begin(arrived, answer);
  };

  const listeners: Listener[] = [];
  const close = () => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const [place, address] of addresses.entries()) {
      const session = sessionOptions(options, address, limiter, place);
      const handlers = handlersAt(options, address, session);
      const { label: listener } = address;
      const common = {
        ...(listener !== undefined && { listener }),
        ...(observer && { observer }),
        clock: systemClock,
      };
      const spared = { ...sparing(session), ...common };
      const serve = {
        trusted: serving(handlers, { ...spared, trusted: true }),
        spared: serving(handlers, { ...spared, trusted: false }),
        unspared: serving(handlers, { ...session, ...common, trusted: false }),
      };
      const onStream = (stream: ByteStream) => {
        // A TCP connection that is gone by now has no address either, but is none of the `unix` that may be trusted.
        const known = 'path' in address || stream.peer.address !== undefined;
        accept(stream, serve, known && isTrusted(stream.peer), listener);
      };
      const onError = (error: Error, arrival?: ArrivalInformation) => {
        if (error instanceof TlsError && arrival !== undefined) {
          const client = withoutSession({ id: connectionId(), ...arrival, listener });
          tell({ type: 'tls', time: systemClock.now(), outcome: 'failed', error }, client);
        }
        return address.onError?.(error, arrival);
      };
      const limit =
        address.maximumArriving === undefined ? sharedLimit : arrivalLimit(address.maximumArriving);
      listeners.push(await listenAmong(limit, { ...address, onError }, onStream));
    }
  } catch (error) {
    await close();
    throw error;
  }

  return {
    addresses: listeners.map(({ address }) => address),
    connections: served,
    async shutdown(grace = DEFAULT_GRACE) {
      checkTime('grace', grace);
      stopping = true;
      // The clock's timers keep no process running, nor does a socket that is paused: its handler does not read.
      const running = setInterval(() => {}, A_DAY);
      try {
        await close();
        await Promise.allSettled(asked);
        const connections = [...served, ...refused];
        for (const connection of connections) connection.shutdown();
        let cancel = systemClock.set(systemClock.now() + grace, () => {
          for (const connection of connections) connection.shutdown({ abandoning: true });
          cancel = systemClock.set(systemClock.now() + Math.min(grace, MAXIMUM_FAREWELL), () => {
            for (const connection of connections) connection.abort();
          });
        });
        await Promise.all(connections.map(({ closed }) => closed));
        cancel();
      } finally {
        clearInterval(running);
      }
    },
  };
}
