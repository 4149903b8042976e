/** `sansmtp serve`, as it is started without further options. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './programs.js';
import { DOMAIN, type MatrixServer } from './server.js';

const SCRIPT = fileURLToPath(new URL('../../../../cli/bin/sansmtp.js', import.meta.url));

export const own: MatrixServer = {
  name: 'sansmtp serve',
  configuration: `Its defaults, for one domain (\`--domain ${DOMAIN}\`), with a certificate.`,
  version: async () => (await output(process.execPath, [SCRIPT, '--version'])).trim(),
  async prepare({ folder, port, keyFile, certFile }) {
    const maildir = join(folder, 'mail');
    const where = ['--port', String(port), '--maildir', maildir];
    const names = ['--hostname', DOMAIN, '--domain', DOMAIN];
    const words = [SCRIPT, 'serve', ...where, ...names, '--tls-cert', certFile, '--tls-key', keyFile];
    return { program: process.execPath, words };
  },
};
