/** QUIT, and what comes after the message. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import { all, comesToAnEnd, reportsDelivery, says } from '../judging.js';
import { extensions, order } from '../rules/index.js';

export const closing: ClientCaseGroup = {
  name: 'client-closing',
  title: 'QUIT and the end',
  introduction: 'A client takes its leave by QUIT. Whatever happens then, the message is where it is.',
  remedy: 'Say QUIT on every session that stands, also after a refusal; ignore what becomes of it.',
  cases: [
    clientCase(
      ['client-closing/quit', 'RFC 5321 §4.1.1.10', 'MUST'],
      'A client says QUIT before it closes.',
      {},
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-after-refused-sender', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also after MAIL was refused.',
      { MAIL: '550 5.7.1 No' },
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-after-refused-recipient', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also after RCPT was refused.',
      { RCPT: '550 5.1.1 No such user' },
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-after-refused-data', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also after DATA was refused.',
      { DATA: '451 4.3.0 Later' },
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-after-refused-message', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also after the message was refused.',
      { message: '554 5.7.1 Spam' },
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-after-refused-hello', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also after EHLO and HELO were refused.',
      { EHLO: '550 5.7.1 No', HELO: '550 5.7.1 No' },
      order.saysQuit,
    ),
    clientCase(
      ['client-closing/quit-once', 'RFC 5321 §4.1.1.10', 'SHOULD'],
      'QUIT comes once, and nothing after it.',
      {},
      all(says(/^QUIT$/i), order.endsAfter421, ({ connections }) =>
        connections.some((connection) => connection.filter(({ moment }) => moment === 'QUIT').length > 1)
          ? 'QUIT came twice'
          : undefined,
      ),
    ),
    clientCase(
      ['client-closing/quit-refused', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Whatever the server says to QUIT, the message was delivered.',
      { QUIT: '500 5.5.2 What?' },
      reportsDelivery,
    ),
    clientCase(
      ['client-closing/quit-421', 'RFC 5321 §4.1.1.10', 'MUST'],
      '421 to QUIT changes nothing.',
      { QUIT: '421 4.3.2 Down' },
      reportsDelivery,
    ),
    clientCase(
      ['client-closing/quit-breaks', 'RFC 5321 §4.1.1.10', 'MUST'],
      'A connection that breaks at QUIT changes nothing.',
      { QUIT: 'drop' },
      reportsDelivery,
    ),
    clientCase(
      ['client-closing/quit-ends', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Nor does one that ends without a reply.',
      { QUIT: 'end' },
      reportsDelivery,
    ),
    clientCase(
      ['client-closing/quit-nonsense', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Nor octets that are no reply.',
      { QUIT: { octets: '\0\0\r\n', ending: 'end' } },
      reportsDelivery,
    ),
    clientCase(
      ['client-closing/server-stays', 'RFC 5321 §4.1.1.10', 'INTEROP'],
      'A client does not wait for ever for a server that does not close after 221.',
      { QUIT: { reply: '221 2.0.0 Bye', ending: 'stay' } },
      comesToAnEnd,
    ),
    clientCase(
      ['client-closing/quit-waits', 'RFC 5321 §4.1.1.10', 'SHOULD'],
      'A client waits for the reply to QUIT before it closes.',
      { QUIT: { reply: '221 2.0.0 Bye', wait: 150, ending: 'stay' } },
      ({ connections }) =>
        connections.some((connection) => connection.some(({ moment }) => moment === 'QUIT'))
          ? undefined
          : 'the client closed without waiting for 221',
    ),
    clientCase(
      ['client-closing/commands-are-alone', 'RFC 5321 §4.1.1.10', 'MUST'],
      'QUIT waits for the reply to the message.',
      { message: { reply: '250 2.0.0 Stored', wait: 150 } },
      extensions.pipelinesWhereOffered,
    ),
  ],
};
