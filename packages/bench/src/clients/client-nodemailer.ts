/** The client that is used most: nodemailer, with its pool of connections. */
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import { loadFromArguments, pieces, RECIPIENT, SENDER, sendAll, smallMessage } from './client-load.js';

const load = loadFromArguments();
const { host, port, size, connections } = load;

const transporter = createTransport({
  pool: true,
  host,
  port,
  ignoreTLS: true,
  maxConnections: connections,
  maxMessages: Number.POSITIVE_INFINITY,
});
const envelope = { from: SENDER, to: [RECIPIENT] };
// As text, which it sends faster than octets.
const small = smallMessage(size)?.toString('latin1');

await sendAll(load, async () => {
  const { accepted } = await transporter.sendMail({ envelope, raw: small ?? Readable.from(pieces(size)) });
  return accepted.length === 1;
});
transporter.close();
