/**
 * The words of the client chart: the guards that ask, the actions that count, and the delays. An
 * action without a body is an effect, which the session performs.
 */
import { assign, setup } from '../../chart/machine/definition.js';
import type { ClientChartInput, ClientContext } from './chart-context.js';
import type { ClientChartEvent, FailParameters, Finding, FixedLine, Negotiable } from './chart-events.js';

const negotiableIn = (event: ClientChartEvent): Negotiable | undefined =>
  'negotiable' in event ? event.negotiable : undefined;
const findingIn = (event: ClientChartEvent): Finding | undefined =>
  'finding' in event ? event.finding : undefined;
const isWrittenAhead = (event: ClientChartEvent): boolean => 'writtenAhead' in event && event.writtenAhead;

/** Asked at the reply to the last RCPT, which is not counted yet: MAIL was accepted, and a recipient too. */
const mailIsAccepted = ({ opened, accepted }: ClientContext, event: ClientChartEvent): boolean =>
  opened && (accepted > 0 || event.type === 'reply.success');

export const vocabulary = setup({
  types: {
    context: {} as ClientContext,
    events: {} as ClientChartEvent,
    input: {} as ClientChartInput,
  },
  guards: {
    // RFC 5321 §3.2, §4.1.4: the server does not know EHLO. Other refusals are not of the command but of us.
    // RFC 2033 §4.1: LMTP has no other greeting than LHLO.
    heloMayBeTried: ({ context, event }) =>
      context.protocol === 'smtp' && 'code' in event && [500, 501, 502, 504].includes(event.code),
    plaintextBehind: ({ event }) => findingIn(event) === 'plaintextBehind',
    initialResponseAwaited: ({ event }) => findingIn(event) === 'initialResponseAwaited',
    malformedChallenge: ({ event }) => findingIn(event) === 'malformedChallenge',
    unproven: ({ event }) => findingIn(event) === 'unproven',
    startTlsFollows: ({ context, event }) =>
      context.startTls !== 'never' && !context.upgraded && negotiableIn(event)?.tls === 'offered',
    tlsIsMissing: ({ context, event }) =>
      context.startTls === 'required' && negotiableIn(event)?.tls !== 'established',
    authenticationFollows: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'possible',
    authenticationIsWithheld: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'withheld',
    authenticationIsMissing: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'notOffered',
    xclientFollows: ({ context, event }) =>
      !context.substituted && negotiableIn(event)?.xclient === 'possible',
    xclientIsMissing: ({ context, event }) =>
      !context.substituted && negotiableIn(event)?.xclient === 'notOffered',
    xforwardFollows: ({ event }) => negotiableIn(event)?.xforward === 'possible',
    begun: ({ event }) => 'begun' in event && event.begun,
    recipientsMayBeSent: ({ event }) => event.type === 'send' && event.recipients > 0,
    opened: ({ context }) => context.opened,
    writtenAhead: ({ event }) => isWrittenAhead(event),
    recipientFollows: ({ context, event }) =>
      context.unanswered > 1 && (context.opened || isWrittenAhead(event)),
    chunksFollow: ({ context, event }) => context.chunks > 0 && mailIsAccepted(context, event),
    dataFollows: ({ context, event }) =>
      isWrittenAhead(event) || (context.chunks === 0 && mailIsAccepted(context, event)),
    recipientsAccepted: ({ context }) => context.opened && context.accepted > 0,
    // RFC 2033 §4.2: with LMTP nothing is answered for nobody, and DATA must have been refused.
    loneDotIsAnswered: ({ context }) => context.protocol === 'smtp',
    roomForChunk: ({ context }) => context.inFlight + 1 < context.chunks,
    chunksInFlight: ({ context }) => context.inFlight > 0,
    refusalIsDue: ({ context }) => context.chunks === 0 || context.inFlight > 0,
    furtherChunksInFlight: ({ context }) => context.inFlight > 1,
    furtherRecipients: ({ context }) => context.protocol === 'lmtp' && context.accepted > 1,
  },
  actions: {
    write: (_, _params: { readonly command: FixedLine }) => {},
    proceed: () => {},
    announceGreeting: () => {},
    upgradeTls: () => {},
    prepareResponse: () => {},
    writeResponse: () => {},
    acknowledge: () => {},
    writeXclient: () => {},
    writeXforward: () => {},
    introduce: () => {},
    writeInquiry: () => {},
    announceAnswer: () => {},
    answerRecipient: () => {},
    refuse: () => {},
    deliver: () => {},
    decideRecipient: () => {},
    wantMailData: () => {},
    writeChunk: () => {},
    writeEndOfMailData: () => {},
    settle: () => {},
    fail: (_, _params: FailParameters) => {},
    close: () => {},
    closed: () => {},
    markUpgraded: assign({ upgraded: true }),
    markAuthenticated: assign({ authenticated: true }),
    markSubstituted: assign({ substituted: true }),
    begin: assign(({ event }) => ({
      opened: false,
      unanswered: event.type === 'send' ? event.recipients : 0,
      accepted: 0,
      chunks: event.type === 'send' ? event.chunks : 0,
      inFlight: 0,
    })),
    markOpened: assign({ opened: true }),
    countAnswered: assign({ unanswered: ({ context }) => context.unanswered - 1 }),
    countAccepted: assign({ accepted: ({ context }) => context.accepted + 1 }),
    countDecided: assign({ accepted: ({ context }) => context.accepted - 1 }),
    countChunk: assign({ inFlight: ({ context }) => context.inFlight + 1 }),
    countChunkAnswered: assign({ inFlight: ({ context }) => context.inFlight - 1 }),
  },
  delays: {
    greeting: ({ context }) => context.timeouts.greeting,
    hello: ({ context }) => context.timeouts.hello,
    startTls: ({ context }) => context.timeouts.startTls,
    handshake: ({ context }) => context.timeouts.handshake,
    authentication: ({ context }) => context.timeouts.authentication,
    computation: ({ context }) => context.timeouts.computation,
    proxying: ({ context }) => context.timeouts.proxying,
    inquiry: ({ context }) => context.timeouts.inquiry,
    mail: ({ context }) => context.timeouts.mail,
    rcpt: ({ context }) => context.timeouts.rcpt,
    dataInitiation: ({ context }) => context.timeouts.dataInitiation,
    dataBlock: ({ context }) => context.timeouts.dataBlock,
    chunk: ({ context }) => context.timeouts.chunk,
    dataTermination: ({ context }) => context.timeouts.dataTermination,
    reset: ({ context }) => context.timeouts.reset,
    quit: ({ context }) => context.timeouts.quit,
    linger: ({ context }) => context.timeouts.linger,
  },
});
