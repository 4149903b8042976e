/**
 * The replies that the server gives of its own, and its defaults for what the application decides. Texts tell a
 * person what to do; codes are RFC 5321 §4.2.2's, enhanced status codes RFC 3463's.
 */
import type { Command } from '../../wire/commands/command.js';
import type { BareOctet } from '../../wire/inbound.js';
import type { MailDataFlaw } from '../../wire/mail-data/line-flaws.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Answer, Question } from './questions.js';

const reply = (code: number, enhancedCode: string, text: string): Reply => ({
  code,
  enhancedCode,
  lines: [text],
});

/** Replies in which the application has no say. */
export const replies = {
  ok: reply(250, '2.0.0', 'OK'),
  closing: reply(221, '2.0.0', 'Closing the session'),
  refusedHere: reply(503, '5.5.1', 'No service here; only QUIT is accepted'),
  helloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send EHLO or HELO first'),
  mailFirst: reply(503, '5.5.1', 'Bad sequence of commands: send MAIL first'),
  rcptFirst: reply(503, '5.5.1', 'Bad sequence of commands: send RCPT first'),
  transactionOpen: reply(
    503,
    '5.5.1',
    'Bad sequence of commands: a mail transaction is open, send RSET to drop it',
  ),
  badSequence: reply(503, '5.5.1', 'Bad sequence of commands'),
  chunkFirst: reply(
    503,
    '5.5.1',
    'Bad sequence of commands: the message comes by BDAT, send RSET to drop it',
  ),
  tlsRequired: reply(530, '5.7.0', 'Send STARTTLS first'),
  tlsActive: reply(503, '5.5.1', 'TLS is active already'),
  plaintextInjected: reply(
    421,
    '4.7.0',
    'Something was sent in the clear behind STARTTLS, closing the session',
  ),
  authenticationRequired: reply(530, '5.7.0', 'Authentication required'),
  authenticatedAlready: reply(503, '5.5.1', 'Authenticated already'),
  authenticationCancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  malformedResponse: reply(501, '5.5.2', 'The response is not what the mechanism prescribes'),
  malformedBase64: reply(501, '5.5.2', 'The response is not base64'),
  // RFC 4954 §6: of the command, and of a response.
  authenticationLineTooLong: reply(500, '5.5.6', 'Authentication exchange line is too long'),
  noInitialResponse: reply(501, '5.5.4', 'The mechanism takes no initial response: the server speaks first'),
  mechanismUnknown: reply(504, '5.5.4', 'The mechanism is not one of those that were offered'),
  mechanismNeedsTls: reply(538, '5.7.11', 'Authentication needs TLS: send STARTTLS first'),
  tooManyAuthenticationFailures: reply(421, '4.7.0', 'Too many failed authentications, closing the session'),
  authenticationUnavailable: reply(454, '4.7.0', 'Temporary authentication failure; try again later'),
  extendedHelloFirst: reply(503, '5.5.1', 'Bad sequence of commands: send EHLO first'),
  unrecognized: reply(500, '5.5.1', 'Command not recognized'),
  notOffered: reply(502, '5.5.1', 'The command is not offered here'),
  notTrusted: reply(550, '5.7.0', 'Not for this client'),
  lmtpSpoken: reply(500, '5.5.1', 'LMTP is spoken here: send LHLO'),
  binaryByChunksOnly: reply(503, '5.5.1', 'A message with BODY=BINARYMIME is sent by BDAT'),
  senderNeedsUtf8: reply(550, '5.6.7', 'The address holds characters outside ASCII, which needs SMTPUTF8'),
  recipientNeedsUtf8: reply(553, '5.6.7', 'The address holds characters outside ASCII, which needs SMTPUTF8'),
  // RFC 6531 §3.7.4.2
  verificationNeedsUtf8: reply(252, '2.6.8', 'Cannot verify the user without SMTPUTF8: the reply needs it'),
  expansionNeedsUtf8: reply(550, '5.6.8', 'Cannot expand the list without SMTPUTF8: the reply needs it'),
  chunkReceived: reply(250, '2.0.0', 'Chunk received'),
  noValidRecipients: reply(554, '5.5.1', 'No valid recipients'),
  noValidRecipientsInLmtp: reply(503, '5.5.1', 'No valid recipients'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients; send the rest in another mail transaction'),
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  mailDataTooLarge: reply(552, '5.3.4', 'The message exceeds the size limit'),
  tooManyErrors: reply(421, '4.7.0', 'Too many errors in a row, closing the session'),
  tooManyJunkCommands: reply(
    421,
    '4.7.0',
    'Too many commands that bring no mail forward, closing the session',
  ),
  tooManyRefusedRecipients: reply(421, '4.7.0', 'Too many refused recipients, closing the session'),
  mailDataTooSlow: reply(421, '4.7.0', 'The message comes too slowly, closing the session'),
  sessionTooLong: reply(421, '4.7.0', 'The session has lasted too long; connect anew'),
  tlsInTheClear: reply(421, '4.7.0', 'TLS does not begin here without STARTTLS, closing the session'),
  idleTimeout: reply(421, '4.4.2', 'Idle for too long, closing the session'),
  mailDataTimeout: reply(421, '4.4.2', 'No mail data for too long, closing the session'),
  decisionTimeout: reply(421, '4.3.0', 'No decision in time, closing the session; try again later'),
  httpRequest: reply(421, '4.7.0', 'HTTP is not spoken here, closing the session'),
  shuttingDown: reply(421, '4.3.2', 'The service is shutting down, closing the session'),
} as const satisfies Record<string, Reply>;

/** A reply of the server's own, by name. */
export type ReplyName = keyof typeof replies;

/** What an answer without a `reply` says. The greeting and the reply to EHLO are an `introduction` besides. */
export const defaultReplies: Readonly<Record<Question['kind'], Readonly<Record<Answer['decision'], Reply>>>> =
  {
    connect: {
      accept: { code: 220, lines: ['ESMTP'] },
      reject: reply(554, '5.7.1', 'No service for you here'),
    },
    hello: {
      accept: { code: 250, lines: ['OK'] },
      reject: reply(550, '5.7.1', 'Not accepted under this name'),
    },
    mail: {
      accept: reply(250, '2.1.0', 'Sender OK'),
      reject: reply(550, '5.7.1', 'Sender refused'),
    },
    rcpt: {
      accept: reply(250, '2.1.5', 'Recipient OK'),
      reject: reply(550, '5.7.1', 'Recipient refused'),
    },
    data: {
      accept: { code: 354, lines: ['Send the message; end it with <CRLF>.<CRLF>'] },
      reject: reply(554, '5.7.1', 'Message refused'),
    },
    message: {
      accept: reply(250, '2.0.0', 'Message accepted'),
      reject: reply(554, '5.3.0', 'Message refused'),
    },
    verify: {
      // RFC 5321 §3.5.3, §7.3: neither confirms nor denies, so that nobody can harvest addresses.
      accept: reply(252, '2.5.0', 'Cannot verify the user, but will take mail for it'),
      reject: reply(550, '5.1.1', 'No such user here'),
    },
    expand: {
      accept: reply(252, '2.5.0', 'Cannot expand the list, but will take mail for it'),
      reject: reply(502, '5.5.1', 'EXPN is not implemented'),
    },
    startTls: {
      accept: reply(220, '2.0.0', 'Begin the TLS handshake'),
      reject: reply(454, '4.7.0', 'TLS is not available now; try again later'),
    },
    // These two settle an AUTH exchange, which has the reply.
    credentials: {
      accept: reply(235, '2.7.0', 'Authentication succeeded'),
      reject: reply(535, '5.7.8', 'Authentication credentials invalid'),
    },
    authenticate: {
      accept: reply(235, '2.7.0', 'Authentication succeeded'),
      reject: reply(535, '5.7.8', 'Authentication credentials invalid'),
    },
    etrn: {
      accept: reply(250, '2.0.0', 'Queuing for the node started'),
      reject: { code: 459, enhancedCode: '4.7.1', lines: ['The node is not allowed'] }, // RFC 1985 §5.3
    },
    extension: {
      accept: reply(250, '2.0.0', 'OK'),
      reject: reply(502, '5.5.1', 'The command is not implemented'),
    },
    help: {
      accept: reply(214, '2.0.0', 'See RFC 5321'),
      reject: reply(502, '5.5.1', 'HELP is not implemented'),
    },
  };

/** A reply of ours, by what it answers to: `mailFirst`, or `rcpt.accept` where the application has set none. */
export type ReplyTitle = ReplyName | `${Question['kind']}.${Answer['decision']}`;

/** On which occasion a reply is given. */
export interface ReplyOccasion {
  /** Undefined where the application wrote the reply, or where it tells of a line's own fault. */
  readonly title: ReplyTitle | undefined;
  /** The verb of the command that was read last; undefined before there was any, and for a line that is no command. */
  readonly verb: Command['verb'] | undefined;
}

const titles = new Map<Reply, ReplyTitle>([
  ...Object.entries(replies).map(([name, own]) => [own, name as ReplyName] as const),
  ...Object.entries(defaultReplies).flatMap(([kind, { accept, reject }]) => [
    [accept, `${kind as Question['kind']}.accept`] as const,
    [reject, `${kind as Question['kind']}.reject`] as const,
  ]),
]);

/** By what this reply goes, if it is one of ours. */
export function titleOf(reply: Reply): ReplyTitle | undefined {
  return titles.get(reply);
}

/** Octets of the text in the first line of an introduction (RFC 5321 §4.5.3.1.5). */
const MAXIMUM_INTRODUCTION = 500;

/**
 * The greeting, or the reply to EHLO with the keywords of the service extensions. They begin with our name (RFC 5321
 * §4.2), and RFC 2034 §3 gives them no enhanced status code. The text is all on one line that need not be folded,
 * for a client takes the next for a keyword.
 */
export function introduction(hostname: string, { code, lines }: Reply, keywords: readonly string[]): Reply {
  const text = `${hostname} ${lines.join(' ').replace(/[\r\n]+/g, ' ')}`;
  return { code, lines: [text.slice(0, MAXIMUM_INTRODUCTION), ...keywords] };
}

/** Why a line with such an octet is refused, and what to do: LF alone is what netcat and its like send. */
export const malformedLines: Readonly<Record<BareOctet, Reply>> = {
  bareLineFeed: reply(
    500,
    '5.5.2',
    'This line ends in LF alone, and must end in CRLF: use nc -C or openssl s_client -crlf, or write \\r\\n',
  ),
  bareCarriageReturn: reply(
    500,
    '5.5.2',
    'A CR without LF stands in this line; end lines in CRLF, send no other CR',
  ),
  nul: reply(500, '5.5.2', 'A NUL stands in this line; send none'),
};

/** The reply to a message that is malformed: the first flaw, where it is, and what to do. */
export function malformedMessage({ kind, line }: MailDataFlaw, maximumLineLength: number): Reply {
  return reply(554, '5.6.0', `Line ${line} of the message ${flawTexts[kind](maximumLineLength)}`);
}

const flawTexts: Readonly<Record<MailDataFlaw['kind'], (maximumLineLength: number) => string>> = {
  bareLineFeed: () => 'ends in LF alone; end every line in CRLF (RFC 5321 section 2.3.8)',
  bareCarriageReturn: () => 'holds a CR without LF; end every line in CRLF, and send no other CR',
  nul: () => 'holds a NUL; send binary content in base64',
  lineTooLong: (most) =>
    `has more than ${most} octets; break it, or encode the text as quoted-printable or base64`,
};
