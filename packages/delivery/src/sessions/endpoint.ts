/** Where a session goes, and what opens the connection to it. */
import type { ByteStream } from '@sansmtp/transport';
import type { ClientTlsOptions } from '@sansmtp/transport-node';

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

export function hostOf(endpoint: Endpoint): string {
  return 'path' in endpoint ? endpoint.path : endpoint.host;
}

/** Opens the connection to an endpoint, under implicit TLS or able to start TLS as `tls` says; see `connect`. */
export type OpenStream = (
  endpoint: Endpoint,
  tls: ClientTlsOptions | undefined,
  signal: AbortSignal | undefined,
) => Promise<ByteStream>;
