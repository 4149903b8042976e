import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sansmtp } from './running.test-support.js';

const CERTIFICATE = ['--tls-cert', 'package.json', '--tls-key', 'package.json'];
const SEND = ['send', '--from', 'a@example.com', '--to', 'b@example.org'];

describe('sansmtp', () => {
  it('says its version, which is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await sansmtp(['--version'])).toEqual({ stdout: `${version}\n`, stderr: '', exitCode: 0 });
  });

  it.each([
    [],
    ['serve'],
    ['relay'],
    ['send'],
    ['chart'],
    ['replay'],
    ['play'],
    ['queue'],
    ['queue', 'list'],
  ])('explains itself: %s --help', async (...words) => {
    const { stdout, stderr, exitCode } = await sansmtp([...words, '--help']);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^Usage: sansmtp /);
  });

  it.each(['serve', 'relay', 'send', 'chart', 'replay', 'play'])(
    'explains each option of %s',
    async (command) => {
      const { stdout } = await sansmtp([command, '--help']);
      const options = stdout.split('\n').filter((line) => /^ {2}-/.test(line));
      expect(options.length).toBeGreaterThan(2);
      for (const option of options) expect(option).toMatch(/^ {2}(?:-\w, )?--[\w-]+(?: <[\w:-]+>)? {2,}\S/);
    },
  );

  it('shows what there is when no command is given, and exits 64', async () => {
    const { stderr, exitCode } = await sansmtp([]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('serve');
  });
});

describe('a mistake in the arguments is one line on stderr that names it, and exit code 64:', () => {
  it.each([
    { words: ['receive'], named: "'receive'" },
    { words: ['judge', '--help'], named: "'judge'" },
    { words: ['judge', '-h', '--runs', '3'], named: "'judge'" },
    { words: ['help', 'judge'], named: "'judge'" },
    { words: [''], named: "''" },
    { words: ['--port', '25'], named: "'--port'" },
    { words: ['serve', '--tls-port', '4650'], named: '--tls-port needs' },
    { words: ['serve', '--tls-cert', 'package.json'], named: '--tls-key' },
    { words: ['serve', '--tls-key', 'package.json'], named: '--tls-cert' },
    {
      words: ['serve', '--tls-cert', '/no/such', '--tls-key', 'package.json'],
      named: '--tls-cert: /no/such cannot be read: ENOENT',
    },
    {
      words: ['serve', '--tls-cert', 'package.json', '--tls-key', '.'],
      named: '--tls-key: . cannot be read: EISDIR',
    },
    {
      words: ['serve', '--tls-cert', 'package.json', '--tls-key', 'README.md'],
      named: '--tls-cert package.json, --tls-key README.md: ',
    },
    { words: ['serve', ...CERTIFICATE, '--tls-self-signed'], named: '--tls-self-signed' },
    { words: ['serve', '--submission-port', 'x'], named: '--submission-port' },
    { words: ['serve', '--lmtp-port', '-1'], named: '--lmtp-port' },
    { words: ['serve', '--user', 'secret'], named: '--user number 1' },
    { words: ['serve', '--user', 'a:b', '--user', ':secret'], named: '--user number 2' },
    { words: ['serve', '--user', 'secret:'], named: '--user number 1' },
    { words: ['serve', '--proxy-from', 'everywhere'], named: '--proxy-from' },
    { words: ['serve', '--proxy-from', '192.0.2.1'], named: '--proxy-from needs --proxy-protocol' },
    { words: ['serve', '--host', '[mx.example]'], named: '--host' },
    { words: ['serve', '--trace', ''], named: '--trace' },
    { words: ['serve', '--inspect', 'x'], named: '--inspect' },
    { words: ['relay', '--bare-newline', 'keep'], named: '--bare-newline keep' },
    { words: ['relay', '--discard'], named: "'--discard'" },
    { words: ['relay', '--route', 'example.org'], named: '--route' },
    {
      words: ['relay', '--route', 'a.example=h:1', '--route', 'A.example=h:2'],
      named: 'has a route already',
    },
    { words: ['relay', '--domain', 'a.example', '--route', 'a.example=h:1'], named: 'is local by --domain' },
    { words: ['relay', '--via', 'h:25', '--route', '*=h:25'], named: '--via and the route of *' },
    { words: ['relay', '--via', 'h'], named: '--via' },
    { words: ['relay', '--via-user', 'ann'], named: '--via-user needs --via' },
    { words: ['relay', '--worker', 'one'], named: '--worker is for a queue in PostgreSQL' },
    { words: ['relay', '--via-tls', 'implicit'], named: '--via-tls needs --via' },
    {
      words: ['relay', '--via', 'h:25', '--via-password-file', 'x'],
      named: '--via-password-file needs --via-user',
    },
    { words: ['relay', '--relay-from', 'everywhere'], named: '--relay-from' },
    { words: ['relay', '--retry', '60,,60'], named: '--retry' },
    { words: ['relay', '--retry', '0'], named: '--retry' },
    { words: ['relay', '--dkim', 'example.org:s'], named: '--dkim' },
    { words: ['relay', '--dkim', 'a.example:s:k', '--dkim', 'a.example:t:k'], named: 'has a key already' },
    { words: ['relay', '--recipients', '/no/such'], named: '--recipients: /no/such cannot be read' },
    {
      words: ['relay', '--recipients', 'x', '--no-recipient-check'],
      named: '--recipients and --no-recipient-check',
    },
    { words: ['relay', '--postmaster', 'ann'], named: '--postmaster' },
    { words: ['relay', '--tls-ca', 'package.json'], named: '--tls-ca' },
    { words: ['play', '--port', '65536'], named: "'65536'" },
    { words: ['play', '--trace', '/no/such'], named: '/no/such cannot be read' },
    { words: ['replay'], named: "'trace'" },
    { words: ['serve', 'more'], named: "'serve'" },
    { words: ['serve', '--port', '65536'], named: "'65536'" },
    { words: ['serve', '--port', '-1'], named: "'-1'" },
    { words: ['serve', '--port', '25x'], named: "'25x'" },
    { words: ['serve', '--port', '0x19'], named: "'0x19'" },
    { words: ['serve', '--max-size', '0'], named: '--max-size' },
    { words: ['serve', '--max-recipients', '1.5'], named: '--max-recipients' },
    { words: ['serve', '--max-connections', 'many'], named: '--max-connections' },
    { words: ['serve', '--max-connections-per-client', '-1'], named: '--max-connections-per-client' },
    { words: ['serve', '--min-rate', 'slow'], named: '--min-rate' },
    { words: ['serve', '--max-session', '1h'], named: '--max-session' },
    { words: ['serve', '--max-handshakes', '0'], named: '--max-handshakes' },
    { words: ['serve', '--max-junk', '1.5'], named: '--max-junk' },
    { words: ['serve', '--idle-timeout', '0'], named: '--idle-timeout' },
    { words: ['serve', '--idle-timeout', '2147484'], named: '--idle-timeout' },
    { words: ['serve', '--grace', '1e3'], named: '--grace' },
    { words: ['serve', '--hostname', 'my/host'], named: "'my/host'" },
    { words: ['serve', '--domain', 'example.org, example.net'], named: '--domain' },
    { words: ['serve', '--bare-newline', 'drop'], named: "'drop'" },
    { words: ['serve', '--discard', '--maildir', 'mail'], named: "'--maildir <directory>'" },
    { words: ['send', '--to', 'b@example.org', '--host', 'localhost'], named: '--from' },
    { words: ['send', '--from', '<>', '--host', 'localhost'], named: '--to' },
    { words: ['send', '--from', 'example.com'], named: "'example.com'" },
    { words: ['send', '--from', 'a@example.com\r\nRCPT TO:<c@example.org>'], named: '--from' },
    { words: ['send', '--to', '<>'], named: "'<>'" },
    { words: ['send', '--to', 'jürgen'], named: '--to' },
    { words: [...SEND, '--host', 'localhost', '--user', 'a'], named: '--password-file or SANSMTP_PASSWORD' },
    { words: [...SEND, '--host', 'localhost', '--password-file', 'a'], named: '--user' },
    {
      words: [...SEND, '--host', 'localhost', '--user', 'a', '--password-file', '/no/such'],
      named: '--password-file: /no/such cannot be read: ENOENT',
    },
    {
      words: [...SEND, '--host', 'localhost', '--user', 'a', '--password-file', '.'],
      named: '--password-file: . cannot be read: EISDIR',
    },
    {
      words: [...SEND, '--host', 'localhost', '--tls-ca', '/no/such'],
      named: '--tls-ca: /no/such cannot be read: ENOENT',
    },
    { words: [...SEND, '--host', 'localhost', '--user', 'a\r\nb'], named: "'--user <name>'" },
    { words: [...SEND, '--host', 'localhost', '--user', 'a\u0085'], named: "'--user <name>'" },
    { words: [...SEND, '--host', 'localhost', '--user', ''], named: "'--user <name>'" },
    {
      words: [...SEND, '--host', 'localhost', '--user', 'a', '--password-file', '/dev/null'],
      named: 'empty: --password-file /dev/null',
    },
    { words: [...SEND, '--host', 'localhost', '--tls-ca', 'package.json'], named: 'package.json' },
    { words: [...SEND, '--unix', 'path', '--tls', 'required'], named: '--host' },
    { words: [...SEND, '--lmtp'], named: '--lmtp is for one server: give --host or --unix' },
    { words: [...SEND, '--user', 'a'], named: '--host' },
    { words: [...SEND, '--tls', 'implicit'], named: '--host' },
    { words: [...SEND, '--dns', 'dns.example'], named: '--dns' },
    { words: [...SEND, '--dns', '127.0.0.1:99999'], named: '--dns' },
    { words: [...SEND, '--dns', '[::1]:'], named: '--dns' },
    { words: [...SEND, '--host', 'localhost\n'], named: '--host' },
    { words: [...SEND, '--host', 'localhost', '--unix', 'path'], named: "'--unix <path>'" },
    { words: [...SEND, '--unix', 'path', '--port', '25'], named: "'--unix <path>'" },
    { words: [...SEND, '--host', 'localhost', '--port', '0'], named: "'0'" },
    { words: [...SEND, '--host', 'localhost', '--tls', 'always'], named: "'always'" },
    { words: [...SEND, '--host', 'localhost', '--timeout', '0'], named: '--timeout' },
    { words: [...SEND, '--host', 'localhost', '--data', '/no/such'], named: '--data /no/such: ENOENT' },
    { words: ['chart'], named: "'end'" },
    { words: ['chart', 'relay'], named: 'server, client' },
    { words: ['chart', 'server', '--format', 'png'], named: 'mermaid' },
    // An empty variable of a script must not open a server to the world, or put files where nobody looks.
    ...[
      ...['--host', '--unix', '--maildir', '--tls-cert', '--tls-key', '--hostname', '--domain', '--user'],
      ...['--proxy-from', '--port', '--max-size', '--bare-newline'],
    ].map((option) => ({ words: ['serve', option, ''], named: option })),
    ...[
      ...['--host', '--unix', '--data', '--hostname', '--dns', '--user', '--password-file', '--tls-ca'],
      ...['--tls', '--port', '--timeout', '--from', '--to'],
    ].map((option) => ({ words: [...SEND, option, ''], named: option })),
    { words: ['chart', 'server', '-o', ''], named: '--output' },
  ])('$words', async ({ words, named }) => {
    const { stdout, stderr, exitCode } = await sansmtp(words);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(stderr).toMatch(/^error: [^\p{Cc}]+\n$/u);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('secret');
  });
});
