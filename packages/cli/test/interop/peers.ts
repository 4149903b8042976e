/**
 * The programs of others. Where one is missing its tests say so and are skipped, but not under continuous
 * integration: there they fail.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Debian's, where python3-aiosmtpd is installed; other Pythons on the machine do not see it. */
export const python = '/usr/bin/python3';

function succeeds(program: string, words: readonly string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether it works is tried, as a program may be there and be of no use. */
const checks = {
  swaks: ['sh', '-c', 'swaks --support | grep -q "TLS supported"'],
  msmtp: ['msmtp', '--version'],
  gsasl: ['gsasl', '--version'],
  curl: ['curl', '--version'],
  smtplib: [python, '-c', 'import smtplib'],
  fail2ban: ['fail2ban-regex', '--version'],
  aiosmtpd: [python, '-c', 'import aiosmtpd'],
  Chromium: ['/usr/bin/chromium', '--version'],
  'smtp-source': ['sh', '-c', 'PATH=$PATH:/usr/sbin command -v smtp-source'],
  'smtp-sink': ['sh', '-c', 'PATH=$PATH:/usr/sbin command -v smtp-sink'],
  PostgreSQL: ['sh', '-c', 'ls /usr/lib/postgresql/*/bin/initdb'],
  // Its daemons run under several users, which takes root.
  Postfix: [
    'sh',
    '-c',
    'PATH=$PATH:/usr/sbin; command -v saslpasswd2 && test -x /usr/lib/postfix/sbin/master && { [ "$(id -u)" -eq 0 ] || sudo -n true; }',
  ],
  'a file system of its own': [
    'unshare',
    '--map-root-user',
    '--mount',
    'mount',
    '-t',
    'tmpfs',
    'tmpfs',
    '/mnt',
  ],
} as const;

export type Peer = keyof typeof checks;

/** `describe` for tests that need a peer. */
export function describeWith(peer: Peer, body: () => void): void {
  const [program, ...words] = checks[peer];
  if (succeeds(program, words)) describe(peer, body);
  else if (process.env.CI === 'true') {
    describe(peer, () => {
      it('is there', () => expect.fail(`${[program, ...words].join(' ')} fails here`));
    });
  } else describe.skipIf(true)(`${peer} (skipped: ${[program, ...words].join(' ')} fails here)`, body);
}
