/** What an application sees of smtp-server 3.21: options, the session, addresses, credentials, and what handlers answer. */

import type { Socket } from 'node:net';
import type { PassThrough } from 'node:stream';
import type { SecureContext, TLSSocket, TlsOptions } from 'node:tls';

/** An error that a handler gives to its callback: `responseCode` is the code of the reply, `message` its text. */
export interface SMTPServerError extends Error {
  responseCode?: number | undefined;
}

/** The parameters of MAIL or RCPT by upper-case keyword, decoded from xtext; `true` for one without a value. */
export type SMTPServerAddressArgs = Record<string, string | true>;

export interface SMTPServerAddress {
  /** The mailbox, its domain in Unicode; empty for the null reverse-path. */
  address: string;
  /** `false`: there were no parameters. */
  args: SMTPServerAddressArgs | false;
  /** What RCPT asked of delivery status notifications (RFC 3461), with `hideDSN: false`. */
  dsn?: { notify?: string[] | undefined; orcpt?: string | undefined } | undefined;
}

export interface SMTPServerEnvelope {
  /** `false` before MAIL was accepted. */
  mailFrom: SMTPServerAddress | false;
  rcptTo: SMTPServerAddress[];
  /** `'7bit'` or `'8bitmime'` (RFC 6152). */
  bodyType: string;
  /** RFC 6531. */
  smtpUtf8: boolean;
  /** RFC 8689. */
  requireTLS: boolean;
  /** RFC 3461, with `hideDSN: false`. */
  dsn?: { ret: string | null; envid: string | null } | undefined;
}

export interface SMTPServerSession {
  id: string;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  /** The name that the client's address resolves to, or the address in brackets. */
  clientHostname: string;
  /** `EHLO`, `HELO` or `LHLO`; `false` before. */
  openingCommand: string | false;
  /** The name that the client gave, in lower case; `false` before. */
  hostNameAppearsAs: string | false;
  envelope: SMTPServerEnvelope;
  secure: boolean;
  /** For a trace header: `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA` … (RFC 3848). */
  transmissionType: string;
  /** `false` without TLS. */
  tlsOptions: { name: string; standardName: string; version: string } | false;
  /** The name that the client asked for (SNI). */
  servername?: string | false | undefined;
  /** Whatever `onAuth` gave: look at it before use, or say what it is (`session.user as { id: string }`). */
  user?: unknown;
  /** What XCLIENT said, by upper-case name. */
  xClient: Map<string, string | number | false>;
  /** What XFORWARD said, by upper-case name. */
  xForward: Map<string, string | number | false>;
  /** Counts the mail transactions of this connection, from 1. */
  transaction: number;
  /** The last reply of 400 or more. */
  error?: string | undefined;
  /** Set by the application: takes the place of the server's `disabledCommands` for this session. */
  disabledCommands?: string[] | undefined;
}

export interface SMTPServerAuthentication {
  method: 'PLAIN' | 'LOGIN' | 'XOAUTH2' | 'CRAM-MD5' | 'XCLIENT';
  username?: string | undefined;
  password?: string | null | undefined;
  /** PLAIN: who authenticates (RFC 4616). */
  authcid?: string | undefined;
  /** PLAIN: on whose behalf (RFC 4616). */
  authzid?: string | undefined;
  /** XOAUTH2. */
  accessToken?: string | undefined;
  /** CRAM-MD5. */
  challenge?: string | undefined;
  /** CRAM-MD5. */
  challengeResponse?: string | undefined;
  /** CRAM-MD5: whether the client knows this password. Always false with another mechanism. */
  validatePassword(password: string): boolean;
}

export interface SMTPServerAuthenticationResponse {
  /** Lets them in, and becomes `session.user`; without it they are refused. */
  user?: unknown;
  /** What XOAUTH2 tells a client whose token is refused. */
  data?: object | undefined;
  /** The text of the refusal. */
  message?: string | undefined;
  /** The code of the refusal. */
  responseCode?: number | undefined;
}

/** The message, to be read to its end. */
export interface SMTPServerDataStream extends PassThrough {
  /** Octets so far. */
  byteLength: number;
  /** More octets have come than the option `size` allows. */
  sizeExceeded: boolean;
}

/** What the event `connect` tells. */
export interface SMTPServerConnectionInfo {
  id: string;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  hostNameAppearsAs: string | false;
  clientHostname: string | false;
}

export interface SMTPServerResolver {
  reverse(address: string, callback: (error: Error | null, names?: string[]) => void): void;
}

/** Takes entries as bunyan and pino do: an object, a format, and what goes into it. A level that is absent is not logged. */
export interface SMTPServerLogger {
  debug?(entry: object, message: string, ...values: unknown[]): void;
  info?(entry: object, message: string, ...values: unknown[]): void;
  error?(entry: object, message: string, ...values: unknown[]): void;
}

type Done = (error?: Error | null) => void;

export interface SMTPServerHandlers {
  onConnect(session: SMTPServerSession, callback: Done): void;
  onSecure(socket: Socket | TLSSocket, session: SMTPServerSession, callback: Done): void;
  onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error?: Error | null, response?: SMTPServerAuthenticationResponse) => void,
  ): void;
  onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void;
  onRcptTo(address: SMTPServerAddress, session: SMTPServerSession, callback: Done): void;
  onData(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    callback: (error?: Error | null, message?: string | (string | Error)[]) => void,
  ): void;
  onClose(session: SMTPServerSession, callback: Done): void;
}

export interface SMTPServerOptions extends TlsOptions, Partial<SMTPServerHandlers> {
  /** TLS from the first octet on. @default false */
  secure?: boolean | undefined;
  /** With `secure`: something before this server has ended TLS already. @default false */
  secured?: boolean | undefined;
  /** With `secure`: no difference here. */
  needsUpgrade?: boolean | undefined;
  /** The host's name. @default os.hostname() */
  name?: string | undefined;
  /** Stands behind the greeting. */
  banner?: string | undefined;
  /** The reply to EHLO and HELO: the first `%s` is the server's name, the second the client's. */
  heloResponse?: string | undefined;
  /** Octets; MAIL with a larger SIZE is refused. @default no limit */
  size?: number | undefined;
  hideSize?: boolean | undefined;
  /** A message over `size` gets 552 whatever `onData` says. @default false */
  rejectOversized?: boolean | undefined;
  /** @default ['LOGIN', 'PLAIN'] */
  authMethods?: string[] | undefined;
  /** Mail is taken without AUTH, too. @default false */
  authOptional?: boolean | undefined;
  authRequiredMessage?: string | undefined;
  /** AUTH without TLS, though STARTTLS could be had. @default false */
  allowInsecureAuth?: boolean | undefined;
  disabledCommands?: string[] | undefined;
  hideSTARTTLS?: boolean | undefined;
  hidePIPELINING?: boolean | undefined;
  hide8BITMIME?: boolean | undefined;
  hideSMTPUTF8?: boolean | undefined;
  /** @default true */
  hideENHANCEDSTATUSCODES?: boolean | undefined;
  /** @default true */
  hideDSN?: boolean | undefined;
  /** @default true */
  hideREQUIRETLS?: boolean | undefined;
  disableReverseLookup?: boolean | undefined;
  resolver?: SMTPServerResolver | undefined;
  /** Certificates by server name. */
  sniOptions?: Record<string, TlsOptions> | Map<string, TlsOptions> | undefined;
  SNICallback?:
    | ((servername: string, callback: (error: Error | null, context?: SecureContext) => void) => void)
    | undefined;
  /** `true`: the console. @default nothing is logged */
  logger?: SMTPServerLogger | boolean | undefined;
  /** @default 'smtp-server' */
  component?: string | undefined;
  /** @default Infinity */
  maxClients?: number | undefined;
  /** Connections begin with a PROXY header: all, or those of the addresses. @default false */
  useProxy?: boolean | string[] | undefined;
  /** Addresses whose connections are not logged. */
  ignoredHosts?: string[] | undefined;
  useXClient?: boolean | string[] | undefined;
  useXForward?: boolean | string[] | undefined;
  lmtp?: boolean | undefined;
  /** Milliseconds. @default 60000 */
  socketTimeout?: number | undefined;
  /** Milliseconds that `close()` waits for those who are connected. @default 30000 */
  closeTimeout?: number | undefined;
  /** `false`: no limit. @default 10 */
  maxAllowedUnauthenticatedCommands?: number | false | undefined;
  /** Octets. @default 16384 */
  maxCommandLength?: number | undefined;
  /** @default no limit */
  maxRecipients?: number | undefined;
  /** @default false */
  lenientAddressParsing?: boolean | undefined;
  /**
   * Not of smtp-server: what becomes of a bare LF, CR or NUL. `normalize` takes a bare LF for a line end within a message;
   * nothing but CRLF.CRLF ends the message in any case.
   * @default 'reject'
   */
  bareNewline?: 'reject' | 'normalize' | 'keep' | undefined;
}
