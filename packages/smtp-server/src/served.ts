/** What the parts of this package know of a connection, and of the server that it belongs to. */
import type { ClientAttributes, TlsInformation } from '@sansmtp/core';
import type { ServeOptions } from '@sansmtp/transport';
import type { Level } from './logger.js';
import type {
  SMTPServerConnectionInfo,
  SMTPServerEnvelope,
  SMTPServerHandlers,
  SMTPServerOptions,
  SMTPServerSession,
} from './types.js';

/** The server, as its connections know it. */
export interface ServingServer extends SMTPServerHandlers {
  readonly options: SMTPServerOptions;
  readonly connections: { readonly size: number; delete(connection: object): boolean };
  /** Clients without a certificate that can be trusted are turned away. */
  readonly refusesDistrusted: boolean;
  isDisabled(command: string): boolean;
  log(level: Level, entry: object, message: string, ...values: unknown[]): void;
  reportLost(connection: ServedConnection, reason: Error): void;
  emit(event: 'connect', info: SMTPServerConnectionInfo): boolean;
}

/** A connection, as the handlers know it. */
export interface ServedConnection {
  readonly server: ServingServer;
  readonly options: SMTPServerOptions;
  readonly session: SMTPServerSession;
  readonly name: string;
  readonly secure: boolean;
  readonly remoteAddress: string;
  isDisabled(command: string): boolean;
  sessionOptions(): ServeOptions;
  /** Finds the client's name, before anybody is asked about it. */
  identifyClient(): Promise<void>;
  /** Asks whether to serve the client. */
  welcome(): Promise<void>;
  /** STARTTLS has come to its end. */
  upgraded(tls: TlsInformation): Promise<void>;
  /** The client has said who it is. */
  introduced(verb: string, name: string): void;
  /** A proxy has told for whom it speaks. */
  impersonate(client: ClientAttributes | undefined): void;
  /** A proxy has told from whom it has the mail. */
  forward(origin: ClientAttributes): void;
  /** Tells the server's listeners of the client, once. */
  announce(): void;
  refuseUnlessAuthenticated(): void;
  newEnvelope(): SMTPServerEnvelope;
  endTransaction(): void;
  /** Fills the session object with what is known now. */
  describe(): void;
  send(code: number, text?: string | readonly string[]): void;
  close(): void;
  closed(reason: Error | undefined): void;
  /** A handler has failed, which the client was told by 451. */
  failed(error: unknown): void;
  log(level: Level, entry: object, message: string, ...values: unknown[]): void;
}
