/**
 * The server chart within a mail transaction (RFC 5321 §3.3): MAIL, RCPTs, and the message, whole behind DATA or in
 * chunks behind BDAT (RFC 3030), each of which has its reply; the last one is answered for the message.
 */
import {
  ask,
  CLOSING,
  endSession,
  idleTooLong,
  offerFirst,
  peerClosed,
  READY,
  refuseCommand,
  refuseMessage,
  refuseParameters,
  refuseWith,
  reply,
  TRANSACTION,
  takenTooLong,
} from './chart-transitions.js';
import { vocabulary } from './chart-vocabulary.js';

/** What brings the message, where no recipient was accepted. A pipelining client sends it before it learns that. */
const recipientFirst = (description: string) =>
  [
    {
      guard: 'refusedBeforeInLmtp',
      actions: reply('noValidRecipientsInLmtp'),
      description: `${description}, RFC 2033 §4.2`,
    },
    {
      guard: 'refusedBefore',
      actions: reply('noValidRecipients'),
      description: `${description}, RFC 2920 §3.1`,
    },
    ...refuseWith('rcptFirst', description),
  ] as const;

/** Flaws of a message, whichever way it came. */
const flawedMessage = <const Actions extends readonly ('endTransaction' | 'markOver' | 'markRefused')[]>(
  ...actions: Actions
) =>
  [
    {
      guard: 'malformed',
      target: READY,
      actions: [refuseMessage, ...actions],
      description: 'RFC 5321 §2.3.8, §4.1.1.4',
    },
    {
      guard: 'tooLarge',
      target: READY,
      actions: [refuseMessage, ...actions],
      description: 'RFC 5321 §4.5.3.1.9, RFC 1870 §6.3',
    },
  ] as const;

const noMailData = {
  target: CLOSING,
  actions: reply('mailDataTimeout'),
  description: 'RFC 5321 §4.5.3.2.5',
} as const;

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

export const transaction = vocabulary.createStateConfig({
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
        'command.BDAT': [...offerFirst('RFC 3030 §2'), ...recipientFirst('RFC 3030 §2')],
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
        'command.DATA': [...refuseCommand, { target: 'initiating', description: 'RFC 5321 §4.1.1.4' }],
        'command.BDAT': [
          ...offerFirst('RFC 3030 §2'),
          { target: 'initiatingChunks', description: 'RFC 3030 §2' },
        ],
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
});
