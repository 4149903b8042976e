/** Why a server gave a reply, in words. They follow "because". */
import type { ReplyTitle } from '@sansmtp/core';
import type { Decision, ReplyLine, StateUpdated, TracedReply } from '../records.js';

/** Of the replies that are the session's own. */
const REASONS: Readonly<Record<Exclude<ReplyTitle, `${string}.${string}`>, string>> = {
  ok: 'the command was carried out',
  closing: 'the client said QUIT',
  refusedHere: 'the client was turned away at the greeting',
  helloFirst: 'the client has not introduced itself by EHLO or HELO',
  extendedHelloFirst: 'the client has not said EHLO, which the extension needs',
  mailFirst: 'no mail transaction is open: MAIL has not been accepted',
  rcptFirst: 'no recipient was accepted',
  transactionOpen: 'a mail transaction is open',
  badSequence: 'the command does not belong here',
  chunkFirst: 'the message comes by BDAT',
  tlsRequired: 'TLS is required first',
  tlsActive: 'TLS protects the connection already',
  plaintextInjected: 'octets came in the clear after STARTTLS',
  authenticationRequired: 'the client has not authenticated',
  authenticatedAlready: 'the client has authenticated already',
  authenticationCancelled: 'the client gave up the AUTH exchange',
  malformedResponse: 'the response is not what the mechanism prescribes',
  malformedBase64: 'the response is not base64',
  authenticationLineTooLong: 'the line of the AUTH exchange is too long',
  noInitialResponse: 'the mechanism takes no initial response',
  mechanismUnknown: 'the mechanism was not offered',
  mechanismNeedsTls: 'the mechanism needs TLS',
  tooManyAuthenticationFailures: 'too many authentications failed',
  authenticationUnavailable: 'nobody could decide on the authentication',
  unrecognized: 'the verb is not known',
  notOffered: 'the extension is not offered',
  notTrusted: 'the client is not trusted with the command',
  lmtpSpoken: 'LMTP is spoken here',
  binaryByChunksOnly: 'the message was declared BINARYMIME, which goes by BDAT only',
  senderNeedsUtf8: 'the address needs SMTPUTF8',
  recipientNeedsUtf8: 'the address needs SMTPUTF8',
  verificationNeedsUtf8: 'the reply needs SMTPUTF8',
  expansionNeedsUtf8: 'the reply needs SMTPUTF8',
  chunkReceived: 'the chunk has arrived, and it is not the last one',
  noValidRecipients: 'all recipients were refused',
  noValidRecipientsInLmtp: 'all recipients were refused',
  tooManyRecipients: 'the mail transaction has as many recipients as it may',
  lineTooLong: 'the line is too long',
  mailDataTooLarge: 'the message is larger than the server takes',
  tooManyErrors: 'the client made too many errors in a row',
  tooManyJunkCommands: 'too many commands brought no mail forward',
  tooManyRefusedRecipients: 'too many recipients were refused',
  mailDataTooSlow: 'the message came too slowly',
  sessionTooLong: 'the session lasted too long',
  tlsInTheClear: 'TLS was begun without STARTTLS',
  idleTimeout: 'the client said nothing for too long',
  mailDataTimeout: 'no mail data came for too long',
  decisionTimeout: 'the application did not decide in time',
  httpRequest: 'the client speaks HTTP',
  shuttingDown: 'the service is shutting down',
};

/** Replies to what is out of order: there it helps to know what would be in order. */
const OUT_OF_ORDER: ReadonlySet<string> = new Set<ReplyTitle>([
  'refusedHere',
  'helloFirst',
  'extendedHelloFirst',
  'mailFirst',
  'rcptFirst',
  'transactionOpen',
  'badSequence',
  'chunkFirst',
  'noValidRecipients',
  'noValidRecipientsInLmtp',
]);

/** Questions, as what the application decides on. */
const QUESTIONS: Readonly<Record<string, string>> = {
  connect: 'the connection',
  hello: "the client's name",
  mail: 'the sender',
  rcpt: 'the recipient',
  data: 'the message before it came',
  message: 'the message',
  verify: 'the inquiry',
  expand: 'the inquiry',
  help: 'the inquiry',
  startTls: 'STARTTLS',
  credentials: 'the credentials of',
  authenticate: 'the credentials of',
  etrn: 'ETRN',
  extension: 'the command',
};

/** What a reply can have been given for. */
export interface Grounds {
  /** The transition that led to it. */
  readonly step?: Pick<StateUpdated, 'event' | 'effects'> | undefined;
  /** What the application decided last, for this command. */
  readonly decision?: Extract<Decision, { readonly about: 'question' }> | undefined;
  /** What is wrong with the line itself. */
  readonly refusal?: TracedReply | undefined;
}

/** The reason, or undefined where the trace does not tell it. */
export function reasonFor(reply: ReplyLine, { step, decision, refusal }: Grounds): string | undefined {
  const { title, code } = reply;
  if (title !== undefined && Object.hasOwn(REASONS, title)) return REASONS[title as keyof typeof REASONS];
  if (code === 334) return 'the AUTH exchange goes on';
  const event = step?.event;
  if (event === 'accepted' || event === 'rejected') return decision && decisionText(decision);
  if (step?.effects.includes('refuseMessage')) return 'the message is flawed, as the reply says';
  if (refusal?.code === 500) return 'the line is no command that is known';
  if (refusal !== undefined || step?.effects.includes('refuse')) {
    return 'the command says what cannot be taken, as the reply explains';
  }
  return undefined;
}

function decisionText({ decision, question, subject, reply }: NonNullable<Grounds['decision']>): string {
  const verb = decision === 'accept' ? 'accepted' : 'refused';
  const what = Object.hasOwn(QUESTIONS, question) ? QUESTIONS[question] : 'the command';
  const whom = subject === undefined ? '' : ` ${subject}`;
  const own = reply === undefined ? '' : ', in words of its own';
  return `the application ${verb} ${what}${whom}${own}`;
}

/** Whether it helps to know what the state takes. */
export function isOutOfOrder({ title }: ReplyLine): boolean {
  return title !== undefined && OUT_OF_ORDER.has(title);
}
