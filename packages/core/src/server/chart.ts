/**
 * The server's side of an SMTP session: what is legal when.
 *
 * Theory of operation
 * -------------------
 * The client sends a command, the server replies, one reply for each command and in their order (RFC 5321
 * §2.1). Between the two the application may have to decide: that is a state of its own here, entered with the
 * effect `ask` and left by `accepted` or `rejected`. So a state of this chart is one of three kinds:
 *
 * - waiting for the client: `refused`, `greeted`, `ready`, `challenged`, `opened`, `addressed`, `chunked`, and
 *   `receiving` and `receivingChunk`. The deadline is `idle`, or `mailData` while mail data arrives;
 * - waiting for our own side. For the application: `connecting`, `identifying`, `verifying`, `expanding`,
 *   `helping`, `turning`, `extending`, `permittingTls`, `retrieving`, `judging`, `opening`, `addressing`,
 *   `initiating`, `initiatingChunks`, `committing`; for the host: `computing`. The deadline is `decision`. And for
 *   the TLS handshake, which is the transport's: `securing`, with the deadline `handshake`;
 * - waiting for the end: `closing`, until the client closes too or `linger` is over. Then `closed`.
 *
 * `command.VERB` is a well-formed command of an extension that is there, `badCommand` one that is not, and carries
 * its reply. A command that is not legal in a state is refused there by name: nothing is ignored.
 *
 * An AUTH exchange (RFC 4954) is a loop: what the mechanism wants next comes with the event that moved it on, as
 * `next`, and leads to the state that gets it. What a mechanism wants when, the chart does not know.
 *
 * A message comes whole behind DATA, or in chunks behind BDAT (RFC 3030), each of which has its reply; the last one
 * is answered for the message.
 *
 * Invariants
 * ----------
 * 1. The chart rules legality and nothing else. Whether a mailbox exists, and what a reply says, is the
 *    application's; what an envelope holds, the session keeps. The chart counts.
 * 2. A command never arrives while the application decides: the session holds back what the client pipelines.
 *    `peerClosed` and `shutdown` are held back too, and while mail data arrives (`shutdown` also between two chunks
 *    of it), for a message under way may finish (RFC 5321 §4.1.1.5, §4.1.1.10). Only `connectionLost` and deadlines come at any time.
 * 3. Every command that reaches the chart makes it reply exactly once: by `reply`, or by `answer` once decided.
 * 4. `open` holds from an accepted MAIL to the end of its mail transaction, and `recipients` counts the accepted
 *    RCPTs in it; both are nothing in `greeted` and `ready`. `chunking` holds from its first BDAT on.
 *    `errors` counts what the client did wrong, never what the application refused, nor what a pipelining client
 *    sent behind a refused MAIL, RCPT or chunk before it could know (RFC 2920 §3.1).
 * 5. Mail data does not pass through here. The session frames it and says `endOfMailData` or `endOfChunk`, once.
 *    It also reads away the octets behind a BDAT that is refused, before the reply goes out.
 * 6. What was said before TLS counts for nothing after it (RFC 3207 §4.2): `secured` is kept, for good, and the count
 *    of refused AUTH exchanges. Nothing leads into `securing` while octets of the client's are held.
 * 7. `authenticated` holds from a 235, or from LOGIN of XCLIENT, to the end of the session, or to STARTTLS or XCLIENT,
 *    which begin it anew.
 *
 * What stands below: the vocabulary (events, context, guards, actions), the refusals, and the chart itself.
 */
import { assign, setup } from 'xstate';
import type { Command } from '../wire/command.js';
import type { Reply } from '../wire/reply.js';
import type { Question } from './messages.js';
import type { ReplyName } from './replies.js';

/** Where a server session stands: the leaf states of the chart. */
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
      readonly next?: AuthenticationNext;
    }
  /** `fatal`: nobody can tell where the next command begins. */
  | { readonly type: 'badCommand'; readonly refusal: Reply; readonly fatal?: true }
  /** `plaintextFollows`: the client has sent more behind STARTTLS. */
  | {
      readonly type: 'accepted';
      readonly next?: AuthenticationNext;
      readonly plaintextFollows?: true;
    }
  | { readonly type: 'rejected'; readonly code: number; readonly next?: AuthenticationNext }
  | { readonly type: 'response' | 'computed'; readonly next: AuthenticationNext }
  /** `badResponse`: the line is no response. */
  | { readonly type: 'cancel' }
  | { readonly type: 'badResponse'; readonly refusal: Reply }
  /** `plaintext`: octets came in the clear where the TLS handshake is awaited. */
  | { readonly type: 'tlsEstablished' | 'tlsFailed' | 'plaintext' }
  | { readonly type: 'endOfMailData'; readonly flaw?: 'malformed' | 'tooLarge' }
  | { readonly type: 'endOfChunk'; readonly last: boolean; readonly flaw?: 'malformed' | 'tooLarge' }
  | { readonly type: 'peerClosed' | 'connectionLost' | 'shutdown' };

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
  /** A reply of the server's own to a message; in LMTP, to each recipient. */
  | { readonly type: 'refuseMessage'; readonly params: { readonly reply: ReplyName } }
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

type Fault = keyof typeof faults;

/** Each fault as the client's last error: `giveUpAt` says what happens then. A name each, for pictures show names. */
const faultsOnceTooOften = Object.fromEntries(
  Object.entries<Condition>(faults).map(([name, holds]): [string, Condition] => [
    `${name}OnceTooOften`,
    (given) => holds(given) && lastError(given),
  ]),
) as { readonly [Name in Fault as `${Name}OnceTooOften`]: Condition };

const vocabulary = setup({
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

const CLOSING = '#server.closing';
const READY = '#server.session.ready';
const TRANSACTION = '#server.session.transaction';
const AUTHENTICATING = '#server.session.authenticating';

const reply = <const Name extends ReplyName>(name: Name) =>
  ({ type: 'reply', params: { reply: name } }) as const;
const ask = <const Kind extends Question['kind']>(question: Kind) =>
  ({ type: 'ask', params: { question } }) as const;

/** After `maximumErrors` errors in a row the session ends: no client at work makes so many. */
const giveUp = {
  guard: 'lastError',
  target: CLOSING,
  actions: reply('tooManyErrors'),
  description: 'RFC 5321 §3.8, RFC 3463 X.7.0',
} as const;

/** The same, where the error is a fault. It stands before the transition that the fault leads to otherwise. */
const giveUpAt = <const Name extends Fault>(fault: Name) =>
  ({ ...giveUp, guard: `${fault}OnceTooOften` }) as const;

/** Refuses a command that is not legal here; the session goes on where it stands. */
const refuseWith = <const Name extends ReplyName>(name: Name, description: string) =>
  [giveUp, { actions: ['countError', reply(name)], description }] as const;

/** The reply that came with the event. */
const refuse = {
  type: 'refuse',
  params: ({ event }: { event: ServerChartEvent }) => ({
    reply: 'refusal' in event ? event.refusal : undefined,
  }),
} as const;

const endWhereFramingIsLost = {
  guard: 'framingLost',
  target: CLOSING,
  actions: refuse,
  description: 'RFC 3030 §2: how many octets follow is not known, and they are no commands',
} as const;

/** A line that is no command, or whose argument is wrong. */
const refuseLine = [
  endWhereFramingIsLost,
  giveUp,
  { actions: ['countError', refuse], description: 'RFC 5321 §4.2.2, §4.2.4' },
] as const;

/** A MAIL or RCPT whose parameters no offered service extension defines, or whose values are wrong. */
const refuseParameters = [
  // The command is as it should be; the message is too large, as the message itself would be found to be.
  { guard: 'declaredTooLarge', actions: ['markRefused', refuse], description: 'RFC 1870 §6.1' },
  giveUpAt('parametersRefused'),
  {
    guard: 'parametersRefused',
    actions: ['countError', 'markRefused', refuse],
    description: 'RFC 5321 §4.1.1.11',
  },
] as const;

/** A command whose argument was refused, or that this client may not give. */
const refuseCommand = [
  giveUpAt('parametersRefused'),
  { guard: 'parametersRefused', actions: ['countError', refuse], description: 'RFC 5321 §4.2.2, §4.2.4' },
] as const;

/** Refuses a command for what came before it, or did not; the session goes on where it stands. */
const refuseWhen = <const Guard extends Fault, const Name extends ReplyName>(
  guard: Guard,
  name: Name,
  description: string,
) => [giveUpAt(guard), { guard, actions: ['countError', reply(name)], description }] as const;

/** Refuses MAIL so: what a client has pipelined behind it is no further error (RFC 2920 §3.1). */
const refuseMailWhen = <const Guard extends Fault, const Name extends ReplyName>(
  guard: Guard,
  name: Name,
  description: string,
) => [giveUpAt(guard), { guard, actions: ['countError', 'markRefused', reply(name)], description }] as const;

/** Where STARTTLS is required, all else but EHLO, NOOP and QUIT is refused before it. */
const tlsFirst = refuseWhen('tlsMissing', 'tlsRequired', 'RFC 3207 §4');

const authenticationFirst = refuseWhen(
  'authenticationMissing',
  'authenticationRequired',
  'RFC 4954 §6, RFC 6409 §4.3',
);

/** What opens a mail transaction, or belongs to one, before the client has said who it is. */
const helloFirst = [...tlsFirst, ...refuseWith('helloFirst', 'RFC 5321 §4.1.4')] as const;

/** A pipelining client sends RCPT and DATA before it learns that MAIL was refused: no error of its own. */
const behindRefusedMail = [
  { guard: 'refusedBeforeTls', actions: reply('tlsRequired'), description: 'RFC 3207 §4, RFC 2920 §3.1' },
  { guard: 'refusedBefore', actions: reply('mailFirst'), description: 'RFC 2920 §3.1' },
] as const;

/** What belongs to a mail transaction, where none is open. */
const mailFirst = (description: string) =>
  [...behindRefusedMail, ...tlsFirst, ...refuseWith('mailFirst', description)] as const;

/** What brings the message, where no recipient was accepted. A pipelining client sends it before it learns that. */
const recipientFirst = (description: string) =>
  [
    {
      guard: 'refusedBefore',
      actions: reply('noValidRecipients'),
      description: `${description}, RFC 2920 §3.1`,
    },
    ...refuseWith('rcptFirst', description),
  ] as const;

/** The application's reply ends the session. */
const endSession = {
  guard: 'endsSession',
  target: CLOSING,
  actions: 'answer',
  description: 'RFC 5321 §3.8',
} as const;

/**
 * Back to where the dialogue stood: VRFY, EXPN and HELP may come at any time, and a refused EHLO changes nothing. A
 * history state would say the same, but hides in a picture where it leads; invariant 4 says that the context knows.
 */
const backToDialogue = <const Actions>(actions: Actions) => {
  const description = 'RFC 5321 §4.1.4';
  return [
    { guard: 'chunking', target: `${TRANSACTION}.chunked`, actions, description },
    { guard: 'recipientsAccepted', target: `${TRANSACTION}.addressed`, actions, description },
    { guard: 'transactionOpen', target: `${TRANSACTION}.opened`, actions, description },
    { guard: 'introduced', target: READY, actions, description },
    { target: '#server.session.greeted', actions, description },
  ] as const;
};

/** A question that changes nothing in the dialogue. */
const inquiry = <const Kind extends 'verify' | 'expand' | 'help' | 'etrn' | 'extension'>(question: Kind) =>
  ({
    entry: ask(question),
    after: { decision: takenTooLong },
    on: {
      accepted: backToDialogue(['forgetErrors', 'answer']),
      rejected: [endSession, ...backToDialogue('answer')],
    },
  }) as const;

/** The application did not decide in time. The client learns that it may try again later. */
const takenTooLong = {
  target: CLOSING,
  actions: reply('decisionTimeout'),
  description: 'RFC 5321 §3.8',
} as const;

const idleTooLong = {
  target: CLOSING,
  actions: reply('idleTimeout'),
  description: 'RFC 5321 §4.5.3.2.7',
} as const;

/** Where an AUTH exchange goes on, by what its mechanism wants next. */
const authenticationGoesOn = [
  {
    guard: 'challengeNext',
    target: `${AUTHENTICATING}.challenged`,
    reenter: true,
    actions: 'challenge',
    description: 'RFC 4954 §4: 334',
  },
  {
    guard: 'computationNext',
    target: `${AUTHENTICATING}.computing`,
    reenter: true,
    description: 'RFC 5802 §3, RFC 2195 §2',
  },
  {
    guard: 'credentialsNext',
    target: `${AUTHENTICATING}.retrieving`,
    description: 'RFC 5802 §5, RFC 2195 §2',
  },
  { guard: 'decisionNext', target: `${AUTHENTICATING}.judging`, description: 'RFC 4422 §3.4.1' },
  {
    guard: 'succeeded',
    target: READY,
    actions: ['forgetErrors', 'markAuthenticated', 'admitClient'],
    description: 'RFC 4954 §4: 235',
  },
  giveUpAt('responseMalformed'),
  {
    guard: 'responseMalformed',
    target: READY,
    actions: ['countError', reply('malformedResponse')],
    description: 'RFC 4954 §4, §6: 501',
  },
  // The service failed, not the client.
  { guard: 'undecidable', target: READY, actions: 'turnAway', description: 'RFC 4954 §6: 454' },
  {
    guard: 'lastAuthenticationFailure',
    target: CLOSING,
    actions: reply('tooManyAuthenticationFailures'),
    description: 'RFC 4954 §4, §9',
  },
  {
    target: READY,
    actions: ['countAuthenticationFailure', 'turnAway'],
    description: 'RFC 4954 §6: 535',
  },
] as const;

/** Flaws of a message, whichever way it came. */
const flawedMessage = <const Actions extends readonly ('endTransaction' | 'markOver' | 'markRefused')[]>(
  ...actions: Actions
) =>
  [
    {
      guard: 'malformed',
      target: READY,
      actions: [{ type: 'refuseMessage', params: { reply: 'malformedMailData' } }, ...actions],
      description: 'RFC 5321 §2.3.8, §4.1.1.4',
    },
    {
      guard: 'tooLarge',
      target: READY,
      actions: [{ type: 'refuseMessage', params: { reply: 'mailDataTooLarge' } }, ...actions],
      description: 'RFC 5321 §4.5.3.1.9, RFC 1870 §6.3',
    },
  ] as const;

const noMailData = {
  target: CLOSING,
  actions: reply('mailDataTimeout'),
  description: 'RFC 5321 §4.5.3.2.5',
} as const;

const shutDown = { target: CLOSING, actions: reply('shuttingDown'), description: 'RFC 5321 §3.8' } as const;

const quit = { target: CLOSING, actions: reply('closing'), description: 'RFC 5321 §4.1.1.10' } as const;

const peerClosed = { target: '#server.closed', description: 'RFC 5321 §4.1.1.10' } as const;

/** RCPT is the same command before and after the first recipient was accepted. */
const rcpt = [
  ...refuseParameters,
  {
    guard: 'recipientLimitReached',
    actions: reply('tooManyRecipients'),
    description: 'RFC 5321 §4.5.3.1.10',
  },
  { target: `${TRANSACTION}.addressing`, description: 'RFC 5321 §4.1.1.3' },
] as const;

export const serverMachine = vocabulary.createMachine({
  id: 'server',
  context: ({ input }) => ({
    ...input,
    introduced: false,
    open: false,
    recipients: 0,
    refused: false,
    errors: 0,
    chunking: false,
    authenticated: false,
    authenticationFailures: 0,
  }),
  initial: 'connecting',
  on: {
    connectionLost: { target: '.closed', description: 'RFC 5321 §4.1.1.10' },
  },
  states: {
    connecting: {
      description: 'The application decides whether to serve this client.',
      entry: ask('connect'),
      after: { decision: takenTooLong },
      on: {
        accepted: { target: 'session', actions: 'answer', description: 'RFC 5321 §3.1, §4.3.1' },
        rejected: [endSession, { target: 'refused', actions: 'answer', description: 'RFC 5321 §3.1' }],
      },
    },

    refused: {
      description: 'Greeted by 554: nothing but QUIT is served.',
      after: { idle: idleTooLong },
      on: {
        'command.QUIT': quit,
        'command.*': refuseWith('refusedHere', 'RFC 5321 §3.1'),
        badCommand: [endWhereFramingIsLost, ...refuseWith('refusedHere', 'RFC 5321 §3.1')],
        shutdown: shutDown,
        peerClosed,
      },
    },

    session: {
      initial: 'greeted',
      on: {
        'command.EHLO': { target: '.identifying', description: 'RFC 5321 §4.1.1.1, §4.1.4' },
        // It leads to no STARTTLS, which is an extension.
        'command.HELO': [...tlsFirst, { target: '.identifying', description: 'RFC 5321 §4.1.1.1' }],
        'command.LHLO': { target: '.identifying', description: 'RFC 2033 §4.1' },
        'command.NOOP': { actions: ['forgetErrors', reply('ok')], description: 'RFC 5321 §4.1.1.9' },
        'command.RSET': [
          ...tlsFirst,
          {
            actions: ['forgetErrors', 'endTransaction', 'markOver', reply('ok')],
            description: 'RFC 5321 §4.1.1.5',
          },
        ],
        'command.VRFY': [
          ...tlsFirst,
          ...authenticationFirst,
          { target: '.verifying', description: 'RFC 5321 §3.5, §4.1.1.6' },
        ],
        'command.EXPN': [
          ...tlsFirst,
          ...authenticationFirst,
          { target: '.expanding', description: 'RFC 5321 §3.5, §4.1.1.7' },
        ],
        'command.HELP': [...tlsFirst, { target: '.helping', description: 'RFC 5321 §4.1.1.8' }],
        'command.STARTTLS': [
          ...refuseWhen('secured', 'tlsActive', 'RFC 3207 §4.2'),
          ...refuseWhen('notIntroduced', 'helloFirst', 'RFC 3207 §4'),
          { target: '.permittingTls', description: 'RFC 3207 §4' },
        ],
        'command.XCLIENT': [
          ...tlsFirst,
          ...refuseCommand,
          {
            guard: 'succeeded',
            target: '#server.connecting',
            actions: [
              'forgetErrors',
              'forgetAuthenticationFailures',
              'forget',
              'markNew',
              'markAuthenticated',
              'impersonate',
            ],
            description: 'Postfix XCLIENT_README: with the attribute LOGIN',
          },
          {
            target: '#server.connecting',
            actions: ['forgetErrors', 'forgetAuthenticationFailures', 'forget', 'markNew', 'impersonate'],
            description: 'Postfix XCLIENT_README: as if the client had connected anew',
          },
        ],
        'command.XFORWARD': [
          ...tlsFirst,
          ...refuseCommand,
          {
            actions: ['forgetErrors', 'keepForwarded', reply('ok')],
            description: 'Postfix XFORWARD_README',
          },
        ],
        'command.ETRN': [
          ...tlsFirst,
          ...authenticationFirst,
          ...refuseWhen('notIntroduced', 'helloFirst', 'RFC 1985 §5.3'),
          { target: '.turning', description: 'RFC 1985 §5.3' },
        ],
        'command.extension': [
          ...tlsFirst,
          ...refuseWhen('notIntroduced', 'helloFirst', 'RFC 5321 §2.2.1, §4.1.4'),
          { target: '.extending', description: 'RFC 5321 §2.2.2' },
        ],
        'command.QUIT': quit,
        'command.*': refuseWith('badSequence', 'RFC 5321 §4.1.4'),
        badCommand: refuseLine,
        shutdown: shutDown,
        peerClosed,
      },
      states: {
        greeted: {
          description: 'The client has yet to say who it is.',
          after: { idle: idleTooLong },
          on: {
            'command.MAIL': helloFirst,
            'command.RCPT': helloFirst,
            'command.DATA': helloFirst,
            'command.BDAT': helloFirst,
            'command.AUTH': helloFirst,
          },
        },

        identifying: {
          description: 'The application decides on EHLO, HELO or LHLO.',
          entry: ask('hello'),
          after: { decision: takenTooLong },
          on: {
            // An accepted EHLO ends an open mail transaction as RSET does; a refused one changes nothing.
            accepted: {
              target: 'ready',
              actions: [
                'forgetErrors',
                'endTransaction',
                'markOver',
                'markIntroduced',
                'introduce',
                'answer',
              ],
              description: 'RFC 5321 §4.1.4',
            },
            rejected: [endSession, ...backToDialogue('answer')],
          },
        },

        verifying: inquiry('verify'),
        expanding: inquiry('expand'),
        helping: inquiry('help'),
        turning: inquiry('etrn'),
        extending: inquiry('extension'),

        permittingTls: {
          description: 'Whether TLS can be had is decided.',
          entry: ask('startTls'),
          after: { decision: takenTooLong },
          on: {
            accepted: [
              {
                guard: 'plaintextFollows',
                target: CLOSING,
                actions: reply('plaintextInjected'),
                description: 'RFC 3207 §4.2, §6, CVE-2011-0411',
              },
              { target: 'securing', actions: ['answer', 'upgradeTls'], description: 'RFC 3207 §4: 220' },
            ],
            rejected: [endSession, ...backToDialogue('answer')],
          },
        },

        securing: {
          description: 'The TLS handshake is under way; no octet in the clear is looked at.',
          after: { handshake: { target: '#server.closed', description: 'RFC 3207 §4.1' } },
          on: {
            tlsEstablished: {
              target: 'greeted',
              actions: ['forgetErrors', 'forget', 'markNew', 'markOver', 'markSecured'],
              description: 'RFC 3207 §4.2',
            },
            tlsFailed: { target: '#server.closed', description: 'RFC 3207 §4.1' },
            plaintext: { target: '#server.closed', description: 'RFC 3207 §6, CVE-2011-0411' },
          },
        },

        authenticating: {
          initial: 'challenged',
          states: {
            challenged: {
              description: "The client's response is awaited.",
              after: { idle: idleTooLong },
              on: {
                response: authenticationGoesOn,
                // An error like others: each exchange may have looked up a user.
                cancel: [
                  giveUp,
                  {
                    target: READY,
                    actions: ['countError', reply('authenticationCancelled')],
                    description: 'RFC 4954 §4: 501',
                  },
                ],
                badResponse: [
                  giveUp,
                  {
                    target: READY,
                    actions: ['countError', refuse],
                    description: 'RFC 4954 §4, §6: 501, 500',
                  },
                ],
              },
            },
            computing: {
              description: 'The host computes a digest, or draws a nonce.',
              entry: 'compute',
              after: { decision: takenTooLong },
              on: { computed: authenticationGoesOn },
            },
            retrieving: {
              description: 'The application looks up what it knows of the user.',
              entry: ask('credentials'),
              after: { decision: takenTooLong },
              on: { accepted: authenticationGoesOn, rejected: [endSession, ...authenticationGoesOn] },
            },
            judging: {
              description: 'The application decides whether to let the user in.',
              entry: ask('authenticate'),
              after: { decision: takenTooLong },
              on: { accepted: authenticationGoesOn, rejected: [endSession, ...authenticationGoesOn] },
            },
          },
        },

        ready: {
          description: 'No mail transaction is under way.',
          after: { idle: idleTooLong },
          on: {
            'command.MAIL': [
              ...refuseMailWhen('tlsMissing', 'tlsRequired', 'RFC 3207 §4'),
              ...refuseMailWhen(
                'authenticationMissing',
                'authenticationRequired',
                'RFC 4954 §6, RFC 6409 §4.3',
              ),
              ...refuseParameters,
              { target: 'transaction', description: 'RFC 5321 §3.3, §4.1.1.2' },
            ],
            'command.RCPT': mailFirst('RFC 5321 §3.3'),
            'command.DATA': mailFirst('RFC 5321 §3.3'),
            'command.BDAT': mailFirst('RFC 3030 §2'),
            'command.AUTH': [
              ...tlsFirst,
              ...refuseWhen('authenticated', 'authenticatedAlready', 'RFC 4954 §4'),
              ...refuseCommand,
              ...authenticationGoesOn,
            ],
          },
        },

        transaction: {
          initial: 'opening',
          on: {
            'command.RSET': {
              target: 'ready',
              actions: ['forgetErrors', 'endTransaction', 'markOver', reply('ok')],
              description: 'RFC 5321 §4.1.1.5',
            },
            'command.MAIL': refuseWith('transactionOpen', 'RFC 5321 §4.1.4'),
            'command.AUTH': refuseWith('transactionOpen', 'RFC 4954 §4'),
            'command.STARTTLS': refuseWith('transactionOpen', 'RFC 3207 §4'),
            'command.ETRN': refuseWith('transactionOpen', 'RFC 1985 §5.3'),
            'command.XCLIENT': refuseWith('transactionOpen', 'Postfix XCLIENT_README'),
            'command.XFORWARD': refuseWith('transactionOpen', 'Postfix XFORWARD_README'),
          },
          states: {
            opening: {
              description: 'The application decides on MAIL.',
              entry: ask('mail'),
              after: { decision: takenTooLong },
              on: {
                accepted: {
                  target: 'opened',
                  actions: ['forgetErrors', 'openTransaction', 'markOpen', 'answer'],
                  description: 'RFC 5321 §3.3',
                },
                rejected: [
                  endSession,
                  { target: READY, actions: ['markRefused', 'answer'], description: 'RFC 5321 §3.3' },
                ],
              },
            },

            opened: {
              description: 'A mail transaction without a recipient.',
              after: { idle: idleTooLong },
              on: {
                'command.RCPT': rcpt,
                'command.DATA': recipientFirst('RFC 5321 §3.3'),
                'command.BDAT': recipientFirst('RFC 3030 §2'),
              },
            },

            addressing: {
              description: 'The application decides on RCPT.',
              entry: ask('rcpt'),
              after: { decision: takenTooLong },
              on: {
                accepted: {
                  target: 'addressed',
                  actions: ['forgetErrors', 'addRecipient', 'countRecipient', 'answer'],
                  description: 'RFC 5321 §3.3',
                },
                rejected: [
                  endSession,
                  {
                    guard: 'recipientsAccepted',
                    target: 'addressed',
                    actions: ['markRefused', 'answer'],
                    description: 'RFC 5321 §3.3',
                  },
                  { target: 'opened', actions: ['markRefused', 'answer'], description: 'RFC 5321 §3.3' },
                ],
              },
            },

            addressed: {
              description: 'A mail transaction with at least one recipient.',
              after: { idle: idleTooLong },
              on: {
                'command.RCPT': rcpt,
                'command.DATA': [
                  ...refuseCommand,
                  { target: 'initiating', description: 'RFC 5321 §4.1.1.4' },
                ],
                'command.BDAT': { target: 'initiatingChunks', description: 'RFC 3030 §2' },
              },
            },

            initiating: {
              description: 'The application decides on DATA.',
              entry: ask('data'),
              after: { decision: takenTooLong },
              on: {
                accepted: {
                  target: 'receiving',
                  actions: ['forgetErrors', 'answer', 'receiveMailData'],
                  description: 'RFC 5321 §4.1.1.4',
                },
                rejected: [
                  endSession,
                  {
                    target: READY,
                    actions: ['endTransaction', 'markOver', 'answer'],
                    description: 'RFC 5321 §4.1.1.4',
                  },
                ],
              },
            },

            receiving: {
              description: 'Mail data arrives.',
              after: { mailData: noMailData },
              on: {
                endOfMailData: [
                  ...flawedMessage('endTransaction', 'markOver'),
                  { target: 'committing', description: 'RFC 5321 §4.1.1.4' },
                ],
                peerClosed,
              },
            },

            initiatingChunks: {
              description: 'The application decides on the first BDAT.',
              entry: ask('data'),
              after: { decision: takenTooLong },
              on: {
                accepted: {
                  target: 'receivingChunk',
                  actions: ['forgetErrors', 'markChunking', 'receiveChunk'],
                  description: 'RFC 3030 §2',
                },
                rejected: [
                  endSession,
                  {
                    target: READY,
                    actions: ['endTransaction', 'markOver', 'markRefused', 'answer'],
                    description: 'RFC 3030 §2',
                  },
                ],
              },
            },

            receivingChunk: {
              description: 'The octets of a chunk arrive.',
              after: { mailData: noMailData },
              on: {
                endOfChunk: [
                  // The chunks that a client has pipelined behind it are no errors of its own.
                  ...flawedMessage('endTransaction', 'markOver', 'markRefused'),
                  { guard: 'lastChunk', target: 'committing', description: 'RFC 3030 §2' },
                  {
                    target: 'chunked',
                    actions: ['forgetErrors', reply('chunkReceived')],
                    description: 'RFC 3030 §2',
                  },
                ],
                peerClosed,
              },
            },

            chunked: {
              description: 'Between two chunks of a message.',
              after: { idle: idleTooLong },
              on: {
                'command.BDAT': {
                  target: 'receivingChunk',
                  actions: 'receiveChunk',
                  description: 'RFC 3030 §2',
                },
                'command.DATA': refuseWith('chunkFirst', 'RFC 3030 §2'),
                'command.RCPT': refuseWith('chunkFirst', 'RFC 3030 §2'),
              },
            },

            committing: {
              description: 'The application takes the message, or refuses it.',
              entry: ask('message'),
              after: { decision: takenTooLong },
              on: {
                accepted: {
                  target: READY,
                  actions: ['forgetErrors', 'endTransaction', 'markOver', 'answer'],
                  description: 'RFC 5321 §4.2.5',
                },
                rejected: [
                  endSession,
                  {
                    target: READY,
                    actions: ['endTransaction', 'markOver', 'answer'],
                    description: 'RFC 5321 §4.2.5',
                  },
                ],
              },
            },
          },
        },
      },
    },

    closing: {
      description: 'Our last reply is on its way; what the client still sends is not looked at.',
      entry: 'close',
      after: { linger: { target: 'closed', description: 'RFC 5321 §4.1.1.10' } },
      on: { peerClosed: { target: 'closed', description: 'RFC 5321 §4.1.1.10' } },
    },

    closed: { type: 'final', entry: 'closed' },
  },
});
