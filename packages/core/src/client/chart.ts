/**
 * The client's side of an SMTP session: which reply is awaited, and what it leads to.
 *
 * Theory of operation
 * -------------------
 * The server speaks first. From then on every command of ours gets one reply, in the order of the commands
 * (RFC 5321 §2.1, §4.3). A state of this chart is one of three kinds:
 *
 * - waiting for a reply: `greeting`, `identifying`, `fallingBack`, `mailing`, `addressing`, `initiating`,
 *   `terminating`, `resetting`, `quitting`, `refused`. Each has a deadline of its own (RFC 5321 §4.5.3.2);
 * - waiting for the application: `ready`, without a deadline; `sending` and `abandoned`, whose deadline
 *   `dataBlock` begins anew with each piece of the message. In these two the server may refuse the message early;
 * - waiting for the end: `closing`, until the server closes too or `linger` is over. Then `closed`.
 *
 * `reply.success` and the like is a reply by its first digit, which is all that RFC 5321 §4.2 asks a client
 * to know; `reply.421` ends the session wherever it comes. A reply that a state does not name is a mismatch,
 * and the session ends: from there on nobody could say which command the next reply belongs to.
 *
 * Pipelining (RFC 2920) adds no states. Commands may be written ahead, but their replies still come one by
 * one, and the chart stands at the command whose reply comes next. The chart asks the session to `proceed`
 * with the commands of the mail transaction; how many of them that writes, the session knows, and it tells
 * with each reply whether the command behind the answered one was `writtenAhead`.
 *
 * Invariants
 * ----------
 * 1. The chart rules the order of things. Commands, verdicts and texts are the session's.
 * 2. Every `send` leads to exactly one `settle`, before `ready` is reached again, or to a `fail`.
 * 3. Whatever leaves `session` unasked does so by exactly one `fail`. Outside of `session` nothing fails.
 * 4. A message is ended in one place: on entering `terminating`. No other way leads out of `sending` but
 *    those by which the connection ends, and a server must not deliver what has no end (RFC 5321 §4.1.1.10).
 * 5. `ready` means that the server holds no mail transaction: one that it may hold is dropped in `resetting`.
 * 6. Mail data does not pass through here. The session encodes it and says `endOfMailData`, once.
 *
 * What stands below: the vocabulary (states, events, context, actions), the common endings, and the chart
 * itself.
 */
import { assign, setup } from 'xstate';
import type { Severity } from '../wire/reply.js';
import type { SessionFailure } from './messages.js';

/** The leaf states, as `ClientSession.state` gives them. */
export type ClientState =
  | 'session.greeting'
  | 'session.identifying'
  | 'session.fallingBack'
  | 'session.ready'
  | 'session.transaction.mailing'
  | 'session.transaction.addressing'
  | 'session.transaction.initiating'
  | 'session.transaction.sending'
  | 'session.transaction.abandoned'
  | 'session.transaction.terminating'
  | 'session.resetting'
  | 'session.quitting'
  | 'refused'
  | 'closing'
  | 'closed';

/** A whole reply of the server, as the chart sees it. */
export interface ReplyEvent {
  readonly type: `reply.${Severity | 421}`;
  readonly code: number;
  /** The next command of the mail transaction is already on its way. */
  readonly writtenAhead: boolean;
}

/** What the chart is told. */
export type ClientChartEvent =
  | ReplyEvent
  | { readonly type: 'send'; readonly recipients: number }
  /** `abandon`: what the application handed in cannot be sent as mail data. */
  | { readonly type: 'endOfMailData' | 'abandon' | 'quit' }
  /** `protocolError`: the server's octets do not make up a reply. */
  | { readonly type: 'peerClosed' | 'connectionLost' | 'protocolError' };

/** What the chart asks of the session. */
export type ClientAction =
  | { readonly type: 'write'; readonly params: { readonly command: 'EHLO' | 'HELO' | 'RSET' | 'QUIT' } }
  /** Write the next commands of the mail transaction: one, or as many as may be in flight. */
  | { readonly type: 'proceed'; readonly params: undefined }
  | { readonly type: 'announceGreeting'; readonly params: undefined }
  /** Keep what the server offers, and announce that the session is open. */
  | { readonly type: 'introduce'; readonly params: undefined }
  /** The reply is that to the next RCPT. */
  | { readonly type: 'answerRecipient'; readonly params: undefined }
  /** The reply refuses the message for all recipients that are still undecided; no command of it follows. */
  | { readonly type: 'refuse'; readonly params: undefined }
  /** The reply takes the message for all recipients that are still undecided. */
  | { readonly type: 'deliver'; readonly params: undefined }
  | { readonly type: 'wantMailData'; readonly params: undefined }
  | { readonly type: 'writeEndOfMailData'; readonly params: undefined }
  /** The mail transaction is over: announce its verdicts. */
  | { readonly type: 'settle'; readonly params: undefined }
  /** The session failed: decide and `settle` a mail transaction that is under way, then announce it. */
  | { readonly type: 'fail'; readonly params: { readonly kind: SessionFailure['kind'] } }
  | { readonly type: 'close'; readonly params: undefined }
  | { readonly type: 'closed'; readonly params: undefined };

/** Deadlines in milliseconds. */
export interface ClientTimeouts {
  /** For the greeting (RFC 5321 §4.5.3.2.1). */
  readonly greeting: number;
  /** For the reply to EHLO, and again for that to HELO. RFC 5321 names none: that of MAIL. */
  readonly hello: number;
  /** For the reply to MAIL (RFC 5321 §4.5.3.2.2). */
  readonly mail: number;
  /** For the reply to each RCPT (RFC 5321 §4.5.3.2.3). */
  readonly rcpt: number;
  /** For the 354 to DATA (RFC 5321 §4.5.3.2.4). */
  readonly dataInitiation: number;
  /** For each piece of the message to be handed in, once the one before was sent (RFC 5321 §4.5.3.2.5). */
  readonly dataBlock: number;
  /**
   * For the reply to the final dot (RFC 5321 §4.5.3.2.6). A client that waits for less sends the message
   * again while the server delivers it: RFC 1047 is about nothing else.
   */
  readonly dataTermination: number;
  /** For the reply to RSET. RFC 5321 names none: that of MAIL. */
  readonly reset: number;
  /** For the 221 to QUIT. RFC 5321 names none, and no message depends on it. */
  readonly quit: number;
  /** For the server to close after we did. */
  readonly linger: number;
}

export interface ClientChartInput {
  readonly timeouts: ClientTimeouts;
}

/** All but `timeouts` is about the last mail transaction. */
export interface ClientContext extends ClientChartInput {
  /** MAIL was accepted. */
  readonly opened: boolean;
  /** Recipients whose RCPT has no reply. */
  readonly unanswered: number;
  /** RCPTs accepted. */
  readonly accepted: number;
}

const vocabulary = setup({
  types: {
    context: {} as ClientContext,
    events: {} as ClientChartEvent,
    input: {} as ClientChartInput,
  },
  guards: {
    // RFC 5321 §3.2, §4.1.4: the server does not know EHLO. Other refusals are not of the command but of us.
    heloMayBeTried: ({ event }) => 'code' in event && [500, 501, 502, 504].includes(event.code),
    opened: ({ context }) => context.opened,
    writtenAhead: ({ event }) => 'writtenAhead' in event && event.writtenAhead,
    recipientFollows: ({ context, event }) =>
      context.unanswered > 1 && (context.opened || ('writtenAhead' in event && event.writtenAhead)),
    // Asked at the reply to the last RCPT, which is not counted yet.
    dataFollows: ({ context, event }) =>
      ('writtenAhead' in event && event.writtenAhead) ||
      (context.opened && (context.accepted > 0 || event.type === 'reply.success')),
    recipientsAccepted: ({ context }) => context.opened && context.accepted > 0,
  },
  actions: {
    write: (_, _params: { readonly command: 'EHLO' | 'HELO' | 'RSET' | 'QUIT' }) => {},
    proceed: () => {},
    announceGreeting: () => {},
    introduce: () => {},
    answerRecipient: () => {},
    refuse: () => {},
    deliver: () => {},
    wantMailData: () => {},
    writeEndOfMailData: () => {},
    settle: () => {},
    fail: (_, _params: { readonly kind: SessionFailure['kind'] }) => {},
    close: () => {},
    closed: () => {},
    begin: assign(({ event }) => ({
      opened: false,
      unanswered: event.type === 'send' ? event.recipients : 0,
      accepted: 0,
    })),
    markOpened: assign({ opened: true }),
    countAnswered: assign({ unanswered: ({ context }) => context.unanswered - 1 }),
    countAccepted: assign({ accepted: ({ context }) => context.accepted + 1 }),
  },
  delays: {
    greeting: ({ context }) => context.timeouts.greeting,
    hello: ({ context }) => context.timeouts.hello,
    mail: ({ context }) => context.timeouts.mail,
    rcpt: ({ context }) => context.timeouts.rcpt,
    dataInitiation: ({ context }) => context.timeouts.dataInitiation,
    dataBlock: ({ context }) => context.timeouts.dataBlock,
    dataTermination: ({ context }) => context.timeouts.dataTermination,
    reset: ({ context }) => context.timeouts.reset,
    quit: ({ context }) => context.timeouts.quit,
    linger: ({ context }) => context.timeouts.linger,
  },
});

const READY = '#client.session.ready';
const RESETTING = '#client.session.resetting';
const REFUSED = '#client.refused';
const CLOSING = '#client.closing';
const CLOSED = '#client.closed';

const write = <const Command extends 'EHLO' | 'HELO' | 'RSET' | 'QUIT'>(command: Command) =>
  ({ type: 'write', params: { command } }) as const;
const fail = <const Kind extends SessionFailure['kind']>(kind: Kind) =>
  ({ type: 'fail', params: { kind } }) as const;

/** Nothing came in time. A server that is silent for so long is not asked for a farewell. */
const timedOut = <const Section extends string>(section: Section) =>
  ({ target: CLOSED, actions: fail('timeout'), description: section }) as const;

/** The server will not serve us: it is told QUIT, as RFC 5321 §3.1 has it. */
const refuseSession = <const Section extends string>(section: Section) =>
  ({ target: REFUSED, actions: fail('refused'), description: section }) as const;

/** Where the reply to one RCPT leads. Before the last, to the next; `record` is what the reply amounts to. */
const recipientAnswered = <const Record extends readonly string[]>(...record: Record) =>
  [
    {
      guard: 'recipientFollows',
      target: 'addressing',
      reenter: true, // the wait for the next reply begins
      actions: record,
      description: 'RFC 5321 §3.3',
    },
    { guard: 'dataFollows', target: 'initiating', actions: record, description: 'RFC 5321 §3.3' },
    {
      guard: 'opened',
      target: RESETTING,
      actions: record,
      description: 'RFC 5321 §3.3, §4.1.1.5: no recipient was accepted',
    },
    {
      target: READY,
      actions: [...record, 'settle'],
      description: 'RFC 5321 §3.3: MAIL was refused',
    },
  ] as const;

const recipientRefused = recipientAnswered('answerRecipient', 'countAnswered');

const mailRefused = [
  {
    guard: 'writtenAhead',
    target: 'addressing',
    actions: 'refuse',
    description: 'RFC 2920 §3.1: what was written ahead is still answered',
  },
  { target: READY, actions: ['refuse', 'settle'], description: 'RFC 5321 §3.3' },
] as const;

const dataRefused = [
  {
    guard: 'opened',
    target: RESETTING,
    actions: 'refuse',
    description: 'RFC 5321 §4.1.1.5, RFC 2920 §3.1: the envelope is still with the server',
  },
  { target: READY, actions: ['refuse', 'settle'], description: 'RFC 2920 §3.1: MAIL was refused' },
] as const;

/** The reply to the final dot clears the server's buffers, whatever it says. */
const messageRefused = {
  target: READY,
  actions: ['refuse', 'settle'],
  description: 'RFC 5321 §4.1.1.4, §4.2.5',
} as const;

/**
 * The server refuses the message before it has all of it, and need not read the rest. The connection is closed
 * without a final dot: that would end a message which nobody takes, and its reply could not be told from this one.
 */
const refusedEarly = {
  target: CLOSING,
  actions: fail('refused'),
  description: 'RFC 5321 §4.2.1, §4.1.1.10: a message without its end is not delivered',
} as const;

/** A reply to QUIT that is neither 221 nor 421: we close all the same. */
const quitRefused = { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §4.1.1.10' } as const;

export const clientMachine = vocabulary.createMachine({
  id: 'client',
  context: ({ input }) => ({ timeouts: input.timeouts, opened: false, unanswered: 0, accepted: 0 }),
  initial: 'session',
  states: {
    session: {
      initial: 'greeting',
      on: {
        'reply.421': { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §3.8, §4.2.3' },
        'reply.*': { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2, §4.3.2' },
        protocolError: { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2' },
        peerClosed: { target: CLOSED, actions: fail('lost'), description: 'RFC 5321 §4.1.1.10' },
        connectionLost: { target: CLOSED, actions: fail('lost'), description: 'RFC 5321 §4.1.1.10' },
      },
      states: {
        greeting: {
          description: 'The server speaks first.',
          after: { greeting: timedOut('RFC 5321 §4.5.3.2.1') },
          on: {
            'reply.success': {
              target: 'identifying',
              actions: 'announceGreeting',
              description: 'RFC 5321 §3.1, §4.3.1',
            },
            'reply.transient': refuseSession('RFC 5321 §3.1'),
            'reply.permanent': refuseSession('RFC 5321 §3.1'),
          },
        },

        identifying: {
          description: 'EHLO was sent.',
          entry: write('EHLO'),
          after: { hello: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': {
              target: 'ready',
              actions: 'introduce',
              description: 'RFC 5321 §3.2, §4.1.1.1',
            },
            'reply.transient': refuseSession('RFC 5321 §4.1.1.1'),
            'reply.permanent': [
              { guard: 'heloMayBeTried', target: 'fallingBack', description: 'RFC 5321 §3.2, §4.1.4' },
              refuseSession('RFC 5321 §4.1.1.1'),
            ],
          },
        },

        fallingBack: {
          description: 'HELO was sent: the server does not know EHLO.',
          entry: write('HELO'),
          after: { hello: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': {
              target: 'ready',
              actions: 'introduce',
              description: 'RFC 5321 §3.2, §4.1.1.1',
            },
            'reply.transient': refuseSession('RFC 5321 §4.1.1.1'),
            'reply.permanent': refuseSession('RFC 5321 §4.1.1.1'),
          },
        },

        ready: {
          description: 'No mail transaction is under way.',
          on: {
            send: { target: 'transaction', actions: 'begin', description: 'RFC 5321 §3.3' },
            quit: { target: 'quitting', description: 'RFC 5321 §4.1.1.10' },
          },
        },

        transaction: {
          initial: 'mailing',
          states: {
            mailing: {
              description: 'The reply to MAIL is awaited.',
              entry: 'proceed',
              after: { mail: timedOut('RFC 5321 §4.5.3.2.2') },
              on: {
                'reply.success': {
                  target: 'addressing',
                  actions: 'markOpened',
                  description: 'RFC 5321 §3.3, §4.1.1.2',
                },
                'reply.transient': mailRefused,
                'reply.permanent': mailRefused,
              },
            },

            addressing: {
              description: 'The reply to the next RCPT is awaited.',
              entry: 'proceed',
              after: { rcpt: timedOut('RFC 5321 §4.5.3.2.3') },
              on: {
                'reply.success': recipientAnswered('answerRecipient', 'countAnswered', 'countAccepted'),
                'reply.transient': recipientRefused,
                'reply.permanent': recipientRefused,
              },
            },

            initiating: {
              description: 'The reply to DATA is awaited.',
              entry: 'proceed',
              after: { dataInitiation: timedOut('RFC 5321 §4.5.3.2.4') },
              on: {
                'reply.intermediate': [
                  { guard: 'recipientsAccepted', target: 'sending', description: 'RFC 5321 §4.1.1.4' },
                  {
                    target: 'terminating',
                    description: 'RFC 2920 §3.1: the lone dot, for a message without recipients',
                  },
                ],
                'reply.transient': dataRefused,
                'reply.permanent': dataRefused,
              },
            },

            sending: {
              description: 'The application hands in the message.',
              entry: 'wantMailData',
              after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
              on: {
                endOfMailData: { target: 'terminating', description: 'RFC 5321 §4.1.1.4' },
                abandon: { target: 'abandoned', description: 'RFC 5321 §2.3.8, §4.5.2' },
                'reply.transient': refusedEarly,
                'reply.permanent': refusedEarly,
              },
            },

            abandoned: {
              description: 'The message cannot be sent to its end: the application must end the connection.',
              after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
              on: { 'reply.transient': refusedEarly, 'reply.permanent': refusedEarly },
            },

            terminating: {
              description: 'The final dot was sent: from here to its reply the outcome is unknown.',
              entry: 'writeEndOfMailData',
              after: { dataTermination: timedOut('RFC 5321 §4.5.3.2.6, RFC 1047') },
              on: {
                'reply.success': {
                  target: READY,
                  actions: ['deliver', 'settle'],
                  description: 'RFC 5321 §4.1.1.4, §4.2.5',
                },
                'reply.transient': messageRefused,
                'reply.permanent': messageRefused,
              },
            },
          },
        },

        resetting: {
          description: 'RSET was sent: the server may hold a mail transaction of which nothing will come.',
          entry: write('RSET'),
          after: { reset: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': { target: 'ready', actions: 'settle', description: 'RFC 5321 §4.1.1.5' },
            'reply.transient': refuseSession('RFC 5321 §4.1.1.5'),
            'reply.permanent': refuseSession('RFC 5321 §4.1.1.5'),
          },
        },

        quitting: {
          description: 'QUIT was sent.',
          entry: write('QUIT'),
          after: { quit: timedOut('RFC 5321 §4.1.1.10') },
          on: {
            'reply.success': { target: CLOSING, description: 'RFC 5321 §4.1.1.10' },
            'reply.transient': quitRefused,
            'reply.permanent': quitRefused,
          },
        },
      },
    },

    refused: {
      description: 'The server will not serve us: QUIT was sent, and its reply says nothing new.',
      entry: write('QUIT'),
      after: { quit: { target: 'closed', description: 'RFC 5321 §3.1' } },
      on: {
        'reply.*': { target: 'closing', description: 'RFC 5321 §3.1, §4.1.1.10' },
        protocolError: { target: 'closed', description: 'RFC 5321 §4.2' },
        peerClosed: { target: 'closed', description: 'RFC 5321 §4.1.1.10' },
        connectionLost: { target: 'closed', description: 'RFC 5321 §4.1.1.10' },
      },
    },

    closing: {
      description: 'We are done; what the server still sends is not looked at.',
      entry: 'close',
      after: { linger: { target: 'closed', description: 'RFC 5321 §4.1.1.10' } },
      on: {
        peerClosed: { target: 'closed', description: 'RFC 5321 §4.1.1.10' },
        connectionLost: { target: 'closed', description: 'RFC 5321 §4.1.1.10' },
      },
    },

    closed: { type: 'final', entry: 'closed' },
  },
});
