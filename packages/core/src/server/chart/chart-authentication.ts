/**
 * The server chart within AUTH (RFC 4954): a loop, in which what the mechanism wants next comes with the event that
 * moved it on, as `next`, and leads to the state that gets it. What a mechanism wants when, the chart does not know.
 */
import {
  ask,
  CLOSING,
  endSession,
  giveUp,
  giveUpAt,
  idleTooLong,
  READY,
  refuse,
  reply,
  takenTooLong,
} from './chart-transitions.js';
import { vocabulary } from './chart-vocabulary.js';

const AUTHENTICATING = '#server.session.authenticating';

/** Where an AUTH exchange goes on, by what its mechanism wants next. */
export const authenticationGoesOn = [
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
    reenter: true,
    description: 'RFC 5802 §5, RFC 2195 §2',
  },
  {
    guard: 'decisionNext',
    target: `${AUTHENTICATING}.judging`,
    reenter: true,
    description: 'RFC 4422 §3.4.1',
  },
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

export const authenticating = vocabulary.createStateConfig({
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
});
