/** LMTP (RFC 2033): LHLO, and a reply for each recipient. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import { all, neverSays, reports, reportsDelivery, reportsFailure, says } from '../judging.js';
import { extensions, lines, order, verdicts } from '../rules/index.js';

const setup = 'lmtp' as const;
const task = { to: ['bob@example.com', 'eve@example.com', 'joe@example.com'] };
const ok = '250 2.1.5 Delivered';

export const lmtp: ClientCaseGroup = {
  name: 'client-lmtp',
  title: 'LMTP',
  introduction: 'An LMTP server is greeted by LHLO, and answers for each accepted recipient on its own.',
  remedy: 'Say LHLO, and read as many replies after the final dot as RCPT were accepted, in their order.',
  cases: [
    clientCase(
      ['client-lmtp/lhlo', 'RFC 2033 §4.1', 'MUST'],
      'LMTP begins by LHLO.',
      {},
      all(says(/^LHLO /i), neverSays(/^(?:EHLO|HELO)/i)),
      { setup },
    ),
    clientCase(
      ['client-lmtp/no-helo', 'RFC 2033 §4.1', 'MUST'],
      'Where LHLO fails there is no HELO.',
      { LHLO: '500 What?' },
      all(neverSays(/^(?:EHLO|HELO|MAIL)/i), reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-lmtp/all-delivered', 'RFC 2033 §4.2', 'MUST'],
      'A reply for each recipient, and all are delivered.',
      { message: ok },
      reportsDelivery,
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/mixed', 'RFC 2033 §4.2', 'MUST'],
      'The replies are about the recipients in the order of RCPT.',
      { message: [ok, '452 4.2.2 Full', '550 5.1.1 No'] },
      all(reports(['delivered'], 0), reports(['deferred', 'failed'], 1), reports(['rejected', 'failed'], 2)),
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/refused-at-rcpt', 'RFC 2033 §4.2', 'MUST'],
      'Who was refused at RCPT has no reply after the final dot.',
      { RCPT: ['550 5.1.1 No', '250 2.1.5 OK', '250 2.1.5 OK'], message: [ok, '452 4.2.2 Full'] },
      all(reports(['rejected', 'failed'], 0), reports(['delivered'], 1), reports(['deferred', 'failed'], 2)),
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/all-replies-waited-for', 'RFC 2033 §4.2', 'MUST'],
      'QUIT waits for the last of them.',
      { message: [ok, { reply: ok, wait: 120 }, ok] },
      extensions.pipelinesWhereOffered,
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/breaks-between-replies', 'RFC 1047', 'MUST'],
      'Those whose reply did not come are neither delivered nor refused.',
      { message: [ok, 'drop'] },
      all(reports(['delivered'], 0), reports(['unknown', 'deferred', 'failed'], 1)),
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/last-refused', 'RFC 2033 §4.2', 'MUST'],
      'The last reply is not about all.',
      { message: [ok, ok, '550 5.1.1 No'] },
      verdicts.takenIsDelivered,
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/nobody-accepted', 'RFC 2033 §4.2', 'MUST'],
      'Where nobody was accepted there is no mail data.',
      { RCPT: '550 5.1.1 No', DATA: '503 5.5.1 No valid recipients' },
      all(order.sendsDataAfter354Only, reportsFailure),
      { setup, task },
    ),
    clientCase(
      ['client-lmtp/transparency', 'RFC 5321 §4.5.2', 'MUST'],
      'The message arrives to the octet.',
      {},
      lines.contentIsTransparent,
      { setup },
    ),
    clientCase(
      ['client-lmtp/quit', 'RFC 5321 §4.1.1.10', 'MUST'],
      'QUIT is said in LMTP as well.',
      {},
      order.saysQuit,
      { setup },
    ),
    clientCase(
      ['client-lmtp/pipelining', 'RFC 2920 §3.1', 'MUST'],
      'With PIPELINING the replies belong to the recipients in order.',
      { offers: ['PIPELINING'], RCPT: ['250 OK', '450 4.2.1 Busy', '250 OK'], message: [ok, '550 5.1.1 No'] },
      all(reports(['delivered'], 0), reports(['deferred', 'failed'], 1), reports(['rejected', 'failed'], 2)),
      { setup, task },
    ),
  ],
};
