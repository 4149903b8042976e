/** Our own server in memory, as it would be on a port, with all that it can offer. */
import { Secret } from '@sansmtp/core';
import { type Cryptography, passwordUsers, type ServeOptions, serveSession } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { nodeCryptography } from '@sansmtp/transport-node';
import { createIdleClock } from './idle-clock.js';
import type { ServerToTest } from './server-to-test.js';

/** What our server takes though the grammar lacks it: docs/decisions.md says why. */
export const KNOWN_DEVIATIONS: readonly string[] = [
  ...['mail', 'rcpt'].flatMap((verb) =>
    [
      'space-after-colon',
      'leading-dot',
      'trailing-dot',
      'two-dots',
      'underscore-domain',
      'untagged-ipv6',
    ].map((name) => `syntax/${verb}-path-${name}`),
  ),
  'dsn/envid-in-lower-case-refused',
  'dsn/orcpt-in-lower-case-refused',
];

/** As Node's, but what would be random is counted: so the documents have the same challenges each time, and no two alike. */
function withoutChance(): Cryptography {
  let count = 0;
  return {
    compute(computation) {
      if (computation.kind !== 'random') return nodeCryptography.compute(computation);
      count += 1;
      return new Uint8Array(computation.octets).fill(count, -1);
    },
  };
}

const CREDENTIALS = { user: 'ann', password: 'pencil' };

/**
 * @param session beside the host name and what it takes to offer everything
 * @param latency milliseconds for what is sent to arrive, either way
 */
export function ownServer(session: Partial<ServeOptions> = {}, latency = 0): ServerToTest {
  const clock = createIdleClock();
  const password = new Secret(CREDENTIALS.password);
  const cryptography = clock.pausedBy(withoutChance());
  const users = passwordUsers(
    (name) => (name === CREDENTIALS.user ? { kind: 'password', password } : undefined),
    { cryptography },
  );
  const serve = (mode: 'startTls' | 'implicit') => () => {
    const [near, far] = createMemoryPair({ tls: { mode }, clock, latency });
    serveSession(
      far,
      {
        ...users,
        async onMessage({ body }) {
          for await (const _ of body);
          return { code: 250, enhancedCode: '2.0.0', lines: ['Stored'] };
        },
      },
      {
        hostname: 'mail.test',
        clock,
        id: 'session',
        cryptography,
        startTls: mode === 'startTls' ? 'offered' : 'none',
        authentication: { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'] },
        ...session,
      },
    );
    return near;
  };
  return {
    clock,
    connect: serve('startTls'),
    connectTls: serve('implicit'),
    credentials: CREDENTIALS,
    from: 'ann@probe.test',
    to: 'bob@mail.test',
    hostname: 'probe.test',
    protocol: session.protocol === 'lmtp' ? 'lmtp' : 'smtp',
  };
}
