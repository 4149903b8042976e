/** OpenSMTPD, from Debian's package: its folders are where only it sees them, in a mount namespace of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NamedUser, packageVersion, unpack } from './debian.js';
import { output } from './programs.js';
import { DOMAIN, type MatrixServer } from './server.js';

const DAEMON: NamedUser = { name: 'opensmtpd', id: 9930 };
const QUEUE: NamedUser = { name: 'opensmtpq', id: 9931 };

export const opensmtpd: MatrixServer = {
  name: 'OpenSMTPD',
  configuration:
    'As Debian has it, for one domain; what is taken stays in the queue. Without TLS: this build of 6.8.0p2 for OpenSSL 3 fails every handshake, with any key (“rsa routines::missing private key”), as OpenSSL signs by a copy of the key of which the process that holds the private one does not know. Without AUTH: it offers that under TLS only.',
  async version(place) {
    await unpack(place, ['opensmtpd'], [DAEMON, QUEUE]);
    return packageVersion(place, 'opensmtpd');
  },
  async prepare(place) {
    const { folder, port } = place;
    const { root, environment } = await unpack(place, ['opensmtpd'], [DAEMON, QUEUE]);
    await output('unshare', ['-m', 'true']);
    const [lib, spool, run] = ['lib', 'spool', 'run'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const queue = join(spool, 'smtpd');
    await mkdir(join(lib, 'opensmtpd/empty'), { recursive: true });
    await mkdir(run);
    await mkdir(queue, { recursive: true });
    const inside = ['corrupt', 'incoming', 'purge', 'queue', 'temporary'].map((name) => join(queue, name));
    for (const each of inside) await mkdir(each);
    await output('chmod', ['711', queue]);
    await output('chmod', ['700', ...inside]);
    await output('chown', [`${QUEUE.id}:0`, ...inside]);
    const offline = join(queue, 'offline');
    await mkdir(offline);
    await output('chmod', ['770', offline]);
    await output('chown', [`0:${QUEUE.id}`, offline]);
    const configuration = [
      `listen on 127.0.0.1 port ${port} hostname ${DOMAIN}`,
      'action "out" relay host smtp://127.0.0.1:1',
      `match from any for domain "${DOMAIN}" action "out"`,
      'match from local for any action "out"',
    ];
    await writeFile(join(folder, 'smtpd.conf'), `${configuration.join('\n')}\n`);
    const script = [
      'set -e',
      'mount --bind "$1" /var/lib; mount --bind "$2" /var/spool; mount --bind "$3" /run',
      'shift 3; export LD_PRELOAD="$1" NSS_WRAPPER_PASSWD="$2" NSS_WRAPPER_GROUP="$3"; shift 3; exec "$@"',
    ].join('\n');
    const { LD_PRELOAD = '', NSS_WRAPPER_PASSWD = '', NSS_WRAPPER_GROUP = '' } = environment;
    const smtpd = [join(root, 'usr/sbin/smtpd'), '-d', '-f', join(folder, 'smtpd.conf')];
    const words = [
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      lib,
      spool,
      run,
      LD_PRELOAD,
      NSS_WRAPPER_PASSWD,
      NSS_WRAPPER_GROUP,
    ];
    return { program: 'unshare', words: [...words, ...smtpd] };
  },
};
