/**
 * One connection: what smtp-server shows of it, and our session beneath. The protocol is the core's; here stands what is
 * smtp-server's own: the session object, the name of the client, the limit on commands without AUTH.
 */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import type { ClientAttributes, Reply, ReplyOccasion, TlsInformation } from '@sansmtp/core';
import { type ByteStream, type ServeOptions, type ServerConnection, serveSession } from '@sansmtp/transport';
import { nodeCryptography, socketOf, systemClock } from '@sansmtp/transport-node';
import { parseAddressCommand } from '../addresses/address-command.js';
import { called } from '../handlers/callbacks.js';
import { type Standing, serviceExtensions } from '../handlers/extensions.js';
import { handlersOf } from '../handlers/handlers.js';
import { mechanismsOf } from '../handlers/mechanisms.js';
import { refusal, refusalBy } from '../handlers/refusal.js';
import { inTheirWords } from '../handlers/wording.js';
import type { ServedConnection, ServingServer } from '../served.js';
import type { SMTPServerEnvelope, SMTPServerOptions, SMTPServerSession } from '../types.js';
import { commandByHand } from './by-hand.js';
import { isHostname, lookUpHostname } from './client-hostname.js';
import { noteAttributes } from './proxied-attributes.js';
import { emptyEnvelope, isListed, plainAddress, tlsOptions, transmissionType } from './session-object.js';

/** Where a connection comes from and goes to; a socket has all of it. */
export interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** What is known of a connection beyond its socket. */
export interface ConnectionOptions extends Ends {
  readonly id?: string | undefined;
  /** Nothing of it is logged. */
  readonly ignore?: boolean | undefined;
}

/** 16 characters, which nobody can guess. */
export function newId(): string {
  return BigInt(`0x${randomBytes(10).toString('hex')}`)
    .toString(32)
    .padStart(16, '0');
}

/** Commands without AUTH until a client has to go. */
const UNAUTHENTICATED_COMMANDS = 10;

export class SMTPConnection extends EventEmitter implements ServedConnection, Standing {
  readonly id: string;
  readonly ignore: boolean;
  readonly server: ServingServer;
  readonly session: SMTPServerSession;
  /** The server's name. */
  name: string;
  secure: boolean;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  clientHostname: string | false = false;
  openingCommand: string | false = false;
  hostNameAppearsAs: string | false = false;
  tlsOptions: SMTPServerSession['tlsOptions'] = false;
  /** The address that the connection was accepted from: what XCLIENT and XFORWARD say does not change whom we trust. */
  readonly #peerAddress: string;
  #stream: ByteStream | undefined;
  #connection: ServerConnection | undefined;
  #commands = 0;
  #announced = false;
  #closed = false;

  constructor(server: ServingServer, socket: Ends, connection: ConnectionOptions = {}) {
    super();
    this.server = server;
    this.id = connection.id ?? newId();
    this.ignore = connection.ignore === true;
    this.name = this.options.name || hostname();
    this.secure = this.options.secure === true;
    this.localAddress = plainAddress(connection.localAddress ?? socket.localAddress);
    this.localPort = connection.localPort ?? socket.localPort ?? 0;
    this.remoteAddress = plainAddress(connection.remoteAddress ?? socket.remoteAddress);
    this.remotePort = connection.remotePort ?? socket.remotePort ?? 0;
    this.#peerAddress = this.remoteAddress;
    // The rest is filled in by `describe()`, which reads it.
    this.session = {
      id: this.id,
      secure: this.secure,
      transaction: 1,
      xClient: new Map(),
      xForward: new Map(),
    } as SMTPServerSession;
    this._resetSession();
  }

  get options(): SMTPServerOptions {
    return this.server.options;
  }

  /** Serves the client until it or we go. */
  serve(stream: ByteStream): ServerConnection {
    this.#stream = stream;
    this.tlsOptions = tlsOptions(stream.tls);
    if (stream.tls?.serverName !== undefined) this.session.servername = stream.tls.serverName;
    this.#connection = serveSession(stream, handlersOf(this), {
      ...this.sessionOptions(),
      rephrase: (reply, occasion) => this.#say(reply, occasion),
    });
    return this.#connection;
  }

  /** What smtp-server's options are to a session of ours. */
  sessionOptions(): ServeOptions {
    const { options } = this;
    const { socketTimeout: patience = 60_000 } = options;
    const starttls = this.server.isDisabled('STARTTLS') ? 'none' : 'offered';
    return {
      clock: systemClock,
      cryptography: nodeCryptography,
      hostname: this.name,
      protocol: options.lmtp ? 'lmtp' : 'smtp',
      startTls: starttls,
      extensions: serviceExtensions(this),
      trusted:
        isListed(options.useXClient, this.#peerAddress) || isListed(options.useXForward, this.#peerAddress),
      ...(!this.isDisabled('AUTH') && {
        authentication: {
          mechanisms: mechanismsOf(options.authMethods ?? []),
          allowInsecure:
            options.allowInsecureAuth === true || starttls === 'none' || options.hideSTARTTLS === true,
        },
      }),
      maximumJunkCommands: Number.POSITIVE_INFINITY,
      maximumMessageSize: Number.POSITIVE_INFINITY,
      maximumTextLineLength: Number.POSITIVE_INFINITY,
      ...(options.bareNewline && { bareNewline: options.bareNewline }),
      maximumCommandLength: options.maxCommandLength || 16_384,
      ...(options.maxRecipients && { maximumRecipients: options.maxRecipients }),
      timeouts: {
        idle: patience,
        mailData: patience,
        handshake: patience,
        decision: Number.POSITIVE_INFINITY,
      },
      rephrase: (reply, occasion) => inTheirWords(reply, occasion, this),
    };
  }

  #say(reply: Reply, occasion: ReplyOccasion): Reply {
    const said = inTheirWords(reply, occasion, this);
    const text = [said.code, said.enhancedCode, said.lines.join(' ')].filter(Boolean).join(' ');
    if (said.code >= 400) this.session.error = text;
    this.log('debug', { tnx: 'send' }, 'S: %s', text);
    if (occasion.verb === 'RSET' && said.code === 250) this._resetSession();
    if (occasion.title !== 'connect.accept') this.#count();
    return said;
  }

  /** A client that has not authenticated itself may not go on for ever. */
  #count(): void {
    const { maxAllowedUnauthenticatedCommands: allowed = UNAUTHENTICATED_COMMANDS } = this.options;
    if (allowed === false || !this.needsAuthentication) return;
    this.#commands += 1;
    if (this.#commands !== (allowed || UNAUTHENTICATED_COMMANDS)) return;
    const lines = ['Error: too many unauthenticated commands'];
    this.#connection?.shutdown({ reply: { code: 421, enhancedCode: '4.7.0', lines } });
  }

  get authenticated(): boolean {
    return Boolean(this.session.user);
  }

  get needsAuthentication(): boolean {
    return !this.authenticated && !this.isDisabled('AUTH') && !this.options.authOptional;
  }

  refuseUnlessAuthenticated(): void {
    if (!this.needsAuthentication) return;
    throw refusal(530, this.options.authRequiredMessage ?? 'Error: authentication Required');
  }

  isDisabled(command: string): boolean {
    const { disabledCommands } = this.session;
    if (!Array.isArray(disabledCommands)) return this.server.isDisabled(command);
    return disabledCommands.some((one) => one.trim().toUpperCase() === command);
  }

  mayUse(command: 'XCLIENT' | 'XFORWARD'): boolean {
    const option = command === 'XCLIENT' ? this.options.useXClient : this.options.useXForward;
    return isListed(option, this.#peerAddress) && !this.isDisabled(command);
  }

  /** Finds the client's name, before anybody is asked about it. */
  async identifyClient(): Promise<void> {
    const { disableReverseLookup, resolver } = this.options;
    const name = disableReverseLookup ? undefined : await lookUpHostname(this.remoteAddress, resolver);
    this.#nameClient(name);
  }

  #nameClient(name: string | undefined): void {
    this.clientHostname = name || `[${this.remoteAddress}]`;
    this.describe();
  }

  /** Asks whether to serve the client. */
  async welcome(): Promise<void> {
    const { server, session } = this;
    await this.#decided((callback) => server.onConnect(session, callback));
    this.log(
      'info',
      { tnx: 'connection', host: this.remoteAddress },
      'Connection from %s',
      this.clientHostname,
    );
    if (this.secure && this.#stream?.tls !== undefined) await this.#askAboutTls();
    if (!this.options.useXClient && !this.options.useXForward) this.announce();
  }

  /** STARTTLS has come to its end: what the client said before counts no more (RFC 3207 §4.2). */
  async upgraded(tls: TlsInformation): Promise<void> {
    this.secure = true;
    this.tlsOptions = tlsOptions(tls);
    this.openingCommand = false;
    this.hostNameAppearsAs = false;
    Object.assign(this.session, { secure: true, user: false, servername: tls.serverName ?? false });
    this._resetSession();
    this.log(
      'info',
      { tnx: 'starttls', cipher: tls.cipher },
      'Connection upgraded to TLS using %s',
      tls.cipher,
    );
    await this.#askAboutTls();
  }

  async #askAboutTls(): Promise<void> {
    const { server, session } = this;
    const distrust = this.#stream?.tls?.peerCertificate?.distrust;
    if (
      server.refusesDistrusted &&
      (distrust !== undefined || this.#stream?.tls?.peerCertificate === undefined)
    ) {
      throw refusal(554, `Error: the certificate is not accepted (${distrust ?? 'there is none'})`);
    }
    const socket = this.#stream && socketOf(this.#stream);
    if (socket instanceof Socket)
      await this.#decided((callback) => server.onSecure(socket, session, callback));
  }

  /** A refusal ends the connection. */
  async #decided(begin: Parameters<typeof called<never>>[0]): Promise<void> {
    const { error } = await called(begin);
    if (error === undefined) return;
    this.close();
    throw refusalBy(error, 554);
  }

  introduced(verb: string, name: string): void {
    this.openingCommand = verb;
    this.hostNameAppearsAs = name.toLowerCase();
    this._resetSession();
  }

  /** A proxy has told for whom it speaks: the session begins anew. */
  impersonate(client: ClientAttributes = {}): void {
    this.#note(this.session.xClient, client);
    if (typeof client.address === 'string') this.session.user = false;
    this.openingCommand = false;
    this.hostNameAppearsAs = false;
    this._resetSession();
    if (typeof client.address === 'string') this.announce();
  }

  /** A proxy has told from whom it has the mail. */
  forward(origin: ClientAttributes): void {
    this.#note(this.session.xForward, origin);
    if (typeof origin.helo === 'string') this.hostNameAppearsAs = origin.helo.toLowerCase();
    this.describe();
  }

  #note(map: SMTPServerSession['xClient'], attributes: ClientAttributes): void {
    const { address, port, name } = attributes;
    noteAttributes(map, attributes, {
      ADDR: this.remoteAddress,
      PORT: this.remotePort,
      NAME: this.clientHostname,
    });
    if (typeof address === 'string') this.remoteAddress = plainAddress(address);
    if (typeof port === 'number') this.remotePort = port;
    if (name !== undefined || address !== undefined) {
      this.#nameClient(typeof name === 'string' && isHostname(name) ? name.toLowerCase() : undefined);
    }
  }

  /** Tells the server's listeners of the client, once. */
  announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    const { id, localAddress, localPort, remoteAddress, remotePort, hostNameAppearsAs, clientHostname } =
      this;
    const info = {
      id,
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
      hostNameAppearsAs,
      clientHostname,
    };
    this.emit('connect', info);
    this.server.emit('connect', info);
  }

  newEnvelope(): SMTPServerEnvelope {
    return emptyEnvelope(this.options);
  }

  endTransaction(): void {
    this.session.transaction += 1;
    this._resetSession();
  }

  /** Fills the session object with what is known now. */
  describe(): void {
    const {
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
      openingCommand,
      hostNameAppearsAs,
      tlsOptions,
    } = this;
    const ends = { localAddress, localPort, remoteAddress, remotePort };
    Object.assign(this.session, ends, {
      openingCommand,
      hostNameAppearsAs,
      tlsOptions,
      clientHostname: this.clientHostname,
    });
    this.session.transmissionType = transmissionType(this.session, this.options.lmtp === true);
  }

  /** As there: no mail transaction, and the rest as it is known. */
  _resetSession(): void {
    this.describe();
    this.session.envelope = this.newEnvelope();
  }

  _parseAddressCommand(name: string, command: string) {
    return parseAddressCommand(name, String(command), this.options.lenientAddressParsing === true);
  }

  // smtp-server's handlers of commands: sessions do not call them, tests do.

  handler_EHLO(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_HELO(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_MAIL(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_RCPT(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_NOOP(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_RSET(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_HELP(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  handler_VRFY(line: string, callback: () => void): void {
    commandByHand(this, line, callback);
  }

  /** Writes to a client by hand, who gets the replies of the session besides. */
  send(code: number, text?: string | readonly string[]): void {
    const lines = typeof text === 'string' || text === undefined ? [text ?? ''] : text;
    const said = lines.map(
      (line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${line.replace(/\p{Cc}/gu, ' ')}`,
    );
    this.#stream?.write(Buffer.from(`${said.join('\r\n')}\r\n`));
    if (code === 421) this.close();
  }

  /** Ends the session once the client was told so. */
  close(): void {
    this.server.connections.delete(this);
    this.#connection?.shutdown();
  }

  /** The server stops. */
  shutdown(): void {
    this.#connection?.shutdown();
  }

  /** Drops the connection. */
  destroy(): void {
    this.#connection?.abort();
  }

  closed(reason: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    const { server, session } = this;
    server.connections.delete(this);
    if (reason !== undefined) server.reportLost(this, reason);
    this.log(
      'info',
      { tnx: 'close', host: this.remoteAddress },
      'Connection closed to %s',
      this.clientHostname || this.remoteAddress,
    );
    setImmediate(() => server.onClose(session, () => {}));
  }

  /** A handler has failed, which the client was told by 451. */
  failed(error: unknown): void {
    this.log(
      'error',
      { tnx: 'command', err: error },
      '%s Failed to process a command: %s',
      this.id,
      errorText(error),
    );
  }

  log(level: 'debug' | 'info' | 'error', entry: object, message: string, ...values: unknown[]): void {
    if (!this.ignore) this.server.log(level, { cid: this.id, ...entry }, message, ...values);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
