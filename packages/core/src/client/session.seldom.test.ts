/**
 * Turns of a dialogue that are seldom met: what follows a STARTTLS that is refused, a server that knows no EHLO, chunks that
 * are refused in a row.
 */
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from './contract/options.js';
import {
  CHUNKFUL,
  chunking,
  Dialogue,
  delivered,
  failureIn,
  verdictsIn,
  withPassword,
  written,
} from './dialogue.test-support.js';

const { authentication } = withPassword();
const insecure = { ...authentication, allowInsecure: true };

describe.each(['454 4.7.0 Not now', '554 5.7.0 No'])(
  'STARTTLS that is answered by %s, where TLS may be missing',
  (reply) => {
    const behind = (options: ClientSessionOptions, ...keywords: string[]) => {
      const client = new Dialogue({ startTls: 'opportunistic', ...options });
      client.offered('STARTTLS', ...keywords);
      return { client, outputs: client.hear(reply) };
    };

    it.each([
      ['XCLIENT', { xclient: { name: 'a' } }, 'XCLIENT NAME', 'XCLIENT NAME=a\r\n'],
      ['AUTH', { authentication: insecure }, 'AUTH PLAIN', 'AUTH PLAIN AHVzZXIAcGVuY2ls\r\n'],
      ['XFORWARD', { xforward: { name: 'a' } }, 'XFORWARD NAME', 'XFORWARD NAME=a\r\n'],
    ])('is followed by %s', (_, options, keyword, line) => {
      expect(written(behind(options, keyword).outputs)).toBe(line);
    });

    it('is followed by nothing where nothing is wanted', () => {
      expect(behind({}).client.session.state).toBe('session.ready');
    });

    it.each([
      ['XCLIENT is not offered', { xclient: { name: 'a' } }, '', 'notOffered'],
      ['AUTH is not offered', { authentication: insecure }, '', 'notOffered'],
      ['AUTH needs TLS', { authentication }, 'AUTH PLAIN', 'withheld'],
    ])('ends the session where %s', (_, options, keyword, kind) => {
      const { client, outputs } = behind(options, ...(keyword === '' ? [] : [keyword]));
      expect(failureIn(outputs)?.kind).toBe(kind);
      expect(client.session.state).toBe('refused');
    });
  },
);

describe('a server that knows no EHLO', () => {
  it('is not asked for what it has not offered', () => {
    const client = new Dialogue({ startTls: 'opportunistic', xforward: { name: 'a' } });
    client.hear('220 b');
    client.hear('500 What?');
    expect(client.hear('250 b').filter((output) => typeof output === 'string')).toEqual([]);
    expect(client.session.state).toBe('session.ready');
  });

  it.each([
    ['XCLIENT is wanted', { xclient: { name: 'a' } }, 'notOffered'],
    ['AUTH is wanted', { authentication: insecure }, 'notOffered'],
    ['AUTH is wanted and needs TLS', { authentication }, 'withheld'],
  ])('is left where %s', (_, options, kind) => {
    const client = new Dialogue(options);
    client.hear('220 b');
    client.hear('500 What?');
    const outputs = client.hear('250 b');
    expect(failureIn(outputs)?.kind).toBe(kind);
    expect(written(outputs)).toBe('QUIT\r\n');
    expect(client.session.state).toBe('refused');
  });
});

describe('AUTH that succeeds', () => {
  it('is followed by XFORWARD', () => {
    const client = new Dialogue({ ...withPassword(), xforward: { name: 'a' } });
    client.ready('AUTH PLAIN', 'XFORWARD NAME');
    expect(written(client.hear('235 Welcome'))).toBe('XFORWARD NAME=a\r\n');
  });
});

describe.each(['450 Later', '550 No'])('the last of two recipients, refused by %s', (refusal) => {
  it('is followed by the chunks, for the other one', () => {
    const client = new Dialogue({ mailDataBy: 'bdat' }).ready('CHUNKING');
    client.send(2);
    client.hear('250 OK');
    client.hear('250 OK');
    expect(client.hear(refusal)).toMatchObject([{ type: 'recipient', index: 1 }, { type: 'mailDataWanted' }]);
    expect(client.session.state).toBe('session.transaction.chunking');
  });
});

describe.each(['451 Later', '503 MAIL first'])('a MAIL that is refused, behind which %s comes', (refusal) => {
  it('is the end where no DATA was written ahead', () => {
    const client = new Dialogue({ maximumOctetsInFlight: 52 }).ready('PIPELINING');
    expect(written(client.send())).toBe('MAIL FROM:<s@a.example>\r\nRCPT TO:<r0@b.example>\r\n');
    expect(verdictsIn(client.hear('550 No', refusal))).toMatchObject([
      { verdict: 'rejected', phase: 'mail', reply: { code: 550 } },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('is the end once DATA, too, is refused by it', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    client.hear('550 No', refusal);
    expect(client.session.state).toBe('session.transaction.initiating');
    const outputs = client.hear(refusal);
    expect(written(outputs)).toBe('');
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'rejected', phase: 'mail', reply: { code: 550 } }]);
    expect(client.session.state).toBe('session.ready');
  });
});

describe.each([
  ['450 Later', 'deferred'],
  ['550 No', 'rejected'],
])('LMTP, where a message is answered by %s', (refusal, verdict) => {
  it('is heard on for those whose reply has not come', () => {
    const client = delivered(3);
    expect(client.hear(refusal)).toEqual([]);
    expect(client.session.state).toBe('session.transaction.delivering');
    expect(client.hear(refusal)).toEqual([]);
    expect(client.session.state).toBe('session.transaction.delivering');
    expect(verdictsIn(client.hear('250 OK'))).toMatchObject([
      { verdict },
      { verdict },
      { verdict: 'delivered' },
    ]);
  });
});

describe('a mail transaction for nobody', () => {
  it('is over at once, and the next one begins', () => {
    const client = new Dialogue().ready('LIMITS RCPTDOMAINMAX=1');
    client.send();
    for (const reply of ['250 OK', '550 No', '250 OK']) client.hear(reply);
    const envelope = { from: 'a@b', to: 'c@elsewhere.example' };
    const [verdict] = verdictsIn(client.handle({ type: 'send', envelope }));
    expect(verdict).toMatchObject({ verdict: 'deferred' });
    client.handle({ type: 'quit' });
    expect(client.session.state).toBe('session.quitting');
  });
});

describe.each(['450 Later', '550 No'])('a chunk that is answered by %s', (refusal) => {
  /** So many chunks were sent, and none of them answered. */
  const sent = (chunks: number): Dialogue => {
    const client = chunking('PIPELINING');
    for (let chunk = 0; chunk < chunks; chunk++) client.data(CHUNKFUL);
    return client;
  };

  it('is the end of the message: those behind it are still answered, by whatever it is', () => {
    const client = sent(5);
    client.hear(refusal);
    for (const reply of ['250 OK', '450 Later', '550 No']) {
      expect(client.session.state).toBe('session.transaction.draining');
      client.hear(reply);
    }
    expect(client.session.state).toBe('session.transaction.draining');
    expect(written(client.hear('250 OK'))).toBe('RSET\r\n');
  });

  it('is so too where as many are in flight as may be', () => {
    const client = sent(64);
    expect(client.session.state).toBe('session.transaction.holding');
    client.hear(refusal);
    expect(client.session.state).toBe('session.transaction.draining');
  });

  it('is so too where the last chunk is held back until these were answered', () => {
    const client = sent(3);
    client.end();
    expect(client.session.state).toBe('session.transaction.concluding');
    client.hear(refusal);
    expect(client.session.state).toBe('session.transaction.draining');
    client.hear('250 OK');
    expect(written(client.hear('250 OK'))).toBe('RSET\r\n');
  });

  it('leaves one that is refused behind it without a further wait', () => {
    const client = sent(2);
    client.hear(refusal);
    expect(written(client.hear(refusal))).toBe('RSET\r\n');
  });
});
