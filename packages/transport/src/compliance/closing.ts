/** Connections end: in order, half by half, or broken off; and each end hears of it exactly once. */
import { complianceCase } from './pair.js';

const MEGABYTE = 1024 * 1024;

export const closingCases = [
  complianceCase('closes without a reason once both have ended', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(10);
    b.onEnd = () => b.end();
    a.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('each heard the end of the other first', a.ended && b.ended);
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('closes when both end at the same moment', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(10);
    b.send(10);
    a.end();
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect(
      'all octets and both ends arrived',
      [a, b].every((end) => end.received === 10 && end.ended),
    );
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('keeps the other way open after one end', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.end();
    await pair.until('the end arrives', () => b.ended);
    b.sendAsDrained(MEGABYTE, 10_000);
    await pair.until('what the other sends arrives', () => a.received === MEGABYTE);
    pair.expect('neither has closed', !a.closed && !b.closed);
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('sends everything that was written before end()', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(MEGABYTE);
    a.end();
    await pair.until('the end arrives', () => b.ended);
    pair.expect('every octet arrived before it', b.received === MEGABYTE);
  }),

  complianceCase('closes both ends on abort()', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('No longer wanted');
    pair.open();
    a.send(10);
    await pair.until('octets arrive', () => b.received === 10);
    a.abort(reason);
    await pair.until('the aborting end closes', () => a.closed);
    pair.expect('it is told its own reason', a.closes[0] === reason);
    await pair.untilAbortHeard(b);
    if (!pair.abortReachesPeer) return;
    pair.expect('the peer hears close, not end', !b.ended);
    pair.expect('it is told a reason', b.closes[0] instanceof Error);
  }),

  complianceCase('delivers nothing more after abort() within data', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.onData = () => b.abort();
    b.pause();
    for (let count = 0; count < 3; count++) {
      a.send(1000);
      await pair.quiet();
    }
    a.end();
    await pair.quiet();
    b.resume();
    await pair.until('the aborting end closes', () => b.closed);
  }),

  complianceCase('delivers no end after abort() within the last data', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.onData = () => b.abort();
    b.pause();
    a.send(1000);
    a.end();
    await pair.quiet();
    b.resume();
    await pair.until('the aborting end closes', () => b.closed);
  }),

  complianceCase('closes with the reason of an abort() after end()', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('No longer wanted');
    pair.open();
    a.send(10);
    a.end();
    a.abort(reason);
    await pair.until('the aborting end closes', () => a.closed);
    pair.expect('it is told its own reason', a.closes[0] === reason);
    await pair.until('the peer hears of it', () => b.closed || b.ended);
  }),

  complianceCase('closes on abort() although end() waits for a peer that does not read', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    a.send(16 * MEGABYTE);
    a.end();
    await pair.quiet();
    pair.expect('it is not closed as long as the peer has not ended', !a.closed);
    a.abort();
    await pair.until('the aborting end closes', () => a.closed);
  }),

  complianceCase('closes once on any number of aborts, with the first reason', async (pair) => {
    const { a } = pair;
    const reason = new Error('The first reason');
    pair.open();
    a.abort(reason);
    a.abort(new Error('The second reason'));
    await pair.until('it closes', () => a.closed);
    a.abort(new Error('The third reason'));
    await pair.quiet();
    pair.expect('the first reason is told', a.closes.length === 1 && a.closes[0] === reason);
  }),

  complianceCase('closes on abort() while paused', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.pause();
    b.send(1000);
    b.end();
    await pair.quiet();
    a.abort();
    await pair.until('it closes', () => a.closed);
  }),

  complianceCase('closes on abort() while end and close are held back', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('Not waiting any longer');
    pair.open();
    a.pause();
    a.end();
    b.end();
    await pair.until('the other end closes', () => b.closed);
    await pair.quiet();
    a.abort(reason);
    await pair.until('it closes', () => a.closed);
    pair.expect('it is told its own reason', a.closes[0] === reason);
  }),

  complianceCase('tells the reason of an abort() right behind a write that fails', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('Not waiting any longer');
    pair.open();
    b.abort();
    await pair.until('the peer hears of the abort', () => a.closed || a.ended);
    if (a.closed) return;
    a.send(10);
    a.abort(reason);
    await pair.until('it closes', () => a.closed);
    pair.expect('it is told its own reason', a.closes[0] === reason);
  }),

  complianceCase('closes after open() what was aborted before', async (pair) => {
    const { a, b } = pair;
    const reason = new Error('Never wanted');
    b.open();
    a.abort(reason);
    await pair.untilAbortHeard(b);
    a.open();
    await pair.until('it closes', () => a.closed);
    pair.expect('it is told its own reason', a.closes[0] === reason);
  }),

  complianceCase('closes after open() what the peer had aborted before', async (pair) => {
    const { a, b } = pair;
    a.open();
    a.abort();
    await pair.until('the aborting end closes', () => a.closed);
    await pair.quiet();
    b.open();
    await pair.untilAbortHeard(b);
  }),

  complianceCase(
    'tells a paused end of the abort of its peer, after resume() at the latest',
    async (pair) => {
      const { a, b } = pair;
      pair.open();
      b.pause();
      a.send(1000);
      await pair.quiet();
      a.abort();
      await pair.quiet();
      if (!b.closed) b.resume();
      await pair.untilAbortHeard(b);
    },
  ),

  complianceCase('closes when the peer breaks off while we write', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.onData = () => b.abort();
    a.sendAsDrained(16 * MEGABYTE, 100_000);
    await pair.until('the writing end closes', () => a.closed);
    pair.expect('it is told a reason', a.closes[0] instanceof Error);
    pair.expect('a write after close is ignored and true', a.send(10));
    await pair.quiet();
    pair.expect('close comes once', a.closes.length === 1);
  }),

  complianceCase('ignores what is written after end()', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(10);
    a.end();
    pair.expect('it returns true', a.send(MEGABYTE));
    await pair.until('the end arrives', () => b.ended);
    pair.expect('only what came before end() arrived', b.received === 10);
    a.end();
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('neither is told a reason', a.closes[0] === undefined && b.closes[0] === undefined);
  }),

  complianceCase('ignores what is written after abort()', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.abort();
    pair.expect('it returns true', a.send(MEGABYTE));
    a.end();
    a.pause();
    a.resume();
    await pair.until('it closes', () => a.closed);
    await pair.untilAbortHeard(b);
    pair.expect('nothing arrived', b.received === 0);
  }),

  complianceCase('takes nothing from the peer by abort() after close', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    a.send(1000);
    a.end();
    b.end();
    await pair.until('one end closes', () => a.closed);
    a.abort();
    await pair.quiet();
    b.resume();
    await pair.until('the other closes', () => b.closed);
    pair.expect('it has heard everything before', b.received === 1000 && b.ended);
  }),

  complianceCase('takes any call after close', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.end();
    b.end();
    await pair.until('both close', () => a.closed && b.closed);
    pair.expect('a write returns true', a.send(10));
    a.pause();
    a.resume();
    a.end();
    a.abort(new Error('Too late'));
    await pair.quiet();
    pair.expect('close came once, without a reason', a.closes.length === 1 && a.closes[0] === undefined);
  }),
];
