/**
 * What the server chart is told, and what it asks of the session. `chart.ts` says which of it means what, where.
 */
import type { Command } from '../../wire/commands/command.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Question } from '../decisions/questions.js';
import type { ReplyName } from '../decisions/replies.js';

export type ServerState =
  | 'connecting'
  | 'refused'
  | `session.${'greeted' | 'identifying' | 'verifying' | 'expanding' | 'helping' | 'ready'}`
  | `session.${'turning' | 'extending' | 'permittingTls' | 'securing'}`
  | `session.authenticating.${'challenged' | 'computing' | 'retrieving' | 'judging'}`
  | `session.transaction.${'opening' | 'opened' | 'addressing' | 'addressed' | 'initiating'}`
  | `session.transaction.${'initiatingChunks' | 'receivingChunk' | 'chunked'}`
  | `session.transaction.${'receiving' | 'committing'}`
  | 'closing'
  | 'closed';

/** What the chart is told. */
export type ServerChartEvent =
  | {
      readonly type: `command.${Command['verb']}`;
      readonly refusal?: Reply;
      /** It is refused for its address. */
      readonly aboutAddress?: true;
      readonly next?: AuthenticationNext;
    }
  /** `fatal`: nobody can tell where the next command begins. `aboutAddress`: a MAIL or RCPT whose address is wrong. */
  | {
      readonly type: 'badCommand';
      readonly refusal: Reply;
      readonly fatal?: true;
      readonly aboutAddress?: true;
    }
  /** `plaintextFollows`: the client has sent more behind STARTTLS. */
  | {
      readonly type: 'accepted';
      readonly next?: AuthenticationNext;
      readonly plaintextFollows?: true;
    }
  | { readonly type: 'rejected'; readonly code: number; readonly next?: AuthenticationNext }
  | { readonly type: 'response' | 'computed'; readonly next: AuthenticationNext }
  /** `*` (RFC 4954 §4). */
  | { readonly type: 'cancel' }
  /** The line is no response. */
  | { readonly type: 'badResponse'; readonly refusal: Reply }
  /** `plaintext`: octets came in the clear where the TLS handshake is awaited. */
  | { readonly type: 'tlsEstablished' | 'tlsFailed' | 'plaintext' }
  /** `refusal`: says what the flaw is. */
  | { readonly type: 'endOfMailData'; readonly flaw?: MessageFlaw; readonly refusal?: Reply }
  | {
      readonly type: 'endOfChunk';
      readonly last: boolean;
      readonly flaw?: MessageFlaw;
      readonly refusal?: Reply;
    }
  /** The session ends for what it costs, or for what is spoken: the reply says which limit was reached. */
  | { readonly type: 'cutOff'; readonly refusal: Reply }
  | { readonly type: 'peerClosed' | 'connectionLost' | 'shutdown' };

/** Why a message is refused for what came of it. */
export type MessageFlaw = 'malformed' | 'tooLarge';

/**
 * What an AUTH exchange wants next, or how it ended: `malformed` by a response that is none, `refused` by whoever
 * decides, `unavailable` where nobody could decide for the time being.
 */
export type AuthenticationNext =
  | 'challenge'
  | 'computation'
  | 'credentials'
  | 'decision'
  | 'success'
  | 'malformed'
  | 'unavailable'
  | 'refused';

/** What the chart asks of the session. */
export type ServerAction =
  /** A reply of the server's own. */
  | { readonly type: 'reply'; readonly params: { readonly reply: ReplyName } }
  /** The reply that the event brought with it. */
  | { readonly type: 'refuse'; readonly params: { readonly reply: Reply } }
  | { readonly type: 'ask'; readonly params: { readonly question: Question['kind'] } }
  /** The reply to the command on which the application has decided. */
  | { readonly type: 'answer'; readonly params: undefined }
  | { readonly type: 'introduce'; readonly params: undefined }
  | { readonly type: 'openTransaction'; readonly params: undefined }
  | { readonly type: 'addRecipient'; readonly params: undefined }
  | { readonly type: 'endTransaction'; readonly params: undefined }
  | { readonly type: 'receiveMailData'; readonly params: undefined }
  /** Mail data by BDAT: the octets of the chunk that was announced. */
  | { readonly type: 'receiveChunk'; readonly params: undefined }
  /** The reply that the event brought with it, to a message; in LMTP, to each recipient. */
  | { readonly type: 'refuseMessage'; readonly params: { readonly reply: Reply } }
  /** Have the transport begin the TLS handshake. */
  | { readonly type: 'upgradeTls'; readonly params: undefined }
  /** Forget all that the client said. */
  | { readonly type: 'forget'; readonly params: undefined }
  /** Write the challenge of the AUTH exchange. */
  | { readonly type: 'challenge'; readonly params: undefined }
  /** Ask the host for what the AUTH exchange wants computed. */
  | { readonly type: 'compute'; readonly params: undefined }
  | { readonly type: 'admitClient'; readonly params: undefined }
  | { readonly type: 'turnAway'; readonly params: undefined }
  /** XCLIENT: take what it says for the client's address, name and so on. */
  | { readonly type: 'impersonate'; readonly params: undefined }
  /** XFORWARD: keep what it says. */
  | { readonly type: 'keepForwarded'; readonly params: undefined }
  | { readonly type: 'close'; readonly params: undefined }
  | { readonly type: 'closed'; readonly params: undefined };
