/** STARTTLS and implicit TLS, for a client that was told to use them. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  neverSays,
  reportsDelivery,
  reportsFailure,
  reportsTemporaryFailure,
  says,
  serverTook,
} from '../judging.js';
import { extensions, order, trust } from '../rules/index.js';

const setup = 'startTls' as const;
const offers = ['STARTTLS'];
const ehlo = (...keywords: string[]): string => {
  const lines = ['script.test', ...keywords];
  return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n');
};
const RICH = ehlo('STARTTLS', 'SIZE 1000000', '8BITMIME', 'PIPELINING', 'CHUNKING', 'DSN', 'SMTPUTF8');

export const tls: ClientCaseGroup = {
  name: 'client-tls',
  title: 'TLS',
  introduction:
    'A client that was told to use TLS verifies the server, begins anew under it, and sends no mail without it.',
  remedy:
    'Give up where TLS cannot be had; drop all that was received before the handshake, and say EHLO again.',
  cases: [
    clientCase(
      ['client-tls/delivers', 'RFC 3207 §4', 'MUST'],
      'Mail is sent under TLS.',
      { offers },
      all(trust.keepsToTls, reportsDelivery),
      { setup },
    ),
    clientCase(
      ['client-tls/not-offered', 'RFC 3207 §6', 'SECURITY'],
      'Whoever strips STARTTLS from the offers gets no mail.',
      {},
      trust.keepsToTls,
      { setup },
    ),
    clientCase(
      ['client-tls/not-offered-fails', 'RFC 3207 §6', 'MUST'],
      'Without TLS nothing was delivered.',
      // Whoever tries all the same, and gets it, has delivered under TLS.
      { offers: [], STARTTLS: '502 5.5.1 What?' },
      reportsFailure,
      { setup },
    ),
    clientCase(
      ['client-tls/no-ehlo', 'RFC 3207 §6', 'SECURITY'],
      'A server that knows HELO only has no TLS, and gets no mail.',
      { EHLO: '502 5.5.1 What?' },
      trust.keepsToTls,
      { setup },
    ),
    clientCase(
      ['client-tls/454', 'RFC 3207 §4', 'SECURITY'],
      'TLS that is not available now is no reason to go without.',
      { offers, STARTTLS: '454 4.7.0 Not now' },
      trust.keepsToTls,
      { setup },
    ),
    clientCase(
      ['client-tls/454-is-temporary', 'RFC 3207 §4', 'MUST'],
      '454 leaves the message for later.',
      { offers, STARTTLS: '454 4.7.0 Not now' },
      reportsTemporaryFailure,
      { setup },
    ),
    clientCase(
      ['client-tls/501', 'RFC 3207 §4', 'SECURITY'],
      'A refused STARTTLS is no reason to go without.',
      { offers, STARTTLS: '501 5.5.4 No' },
      all(trust.keepsToTls, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-tls/502', 'RFC 3207 §4', 'SECURITY'],
      'Nor is one that the server does not know.',
      { offers, STARTTLS: '502 5.5.1 No' },
      all(trust.keepsToTls, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-tls/421', 'RFC 5321 §3.8', 'MUST'],
      '421 to STARTTLS ends the session.',
      { offers, STARTTLS: { reply: '421 4.3.2 Down', ending: 'stay' } },
      all(order.endsAfter421, trust.keepsToTls),
      { setup },
    ),
    clientCase(
      ['client-tls/breaks', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks at STARTTLS leaves the message for later.',
      { offers, STARTTLS: 'drop' },
      reportsTemporaryFailure,
      { setup },
    ),
    clientCase(
      ['client-tls/handshake-fails', 'RFC 3207 §4.1', 'SECURITY'],
      'A handshake that fails is no reason to go without.',
      { offers, STARTTLS: { reply: '220 Go on', ending: 'failHandshake' } },
      all(trust.keepsToTls, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-tls/other-certificate', 'RFC 3207 §4.1', 'SECURITY'],
      'A server that cannot prove who it is gets no mail.',
      { offers },
      (seen) => (serverTook(seen) ? 'the client trusted a certificate that nobody vouches for' : undefined),
      { setup, stranger: true },
    ),
    clientCase(
      ['client-tls/other-certificate-fails', 'RFC 3207 §4.1', 'SECURITY'],
      'Nor does the client say that it got any.',
      { offers },
      reportsFailure,
      { setup, stranger: true },
    ),
    clientCase(
      ['client-tls/ehlo-again', 'RFC 3207 §4.2', 'MUST'],
      'Under TLS the session begins anew, by EHLO.',
      { offers },
      trust.beginsAnewAfterTls,
      { setup },
    ),
    clientCase(
      ['client-tls/keywords-forgotten', 'RFC 3207 §4.2', 'SECURITY'],
      'What was offered in the clear counts no more: anybody may have written it.',
      { EHLO: [RICH, ehlo()] },
      all(extensions.parametersAreOffered, extensions.commandsAreOffered),
      { setup },
    ),
    clientCase(
      ['client-tls/pipelining-forgotten', 'RFC 3207 §4.2', 'MUST'],
      'So does PIPELINING.',
      { EHLO: [RICH, ehlo()], MAIL: { reply: '250 2.1.0 OK', wait: 120 } },
      extensions.pipelinesWhereOffered,
      { setup },
    ),
    clientCase(
      ['client-tls/keywords-under-tls', 'RFC 3207 §4.2', 'MUST'],
      'What is offered under TLS only counts there.',
      { EHLO: [ehlo('STARTTLS'), ehlo('SIZE 1000000', '8BITMIME')] },
      reportsDelivery,
      { setup },
    ),
    clientCase(
      ['client-tls/ends-the-group', 'RFC 3207 §4', 'MUST'],
      'After STARTTLS nothing follows before its reply.',
      { offers: ['STARTTLS', 'PIPELINING'], STARTTLS: { reply: '220 Go on', wait: 120 } },
      extensions.groupsEndWhereTheyMust,
      { setup },
    ),
    clientCase(
      ['client-tls/once', 'RFC 3207 §4.2', 'MUST'],
      'STARTTLS does not come again under TLS, even if it is offered.',
      { offers },
      (seen) =>
        seen.connections
          .flat()
          .some(
            ({ moment, secure }, index, list) => moment === 'STARTTLS' && secure && list[index - 1]?.secure,
          )
          ? 'STARTTLS came under TLS'
          : undefined,
      { setup },
    ),
    clientCase(
      ['client-tls/injected-reply', 'RFC 3207 §4.2', 'SECURITY'],
      'A reply that stands in the clear after the 220 is not the one to EHLO under TLS: whoever wrote it is not the server.',
      {
        EHLO: [ehlo('STARTTLS'), { reply: ehlo(), wait: 150 }],
        STARTTLS: '220 Go on\n250-script.test\n250 AUTH PLAIN LOGIN',
      },
      all(extensions.groupsEndWhereTheyMust, extensions.pipelinesWhereOffered),
      { setup },
    ),
    clientCase(
      ['client-tls/injected-keywords', 'RFC 3207 §4.2', 'SECURITY'],
      "Keywords in the clear after the 220 are nobody's offer.",
      {
        EHLO: [ehlo('STARTTLS'), ehlo()],
        STARTTLS: '220 Go on\n250-script.test\n250-SIZE 1000000\n250 PIPELINING',
      },
      all(extensions.parametersAreOffered, trust.keepsToTls),
      { setup },
    ),
    clientCase(
      ['client-tls/ehlo-refused-under-tls', 'RFC 3207 §4.2', 'MUST'],
      'An EHLO refused under TLS leaves no session for MAIL.',
      { EHLO: [ehlo('STARTTLS'), '554 5.7.1 No'], HELO: '554 5.7.1 No' },
      all(order.saysHelloFirst, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-tls/breaks-under-tls', 'RFC 1047', 'MUST'],
      'A connection that breaks under TLS after the final dot leaves everything open.',
      { offers, message: 'drop' },
      reportsTemporaryFailure,
      { setup },
    ),
    clientCase(
      ['client-tls/ends-under-tls', 'RFC 1047', 'MUST'],
      'One that ends there does too: only a reply delivers.',
      { offers, message: 'end' },
      reportsTemporaryFailure,
      { setup },
    ),
    clientCase(
      ['client-tls/quit-under-tls', 'RFC 5321 §4.1.1.10', 'MUST'],
      'QUIT is said under TLS as well.',
      { offers },
      order.saysQuit,
      { setup },
    ),
    clientCase(
      ['client-tls/implicit', 'RFC 8314 §3.3', 'MUST'],
      'Under implicit TLS mail is delivered.',
      {},
      all(trust.keepsToTls, reportsDelivery),
      { setup: 'implicitTls' },
    ),
    clientCase(
      ['client-tls/implicit-no-starttls', 'RFC 3207 §4.2', 'MUST'],
      'Under implicit TLS there is no STARTTLS.',
      { offers },
      neverSays(/^STARTTLS/i),
      { setup: 'implicitTls' },
    ),
    clientCase(
      ['client-tls/implicit-other-certificate', 'RFC 8314 §4.1', 'SECURITY'],
      'Under implicit TLS the server is verified too.',
      {},
      (seen) => (serverTook(seen) ? 'the client trusted a certificate that nobody vouches for' : undefined),
      { setup: 'implicitTls', stranger: true },
    ),
    clientCase(
      ['client-tls/ehlo-before', 'RFC 3207 §4', 'MUST'],
      'STARTTLS comes after EHLO has offered it.',
      { offers },
      all(says(/^EHLO/i), extensions.commandsAreOffered),
      { setup },
    ),
  ],
};
