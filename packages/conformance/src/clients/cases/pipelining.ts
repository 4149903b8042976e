/** PIPELINING (RFC 2920): replies belong to commands by their order. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  provided,
  reports,
  reportsDelivery,
  reportsFailure,
  reportsRefusal,
  reportsTemporaryFailure,
} from '../judging.js';
import { extensions, lines, order, verdicts } from '../rules/index.js';

const THREE = { to: ['bob@example.com', 'eve@example.com', 'joe@example.com'] };
const offers = ['PIPELINING'];
const sentData = provided(/^DATA$/i, 'the client did not send DATA with the group');

export const pipelining: ClientCaseGroup = {
  name: 'client-pipelining',
  title: 'Command pipelining',
  introduction:
    'Where PIPELINING is offered a client may send commands in groups; replies come in the order of the commands.',
  remedy:
    'Match replies to commands in order, end a group by DATA, and send a lone dot if 354 comes although nobody was accepted.',
  cases: [
    clientCase(
      ['client-pipelining/needs-an-offer', 'RFC 2920 §3.1', 'MUST'],
      'Without the offer commands come one at a time.',
      { MAIL: { reply: '250 2.1.0 OK', wait: 120 } },
      extensions.pipelinesWhereOffered,
    ),
    clientCase(
      ['client-pipelining/data-ends-the-group', 'RFC 2920 §3.1', 'MUST'],
      'Mail data wait for 354.',
      { offers, DATA: { reply: '354 Go on', wait: 150 } },
      extensions.groupsEndWhereTheyMust,
    ),
    clientCase(
      ['client-pipelining/ehlo-ends-the-group', 'RFC 2920 §3.1', 'MUST'],
      'EHLO waits for its reply: before it nobody knows of PIPELINING.',
      { offers, EHLO: { reply: '250-script.test\n250 PIPELINING', wait: 150 } },
      extensions.groupsEndWhereTheyMust,
    ),
    clientCase(
      ['client-pipelining/delivers', 'RFC 2920 §3.1', 'MUST'],
      'A group of commands is answered one by one.',
      { offers },
      reportsDelivery,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/content', 'RFC 2920 §3.1', 'MUST'],
      'The message arrives whole.',
      { offers },
      lines.contentIsTransparent,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/replies-in-pieces', 'RFC 2920 §3.2', 'MUST'],
      'Replies may be cut anywhere.',
      { offers, RCPT: { reply: '250 2.1.5 OK', stall: { after: 5, for: 40 } } },
      reportsDelivery,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/second-refused', 'RFC 2920 §3.1', 'MUST'],
      'The reply to the second RCPT is about the second recipient.',
      { offers, RCPT: ['250 2.1.5 OK', '550 5.1.1 No such user', '250 2.1.5 OK'] },
      all(reports(['delivered'], 0), reports(['rejected', 'failed'], 1), reports(['delivered'], 2)),
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/first-deferred', 'RFC 2920 §3.1', 'MUST'],
      'The reply to the first RCPT is about the first recipient.',
      { offers, RCPT: ['450 4.2.1 Busy', '250 2.1.5 OK', '250 2.1.5 OK'] },
      all(reports(['deferred', 'failed'], 0), reports(['delivered'], 1), reports(['delivered'], 2)),
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/replies-of-several-lines', 'RFC 2920 §3.1', 'MUST'],
      'A reply of two lines is one reply.',
      { offers, RCPT: ['250-2.1.5 OK\n250 2.1.5 yes', '550-5.1.1 No\n550 5.1.1 such user', '250 2.1.5 OK'] },
      all(reports(['delivered'], 0), reports(['rejected', 'failed'], 1), reports(['delivered'], 2)),
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/nobody-and-354', 'RFC 2920 §3.1', 'MUST'],
      'If the server says 354 although it accepted nobody, the client sends a single dot and no mail data.',
      { offers, RCPT: '550 5.1.1 No such user', message: '554 5.5.1 No valid recipients' },
      all(sentData, order.sendsLoneDotForNobody),
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/nobody-and-354-accepted', 'RFC 2920 §3.1', 'MUST'],
      'Even if the server takes the empty message, nobody got it.',
      { offers, RCPT: '550 5.1.1 No such user' },
      all(sentData, reportsFailure),
    ),
    clientCase(
      ['client-pipelining/nobody-and-554', 'RFC 2920 §3.1', 'SECURITY'],
      'If DATA is refused no mail data follow: they would be read as commands.',
      { offers, RCPT: '550 5.1.1 No such user', DATA: '554 5.5.1 No valid recipients' },
      all(order.sendsDataAfter354Only, reportsRefusal),
    ),
    clientCase(
      ['client-pipelining/mail-550', 'RFC 2920 §3.1', 'MUST'],
      'If MAIL was refused for good, the 503 that follow are consequences.',
      { offers, MAIL: '550 5.7.1 No', RCPT: '503 5.5.1 MAIL first', DATA: '503 5.5.1 MAIL first' },
      reportsRefusal,
    ),
    clientCase(
      ['client-pipelining/mail-451', 'RFC 2920 §3.1', 'MUST'],
      'If MAIL may succeed later, the 503 that follow do not change it.',
      { offers, MAIL: '451 4.3.0 Later', RCPT: '503 5.5.1 MAIL first', DATA: '503 5.5.1 MAIL first' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-pipelining/all-deferred-and-503', 'RFC 2920 §3.1', 'MUST'],
      'If all recipients may be accepted later, a 503 to DATA does not refuse them.',
      { offers, RCPT: '450 4.2.1 Busy', DATA: '503 5.5.1 RCPT first' },
      reportsTemporaryFailure,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/421-within-the-group', 'RFC 5321 §3.8', 'MUST'],
      '421 within a group leaves the message for later.',
      { offers, RCPT: ['250 2.1.5 OK', '421 4.3.2 Down'] },
      reportsTemporaryFailure,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/breaks-within-the-group', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks within a group leaves the message for later.',
      { offers, RCPT: ['250 2.1.5 OK', 'drop'] },
      reportsTemporaryFailure,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/data-451', 'RFC 5321 §4.2.1', 'MUST'],
      '451 to DATA of a group leaves the message for later.',
      { offers, DATA: '451 4.3.0 Later' },
      all(order.sendsDataAfter354Only, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-pipelining/message-refused-for-all', 'RFC 5321 §4.2.5', 'MUST'],
      'The reply after the final dot is about all accepted recipients.',
      { offers, message: '554 5.7.1 Spam' },
      verdicts.deliveredIsTaken,
      { task: THREE },
    ),
    clientCase(
      ['client-pipelining/forgotten-by-helo', 'RFC 2920 §3.1', 'MUST'],
      'PIPELINING is not offered by HELO.',
      { EHLO: '500 What?', MAIL: { reply: '250 2.1.0 OK', wait: 120 } },
      extensions.pipelinesWhereOffered,
    ),
  ],
};
