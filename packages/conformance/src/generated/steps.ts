/** What a generated client does, a step at a time. */
import { octetsOfMessage } from '@sansmtp/testing/arbitraries';

export type GeneratedStep =
  /**
   * Sends lines at once, and reads a reply for each (RFC 2920). They may hold what no line should. `message` is sent if the
   * last one gets 354, `responses` answer 334; what is not there is made up for by an empty message, and by `*`.
   */
  | {
      readonly kind: 'lines';
      readonly lines: readonly string[];
      readonly message?: MailData;
      readonly responses?: readonly string[];
      /** It is a login that fails: at most two of them a minute. */
      readonly failsLogin?: true;
    }
  /** Logs in by a mechanism that sends no password, rightly or with something wrong. */
  | ({ readonly kind: 'proof' } & Proof)
  /** Sends BDAT with its octets. */
  | { readonly kind: 'chunk'; readonly octets: Uint8Array; readonly last: boolean; readonly size?: string }
  /** Sends STARTTLS with something behind it, in the clear and at once, and begins the handshake after a 220. */
  | { readonly kind: 'injection'; readonly line: string }
  /** Breaks off the connection, after DATA amid the message. */
  | { readonly kind: 'leave'; readonly begun: Uint8Array };

/**
 * How to log in without a password. Only what is `right` may succeed, and has to; what is `begun` is cancelled after the
 * first challenge.
 */
export interface Proof {
  readonly mechanism: 'CRAM-MD5' | 'SCRAM-SHA-256' | 'EXTERNAL';
  readonly how: ProofManner;
}

export type ProofManner =
  | 'right'
  | 'begun'
  /** Of a password that is not theirs. */
  | 'ofAnotherPassword'
  /** The digest is missing, or the first message is none. */
  | 'malformed'
  /** CRAM-MD5: a response comes with the command. */
  | 'atOnce'
  /** SCRAM: the final message has another nonce, or another header, than the first. */
  | 'withAnotherNonce'
  | 'withAnotherHeader'
  /** SCRAM: the client believes that the server could not bind. */
  | 'withoutBinding'
  /** EXTERNAL: with a name. */
  | 'forSomebody';

/** Mail data as it stands on the wire, and what is sent with it behind its final dot. */
export interface MailData {
  readonly octets: Uint8Array;
  readonly behind?: readonly string[];
}

/** A message made transparent, with its final dot. */
export const mailDataOf = (message: Uint8Array, behind?: readonly string[]): MailData => ({
  octets: octetsOfMessage(message),
  ...(behind !== undefined && { behind }),
});

/** BDAT with a size. */
export const chunkLine = (step: Extract<GeneratedStep, { kind: 'chunk' }>): string =>
  `BDAT ${step.size ?? step.octets.length}${step.last ? ' LAST' : ''}`;
