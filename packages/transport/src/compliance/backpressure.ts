/** A reader that pauses gets nothing, loses nothing, and in the end holds back the writer. */
import { complianceCase, type Pair } from './pair.js';

const STEP_OCTETS = 1024 * 1024;
const STEPS = 64;

/** Writes towards a paused peer until no drain comes any more. */
async function fill(pair: Pair): Promise<void> {
  const { a } = pair;
  for (let count = 0; count < STEPS; count++) {
    if (a.send(STEP_OCTETS)) continue;
    const { drains } = a;
    await pair.quiet();
    if (a.drains === drains) return;
  }
  pair.expect(`a writer is held back before ${STEPS} MiB lie between it and a paused peer`, false);
}

export const backpressureCases = [
  complianceCase('holds back the writer while the peer is paused', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    await fill(pair);
    const { drains } = a;
    pair.expect('nothing is delivered while paused', b.received === 0);
    b.resume();
    await pair.until('drain comes once the peer resumes', () => a.drains === drains + 1);
    a.send(1);
    await pair.until('every octet arrives', () => b.received === a.sent);
  }),

  complianceCase('keeps the other way flowing while one is held back', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    await fill(pair);
    b.sendAsDrained(5 * STEP_OCTETS, 100_000);
    await pair.until('the octets of the paused end arrive', () => a.received === 5 * STEP_OCTETS);
  }),

  complianceCase('delivers nothing more after pause() within data', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.onData = () => b.pause();
    a.sendAsDrained(100_000, 1000);
    while (b.received < 100_000) {
      const { received } = b;
      await pair.until('one more chunk arrives', () => b.received > received);
      b.resume();
    }
    a.end();
    await pair.until('the end arrives', () => {
      b.resume();
      return b.ended;
    });
  }),

  complianceCase('takes pause() before open()', async (pair) => {
    const { a, b } = pair;
    a.open();
    b.pause();
    a.send(1000);
    a.end();
    b.open();
    await pair.quiet();
    pair.expect('nothing is delivered before resume()', b.received === 0 && !b.ended);
    b.resume();
    await pair.until('it all arrives then', () => b.received === 1000 && b.ended);
  }),

  complianceCase('takes pause() and resume() before open()', async (pair) => {
    const { a, b } = pair;
    a.open();
    a.send(1000);
    await pair.quiet();
    b.pause();
    b.resume();
    await pair.quiet();
    b.open();
    await pair.until('the octets arrive', () => b.received === 1000);
  }),

  complianceCase('does not count pauses: one resume() undoes them all', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    b.pause();
    b.resume();
    a.send(1000);
    await pair.until('the octets arrive', () => b.received === 1000);
    b.resume();
    b.resume();
    b.pause();
    a.send(1000);
    await pair.quiet();
    pair.expect('one pause() undoes any number of resume()', b.received === 1000);
    b.resume();
    await pair.until('the octets arrive', () => b.received === 2000);
  }),

  complianceCase('pauses again before what resume() brought', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    a.send(1000);
    a.end();
    await pair.quiet();
    b.resume();
    b.pause();
    await pair.quiet();
    pair.expect('nothing is delivered', b.received === 0 && !b.ended);
    b.resume();
    await pair.until('it all arrives in the end', () => b.received === 1000 && b.ended);
  }),

  complianceCase('holds back end, and close behind it, while paused', async (pair) => {
    const { a, b } = pair;
    pair.open();
    b.pause();
    a.end();
    b.end();
    await pair.quiet();
    pair.expect('neither end nor close is heard', !b.ended && !b.closed);
    await pair.until('the other end, not paused, closes', () => a.closed);
    b.resume();
    await pair.until('end and close are heard after resume()', () => b.ended && b.closed);
    pair.expect('close has no reason', b.closes[0] === undefined);
  }),
];
