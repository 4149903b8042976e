/**
 * The client chart within a mail transaction (RFC 5321 §3.3), from MAIL to the reply to the message's end. At which
 * command it stands when commands were written ahead, and what the two ways of a message are, `chart.ts` says.
 */
import { CLOSING, DRAINING, fail, READY, RESETTING, timedOut } from './chart-transitions.js';
import { vocabulary } from './chart-vocabulary.js';

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
    {
      guard: 'chunksFollow',
      target: 'chunking',
      actions: [...record, 'wantMailData'],
      description: 'RFC 3030 §2: instead of DATA',
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

/** One of the replies of LMTP to the message, of which another follows. */
const recipientDecided = {
  guard: 'furtherRecipients',
  target: 'delivering',
  reenter: true, // the wait for the next reply begins
  actions: ['decideRecipient', 'countDecided'],
  description: 'RFC 2033 §4.2, §4.3',
} as const;

const messageTaken = {
  target: READY,
  actions: ['deliver', 'settle'],
  description: 'RFC 5321 §4.1.1.4, §4.2.5',
} as const;

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

/** In chunks a message is refused by the reply to one of them, and by nothing else. */
const abandonedRefused = { ...refusedEarly, guard: 'refusalIsDue' } as const;

/** A chunk is refused, and with it the message: no more of it is sent, and what was written is still answered. */
const refusedAmidChunks = {
  guard: 'furtherChunksInFlight',
  target: DRAINING,
  actions: ['refuse', 'countChunkAnswered'],
  description: 'RFC 3030 §2, RFC 2920 §3.1',
} as const;

const chunkRefused = [
  refusedAmidChunks,
  {
    guard: 'chunksInFlight',
    target: RESETTING,
    actions: ['refuse', 'countChunkAnswered'],
    description: 'RFC 3030 §2: the mail transaction has failed',
  },
] as const;

const drained = [
  {
    guard: 'furtherChunksInFlight',
    target: 'draining',
    reenter: true, // the wait for the next reply begins
    actions: 'countChunkAnswered',
    description: 'RFC 2920 §3.1',
  },
  { target: RESETTING, actions: 'countChunkAnswered', description: 'RFC 3030 §2, RFC 5321 §4.1.1.5' },
] as const;

/** Behind the end of the message, a 4yz or 5yz reply. */
const endRefused = [recipientDecided, messageRefused] as const;

export const transaction = vocabulary.createStateConfig({
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
            guard: 'loneDotIsAnswered',
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

    chunking: {
      description: 'The application hands in the message, which goes in chunks.',
      after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
      on: {
        chunk: [
          {
            guard: 'roomForChunk',
            target: 'chunking',
            reenter: true, // the wait for the next piece begins
            actions: ['writeChunk', 'countChunk'],
            description: 'RFC 3030 §2, §4.2',
          },
          { target: 'holding', actions: ['writeChunk', 'countChunk'], description: 'RFC 3030 §2' },
        ],
        endOfMailData: [
          {
            guard: 'chunksInFlight',
            target: 'concluding',
            description: 'RFC 3030 §2, RFC 1047: until the last chunk is sent, the outcome is known',
          },
          { target: 'terminating', description: 'RFC 3030 §2' },
        ],
        abandon: { target: 'abandoned', description: 'RFC 5321 §2.3.8' },
        'reply.success': {
          guard: 'chunksInFlight',
          actions: 'countChunkAnswered',
          description: 'RFC 3030 §2',
        },
        'reply.transient': chunkRefused,
        'reply.permanent': chunkRefused,
      },
    },

    holding: {
      description: 'No further chunk may be in flight before the reply to one that is.',
      after: { chunk: timedOut('RFC 5321 §4.5.3.2') },
      on: {
        'reply.success': {
          target: 'chunking',
          actions: ['countChunkAnswered', 'wantMailData'],
          description: 'RFC 3030 §2',
        },
        'reply.transient': chunkRefused,
        'reply.permanent': chunkRefused,
      },
    },

    concluding: {
      description: 'All but the last chunk was sent: that is held until those before it were answered.',
      after: { chunk: timedOut('RFC 5321 §4.5.3.2') },
      on: {
        'reply.success': [
          {
            guard: 'furtherChunksInFlight',
            target: 'concluding',
            reenter: true, // the wait for the next reply begins
            actions: 'countChunkAnswered',
            description: 'RFC 3030 §2',
          },
          { target: 'terminating', actions: 'countChunkAnswered', description: 'RFC 3030 §2' },
        ],
        'reply.transient': chunkRefused,
        'reply.permanent': chunkRefused,
      },
    },

    draining: {
      description: 'The message was refused: the replies to the chunks that were written are awaited.',
      after: { chunk: timedOut('RFC 5321 §4.5.3.2') },
      on: { 'reply.success': drained, 'reply.transient': drained, 'reply.permanent': drained },
    },

    abandoned: {
      description: 'The message cannot be sent to its end: the application must end the connection.',
      after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
      on: {
        'reply.success': {
          guard: 'chunksInFlight',
          actions: 'countChunkAnswered',
          description: 'RFC 3030 §2',
        },
        'reply.transient': abandonedRefused,
        'reply.permanent': abandonedRefused,
      },
    },

    terminating: {
      description: 'The final dot or the last chunk was sent: from here to its reply the outcome is unknown.',
      entry: 'writeEndOfMailData',
      after: { dataTermination: timedOut('RFC 5321 §4.5.3.2.6, RFC 1047') },
      on: {
        'reply.success': [recipientDecided, messageTaken],
        'reply.transient': endRefused,
        'reply.permanent': endRefused,
      },
    },

    delivering: {
      description: 'LMTP: the message was sent, and the reply for the next recipient is awaited.',
      after: { dataTermination: timedOut('RFC 5321 §4.5.3.2.6, RFC 2033 §4.2') },
      on: {
        'reply.success': [recipientDecided, messageTaken],
        'reply.transient': [recipientDecided, messageRefused],
        'reply.permanent': [recipientDecided, messageRefused],
      },
    },
  },
});
