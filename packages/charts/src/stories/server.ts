/** The words of the server's pictures. */
import { triggerName } from '../form/words.js';
import type { Story } from './story.js';

const INQUIRIES = ['verifying', 'expanding', 'helping', 'turning', 'extending'];

export const serverStory: Story = {
  title: 'An SMTP session, as the server sees it',
  subtitle:
    'Follow the thick line: a client connects, says hello and hands over a message. Then it may send the next.',
  words: ['EHLO', 'MAIL', 'RCPT', 'DATA', '.'],
  refusals: [
    'rejected',
    'cancel',
    'badResponse',
    'badCommand',
    'tlsFailed',
    'plaintext',
    'cutOff',
    'shutdown',
    'peerClosed',
  ],
  clientDeadlines: ['idle', 'mailData'],
  foldsQuestions: true,
  alternatives: [{ word: 'STARTTLS', names: { securing: 'handshake' } }, { word: 'AUTH' }, { word: 'BDAT' }],
  captions: {
    refused: 'only QUIT is served',
    ready: 'no mail under way',
    opened: 'no recipient yet',
    addressed: 'has recipients',
  },
  edgeCaptions: {
    'addressed initiating': 'or BDAT',
    'addressed addressing': 'another',
    'committing ready': 'message taken',
    'receivingChunk committing': 'last one',
  },
  rail: 'the mail is dropped',
  everywhere: {
    title: 'At any time, wherever we wait for a command',
    rows: [
      {
        id: 'noop',
        commands: ['NOOP'],
        codes: ['250'],
        note: 'nothing changes',
        takes: ({ transition, target }) =>
          ['command.NOOP', 'command.XFORWARD'].includes(triggerName(transition)) &&
          target === undefined &&
          transition.guard === undefined,
      },
      {
        id: 'inquiries',
        commands: ['VRFY', 'EXPN', 'HELP'],
        states: INQUIRIES,
        note: 'then on where it was',
        takes: ({ source, target }) =>
          target !== undefined && (INQUIRIES.includes(target.key) || INQUIRIES.includes(source.key)),
      },
      {
        id: 'reset',
        commands: ['RSET', 'EHLO'],
        codes: ['250'],
        note: 'the mail is dropped',
        takes: ({ transition }) =>
          /^command\.(?:RSET|EHLO|HELO|LHLO|XCLIENT)$/.test(triggerName(transition)) &&
          transition.guard !== 'tlsMissing' &&
          transition.guard !== 'parametersRefused',
      },
      {
        id: 'refused',
        codes: ['4yz', '5yz'],
        note: 'refused: nothing changes',
        takes: ({ transition, source, target }) =>
          (target === undefined && (transition.replies ?? []).some(({ code }) => /^[45]/.test(code))) ||
          // A refused EHLO or STARTTLS leads back to where the dialogue stood.
          (['identifying', 'permittingTls'].includes(source.key) && triggerName(transition) === 'rejected'),
      },
    ],
  },
  ending: {
    rows: [
      {
        id: 'quit',
        commands: ['QUIT'],
        codes: ['221'],
        note: '',
        takes: ({ transition }) => triggerName(transition) === 'command.QUIT',
      },
      {
        id: 'cut-off',
        codes: ['421'],
        note: 'time-out, shutdown, errors',
        takes: ({ target }) => target?.key === 'closing',
      },
    ],
    note: 'or the connection is lost',
  },
  phases: [
    {
      id: 'opening',
      title: 'Opening the session, as the server sees it',
      subtitle: 'From the connection to EHLO.',
      states: ['connecting', 'greeted', 'identifying', 'refused'],
    },
    {
      id: 'tls',
      title: 'STARTTLS, as the server sees it',
      subtitle: 'The same connection goes on under TLS, and what was said before counts for nothing.',
      states: ['session', 'permittingTls', 'securing'],
      only: { session: /STARTTLS/ },
    },
    {
      id: 'auth',
      title: 'AUTH, as the server sees it',
      subtitle: 'A loop, in which the mechanism says what it wants next.',
      states: ['ready', 'challenged', 'computing', 'retrieving', 'judging'],
      only: { ready: /AUTH/ },
    },
    {
      id: 'transaction',
      title: 'One mail transaction, as the server sees it',
      subtitle: 'Left: the way of a message. Right: what each state answers, in order of trial.',
      states: [
        'ready',
        'opening',
        'opened',
        'addressing',
        'addressed',
        'initiating',
        'receiving',
        'initiatingChunks',
        'receivingChunk',
        'chunked',
        'committing',
        'transaction',
      ],
      only: { ready: /MAIL|RCPT|DATA|BDAT|idle/ },
    },
    {
      id: 'ending',
      title: 'At any time, and at the end: the server',
      subtitle: 'What may come at any time, and how a session ends.',
      states: [
        'session',
        'verifying',
        'expanding',
        'helping',
        'turning',
        'extending',
        'closing',
        'closed',
        'server',
      ],
      only: { session: /^(?!.*STARTTLS)/ },
    },
  ],
};
