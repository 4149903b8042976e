/**
 * What a SASL mechanism (RFC 4422) is, at either end: a generator that yields what it needs next and is resumed
 * with it. It is pure and synchronous. Nonces, digests and stored credentials are asked for like the peer's
 * responses; whoever runs the exchange has all the time they need to get them.
 *
 * The octets of challenges and responses are those behind base64; base64 is the session's (RFC 4954 §4).
 */
import type { Secret } from '../../secret.js';
import type { TlsInformation } from '../../tls.js';

/** SASL mechanisms that both ends speak, by their registered names. */
export type MechanismName =
  | 'PLAIN'
  | 'LOGIN'
  | 'CRAM-MD5'
  | 'SCRAM-SHA-1'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-256-PLUS'
  | 'XOAUTH2'
  | 'OAUTHBEARER'
  | 'EXTERNAL';

/** The hash functions of the mechanisms: CRAM-MD5 (RFC 2195) and SCRAM (RFC 5802, RFC 7677). */
export type HashName = 'MD5' | 'SHA-1' | 'SHA-256';

/** Work for the host: octets that only it can come by, or that take too long to be computed in between. */
export type Computation =
  /** Unpredictable octets, for a nonce or a salt. */
  | { readonly kind: 'random'; readonly octets: number }
  | { readonly kind: 'hash'; readonly hash: HashName; readonly data: Secret }
  /** RFC 2104. */
  | { readonly kind: 'hmac'; readonly hash: HashName; readonly key: Secret; readonly data: Uint8Array }
  /** RFC 8018 §5.2 with HMAC, as many octets as the hash has. */
  | {
      readonly kind: 'pbkdf2';
      readonly hash: 'SHA-1' | 'SHA-256';
      readonly password: Secret;
      readonly salt: Uint8Array;
      readonly iterations: number;
    };

/** What a server keeps to check somebody's password. */
export type StoredCredentials =
  /** The password itself: all that CRAM-MD5 can work with, and good for SCRAM. */
  | { readonly kind: 'password'; readonly password: Secret }
  /** The keys of RFC 5802 §3, from which nobody can log in elsewhere. */
  | {
      readonly kind: 'scram';
      readonly hash: 'SHA-1' | 'SHA-256';
      readonly salt: Uint8Array;
      readonly iterations: number;
      readonly storedKey: Secret;
      readonly serverKey: Secret;
    };

/** Somebody who wants to be let in, and what they have shown for it. */
export type AuthenticationAttempt =
  /** The password is to be checked. */
  | {
      readonly mechanism: 'PLAIN' | 'LOGIN';
      readonly username: string;
      /** On whose behalf, if not on their own (RFC 4422 §3.4.1). */
      readonly authorizationIdentity?: string;
      readonly password: Secret;
    }
  /** The token is to be checked (RFC 7628, RFC 6750). */
  | {
      readonly mechanism: 'XOAUTH2' | 'OAUTHBEARER';
      readonly username: string;
      readonly token: Secret;
      /** The server that the client believes to talk to. */
      readonly host?: string;
      readonly port?: number;
    }
  /** The password was proven against the stored credentials; what is left is whether they may. */
  | {
      readonly mechanism: Exclude<MechanismName, 'PLAIN' | 'LOGIN' | 'XOAUTH2' | 'OAUTHBEARER' | 'EXTERNAL'>;
      readonly username: string;
      readonly authorizationIdentity?: string;
    }
  /** They are who TLS says they are (RFC 4422 §A): see the session's TLS information. */
  | { readonly mechanism: 'EXTERNAL'; readonly authorizationIdentity?: string }
  /** What a mechanism of the application's own, by its `name`, has found out or wants checked. */
  | {
      readonly mechanism: 'own';
      readonly name: string;
      readonly username: string;
      readonly authorizationIdentity?: string;
      /** Whatever the mechanism hands on. What must not be printed is a `Secret`. */
      readonly shown?: unknown;
    };

/**
 * What an application grants to somebody whom it lets in, where that is more than to act for themselves by the name that
 * they have proven (RFC 4422 §3.4.1).
 */
export interface AuthenticationGrant {
  /**
   * Who they are. A token or a certificate does not say: without this name, a client that asks to act for anybody by
   * one (the name beside a token included) is refused.
   */
  readonly authenticatedAs?: string | undefined;
  /** The authorization identity that they may act for. It counts only where it is the one that they asked for. */
  readonly authorizationIdentity?: string | undefined;
}

/**
 * Why a token is refused, as the client of XOAUTH2 or OAUTHBEARER gets it in JSON (RFC 7628 §3.2.2). A client that can
 * get a new token decides by it.
 */
export interface TokenError {
  /** `invalid_token`, `insufficient_scope` (RFC 6750 §3.1); with XOAUTH2, an HTTP status such as `401`. */
  readonly status: string;
  /** The scopes that a token needs, separated by blanks. */
  readonly scope?: string;
  /** XOAUTH2: `bearer`. */
  readonly schemes?: string;
  /** Where the authorization server describes itself: a URL (RFC 8414). */
  readonly 'openid-configuration'?: string;
}

/** What was decided about an attempt. */
export type Judgement =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly tokenError?: TokenError };

/** Who was let in. */
export interface AuthenticatedIdentity {
  /** Its registered name, or that of a mechanism of the application's own. */
  readonly mechanism: string;
  /**
   * Who authenticated: the name that was proven, or the one that the application gave them; empty where a token or a
   * certificate was taken and nobody said whose it is.
   */
  readonly authenticatedAs: string;
  /** For whom they act: themselves, or the authorization identity that they were granted (RFC 4422 §3.4.1). */
  readonly username: string;
}

/** What the server's half of a mechanism asks for; the comment says with what it is resumed. */
export type ServerStep =
  /** Send a challenge. Resumed with the client's response: `Uint8Array`. */
  | { readonly type: 'challenge'; readonly data: Uint8Array }
  /** Resumed with the result: `Uint8Array`. */
  | { readonly type: 'compute'; readonly computation: Computation }
  /** Look up somebody's credentials. Resumed with `StoredCredentials`, or undefined for nobody. */
  | { readonly type: 'retrieve'; readonly mechanism: string; readonly username: string }
  /**
   * Decide whether they are let in, and may act for whom they ask to act. Resumed with a `Judgement`. There is no success
   * without it.
   */
  | { readonly type: 'verify'; readonly attempt: AuthenticationAttempt };

/** How the server's half ended. */
export type ServerOutcome =
  | { readonly type: 'success' }
  /**
   * `malformed`: a response was against the mechanism's grammar (501 5.5.2). `refused`: whoever it was is not let
   * in (535 5.7.8).
   */
  | { readonly type: 'failure'; readonly reason: 'malformed' | 'refused' };

export type ServerExchange = Generator<
  ServerStep,
  ServerOutcome,
  Uint8Array | StoredCredentials | Judgement | undefined
>;

/**
 * The server's half of a mechanism: ours, or one of the application's own in `authentication.mechanisms`.
 */
export interface ServerMechanism {
  /** 1 to 20 upper-case letters, digits, hyphens and underscores (RFC 4422 §3.1). */
  readonly name: string;
  /**
   * Whether the client speaks first. Its initial response answers the first challenge then, which is not sent; a
   * mechanism in which the server speaks first takes none (RFC 4954 §4).
   */
  readonly clientFirst: boolean;
  /** The exchange's first step is a `challenge` if the client speaks first. */
  begin(channel: ServerChannel): ServerExchange;
}

/** What the server's half has to know of the connection. */
export interface ServerChannel {
  /** Undefined without TLS. */
  readonly tls: TlsInformation | undefined;
  /** The name by which the server goes, for the challenge of CRAM-MD5. */
  readonly hostname: string;
  /** Mechanisms that were offered: what a SCRAM client says about channel binding is held against it. */
  readonly offered: readonly string[];
  /** PBKDF2 iterations where the stored credentials are a password (RFC 7677 §4 wants 4096 at least). */
  readonly iterations: number;
}

/** By what a client proves who it is. */
export type ClientCredentials =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly password: Secret;
      readonly authorizationIdentity?: string;
    }
  /** A bearer token of OAuth 2.0 (RFC 6750). */
  | { readonly kind: 'token'; readonly username: string; readonly token: Secret }
  /** The certificate that it showed in the TLS handshake. */
  | { readonly kind: 'external'; readonly authorizationIdentity?: string };

/** What the client's half of a mechanism asks for; the comment says with what it is resumed. */
export type ClientStep =
  /**
   * Send a response; as the first step, the initial response, or none if `data` is undefined. Resumed with the
   * server's next challenge: `Uint8Array`. `mayEnd`: the server may also say 235 now; if it says so where `mayEnd`
   * is false, it has not proven what it must, and is not to be believed.
   */
  | { readonly type: 'respond'; readonly data: Secret | undefined; readonly mayEnd: boolean }
  /** Resumed with the result: `Uint8Array`. */
  | { readonly type: 'compute'; readonly computation: Computation };

/**
 * Returns when nothing more may be sent: the server has broken the mechanism's rules, or could not prove that it
 * knows the password. The text tells a person why, and must not quote what was said; the exchange is then cancelled
 * (RFC 4954 §4).
 */
export type ClientExchange = Generator<ClientStep, string, Uint8Array>;

/**
 * The client's half of a mechanism: ours, or one of the application's own in `authentication.mechanisms`.
 */
export interface ClientMechanism {
  /** 1 to 20 upper-case letters, digits, hyphens and underscores (RFC 4422 §3.1). */
  readonly name: string;
  /** Whether it can say what these credentials want said. */
  fits(credentials: ClientCredentials): boolean;
  /** Called once for each exchange, with credentials that fit. */
  begin(credentials: ClientCredentials, channel: ClientChannel): ClientExchange;
}

/** What the client's half has to know of the connection. */
export interface ClientChannel {
  /** Undefined without TLS. */
  readonly tls: TlsInformation | undefined;
  /** Mechanisms that the server offered, in upper case. */
  readonly offered: ReadonlySet<string>;
  /** Host and port that were connected to, if they are known (RFC 7628 §3.1). */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** PBKDF2 iterations beyond which the server is not obeyed: they would be an attack. */
  readonly maximumIterations: number;
}
