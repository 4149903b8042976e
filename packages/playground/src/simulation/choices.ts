/**
 * What somebody who watches may have otherwise: each choice takes the place of what would have happened in one turn.
 *
 * A turn is what happens next in a session: a flight of octets arrives, a question is answered, a deadline passes. How
 * a flight is cut into segments makes no difference to the turns, so a choice keeps its place whatever the segments.
 */
import type { End } from './ends.js';

export type Choice = {
  readonly turn: number;
} /** Somebody on the way has `text` arrive from that end, in the place of what is under way from it. */ & (
  | { readonly kind: 'say'; readonly from: End; readonly text: string }
  /** The open question is answered at once. `code`: by a reply of this code, and not by the default. */
  | { readonly kind: 'answer'; readonly decision: 'accept' | 'reject'; readonly code?: number }
  /** Nothing arrives until the next deadline of that end has passed. */
  | { readonly kind: 'wait'; readonly end: End }
  /** What is under way from that end takes so many milliseconds longer. */
  | { readonly kind: 'delay'; readonly from: End; readonly milliseconds: number }
  /** The connection is lost, with all that is under way. */
  | { readonly kind: 'drop' }
  /** That end closes its sending side, without a word. */
  | { readonly kind: 'close'; readonly from: End }
  /** The server is shut down. */
  | { readonly kind: 'shutdown' }
  /** The TLS handshake fails. */
  | { readonly kind: 'failTls' }
  /** The client's application does this, and not what it had in mind. */
  | { readonly kind: 'act'; readonly act: 'send' | 'quit' | 'noop' | 'vrfy' }
);

/** Where TCP cuts what one end sends: after so many octets of all that it sends. */
export interface Segmentation {
  /** `whole`: a segment for each flight. `octets`: one for each octet of a flight, unless that has thousands of them. */
  readonly mode: 'whole' | 'octets';
  readonly cuts: Readonly<Record<End, readonly number[]>>;
}

export const WHOLE: Segmentation = { mode: 'whole', cuts: { client: [], server: [] } };
