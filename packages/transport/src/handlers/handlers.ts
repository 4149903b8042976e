/**
 * What an application brings to receive mail: a function for each decision, each of which may return a promise.
 *
 * - Returning nothing accepts, but for `onAuth`, which lets nobody in unless it says so. Without a handler nobody is let in
 *   either, and EXPN, ETRN and verbs of extensions are refused.
 * - Returning a `Reply` accepts or refuses by its code, and sets the text.
 * - `onHello` may also say what this client is not offered.
 * - Throwing an error that carries `responseCode`, such as a `Rejection`, refuses with that reply.
 * - Throwing or returning anything else is a fault of ours: the client gets 451 4.3.0, or 454 4.7.0 in AUTH, and may try
 *   again later; `onError` gets the error, and its text never reaches the wire.
 * - Code 421 ends the session, whatever was decided.
 */
import type {
  AbandonReason,
  AuthenticatedIdentity,
  AuthenticationAttempt,
  AuthenticationDecision,
  AuthenticationGrant,
  ClientAttributes,
  Envelope,
  Hello,
  MailParameters,
  Recipient,
  Reply,
  ReversePath,
  ServerState,
  StoredCredentials,
  TlsInformation,
  TokenError,
  Withheld,
} from '@sansmtp/core';
import type { ConnectionInformation } from '../streams/session-information.js';
import type { WebStream, WebStreamReader } from '../streams/web-stream.js';

/** What a function returns that has no `return`. */
type Nothing = ReturnType<() => void>;

// One promise of either, not a promise for each: only so does the type of a chain of `then` go with it.
export type HandlerResult = Reply | Nothing | Promise<Reply | Nothing>;

/**
 * What `onHello` decides. `withhold` accepts, and names what this client is not offered until its next EHLO:
 * `{ withhold: { extensions: ['STARTTLS'], mechanisms: ['PLAIN'] } }`. What is used all the same is refused, as if the
 * server had none of it (502, 504, 555).
 */
export type HelloVerdict = Reply | { readonly withhold: Withheld } | Nothing;

export type HelloResult = HelloVerdict | Promise<HelloVerdict>;

/** In LMTP a reply for each recipient of the envelope, in its order (RFC 2033 §4.2); or one for all. */
export type MessageResult = Reply | readonly Reply[] | Nothing | Promise<Reply | readonly Reply[] | Nothing>;

/** What `onAuth` decides. */
export type AuthenticationVerdict =
  /**
   * `true` lets them in as themselves: the name that a password has proven; with a token or a certificate, nobody in
   * particular. Who asks to act for somebody else is refused all the same (535 5.7.8). `false` refuses.
   */
  | boolean
  /** Refuses by 4yz or 5yz; 235 is `true`. */
  | Reply
  /**
   * Lets them in, and says who they are (needed with a token or a certificate whose client asks to act for somebody), and
   * for whom they may act: `{ authenticatedAs: 'ann', authorizationIdentity: 'sales' }`.
   */
  | AuthenticationGrant
  /** Refuses, and tells a client of XOAUTH2 or OAUTHBEARER why. */
  | { readonly tokenError: TokenError };

export type AuthenticationResult = AuthenticationVerdict | Promise<AuthenticationVerdict>;

/** Undefined: there is no such user, or none of whom anything is kept. */
export type CredentialsResult = StoredCredentials | undefined | Promise<StoredCredentials | undefined>;

/**
 * What a handler may know of the session that asks it.
 * @typeParam State what the application keeps with each session
 */
export interface ServerSessionInformation<State = unknown> extends ConnectionInformation {
  /** The label of the address where the client connected, such as `submission`; undefined if it has none. */
  readonly listener: string | undefined;
  /**
   * The application's own, for as long as the session lasts. `createState` makes it, or `onConnect` sets it; before that
   * it is undefined.
   */
  state: State;
  /** Where the session stands: a leaf state of the chart. */
  readonly chartState: ServerState;
  /**
   * Octets came before the greeting, for which a client has to wait (RFC 5321 §3.1), and those who send mail in masses do
   * not: let the option `greetingDelay` wait for them, and `onConnect` look.
   */
  readonly spokeEarly: boolean;
  /** The TLS that protects the connection; undefined while nothing does. */
  readonly tls: TlsInformation | undefined;
  /** The server's name that the client asked for in the TLS handshake (SNI, RFC 6066 §3). */
  readonly serverName: string | undefined;
  /** Who has authenticated themselves; undefined if nobody has. */
  readonly identity: AuthenticatedIdentity | undefined;
  /** All that XCLIENT said of the client. */
  readonly client: ClientAttributes | undefined;
  /** What XFORWARD said of where the mail came from: for logs, not for decisions. */
  readonly forwarded: ClientAttributes | undefined;
  /** How the client introduced itself; undefined before EHLO or HELO was accepted. */
  readonly hello: Hello | undefined;
}

/** A message as it arrives. */
export interface IncomingMessage {
  readonly envelope: Envelope;
  readonly body: IncomingBody;
}

/**
 * The mail data as it arrives, transparency undone: an async iterable, or a web stream, and what takes either takes it
 * (`Readable.from(body)` of Node). It can be read once, in one of these ways; `tee()` makes two of it. The client is
 * held back while it is not read. Every reader gets a `MailDataAbandonedError` when the message will not be completed:
 * discard then what was read. The arrays are the reader's to keep.
 */
export interface IncomingBody extends AsyncIterable<Uint8Array> {
  /**
   * The body as a web stream; always the same one. To cancel it says that the rest is not wanted.
   * @throws {Error} the body is being read in another way
   */
  readonly readable: WebStream;
  /**
   * `readable.getReader()`: what takes a web stream takes the body itself.
   * @throws {Error} the body is being read in another way
   */
  getReader(): WebStreamReader;
  /**
   * Two bodies of one, each with all of it. The client is held back while either has 128 KiB that nobody has read: read
   * both at the same time, or leave one (`break` out of `for await`, `readable.cancel()`) and the other goes on alone.
   * @throws {Error} the body is being read already
   */
  tee(): [IncomingBody, IncomingBody];
}

/** What `serveSession` asks the application. `onMessage` alone is needed; give `onRcptTo` to say whose mail is taken. */
export interface ServerHandlers<State = unknown> {
  /**
   * Makes `session.state` for a session that begins, before `onConnect`, which waits for a promise. What takes time, such
   * as a look-up, is for `onConnect`, which may set `session.state` as well.
   */
  createState?(session: ServerSessionInformation<undefined>): State;
  /** Someone connected. Refused: 554, and only QUIT is served. */
  onConnect?(session: ServerSessionInformation<State>): HandlerResult;
  /**
   * TLS stands: with implicit TLS before `onConnect`, else when the handshake that STARTTLS began has come to its end.
   * Until this has decided, nothing of what the client says is looked at. Refused: 554, or your reply of 5yz, which ends
   * the session after STARTTLS; so does any of 4yz, by 421.
   */
  onSecure?(tls: TlsInformation, session: ServerSessionInformation<State>): HandlerResult;
  /**
   * Somebody wants to be let in. PLAIN and LOGIN bring a password to be checked, OAUTHBEARER and XOAUTH2 a token; with
   * SCRAM and CRAM-MD5 the password was proven already against what `onCredentials` gave; with EXTERNAL it is for
   * you to look into the certificate of `session.tls`. Names are prepared (SASLprep), and hold no control characters.
   * Who wants passwords checked and nothing else takes `passwordUsers`.
   */
  onAuth?(attempt: AuthenticationAttempt, session: ServerSessionInformation<State>): AuthenticationResult;
  /**
   * What is kept of a user's password, for SCRAM and CRAM-MD5. Without this handler these fail. Do not answer by a
   * rejection where there is no such user: it would tell everybody so.
   */
  onCredentials?(
    request: { readonly mechanism: string; readonly username: string },
    session: ServerSessionInformation<State>,
  ): CredentialsResult;
  /**
   * An AUTH exchange is over: who came in, or who failed, a wrong proof of SCRAM included, of which no other handler
   * hears. For logs and metrics.
   */
  onAuthDecided?(decision: AuthenticationDecision, session: ServerSessionInformation<State>): void;
  /**
   * EHLO or HELO. A refused one changes nothing. Called for each, so that what is withheld may depend on TLS and on who has
   * authenticated.
   */
  onHello?(hello: Hello, session: ServerSessionInformation<State>): HelloResult;
  /** MAIL opens a mail transaction. */
  onMailFrom?(
    mail: { readonly reversePath: ReversePath; readonly parameters: MailParameters },
    session: ServerSessionInformation<State>,
  ): HandlerResult;
  /** RCPT adds a recipient. Without this handler any recipient is taken: nothing is relayed but by you. */
  onRcptTo?(
    recipient: Recipient,
    envelope: Envelope,
    session: ServerSessionInformation<State>,
  ): HandlerResult;
  /** DATA. The last moment to refuse before the message is sent. */
  onData?(envelope: Envelope, session: ServerSessionInformation<State>): HandlerResult;
  /**
   * A message arrives. Called when its mail data begins. Return, or resolve, only once the message is safely
   * kept: the client is then told 250, and may forget it (RFC 5321 §4.2.5). What was not read of the body by
   * then is dropped: whoever reads on gets a `MailDataAbandonedError` with the reason `dropped`.
   */
  onMessage(message: IncomingMessage, session: ServerSessionInformation<State>): MessageResult;
  /** VRFY. Without this handler: 252, which says neither yes nor no. */
  onVerify?(argument: string, session: ServerSessionInformation<State>): HandlerResult;
  /** EXPN. Return a reply 250 with the members of the list, a line each. Without this handler: 502. */
  onExpand?(argument: string, session: ServerSessionInformation<State>): HandlerResult;
  /** HELP. Return a reply 214. */
  onHelp?(argument: string, session: ServerSessionInformation<State>): HandlerResult;
  /** ETRN, with the node's `@` or `#` (RFC 1985 §5.3). Without this handler: 459. */
  onEtrn?(node: string, session: ServerSessionInformation<State>): HandlerResult;
  /** A verb that an extension of yours has added. Without this handler: 502. */
  onExtension?(
    command: { readonly verb: string; readonly argument: string },
    session: ServerSessionInformation<State>,
  ): HandlerResult;
  /**
   * The connection is closed, both ways; with the reason if it broke, or was ended because something else than SMTP was
   * spoken (a `ForeignProtocolError`).
   */
  onClose?(session: ServerSessionInformation<State>, reason?: Error): void;
  /**
   * A handler or an observer threw what is no rejection, or a handler returned what is no reply (a `TypeError`). Without
   * this handler, and when it throws itself, the error is written to stderr.
   */
  onError?(error: unknown, session: ServerSessionInformation<State>): void;
}

/** Thrown by a handler to refuse, with the reply to give. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  /** 400 to 599. */
  readonly responseCode: number;
  /** The enhanced status code (RFC 3463); its class is the code's first digit. */
  readonly enhancedCode: string | undefined;

  /**
   * @param text what the client is told: plain words for the sender of the mail
   * @throws {RangeError} the code does not refuse
   * @throws {TypeError} there is no text
   */
  constructor(responseCode: number, enhancedCode: string | undefined, text: string) {
    super(text);
    if (!Number.isInteger(responseCode) || responseCode < 400 || responseCode > 599) {
      const shown = typeof responseCode === 'string' ? JSON.stringify(responseCode) : String(responseCode);
      throw new RangeError(`The code of a Rejection is ${shown}; it takes an integer of 400 to 599`);
    }
    if (typeof text !== 'string') {
      throw new TypeError(
        "A Rejection takes a code, an enhanced status code or undefined, and a text: new Rejection(550, '5.1.1', 'No such mailbox here')",
      );
    }
    this.responseCode = responseCode;
    this.enhancedCode = enhancedCode;
  }
}

/** Thrown to the reader of a body: the rest of it will not come, and what came must not be kept. */
export class MailDataAbandonedError extends Error {
  override readonly name = 'MailDataAbandonedError';
  /**
   * `malformed` and `tooLarge`: the server refuses it by itself. `closed`: the session ended first. `dropped`:
   * `onMessage` had settled, and something went on reading.
   */
  readonly reason: AbandonReason | 'dropped';

  constructor(reason: AbandonReason | 'dropped') {
    super(`The mail data was abandoned: ${reason}`);
    this.reason = reason;
  }
}
