/** aiosmtpd, as Debian has it, by a program of its documentation's kind: its command knows no users and no LMTP. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './programs.js';
import { CREDENTIALS, type MatrixServer } from './server.js';

/** Debian's Python: others on the machine do not see its modules. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('../../../programs/aiosmtpd_server.py', import.meta.url));

export const aiosmtpd: MatrixServer = {
  name: 'aiosmtpd',
  configuration:
    'Its controllers with a certificate, TLS optional, one user, and the handler Mailbox; every recipient is taken.',
  version: async () => (await output(PYTHON, ['-c', 'import aiosmtpd; print(aiosmtpd.__version__)'])).trim(),
  async prepare({ folder, port, tlsPort, lmtpPort, keyFile, certFile }) {
    const maildir = join(folder, 'mail');
    const { user, password } = CREDENTIALS;
    const ports = [port, tlsPort, lmtpPort].map(String);
    const words = [PROGRAM, ...ports, keyFile, certFile, maildir, user, password];
    return { program: PYTHON, words, has: { users: true, implicitTls: true, lmtp: true, maildir } };
  },
};
