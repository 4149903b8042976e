import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from './log.js';
import { reception } from './reception.js';
import { dialogueLog, sessionLog } from './session-log.js';

/** What the log says after a client has said this, and left. */
async function recordsAfter(words: string, observe = sessionLog): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      records.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const log = createLog(stream, true);
  const closed = vi.fn();
  const handlers = reception({ domains: new Set(['here.example']), maildir: undefined, log });
  const server = await startMailServer({
    addresses: [{ port: 0, label: 'smtp' }],
    handlers: { ...handlers, onAuth: () => false },
    session: { hostname: 'mx.example', authentication: { allowInsecure: true }, maximumErrors: 100 },
    observer: (event, session) => {
      watch(event, session);
      if (event.type === 'closed') closed();
    },
  });
  const watch = observe(log);
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const client = connect({ host: '127.0.0.1', port: address?.kind === 'tcp' ? address.port : 0 });
  client.resume();
  await once(client, 'connect');
  client.end(words);
  await vi.waitFor(() => expect(closed).toHaveBeenCalled(), 20_000);
  return records;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the log of sessions', () => {
  it('is silent about a client that connects and leaves, and about one that says QUIT', async () => {
    expect(await recordsAfter('')).toEqual([]);
    expect(await recordsAfter('QUIT\r\n')).toEqual([]);
  });

  it('has a line for a refused command, by its verb, or by its length where it is none', async () => {
    expect(await recordsAfter('MAIL FROM:<a@b.example>\r\npencil\r\nQUIT\r\n')).toMatchObject(
      [
        {
          msg: 'command refused',
          client: '127.0.0.1',
          command: 'MAIL',
          state: 'session.greeted',
          reply: /^503/,
        },
        { msg: 'command refused', command: '8 octets', reply: /^500/ },
      ].map(({ reply, ...rest }) => ({ ...rest, reply: expect.stringMatching(reply) })),
    );
  });

  it('has a line for a refused recipient, with the address', async () => {
    const words = 'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@there.example>\r\nQUIT\r\n';
    expect(await recordsAfter(words)).toMatchObject([
      { msg: 'recipient refused', to: 'x@there.example', reply: expect.stringMatching(/^550 5\.7\.1/) },
    ]);
  });

  it('leaves failed logins to whoever knows the users', async () => {
    expect(await recordsAfter(`EHLO c\r\nAUTH PLAIN ${base64('\0ann\0pencil')}\r\nQUIT\r\n`)).toEqual([]);
  });

  it('folds what repeats', async () => {
    const records = await recordsAfter(`${'nonsense\r\n'.repeat(50)}QUIT\r\n`);
    expect(records).toHaveLength(10);
  });

  it('shows the dialogue, with secrets as lengths', async () => {
    const words = `EHLO c\r\nAUTH LOGIN\r\n${base64('ann')}\r\n${base64('pencil')}\r\nQUIT\r\n`;
    const records = await recordsAfter(words, dialogueLog);
    expect(records.flatMap(({ C }) => (C === undefined ? [] : [C]))).toEqual([
      'EHLO c',
      'AUTH LOGIN',
      '[6 octets]',
      '[10 octets]',
      'QUIT',
    ]);
    expect(JSON.stringify(records)).not.toContain(base64('pencil'));
  });
});
