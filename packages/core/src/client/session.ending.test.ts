import { describe, expect, it } from 'vitest';
import {
  begun,
  chunking,
  Dialogue,
  delivered,
  ended,
  failureIn,
  octetsOf,
  type Shown,
  verdictsIn,
  written,
} from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const closed = { type: 'closed' };
const close = { type: 'close' };

describe('421', () => {
  const before: Readonly<Record<string, [phase: string, client: () => Dialogue]>> = {
    mailing: ['mail', () => begun()],
    addressing: ['rcpt', () => begun('250 OK')],
    initiating: ['data', () => begun('250 OK', '250 OK')],
    sending: ['message', () => begun('250 OK', '250 OK', '354 Go on')],
    chunking: ['message', () => chunking()],
    holding: ['message', () => holding()],
  };
  const behind: Readonly<Record<string, () => Dialogue>> = {
    terminating: () => ended(),
    delivering: () => delivered(1),
  };
  const failed = (phase: string) => ({ kind: 'refused', phase, reply: reply(421, 'Closing') });

  /** With one chunk in flight, and no room for another. */
  function holding(): Dialogue {
    const client = chunking();
    client.data('Hello\r\n');
    return client;
  }

  it.each(Object.entries(before))(
    "in %s is a failure of the session before the message's end: the verdict has both (RFC 5321 §3.8)",
    (_, [phase, client]) => {
      const verdict = { verdict: 'deferred', phase, reply: reply(421, 'Closing'), failure: failed(phase) };
      expect(client().hear('421 Closing')).toEqual([
        { type: 'done', verdicts: [verdict] },
        { type: 'failed', failure: failed(phase) },
        close,
      ]);
    },
  );

  it.each(Object.entries(behind))(
    "in %s is the reply to the message's end, and to nothing else (RFC 5321 §4.2.5)",
    (_, client) => {
      const verdict = { verdict: 'deferred', phase: 'message', reply: reply(421, 'Closing') };
      expect(client().hear('421 Closing')).toEqual([
        { type: 'done', verdicts: [verdict] },
        { type: 'failed', failure: failed('message') },
        close,
      ]);
    },
  );

  it('may come unasked', () => {
    expect(new Dialogue().ready().hear('421 Closing')).toEqual([
      { type: 'failed', failure: failed('ready') },
      close,
    ]);
  });

  it('leaves a refused recipient its refusal', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(3);
    expect(verdictsIn(client.hear('250 OK', '550 No', '421 Closing'))).toMatchObject([
      { verdict: 'rejected', phase: 'rcpt' },
      { verdict: 'deferred', phase: 'rcpt', reply: { code: 421 } },
      { verdict: 'deferred', phase: 'rcpt', reply: { code: 421 } },
    ]);
  });
});

describe('the end of the connection', () => {
  const endings: Readonly<Record<string, [kind: string, end: (client: Dialogue) => Shown[]]>> = {
    'its loss': ['lost', (client) => client.handle({ type: 'lost' })],
    'its end': ['lost', (client) => client.handle({ type: 'eof' })],
    'a time-out': ['timeout', (client) => client.timeout()],
    'a protocol error': ['protocol', (client) => client.hear('garbage')],
    'a reply that makes no sense': ['protocol', (client) => client.hear('354 What for?')],
  };

  it.each(Object.entries(endings))('by %s before the final dot defers the message', (_, [kind, end]) => {
    for (const client of [begun(), begun('250 OK'), begun('250 OK', '250 OK', '354 Go on')]) {
      const phase = { mailing: 'mail', addressing: 'rcpt', sending: 'message' }[
        client.session.state.split('.')[2] ?? ''
      ];
      const outputs = end(client);
      expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'deferred', phase, failure: { kind, phase } }]);
      expect(failureIn(outputs)).toMatchObject({ kind, phase });
      expect(written(outputs)).toBe('');
      expect(outputs.at(-1)).toEqual(closed);
    }
  });

  it.each(Object.entries(endings))(
    'by %s behind the final dot leaves the outcome unknown (RFC 1047)',
    (_, [kind, end]) => {
      const outputs = end(ended());
      expect(verdictsIn(outputs)).toMatchObject([
        { verdict: 'unknown', phase: 'message', failure: { kind } },
      ]);
      expect(outputs.map((output) => typeof output !== 'string' && output.type)).toEqual([
        'done',
        'failed',
        'closed',
      ]);
    },
  );

  it('is looked at behind the replies that came before it', () => {
    const client = ended();
    client.session.handle({ type: 'bytes', bytes: octetsOf('250 Taken\r\n'), now: 0 });
    const outputs = client.handle({ type: 'eof' });
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'delivered' }]);
    expect(failureIn(outputs)).toEqual({ kind: 'lost', phase: 'ready' });
  });

  it('takes nothing more in', () => {
    const client = begun();
    client.handle({ type: 'lost' });
    expect(client.session.wantsInput).toBe(false);
    expect(client.session.nextDeadline()).toBeUndefined();
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.send()).toEqual([]);
    expect(client.handle({ type: 'lost' })).toEqual([]);
  });
});

describe('QUIT', () => {
  it('awaits 221, then the end of the connection (RFC 5321 §4.1.1.10)', () => {
    const client = new Dialogue().ready();
    expect(client.handle({ type: 'quit' })).toEqual(['QUIT\r\n']);
    expect(client.hear('221 Bye', 'what comes behind is not looked at')).toEqual([close]);
    expect(client.hear('nor this')).toEqual([]);
    expect(client.timeout()).toEqual([closed]);
    expect(client.now).toBe(5_000);
  });

  it.each([
    ['500 What?', 'refused', close],
    ['421 Closing', 'refused', close],
    ['354 Go on', 'protocol', closed],
    ['garbage', 'protocol', closed],
  ])('that is answered by %j ends all the same', (line, kind, end) => {
    const client = new Dialogue().ready();
    client.handle({ type: 'quit' });
    const outputs = client.hear(line);
    expect(failureIn(outputs)).toMatchObject({ kind, phase: 'quit' });
    expect(outputs.at(-1)).toEqual(end);
  });

  it('without an answer ends all the same', () => {
    const client = new Dialogue().ready();
    client.handle({ type: 'quit' });
    expect(client.timeout()).toEqual([
      { type: 'failed', failure: { kind: 'timeout', phase: 'quit' } },
      closed,
    ]);
    expect(client.now).toBe(10_000);
  });
});
