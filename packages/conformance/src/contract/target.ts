/** The server under test, as a case sees it. */
import type { Dialogue } from '../dialogue/dialogue.js';
import type { Survey } from './survey.js';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A message that the server has stored. */
export interface StoredTestMessage {
  /** The mail data, transparency undone; the server may have put lines of its own before it (RFC 5321 §4.4). */
  readonly content: Uint8Array;
  /** The mailboxes of the forward-paths, where they can be told. */
  readonly recipients?: readonly string[];
}

export interface Target {
  readonly protocol: 'smtp' | 'lmtp';
  /** EHLO, or LHLO, with our name. */
  readonly helloLine: string;
  /** Mailboxes of the test messages, without angle brackets. */
  readonly from: string;
  readonly to: string;
  readonly credentials: Credentials | undefined;
  readonly survey: Survey;
  /** A connection on which nothing was read yet. */
  connect(): Promise<Dialogue>;
  /** Likewise, under TLS from the first octet on; only where a case needs `implicit TLS`. */
  connectTls(): Promise<Dialogue>;
  /** A connection after its 220. */
  greeted(): Promise<Dialogue>;
  /** After EHLO, in the clear, without AUTH. */
  hello(): Promise<Dialogue>;
  /** After EHLO, under TLS and authenticated where the server takes no mail before: MAIL may come. */
  ready(): Promise<Dialogue>;
  /** After MAIL. */
  mailed(parameters?: string): Promise<Dialogue>;
  /** After MAIL and RCPT. */
  addressed(): Promise<Dialogue>;
  /** After DATA and its 354. */
  receiving(): Promise<Dialogue>;
  /** `MAIL FROM:<from>`, with parameters if given. */
  mail(parameters?: string): string;
  /** `RCPT TO:<to>`, with parameters if given. */
  rcpt(parameters?: string): string;
  /** Whether `received` says anything. */
  readonly canSeeMessages: boolean;
  /**
   * The messages that the server has stored since this was last asked, in order.
   * @throws {CannotJudge} (rejects) nobody can see them: name the need `stored messages` in the case
   */
  received(): Promise<readonly StoredTestMessage[]>;
  /** Waits until we may log in wrongly again: twice a minute at most, over all cases. Call it before each wrong login. */
  turnToFailLogin(): Promise<void>;
}
