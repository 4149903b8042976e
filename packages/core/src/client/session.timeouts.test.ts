import { describe, expect, it } from 'vitest';
import {
  begun,
  CHUNKFUL,
  chunking,
  Dialogue,
  delivered,
  ended,
  failureIn,
  withPassword,
  written,
} from './dialogue.test-support.js';

const closed = { type: 'closed' };

describe('the deadlines of RFC 5321 §4.5.3.2', () => {
  const deadlines: Readonly<Record<string, [milliseconds: number, phase: string, client: () => Dialogue]>> = {
    greeting: [300_000, 'greeting', () => new Dialogue()],
    hello: [
      300_000,
      'hello',
      () => {
        const client = new Dialogue();
        client.hear('220 b');
        return client;
      },
    ],
    startTls: [300_000, 'startTls', () => new Dialogue({ startTls: 'required' }).ready('STARTTLS')],
    authentication: [300_000, 'auth', () => new Dialogue(withPassword()).ready('AUTH PLAIN')],
    computation: [
      60_000,
      'auth',
      () => {
        const client = new Dialogue(withPassword());
        client.hear('220 b', '250-b', '250 AUTH SCRAM-SHA-1');
        return client;
      },
    ],
    'proxying, XCLIENT': [
      300_000,
      'xclient',
      () => new Dialogue({ xclient: { name: 'x' } }).ready('XCLIENT NAME'),
    ],
    'proxying, XFORWARD': [
      300_000,
      'xforward',
      () => new Dialogue({ xforward: { name: 'x' } }).ready('XFORWARD NAME'),
    ],
    inquiry: [
      300_000,
      'inquiry',
      () => {
        const client = new Dialogue().ready();
        client.handle({ type: 'inquire', command: { verb: 'NOOP', argument: '' } });
        return client;
      },
    ],
    mail: [300_000, 'mail', () => begun()],
    rcpt: [300_000, 'rcpt', () => begun('250 OK')],
    dataInitiation: [120_000, 'data', () => begun('250 OK', '250 OK')],
    dataBlock: [180_000, 'message', () => new Dialogue().sending()],
    'dataBlock, in chunks': [180_000, 'message', () => chunking()],
    chunk: [
      180_000,
      'message',
      () => {
        const client = chunking();
        client.data(CHUNKFUL);
        return client;
      },
    ],
    'chunk, before the last': [
      180_000,
      'message',
      () => {
        const client = chunking('PIPELINING');
        client.data(CHUNKFUL);
        client.end();
        return client;
      },
    ],
    dataTermination: [600_000, 'message', () => ended()],
    'dataTermination, LMTP': [
      600_000,
      'message',
      () => {
        const client = delivered(2);
        client.hear('250 OK');
        return client;
      },
    ],
    reset: [300_000, 'reset', () => begun('250 OK', '550 No')],
    quit: [
      10_000,
      'quit',
      () => {
        const client = new Dialogue().ready();
        client.handle({ type: 'quit' });
        return client;
      },
    ],
  };

  it.each(Object.entries(deadlines))('%s', (_, [milliseconds, phase, start]) => {
    const client = start();
    client.now = milliseconds - 1;
    expect(client.handle({ type: 'timeout' })).toEqual([]);
    expect(client.session.nextDeadline()).toBe(milliseconds);
    client.now = milliseconds;
    const outputs = client.handle({ type: 'timeout' });
    const silent = phase === 'greeting' ? { mayAwaitTls: true } : {};
    expect(failureIn(outputs)).toEqual({ kind: 'timeout', phase, ...silent });
    expect(outputs.at(-1)).toEqual(closed);
    expect(written(outputs)).toBe('');
  });

  it('can each be set', () => {
    const client = new Dialogue({ timeouts: { greeting: 7, hello: 8 } });
    expect(client.session.nextDeadline()).toBe(7);
    client.hear('220 b');
    expect(client.session.nextDeadline()).toBe(8);
  });

  it('begin anew with each reply, and not with a part of one', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.now = 1000;
    client.hear('250 OK');
    client.now = 2000;
    client.hear('250-still');
    expect(client.session.nextDeadline()).toBe(301_000);
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(302_000);
  });

  it('begin anew for each RCPT whose reply comes in a batch of pipelined ones', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(3);
    client.now = 1000;
    client.hear('250 OK', '250 OK');
    client.now = 2000;
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(302_000);
  });

  it('begin anew with each piece of the message', () => {
    for (const client of [new Dialogue().sending(), chunking('PIPELINING')]) {
      client.now = 100_000;
      client.data('Hello\r\n');
      expect(client.session.nextDeadline()).toBe(280_000);
    }
  });

  it('begin anew with the reply to each chunk before the last, and with that, which is then sent', () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.data(CHUNKFUL);
    client.end();
    client.now = 100_000;
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(280_000);
    client.now = 200_000;
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(800_000);
  });

  it('do not hold up a session that gave up a SASL exchange', () => {
    const client = new Dialogue(withPassword()).ready('AUTH PLAIN');
    client.hear('334 ?');
    expect(client.timeout()).toEqual([closed]);
    expect(client.now).toBe(300_000);
  });

  it('do not run while nothing is awaited', () => {
    expect(new Dialogue().ready().session.nextDeadline()).toBeUndefined();
  });
});
