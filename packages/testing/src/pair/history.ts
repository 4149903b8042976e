/** What happened between a client and a server, from the first octet to the last: what invariants are about. */
import type { Verdict } from '@sansmtp/core';
import type { ClientSessionEvent, ServerEvent } from '@sansmtp/transport';
import type { ReceivedMessage } from '../mail/received-message.js';

/** A message for the client to send. */
export interface MessageToSend {
  /** The reverse-path; `null` or `<>` for the null one. */
  readonly from: string | null;
  /** The forward-paths. */
  readonly to: readonly string[];
  readonly body: Uint8Array;
}

/** A message that the client was told to send, and what became of it. */
export interface SentMessage extends MessageToSend {
  /** One for each recipient; absent if the client would not send, or could not any more. */
  readonly verdicts?: readonly Verdict[];
  /** Why it has no verdicts. */
  readonly error?: unknown;
}

/** What one end did to its stream. */
export interface StreamUse {
  /** Octets that were written although the stream had said that it was full, at most at a time. */
  readonly mostWhileFull: number;
}

/** Everything of one run. */
export interface History {
  readonly sent: readonly SentMessage[];
  /** The messages that the server's application has taken, in order: it said yes, and will not forget them. */
  readonly stored: readonly ReceivedMessage[];
  readonly client: readonly ClientSessionEvent[];
  readonly server: readonly ServerEvent[];
  /** Why the client's session failed, if it did before it was open. */
  readonly failure?: unknown;
  /** Handlers that were asked after `onClose`. */
  readonly askedAfterClose: readonly string[];
  readonly streams: { readonly client: StreamUse; readonly server: StreamUse };
  /** Errors that neither end had foreseen: there are none. */
  readonly faults: readonly unknown[];
  /** Both ends closed. */
  readonly ended: boolean;
  /** Milliseconds of virtual time. */
  readonly duration: number;
}
