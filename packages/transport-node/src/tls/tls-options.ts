/** What `listen` and `connect` are told about TLS, and how their ends of the handshake follow from it. */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { checkObject, kindOf, namesOf } from '@sansmtp/core';
import { thrownError } from '@sansmtp/transport';
import { checkFlag, checkTime, checkWord } from '../option-checks.js';
import {
  type CertificateAndKey,
  secureContextOf,
  type TlsContextSource,
  type TlsSettings,
} from './tls-context.js';
import { DEFAULT_HANDSHAKE_TIMEOUT, type TlsSide } from './tls-handshake.js';
import { requestedName, tlsInformation } from './tls-information.js';

/**
 * Octets upon which Node stops reading for a client's socket that is paused. It keeps each read by itself, at some 300
 * octets each, and a read may be of one octet: by its own measure, of 16 or 64 KiB, a paused client could have megabytes.
 * Who reads is not slowed down: what is read at once is not measured by it.
 */
export const HELD_WHILE_PAUSED = 512;

interface TlsModeOptions {
  /** TLS from the first octet on (RFC 8314 §3), or by `startTls()` (STARTTLS, RFC 3207). */
  readonly mode: 'implicit' | 'startTls';
  /**
   * Milliseconds that a handshake may take; `Infinity` for no limit.
   * @default 60000
   */
  readonly handshakeTimeout?: number;
}

/** Chooses a certificate by the name that a client asks for (SNI, RFC 6066 §3); undefined: `context`. */
export type TlsContextChoice = (
  servername: string,
) => TlsContextSource | undefined | Promise<TlsContextSource | undefined>;

export interface ServerTlsOptions extends TlsModeOptions {
  /** The certificate for clients that ask for no name (SNI, RFC 6066 §3), or for none in `contexts`. */
  readonly context: TlsContextSource;
  /**
   * Certificates by the name that a client asks for: letters of either case in a record; a function is asked with lower
   * case, may take its time, and fails the handshake by what it throws.
   * @default none
   */
  readonly contexts?: Readonly<Record<string, TlsContextSource>> | TlsContextChoice;
  /**
   * Asks the clients for certificates. None is refused for its own: see `PeerCertificate.distrust`. The `ca` that
   * they are verified by belongs to the context.
   * @default false
   */
  readonly requestClientCertificate?: boolean;
}

export interface ClientTlsOptions extends TlsModeOptions, TlsSettings, Partial<CertificateAndKey> {
  /**
   * The name that the server's certificate has to be for, and that it is asked for (SNI, RFC 6066 §3: an address
   * is not sent).
   * @default the host connected to
   */
  readonly servername?: string;
  /** False: a certificate that cannot be verified is used all the same; see `PeerCertificate.distrust`. */
  readonly verify: boolean;
}

/** Why OpenSSL distrusts the client's certificate. Only the handle tells it, outside of a `tls.Server`. */
function clientDistrust(socket: TLSSocket): string | undefined {
  const handle: unknown = Reflect.get(socket, 'ssl');
  if (typeof handle !== 'object' || handle === null) return 'The handshake is gone';
  const verifyError: unknown = Reflect.get(handle, 'verifyError');
  if (typeof verifyError !== 'function') return 'This runtime does not tell whether the certificate is valid';
  const error: unknown = verifyError.call(handle);
  if (error === undefined || error === null) return undefined;
  return String(Reflect.get(Object(error), 'code') ?? error);
}

/** Node takes it, and hands it on to its stream; only its types do not know. */
const PAUSED_EARLY: object = { highWaterMark: HELD_WHILE_PAUSED };

const MODES = ['implicit', 'startTls'];

const SERVER_NAMES = namesOf<ServerTlsOptions>({
  mode: true,
  handshakeTimeout: true,
  context: true,
  contexts: true,
  requestClientCertificate: true,
});

/** The names of all options of a client's TLS. */
const CLIENT_NAMES = namesOf<ClientTlsOptions>({
  mode: true,
  handshakeTimeout: true,
  servername: true,
  verify: true,
  ca: true,
  minVersion: true,
  cert: true,
  key: true,
});

/**
 * @throws {RangeError} `handshakeTimeout` is out of its range, `mode` is none, or `requestClientCertificate` is neither
 *   true nor false
 * @throws {TypeError} an option is not known, or `context` is missing
 */
export function serverSide(options: ServerTlsOptions): TlsSide {
  checkObject('The option', options, SERVER_NAMES, 'tls.');
  checkWord('tls.mode', options.mode, MODES);
  const {
    context,
    contexts = {},
    requestClientCertificate = false,
    handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT,
  } = options;
  checkTime('tls.handshakeTimeout', handshakeTimeout);
  checkFlag('tls.requestClientCertificate', requestClientCertificate);
  // Not every caller is compiled, and one who gives a key and a certificate here would offer what then fails.
  if (!context?.secureContext) {
    throw new TypeError(
      `The option tls.context is ${context ? 'no context' : 'missing'}: createTlsContext() makes one of a certificate and its key`,
    );
  }
  if (typeof contexts !== 'function' && (typeof contexts !== 'object' || contexts === null)) {
    throw new TypeError(
      `The option tls.contexts is ${kindOf(contexts)}; it takes contexts by name, or a function`,
    );
  }
  const choose = choiceOf(contexts);
  return {
    handshakeTimeout,
    standsOn: 'secure',
    wrap: (socket) =>
      // It takes any Duplex; only its types do not say so.
      new TLSSocket(socket as Socket, {
        isServer: true,
        ...PAUSED_EARLY,
        secureContext: context.secureContext,
        requestCert: requestClientCertificate,
        rejectUnauthorized: false,
        ...(choose !== undefined && {
          SNICallback: (name, callback) => {
            // In a promise from the start, so that what is thrown at once, by a getter too, fails the handshake.
            Promise.resolve(name.toLowerCase())
              .then(choose)
              .then((source) => source?.secureContext)
              .then(
                (secureContext) => callback(null, secureContext),
                (error) => callback(thrownError(error, 'tls.contexts')),
              );
          },
        }),
      }),
    informationOf(socket) {
      const distrust = requestClientCertificate ? clientDistrust(socket) : undefined;
      return tlsInformation(socket, 'server', requestedName(socket), distrust);
    },
  };
}

function choiceOf(contexts: NonNullable<ServerTlsOptions['contexts']>): TlsContextChoice | undefined {
  if (typeof contexts === 'function') return contexts;
  const byName = new Map(Object.entries(contexts).map(([name, source]) => [name.toLowerCase(), source]));
  return byName.size === 0 ? undefined : (name) => byName.get(name);
}

/**
 * @param host whom the certificate has to be for, unless `servername` says otherwise
 * @throws {RangeError} `handshakeTimeout` is out of its range, or `mode` is none
 * @throws {TypeError} an option is not known; the server is to be verified, but nothing says by which name; or nothing says
 *   whether it is; a certificate without its key
 */
export function clientSide(options: ClientTlsOptions, host: string | undefined): TlsSide {
  checkObject('The option', options, CLIENT_NAMES, 'tls.');
  checkWord('tls.mode', options.mode, MODES);
  // Left out it would say, without a word, that any certificate will do.
  if (typeof options.verify !== 'boolean') {
    throw new TypeError(
      `The option tls.verify is ${options.verify === undefined ? 'missing' : String(options.verify)}; it takes true, or false to use any certificate`,
    );
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new TypeError('The options tls.cert and tls.key go together: give both, or none of them');
  }
  const { verify, servername = host, handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT } = options;
  checkTime('tls.handshakeTimeout', handshakeTimeout);
  if (verify && servername === undefined) {
    throw new TypeError('The server cannot be verified without its name: give tls.servername');
  }
  const serverName = servername !== undefined && isIP(servername) === 0 ? servername : undefined;
  return {
    handshakeTimeout,
    standsOn: 'secureConnect',
    wrap: (socket) =>
      connectTls({
        socket,
        secureContext: secureContextOf(options),
        rejectUnauthorized: verify,
        ...(servername !== undefined && { host: servername }),
        ...(serverName !== undefined && { servername: serverName }),
      }),
    informationOf(socket) {
      const { authorized, authorizationError } = socket;
      return tlsInformation(
        socket,
        'client',
        serverName,
        authorized ? undefined : String(authorizationError),
      );
    },
  };
}

/**
 * Checks what is told of TLS as each connection will, for whoever has it long before the first.
 * @throws as `connect` does for `tls`
 */
export function checkClientTls(options: ClientTlsOptions): void {
  clientSide(options, 'any.example');
  const { ca, cert, key, minVersion } = options;
  if ([ca, cert, key, minVersion].some((each) => each !== undefined)) secureContextOf(options);
}
