/** A Postfix of its own for one test: it takes mail on one port, and relays all of it to another. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TestCertificate } from './certificates.js';
import { accepts, freePort } from './ports.js';
import { run, scratchFolder, start, until } from './processes.js';

export interface Postfix {
  readonly port: number;
  /** What it has logged so far. */
  log(): Promise<string>;
}

const MASTER_CF = `
rewrite unix  - - n -     - trivial-rewrite
cleanup unix  n - n -     0 cleanup
qmgr    unix  n - n 300   1 qmgr
bounce  unix  - - n -     0 bounce
defer   unix  - - n -     0 bounce
trace   unix  - - n -     0 bounce
smtp    unix  - - n -     - smtp
lmtp    unix  - - n -     - lmtp
retry   unix  - - n -     - error
error   unix  - - n -     - error
discard unix  - - n -     - discard
proxymap unix - - n -     - proxymap
tlsmgr  unix  - - n 1000? 1 tlsmgr
anvil   unix  - - n -     1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** Whom Cyrus SASL lets in, if Postfix asks it. */
export interface SaslUser {
  readonly name: string;
  readonly password: string;
  readonly mechanisms: string;
}

/** Its daemons take root to start, and give it up. */
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];

/**
 * @param nextHop where it relays to, such as `smtp:[127.0.0.1]:2525`
 * @param settings more lines of its configuration
 */
export async function postfix(
  shown: TestCertificate,
  nextHop: string,
  settings: readonly string[] = [],
  user?: SaslUser,
): Promise<Postfix> {
  const folder = await scratchFolder();
  await chmod(folder, 0o755);
  const [etc, spool, data] = ['etc', 'spool', 'data'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([etc, spool, data].map((name) => mkdir(name)));
  const log = join(folder, 'log');
  const port = await freePort();
  const mainCf = [
    'compatibility_level = 3.6',
    `queue_directory = ${spool}`,
    `data_directory = ${data}`,
    `maillog_file = ${log}`,
    `maillog_file_prefixes = ${folder}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'myhostname = postfix.example',
    'mydestination =',
    'alias_maps =',
    'mynetworks = 127.0.0.0/8, 192.0.2.0/24',
    'smtpd_relay_restrictions = reject_non_fqdn_recipient, permit_mynetworks, reject',
    `default_transport = ${nextHop}`,
    'relayhost =',
    'smtpd_tls_security_level = may',
    `smtpd_tls_chain_files = ${shown.keyFile}, ${shown.certFile}`,
    'smtpd_authorized_xclient_hosts = 127.0.0.1',
    'smtpd_authorized_xforward_hosts = 127.0.0.1',
    ...(user === undefined ? [] : ['smtpd_sasl_auth_enable = yes', 'smtpd_tls_auth_only = yes']),
    'smtpd_sasl_local_domain = postfix.example',
    `cyrus_sasl_config_path = ${etc}/sasl`,
    ...settings,
  ];
  await writeFile(join(etc, 'main.cf'), `${mainCf.join('\n')}\n`);
  await writeFile(join(etc, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd${MASTER_CF}`);
  const asPostfix = async (...[program = '', ...words]: string[]) => {
    const { exit, stderr } = await run(program, words);
    if (exit !== 0) throw new Error(`${program} ended with ${exit}: ${stderr}`);
  };
  onTestFinished(async () => {
    const [program = 'rm', ...words] = [...asRoot, 'rm', '-rf', spool, data, log];
    await run(program, words);
  });
  await asPostfix(...asRoot, 'chown', 'postfix', data);
  if (user !== undefined) {
    const passwords = join(folder, 'sasldb');
    // Where Debian's Postfix looks by itself.
    await mkdir(join(etc, 'sasl'));
    await writeFile(
      join(etc, 'sasl', 'smtpd.conf'),
      `pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${passwords}\nmech_list: ${user.mechanisms}\n`,
    );
    const words = ['-p', '-c', '-f', passwords, '-u', 'postfix.example', user.name];
    const { exit, stderr } = await run('saslpasswd2', words, user.password);
    if (exit !== 0) throw new Error(`saslpasswd2 ended with ${exit}: ${stderr}`);
    await chmod(passwords, 0o644);
  }
  await asPostfix(...asRoot, 'postfix', '-c', etc, 'check');
  // Its daemons would hold our pipes open while they end. It ends by itself, should this process be killed.
  const script = 'exec "$@" >/dev/null 2>&1';
  const master = [...asRoot, '/usr/lib/postfix/sbin/master', '-c', etc, '-e', '60'];
  const running = start('sh', ['-c', script, 'sh', ...master]);
  onTestFinished(async () => {
    running.child.kill('SIGTERM');
    await running.exit;
  });
  await until(() => accepts({ port }));
  return { port, log: () => readFile(log, 'utf8') };
}
