/**
 * Commands (RFC 5321 §4.1), and what their reading (`parse-command.ts`) and writing (`format-command.ts`) have in common.
 * Whether a command is legal now, and what its parameters mean, others say.
 */
import type { Secret } from '../../secret.js';
import type { ForwardPath, ReversePath } from './path.js';

/** One ESMTP parameter of MAIL or RCPT (RFC 5321 §4.1.2 `esmtp-param`). The keyword is in upper case. */
export interface Parameter {
  readonly keyword: string;
  readonly value?: string;
}

/** A command of the peer, well-formed by RFC 5321 §4.1; whether it is legal now, the chart says. */
export type Command =
  /** LHLO is EHLO where LMTP is spoken (RFC 2033 §4.1). */
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly reversePath: ReversePath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'RCPT'; readonly forwardPath: ForwardPath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  | { readonly verb: 'NOOP' | 'HELP'; readonly argument: string }
  /** `utf8`: SMTPUTF8 stood behind the argument, and the reply may hold UTF-8 (RFC 6531 §3.7.4). */
  | { readonly verb: 'VRFY' | 'EXPN'; readonly argument: string; readonly utf8?: true }
  /** The size of the chunk that follows the line, in octets (RFC 3030 §2). */
  | { readonly verb: 'BDAT'; readonly size: number; readonly last: boolean }
  /**
   * The mechanism in upper case; the initial response as it stands on the wire, in base64, or `=` for an empty one
   * (RFC 4954 §4).
   */
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse?: Secret }
  /** RFC 1985; Postfix. */
  | { readonly verb: 'ETRN' | 'XCLIENT' | 'XFORWARD'; readonly argument: string }
  /** A verb of an embedder's extension, in upper case. */
  | { readonly verb: 'extension'; readonly name: string; readonly argument: string };

/** The longest command line with its CRLF, in octets, where no extension allows more (RFC 5321 §4.5.3.1.4). */
export const MAXIMUM_COMMAND_OCTETS = 512;

/** The longest line of an AUTH exchange with its CRLF, in octets (RFC 4954 §4). */
export const MAXIMUM_AUTHENTICATION_OCTETS = 12_288;

/** The longest name in EHLO and HELO, in octets: that of a domain (RFC 5321 §4.5.3.1.2). */
export const MAXIMUM_NAME_OCTETS = 255;

/** Shared by all commands without any. */
export const NO_PARAMETERS: readonly Parameter[] = Object.freeze([]);

/** What is read here, whatever service extensions there are. */
export const IMPLEMENTED_VERBS = [
  ...['EHLO', 'HELO', 'LHLO', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'RSET', 'NOOP', 'QUIT'],
  ...['HELP', 'VRFY', 'EXPN', 'ETRN', 'STARTTLS', 'AUTH', 'XCLIENT', 'XFORWARD'],
] as const;

/** Verbs that clients know from elsewhere: 502 tells them more than 500 would (RFC 5321 §4.2.4). */
export const NOT_IMPLEMENTED_VERBS = ['SEND', 'SOML', 'SAML', 'TURN', 'ATRN'] as const;

/** Whether a verb, in upper case, is known here: implemented, or answered by 502. */
export function isKnownVerb(verb: string): boolean {
  return [...IMPLEMENTED_VERBS, ...NOT_IMPLEMENTED_VERBS].some((known) => known === verb);
}

/**
 * A name by which an end of ours introduces itself: any token. What a peer says in EHLO or HELO has no more to it than
 * that it can be printed: `localhost`, `my_host`, a Windows machine's name with blanks. RFC 5321 §4.1.4 forbids refusing
 * mail for a name that does not verify.
 */
export function isName(text: string): boolean {
  return text.length <= MAXIMUM_NAME_OCTETS && /^[!-~]+$/.test(text);
}

/** `esmtp-keyword` (RFC 5321 §4.1.2). */
export function isKeyword(text: string): boolean {
  return /^[\dA-Za-z][\dA-Za-z-]*$/.test(text);
}

/** Printable ASCII. */
export function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}
