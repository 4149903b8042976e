/** The words of the client's pictures. */
import { triggerName } from '../form/words.js';
import type { Story } from './story.js';

export const clientStory: Story = {
  title: 'An SMTP session, as the client sees it',
  subtitle: 'Follow the thick line: each reply of the server says which command may follow it.',
  words: ['EHLO', 'MAIL', 'RCPT', 'DATA', 'text', '.'],
  refusals: [
    'reply.transient',
    'reply.permanent',
    'reply.421',
    'reply.*',
    'protocolError',
    'peerClosed',
    'connectionLost',
    'tlsFailed',
    'abandon',
    'cancel',
    'quit',
    'inquire',
  ],
  clientDeadlines: ['dataBlock', 'computation'],
  foldsQuestions: false,
  alternatives: [
    { word: 'STARTTLS', names: { startingTls: 'startingTls', securing: 'handshake' } },
    { word: 'AUTH' },
    { word: 'BDAT' },
  ],
  captions: {
    refused: 'QUIT was sent',
    ready: 'no mail under way',
    sending: 'the application writes',
    terminating: 'outcome unknown',
  },
  edgeCaptions: {
    'greeting identifying': 'or HELO',
    'addressing addressing': 'another',
    'sending terminating': 'the final dot',
    'terminating ready': 'message taken',
    'concluding terminating': 'last one',
  },
  rail: 'the mail is dropped',
  everywhere: {
    title: 'Besides',
    rows: [
      {
        id: 'xclient',
        commands: ['XCLIENT'],
        codes: ['220'],
        states: ['substituting'],
        note: 'then EHLO again',
        takes: ({ source, target }) =>
          target?.key === 'substituting' || (source.key === 'substituting' && target?.key === 'identifying'),
      },
      {
        id: 'inquiries',
        commands: ['VRFY', 'EXPN', 'NOOP'],
        states: ['inquiring'],
        note: 'then ready again',
        takes: ({ source, target }) =>
          target?.key === 'inquiring' || (source.key === 'inquiring' && target?.key === 'ready'),
      },
      {
        id: 'xforward',
        commands: ['XFORWARD'],
        codes: ['250'],
        states: ['forwarding'],
        note: 'before it is ready',
        takes: ({ source, target }) =>
          target?.key === 'forwarding' || (source.key === 'forwarding' && target?.key === 'ready'),
      },
      {
        id: 'lmtp',
        codes: ['250'],
        states: ['delivering'],
        note: 'LMTP: for each recipient',
        takes: ({ source, target }) =>
          target?.key === 'delivering' || (source.key === 'delivering' && target?.key === 'ready'),
      },
      {
        id: 'cancelled',
        commands: ['*'],
        states: ['cancelled'],
        note: 'AUTH is given up, then QUIT',
        takes: ({ source, target }) => target?.key === 'cancelled' || source.key === 'cancelled',
      },
      {
        id: 'abandoned',
        states: ['abandoned'],
        note: 'no end of the text: no delivery',
        takes: ({ source, target }) => target?.key === 'abandoned' || source.key === 'abandoned',
      },
    ],
  },
  ending: {
    rows: [
      {
        id: 'quit',
        commands: ['QUIT'],
        codes: ['221'],
        states: ['quitting'],
        note: '',
        takes: ({ transition, source }) => triggerName(transition) === 'quit' || source.key === 'quitting',
      },
      {
        id: 'refused',
        codes: ['421', '4yz', '5yz'],
        note: 'QUIT is sent, or no more',
        takes: ({ target, source, transition }) =>
          ['refused', 'closing'].includes(target?.key ?? '') ||
          source.key === 'refused' ||
          triggerName(transition) === 'reply.421',
      },
    ],
    note: 'or the connection is lost',
  },
  phases: [
    {
      id: 'opening',
      title: 'Opening the session, as the client sees it',
      subtitle: 'From the greeting to EHLO, and what follows from its reply.',
      states: ['greeting', 'identifying', 'fallingBack', 'substituting', 'forwarding'],
    },
    {
      id: 'tls',
      title: 'STARTTLS, as the client sees it',
      subtitle: 'What the server offered before is void, and asked for again.',
      states: ['identifying', 'startingTls', 'securing'],
      only: { identifying: /^$/ },
    },
    {
      id: 'auth',
      title: 'AUTH, as the client sees it',
      subtitle: 'The mechanism prepares each response; the reply says whether another is wanted.',
      states: ['preparing', 'responding', 'cancelled'],
    },
    {
      id: 'transaction',
      title: 'One mail transaction, as the client sees it',
      subtitle: 'Left: the way of a message. Right: what each reply leads to, in order of trial.',
      states: [
        'ready',
        'mailing',
        'addressing',
        'initiating',
        'sending',
        'chunking',
        'holding',
        'concluding',
        'draining',
        'abandoned',
        'terminating',
        'delivering',
        'resetting',
      ],
      only: { ready: /send/ },
    },
    {
      id: 'ending',
      title: 'At any time, and at the end: the client',
      subtitle: 'What may be asked between two messages, and how a session ends.',
      states: ['ready', 'inquiring', 'quitting', 'session', 'refused', 'closing', 'closed'],
      only: { ready: /inquire|quit/ },
    },
  ],
};
