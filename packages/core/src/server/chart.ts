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
 * `cutOff` is the session's word that a limit was reached which is none of the protocol's: too many commands that bring
 * no mail forward, too slow, too long; or that another protocol is spoken.
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
 *    of it), for a message under way may finish (RFC 5321 §4.1.1.5, §4.1.1.10) unless there is no time left for it.
 *    Only `connectionLost` and deadlines come at any time.
 * 3. Every command that reaches the chart makes it reply exactly once: by `reply`, or by `answer` once decided.
 * 4. `open` holds from an accepted MAIL to the end of its mail transaction, and `recipients` counts the accepted
 *    RCPTs in it; both are nothing in `greeted` and `ready`. `chunking` holds from its first BDAT on.
 *    `errors` counts what the client did wrong, never what the application refused, nor an address that is none, nor
 *    what a pipelining client sent behind a refused MAIL, RCPT or chunk before it could know (RFC 2920 §3.1).
 * 5. Mail data does not pass through here. The session frames it and says `endOfMailData` or `endOfChunk`, once.
 *    It also reads away the octets behind a BDAT that is refused, before the reply goes out.
 * 6. What was said before TLS counts for nothing after it (RFC 3207 §4.2): `secured` is kept, for good, and the count
 *    of refused AUTH exchanges. Nothing leads into `securing` while octets of the client's are held.
 * 7. `authenticated` holds from a 235, or from LOGIN of XCLIENT, to the end of the session, or to STARTTLS or XCLIENT,
 *    which begin it anew.
 * 8. `introduced` holds from an accepted EHLO or HELO to STARTTLS or XCLIENT. In lenient mode a mail transaction needs
 *    none, so neither `ready` nor `transaction` implies it: what a service extension brings asks for it, in every state.
 *
 * What stands elsewhere: `chart-events.ts`, `chart-context.ts` and `chart-vocabulary.ts` have the words;
 * `chart-transitions.ts` what more than one state does; `chart-authentication.ts` and `chart-transaction.ts` the
 * states within AUTH and within a mail transaction.
 */
import { authenticating, authenticationGoesOn } from './chart/chart-authentication.js';
import { transaction } from './chart/chart-transaction.js';
import {
  ask,
  authenticationFirst,
  backToDialogue,
  CLOSING,
  cutOff,
  endSession,
  endWhereFramingIsLost,
  helloFirst,
  idleTooLong,
  offerFirst,
  peerClosed,
  quit,
  refuseCommand,
  refuseLine,
  refuseMailWhen,
  refuseParameters,
  refuseWhen,
  refuseWith,
  reply,
  shutDown,
  takenTooLong,
  tlsFirst,
} from './chart/chart-transitions.js';
import { vocabulary } from './chart/chart-vocabulary.js';

/** A pipelining client sends RCPT and DATA before it learns that MAIL was refused: no error of its own. */
const behindRefusedMail = {
  guard: 'refusedBefore',
  actions: reply('mailFirst'),
  description: 'RFC 2920 §3.1',
} as const;

/** What belongs to a mail transaction, where none is open. */
const mailFirst = (description: string) =>
  [
    { guard: 'refusedBeforeTls', actions: reply('tlsRequired'), description: 'RFC 3207 §4, RFC 2920 §3.1' },
    behindRefusedMail,
    ...tlsFirst,
    ...refuseWith('mailFirst', description),
  ] as const;

/** The same before EHLO, which in lenient mode is not needed. */
const helloAndMailFirst = (description: string) =>
  [...helloFirst, behindRefusedMail, ...refuseWith('mailFirst', description)] as const;

/** MAIL, where it may open a mail transaction. */
const mail = (description: string) =>
  [
    ...refuseMailWhen('authenticationMissing', 'authenticationRequired', 'RFC 4954 §6, RFC 6409 §4.3'),
    ...refuseParameters,
    { target: 'transaction', description },
  ] as const;

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
        cutOff,
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
          ...offerFirst('RFC 3207 §4'),
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
          ...offerFirst('RFC 1985 §5.3'),
          { target: '.turning', description: 'RFC 1985 §5.3' },
        ],
        'command.extension': [
          ...tlsFirst,
          ...offerFirst('§4.1.4'),
          { target: '.extending', description: 'RFC 5321 §2.2.2' },
        ],
        'command.QUIT': quit,
        'command.*': refuseWith('badSequence', 'RFC 5321 §4.1.4'),
        badCommand: refuseLine,
        cutOff,
        shutdown: shutDown,
        peerClosed,
      },
      states: {
        greeted: {
          description: 'The client has yet to say who it is.',
          after: { idle: idleTooLong },
          on: {
            'command.MAIL': [
              ...helloFirst,
              ...mail(
                'RFC 5321 §4.1.4, which asks for EHLO: in lenient mode alone, for devices that say none',
              ),
            ],
            'command.RCPT': helloAndMailFirst('RFC 5321 §3.3'),
            'command.DATA': helloAndMailFirst('RFC 5321 §3.3'),
            'command.BDAT': [...tlsFirst, ...offerFirst('RFC 3030 §2')],
            'command.AUTH': [...tlsFirst, ...offerFirst('RFC 4954 §4')],
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

        authenticating,

        ready: {
          description: 'No mail transaction is under way.',
          after: { idle: idleTooLong },
          on: {
            'command.MAIL': [
              ...refuseMailWhen('tlsMissing', 'tlsRequired', 'RFC 3207 §4'),
              ...mail('RFC 5321 §3.3, §4.1.1.2'),
            ],
            'command.RCPT': mailFirst('RFC 5321 §3.3'),
            'command.DATA': mailFirst('RFC 5321 §3.3'),
            'command.BDAT': [...offerFirst('RFC 3030 §2'), ...mailFirst('RFC 3030 §2')],
            'command.AUTH': [
              ...tlsFirst,
              ...offerFirst('RFC 4954 §4'),
              ...refuseWhen('authenticated', 'authenticatedAlready', 'RFC 4954 §4'),
              ...refuseCommand,
              ...authenticationGoesOn,
            ],
          },
        },

        transaction,
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
