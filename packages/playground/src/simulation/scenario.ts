/** What a simulated session is about: who the two ends are, what the client wants, and what the server decides. */
import type {
  Answer,
  ClientInquiry,
  ClientSessionOptions,
  EnvelopeInput,
  Question,
  ServerSessionOptions,
} from '@sansmtp/core';
import type { End } from './ends.js';

/** What the client's application does once the session waits for it; `after` so many milliseconds. */
export type Errand = { readonly after?: number } & (
  | { readonly kind: 'send'; readonly envelope: EnvelopeInput; readonly message: string }
  | { readonly kind: 'inquire'; readonly inquiry: ClientInquiry }
  | { readonly kind: 'quit' }
);

export interface Scenario {
  /** In the URL. */
  readonly id: string;
  readonly title: string;
  /** What is to be seen, in a sentence or two. */
  readonly about: string;
  readonly client: ClientSessionOptions;
  readonly server: ServerSessionOptions;
  /** In order. */
  readonly errands: readonly Errand[];
  /**
   * The server's application.
   * @default it accepts whatever it is asked
   */
  readonly decide?: (question: Question) => Answer;
  /**
   * Somebody between the two who changes what passes by.
   * @returns the octets in the place of these; undefined: they stay as they are
   */
  readonly tamper?: (from: End, text: string) => string | undefined;
}
