/** Servers of npm: smtp-server, which this workspace has, and Haraka, which is installed into a folder when it is judged. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './programs.js';
import { CREDENTIALS, DOMAIN, type MatrixServer, type Place } from './server.js';

const PROGRAM = fileURLToPath(new URL('../../../programs/smtp-server.mjs', import.meta.url));

export const smtpServer: MatrixServer = {
  name: 'smtp-server',
  configuration:
    'As its README starts it, AUTH optional, with one user; every recipient is taken, and stored in a Maildir.',
  version: async () => (await output(process.execPath, [PROGRAM, '--version'])).trim(),
  async prepare({ folder, port, tlsPort, lmtpPort, keyFile, certFile }) {
    const maildir = join(folder, 'mail');
    await mkdir(join(maildir, 'new'), { recursive: true });
    const { user, password } = CREDENTIALS;
    const ports = [port, tlsPort, lmtpPort].map(String);
    const words = [PROGRAM, ...ports, keyFile, certFile, maildir, user, password];
    return { program: process.execPath, words, has: { users: true, implicitTls: true, lmtp: true, maildir } };
  },
};

const HARAKA = '3.3.4';

const moduleOf = ({ folder }: Place) => join(folder, 'npm/node_modules/Haraka');

export const haraka: MatrixServer = {
  name: 'Haraka',
  configuration: `As \`haraka -i\` makes it, for one domain; the plugins rcpt_to.in_host_list, tls, auth/flat_file and queue/discard (without mail_from.is_resolvable, as there is no DNS).`,
  async version(place) {
    const npm = join(place.folder, 'npm');
    await mkdir(npm, { recursive: true });
    await output('npm', [
      'install',
      '--prefix',
      npm,
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      `Haraka@${HARAKA}`,
    ]);
    return HARAKA;
  },
  async prepare(place) {
    const { folder, port, tlsPort, keyFile, certFile } = place;
    const program = process.execPath;
    const script = join(moduleOf(place), 'bin/haraka');
    const home = join(folder, 'home');
    await output(program, [script, '-i', home]);
    const write = (name: string, text: string) => writeFile(join(home, 'config', name), `${text}\n`);
    await write('smtp.ini', `listen=127.0.0.1:${port},127.0.0.1:${tlsPort}\nsmtps_port=${tlsPort}\nnodes=0`);
    await write('plugins', 'tls\nauth/flat_file\nrcpt_to.in_host_list\nqueue/discard');
    await write('host_list', DOMAIN);
    await write('me', DOMAIN);
    const { user, password } = CREDENTIALS;
    await write('auth_flat_file.ini', `[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\n\n[users]\n${user}=${password}`);
    await write('tls.ini', `key=${keyFile}\ncert=${certFile}`);
    // Else queue/discard answers 451: nobody loses mail by it unawares.
    return {
      program,
      words: [script, '-c', home],
      environment: { YES_REALLY_DO_DISCARD: '1' },
      has: { users: true, implicitTls: true },
    };
  },
};
