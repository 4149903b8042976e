/** What goes wrong on purpose, or because nobody says anything. */
import type { Scenario } from '../simulation/scenario.js';
import { ANN, BOB, clientName, message, oneByOne, serverName } from './parties.js';

export const timeOut: Scenario = {
  id: 'timeout',
  title: 'Nobody says anything: 421',
  about:
    'The client’s application falls silent after the first message. Five minutes later (of a virtual clock) the server has waited long enough: 421, and the session is over.',
  client: clientName,
  server: { ...serverName, extensions: oneByOne },
  errands: [
    { kind: 'send', envelope: { from: ANN, to: [BOB] }, message },
    { kind: 'quit', after: 3_600_000 },
  ],
};

/** What an attacker would like to be read as the end of one message and the beginning of another. */
const smuggled = [
  'Subject: Harmless',
  '',
  'Hello, Bob.',
  '.',
  'MAIL FROM:<president@example.com>',
  'RCPT TO:<everybody@example.com>',
  'DATA',
  'Subject: Not harmless at all',
  '',
  'You have not been written by who you think.',
  '',
].join('\r\n');

export const smuggling: Scenario = {
  id: 'smuggling',
  title: 'A smuggled message is refused',
  about:
    'A careless relay on the way makes LF.CRLF of the dot that the client had doubled. Servers that take this for the end would read a second, forged message; ours takes nothing but CRLF.CRLF, and refuses the whole.',
  client: clientName,
  server: { ...serverName, extensions: oneByOne },
  errands: [{ kind: 'send', envelope: { from: ANN, to: [BOB] }, message: smuggled }, { kind: 'quit' }],
  tamper: (from, text) =>
    from === 'client' && text.includes('\r\n..\r\n') ? text.replace('\r\n..\r\n', '\n.\r\n') : undefined,
};

export const injection: Scenario = {
  id: 'injection',
  title: 'Injected after STARTTLS',
  about:
    'Somebody on the way adds a command in the clear after STARTTLS, to have it answered as if it had come through TLS (CVE-2011-0411). The server ends the session before the handshake.',
  client: { ...clientName, startTls: 'required' },
  server: { ...serverName, startTls: 'offered', extensions: oneByOne },
  errands: [{ kind: 'send', envelope: { from: ANN, to: [BOB] }, message }, { kind: 'quit' }],
  tamper: (from, text) =>
    from === 'client' && text === 'STARTTLS\r\n' ? `${text}MAIL FROM:<mallory@example.net>\r\n` : undefined,
};
