/** The form of replies: what is one, and what is none. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import { comesToAnEnd, reportsDelivery, reportsFailure } from '../judging.js';

const end = (octets: string) => ({ octets, ending: 'end' as const });

export const replies: ClientCaseGroup = {
  name: 'client-replies',
  title: 'Replies, well-formed and not',
  introduction:
    'A reply is three digits, a blank or hyphen, text, CRLF. What is none must not be taken for a success.',
  remedy:
    'Read replies strictly: three digits from 2 to 5, the same code in all lines, a bounded length; what is none ends the session.',
  cases: [
    clientCase(
      ['client-replies/two-digits', 'RFC 5321 §4.2', 'MUST'],
      'Two digits are no code.',
      { message: end('25 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/four-digits', 'RFC 5321 §4.2', 'MUST'],
      'Four digits are no code.',
      { message: end('2500 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/no-code', 'RFC 5321 §4.2', 'MUST'],
      'A line without a code is no reply.',
      { message: end('OK, thanks\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/blank-before-the-code', 'RFC 5321 §4.2', 'MUST'],
      'A code stands at the beginning of the line.',
      { message: end(' 250 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/no-blank-after-the-code', 'RFC 5321 §4.2', 'INTEROP'],
      'After the code comes a blank or a hyphen.',
      { message: end('250.OK\r\n') },
      comesToAnEnd,
    ),
    clientCase(
      ['client-replies/1yz', 'RFC 5321 §4.2.1', 'MUST'],
      '1yz is no success: SMTP has no such codes.',
      { message: end('150 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/6yz', 'RFC 5321 §4.2', 'MUST'],
      'A code begins with 2 to 5.',
      { message: end('650 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/0yz', 'RFC 5321 §4.2', 'MUST'],
      'A code begins with 2 to 5, and not with 0.',
      { message: end('050 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/no-digits', 'RFC 5321 §4.2', 'MUST'],
      'A code has digits only.',
      { message: end('2x0 OK\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/empty-line', 'RFC 5321 §4.2', 'MUST'],
      'An empty line is no reply.',
      { message: end('\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/success-then-refusal', 'RFC 5321 §4.2.1', 'INTEROP'],
      'Lines that disagree are no success, though a client may rely on the code of any of them.',
      { message: end('250-Stored\r\n554 No\r\n') },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/refusal-then-success', 'RFC 5321 §4.2.1', 'INTEROP'],
      'Nor are they in the other order; whatever is made of them, the client comes to an end.',
      { message: end('554-No\r\n250 Stored\r\n') },
      comesToAnEnd,
    ),
    clientCase(
      ['client-replies/second-line-without-code', 'RFC 5321 §4.2.1', 'INTEROP'],
      'Each line of a reply has its code.',
      { message: end('250-Stored\r\nas 17\r\n') },
      comesToAnEnd,
    ),
    clientCase(
      ['client-replies/long-line', 'RFC 5321 §4.5.3.1.5', 'INTEROP'],
      'Replies longer than 512 octets exist; a client takes them.',
      { message: `250 ${'x'.repeat(1500)}` },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/512-octets', 'RFC 5321 §4.5.3.1.5', 'MUST'],
      'A reply line of 512 octets is allowed.',
      { message: `250 ${'x'.repeat(506)}` },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/fifty-lines', 'RFC 5321 §4.2.1', 'INTEROP'],
      'A reply may have many lines.',
      { RCPT: [...Array.from({ length: 50 }, (_, n) => `250-line ${n}`), '250 OK'].join('\n') },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/endless', 'RFC 5321 §4.5.3.1.5', 'INTEROP'],
      'A reply that does not end must not take all memory, nor be taken for one.',
      { MAIL: end('250-x\r\n'.repeat(60_000)) },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/endless-line', 'RFC 5321 §4.5.3.1.5', 'INTEROP'],
      'Nor a line that does not.',
      { message: end(`250 ${'x'.repeat(400_000)}`) },
      reportsFailure,
    ),
    clientCase(
      ['client-replies/bare-lf', 'RFC 5321 §2.3.8', 'INTEROP'],
      'A reply that ends in a bare LF is none by the letter; the client comes to an end.',
      { MAIL: end('250 OK\n') },
      comesToAnEnd,
    ),
    clientCase(
      ['client-replies/nul', 'RFC 5321 §4.2', 'INTEROP'],
      'A NUL in a reply neither cuts it nor crashes the client.',
      { message: end('250 O\0K\r\n') },
      comesToAnEnd,
    ),
    clientCase(
      ['client-replies/utf-8', 'RFC 6531 §3.7.4', 'INTEROP'],
      'Text beyond ASCII in a reply does no harm.',
      { RCPT: { octets: Buffer.from('250 2.1.5 Grüße\r\n') } },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/not-utf-8', 'RFC 5321 §4.2', 'INTEROP'],
      'Octets that are no UTF-8 do no harm either.',
      { RCPT: { octets: Uint8Array.from([0x32, 0x35, 0x30, 0x20, 0xff, 0xfe, 13, 10]) } },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/tab', 'RFC 5321 §4.2', 'MUST'],
      'A tab in the text is text.',
      { message: '250 2.0.0\tStored\tas 17' },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/bare-code', 'RFC 5321 §4.2.1', 'MUST'],
      'A code without text is a reply: clients have to be prepared for the blank to be omitted.',
      { RCPT: { octets: '250\r\n' } },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/code-and-blank', 'RFC 5321 §4.2', 'MUST'],
      'So is a code with a blank and no text.',
      { RCPT: '250 ' },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/empty-continuation', 'RFC 5321 §4.2.1', 'MUST'],
      'A continuation may be empty.',
      { RCPT: '250-\n250-\n250 OK' },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/text-like-a-reply', 'RFC 5321 §4.2', 'MUST'],
      'Text that looks like another code is text.',
      { RCPT: '250-550 No such user\n250 550 5.1.1' },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/octet-by-octet', 'RFC 5321 §4.2', 'MUST'],
      'A reply in two pieces is one.',
      { message: { reply: '250 2.0.0 Stored', stall: { after: 1, for: 60 } } },
      reportsDelivery,
    ),
    clientCase(
      ['client-replies/cut-before-lf', 'RFC 5321 §4.2', 'MUST'],
      'A reply cut between CR and LF is one.',
      { RCPT: { reply: '250 OK', stall: { after: 7, for: 60 } } },
      reportsDelivery,
    ),
  ],
};
