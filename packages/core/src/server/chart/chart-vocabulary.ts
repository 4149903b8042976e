/**
 * The words of the server chart: the guards that ask, the actions that count, and the delays. An
 * action without a body is an effect, which the session performs.
 */
import { assign, setup } from '../../chart/machine/definition.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Question } from '../decisions/questions.js';
import type { ReplyName } from '../decisions/replies.js';
import type { ServerChartInput, ServerContext } from './chart-context.js';
import type { ServerChartEvent } from './chart-events.js';

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
  helloMissing: ({ context }) => !context.introduced && !context.lenient,
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
    refusedBeforeInLmtp: ({ context }) => context.refused && context.lmtp,
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
    aboutAddress: ({ event }) => 'aboutAddress' in event && event.aboutAddress === true,
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
    refuseMessage: (_, _params: { readonly reply: Reply | undefined }) => {},
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
