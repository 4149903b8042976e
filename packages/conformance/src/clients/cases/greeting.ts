/** The greeting: a client waits for all of it, and heeds what it says. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  comesToAnEnd,
  reportsDelivery,
  reportsFailure,
  reportsTemporaryFailure,
  says,
} from '../judging.js';
import { order } from '../rules/index.js';

export const greeting: ClientCaseGroup = {
  name: 'client-greeting',
  title: 'The greeting',
  introduction:
    'The server speaks first. Its greeting has one line or several, comes when it comes, and may be a refusal.',
  remedy: 'Read the greeting to its last line before anything is sent, and go on after 220 only.',
  cases: [
    clientCase(
      ['client-greeting/is-waited-for', 'RFC 5321 §4.3.1', 'SHOULD'],
      'The client says nothing before the greeting: a server takes who does so for a spammer.',
      { greeting: { reply: '220 script.test ESMTP', wait: 120 } },
      order.waitsForGreeting,
    ),
    clientCase(
      ['client-greeting/of-several-lines', 'RFC 5321 §4.2', 'MUST'],
      'A greeting may have several lines, as every reply.',
      { greeting: '220-script.test ESMTP\n220-Welcome\n220 and go on' },
      reportsDelivery,
    ),
    clientCase(
      ['client-greeting/last-line-is-waited-for', 'RFC 5321 §4.2.1', 'MUST'],
      'A line with a hyphen after the code is not the last: nothing is said before the one with a blank.',
      { greeting: { reply: '220-script.test\n220 ESMTP', stall: { after: 17, for: 120 } } },
      order.waitsForGreeting,
    ),
    clientCase(
      ['client-greeting/in-two-segments', 'RFC 5321 §4.2', 'MUST'],
      'TCP may cut a reply anywhere, between the digits of its code too.',
      { greeting: { reply: '220 script.test ESMTP', stall: { after: 2, for: 60 } } },
      reportsDelivery,
    ),
    clientCase(
      ['client-greeting/cut-before-line-feed', 'RFC 5321 §2.3.8', 'MUST'],
      'TCP may cut between CR and LF.',
      { greeting: { reply: '220 script.test ESMTP', stall: { after: 22, for: 60 } } },
      reportsDelivery,
    ),
    clientCase(
      ['client-greeting/text-means-nothing', 'RFC 5321 §4.2', 'MUST'],
      'A client acts by the code and not by the text.',
      { greeting: '220 554 no 421 service' },
      reportsDelivery,
    ),
    clientCase(
      ['client-greeting/without-text', 'RFC 5321 §4.2', 'INTEROP'],
      'Some servers send the bare code; a client takes it for what it is.',
      { greeting: { octets: '220\r\n' } },
      reportsDelivery,
    ),
    clientCase(
      ['client-greeting/554-is-heeded', 'RFC 5321 §3.1', 'MUST'],
      'A server that greets by 554 takes no mail: nothing but QUIT follows.',
      { greeting: '554 No SMTP service here' },
      order.heedsGreeting,
    ),
    clientCase(
      ['client-greeting/554-fails', 'RFC 5321 §3.1', 'MUST'],
      'What a server refused to talk about was not delivered.',
      { greeting: '554 No SMTP service here' },
      reportsFailure,
    ),
    clientCase(
      ['client-greeting/554-quit', 'RFC 5321 §4.1.1.10', 'SHOULD'],
      'A server that greeted by 554 waits for QUIT.',
      { greeting: '554 No SMTP service here' },
      says(/^QUIT$/i),
    ),
    clientCase(
      ['client-greeting/521-is-heeded', 'RFC 7504 §3', 'MUST'],
      'A host that takes no mail at all greets by 521.',
      { greeting: '521 script.test takes no mail' },
      all(order.heedsGreeting, reportsFailure),
    ),
    clientCase(
      ['client-greeting/421-is-heeded', 'RFC 5321 §3.8', 'MUST'],
      'A server that greets by 421 closes: no command but QUIT follows.',
      { greeting: { reply: '421 4.3.2 Too busy', ending: 'stay' } },
      order.heedsGreeting,
    ),
    clientCase(
      ['client-greeting/421-is-temporary', 'RFC 5321 §4.2.1', 'MUST'],
      'A server that is too busy now may take the message later.',
      { greeting: '421 4.3.2 Too busy' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-greeting/unknown-4yz', 'RFC 5321 §4.2.1', 'MUST'],
      'A code that nobody knows is understood by its first digit.',
      { greeting: '499 Some day' },
      all(order.heedsGreeting, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-greeting/unknown-5yz', 'RFC 5321 §4.2.1', 'MUST'],
      'A code that nobody knows is understood by its first digit.',
      { greeting: '599 Never' },
      all(order.heedsGreeting, reportsFailure),
    ),
    clientCase(
      ['client-greeting/354-is-no-greeting', 'RFC 5321 §4.3.2', 'MUST'],
      'A greeting that is not 220 does not open a session.',
      { greeting: '354 Go on' },
      all(order.heedsGreeting, reportsFailure),
    ),
    clientCase(
      ['client-greeting/connection-breaks', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks before the greeting says nothing about the message: it may be delivered later.',
      { greeting: 'drop' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-greeting/connection-ends', 'RFC 5321 §4.2.1', 'MUST'],
      'Nor does one that ends in order.',
      { greeting: 'end' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-greeting/ends-within-a-line', 'RFC 5321 §2.3.8', 'MUST'],
      'A line that has no end is no reply.',
      { greeting: { octets: '220 script', ending: 'end' } },
      all(order.waitsForGreeting, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-greeting/other-protocol', 'RFC 5321 §4.2', 'MUST'],
      'What is no reply opens no session.',
      { greeting: { octets: 'SSH-2.0-OpenSSH_9.9\r\n', ending: 'end' } },
      reportsFailure,
    ),
    clientCase(
      ['client-greeting/endless-line', 'RFC 5321 §4.5.3.1.5', 'INTEROP'],
      'A reply without an end must not take all memory, nor be taken for one.',
      { greeting: { octets: `220 ${'x'.repeat(400_000)}`, ending: 'end' } },
      reportsFailure,
    ),
    clientCase(
      ['client-greeting/endless-lines', 'RFC 5321 §4.2.1', 'INTEROP'],
      'A reply of so many lines that it has no end is none.',
      { greeting: { octets: '220-script.test\r\n'.repeat(25_000), ending: 'end' } },
      reportsFailure,
    ),
    clientCase(
      ['client-greeting/nul', 'RFC 5321 §4.2', 'INTEROP'],
      'A NUL in the greeting neither crashes nor confuses.',
      { greeting: { octets: '220 script\0.test ESMTP\r\n' } },
      comesToAnEnd,
    ),
  ],
};
