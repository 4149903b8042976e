/** smtp-server (npm) as its README starts it: every recipient, AUTH optional, nothing is stored. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SMTPServer } from 'smtp-server';

if (process.argv[2] === '--version') {
  const manifest = createRequire(import.meta.url)('smtp-server/package.json');
  console.log(manifest.version);
  process.exit(0);
}

const [port, key, cert] = process.argv.slice(2);
const server = new SMTPServer({
  authOptional: true,
  disableReverseLookup: true,
  name: 'matrix.example',
  key: readFileSync(key),
  cert: readFileSync(cert),
  onData(stream, _session, callback) {
    stream.resume();
    stream.on('end', () => callback(null));
  },
});
server.on('error', () => {});
server.listen(Number(port), '127.0.0.1');
