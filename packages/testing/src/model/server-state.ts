/** Where a server may stand, as the model sees it, and what it may reply next. */

export interface Transaction {
  /** The mailbox of the reverse-path; empty for the null one. */
  readonly from: string;
  /** The accepted recipients. */
  readonly recipients: readonly string[];
  /** Octets of the chunks of BDAT that were accepted; undefined before the first. */
  readonly chunks: Uint8Array | undefined;
  /** BODY=BINARYMIME. */
  readonly binary: boolean;
  /** BODY=8BITMIME or BINARYMIME, or SMTPUTF8. */
  readonly eightBit: boolean;
  readonly utf8: boolean;
  /** A chunk was refused: whether the mail transaction goes on is left open (RFC 3030 §2). */
  readonly failed: boolean;
}

/** A message that the server has said it takes. */
export interface StoredMessage {
  readonly from: string;
  readonly recipients: readonly string[];
  /** Transparency undone. */
  readonly content: Uint8Array;
  /** It holds a bare CR, a bare LF or a NUL: a server that takes it may have mended it. */
  readonly malformed: boolean;
}

export interface ServerModelState {
  readonly phase: 'connecting' | 'refused' | 'serving' | 'exchange' | 'mailData' | 'securing' | 'over';
  /** How the client has introduced itself; LHLO counts as EHLO. */
  readonly hello: 'none' | 'HELO' | 'EHLO';
  /** The keywords of the last EHLO, in capitals, with what stands after them. */
  readonly offers: ReadonlyMap<string, string>;
  readonly secure: boolean;
  readonly authenticated: boolean;
  readonly transaction: Transaction | undefined;
  /** The AUTH exchange under way. */
  readonly exchange: { readonly mechanism: string; readonly responses: readonly string[] } | undefined;
  readonly stored: readonly StoredMessage[];
  /** The reply that is due. */
  readonly due: Expectation | undefined;
}

/** A reply as the model takes it. */
export interface ModelReply {
  readonly code: number;
  /** The text of each line, an enhanced status code included. */
  readonly lines: readonly string[];
}

/** A reply that is allowed, and where the server stands after it. */
export interface Answer {
  /** A set of codes as people write it: `250 or 251`, `5yz`. */
  readonly codes: string;
  readonly next: (reply: ModelReply) => ServerModelState;
}

export interface Expectation {
  /** The rule. */
  readonly clause: string;
  readonly answers: readonly Answer[];
  /** What is wrong with a reply whose code is allowed. */
  readonly flawOf?: (reply: ModelReply) => string | undefined;
}

export function matchesCodes(codes: string, code: number): boolean {
  return codes.split(' or ').some((each) => {
    const digits = String(code);
    return each.endsWith('yz') ? digits[0] === each[0] : digits === each;
  });
}

export const FIRST_STATE: Omit<ServerModelState, 'due'> = {
  phase: 'connecting',
  hello: 'none',
  offers: new Map(),
  secure: false,
  authenticated: false,
  transaction: undefined,
  exchange: undefined,
  stored: [],
};

/** Nothing is due any more, and this has changed. */
export const moved = (state: ServerModelState, change: Partial<ServerModelState> = {}): ServerModelState => ({
  ...state,
  due: undefined,
  ...change,
});

/** What the model knows of the server that it judges. */
export interface ServerFacts {
  /** @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp';
  /**
   * The server refuses what the grammar lacks, and keeps no policy of its own: whatever is well-formed and for a mailbox
   * that it `takes` is accepted. Else it may be as liberal as it likes, and refuse for reasons that nobody knows.
   * @default false
   */
  readonly strict?: boolean;
  /**
   * Whether it takes mail for a recipient.
   * @default nobody knows
   */
  readonly takes?: (recipient: string) => boolean | undefined;
  /**
   * Whether it stores a message for a recipient whom it took: with LMTP each has a reply of its own.
   * @default it does
   */
  readonly stores?: (recipient: string) => boolean | undefined;
  /**
   * Names and passwords.
   * @default nobody knows
   */
  readonly users?: Readonly<Record<string, string>>;
}
