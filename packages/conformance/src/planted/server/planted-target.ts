/** The planted server in memory, as a server to be tested. */
import type { ServerFacts } from '@sansmtp/testing/model';
import { createMemoryPair } from '@sansmtp/transport-memory';
import type { StoredTestMessage } from '../../contract/target.js';
import { createIdleClock } from '../../running/idle-clock.js';
import type { ServerToTest } from '../../running/server-to-test.js';
import { isOfLmtp, type ServerFault } from './faults.js';
import { servePlanted } from './planted-server.js';

/** Of a site, and no fault (RFC 4954 §4): it lets in by a password in the clear, so that its dialogues need no TLS. */
export const CONFIGURATION = 'auth/passwords-need-tls';

const CREDENTIALS = { user: 'ann', password: 'pencil' };

/**
 * @param fault is planted in it
 * @param protocol by default the one in which the fault shows
 */
export function plantedServer(
  fault?: ServerFault,
  protocol: 'smtp' | 'lmtp' = fault !== undefined && isOfLmtp(fault) ? 'lmtp' : 'smtp',
): ServerToTest {
  let stored: StoredTestMessage[] = [];
  const serve = (mode: 'startTls' | 'implicit') => () => {
    const [near, far] = createMemoryPair({ tls: { mode } });
    servePlanted(far, {
      faults: fault === undefined ? [] : [fault],
      protocol,
      users: { [CREDENTIALS.user]: CREDENTIALS.password },
      onMessage: ({ recipients, content }) =>
        stored.push({
          content: Buffer.from(content, 'latin1'),
          recipients: recipients.map((each) => Buffer.from(each, 'latin1').toString('utf8')),
        }),
    });
    return near;
  };
  return {
    clock: createIdleClock(),
    connect: serve('startTls'),
    connectTls: serve('implicit'),
    received() {
      const messages = stored;
      stored = [];
      return messages;
    },
    credentials: CREDENTIALS,
    protocol,
    from: 'ann@probe.test',
    to: 'Bob@planted.test',
    hostname: 'probe.test',
    // In memory nothing takes time.
    replyTime: 900,
  };
}

/** What the model may know of it. */
export const plantedFacts = (protocol: 'smtp' | 'lmtp' = 'smtp'): ServerFacts => ({
  protocol,
  strict: true,
  users: { [CREDENTIALS.user]: CREDENTIALS.password },
  takes: (recipient) => !recipient.startsWith('nobody@'),
  stores: (recipient) => !recipient.startsWith('full@'),
});
