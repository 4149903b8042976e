/**
 * The transitions of the server chart that more than one state has: how a command is refused, how long is waited, and
 * how the session ends. What counts as an error, and when there were too many, is ruled here alone.
 */

import type { Question } from '../decisions/questions.js';
import type { ReplyName } from '../decisions/replies.js';
import type { ServerChartEvent } from './chart-events.js';
import type { Fault } from './chart-vocabulary.js';

export const CLOSING = '#server.closing';
export const READY = '#server.session.ready';
export const TRANSACTION = '#server.session.transaction';

export const reply = <const Name extends ReplyName>(name: Name) =>
  ({ type: 'reply', params: { reply: name } }) as const;
export const ask = <const Kind extends Question['kind']>(question: Kind) =>
  ({ type: 'ask', params: { question } }) as const;

/** After `maximumErrors` errors in a row the session ends: no client at work makes so many. */
export const giveUp = {
  guard: 'lastError',
  target: CLOSING,
  actions: reply('tooManyErrors'),
  description: 'RFC 5321 §3.8, RFC 3463 X.7.0',
} as const;

/** The same, where the error is a fault. It stands before the transition that the fault leads to otherwise. */
export const giveUpAt = <const Name extends Fault>(fault: Name) =>
  ({ ...giveUp, guard: `${fault}OnceTooOften` }) as const;

/** Refuses a command that is not legal here; the session goes on where it stands. */
export const refuseWith = <const Name extends ReplyName>(name: Name, description: string) =>
  [giveUp, { actions: ['countError', reply(name)], description }] as const;

/** The reply that came with the event. */
const refusal = ({ event }: { event: ServerChartEvent }) => ({
  reply: 'refusal' in event ? event.refusal : undefined,
});
export const refuse = { type: 'refuse', params: refusal } as const;
export const refuseMessage = { type: 'refuseMessage', params: refusal } as const;

export const endWhereFramingIsLost = {
  guard: 'framingLost',
  target: CLOSING,
  actions: refuse,
  description: 'RFC 3030 §2: how many octets follow is not known, and they are no commands',
} as const;

/**
 * A MAIL or RCPT whose address is wrong is no error of the kind that ends a session: a mailing list with ten odd
 * recipients is no attack. Nor is what was pipelined behind it (RFC 2920 §3.1).
 */
const refuseAddress = {
  guard: 'aboutAddress',
  actions: ['markRefused', refuse],
  description: 'RFC 5321 §4.1.2, RFC 3463 §3.2',
} as const;

/** A line that is no command, or whose argument is wrong. */
export const refuseLine = [
  endWhereFramingIsLost,
  refuseAddress,
  giveUp,
  { actions: ['countError', refuse], description: 'RFC 5321 §4.2.2, §4.2.4' },
] as const;

/** A MAIL or RCPT whose parameters no offered service extension defines, or whose values are wrong. */
export const refuseParameters = [
  // The command is as it should be; the message is too large, as the message itself would be found to be.
  { guard: 'declaredTooLarge', actions: ['markRefused', refuse], description: 'RFC 1870 §6.1' },
  refuseAddress,
  giveUpAt('parametersRefused'),
  {
    guard: 'parametersRefused',
    actions: ['countError', 'markRefused', refuse],
    description: 'RFC 5321 §4.1.1.11',
  },
] as const;

/** A command whose argument was refused, or that this client may not give. */
export const refuseCommand = [
  giveUpAt('parametersRefused'),
  { guard: 'parametersRefused', actions: ['countError', refuse], description: 'RFC 5321 §4.2.2, §4.2.4' },
] as const;

/** Refuses a command for what came before it, or did not; the session goes on where it stands. */
export const refuseWhen = <const Guard extends Fault, const Name extends ReplyName>(
  guard: Guard,
  name: Name,
  description: string,
) => [giveUpAt(guard), { guard, actions: ['countError', reply(name)], description }] as const;

/** Refuses MAIL so: what a client has pipelined behind it is no further error (RFC 2920 §3.1). */
export const refuseMailWhen = <const Guard extends Fault, const Name extends ReplyName>(
  guard: Guard,
  name: Name,
  description: string,
) => [giveUpAt(guard), { guard, actions: ['countError', 'markRefused', reply(name)], description }] as const;

/** Where STARTTLS is required, all else but EHLO, NOOP and QUIT is refused before it. */
export const tlsFirst = refuseWhen('tlsMissing', 'tlsRequired', 'RFC 3207 §4');

export const authenticationFirst = refuseWhen(
  'authenticationMissing',
  'authenticationRequired',
  'RFC 4954 §6, RFC 6409 §4.3',
);

/** What opens a mail transaction, or belongs to one, before the client has said who it is; lenient mode does not mind. */
export const helloFirst = [
  ...tlsFirst,
  ...refuseWhen('helloMissing', 'helloFirst', 'RFC 5321 §4.1.4'),
] as const;

/** What a service extension brings, before EHLO: nobody has offered it yet. Lenient mode does not change that. */
export const offerFirst = (description: string) =>
  refuseWhen('notIntroduced', 'helloFirst', `RFC 5321 §2.2.1, ${description}`);

/** The application's reply ends the session. */
export const endSession = {
  guard: 'endsSession',
  target: CLOSING,
  actions: 'answer',
  description: 'RFC 5321 §3.8',
} as const;

/**
 * Back to where the dialogue stood: VRFY, EXPN and HELP may come at any time, and a refused EHLO changes nothing. A
 * history state would say the same, but hides in a picture where it leads; invariant 4 says that the context knows.
 */
export const backToDialogue = <const Actions>(actions: Actions) => {
  const description = 'RFC 5321 §4.1.4';
  return [
    { guard: 'chunking', target: `${TRANSACTION}.chunked`, actions, description },
    { guard: 'recipientsAccepted', target: `${TRANSACTION}.addressed`, actions, description },
    { guard: 'transactionOpen', target: `${TRANSACTION}.opened`, actions, description },
    { guard: 'introduced', target: READY, actions, description },
    { target: '#server.session.greeted', actions, description },
  ] as const;
};

/** The application did not decide in time. The client learns that it may try again later. */
export const takenTooLong = {
  target: CLOSING,
  actions: reply('decisionTimeout'),
  description: 'RFC 5321 §3.8',
} as const;

export const idleTooLong = {
  target: CLOSING,
  actions: reply('idleTimeout'),
  description: 'RFC 5321 §4.5.3.2.7',
} as const;

export const shutDown = {
  target: CLOSING,
  actions: reply('shuttingDown'),
  description: 'RFC 5321 §3.8',
} as const;

/** A limit of the session was reached, or another protocol is spoken. */
export const cutOff = {
  target: CLOSING,
  actions: refuse,
  description: 'RFC 5321 §3.8, RFC 3463 X.7.0',
} as const;

export const quit = {
  target: CLOSING,
  actions: reply('closing'),
  description: 'RFC 5321 §4.1.1.10',
} as const;

export const peerClosed = { target: '#server.closed', description: 'RFC 5321 §4.1.1.10' } as const;
