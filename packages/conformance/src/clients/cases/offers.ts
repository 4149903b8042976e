/** Service extensions: used where they are offered, and not elsewhere. */
import { type ClientCaseGroup, clientCase, messageWith } from '../client-case.js';
import {
  all,
  type Judge,
  neverSays,
  provided,
  reportsDelivery,
  reportsFailure,
  reportsTemporaryFailure,
  serverTook,
} from '../judging.js';
import { extensions, lines, order } from '../rules/index.js';

const EIGHT_BIT = messageWith('Grüße aus Köln\r\n');
const UTF8_ADDRESS = { to: ['jürgen@example.com'] };
const usesBdat = provided(/^BDAT/i, 'the client sends by DATA');
const tookIt: Judge = (seen) => (serverTook(seen) ? undefined : 'the chunks did not make a message');

export const offers: ClientCaseGroup = {
  name: 'client-offers',
  title: 'Service extensions',
  introduction:
    'A parameter, BDAT, or octets beyond ASCII need the extension to be offered in the last reply to EHLO.',
  remedy: 'Ask the keywords of the last EHLO before each parameter and each command of an extension.',
  cases: [
    clientCase(
      ['client-offers/nothing-offered', 'RFC 5321 §4.1.1.11', 'MUST'],
      'Without offers MAIL and RCPT have no parameters.',
      {},
      extensions.parametersAreOffered,
    ),
    clientCase(
      ['client-offers/nothing-offered-8-bit', 'RFC 5321 §4.1.1.11', 'MUST'],
      'Nor have they for a message beyond ASCII.',
      {},
      extensions.parametersAreOffered,
      { task: { message: EIGHT_BIT } },
    ),
    clientCase(
      ['client-offers/8-bit-needs-8bitmime', 'RFC 6152 §3', 'MUST'],
      'Octets beyond ASCII do not go to a server that does not offer 8BITMIME: they are encoded, or nothing is sent.',
      {},
      extensions.eightBitIsDeclared,
      { task: { message: EIGHT_BIT } },
    ),
    clientCase(
      ['client-offers/8-bit-is-declared', 'RFC 6152 §3', 'MUST'],
      'Octets beyond ASCII are announced by BODY=8BITMIME.',
      { offers: ['8BITMIME'] },
      extensions.eightBitIsDeclared,
      { task: { message: EIGHT_BIT } },
    ),
    clientCase(
      ['client-offers/8-bit-unharmed', 'RFC 6152 §3', 'MUST'],
      'Where 8BITMIME is offered the octets arrive as they are.',
      { offers: ['8BITMIME'] },
      lines.contentIsTransparent,
      { task: { message: EIGHT_BIT } },
    ),
    clientCase(
      ['client-offers/size-is-true', 'RFC 1870 §6.1', 'SHOULD'],
      'SIZE tells the size of the message.',
      { offers: ['SIZE 1000000'] },
      lines.sizeIsTrue,
    ),
    clientCase(
      ['client-offers/size-without-limit', 'RFC 1870 §3', 'MUST'],
      'SIZE without a number says that there is no fixed limit.',
      { offers: ['SIZE'] },
      reportsDelivery,
    ),
    clientCase(
      ['client-offers/size-zero', 'RFC 1870 §3', 'MUST'],
      'SIZE 0 says that there is no fixed limit.',
      { offers: ['SIZE 0'] },
      reportsDelivery,
    ),
    clientCase(
      ['client-offers/size-beyond-numbers', 'RFC 1870 §4', 'INTEROP'],
      'A limit of twenty digits is a limit.',
      { offers: ['SIZE 99999999999999999999'] },
      reportsDelivery,
    ),
    clientCase(
      ['client-offers/size-too-small', 'RFC 1870 §6.1', 'SHOULD'],
      'A message beyond the limit that the server declared is not sent.',
      { offers: ['SIZE 100'] },
      neverSays(/^DATA|^BDAT/i),
    ),
    clientCase(
      ['client-offers/size-refused', 'RFC 1870 §6.1', 'MUST'],
      '552 to MAIL with SIZE is heeded: no RCPT and no DATA follow.',
      { offers: ['SIZE 1000000'], MAIL: '552 5.3.4 Too big' },
      all(order.transactionsAreInOrder, reportsFailure),
    ),
    clientCase(
      ['client-offers/size-452', 'RFC 1870 §6.1', 'MUST'],
      '452 to MAIL with SIZE says that there may be room later.',
      { offers: ['SIZE 1000000'], MAIL: '452 4.3.1 No room' },
      reportsTemporaryFailure,
    ),
    clientCase(
      ['client-offers/address-needs-smtputf8', 'RFC 6531 §3.2', 'MUST'],
      'An address beyond ASCII does not go to a server that does not offer SMTPUTF8.',
      { offers: ['8BITMIME'] },
      extensions.internationalIsDeclared,
      { task: UTF8_ADDRESS },
    ),
    clientCase(
      ['client-offers/address-without-smtputf8-fails', 'RFC 6531 §3.2', 'MUST'],
      'Where the address cannot be named, nothing was delivered to it.',
      { offers: ['8BITMIME'], RCPT: (line) => (line.includes('\\x') ? '553 5.6.7 What?' : '250 2.1.5 OK') },
      (seen) => (serverTook(seen) ? undefined : reportsFailure(seen)),
      { task: UTF8_ADDRESS },
    ),
    clientCase(
      ['client-offers/smtputf8-is-declared', 'RFC 6531 §3.4', 'MUST'],
      'An address beyond ASCII is announced by SMTPUTF8 at MAIL.',
      { offers: ['8BITMIME', 'SMTPUTF8'] },
      extensions.internationalIsDeclared,
      { task: UTF8_ADDRESS },
    ),
    clientCase(
      ['client-offers/smtputf8-kept', 'RFC 6531 §3.3', 'MUST'],
      'An address beyond ASCII is sent in UTF-8, as it is.',
      { offers: ['8BITMIME', 'SMTPUTF8'] },
      lines.addressesAreKept,
      { task: UTF8_ADDRESS },
    ),
    clientCase(
      ['client-offers/smtputf8-sender', 'RFC 6531 §3.4', 'MUST'],
      'So is a reverse-path beyond ASCII.',
      { offers: ['8BITMIME', 'SMTPUTF8'] },
      extensions.internationalIsDeclared,
      { task: { from: 'änne@example.org' } },
    ),
    clientCase(
      ['client-offers/bdat-needs-chunking', 'RFC 3030 §2', 'MUST'],
      'BDAT needs CHUNKING, whatever else is offered.',
      { offers: ['BINARYMIME', '8BITMIME', 'PIPELINING'] },
      extensions.commandsAreOffered,
    ),
    clientCase(
      ['client-offers/bdat-counts-octets', 'RFC 3030 §2', 'MUST'],
      'BDAT names the octets of its chunk, no more and no fewer, and no dot is doubled.',
      { offers: ['CHUNKING'] },
      all(usesBdat, tookIt, lines.commandsAreWellFormed, lines.contentIsTransparent),
    ),
    clientCase(
      ['client-offers/bdat-large', 'RFC 3030 §2', 'MUST'],
      'A message of several chunks arrives as one.',
      { offers: ['CHUNKING', '8BITMIME'] },
      all(usesBdat, tookIt, lines.contentIsTransparent),
      { task: { message: messageWith('.0123456789\r\n'.repeat(20_000)) } },
    ),
    clientCase(
      ['client-offers/bdat-refused', 'RFC 3030 §2', 'MUST'],
      'A chunk that is refused for good was not delivered.',
      { offers: ['CHUNKING'], BDAT: '554 5.6.0 No', message: '554 5.6.0 No' },
      all(usesBdat, reportsFailure),
    ),
    clientCase(
      ['client-offers/bdat-452', 'RFC 3030 §2', 'MUST'],
      'A chunk that finds no room may do so later.',
      { offers: ['CHUNKING'], BDAT: '452 4.3.1 No room', message: '452 4.3.1 No room' },
      all(usesBdat, reportsTemporaryFailure),
    ),
    clientCase(
      ['client-offers/lower-case-keywords', 'RFC 5321 §2.4', 'MUST'],
      'Keywords are known in any case: size declared in lower case is heeded, and 8bitmime permits octets beyond ASCII.',
      { offers: ['8bitmime', 'size 1000000'] },
      reportsDelivery,
      { task: { message: EIGHT_BIT } },
    ),
    clientCase(
      ['client-offers/enhanced-code-means-nothing', 'RFC 2034 §4', 'MUST'],
      'An enhanced status code of another class does not change what the reply code says.',
      { offers: ['ENHANCEDSTATUSCODES'], message: '250 5.7.1 Stored all the same' },
      reportsDelivery,
    ),
  ],
};
