/** The server: its listener, its connections, its events, and its end. */
import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { type ByteStream, thrownError } from '@sansmtp/transport';
import {
  type ProxiedConnection,
  proxiedAcceptor,
  type ServerTlsOptions,
  secureStreamOf,
  streamOf,
} from '@sansmtp/transport-node';
import { type Certificates, certificatesOf, hasCertificate } from './certificate.js';
import { type ConnectionOptions, newId, SMTPConnection } from './connection/connection.js';
import { isListed, plainAddress } from './connection/session-object.js';
import { called } from './handlers/callbacks.js';
import { type Level, type Log, logOf } from './logger.js';
import type { ServedConnection, ServingServer } from './served.js';
import type {
  SMTPServerAuthentication,
  SMTPServerConnectionInfo,
  SMTPServerDataStream,
  SMTPServerHandlers,
  SMTPServerOptions,
  SMTPServerSession,
} from './types.js';

type Done = (error?: Error | null) => void;

/** Why a connection failed, or the listener. */
export interface SMTPServerEventError extends Error {
  code?: string | undefined;
  remoteAddress?: string | undefined;
  /** Of a TLS handshake that failed. */
  meta?: { protocol: 'smtp'; stage: 'connect'; remoteAddress: string | undefined } | undefined;
}

/** What `SMTPServer` emits. */
export interface SMTPServerEvents {
  /** It no longer listens, and nobody is connected. */
  close: [];
  /** A connection failed, or the listener. Emitted if somebody listens; logged in any case. */
  error: [error: SMTPServerEventError];
  connect: [info: SMTPServerConnectionInfo];
}

const HANDLERS = ['onConnect', 'onSecure', 'onAuth', 'onMailFrom', 'onRcptTo', 'onData', 'onClose'] as const;

const INVALID_PROXY_HEADER = Buffer.from('* BAD Invalid PROXY header\r\n');

/** Octets of a PROXY header that smtp-server takes. */
const MAXIMUM_PROXY_HEADER = 1024;

export class SMTPServer extends EventEmitter<SMTPServerEvents> implements ServingServer {
  readonly options: SMTPServerOptions;
  readonly connections = new Set<SMTPConnection>();
  /** What listens; give it no handlers of your own. */
  readonly server: Server;
  /** Those whose PROXY header or handshake is under way. */
  readonly _pendingSockets = new Map<Socket, Socket>();
  _closeTimeout: NodeJS.Timeout | false = false;
  #certificates: Promise<Certificates>;
  #log: Log;

  constructor(options: SMTPServerOptions = {}) {
    super();
    this.options = options;
    options.disabledCommands = upperCase(options.disabledCommands);
    options.authMethods = upperCase(options.authMethods);
    if (options.authMethods.length === 0) options.authMethods = ['LOGIN', 'PLAIN'];
    options.hideENHANCEDSTATUSCODES ??= true;
    options.hideDSN ??= true;
    options.hideREQUIRETLS ??= true;
    this.#log = logOf(options);
    for (const name of HANDLERS) {
      const handler = options[name];
      if (typeof handler === 'function') Object.assign(this, { [name]: handler });
    }
    this.#certificates = this.#read();
    this.#warn();
    this.server = createServer({ ...options, allowHalfOpen: true, noDelay: true }, (socket) => {
      void this.#accept(socket);
    });
    this.server.on('listening', () =>
      this.#log('info', { tnx: 'listen', address: this.server.address() }, 'Server listening'),
    );
    this.server.on('close', () => this.emit('close'));
    this.server.on('error', (error) => this.#report(error));
  }

  /** As `net.Server` has it: a port, a host, a path, options, and a callback. */
  listen(...where: unknown[]): Server {
    return Reflect.apply(this.server.listen, this.server, where);
  }

  /**
   * Stops listening. Those who wait are told 421, those amid a message may end it, for as long as `closeTimeout`; then
   * they are dropped. `callback` comes when nobody is connected, or then.
   */
  close(callback?: () => void): void {
    const { closeTimeout = 30_000 } = this.options;
    let done = callback;
    const finish = () => {
      if (this._closeTimeout) clearTimeout(this._closeTimeout);
      done?.();
      done = undefined;
    };
    this.server.close(finish);
    for (const socket of this._pendingSockets.values()) socket.destroy();
    for (const connection of this.connections) connection.shutdown();
    this._closeTimeout = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
      finish();
    }, closeTimeout);
    this._closeTimeout.unref();
  }

  /** Shows other certificates, from the next handshake on; those that cannot be used are reported, and the old ones stay. */
  updateSecureContext(options: TlsOptions = {}): void {
    Object.assign(this.options, options);
    const before = this.#certificates;
    this.#certificates = this.#read().catch(() => before);
    // Where there were none before either, it is reported already.
    this.#certificates.catch(() => {});
  }

  isDisabled(command: string): boolean {
    return this.options.disabledCommands?.includes(command) ?? false;
  }

  /** Clients without a certificate that can be trusted are turned away. */
  get refusesDistrusted(): boolean {
    return this.options.requestCert === true && this.options.rejectUnauthorized !== false;
  }

  log(level: Level, entry: object, message: string, ...values: unknown[]): void {
    this.#log(level, entry, message, ...values);
  }

  /** A connection broke. Outside of a mail transaction that is how most of them end. */
  reportLost(connection: ServedConnection, reason: Error): void {
    const isQuiet = !connection.session.envelope.mailFrom && !('tls' in reason) && reason.name !== 'TlsError';
    const error = withFields(reason, connection.remoteAddress);
    if (isQuiet) connection.log('info', { tnx: 'error', err: reason }, 'Connection lost: %s', reason.message);
    else this.#report(error);
  }

  // What follows are the handlers, to be set by options, or overwritten.

  onConnect(_session: SMTPServerSession, callback: Done): void {
    setImmediate(callback);
  }

  onSecure(_socket: Socket, _session: SMTPServerSession, callback: Done): void {
    setImmediate(callback);
  }

  onAuth(
    auth: SMTPServerAuthentication,
    _session: SMTPServerSession,
    callback: Parameters<SMTPServerHandlers['onAuth']>[2],
  ): void {
    if (auth.method === 'XCLIENT') callback();
    else callback(null, { message: 'Authentication not implemented' });
  }

  onMailFrom(_address: unknown, _session: SMTPServerSession, callback: Done): void {
    setImmediate(callback);
  }

  onRcptTo(_address: unknown, _session: SMTPServerSession, callback: Done): void {
    setImmediate(callback);
  }

  onData(
    stream: SMTPServerDataStream,
    _session: SMTPServerSession,
    callback: Parameters<SMTPServerHandlers['onData']>[2],
  ): void {
    stream.resume();
    stream.on('end', () => callback());
  }

  onClose(_session: SMTPServerSession, _callback: Done): void {}

  /**
   * Reads the PROXY header of a socket, where one is awaited, as smtp-server does by this method.
   * @internal
   */
  _handleProxy(socket: Socket, callback: (error: Error | null, known?: ConnectionOptions) => void): void {
    const { useProxy, ignoredHosts = [] } = this.options;
    const known = (peer?: ProxiedConnection['peer']): ConnectionOptions => ({
      id: newId(),
      ignore: ignoredHosts.includes(plainAddress(peer?.address ?? socket.remoteAddress)),
      ...(peer && { remoteAddress: peer.address, remotePort: peer.port }),
    });
    if (!isListed(useProxy, plainAddress(socket.remoteAddress))) {
      callback(null, known());
      return;
    }
    const read = proxiedAcceptor({
      isTrusted: () => true,
      timeout: this.#patience,
      maximumHeaderOctets: MAXIMUM_PROXY_HEADER,
      lastWords: INVALID_PROXY_HEADER,
    });
    read(socket, ({ peer }) => callback(null, known(peer))).catch((error: Error) => callback(error));
  }

  get #patience(): number {
    return this.options.socketTimeout || 60_000;
  }

  get #beginsWithTls(): boolean {
    return this.options.secure === true && !this.options.secured;
  }

  async #accept(socket: Socket): Promise<void> {
    const { useProxy, maxClients } = this.options;
    const arrives = this.#beginsWithTls || isListed(useProxy, plainAddress(socket.remoteAddress));
    socket.on('error', () => {}); // the stream tells of it
    if (arrives && maxClients && this._pendingSockets.size >= maxClients) {
      socket.destroy();
      return;
    }
    if (arrives) this._pendingSockets.set(socket, socket);
    try {
      const known = await this.#proxied(socket);
      if (known !== undefined) this.#serve(await this.#streamOf(socket, known), socket, known);
    } catch (error) {
      socket.destroy();
      this.#report(withFields(thrownError(error, 'A connection'), socket.remoteAddress));
    } finally {
      this._pendingSockets.delete(socket);
    }
  }

  /** Undefined: there is no session, and nobody to tell. */
  async #proxied(socket: Socket): Promise<ConnectionOptions | undefined> {
    const { error, result } = await called<ConnectionOptions>((callback) =>
      this._handleProxy(socket, callback),
    );
    if (error) this.#log('info', { tnx: 'proxy', err: error }, 'No session: %s', error.message);
    return error ? undefined : result;
  }

  async #streamOf(
    socket: Socket,
    { remoteAddress: address, remotePort: port }: ConnectionOptions,
  ): Promise<ByteStream> {
    const peer = address === undefined ? {} : { peer: { address, ...(port !== undefined && { port }) } };
    const { secure, secured } = this.options;
    if (secure && secured) return streamOf(socket, peer);
    const tls = await this.#tls();
    return secure ? secureStreamOf(socket, { ...peer, tls }) : streamOf(socket, { ...peer, tls });
  }

  async #tls(): Promise<Omit<ServerTlsOptions, 'mode'>> {
    return {
      ...(await this.#certificates),
      requestClientCertificate: this.options.requestCert === true,
      handshakeTimeout: this.#patience,
    };
  }

  #serve(stream: ByteStream, socket: Socket, known: ConnectionOptions): void {
    const connection = new SMTPConnection(this, socket, known);
    this.connections.add(connection);
    connection.serve(stream);
    if (this._closeTimeout) connection.shutdown();
  }

  #read(): Promise<Certificates> {
    const certificates = certificatesOf(this.options);
    certificates.catch((error: Error) => this.#report(error));
    return certificates;
  }

  #warn(): void {
    const { options } = this;
    const needsCertificate =
      !options.secured && (options.secure || !(options.hideSTARTTLS || this.isDisabled('STARTTLS')));
    if (!needsCertificate || hasCertificate(options) || options.SNICallback || options.sniOptions) return;
    if (options.logger === false) return;
    console.error(
      'WARNING: this server shows a certificate that signed itself. Give it a key and a cert of your own.',
    );
  }

  #report(error: SMTPServerEventError): void {
    this.#log('error', { tnx: 'error', err: error }, '%s', error.message);
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }
}

/** The fields that smtp-server's errors have. */
function withFields(error: Error, remoteAddress: string | undefined): SMTPServerEventError {
  const meta = { protocol: 'smtp', stage: 'connect', remoteAddress } as const;
  return Object.assign(error, { remoteAddress, ...(error.name === 'TlsError' && { meta }) });
}

function upperCase(words: string | readonly string[] = []): string[] {
  return [words].flat().map((word) => String(word).trim().toUpperCase());
}
