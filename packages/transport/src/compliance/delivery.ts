/** Octets arrive: all of them, in order, unchanged, whenever and however they were written. */
import { complianceCase } from './pair.js';

const BURST_OCTETS = 10 * 1024 * 1024;

export const deliveryCases = [
  complianceCase('delivers octets in order, both ways', async (pair) => {
    const { a, b } = pair;
    pair.open();
    for (let length = 1; length < 100; length++) {
      a.send(length);
      b.send(2 * length);
    }
    await pair.until('all octets arrive', () => b.received === a.sent && a.received === b.sent);
  }),

  complianceCase('delivers thousands of writes of one octet', async (pair) => {
    const { a, b } = pair;
    pair.open();
    for (let count = 0; count < 5000; count++) a.send(1);
    await pair.until('all octets arrive', () => b.received === 5000);
  }),

  complianceCase('sends nothing for a write of no octets', async (pair) => {
    const { a, b } = pair;
    pair.open();
    pair.expect('there is room for more behind it', a.send(0));
    a.send(3);
    a.send(0);
    await pair.until('the octets around it arrive', () => b.received === 3);
    a.end();
    await pair.until('the end arrives', () => b.ended);
  }),

  complianceCase('delivers what came before open()', async (pair) => {
    const { a, b } = pair;
    a.open();
    a.send(1000);
    await pair.quiet();
    b.open();
    await pair.until('all octets arrive', () => b.received === 1000);
    a.send(1000);
    await pair.until('those written later arrive', () => b.received === 2000);
  }),

  complianceCase('delivers what came before open(), and the end behind it', async (pair) => {
    const { a, b } = pair;
    a.open();
    a.send(1000);
    a.end();
    await pair.quiet();
    b.open();
    await pair.until('the end arrives', () => b.ended);
    pair.expect('every octet arrived before the end', b.received === 1000);
    b.send(1000);
    await pair.until('the other way is still open', () => a.received === 1000);
  }),

  complianceCase('takes writes before open(), and drains them after', async (pair) => {
    const { a, b } = pair;
    b.open();
    const more = a.send(1024 * 1024);
    await pair.quiet();
    a.open();
    await pair.until('all octets arrive', () => b.received === 1024 * 1024);
    if (!more) await pair.until('drain follows the open()', () => a.drains === 1);
  }),

  complianceCase('does not drain after open() what was ended before', async (pair) => {
    const { a, b } = pair;
    b.open();
    a.send(1024 * 1024);
    await pair.quiet();
    a.end();
    a.open();
    await pair.until('the end arrives', () => b.ended);
    await pair.quiet();
  }),

  complianceCase('carries two bursts of 10 MiB, each written at once, without deadlock', async (pair) => {
    const { a, b } = pair;
    pair.open();
    a.send(BURST_OCTETS);
    b.send(BURST_OCTETS);
    await pair.until('both bursts arrive', () => a.received === BURST_OCTETS && b.received === BURST_OCTETS);
  }),

  complianceCase(
    'carries two bursts of 10 MiB, each written as it drains, without deadlock',
    async (pair) => {
      const { a, b } = pair;
      pair.open();
      a.sendAsDrained(BURST_OCTETS, 60_000);
      b.sendAsDrained(BURST_OCTETS, 50_000);
      await pair.until(
        'both bursts arrive',
        () => a.received === BURST_OCTETS && b.received === BURST_OCTETS,
      );
    },
  ),

  complianceCase('hands over arrays that are the listener’s, apart from those written', async (pair) => {
    const { a, b } = pair;
    pair.open();
    const written = a.next(1000);
    const before = written.slice();
    a.write(written);
    await pair.until('the octets arrive', () => b.received === 1000);
    for (const bytes of b.chunks) bytes.fill(0);
    pair.expect(
      'what the listener does to its array leaves the written one alone',
      written.every((octet, index) => octet === before[index]),
    );
    b.chunks.length = 0;
  }),
];
