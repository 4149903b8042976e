/** Sends one message by nodemailer, and prints a line for each recipient: what its result or its error says. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import nodemailer from 'nodemailer';

if (process.argv[2] === '--version') {
  const manifest = createRequire(import.meta.url)('nodemailer/package.json');
  console.log(`nodemailer ${manifest.version}`);
  process.exit(0);
}

const [host, port, from, recipients, file, ca, user, password, setup] = process.argv.slice(2);
const to = recipients.split(',');
const transport = nodemailer.createTransport({
  host,
  port: Number(port),
  name: 'client.example.org',
  secure: setup === 'implicitTls',
  requireTLS: setup === 'startTls' || setup === 'login',
  ignoreTLS: setup === 'plain',
  lmtp: setup === 'lmtp',
  ...(setup !== 'plain' && setup !== 'lmtp' && { tls: { ca: readFileSync(ca) } }),
  ...(setup === 'login' && { auth: { user, pass: password } }),
});

const severityOf = (code) => (code >= 500 ? 'rejected' : code >= 400 ? 'deferred' : 'failed');

try {
  const { accepted, rejectedErrors = [] } = await transport.sendMail({
    envelope: { from, to },
    raw: readFileSync(file),
  });
  for (const address of to) {
    const error = rejectedErrors.find(({ recipient }) => recipient === address);
    console.log(`${accepted.includes(address) ? 'delivered' : severityOf(error?.responseCode)} ${address}`);
  }
} catch (error) {
  for (const address of to) console.log(`${severityOf(error.responseCode)} ${address} ${error.message}`);
  process.exitCode = 1;
}
