/** TLS taken up in mid-session. */
import type { Scenario } from '../simulation/scenario.js';
import { ANN, BOB, clientName, message, oneByOne, serverName } from './parties.js';

export const startTls: Scenario = {
  id: 'starttls',
  title: 'STARTTLS begins anew',
  about:
    'After the handshake both ends forget what was said in the clear (RFC 3207 §4.2): EHLO comes a second time, and the server’s offer is another one.',
  client: { ...clientName, startTls: 'required' },
  server: { ...serverName, startTls: 'offered', extensions: oneByOne },
  errands: [{ kind: 'send', envelope: { from: ANN, to: [BOB] }, message }, { kind: 'quit' }],
};
