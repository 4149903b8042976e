/** The rules that hold in every dialogue, whatever the server does. Fixed cases use them, and generated servers all of them. */
import type { Demand } from '../../contract/outcome.js';
import { comesToAnEnd, type Judge } from '../judging.js';
import * as extensions from './extensions.js';
import * as lines from './lines.js';
import * as order from './order.js';
import * as trust from './trust.js';
import * as verdicts from './verdicts.js';

export { extensions, lines, order, trust, verdicts };

/** A demand that can be judged of any dialogue. */
export interface Rule extends Demand {
  readonly judge: Judge;
}

type Row = readonly [id: string, section: string, level: Rule['level'], judge: Judge, rationale: string];

const ROWS: readonly Row[] = [
  [
    'line-ends',
    'RFC 5321 §2.3.8',
    'MUST',
    lines.commandsEndInCrlf,
    'A command ends in CRLF, and holds no other CR, LF or NUL.',
  ],
  [
    'line-length',
    'RFC 5321 §4.5.3.1.4',
    'MUST',
    lines.commandsAreShort,
    'A command line is no longer than a server has to take.',
  ],
  [
    'command-syntax',
    'RFC 5321 §4.1.1',
    'MUST',
    lines.commandsAreWellFormed,
    'A command has the form that the grammar gives it.',
  ],
  [
    'addresses',
    'RFC 5321 §3.3',
    'SECURITY',
    lines.addressesAreKept,
    'Mail goes from and to the addresses that were given.',
  ],
  [
    'bare-line-ends',
    'RFC 5321 §2.3.8',
    'SECURITY',
    lines.dataHasNoBareLineEnds,
    'A bare CR or LF may end the message for another server.',
  ],
  [
    'transparency',
    'RFC 5321 §4.5.2',
    'MUST',
    lines.contentIsTransparent,
    'The server reads the message that was given, to the octet.',
  ],
  ['data-end', 'RFC 5321 §4.1.1.4', 'MUST', order.endsMailData, 'The final dot stands on a line of its own.'],
  ['size', 'RFC 1870 §6.1', 'SHOULD', lines.sizeIsTrue, 'A declared size is that of the message.'],
  [
    'greeting-first',
    'RFC 5321 §4.3.1',
    'SHOULD',
    order.waitsForGreeting,
    'The client waits for the greeting.',
  ],
  [
    'greeting-heeded',
    'RFC 5321 §3.1',
    'MUST',
    order.heedsGreeting,
    'A server that greets with a refusal takes no mail.',
  ],
  ['hello-first', 'RFC 5321 §4.1.1.1', 'MUST', order.saysHelloFirst, 'A session begins by EHLO or HELO.'],
  [
    'helo-fallback',
    'RFC 5321 §3.2',
    'SHOULD',
    order.fallsBackToHelo,
    'Where EHLO is not known, HELO may be.',
  ],
  [
    'transaction',
    'RFC 5321 §3.3',
    'MUST',
    order.transactionsAreInOrder,
    'MAIL, RCPT and DATA come in this order, each after the one before was accepted.',
  ],
  [
    'go-ahead',
    'RFC 5321 §4.1.1.4',
    'SECURITY',
    order.sendsDataAfter354Only,
    'Mail data that come without 354 are read as commands.',
  ],
  ['lone-dot', 'RFC 2920 §3.1', 'MUST', order.sendsLoneDotForNobody, 'A message for nobody is a single dot.'],
  [
    'after-421',
    'RFC 5321 §3.8',
    'MUST',
    order.endsAfter421,
    'After 421, and after QUIT, the session is over.',
  ],
  ['quit', 'RFC 5321 §4.1.1.10', 'MUST', order.saysQuit, 'A client says QUIT before it closes.'],
  ['recipients-once', 'RFC 5321 §4.1.1.3', 'SHOULD', order.namesRecipientsOnce, 'A recipient is named once.'],
  [
    'recipients-all',
    'RFC 5321 §3.3',
    'MUST',
    order.namesAllRecipients,
    'Every recipient is named to the server.',
  ],
  [
    'accepted-served',
    'RFC 5321 §4.5.3.1.10',
    'SHOULD',
    order.servesTheAccepted,
    'Recipients that were accepted get their message.',
  ],
  [
    'sent-once',
    'RFC 5321 §6.1',
    'MUST',
    order.sendsOnce,
    'A message that the server has taken is not sent again.',
  ],
  [
    'parameters-offered',
    'RFC 5321 §4.1.1.11',
    'MUST',
    extensions.parametersAreOffered,
    'A parameter needs its extension to be offered.',
  ],
  [
    'commands-offered',
    'RFC 3030 §2',
    'MUST',
    extensions.commandsAreOffered,
    'BDAT and STARTTLS need to be offered.',
  ],
  [
    'pipelining-offered',
    'RFC 2920 §3.1',
    'MUST',
    extensions.pipelinesWhereOffered,
    'Commands come in groups where PIPELINING is offered only.',
  ],
  [
    'group-end',
    'RFC 2920 §3.1',
    'MUST',
    extensions.groupsEndWhereTheyMust,
    'EHLO, DATA, QUIT and others are the last of their group.',
  ],
  [
    '8-bit',
    'RFC 6152 §3',
    'MUST',
    extensions.eightBitIsDeclared,
    'Octets beyond ASCII need 8BITMIME, and are declared.',
  ],
  [
    'international',
    'RFC 6531 §3.4',
    'MUST',
    extensions.internationalIsDeclared,
    'An address beyond ASCII needs SMTPUTF8.',
  ],
  [
    'size-limit',
    'RFC 1870 §6.1',
    'SHOULD',
    extensions.sizeLimitIsHeeded,
    'A message beyond the declared limit is not sent.',
  ],
  [
    'tls-kept',
    'RFC 3207 §4.1',
    'SECURITY',
    trust.keepsToTls,
    'Who was told to use TLS sends no mail without it.',
  ],
  [
    'certificate',
    'RFC 3207 §4.1',
    'SECURITY',
    trust.serverIsVerified,
    'A server that cannot prove who it is gets no mail.',
  ],
  [
    'tls-anew',
    'RFC 3207 §4.2',
    'MUST',
    trust.beginsAnewAfterTls,
    'Under TLS the session begins anew, by EHLO.',
  ],
  ['tls-once', 'RFC 3207 §4.2', 'MUST', trust.startsTlsOnce, 'STARTTLS does not come under TLS.'],
  [
    'mechanism-offered',
    'RFC 4954 §4',
    'MUST',
    trust.mechanismsAreOffered,
    'A mechanism needs to be offered.',
  ],
  [
    'auth-responses',
    'RFC 4616 §2',
    'MUST',
    trust.responsesAreRight,
    'What a mechanism asks for is what it gets.',
  ],
  [
    'auth-end',
    'RFC 4954 §4',
    'SECURITY',
    trust.exchangesEnd,
    'A server that asks on and on gets no endless answers.',
  ],
  [
    'secret-needs-tls',
    'RFC 4954 §14',
    'SECURITY',
    trust.secretsNeedTls,
    'A password is told under TLS only.',
  ],
  [
    'auth-once',
    'RFC 4954 §4',
    'MUST',
    trust.authenticatesOnce,
    'AUTH comes once, and not within a transaction.',
  ],
  [
    'auth-kept',
    'RFC 6409 §4.3',
    'SECURITY',
    trust.keepsToAuthentication,
    'Who was told to authenticate sends no mail without.',
  ],
  [
    'secret-kept',
    'RFC 4954 §14',
    'SECURITY',
    trust.secretsAreKept,
    'A password stands nowhere but in the AUTH exchange.',
  ],
  [
    'delivered',
    'RFC 5321 §4.2.5',
    'MUST',
    verdicts.deliveredIsTaken,
    'Delivered is what the server has taken.',
  ],
  [
    'disagreement',
    'RFC 5321 §4.2.1',
    'INTEROP',
    verdicts.disagreementIsNoSuccess,
    'Lines that disagree are no success.',
  ],
  [
    'friendly',
    'RFC 5321 §3.3, §4.2.1',
    'MUST',
    verdicts.friendlyServerGetsIt,
    'A server that takes everything gets the message.',
  ],
  ['end', 'RFC 5321 §4.5.3.2', 'SHOULD', comesToAnEnd, 'A client that hears nothing gives up.'],
  [
    'taken',
    'RFC 5321 §4.2.5',
    'MUST',
    verdicts.takenIsDelivered,
    'What the server has taken is delivered; sent again, it is there twice.',
  ],
  [
    'rejected',
    'RFC 5321 §4.2.1',
    'MUST',
    verdicts.rejectedIsRefused,
    'Refused for good is what was answered by 5yz only.',
  ],
  [
    'refused',
    'RFC 5321 §4.2.1',
    'SHOULD',
    verdicts.refusedIsRejected,
    'What was answered by 5yz is not tried again.',
  ],
];

export const RULES: readonly Rule[] = ROWS.map(([id, section, level, judge, rationale]) => ({
  id: `client-rule/${id}`,
  section,
  level,
  rationale,
  judge,
}));
