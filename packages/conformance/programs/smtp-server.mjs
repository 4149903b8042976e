/** smtp-server (npm) as its README starts it, on three ports: every recipient, AUTH optional, one user, stored in a Maildir. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';

if (process.argv[2] === '--version') {
  const manifest = createRequire(import.meta.url)('smtp-server/package.json');
  console.log(manifest.version);
  process.exit(0);
}

const [port, tlsPort, lmtpPort, key, cert, maildir, user, password] = process.argv.slice(2);
let stored = 0;

/** @param options beside those that all three share */
function listen(at, options) {
  const server = new SMTPServer({
    disableReverseLookup: true,
    name: 'matrix.example',
    key: readFileSync(key),
    cert: readFileSync(cert),
    onData(stream, session, callback) {
      const chunks = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', () => {
        writeFileSync(join(maildir, 'new', String(stored++).padStart(9, '0')), Buffer.concat(chunks));
        callback(null, options.lmtp ? session.envelope.rcptTo.map(() => 'OK') : 'OK');
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(Number(at), '127.0.0.1');
}

const users = {
  authOptional: true,
  authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  onAuth(auth, _session, callback) {
    const isRight = auth.method === 'CRAM-MD5' ? auth.validatePassword(password) : auth.password === password;
    if (auth.username === user && isRight) callback(null, { user });
    else callback(new Error('Invalid username or password'));
  },
};
listen(port, users);
listen(tlsPort, { ...users, secure: true });
listen(lmtpPort, { lmtp: true, authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'] });
