import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../extensions/not-offered.js';
import {
  Dialogue,
  failureIn,
  octetsOf,
  type Shown,
  securing,
  TLS,
  written,
} from './dialogue.test-support.js';

const EHLO = 'EHLO c.example\r\n';
const STARTTLS = 'STARTTLS\r\n';
const QUIT = 'QUIT\r\n';
const closed = { type: 'closed' };
const upgradeTls = { type: 'upgradeTls' };
const ready = (outputs: readonly Shown[]) =>
  outputs.find((output) => typeof output !== 'string' && output.type === 'ready');

describe('STARTTLS', () => {
  it.each(['opportunistic', 'required'] as const)(
    'is sent behind EHLO where it is offered and %s, and EHLO again once TLS stands (RFC 3207 §4.2)',
    (startTls) => {
      const client = new Dialogue({ startTls });
      expect(client.offered('STARTTLS', 'SIZE 10')).toEqual([STARTTLS]);
      expect(client.hear('220 Go ahead')).toEqual([upgradeTls]);
      expect(client.session.state).toBe('session.securing');
      expect(client.session.offer).toBeUndefined();
      expect(client.handle({ type: 'tlsEstablished', tls: TLS })).toEqual([EHLO]);
      const offer = {
        verb: 'EHLO',
        name: 'b.example',
        keywords: new Map([['PIPELINING', '']]),
        tls: TLS,
        authenticatedBy: undefined,
      };
      expect(client.offer('PIPELINING')).toEqual([{ type: 'ready', offer }]);
    },
  );

  it('is not sent unless it is wanted, and not on a connection that TLS protects', () => {
    expect(ready(new Dialogue().offered('STARTTLS'))).toMatchObject({ offer: { tls: undefined } });
    const implicit = new Dialogue({ startTls: 'required', tls: TLS });
    expect(ready(implicit.offered('STARTTLS'))).toMatchObject({ offer: { tls: TLS } });
  });

  it('is never sent twice, whatever the server offers over TLS (RFC 3207 §4.2)', () => {
    const client = securing();
    client.handle({ type: 'tlsEstablished', tls: TLS });
    expect(written(client.offer('STARTTLS'))).toBe('');
    expect(client.session.state).toBe('session.ready');
  });

  it('that is refused is done without where it is opportunistic', () => {
    for (const code of [454, 501, 502]) {
      const client = new Dialogue({ startTls: 'opportunistic' });
      client.offered('STARTTLS', 'SIZE');
      expect(ready(client.hear(`${code} No`))).toMatchObject({
        offer: {
          tls: undefined,
          keywords: new Map([
            ['STARTTLS', ''],
            ['SIZE', ''],
          ]),
        },
      });
    }
    expect(ready(new Dialogue({ startTls: 'opportunistic' }).offered())).toBeDefined();
  });

  it('that is refused ends the session where it is required', () => {
    const client = new Dialogue({ startTls: 'required' });
    client.offered('STARTTLS');
    const reply = { code: 454, lines: ['Not now'] };
    expect(client.hear('454 Not now')).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'startTls', reply } },
      QUIT,
    ]);
  });

  it('that is not offered ends the session where it is required, also behind HELO', () => {
    const failed = {
      type: 'failed',
      failure: { kind: 'notOffered', phase: 'startTls', keyword: 'STARTTLS' },
    };
    expect(new Dialogue({ startTls: 'required' }).offered('SIZE')).toEqual([failed, QUIT]);
    const client = new Dialogue({ startTls: 'required' });
    client.hear('220 b');
    client.hear('502 No EHLO');
    expect(client.hear('250-b', '250 STARTTLS')).toEqual([failed, QUIT]);
  });
});

describe('plaintext behind STARTTLS (RFC 3207 §6)', () => {
  const error = { kind: 'protocol', phase: 'startTls' };

  it('in the same chunk as its reply ends the session, before a handshake', () => {
    for (const text of ['220 Go\r\n250 injected\r\n', '220 Go\r\n2', '220 Go\r\n\x16\x03\x01']) {
      const client = new Dialogue({ startTls: 'opportunistic' });
      client.offered('STARTTLS');
      const outputs = client.octets(text);
      expect(failureIn(outputs)).toMatchObject(error);
      expect(outputs.at(-1)).toEqual(closed);
      expect(outputs).not.toContainEqual(upgradeTls);
      expect(written(outputs)).toBe('');
    }
  });

  it('in a later chunk ends it as well, even an octet that makes no line', () => {
    for (const text of ['250 injected\r\n', '2', '\n']) {
      const client = securing();
      const outputs = client.octets(text);
      expect(failureIn(outputs)).toMatchObject(error);
      expect(outputs.at(-1)).toEqual(closed);
      expect(client.handle({ type: 'tlsEstablished', tls: TLS })).toEqual([]);
    }
  });

  it('never gets into the session over TLS, not even from a host that does not poll', () => {
    const client = securing();
    client.session.handle({ type: 'bytes', bytes: octetsOf('250-evil\r\n250-AU'), now: 0 });
    expect(client.handle({ type: 'tlsEstablished', tls: TLS })).toEqual([EHLO]);
    expect(ready(client.hear('250 b.example'))).toMatchObject({ offer: { name: 'b.example' } });
  });

  it('ahead of the reply is no better: what was asked for nothing is a protocol error', () => {
    const client = new Dialogue({ startTls: 'required' });
    client.offered('STARTTLS');
    expect(failureIn(client.hear('354 x'))).toMatchObject(error);
  });
});

describe('the TLS handshake', () => {
  it('that fails ends the session, opportunistic or not: half of it has been said', () => {
    for (const startTls of ['opportunistic', 'required'] as const) {
      const client = new Dialogue({ startTls });
      client.offered('STARTTLS');
      client.hear('220 Go');
      const error = new Error('self-signed certificate');
      expect(client.handle({ type: 'tlsFailed', error })).toEqual([
        { type: 'failed', failure: { kind: 'tls', phase: 'startTls', error } },
        closed,
      ]);
    }
  });

  it('that fails because the connection is lost tells the reason for that', () => {
    const error = new Error('reset by peer');
    expect(failureIn(securing().handle({ type: 'lost', error }))).toEqual({
      kind: 'tls',
      phase: 'startTls',
      error,
    });
  });

  it.each([
    ['is lost', (client: Dialogue) => client.handle({ type: 'lost' })],
    ['ends', (client: Dialogue) => client.handle({ type: 'eof' })],
    ['is not done in time', (client: Dialogue) => client.timeout()],
    ['fails for no known reason', (client: Dialogue) => client.handle({ type: 'tlsFailed' })],
  ])('that %s is a failure of TLS', (_, end) => {
    const outputs = end(securing());
    expect(failureIn(outputs)).toMatchObject({ kind: 'tls', phase: 'startTls', error: expect.any(Error) });
    expect(outputs.at(-1)).toEqual(closed);
  });

  it('has a deadline of its own', () => {
    const client = securing();
    expect(client.session.nextDeadline()).toBe(60_000);
  });
});

describe('REQUIRETLS', () => {
  const requireTls = true as const;

  it('that is offered in the clear is not offered: mail that needs it is not sent (RFC 8689 §2)', () => {
    const client = new Dialogue().ready('REQUIRETLS', 'SIZE');
    expect([...(client.session.offer?.keywords.keys() ?? [])]).toEqual(['SIZE']);
    expect(() => client.send(1, { requireTls })).toThrow(ExtensionNotOfferedError);
    expect(client.session.state).toBe('session.ready');
  });

  it('is sent under TLS', () => {
    const client = new Dialogue({ tls: TLS }).ready('REQUIRETLS');
    expect(client.send(1, { requireTls })).toEqual(['MAIL FROM:<s@a.example> REQUIRETLS\r\n']);
  });
});
