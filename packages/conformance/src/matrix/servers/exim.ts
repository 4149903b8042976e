/** Exim, from Debian's package, with the example configuration of its authors. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NamedUser, packageVersion, unpack } from './debian.js';
import { output } from './programs.js';
import { CREDENTIALS, DOMAIN, type MatrixServer } from './server.js';

const USER: NamedUser = { name: 'Debian-exim', id: 9925 };
const PACKAGES = ['exim4-daemon-light', 'exim4-base'];

const { user, password } = CREDENTIALS;

/** As the example has them, commented out; CRAM-MD5 as the manual has it. */
const AUTHENTICATORS = `PLAIN:
  driver = plaintext
  server_set_id = $auth2
  server_prompts = :
  server_condition = \${if and{{eq{$auth1}{}}{eq{$auth2}{${user}}}{eq{$auth3}{${password}}}}}
  server_advertise_condition = \${if def:tls_in_cipher }

LOGIN:
  driver = plaintext
  server_set_id = $auth1
  server_prompts = <| Username: | Password:
  server_condition = \${if and{{eq{$auth1}{${user}}}{eq{$auth2}{${password}}}}}
  server_advertise_condition = \${if def:tls_in_cipher }

CRAM:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{${user}}{${password}}fail}
  server_set_id = $auth1
`;

export const exim: MatrixServer = {
  name: 'Exim',
  configuration:
    'The example configuration of its authors, for one domain, with a certificate and a user, who logs in under TLS; no look-ups in the DNS, and what is taken stays in the queue.',
  async version(place) {
    await unpack(place, PACKAGES, [USER]);
    return packageVersion(place, 'exim4-daemon-light');
  },
  async prepare(place) {
    const { folder, port, tlsPort, keyFile, certFile } = place;
    const { root, environment } = await unpack(place, PACKAGES, [USER]);
    const [spool, log] = [join(folder, 'spool'), join(folder, 'log')];
    for (const each of [spool, log]) await mkdir(each);
    await output('cp', [keyFile, join(folder, 'exim.key')]);
    await output('chown', [`${USER.id}:${USER.id}`, spool, log, join(folder, 'exim.key')]);
    const example = await readFile(join(root, 'usr/share/doc/exim4-base/examples/example.conf'), 'utf8');
    const settings = [
      'keep_environment =',
      `exim_user = ${USER.id}`,
      `exim_group = ${USER.id}`,
      `primary_hostname = ${DOMAIN}`,
      `spool_directory = ${spool}`,
      `log_file_path = ${log}/%slog`,
      `pid_file_path = ${folder}/exim.pid`,
      'local_interfaces = 127.0.0.1',
      `daemon_smtp_ports = ${port} : ${tlsPort}`,
      `tls_on_connect_ports = ${tlsPort}`,
      `tls_certificate = ${certFile}`,
      `tls_privatekey = ${join(folder, 'exim.key')}`,
      'tls_advertise_hosts = *',
      'queue_only = true',
    ];
    const configuration = `${settings.join('\n')}\n${example
      .replace('host_lookup = *', 'host_lookup =')
      .replace('begin authenticators\n', `begin authenticators\n\n${AUTHENTICATORS}`)
      .replace('/etc/aliases', join(folder, 'aliases'))
      // Everybody of the domain is there, whether or not this machine knows them.
      .replace(/^ {2}check_local_user\n/gm, '')
      .replace(/^userforward:\n(?:.+\n)+/m, '')}`;
    await writeFile(join(folder, 'aliases'), '');
    await writeFile(join(folder, 'exim.conf'), configuration);
    const words = ['-bdf', '-C', join(folder, 'exim.conf')];
    const has = { users: true, implicitTls: true };
    return { program: join(root, 'usr/sbin/exim4'), words, environment, has };
  },
};
