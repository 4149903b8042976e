import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { Maildir } from '@sansmtp/delivery';
import type { ServerEvent, ServerHandlers, ServerSessionInformation } from '@sansmtp/transport';
import { createVirtualClock } from '@sansmtp/transport-memory';
import { type MailListenOptions, startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog, type Logger } from '../log.js';
import { reception } from '../serving/reception.js';
import { openCertificate } from './certificates.js';
import { dialogueLog, type SessionLog, sessionLog } from './session-log.js';

function recorded() {
  const records: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      records.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { records, log: createLog(stream, true) };
}

type Setting = Partial<MailListenOptions> & {
  readonly leave?: (client: Socket) => unknown;
  readonly maildir?: Maildir;
  readonly protocol?: 'smtp' | 'lmtp';
  readonly handlers?: Partial<ServerHandlers>;
};

/** What the log says after a client has said this, and left. */
async function recordsAfter(
  words: string,
  observe: (log: Logger, sessions: SessionLog) => object = (_, sessions) => sessions.observer,
  { leave, maildir, protocol = 'smtp', handlers: own, ...address }: Setting = {},
): Promise<Record<string, unknown>[]> {
  const { records, log } = recorded();
  const sessions = sessionLog(log);
  const closed = vi.fn();
  const handlers = reception({ domains: new Set(['here.example']), maildir, log, sessions });
  const server = await startMailServer({
    addresses: [{ port: 0, label: 'smtp', ...address } as MailListenOptions],
    handlers: { ...handlers, onAuth: () => false, ...own },
    session: {
      hostname: 'mx.example',
      authentication: { allowInsecure: true },
      maximumErrors: 100,
      protocol,
    },
    observer: observe(log, sessions),
  });
  const atEnd = (message: unknown) => {
    const { event } = message as { readonly event: ServerEvent };
    if (event.type === 'closed' || (event.type === 'tls' && event.outcome === 'failed')) closed();
  };
  for (const name of ['closed', 'tls']) {
    channel(`sansmtp:server:${name}`).subscribe(atEnd);
    onTestFinished(() => void channel(`sansmtp:server:${name}`).unsubscribe(atEnd));
  }
  onTestFinished(() => server.shutdown(0));
  const [bound] = server.addresses;
  const client = connect({ host: '127.0.0.1', port: bound?.kind === 'tcp' ? bound.port : 0 });
  client.resume();
  await once(client, 'connect');
  if (leave === undefined) client.end(words);
  else await leave(client.setEncoding('latin1'));
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
    const login = `AUTH LOGIN\r\n${base64('ann')}\r\n${base64('pencil')}\r\n`;
    expect(await recordsAfter(`EHLO c\r\n${login}NOOP\r\nFOO\r\nQUIT\r\n`)).toMatchObject([
      { command: '5 octets' },
    ]);
  });

  it('has a line for an AUTH exchange that came to nothing else, by its verb', async () => {
    expect(await recordsAfter('EHLO c\r\nAUTH LOGIN\r\n*\r\nQUIT\r\n')).toMatchObject([
      { msg: 'command refused', command: 'AUTH', reply: expect.stringMatching(/^501/) },
    ]);
  });

  it.each([
    ['QUIT\n', 'QUIT'],
    ['STARTTLS\n', 'STARTTLS'],
    ['HELO x\n', 'HELO'],
    ['NOOP\0\r\n', 'NOOP'],
    [`AUTH PLAIN ${base64('\0ann\0pencil')}\n`, 'AUTH'],
    ['pencil\n', 'a line without CRLF'],
    ['RSET x'.padEnd(600, 'x'), 'RSET'],
  ])('knows a command that ends in no CRLF by its verb: %j', async (line, command) => {
    const records = await recordsAfter(`${line}\r\nQUIT\r\n`);
    expect(records[0]).toMatchObject({ msg: 'command refused', command });
    expect(JSON.stringify(records)).not.toContain('pencil');
  });

  it('has a line for a refused message', async () => {
    const words =
      'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@here.example>\r\nDATA\r\na\nb\r\n.\r\nQUIT\r\n';
    expect(await recordsAfter(words)).toMatchObject([
      {
        msg: 'message refused',
        from: '<a@b.example>',
        reason: 'malformed',
        reply: expect.stringMatching(/^554/),
      },
    ]);
  });

  const two = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<x@here.example>\r\nRCPT TO:<y@here.example>\r\n';

  it('has one line for a message that could not be stored', async () => {
    const deliver = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    const maildir: Maildir = { directory: '/mail', deliver };
    const words = `EHLO c\r\n${two}DATA\r\nHello\r\n.\r\nQUIT\r\n`;
    expect(await recordsAfter(words, undefined, { maildir })).toMatchObject([
      { msg: 'message not stored', reason: 'no space', reply: expect.stringMatching(/^452/) },
    ]);
  });

  it('has a line over LMTP for each recipient who is not to get the message', async () => {
    const refused = (to: string, code: number) => ({
      msg: 'message refused',
      to,
      reply: expect.stringMatching(new RegExp(`^${code}`)),
    });
    const onMessage = () => [
      { code: 552, lines: ['full'] },
      { code: 250, lines: ['stored'] },
      { code: 450, lines: ['later'] },
    ];
    const words = `LHLO c\r\n${two}RCPT TO:<z@here.example>\r\nDATA\r\nHello\r\n.\r\nQUIT\r\n`;
    expect(await recordsAfter(words, undefined, { protocol: 'lmtp', handlers: { onMessage } })).toMatchObject(
      [refused('x@here.example', 552), refused('z@here.example', 450)],
    );
    const malformed = `LHLO c\r\n${two}DATA\r\na\nb\r\n.\r\nQUIT\r\n`;
    expect(await recordsAfter(malformed, undefined, { protocol: 'lmtp' })).toMatchObject([
      refused('x@here.example', 554),
      refused('y@here.example', 554),
    ]);
  });

  it('has a line for a connection that broke', async () => {
    const leave = async (client: Socket) => {
      client.write('EHLO c\r\n');
      for await (const text of client.iterator({ destroyOnReturn: false })) if (/^250 /m.test(text)) break;
      client.resetAndDestroy();
    };
    expect(await recordsAfter('', undefined, { leave })).toMatchObject([
      { msg: 'connection broken', state: 'session.ready', reason: expect.any(String) },
    ]);
  });

  it.each([
    ['implicit', 'No TLS\r\n\r\n'],
    ['startTls', 'EHLO c\r\nSTARTTLS\r\n'],
  ] as const)('has one line for a handshake that failed: %s', async (mode, words) => {
    const certificate = await openCertificate({ tlsSelfSigned: true }, 'mx.example');
    if (certificate === undefined) throw new Error('There is no certificate');
    const leave = async (client: Socket) => {
      client.write(words);
      if (mode === 'implicit') return;
      for await (const text of client.iterator({ destroyOnReturn: false })) if (/^220 2/m.test(text)) break;
      client.end('No TLS\r\n');
    };
    const tls = { mode, context: certificate.context };
    const records = await recordsAfter('', undefined, { leave, tls });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(records).toMatchObject([
      { msg: 'TLS handshake failed', client: '127.0.0.1', reason: expect.any(String) },
    ]);
  });

  it('has one line for a client that ends its side amid a message', async () => {
    const words = 'HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<r@here.example>\r\nDATA\r\nSubject: half';
    expect(await recordsAfter(words)).toMatchObject([
      { msg: 'connection broken', client: '127.0.0.1', state: 'session.transaction.receiving' },
    ]);
  });

  it('tells of a client that speaks HTTP', async () => {
    expect(await recordsAfter('GET / HTTP/1.1\r\n')).toMatchObject([
      { msg: 'command refused', reply: expect.stringMatching(/^421/) },
      { msg: 'connection ended: no SMTP', client: '127.0.0.1' },
    ]);
  });

  it('has a say in lines that others write about a client', () => {
    const log = sessionLog(recorded().log, createVirtualClock());
    const peer = { address: '192.0.2.1' };
    const admitted = Array.from({ length: 50 }, () => log.admits(peer)).filter(Boolean);
    expect(admitted).toHaveLength(10);
    expect(log.admits({ address: '192.0.2.2' })).toBe(true);
    log.end();
  });

  it('tells how many lines it folded: a minute later, and when it ends', () => {
    const { records, log } = recorded();
    const clock = createVirtualClock();
    const { observer, end } = sessionLog(log, clock);
    const session = { id: 'x', peer: { address: '192.0.2.1' } } as ServerSessionInformation;
    const refuse = (times: number) => {
      for (let time = 0; time < times; time++) {
        const reply = { code: 500, lines: ['What?'] };
        observer.refusal(
          { type: 'refusal', time: 0, reply, refused: 'command', state: 'session.ready' },
          session,
        );
      }
    };
    refuse(15);
    clock.advance(60_000);
    expect(records.slice(10)).toMatchObject([{ lines: 5, msg: 'refusals that were not told one by one' }]);
    refuse(12);
    end();
    expect(records.slice(21)).toMatchObject([{ lines: 2 }]);
    expect(clock.pending).toBe(0);
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
