/** EHLO and HELO. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  comesToAnEnd,
  neverSays,
  reportsDelivery,
  reportsFailure,
  reportsTemporaryFailure,
  says,
} from '../judging.js';
import { extensions, lines, order } from '../rules/index.js';

const MANY_KEYWORDS = Array.from({ length: 150 }, (_, index) => `X-KEYWORD-${index} a b c`);

export const hello: ClientCaseGroup = {
  name: 'client-hello',
  title: 'EHLO and HELO',
  introduction:
    'The client names itself, and learns what the server offers; a server that knows HELO only is still served.',
  remedy:
    'Say EHLO first, read its reply to the last line, look keywords up without regard to case, and fall back to HELO after 500 or 502.',
  cases: [
    clientCase(
      ['client-hello/begins-by-ehlo', 'RFC 5321 §3.2', 'SHOULD'],
      'A session begins by EHLO: only then extensions can be used.',
      {},
      says(/^EHLO /i),
    ),
    clientCase(
      ['client-hello/name-is-a-domain', 'RFC 5321 §4.1.1.1', 'MUST'],
      'EHLO has a domain name or an address literal.',
      {},
      lines.commandsAreWellFormed,
    ),
    clientCase(
      ['client-hello/500-falls-back', 'RFC 5321 §3.2', 'SHOULD'],
      'A server that does not know EHLO may know HELO.',
      { EHLO: '500 What?' },
      order.fallsBackToHelo,
    ),
    clientCase(
      ['client-hello/502-falls-back', 'RFC 5321 §3.2', 'SHOULD'],
      'Not implemented is no refusal: HELO may be.',
      { EHLO: '502 5.5.1 Not implemented' },
      order.fallsBackToHelo,
    ),
    clientCase(
      ['client-hello/delivers-by-helo', 'RFC 5321 §2.2.1', 'SHOULD'],
      'A server that knows HELO only gets the mail.',
      { EHLO: '500 What?' },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/helo-has-no-parameters', 'RFC 5321 §4.1.1.11', 'MUST'],
      'After HELO there are no extensions, and no parameters.',
      { EHLO: '500 What?' },
      extensions.parametersAreOffered,
    ),
    clientCase(
      ['client-hello/550-to-both', 'RFC 5321 §4.1.1.1', 'MUST'],
      'A server that takes neither EHLO nor HELO gets no MAIL.',
      { EHLO: '550 5.7.1 Go away', HELO: '550 5.7.1 Go away' },
      all(order.saysHelloFirst, reportsFailure),
    ),
    clientCase(
      ['client-hello/helo-refused-after-500', 'RFC 5321 §4.1.1.1', 'MUST'],
      'After EHLO and HELO have failed there is no session for MAIL.',
      { EHLO: '500 What?', HELO: '501 What?' },
      all(order.saysHelloFirst, reportsFailure),
    ),
    clientCase(
      ['client-hello/554-fails', 'RFC 5321 §4.1.1.1', 'MUST'],
      'No MAIL comes without an accepted EHLO or HELO.',
      { EHLO: '554 5.7.1 No', HELO: '554 5.7.1 No' },
      order.saysHelloFirst,
    ),
    clientCase(
      ['client-hello/451-is-temporary', 'RFC 5321 §4.2.1', 'MUST'],
      'A temporary trouble with EHLO leaves the message for later.',
      { EHLO: '451 4.3.0 Later', HELO: '451 4.3.0 Later' },
      all(order.saysHelloFirst, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-hello/421-ends', 'RFC 5321 §3.8', 'MUST'],
      'After 421 to EHLO no HELO and no MAIL follow.',
      { EHLO: { reply: '421 4.3.2 Going down', ending: 'stay' } },
      order.endsAfter421,
    ),
    clientCase(
      ['client-hello/421-is-temporary', 'RFC 5321 §4.2.1', 'MUST'],
      'A server that goes down comes up again.',
      { EHLO: '421 4.3.2 Going down' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-hello/connection-breaks', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks says nothing about the message.',
      { EHLO: 'drop', HELO: 'drop' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-hello/connection-ends', 'RFC 5321 §4.2.1', 'MUST'],
      'Nor does one that ends in order.',
      { EHLO: 'end', HELO: 'end' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-hello/last-line-is-waited-for', 'RFC 5321 §4.2.1', 'MUST'],
      'Nothing follows EHLO before the last line of its reply.',
      { EHLO: { reply: '250-script.test\n250-PIPELINING\n250 SIZE', stall: { after: 33, for: 150 } } },
      extensions.groupsEndWhereTheyMust,
    ),
    clientCase(
      ['client-hello/cut-in-a-keyword', 'RFC 5321 §4.2.1', 'MUST'],
      'TCP may cut the reply within a keyword.',
      { EHLO: { reply: '250-script.test\n250-8BITMIME\n250 SIZE', stall: { after: 24, for: 60 } } },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/unknown-keywords', 'RFC 5321 §4.1.1.1', 'MUST'],
      'Keywords that a client does not know are passed over.',
      { offers: ['XYZZY', 'X-1 a=b', 'ATRN', 'AUTH=LOGIN', '8-BIT 1 2 3', 'HELP'] },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/many-keywords', 'RFC 5321 §4.1.1.1', 'INTEROP'],
      'A long list of keywords is still a reply.',
      { offers: MANY_KEYWORDS },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/no-keywords', 'RFC 5321 §4.1.1.11', 'MUST'],
      'A server that offers nothing gets no parameters.',
      { EHLO: '250 script.test' },
      all(extensions.parametersAreOffered, reportsDelivery),
    ),
    clientCase(
      ['client-hello/first-line-is-no-keyword', 'RFC 5321 §4.1.1.1', 'MUST'],
      'The first line names the server, even if it looks like a keyword.',
      { EHLO: '250 SIZE' },
      extensions.parametersAreOffered,
    ),
    clientCase(
      ['client-hello/size-in-the-greeting-text', 'RFC 5321 §4.1.1.1', 'MUST'],
      'What stands behind the name in the first line is a greeting.',
      { EHLO: '250-script.test SIZE 8BITMIME\n250 HELP' },
      extensions.parametersAreOffered,
    ),
    clientCase(
      ['client-hello/without-text', 'RFC 5321 §4.2', 'INTEROP'],
      'A bare 250 is an answer too.',
      { EHLO: { octets: '250\r\n' } },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/lines-disagree', 'RFC 5321 §4.2.1', 'INTEROP'],
      'All lines of a reply have the same code; whatever a client makes of others, it comes to an end.',
      { EHLO: { octets: '250-script.test\r\n550 No\r\n' } },
      comesToAnEnd,
    ),
    clientCase(
      ['client-hello/220-is-no-250', 'RFC 5321 §4.2.1', 'MUST'],
      'Any 2yz is a success.',
      { EHLO: '299 script.test' },
      reportsDelivery,
    ),
    clientCase(
      ['client-hello/354-is-no-success', 'RFC 5321 §4.2.1', 'MUST'],
      '3yz to EHLO is no success, and opens no session.',
      { EHLO: '354 Go on', HELO: '354 Go on' },
      neverSays(/^MAIL/i),
    ),
  ],
};
