/**
 * `npm run bench:client -- --port PORT --messages N --size OCTETS --connections C [--host HOST]`: sends through our
 * mailer's pool to any server, and prints one line: `{"seconds":…,"messages":…}`.
 */
import { createMailer } from '@sansmtp/delivery';
import {
  loadFromArguments,
  pieces,
  RECIPIENT,
  SENDER,
  sendAll,
  smallMessage,
} from './clients/client-load.js';

const load = loadFromArguments();
const { host, port, size, connections } = load;

const mailer = createMailer({
  relay: { host, port },
  tls: 'none',
  pool: {
    connectionsPerHost: connections,
    connections,
    messagesPerConnection: Number.MAX_SAFE_INTEGER,
  },
});
const envelope = { reversePath: mailbox(SENDER), recipients: [mailbox(RECIPIENT)] };
const small = smallMessage(size);
let complained = false;

await sendAll(load, async () => {
  const [verdict] = await mailer.send(envelope, small ?? pieces(size));
  if (verdict?.verdict === 'delivered') return true;
  if (!complained) console.error(verdict?.reason);
  complained = true;
  return false;
});
await mailer.close();

function mailbox(address: string) {
  const [localPart = '', domain = ''] = address.split('@');
  return { localPart, domain };
}
