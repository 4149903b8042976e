/** DATA, and the reply after the final dot: who has the message. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  neverSays,
  reports,
  reportsDelivery,
  reportsFailure,
  reportsRefusal,
  reportsTemporaryFailure,
  serverTook,
} from '../judging.js';
import { extensions, order, verdicts } from '../rules/index.js';

export const data: ClientCaseGroup = {
  name: 'client-data',
  title: 'DATA, and who has the message',
  introduction:
    'Mail data follow 354 only. After the final dot the reply says whether the server answers for the message.',
  remedy:
    'Send mail data after 354 only; take 2yz after the final dot for delivered, 4yz and a lost connection for later, 5yz for a refusal.',
  cases: [
    clientCase(
      ['client-data/354-of-several-lines', 'RFC 5321 §4.2.1', 'MUST'],
      '354 may have several lines; mail data wait for the last.',
      { DATA: { reply: '354-Go on\n354 and end with a dot', stall: { after: 11, for: 150 } } },
      order.sendsDataAfter354Only,
    ),
    clientCase(
      ['client-data/354-in-pieces', 'RFC 5321 §4.2', 'MUST'],
      'TCP may cut 354 between its digits.',
      { DATA: { reply: '354 Go on', stall: { after: 2, for: 100 } } },
      all(order.sendsDataAfter354Only, reportsDelivery),
    ),
    clientCase(
      ['client-data/354-is-waited-for', 'RFC 5321 §4.1.1.4', 'MUST'],
      'Mail data wait for 354.',
      { DATA: { reply: '354 Go on', wait: 150 } },
      order.sendsDataAfter354Only,
    ),
    clientCase(
      ['client-data/250-is-no-go-ahead', 'RFC 5321 §4.1.1.4', 'SECURITY'],
      'After 250 the server still reads commands: mail data would be taken for such.',
      { DATA: '250 2.0.0 OK' },
      order.sendsDataAfter354Only,
    ),
    clientCase(
      ['client-data/250-is-not-delivered', 'RFC 5321 §4.2.5', 'MUST'],
      '250 to DATA is not the reply to the message.',
      { DATA: '250 2.0.0 OK' },
      verdicts.deliveredIsTaken,
    ),
    clientCase(
      ['client-data/451-no-content', 'RFC 5321 §4.1.1.4', 'SECURITY'],
      'After 451 to DATA no mail data follow.',
      { DATA: '451 4.3.0 Later' },
      all(order.sendsDataAfter354Only, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-data/554-no-content', 'RFC 5321 §4.1.1.4', 'SECURITY'],
      'After 554 to DATA no mail data follow.',
      { DATA: '554 5.5.1 No' },
      all(order.sendsDataAfter354Only, reportsRefusal),
    ),
    clientCase(
      ['client-data/421-ends', 'RFC 5321 §3.8', 'MUST'],
      'After 421 to DATA nothing but QUIT follows.',
      { DATA: { reply: '421 4.3.2 Down', ending: 'stay' } },
      order.endsAfter421,
    ),
    clientCase(
      ['client-data/421-is-temporary', 'RFC 5321 §4.2.1', 'MUST'],
      '421 to DATA leaves the message for later.',
      { DATA: '421 4.3.2 Down' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/breaks', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks after DATA leaves the message for later.',
      { DATA: 'drop' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/ends', 'RFC 5321 §4.2.1', 'MUST'],
      'So does one that ends in order.',
      { DATA: 'end' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/354-with-enhanced-code', 'RFC 5321 §4.2', 'MUST'],
      'The text of 354 means nothing.',
      { DATA: '354 5.0.0 go away' },
      reportsDelivery,
    ),
    clientCase(
      ['client-data/message-250', 'RFC 5321 §4.2.5', 'MUST'],
      'A message that was taken is delivered.',
      {},
      verdicts.takenIsDelivered,
    ),
    clientCase(
      ['client-data/message-299', 'RFC 5321 §4.2.1', 'MUST'],
      'Any 2yz takes the message.',
      { message: '299 2.0.0 Fine' },
      reportsDelivery,
    ),
    clientCase(
      ['client-data/message-of-several-lines', 'RFC 5321 §4.2.1', 'MUST'],
      'The reply to the message may have several lines.',
      { message: '250-2.0.0 Stored\n250-2.0.0 as 17\n250 2.0.0 thanks' },
      reportsDelivery,
    ),
    clientCase(
      ['client-data/message-last-line-is-waited-for', 'RFC 5321 §4.2.1', 'MUST'],
      'QUIT waits for the last line of the reply, unless commands may be pipelined.',
      { message: { reply: '250-2.0.0 Stored\n250 2.0.0 thanks', stall: { after: 18, for: 150 } } },
      extensions.pipelinesWhereOffered,
    ),
    clientCase(
      ['client-data/message-reply-is-waited-for', 'RFC 5321 §4.1.1.10', 'MUST'],
      'The client waits for the reply to the message before it says anything else.',
      { message: { reply: '250 2.0.0 Stored', wait: 150 } },
      all(extensions.pipelinesWhereOffered, (seen) =>
        seen.connections[0]?.some(({ moment, ahead }) => moment === 'message' && ahead > 0)
          ? 'the client went on before the reply to the message'
          : undefined,
      ),
    ),
    clientCase(
      ['client-data/message-451', 'RFC 5321 §4.2.1', 'MUST'],
      '4yz after the final dot leaves the message for later.',
      { message: '451 4.3.0 Later' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/message-452', 'RFC 5321 §4.2.1', 'MUST'],
      'No room after the final dot leaves the message for later.',
      { message: '452 4.3.1 No room' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/message-554', 'RFC 5321 §4.2.1', 'MUST'],
      '5yz after the final dot is a refusal.',
      { message: '554 5.7.1 Spam' },
      reportsRefusal,
    ),
    clientCase(
      ['client-data/message-554-not-delivered', 'RFC 5321 §4.2.5', 'MUST'],
      'What was refused after the final dot was not delivered.',
      { message: '554 5.7.1 Spam' },
      verdicts.deliveredIsTaken,
    ),
    clientCase(
      ['client-data/message-499', 'RFC 5321 §4.2.1', 'MUST'],
      'An unknown 4yz after the final dot leaves the message for later.',
      { message: '499 Hm' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/message-354', 'RFC 5321 §4.2.5', 'MUST'],
      '354 after the final dot does not take the message.',
      { message: '354 Go on' },
      reportsFailure,
    ),
    clientCase(
      ['client-data/message-421', 'RFC 5321 §4.2.1', 'MUST'],
      '421 after the final dot leaves the message for later.',
      { message: '421 4.3.2 Down' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/breaks-after-final-dot', 'RFC 1047', 'MUST'],
      'If the connection breaks after the final dot nobody knows who has the message: it is neither delivered nor refused.',
      { message: 'drop' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/ends-after-final-dot', 'RFC 1047', 'MUST'],
      'Likewise if it ends in order.',
      { message: 'end' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/half-a-code', 'RFC 1047', 'MUST'],
      'Two digits are no reply.',
      { message: { octets: '25', ending: 'end' } },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/code-without-line-end', 'RFC 5321 §2.3.8', 'MUST'],
      'A reply ends in CRLF; without, it may go on.',
      { message: { octets: '250 OK', ending: 'end' } },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/first-line-only', 'RFC 5321 §4.2.1', 'MUST'],
      'A reply of which the last line is missing is none.',
      { message: { octets: '250-2.0.0 Stored\r\n', ending: 'end' } },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/reset-within-the-reply', 'RFC 1047', 'MUST'],
      'A connection that is reset within the reply leaves everything open.',
      { message: { octets: '2', stall: { after: 1, for: 80 }, ending: 'drop' } },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-data/ends-after-the-reply', 'RFC 5321 §4.2.5', 'MUST'],
      'A server that closes after it has taken the message has taken it.',
      { message: { reply: '250 2.0.0 Stored', ending: 'end' } },
      reportsDelivery,
    ),
    clientCase(
      ['client-data/reply-before-the-message', 'RFC 5321 §4.1.1.4', 'SECURITY'],
      'A reply that comes with 354 is not the one to the message: this one is refused.',
      { DATA: { octets: '354 Go on\r\n250 2.0.0 Stored\r\n' }, message: '554 5.7.1 Spam' },
      reports(['rejected', 'failed', 'deferred', 'unknown']),
    ),
    clientCase(
      ['client-data/replies-before-rcpt', 'RFC 5321 §4.2', 'SECURITY'],
      'A second reply that comes with the one to MAIL does not accept a recipient.',
      {
        MAIL: { octets: '250 2.1.0 OK\r\n250 2.1.5 OK\r\n' },
        RCPT: '550 5.1.1 No such user',
        DATA: '554 5.5.1 No valid recipients',
      },
      (seen) => (serverTook(seen) ? undefined : reportsFailure(seen)),
    ),
    clientCase(
      ['client-data/sent-once', 'RFC 5321 §6.1', 'MUST'],
      'A message that was taken is not sent again.',
      { message: '299 2.0.0 Fine' },
      order.sendsOnce,
    ),
    clientCase(
      ['client-data/not-repeated-after-554', 'RFC 5321 §4.2.1', 'SHOULD'],
      'What was refused for good is not tried again at once.',
      { message: '554 5.7.1 Spam' },
      ({ connections }) =>
        connections.flat().filter(({ moment }) => moment === 'message').length > 1
          ? 'the client sent the message again'
          : undefined,
    ),
    clientCase(
      ['client-data/no-command-in-a-reply', 'RFC 5321 §4.2', 'MUST'],
      'The text of a reply is not repeated as a command.',
      { RCPT: '250 2.1.5 OK RSET' },
      neverSays(/^2\.1\.5/),
    ),
  ],
};
