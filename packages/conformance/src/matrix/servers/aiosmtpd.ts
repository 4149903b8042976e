/** aiosmtpd by its command, as Debian has it. */
import { output } from './programs.js';
import type { MatrixServer } from './server.js';

/** Debian's Python: others on the machine do not see its modules. */
const PYTHON = '/usr/bin/python3';

export const aiosmtpd: MatrixServer = {
  name: 'aiosmtpd',
  configuration:
    'Its command, with a certificate, TLS optional, and the handler Sink; every recipient is taken.',
  version: async () => (await output(PYTHON, ['-c', 'import aiosmtpd; print(aiosmtpd.__version__)'])).trim(),
  async prepare({ port, keyFile, certFile }) {
    const tls = ['--tlscert', certFile, '--tlskey', keyFile, '--no-requiretls'];
    const words = ['-m', 'aiosmtpd', '-n', '-l', `127.0.0.1:${port}`, ...tls, '-c', 'aiosmtpd.handlers.Sink'];
    return { program: PYTHON, words };
  },
};
