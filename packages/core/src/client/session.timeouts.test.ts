import { describe, expect, it } from 'vitest';
import { begun, Dialogue, ended, failureIn, written } from './dialogue.test-support.js';

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
    mail: [300_000, 'mail', () => begun()],
    rcpt: [300_000, 'rcpt', () => begun('250 OK')],
    dataInitiation: [120_000, 'data', () => begun('250 OK', '250 OK')],
    dataBlock: [180_000, 'message', () => new Dialogue().sending()],
    dataTermination: [600_000, 'message', () => ended()],
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
    expect(failureIn(outputs)).toEqual({ kind: 'timeout', phase });
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
    const client = new Dialogue().sending();
    client.now = 100_000;
    client.data('Hello\r\n');
    expect(client.session.nextDeadline()).toBe(280_000);
  });

  it('do not run while nothing is awaited', () => {
    expect(new Dialogue().ready().session.nextDeadline()).toBeUndefined();
  });
});
