/**
 * The words of the server chart: what it remembers, the guards that ask, the actions that count, and the delays. An
 * action without a body is an effect, which the session performs.
 */
import { assign, setup } from 'xstate';
import type { Reply } from '../wire/reply.js';
import type { ServerChartEvent } from './chart-events.js';
import type { Question } from './messages.js';
import type { ReplyName } from './replies.js';

/** Deadlines in milliseconds. */
export interface ServerTimeouts {
  /** For the client's next command (RFC 5321 §4.5.3.2.7). */
  readonly idle: number;
  /** For the client's next piece of mail data. */
  readonly mailData: number;
  /** For the application's answer, and the host's. */
  readonly decision: number;
  /** For the TLS handshake. */
  readonly handshake: number;
  /** For the client to close after we did. */
  readonly linger: number;
}

export interface ServerChartInput {
  readonly timeouts: ServerTimeouts;
  /** Recipients of one mail transaction. */
  readonly maximumRecipients: number;
  /** Consecutive errors. */
  readonly maximumErrors: number;
  /** Refused AUTH exchanges. */
  readonly maximumAuthenticationFailures: number;
  /** TLS protects the connection. */
  readonly secured: boolean;
  /** Nothing is served before STARTTLS. */
  readonly tlsRequired: boolean;
  /** No mail is taken before AUTH. */
  readonly authenticationRequired: boolean;
}

export interface ServerContext extends ServerChartInput {
  /** EHLO or HELO was accepted. */
  readonly introduced: boolean;
  /** MAIL was accepted, and its mail transaction is not over. */
  readonly open: boolean;
  /** RCPTs accepted in this mail transaction. */
  readonly recipients: number;
  /** The MAIL before this command was refused, or a RCPT in this mail transaction, or the message amid its chunks. */
  readonly refused: boolean;
  /** Errors since the last command that was accepted. */
  readonly errors: number;
  /** The message of this mail transaction comes by BDAT. */
  readonly chunking: boolean;
  /** AUTH has succeeded. */
  readonly authenticated: boolean;
  /** AUTH exchanges refused in this session. */
  readonly authenticationFailures: number;
}

interface GuardArguments {
  readonly context: ServerContext;
  readonly event: ServerChartEvent;
}

type Condition = (given: GuardArguments) => boolean;

const lastError: Condition = ({ context }) => context.errors + 1 >= context.maximumErrors;

/** What makes a command, or a response, an error of the client's where it would be none otherwise. */
const faults = {
  parametersRefused: ({ event }) => 'refusal' in event && event.refusal !== undefined,
  secured: ({ context }) => context.secured,
  tlsMissing: ({ context }) => context.tlsRequired && !context.secured,
  authenticationMissing: ({ context }) => context.authenticationRequired && !context.authenticated,
  authenticated: ({ context }) => context.authenticated,
  notIntroduced: ({ context }) => !context.introduced,
  responseMalformed: ({ event }) => 'next' in event && event.next === 'malformed',
} as const satisfies Record<string, Condition>;

export type Fault = keyof typeof faults;

/** Each fault as the client's last error: `giveUpAt` says what happens then. A name each, for pictures show names. */
const faultsOnceTooOften = Object.fromEntries(
  Object.entries<Condition>(faults).map(([name, holds]): [string, Condition] => [
    `${name}OnceTooOften`,
    (given) => holds(given) && lastError(given),
  ]),
) as { readonly [Name in Fault as `${Name}OnceTooOften`]: Condition };

export const vocabulary = setup({
  types: {
    context: {} as ServerContext,
    events: {} as ServerChartEvent,
    input: {} as ServerChartInput,
  },
  guards: {
    lastError,
    ...faults,
    ...faultsOnceTooOften,
    recipientLimitReached: ({ context }) => context.recipients >= context.maximumRecipients,
    refusedBefore: ({ context }) => context.refused,
    refusedBeforeTls: (given) => given.context.refused && faults.tlsMissing(given),
    declaredTooLarge: ({ event }) => 'refusal' in event && event.refusal?.code === 552,
    recipientsAccepted: ({ context }) => context.recipients > 0,
    transactionOpen: ({ context }) => context.open,
    introduced: ({ context }) => context.introduced,
    // RFC 5321 §3.8: a server may close the channel in reply to any command, and says so by 421.
    endsSession: ({ event }) => event.type === 'rejected' && event.code === 421,
    malformed: ({ event }) => 'flaw' in event && event.flaw === 'malformed',
    tooLarge: ({ event }) => 'flaw' in event && event.flaw === 'tooLarge',
    lastChunk: ({ event }) => event.type === 'endOfChunk' && event.last,
    chunking: ({ context }) => context.chunking,
    framingLost: ({ event }) => event.type === 'badCommand' && event.fatal === true,
    plaintextFollows: ({ event }) => event.type === 'accepted' && event.plaintextFollows === true,
    challengeNext: ({ event }) => 'next' in event && event.next === 'challenge',
    computationNext: ({ event }) => 'next' in event && event.next === 'computation',
    credentialsNext: ({ event }) => 'next' in event && event.next === 'credentials',
    decisionNext: ({ event }) => 'next' in event && event.next === 'decision',
    succeeded: ({ event }) => 'next' in event && event.next === 'success',
    undecidable: ({ event }) => 'next' in event && event.next === 'unavailable',
    lastAuthenticationFailure: ({ context }) =>
      context.authenticationFailures + 1 >= context.maximumAuthenticationFailures,
  },
  actions: {
    reply: (_, _params: { readonly reply: ReplyName }) => {},
    refuse: (_, _params: { readonly reply: Reply | undefined }) => {},
    ask: (_, _params: { readonly question: Question['kind'] }) => {},
    answer: () => {},
    introduce: () => {},
    openTransaction: () => {},
    addRecipient: () => {},
    endTransaction: () => {},
    receiveMailData: () => {},
    receiveChunk: () => {},
    refuseMessage: (_, _params: { readonly reply: ReplyName }) => {},
    upgradeTls: () => {},
    forget: () => {},
    challenge: () => {},
    compute: () => {},
    admitClient: () => {},
    turnAway: () => {},
    impersonate: () => {},
    keepForwarded: () => {},
    close: () => {},
    closed: () => {},
    countError: assign({ errors: ({ context }) => context.errors + 1 }),
    forgetErrors: assign({ errors: 0 }),
    markIntroduced: assign({ introduced: true }),
    markOpen: assign({ open: true, recipients: 0, refused: false, chunking: false }),
    markOver: assign({ open: false, recipients: 0, refused: false, chunking: false }),
    markChunking: assign({ chunking: true }),
    markSecured: assign({ secured: true }),
    markNew: assign({ introduced: false, authenticated: false, refused: false }),
    markAuthenticated: assign({ authenticated: true }),
    countAuthenticationFailure: assign({
      authenticationFailures: ({ context }) => context.authenticationFailures + 1,
    }),
    forgetAuthenticationFailures: assign({ authenticationFailures: 0 }),
    countRecipient: assign({ recipients: ({ context }) => context.recipients + 1 }),
    markRefused: assign({ refused: true }),
  },
  delays: {
    idle: ({ context }) => context.timeouts.idle,
    mailData: ({ context }) => context.timeouts.mailData,
    decision: ({ context }) => context.timeouts.decision,
    handshake: ({ context }) => context.timeouts.handshake,
    linger: ({ context }) => context.timeouts.linger,
  },
});
