/** What service extensions change: commands written ahead, a message in chunks, recipients that differ. */
import type { Scenario } from '../simulation/scenario.js';
import { ANN, BOB, clientName, message, oneByOne, serverName } from './parties.js';

export const pipelining: Scenario = {
  id: 'pipelining',
  title: 'Commands written ahead',
  about:
    'The server offers PIPELINING, so MAIL, RCPT and DATA leave at once (RFC 2920). The client stands at the command whose reply comes next, while the server has long read on.',
  client: clientName,
  server: serverName,
  errands: [
    { kind: 'send', envelope: { from: ANN, to: [BOB, 'carol@example.com'] }, message },
    { kind: 'quit' },
  ],
};

export const partialRecipients: Scenario = {
  id: 'recipients',
  title: 'One of three recipients is refused',
  about:
    'There is no Dave here: 550 for him alone. The mail transaction goes on for the others, and the client must tell its user of both.',
  client: clientName,
  server: { ...serverName, extensions: oneByOne },
  errands: [
    {
      kind: 'send',
      envelope: { from: ANN, to: [BOB, 'dave@example.com', 'carol@example.com'] },
      message,
    },
    { kind: 'quit' },
  ],
  decide: (question) => {
    const isDave = question.kind === 'rcpt' && JSON.stringify(question.forwardPath).includes('dave');
    return { decision: isDave ? 'reject' : 'accept' };
  },
};

/** More than one chunk of 65,536 octets. */
const photographs = [
  'Subject: Photographs',
  '',
  ...Array.from({ length: 900 }, (_, line) => `${String(line).padStart(4, '0')} ${'iVBORw0KGgo'.repeat(6)}`),
  '.',
  'The line above is a dot: in a chunk it ends nothing.',
  '',
].join('\r\n');

export const chunks: Scenario = {
  id: 'chunks',
  title: 'A message in chunks',
  about:
    'BDAT says how many octets follow (RFC 3030), so nothing has to be searched for the final dot, and no dot is doubled.',
  client: { ...clientName, mailDataBy: 'bdat' },
  server: { ...serverName, extensions: oneByOne },
  errands: [{ kind: 'send', envelope: { from: ANN, to: [BOB] }, message: photographs }, { kind: 'quit' }],
};
