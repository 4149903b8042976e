/**
 * The client's side of an SMTP session: which reply is awaited, and what it leads to.
 *
 * Theory of operation
 * -------------------
 * The server speaks first. From then on every command of ours gets one reply, in the order of the commands
 * (RFC 5321 §2.1, §4.3). A state of this chart is one of four kinds:
 *
 * - waiting for a reply: `greeting`, `identifying`, `fallingBack`, `startingTls`, `responding`, `substituting`,
 *   `forwarding`, `inquiring`, `mailing`, `addressing`, `initiating`, `holding`, `concluding`, `draining`, `terminating`,
 *   `delivering`, `resetting`, `quitting`, `refused`, `cancelled`. Each has a deadline of its own
 *   (RFC 5321 §4.5.3.2);
 * - waiting for the host: `securing` for the TLS handshake, `preparing` for what a SASL mechanism computes;
 * - waiting for the application: `ready`, without a deadline; `sending`, `chunking` and `abandoned`, whose
 *   deadline `dataBlock` begins anew with each piece of the message. In these the server may refuse the message
 *   early;
 * - waiting for the end: `closing`, until the server closes too or `linger` is over. Then `closed`.
 *
 * `reply.success` and the like is a reply by its first digit, which is all that RFC 5321 §4.2 asks a client
 * to know; `reply.421` ends the session wherever it comes, and `reply.221` says the same in answer to QUIT: in answer
 * to anything else it is none, whatever its first digit. A reply that a state does not name is a mismatch,
 * and the session ends: from there on nobody could say which command the next reply belongs to.
 *
 * Between the reply to EHLO and `ready` stands what both ends negotiate: see `chart-negotiation.ts`.
 *
 * Pipelining (RFC 2920) adds no states. Commands may be written ahead, but their replies still come one by
 * one, and the chart stands at the command whose reply comes next. The chart asks the session to `proceed`
 * with the commands of the mail transaction; how many of them that writes, the session knows, and it tells
 * with each reply whether the command behind the answered one was `writtenAhead`.
 *
 * A message goes by DATA through `initiating` and `sending`, or in chunks through `chunking` (RFC 3030); then
 * `holding` waits until another chunk may be in flight, `concluding` holds the last one until all before it were
 * answered, and `draining`, once the message was refused, waits for the replies to all that were. Both ways end in
 * `terminating`. With LMTP (RFC 2033) `delivering` follows, where the
 * replies come for the recipients behind the first.
 *
 * Invariants
 * ----------
 * 1. The chart rules the order of things. Commands, verdicts and texts are the session's.
 * 2. Every `send` leads to exactly one `settle`, before `ready` is reached again, or to a `fail`.
 * 3. Whatever leaves `session` unasked does so by exactly one `fail`. Outside of `session` nothing fails.
 * 4. A message is ended in one place: on entering `terminating`, by the final dot or by the chunk that is the last.
 *    No other way leads out of `sending` but those by which the connection ends, and none out of `chunking`,
 *    `holding` and `concluding` but those and RSET; and a server must not deliver what has no end (RFC 5321 §4.1.1.10,
 *    RFC 3030 §2).
 * 5. `ready` means that the server holds no mail transaction: one that it may hold is dropped in `resetting`.
 * 6. Mail data does not pass through here. The session encodes it and says `chunk` for each chunk that it writes,
 *    and `endOfMailData`, once.
 * 7. STARTTLS, AUTH and XCLIENT are each sent once at most. Where TLS is required, nothing but EHLO, LHLO, HELO,
 *    STARTTLS and QUIT is sent in the clear.
 *
 * What stands elsewhere: `chart-events.ts`, `chart-context.ts` and `chart-vocabulary.ts` have the words;
 * `chart-transitions.ts` what more than one phase does; `chart-negotiation.ts` and `chart-transaction.ts` the states on
 * the way to `ready` and within a mail transaction.
 */
import { negotiation } from './chart/chart-negotiation.js';
import { transaction } from './chart/chart-transaction.js';
import {
  CLOSED,
  CLOSING,
  ended,
  fail,
  lost,
  READY,
  refuseSession,
  timedOut,
  unreadable,
  write,
} from './chart/chart-transitions.js';
import { vocabulary } from './chart/chart-vocabulary.js';

const answered = {
  target: READY,
  actions: 'announceAnswer',
  description: 'RFC 5321 §3.5, §4.1.1.6 to §4.1.1.9',
} as const;

/** A reply to QUIT that is neither 221 nor 421: we close all the same. */
const quitRefused = { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §4.1.1.10' } as const;

export const clientMachine = vocabulary.createMachine({
  id: 'client',
  context: ({ input: { timeouts, protocol, startTls } }) => ({
    timeouts,
    protocol,
    startTls,
    upgraded: false,
    authenticated: false,
    substituted: false,
    opened: false,
    unanswered: 0,
    accepted: 0,
    chunks: 0,
    inFlight: 0,
  }),
  initial: 'session',
  states: {
    session: {
      initial: 'greeting',
      on: {
        'reply.421': { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §3.8, §4.2.3' },
        'reply.*': { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2, §4.3.2' },
        protocolError: { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2' },
        peerClosed: lost,
        connectionLost: lost,
      },
      states: {
        ...negotiation,

        ready: {
          description: 'No mail transaction is under way.',
          on: {
            send: [
              {
                guard: 'recipientsMayBeSent',
                target: 'transaction',
                actions: 'begin',
                description: 'RFC 5321 §3.3',
              },
              { actions: 'settle', description: 'RFC 9422 §4.3: none of the recipients may be sent' },
            ],
            inquire: { target: 'inquiring', description: 'RFC 5321 §4.1.4: it changes nothing' },
            quit: { target: 'quitting', description: 'RFC 5321 §4.1.1.10' },
          },
        },

        inquiring: {
          description: 'VRFY, EXPN, HELP, NOOP or the like was sent.',
          entry: 'writeInquiry',
          after: { inquiry: timedOut('RFC 5321 §4.5.3.2') },
          on: { 'reply.success': answered, 'reply.transient': answered, 'reply.permanent': answered },
        },

        transaction,

        resetting: {
          description: 'RSET was sent: the server may hold a mail transaction of which nothing will come.',
          entry: write('RSET'),
          after: { reset: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': { target: READY, actions: 'settle', description: 'RFC 5321 §4.1.1.5' },
            'reply.transient': refuseSession('RFC 5321 §4.1.1.5'),
            'reply.permanent': refuseSession('RFC 5321 §4.1.1.5'),
          },
        },

        quitting: {
          description: 'QUIT was sent.',
          entry: write('QUIT'),
          after: { quit: timedOut('RFC 5321 §4.1.1.10') },
          on: {
            'reply.221': { target: CLOSING, description: 'RFC 5321 §4.1.1.10' },
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
        protocolError: unreadable,
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    cancelled: {
      description: 'The SASL exchange is given up: "*" was sent, and QUIT follows its reply.',
      entry: write('cancel'),
      after: { authentication: { target: 'closed', description: 'RFC 4954 §4' } },
      on: {
        'reply.421': { target: 'closing', description: 'RFC 5321 §3.8' },
        'reply.*': { target: 'refused', description: 'RFC 4954 §4' },
        protocolError: unreadable,
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    closing: {
      description: 'We are done; what the server still sends is not looked at.',
      entry: 'close',
      after: { linger: { target: 'closed', description: 'RFC 5321 §4.1.1.10' } },
      on: {
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    closed: { type: 'final', entry: 'closed' },
  },
});
