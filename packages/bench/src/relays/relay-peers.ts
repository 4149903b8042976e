/** `sansmtp relay` and its peers, each of which takes mail from this machine and delivers all of it to one host. */
import { execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, type Peer, startPeer, untilItAnswers } from '../peer.js';

const run = promisify(execFile);

/** Deliveries at a time: Postfix's default for a destination, and so that of all. */
const CONCURRENCY = 20;

/** Seconds after which Postfix ends by itself, should this process be killed. */
const LONGEST = '7200';

/** The version that is measured. */
export const HARAKA = '3.3.4';

export function startRelay(folder: string, nextHop: number): Promise<Peer> {
  const command = fileURLToPath(new URL('../../../cli/bin/sansmtp.js', import.meta.url));
  const places = ['--queue', join(folder, 'queue'), '--maildir', join(folder, 'mail')];
  const words = ['--relay-from', '127.0.0.1', '--route', `*=127.0.0.1:${nextHop}`, '--port', '0', ...places];
  return startPeer('sansmtp', process.execPath, [command, 'relay', ...words]);
}

const MASTER_CF = `
cleanup unix  n - n -     0 cleanup
qmgr    unix  n - n 300   1 qmgr
rewrite unix  - - n -     - trivial-rewrite
bounce  unix  - - n -     0 bounce
defer   unix  - - n -     0 bounce
trace   unix  - - n -     0 bounce
smtp    unix  - - n -     - smtp
retry   unix  - - n -     - error
error   unix  - - n -     - error
proxymap unix - - n -     - proxymap
scache  unix  - - n -     1 scache
tlsmgr  unix  - - n 1000? 1 tlsmgr
anvil   unix  - - n -     1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** Debian's Postfix, which takes root to start, with its defaults but where it takes mail, and where it delivers to. */
export async function startPostfix(folder: string, nextHop: number): Promise<Peer> {
  await chmod(folder, 0o755);
  const [etc, spool, data] = ['etc', 'spool', 'data'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [etc, spool, data]) await mkdir(each);
  const port = await freePort();
  const mainCf = [
    'compatibility_level = 3.6',
    `queue_directory = ${spool}`,
    `data_directory = ${data}`,
    `maillog_file = ${join(folder, 'log')}`,
    `maillog_file_prefixes = ${folder}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'myhostname = postfix.example',
    'mydestination =',
    'alias_maps =',
    'mynetworks = 127.0.0.0/8',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
    `default_transport = smtp:[127.0.0.1]:${nextHop}`,
    'relayhost =',
    `default_destination_concurrency_limit = ${CONCURRENCY}`,
  ];
  await writeFile(join(etc, 'main.cf'), `${mainCf.join('\n')}\n`);
  await writeFile(join(etc, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd${MASTER_CF}`);
  const [program = '', ...words] = asRoot('chown', 'postfix', data);
  await run(program, words);
  const [check = '', ...checking] = asRoot('postfix', '-c', etc, 'check');
  await run(check, checking);
  const [master = '', ...serving] = asRoot('/usr/lib/postfix/sbin/master', '-c', etc, '-e', LONGEST);
  const child = spawn(master, serving, { stdio: 'ignore' });
  // Else its processes would outlive it.
  return untilItAnswers('postfix', port, child, 'SIGTERM');
}

function asRoot(...words: string[]): string[] {
  return process.getuid?.() === 0 ? words : ['sudo', '-n', ...words];
}

/** A plugin that takes all mail, and says where it goes. */
const plugin = (nextHop: number) => `
exports.hook_rcpt = (next, connection) => {
  connection.relaying = true;
  next(OK);
};
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${nextHop} });
`;

/** Installs it with npm into the folder: it is no dependency of anything here. */
export async function startHaraka(folder: string, nextHop: number): Promise<Peer> {
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  const options = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...options, `Haraka@${HARAKA}`], { cwd: folder });
  const port = await freePort();
  for (const each of ['config', 'plugins', 'queue']) await mkdir(join(folder, each));
  // It does not serve without.
  const ownFile = 'config/connection.ini';
  await copyFile(join(folder, 'node_modules/Haraka', ownFile), join(folder, ownFile));
  const files = {
    'config/me': 'haraka.example\n',
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    'config/plugins': 'bench\n',
    'config/loglevel': 'ERROR\n',
    'config/outbound.ini': `concurrency_max=${CONCURRENCY}\nenable_tls=false\nlocal_mx_ok=true\n`,
    'config/queue_dir': `${join(folder, 'queue')}\n`,
    'plugins/bench.js': plugin(nextHop),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const child = spawn(process.execPath, ['node_modules/Haraka/bin/haraka', '-c', folder], {
    cwd: folder,
    stdio: 'ignore',
  });
  return untilItAnswers('haraka', port, child);
}
