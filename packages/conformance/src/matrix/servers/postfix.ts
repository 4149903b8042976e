/** Postfix: its server, and the smtp-sink that it brings for tests. */
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './programs.js';
import { CREDENTIALS, DOMAIN, type MatrixServer, NotRun } from './server.js';

const SERVICES = `
rewrite unix  - - n -     - trivial-rewrite
cleanup unix  n - n -     0 cleanup
qmgr    unix  n - n 300   1 qmgr
bounce  unix  - - n -     0 bounce
defer   unix  - - n -     0 bounce
trace   unix  - - n -     0 bounce
retry   unix  - - n -     - error
error   unix  - - n -     - error
discard unix  - - n -     - discard
virtual unix  - n n -     - virtual
proxymap unix - - n -     - proxymap
tlsmgr  unix  - - n 1000? 1 tlsmgr
anvil   unix  - - n -     1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

// biome-ignore lint/suspicious/noTemplateCurlyInString: the format is dpkg-query's
const VERSION = '${Version}';

const version = async (): Promise<string> =>
  (await output('/usr/bin/dpkg-query', ['-W', '-f', VERSION, 'postfix'])).trim();

/** Debian's user of that name. */
const NOBODY = 65_534;

/** Cyrus SASL with a password file: Debian's Postfix reads its configuration from `sasl/` beside main.cf, and nowhere else. */
async function writeUsers(etc: string): Promise<void> {
  const folder = join(etc, 'sasl');
  await mkdir(folder);
  const file = join(folder, 'users.db');
  const { user, password } = CREDENTIALS;
  const add = 'printf %s "$1" | saslpasswd2 -p -c -f "$2" -u "$3" "$4"';
  await output('sh', ['-c', add, 'sh', password, file, DOMAIN, user]);
  await output('chown', ['postfix', file]);
  const settings = [
    'pwcheck_method: auxprop',
    'auxprop_plugin: sasldb',
    `sasldb_path: ${file}`,
    'mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256',
  ];
  await writeFile(join(folder, 'smtpd.conf'), `${settings.join('\n')}\n`);
}

export const postfix: MatrixServer = {
  name: 'Postfix smtpd',
  configuration:
    'Its defaults, as Debian has them, for one domain, with a certificate, and AUTH under TLS by Cyrus SASL, with one user; what is taken is stored in a Maildir.',
  version,
  async prepare({ folder, port, tlsPort, keyFile, certFile }) {
    if (process.getuid?.() !== 0) throw new NotRun('it takes root to start');
    const [etc, spool, data] = ['etc', 'spool', 'data'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const mail = join(folder, 'mail');
    for (const each of [etc, spool, data, mail]) await mkdir(each);
    await chown(mail, NOBODY, NOBODY);
    const settings = [
      'compatibility_level = 3.6',
      `queue_directory = ${spool}`,
      `data_directory = ${data}`,
      `maillog_file = ${join(folder, 'log')}`,
      `maillog_file_prefixes = ${folder}`,
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      `myhostname = ${DOMAIN}`,
      'mydestination = $myhostname',
      'alias_maps =',
      'local_recipient_maps =',
      'local_transport = virtual:',
      'virtual_mailbox_domains =',
      `virtual_mailbox_base = ${mail}`,
      'virtual_mailbox_maps = static:all/',
      'virtual_minimum_uid = 1000',
      `virtual_uid_maps = static:${NOBODY}`,
      `virtual_gid_maps = static:${NOBODY}`,
      'default_transport = discard:',
      'smtpd_tls_security_level = may',
      `smtpd_tls_chain_files = ${keyFile}, ${certFile}`,
      'smtpd_sasl_auth_enable = yes',
      'smtpd_sasl_local_domain = $myhostname',
      'smtpd_tls_auth_only = yes',
    ];
    await writeFile(join(etc, 'main.cf'), `${settings.join('\n')}\n`);
    await writeFile(
      join(etc, 'master.cf'),
      `127.0.0.1:${port} inet n - n - - smtpd\n127.0.0.1:${tlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes${SERVICES}`,
    );
    await writeUsers(etc);
    await output('chown', ['postfix', data]);
    await output('postfix', ['-c', etc, 'check']);
    const has = { users: true, implicitTls: true, maildir: join(mail, 'all') };
    return { program: '/usr/lib/postfix/sbin/master', words: ['-c', etc, '-e', '1200'], has };
  },
};

export const smtpSink: MatrixServer = {
  name: 'Postfix smtp-sink',
  configuration:
    'Its defaults: a sink for tests, which takes every recipient, and every password; it has no TLS.',
  version,
  async prepare({ port }) {
    const asUser = process.getuid?.() === 0 ? ['-u', 'postfix'] : [];
    return { program: 'smtp-sink', words: [...asUser, `127.0.0.1:${port}`, '100'], has: { users: true } };
  },
};
