/** One listener a stream, called from outside every call, and heard even when it fails. */
import { complianceCase, type Pair } from './pair.js';

async function untilClosedWith(pair: Pair, failure: Error): Promise<void> {
  const { a, b } = pair;
  await pair.until('the stream closes', () => a.closed);
  pair.expect('what the listener threw is the reason', a.closes[0] === failure);
  await pair.untilAbortHeard(b);
}

export const listeningCases = [
  complianceCase('throws when opened twice, and goes on', async (pair) => {
    const { a, b } = pair;
    pair.open();
    let thrown: unknown;
    try {
      a.open();
    } catch (error) {
      thrown = error;
    }
    pair.expect('the second open() throws an Error', thrown instanceof Error);
    b.send(10);
    await pair.until('the first listener hears what comes', () => a.received === 10);
  }),

  complianceCase('throws when opened again after close', async (pair) => {
    const { a } = pair;
    pair.open();
    a.abort();
    await pair.until('it closes', () => a.closed);
    let thrown: unknown;
    try {
      a.open();
    } catch (error) {
      thrown = error;
    }
    pair.expect('the second open() throws an Error', thrown instanceof Error);
  }),

  complianceCase('never calls back from within a call', async (pair) => {
    const { a, b } = pair;
    // The endpoints watch for it. Here, every call finds something that could be called back at once.
    a.send(1000);
    b.send(1000);
    await pair.quiet();
    pair.open();
    await pair.until('what was waiting arrives', () => a.received === 1000 && b.received === 1000);
    a.pause();
    b.send(1000);
    await pair.quiet();
    a.resume();
    a.send(4 * 1024 * 1024);
    b.pause();
    a.end();
    await pair.quiet();
    b.resume();
    b.end();
    a.pause();
    await pair.quiet();
    a.resume();
    a.abort();
    b.abort();
    await pair.until('both close', () => a.closed && b.closed);
  }),

  complianceCase('aborts with what data threw', async (pair) => {
    const { a, b } = pair;
    const failure = new Error('Thrown by data');
    a.onData = () => {
      throw failure;
    };
    pair.open();
    b.send(10);
    await untilClosedWith(pair, failure);
  }),

  complianceCase('aborts with what end threw', async (pair) => {
    const { a, b } = pair;
    const failure = new Error('Thrown by end');
    a.onEnd = () => {
      throw failure;
    };
    pair.open();
    b.end();
    await pair.until('the stream closes', () => a.closed);
    pair.expect('what the listener threw is the reason', a.closes[0] === failure);
    await pair.until('the peer closes', () => b.closed);
  }),

  complianceCase('aborts with what drain threw', async (pair) => {
    const { a } = pair;
    const failure = new Error('Thrown by drain');
    a.onDrain = () => {
      throw failure;
    };
    pair.open();
    pair.expect('4 MiB are more than the buffer has room for', !a.send(4 * 1024 * 1024));
    await untilClosedWith(pair, failure);
  }),
];
