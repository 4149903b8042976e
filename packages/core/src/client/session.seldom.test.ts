/** Turns of a dialogue that are seldom met: what follows a STARTTLS that is refused, and chunks that are refused in a row. */
import { describe, expect, it } from 'vitest';
import {
  CHUNKFUL,
  chunking,
  Dialogue,
  failureIn,
  verdictsIn,
  withPassword,
  written,
} from './dialogue.test-support.js';
import type { ClientSessionOptions } from './options.js';

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

  it('leaves one that is refused behind it without a further wait', () => {
    const client = sent(2);
    client.hear(refusal);
    expect(written(client.hear(refusal))).toBe('RSET\r\n');
  });
});
