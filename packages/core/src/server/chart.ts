/**
 * The server's side of an SMTP session: what is legal when.
 *
 * Theory of operation
 * -------------------
 * The client sends a command, the server replies, one reply for each command and in their order (RFC 5321
 * §2.1). Between the two the application may have to decide: that is a state of its own here, entered with the
 * effect `ask` and left by `accepted` or `rejected`. So a state of this chart is one of three kinds:
 *
 * - waiting for the client: `refused`, `greeted`, `ready`, `opened`, `addressed`, `receiving`. The deadline is
 *   `idle`, or `mailData` while mail data arrives;
 * - waiting for the application: `connecting`, `identifying`, `verifying`, `expanding`, `helping`, `opening`,
 *   `addressing`, `initiating`, `committing`. The deadline is `decision`;
 * - waiting for the end: `closing`, until the client closes too or `linger` is over. Then `closed`.
 *
 * `command.VERB` is a well-formed command, `badCommand` one that is not, and carries its reply. A command that is
 * not legal in a state is refused there by name: nothing is ignored.
 *
 * Invariants
 * ----------
 * 1. The chart rules legality and nothing else. Whether a mailbox exists, and what a reply says, is the
 *    application's; what an envelope holds, the session keeps. The chart counts.
 * 2. A command never arrives while the application decides: the session holds back what the client pipelines.
 *    `peerClosed` and `shutdown` are held back too, and while mail data arrives, for a message under way may
 *    finish (RFC 5321 §4.1.1.5, §4.1.1.10). Only `connectionLost` and deadlines come at any time.
 * 3. Every command that reaches the chart makes it reply exactly once: by `reply`, or by `answer` once decided.
 * 4. `open` holds from an accepted MAIL to the end of its mail transaction, and `recipients` counts the accepted
 *    RCPTs in it; both are nothing in `greeted` and `ready`.
 *    `errors` counts what the client did wrong, never what the application refused, nor what a pipelining client
 *    sent behind a refused MAIL or RCPT before it could know (RFC 2920 §3.1).
 * 5. Mail data does not pass through here. The session frames it and says `endOfMailData`, once.
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
  | `session.transaction.${'opening' | 'opened' | 'addressing' | 'addressed' | 'initiating'}`
  | `session.transaction.${'receiving' | 'committing'}`
  | 'closing'
  | 'closed';

/** What the chart is told. */
export type ServerChartEvent =
  | { readonly type: `command.${Command['verb']}`; readonly refusal?: Reply }
  | { readonly type: 'badCommand'; readonly refusal: Reply }
  | { readonly type: 'accepted' }
  | { readonly type: 'rejected'; readonly code: number }
  | { readonly type: 'endOfMailData'; readonly flaw?: 'malformed' | 'tooLarge' }
  | { readonly type: 'peerClosed' | 'connectionLost' | 'shutdown' };

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
  | { readonly type: 'close'; readonly params: undefined }
  | { readonly type: 'closed'; readonly params: undefined };

/** Deadlines in milliseconds. */
export interface ServerTimeouts {
  /** For the client's next command (RFC 5321 §4.5.3.2.7). */
  readonly idle: number;
  /** For the client's next piece of mail data. */
  readonly mailData: number;
  /** For the application's answer. */
  readonly decision: number;
  /** For the client to close after we did. */
  readonly linger: number;
}

export interface ServerChartInput {
  readonly timeouts: ServerTimeouts;
  /** Recipients of one mail transaction. */
  readonly maximumRecipients: number;
  /** Consecutive errors. */
  readonly maximumErrors: number;
}

export interface ServerContext extends ServerChartInput {
  /** EHLO or HELO was accepted. */
  readonly introduced: boolean;
  /** MAIL was accepted, and its mail transaction is not over. */
  readonly open: boolean;
  /** RCPTs accepted in this mail transaction. */
  readonly recipients: number;
  /** The MAIL before this command was refused, or a RCPT in this mail transaction. */
  readonly refused: boolean;
  /** Errors since the last command that was accepted. */
  readonly errors: number;
}

const vocabulary = setup({
  types: {
    context: {} as ServerContext,
    events: {} as ServerChartEvent,
    input: {} as ServerChartInput,
  },
  guards: {
    lastError: ({ context }) => context.errors + 1 >= context.maximumErrors,
    parametersRefusedOnceTooOften: ({ context, event }) =>
      'refusal' in event && event.refusal !== undefined && context.errors + 1 >= context.maximumErrors,
    parametersRefused: ({ event }) => 'refusal' in event && event.refusal !== undefined,
    recipientLimitReached: ({ context }) => context.recipients >= context.maximumRecipients,
    refusedBefore: ({ context }) => context.refused,
    declaredTooLarge: ({ event }) => 'refusal' in event && event.refusal?.code === 552,
    recipientsAccepted: ({ context }) => context.recipients > 0,
    transactionOpen: ({ context }) => context.open,
    introduced: ({ context }) => context.introduced,
    // RFC 5321 §3.8: a server may close the channel in reply to any command, and says so by 421.
    endsSession: ({ event }) => event.type === 'rejected' && event.code === 421,
    malformed: ({ event }) => event.type === 'endOfMailData' && event.flaw === 'malformed',
    tooLarge: ({ event }) => event.type === 'endOfMailData' && event.flaw === 'tooLarge',
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
    close: () => {},
    closed: () => {},
    countError: assign({ errors: ({ context }) => context.errors + 1 }),
    forgetErrors: assign({ errors: 0 }),
    markIntroduced: assign({ introduced: true }),
    markOpen: assign({ open: true, recipients: 0, refused: false }),
    markOver: assign({ open: false, recipients: 0, refused: false }),
    countRecipient: assign({ recipients: ({ context }) => context.recipients + 1 }),
    markRefused: assign({ refused: true }),
  },
  delays: {
    idle: ({ context }) => context.timeouts.idle,
    mailData: ({ context }) => context.timeouts.mailData,
    decision: ({ context }) => context.timeouts.decision,
    linger: ({ context }) => context.timeouts.linger,
  },
});

const CLOSING = '#server.closing';
const READY = '#server.session.ready';

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

/** A line that is no command, or whose argument is wrong. */
const refuseLine = [
  giveUp,
  { actions: ['countError', refuse], description: 'RFC 5321 §4.2.2, §4.2.4' },
] as const;

/** A MAIL or RCPT whose parameters no offered service extension defines, or whose values are wrong. */
const refuseParameters = [
  // The command is as it should be; the message is too large, as the message itself would be found to be.
  { guard: 'declaredTooLarge', actions: ['markRefused', refuse], description: 'RFC 1870 §6.1' },
  { ...giveUp, guard: 'parametersRefusedOnceTooOften' },
  {
    guard: 'parametersRefused',
    actions: ['countError', 'markRefused', refuse],
    description: 'RFC 5321 §4.1.1.11',
  },
] as const;

/** A pipelining client sends RCPT and DATA before it learns that MAIL was refused: no error of its own. */
const behindRefusedMail = {
  guard: 'refusedBefore',
  actions: reply('mailFirst'),
  description: 'RFC 2920 §3.1',
} as const;

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
    { guard: 'recipientsAccepted', target: '#server.session.transaction.addressed', actions, description },
    { guard: 'transactionOpen', target: '#server.session.transaction.opened', actions, description },
    { guard: 'introduced', target: READY, actions, description },
    { target: '#server.session.greeted', actions, description },
  ] as const;
};

/** A question that changes nothing in the dialogue: VRFY, EXPN, HELP. */
const inquiry = <const Kind extends 'verify' | 'expand' | 'help'>(question: Kind) =>
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
  { target: '#server.session.transaction.addressing', description: 'RFC 5321 §4.1.1.3' },
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
        badCommand: refuseWith('refusedHere', 'RFC 5321 §3.1'),
        shutdown: shutDown,
        peerClosed,
      },
    },

    session: {
      initial: 'greeted',
      on: {
        'command.EHLO': { target: '.identifying', description: 'RFC 5321 §4.1.1.1, §4.1.4' },
        'command.HELO': { target: '.identifying', description: 'RFC 5321 §4.1.1.1' },
        'command.NOOP': { actions: ['forgetErrors', reply('ok')], description: 'RFC 5321 §4.1.1.9' },
        'command.RSET': {
          actions: ['forgetErrors', 'markOver', reply('ok')],
          description: 'RFC 5321 §4.1.1.5',
        },
        'command.VRFY': { target: '.verifying', description: 'RFC 5321 §3.5, §4.1.1.6' },
        'command.EXPN': { target: '.expanding', description: 'RFC 5321 §3.5, §4.1.1.7' },
        'command.HELP': { target: '.helping', description: 'RFC 5321 §4.1.1.8' },
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
            'command.MAIL': refuseWith('helloFirst', 'RFC 5321 §4.1.4'),
            'command.RCPT': refuseWith('helloFirst', 'RFC 5321 §4.1.4'),
            'command.DATA': refuseWith('helloFirst', 'RFC 5321 §4.1.4'),
          },
        },

        identifying: {
          description: 'The application decides on EHLO or HELO.',
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

        ready: {
          description: 'No mail transaction is under way.',
          after: { idle: idleTooLong },
          on: {
            'command.MAIL': [
              ...refuseParameters,
              { target: 'transaction', description: 'RFC 5321 §3.3, §4.1.1.2' },
            ],
            'command.RCPT': [behindRefusedMail, ...refuseWith('mailFirst', 'RFC 5321 §3.3')],
            'command.DATA': [behindRefusedMail, ...refuseWith('mailFirst', 'RFC 5321 §3.3')],
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
            'command.MAIL': refuseWith('nestedMail', 'RFC 5321 §4.1.4'),
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
                'command.DATA': [
                  // RFC 2920 §3.1: a pipelining client may send DATA though all its RCPTs were refused.
                  {
                    guard: 'refusedBefore',
                    actions: reply('noValidRecipients'),
                    description: 'RFC 5321 §3.3, RFC 2920 §3.1',
                  },
                  ...refuseWith('rcptFirst', 'RFC 5321 §3.3'),
                ],
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
                'command.DATA': { target: 'initiating', description: 'RFC 5321 §4.1.1.4' },
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
              after: {
                mailData: {
                  target: CLOSING,
                  actions: reply('mailDataTimeout'),
                  description: 'RFC 5321 §4.5.3.2.5',
                },
              },
              on: {
                endOfMailData: [
                  {
                    guard: 'malformed',
                    target: READY,
                    actions: ['endTransaction', 'markOver', reply('malformedMailData')],
                    description: 'RFC 5321 §2.3.8, §4.1.1.4',
                  },
                  {
                    guard: 'tooLarge',
                    target: READY,
                    actions: ['endTransaction', 'markOver', reply('mailDataTooLarge')],
                    description: 'RFC 5321 §4.5.3.1.9, RFC 1870 §6.3',
                  },
                  { target: 'committing', description: 'RFC 5321 §4.1.1.4' },
                ],
                peerClosed,
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
