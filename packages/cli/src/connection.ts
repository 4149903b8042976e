/**
 * The connection of `send` to a server: how TLS is had, and what is done without it.
 *
 * `opportunistic` protects from those who only listen: where STARTTLS fails, a new connection goes on in the clear,
 * unless there is a password to be kept (RFC 7435 §3). `required` and `implicit` protect from everybody else too,
 * and so verify the server.
 */
import type { ClientCredentials } from '@sansmtp/core';
import {
  type ClientConnection,
  type OpenSessionOptions,
  openSession,
  SessionError,
} from '@sansmtp/transport';
import {
  type ClientTlsOptions,
  type ConnectOptions,
  connect,
  nodeCryptography,
  systemClock,
} from '@sansmtp/transport-node';

export type TlsMode = 'opportunistic' | 'none' | 'required' | 'implicit';

export type Destination = { readonly host: string; readonly port: number } | { readonly path: string };

export interface ConnectionOptions {
  readonly destination: Destination;
  readonly tls: TlsMode;
  /** In PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** Take any certificate. */
  readonly insecure: boolean;
  readonly credentials: ClientCredentials | undefined;
  readonly allowInsecureAuth: boolean;
  readonly signal: AbortSignal | undefined;
  readonly session: Pick<OpenSessionOptions, 'hostname' | 'protocol' | 'onWire'>;
}

const START_TLS = {
  none: 'never',
  implicit: 'never',
  opportunistic: 'opportunistic',
  required: 'required',
} as const satisfies Record<TlsMode, OpenSessionOptions['startTls']>;

function tlsOptions({ ca, insecure }: ConnectionOptions, tls: TlsMode): { readonly tls?: ClientTlsOptions } {
  if (tls === 'none') return {};
  return {
    tls: {
      mode: tls === 'implicit' ? 'implicit' : 'startTls',
      verify: tls !== 'opportunistic' && !insecure,
      ...(ca !== undefined && { ca }),
    },
  };
}

async function open(options: ConnectionOptions, tls: TlsMode): Promise<ClientConnection> {
  const { destination, credentials, allowInsecureAuth, signal } = options;
  const cancel = signal === undefined ? {} : { signal };
  const target: ConnectOptions = { ...destination, ...cancel, ...tlsOptions(options, tls) };
  const where = 'host' in destination ? { host: destination.host, port: destination.port } : {};
  return openSession(await connect(target), {
    ...options.session,
    ...cancel,
    clock: systemClock,
    cryptography: nodeCryptography,
    startTls: START_TLS[tls],
    ...(credentials && { authentication: { credentials, allowInsecure: allowInsecureAuth, ...where } }),
  });
}

/**
 * @throws {ConnectError} there is no connection
 * @throws {TlsError} there is none under TLS, with `implicit`
 * @throws {SessionError} there is no session
 */
export async function openConnection(options: ConnectionOptions): Promise<ClientConnection> {
  const { tls, credentials } = options;
  try {
    return await open(options, tls);
  } catch (error) {
    const handshakeFailed = error instanceof SessionError && error.failure.kind === 'tls';
    if (tls !== 'opportunistic' || credentials !== undefined || !handshakeFailed) throw error;
    return open(options, 'none');
  }
}
