import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Dialogue,
  ended,
  failureIn,
  octetsOf,
  securing,
  TLS,
  verdictsIn,
  withPassword,
  written,
} from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });

describe('a line of a reply', () => {
  it('holds a bare LF, a bare CR or a NUL as text where the greeting ended in CRLF', () => {
    expect(verdictsIn(ended().octets('250 2.0.0 queued\nas 4711\r\n'))).toEqual([
      {
        verdict: 'delivered',
        phase: 'message',
        reply: { code: 250, enhancedCode: '2.0.0', lines: ['queued?as 4711'] },
      },
    ]);
    expect(verdictsIn(ended().octets('550 no\rnever\0\r\n'))).toMatchObject([
      { verdict: 'rejected', reply: reply(550, 'no?never?') },
    ]);
  });

  it('ends in LF where the greeting did', () => {
    const client = new Dialogue();
    expect(written(client.octets('220 b\n'))).toBe('EHLO c.example\r\n');
    expect(client.octets('250-b\n250 SIZE 7\r\n')).toMatchObject([{ type: 'ready' }]);
    expect(client.session.offer?.keywords).toEqual(new Map([['SIZE', '7']]));
  });

  it('ends as the first one under TLS does, whatever came before', () => {
    const client = securing();
    client.handle({ type: 'tlsEstablished', tls: TLS });
    expect(client.octets('250-b\n250 SIZE\n')).toMatchObject([{ type: 'ready' }]);
    expect(client.session.offer?.keywords).toEqual(new Map([['SIZE', '']]));
  });

  /** Whatever a message says, and a server quotes of it: no CRLF of its own stands in the quotation. */
  it('is one however it quotes a message: no text of somebody else answers the next command', () => {
    const quotation = fc
      .array(fc.constantFrom('\n', '\r', '\n250 ', '\n550 ', '\r250 OK', '\n\n', 'a', ' ', '354 ', '\0'), {
        maxLength: 30,
      })
      .map((parts) => parts.join('').replace(/\r+\n/g, '\n'));
    fc.assert(
      fc.property(quotation, fc.constantFrom('250', '450', '550'), (quoted, code) => {
        const client = ended();
        const outputs = client.octets(`${code} You said ${quoted}!\r\n`);
        const verdict = { 250: 'delivered', 450: 'deferred', 550: 'rejected' }[code];
        expect(verdictsIn(outputs)).toMatchObject([{ verdict, reply: { code: Number(code) } }]);
        // The next command is answered by the server, and by nothing that was left over.
        expect(client.send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
        expect(client.session.poll()).toBeUndefined();
        expect(client.session.state).toBe('session.transaction.mailing');
        expect(written(client.hear('250 OK'))).toBe('RCPT TO:<r0@b.example>\r\n');
      }),
      { numRuns: 500 },
    );
  });
});

describe('empty lines', () => {
  it('are passed over, 8 at most in front of each line', () => {
    const empty = '\r\n'.repeat(8);
    const client = new Dialogue();
    expect(written(client.octets(`${empty}220 b\r\n`))).toBe('EHLO c.example\r\n');
    expect(client.octets(`${empty}250-b\r\n${empty}250 SIZE\r\n`)).toMatchObject([{ type: 'ready' }]);
    expect(client.octets(empty)).toEqual([]);
    expect(client.send()).toEqual(['MAIL FROM:<s@a.example>\r\n']);
  });

  it('are not between the 220 to STARTTLS and the handshake: nothing may stand there', () => {
    const together = new Dialogue({ startTls: 'required' });
    together.offered('STARTTLS');
    expect(failureIn(together.octets('220 Go\r\n\r\n'))).toMatchObject({
      kind: 'protocol',
      phase: 'startTls',
    });
    expect(failureIn(securing().octets('\r\n'))).toMatchObject({ kind: 'protocol', phase: 'startTls' });
  });
});

describe('a reply of several codes', () => {
  it('of one class is the verdict of its last line', () => {
    expect(verdictsIn(ended().hear('550-No', '554 Never'))).toEqual([
      { verdict: 'rejected', phase: 'message', reply: reply(554, 'No', 'Never') },
    ]);
    expect(verdictsIn(ended().hear('250-OK', '251 Forwarded'))).toMatchObject([{ verdict: 'delivered' }]);
  });

  it.each([
    ['550-No', '250 OK'],
    ['250-OK', '550 No'],
    ['450-No', '421 Bye'],
    ['421-Bye', '450 No'],
  ])('of which nobody knows what it means ends the session, and its text is shown: %s, %s', (first, last) => {
    const outputs = ended().hear(first, last);
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'unknown', failure: { kind: 'protocol' } }]);
    const failure = failureIn(outputs);
    const message = failure?.kind === 'protocol' ? failure.error.message : '';
    expect(message).toContain(`${first.replace('-', ' ')} ${last}`);
  });

  it('shows nothing of the text in a SASL exchange', () => {
    const client = new Dialogue({
      tls: TLS,
      authentication: { credentials: { kind: 'external' } },
    });
    client.offered('AUTH EXTERNAL');
    const failure = failureIn(client.hear('334-hush', '535 hush'));
    expect(failure?.kind === 'protocol' && failure.error.message).toMatch(
      /codes, 334 and 535: its text belongs to/,
    );
  });
});

describe('221', () => {
  it('is no greeting', () => {
    const outputs = new Dialogue().hear('221 Bye');
    expect(failureIn(outputs)).toMatchObject({ kind: 'protocol', phase: 'greeting' });
    expect(written(outputs)).toBe('');
  });

  it('to the final dot says nothing of the message', () => {
    const outputs = ended().hear('221 2.0.0 Bye');
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'unknown', failure: { kind: 'protocol' } }]);
  });

  it('to EHLO offers nothing', () => {
    const client = new Dialogue();
    client.hear('220 b');
    expect(failureIn(client.hear('221-b', '221 STARTTLS'))).toMatchObject({
      kind: 'protocol',
      phase: 'hello',
    });
    expect(client.session.offer).toBeUndefined();
  });
});

describe('silence', () => {
  const lostAfter = (milliseconds: number, heard: string, options = {}) => {
    const client = new Dialogue(options);
    if (heard !== '') client.handle({ type: 'bytes', bytes: octetsOf(heard) });
    client.now = milliseconds;
    return failureIn(client.handle({ type: 'lost' }));
  };

  it('in the clear until time is up, or for a while, may be that of a server that expects TLS (RFC 8314 §3)', () => {
    expect(failureIn(new Dialogue({ timeouts: { greeting: 1 } }).timeout())).toEqual({
      kind: 'timeout',
      phase: 'greeting',
      mayAwaitTls: true,
    });
    expect(lostAfter(10_000, '')).toEqual({ kind: 'lost', phase: 'greeting', mayAwaitTls: true });
  });

  it('is none of that where TLS stands, where anything came, or where the connection is lost at once', () => {
    expect(failureIn(new Dialogue({ tls: TLS }).timeout())).toEqual({ kind: 'timeout', phase: 'greeting' });
    const begun = new Dialogue();
    begun.octets('220-');
    expect(failureIn(begun.timeout())).toEqual({
      kind: 'timeout',
      phase: 'greeting',
      unfinishedReply: '"220 "',
    });
    expect(lostAfter(9_999, '')).toEqual({ kind: 'lost', phase: 'greeting' });
    expect(lostAfter(10_000, '2')).toEqual({ kind: 'lost', phase: 'greeting', unfinishedReply: '"2"' });
  });
});

describe('a reply that has no end', () => {
  it.each([
    ['554 5.7.1 We do not want this', '"554 5.7.1 We do not want this"'],
    ['550-5.7.1 This\r\n550 5.7.1 and th', '"550 5.7.1 This 550 5.7.1 and th"'],
    ['250-2.0.0 queued\r\n', '"250 2.0.0 queued"'],
    ['250 2.0.0 queued\n', '"250 2.0.0 queued?"'],
    ['\x1b[2J"', '"?[2J\\""'],
  ])('decides nothing, and is shown: %j', (octets, unfinishedReply) => {
    const client = ended();
    client.octets(octets);
    const failure = { kind: 'lost', phase: 'message', unfinishedReply };
    const outputs = client.handle({ type: 'eof' });
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'unknown', failure }]);
    expect(failureIn(outputs)).toEqual(failure);
    const silent = ended();
    silent.octets(octets);
    expect(failureIn(silent.timeout())).toEqual({ ...failure, kind: 'timeout' });
  });

  it('is shown where it is too long, by its beginning', () => {
    const long = `250 queued ${'x'.repeat(300)}`;
    const line = new Dialogue({ maximumReplyLineLength: 256 }).hear('220 b', long);
    const lines = new Dialogue({ maximumReplyLines: 2 }).hear('220 b', '250-a', '250-b', '250 c');
    const messages = [line, lines].map((outputs) => {
      const failure = failureIn(outputs);
      return failure?.kind === 'protocol' ? failure.error.message : '';
    });
    expect(messages).toEqual([
      `A reply line exceeds 256 octets (maximumReplyLineLength): "${long.slice(0, 200)}"`,
      'A reply has more than 2 lines: "250 a 250 b"',
    ]);
  });

  it('is withheld once credentials were sent: it may quote the beginning of them', () => {
    const client = new Dialogue(withPassword('a-very-secret-password'));
    client.offered('AUTH PLAIN');
    client.hear('235 Welcome');
    client.octets('421 Who says a-very-secret');
    const failure = failureIn(client.handle({ type: 'eof' }));
    expect(failure).toMatchObject({
      kind: 'lost',
      unfinishedReply: expect.stringContaining('the credentials'),
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });
});
