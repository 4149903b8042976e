/** `sansmtp serve` with a certificate and a user. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './programs.js';
import { CREDENTIALS, DOMAIN, type MatrixServer } from './server.js';

const SCRIPT = fileURLToPath(new URL('../../../../cli/bin/sansmtp.js', import.meta.url));

export const own: MatrixServer = {
  name: 'sansmtp serve',
  configuration: `Its defaults, for one domain (\`--domain ${DOMAIN}\`), with a certificate, a user and every kind of port; failed logins are not limited (\`--auth-failures 0\`).`,
  version: async () => (await output(process.execPath, [SCRIPT, '--version'])).trim(),
  async prepare({ folder, port, tlsPort, lmtpPort, keyFile, certFile }) {
    const maildir = join(folder, 'mail');
    const ports = ['--port', String(port), '--tls-port', String(tlsPort), '--lmtp-port', String(lmtpPort)];
    const where = [...ports, '--maildir', maildir];
    const names = ['--hostname', DOMAIN, '--domain', DOMAIN];
    const tls = ['--tls-cert', certFile, '--tls-key', keyFile];
    const users = ['--user', `${CREDENTIALS.user}:${CREDENTIALS.password}`, '--auth-failures', '0'];
    const words = [SCRIPT, 'serve', ...where, ...names, ...tls, ...users];
    const has = { users: true, implicitTls: true, lmtp: true, maildir };
    return { program: process.execPath, words, has };
  },
};
