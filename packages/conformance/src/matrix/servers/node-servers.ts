/** Servers of npm: smtp-server, which this workspace has, and Haraka, which is installed into a folder when it is judged. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './programs.js';
import { DOMAIN, type MatrixServer, type Place } from './server.js';

const PROGRAM = fileURLToPath(new URL('../../../programs/smtp-server.mjs', import.meta.url));

export const smtpServer: MatrixServer = {
  name: 'smtp-server',
  configuration: 'As its README starts it, AUTH optional; every recipient is taken.',
  version: async () => (await output(process.execPath, [PROGRAM, '--version'])).trim(),
  async prepare({ port, keyFile, certFile }) {
    return { program: process.execPath, words: [PROGRAM, String(port), keyFile, certFile] };
  },
};

const HARAKA = '3.3.4';

const moduleOf = ({ folder }: Place) => join(folder, 'npm/node_modules/Haraka');

export const haraka: MatrixServer = {
  name: 'Haraka',
  configuration: `As \`haraka -i\` makes it, for one domain; the plugins rcpt_to.in_host_list, tls and queue/discard (without mail_from.is_resolvable, as there is no DNS).`,
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
    const { folder, port, keyFile, certFile } = place;
    const program = process.execPath;
    const script = join(moduleOf(place), 'bin/haraka');
    const home = join(folder, 'home');
    await output(program, [script, '-i', home]);
    const write = (name: string, text: string) => writeFile(join(home, 'config', name), `${text}\n`);
    await write('smtp.ini', `listen=127.0.0.1:${port}\nnodes=0`);
    await write('plugins', 'tls\nrcpt_to.in_host_list\nqueue/discard');
    await write('host_list', DOMAIN);
    await write('me', DOMAIN);
    await write('tls.ini', `key=${keyFile}\ncert=${certFile}`);
    // Else queue/discard answers 451: nobody loses mail by it unawares.
    return { program, words: [script, '-c', home], environment: { YES_REALLY_DO_DISCARD: '1' } };
  },
};
