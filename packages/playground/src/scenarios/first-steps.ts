/** A message is handed over, as everybody should see it first. */
import type { Scenario } from '../simulation/scenario.js';
import { ANN, BOB, clientName, message, oneByOne, serverName } from './parties.js';

export const happyPath: Scenario = {
  id: 'happy',
  title: 'A message is handed over',
  about:
    'Ann writes to Bob. Each command of the client has its reply, and with the last 250 the message is the server’s.',
  client: clientName,
  server: { ...serverName, extensions: oneByOne },
  errands: [{ kind: 'send', envelope: { from: ANN, to: [BOB] }, message }, { kind: 'quit' }],
};

export const textbook: Scenario = {
  id: 'textbook',
  title: 'The textbook’s session',
  about:
    'Establishment (220, EHLO), one mail transaction, and the end (QUIT, 221), with no service extension at all: what textbooks draw.',
  client: clientName,
  server: { ...serverName, extensions: [] },
  errands: [
    {
      kind: 'send',
      envelope: { from: ANN, to: [BOB] },
      message: 'Subject: Hello\r\n\r\nHello, Bob.\r\n',
    },
    { kind: 'quit' },
  ],
};
