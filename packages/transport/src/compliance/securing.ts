/**
 * From the clear to TLS in the middle of the dialogue: nothing is lost that may be heard, nothing is heard that came
 * in the clear, and a handshake that fails is a connection that closes.
 *
 * `a` is the client of the handshake, `b` the server.
 */
import { ComplianceError, complianceCase, type Pair, type TransportUnderTest } from './pair.js';
import { Patience } from './patience.js';

const MEGABYTE = 1024 * 1024;

/** The same transport, its pairs under TLS by `startTls()` before they are handed out. */
export function upgraded(transport: TransportUnderTest): TransportUnderTest {
  return {
    ...transport,
    async createPair() {
      const [a, b] = await transport.createPair();
      b.startTls();
      a.startTls();
      const patience = new Patience();
      while (a.tls === undefined || b.tls === undefined) {
        if (patience.isOver()) throw new ComplianceError('In vain waited for the handshake');
        await transport.moment();
      }
      return [a, b];
    },
  };
}

async function secure(pair: Pair): Promise<void> {
  const { a, b } = pair;
  b.startTls();
  a.startTls();
  await pair.until('both hear that TLS stands', () => a.secures === 1 && b.secures === 1);
}

export const securingCases = [
  complianceCase('knows of no TLS before the handshake, and of it after', async (pair) => {
    const { a, b } = pair;
    const both = [a, b];
    pair.expect(
      'both streams can start TLS',
      both.every((end) => end.canStartTls),
    );
    pair.expect(
      'neither knows of any',
      both.every((end) => end.tls === undefined),
    );
    pair.open();
    await secure(pair);
    pair.expect(
      'both know of it',
      both.every((end) => end.tls !== undefined),
    );
    pair.expect('neither can start it again', !both.some((end) => end.canStartTls));
  }),

  complianceCase('throws when TLS is started twice, and goes on', async (pair) => {
    const { a, b } = pair;
    pair.open();
    await secure(pair);
    let thrown: unknown;
    try {
      a.startTls();
    } catch (error) {
      thrown = error;
    }
    pair.expect('the second startTls() throws an Error', thrown instanceof Error);
    b.send(10);
    await pair.until('what is sent arrives', () => a.received === 10);
  }),

  complianceCase('delivers octets in order, before the handshake and after, both ways', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(1000);
    b.send(2000);
    await pair.until('what is sent in the clear arrives', () => b.received === 1000 && a.received === 2000);
    await secure(pair);
    a.sendAsDrained(MEGABYTE, 60_000);
    b.sendAsDrained(MEGABYTE, 50_000);
    await pair.until('what is sent under TLS arrives', () => {
      return a.received === MEGABYTE && b.received === MEGABYTE;
    });
  }),

  complianceCase('sends in the clear, before the handshake, all that was written before it', async (pair) => {
    const { a, b } = pair;
    pair.open();
    // As in SMTP: the server's end invites, the client's begins when it has heard all of it.
    b.send(4 * MEGABYTE);
    b.startTls();
    a.onData = () => {
      if (a.received === 4 * MEGABYTE) a.startTls();
    };
    await pair.until('the handshake stands', () => a.secures === 1 && b.secures === 1);
    await pair.until('drain comes behind it', () => b.drains === 1);
    a.onData = undefined;
    b.send(10);
    await pair.until('what is sent under TLS arrives', () => a.received === 4 * MEGABYTE + 10);
  }),

  complianceCase('keeps what is written during the handshake until it stands', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.startTls();
    pair.expect('the server’s end is told to wait', !b.send(1000));
    b.send(1000);
    a.startTls();
    pair.expect('the client’s end is told to wait', !a.send(1000));
    a.send(0);
    await pair.until('all of it arrives', () => a.received === 2000 && b.received === 1000);
    await pair.until('drain comes', () => a.drains === 1 && b.drains === 1);
  }),

  complianceCase('ends behind the handshake what was ended during it', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.startTls();
    a.startTls();
    a.send(1000);
    a.end();
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('each heard the handshake', a.secures === 1 && b.secures === 1);
    pair.expect('the octets and the ends arrived', b.received === 1000 && a.ended && b.ended);
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('goes through the handshake while paused, and delivers nothing', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.pause();
    b.pause();
    await secure(pair);
    a.send(1000);
    b.send(1000);
    await pair.quiet();
    pair.expect('nothing is delivered while paused', a.received === 0 && b.received === 0);
    a.resume();
    b.resume();
    await pair.until('it all arrives then', () => a.received === 1000 && b.received === 1000);
  }),

  complianceCase('takes pause() and resume() during the handshake', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.pause();
    b.startTls();
    a.startTls();
    a.resume();
    b.pause();
    a.send(1000);
    b.send(1000);
    await pair.until('the end that does not pause gets its octets', () => a.received === 1000);
    pair.expect('the one that pauses does not', b.received === 0);
    b.resume();
    await pair.until('it does after resume()', () => b.received === 1000);
  }),

  complianceCase('tells of a handshake before open() after it', async (pair) => {
    const { a, b } = pair;
    b.startTls();
    a.startTls();
    await pair.quiet();
    pair.open();
    await pair.until('both hear of it', () => a.secures === 1 && b.secures === 1);
  }),

  complianceCase('closes, and delivers nothing, when octets wait that came in the clear', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    a.send(1000);
    await pair.quiet();
    b.startTls();
    b.resume();
    await pair.until('it closes', () => b.closed);
    pair.expect('it is told a reason', b.closes[0] instanceof Error);
    pair.expect('nothing was delivered', b.received === 0 && b.secures === 0);
    await pair.untilAbortHeard(a);
  }),

  complianceCase('closes, and delivers nothing, when octets come in place of a handshake', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.startTls();
    a.send(1000);
    await pair.until('it closes', () => b.closed);
    pair.expect('it is told a reason', b.closes[0] instanceof Error);
    pair.expect('nothing was delivered', b.received === 0 && b.secures === 0);
    await pair.untilAbortHeard(a);
  }),

  complianceCase('closes with a reason when the peer ends in place of a handshake', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.startTls();
    a.end();
    await pair.until('it closes', () => b.closed);
    pair.expect('it is told a reason', b.closes[0] instanceof Error);
    await pair.untilAbortHeard(a);
  }),

  complianceCase('closes with a reason when the peer breaks off during the handshake', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.startTls();
    a.startTls();
    a.abort();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('the other is told a reason', b.closes[0] instanceof Error);
    pair.expect('neither hears that TLS stands', a.secures === 0 && b.secures === 0);
  }),

  complianceCase('closes with its own reason when it is aborted during the handshake', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('No longer wanted');
    pair.open();
    b.startTls();
    b.send(1000);
    b.abort(reason);
    b.abort(new Error('The second reason'));
    await pair.until('it closes', () => b.closed);
    pair.expect('it is told its own reason', b.closes[0] === reason);
    await pair.untilAbortHeard(a);
  }),

  complianceCase('ignores startTls() after end() and after close', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.end();
    a.startTls();
    b.send(1000);
    await pair.until('what comes is delivered', () => a.received === 1000);
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    b.startTls();
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('aborts with what secure threw', async (pair) => {
    const { a, b } = pair;
    const failure = new Error('Thrown by secure');
    a.onSecure = () => {
      throw failure;
    };
    pair.open();
    b.startTls();
    a.startTls();
    await pair.until('it closes', () => a.closed);
    pair.expect('what the listener threw is the reason', a.closes[0] === failure);
    await pair.untilAbortHeard(b);
  }),
];
