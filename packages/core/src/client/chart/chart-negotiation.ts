/**
 * The client chart on the way to `ready`.
 *
 * Between the reply to EHLO and `ready` stands what both ends negotiate, in this order: STARTTLS, then XCLIENT,
 * then AUTH, then XFORWARD. Which of it is wanted and may be had, the session tells as the `negotiable` that comes with
 * each of these replies; STARTTLS and XCLIENT lead back to EHLO, because what was offered before them is void;
 * for the same reason AUTH comes after XCLIENT, with which a server forgets who was authenticated.
 */
import {
  AUTHENTICATION,
  CANCELLED,
  CLOSED,
  FORWARDING,
  fail,
  notOffered,
  READY,
  REFUSED,
  refuseSession,
  STARTING_TLS,
  SUBSTITUTING,
  timedOut,
  tlsFailed,
  write,
} from './chart-transitions.js';

/** Where the negotiation leads once authentication is settled. */
const afterAuthentication = [
  { guard: 'xforwardFollows', target: FORWARDING, description: 'RFC 5321 §2.2.2, Postfix XFORWARD_README' },
  { target: READY, actions: 'introduce', description: 'RFC 5321 §3.2, §4.1.1.1' },
] as const;

/** Where it leads once XCLIENT is settled. */
const afterXclient = [
  {
    guard: 'authenticationFollows',
    target: AUTHENTICATION,
    description: 'RFC 4954 §4',
  },
  {
    guard: 'authenticationIsWithheld',
    target: REFUSED,
    actions: fail('withheld'),
    description: 'RFC 4954 §4, §9: no credentials without TLS',
  },
  {
    guard: 'authenticationIsMissing',
    target: REFUSED,
    actions: notOffered('AUTH'),
    description: 'RFC 4954 §3: no mechanism in common',
  },
  ...afterAuthentication,
] as const;

/**
 * Where it leads once TLS is settled. To say whom one speaks for may decide what a server allows, so it is not left
 * out where XCLIENT is not offered; XFORWARD is for its log only.
 */
const afterTls = [
  {
    guard: 'xclientFollows',
    target: SUBSTITUTING,
    description: 'RFC 5321 §2.2.2, Postfix XCLIENT_README',
  },
  {
    guard: 'xclientIsMissing',
    target: REFUSED,
    actions: notOffered('XCLIENT'),
    description: 'RFC 5321 §2.2.1, Postfix XCLIENT_README',
  },
  ...afterXclient,
] as const;

/** Where the reply that accepts EHLO or HELO leads. */
const identified = [
  { guard: 'startTlsFollows', target: STARTING_TLS, description: 'RFC 3207 §4' },
  {
    guard: 'tlsIsMissing',
    target: REFUSED,
    actions: notOffered('STARTTLS'),
    description: 'RFC 3207 §4.1: the client is not willing to go on without TLS',
  },
  ...afterTls,
] as const;

const startTlsRefused = [
  {
    guard: 'tlsIsMissing',
    target: REFUSED,
    actions: fail('refused'),
    description: 'RFC 3207 §4.1: the client is not willing to go on without TLS',
  },
  ...afterTls,
] as const;

/** XFORWARD is for the server's log: mail goes on without it. */
const forwarded = {
  target: READY,
  actions: 'introduce',
  description: 'RFC 5321 §2.2.2, Postfix XFORWARD_README: it is for the log',
} as const;

export const negotiation = {
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
    description: 'EHLO was sent, or LHLO with LMTP.',
    entry: write('hello'),
    after: { hello: timedOut('RFC 5321 §4.5.3.2') },
    on: {
      'reply.success': identified,
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
      'reply.success': identified,
      'reply.transient': refuseSession('RFC 5321 §4.1.1.1'),
      'reply.permanent': refuseSession('RFC 5321 §4.1.1.1'),
    },
  },

  startingTls: {
    description: 'STARTTLS was sent.',
    entry: ['markUpgraded', write('STARTTLS')],
    after: { startTls: timedOut('RFC 5321 §4.5.3.2') },
    on: {
      'reply.success': [
        {
          guard: 'plaintextBehind',
          target: CLOSED,
          actions: fail('protocol'),
          description: 'RFC 3207 §6: whoever sent this is not who will be authenticated',
        },
        { target: 'securing', actions: 'upgradeTls', description: 'RFC 3207 §4' },
      ],
      'reply.transient': startTlsRefused,
      'reply.permanent': startTlsRefused,
    },
  },

  securing: {
    description: 'The TLS handshake is under way: nothing may pass beside it.',
    after: { handshake: tlsFailed },
    on: {
      tlsEstablished: { target: 'identifying', description: 'RFC 3207 §4.2' },
      tlsFailed,
      peerClosed: tlsFailed,
      connectionLost: tlsFailed,
    },
  },

  authentication: {
    initial: 'preparing',
    states: {
      preparing: {
        description: 'The SASL mechanism prepares its next response.',
        entry: 'prepareResponse',
        after: { computation: timedOut('RFC 4422 §3') },
        on: {
          computed: { target: 'preparing', reenter: true, description: 'RFC 4422 §3' },
          respond: { target: 'responding', description: 'RFC 4954 §4' },
          cancel: [
            {
              guard: 'begun',
              target: CANCELLED,
              actions: fail('authentication'),
              description: 'RFC 4954 §4',
            },
            { target: REFUSED, actions: fail('authentication'), description: 'RFC 4422 §3' },
          ],
        },
      },

      responding: {
        description: 'AUTH or a further response was sent.',
        entry: 'writeResponse',
        after: { authentication: timedOut('RFC 5321 §4.5.3.2') },
        on: {
          'reply.success': [
            {
              guard: 'unproven',
              target: CLOSED,
              actions: fail('protocol'),
              description: 'RFC 4422 §3.6, RFC 5802 §3: it need not be who it says it is',
            },
            ...afterAuthentication.map((transition) => ({
              ...transition,
              actions: [
                'markAuthenticated' as const,
                'acknowledge' as const,
                ...('actions' in transition ? [transition.actions] : []),
              ],
            })),
          ],
          'reply.intermediate': [
            {
              guard: 'initialResponseAwaited',
              target: 'responding',
              reenter: true,
              description: 'RFC 4954 §4: the initial response is sent by itself',
            },
            {
              guard: 'malformedChallenge',
              target: CANCELLED,
              actions: fail('protocol'),
              description: 'RFC 4954 §4',
            },
            { target: 'preparing', description: 'RFC 4954 §4' },
          ],
          'reply.transient': refuseSession('RFC 4954 §4, §6'),
          'reply.permanent': refuseSession('RFC 4954 §4, §6'),
        },
      },
    },
  },

  substituting: {
    description: 'XCLIENT was sent.',
    entry: 'writeXclient',
    after: { proxying: timedOut('RFC 5321 §4.5.3.2') },
    on: {
      'reply.success': {
        target: 'identifying',
        actions: 'markSubstituted',
        description: 'RFC 5321 §2.2.2, Postfix XCLIENT_README: as if we had connected anew',
      },
      'reply.transient': refuseSession('RFC 5321 §2.2.2, Postfix XCLIENT_README: as in the greeting'),
      'reply.permanent': refuseSession('RFC 5321 §2.2.2, Postfix XCLIENT_README: as in the greeting'),
    },
  },

  forwarding: {
    description: 'XFORWARD was sent.',
    entry: 'writeXforward',
    after: { proxying: timedOut('RFC 5321 §4.5.3.2') },
    on: {
      'reply.success': forwarded,
      'reply.transient': forwarded,
      'reply.permanent': forwarded,
    },
  },
} as const;
