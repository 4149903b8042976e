/**
 * A stream that lends has its octets back when `data` returns: all that a session hands on is a copy, and of what may hold
 * a password nothing is left in the array. (Every other test of sessions over memory runs so as well: the array is overwritten.)
 */
import type { IncomingBody, ServerEvent, ServerHandlers } from '@sansmtp/transport';
import { serveSession } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { createMemoryPair, createVirtualClock } from '../src/index.js';
import { octetsOf, Peer, settle, textOf } from './peer.js';
import { data, expectEverySessionToEnd, pending, read, serve } from './serving.js';
import { StubStream } from './stub-stream.js';

expectEverySessionToEnd();

class LendingStream extends StubStream {
  readonly lends = true;
}

/** A session over a stream that lends, whose listener the test calls. */
function lent(handlers: Partial<ServerHandlers> = {}, Stream = LendingStream) {
  const stream = new Stream();
  serveSession(
    stream,
    { onMessage() {}, onAuth: () => false, ...handlers },
    { clock: createVirtualClock(), authentication: { allowInsecure: true } },
  );
  /** Hands in these octets; gives what is left of them in their array. */
  const say = (text: string) => {
    const octets = octetsOf(text);
    stream.listener.data(octets);
    return textOf(octets);
  };
  return { stream, say };
}

const zeros = (text: string) => '\0'.repeat(text.length);

describe('a session over a stream that lends', () => {
  it('borrows, and does not over any other stream', () => {
    expect(lent().stream.listener.borrows).toBe(true);
    class PlainStream extends StubStream {}
    const stream = new PlainStream();
    serveSession(stream, { onMessage() {} }, { clock: createVirtualClock() });
    expect(stream.listener.borrows).toBe(false);
  });

  it('does not borrow through a stream around it that says nothing of lending', async () => {
    const [near, far] = createMemoryPair();
    const kept: Uint8Array[] = [];
    const around = {
      ...{ peer: {}, tls: undefined, canStartTls: false },
      open: (listener: Parameters<typeof far.open>[0]) =>
        far.open({
          data: (bytes) => {
            kept.push(bytes);
            listener.data(bytes);
          },
          end: () => listener.end(),
          drain: () => listener.drain(),
          secure: (tls) => listener.secure(tls),
          close: (reason) => listener.close(reason),
        }),
      write: (bytes: Uint8Array) => far.write(bytes),
      pause: () => far.pause(),
      resume: () => far.resume(),
      end: () => far.end(),
      startTls: () => far.startTls(),
      abort: (reason?: Error) => far.abort(reason),
    };
    serveSession(around, { onMessage() {} }, { clock: createVirtualClock() });
    const peer = new Peer(near);
    await peer.say('NOOP');
    expect(kept.map(textOf)).toEqual(['NOOP\r\n']);
    near.abort();
    await settle();
  });

  it.each([
    ['a body that is read late', (body: IncomingBody) => settle().then(() => read(body))],
    ['a body that is read as it comes', (body: IncomingBody) => read(body)],
    [
      'a body that is read twice',
      async (body: IncomingBody) => {
        const [one, other] = body.tee();
        const [first, second] = await Promise.all([read(one), settle().then(() => read(other))]);
        expect(second).toBe(first);
        return first;
      },
    ],
  ])('keeps for the application %s', async (_, take) => {
    const taken: string[] = [];
    const session = await serve({
      async onMessage({ body }) {
        taken.push(await take(body));
      },
    });
    await data(session);
    const long = `${'Hello '.repeat(2000)}\r\n`;
    session.peer.stream.write(octetsOf('Subject: x\r\n'));
    session.peer.stream.write(octetsOf(long));
    session.peer.stream.write(octetsOf('\r\n'));
    await settle();
    await session.peer.say('.');
    expect(taken).toEqual([`Subject: x\r\n${long}\r\n`]);
  });

  it('keeps commands that wait for a decision, and those of the next turn', async () => {
    const decision = pending();
    const session = await serve(
      { onHello: () => decision.promise },
      { maximumJunkCommands: Number.POSITIVE_INFINITY },
    );
    const commands = ['EHLO c.example', 'MAIL FROM:<s@a.example>', ...Array(200).fill('NOOP'), 'RSET', 'RC'];
    session.peer.stream.write(octetsOf(commands.join('\r\n')));
    await settle();
    session.peer.stream.write(octetsOf('PT TO:<r@b.example>\r\nQUIT\r\n'));
    await settle();
    decision.resolve();
    for (let turn = 0; turn < 10; turn += 1) await settle();
    expect(session.peer.heard).toContain('250 2.1.0 Sender OK');
    expect(session.peer.heard.match(/^250 2\.0\.0 OK/gm)).toHaveLength(201);
    expect(session.peer.heard).toMatch(/^503 5\.5\.1 .*\r\n221 /m);
  });

  it('tells observers by copies', async () => {
    const events: ServerEvent[] = [];
    const session = await serve({}, { observer: (event) => events.push(event) });
    await data(session);
    await session.peer.say('Hello', '.', 'NOOP', 'XNONE one two');
    const texts = events.flatMap((event) =>
      'octets' in event && event.octets !== undefined ? [textOf(event.octets)] : [],
    );
    expect(texts).toEqual([
      'EHLO c.example',
      'MAIL FROM:<s@a.example>',
      'RCPT TO:<r@b.example>',
      'DATA',
      'Hello\r\n',
      'NOOP',
      'XNONE one two',
    ]);
    const refusals = events.filter(({ type }) => type === 'refusal');
    expect(refusals).toMatchObject([{ length: 15, reply: { code: 500 } }]);
  });

  it('leaves nothing of an AUTH line in the array, nor of any other command', () => {
    const { say } = lent();
    const secret = Buffer.from('\0user\0secret').toString('base64');
    for (const line of [
      'EHLO c.example',
      `AUTH PLAIN ${secret}`,
      'AUTH PLAIN',
      secret,
      'AUTH LOGIN',
      secret,
    ]) {
      expect(say(`${line}\r\n`)).toBe(zeros(`${line}\r\n`));
    }
    // Cut in the middle, and where nobody expects it.
    expect(say('AUTH PLA')).toBe(zeros('AUTH PLA'));
    expect(say(`IN ${secret}\r\n${secret}\r\n`)).toMatch(/^\0*$/);
  });

  it('does not take the time to overwrite mail data', () => {
    const { say } = lent();
    say('EHLO c.example\r\nMAIL FROM:<s@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n');
    expect(say('Hello\r\n')).toBe('Hello\r\n');
    expect(say('there\r\n.\r\nAUTH PLAIN AHUAcA==\r\n')).toMatch(/^\0*$/);
  });
});
