/** Whatever was promised outlives a crash, at each step. */
import {
  type Bench,
  deferred,
  finished,
  isBody,
  MINUTE,
  NOW,
  pattern,
  type StoreComplianceCase,
  storeCase,
} from './bench.js';
import { Ledger, tellStory } from './ledger.js';

const BOB = 'bob@example.com';

/** More steps than any store takes for the story. */
const STEPS = 10_000;

async function stateOf(bench: Bench, id: string): Promise<readonly unknown[]> {
  const { state, recipients } = await bench.shown(id);
  return [state, recipients[0]?.attempts, recipients[0]?.last?.verdict];
}

const atEachStep: StoreComplianceCase = {
  name: 'keeps its promises when it dies at any step of a story, and once more while it is opened again',
  async run(create) {
    for (let steps = 0; steps < STEPS; steps++) {
      const under = await create();
      const ledger = new Ledger();
      const store = await under.open();
      under.dieAfter(steps);
      const isOver = await tellStory(store, ledger);
      await under.crash();
      under.dieAfter(steps % 12);
      await under.open().catch(() => {});
      await under.crash();
      const reopened = await under.open();
      await ledger.check(reopened);
      await reopened.close();
      if (isOver) return;
    }
  },
};

export const crashingCases: readonly StoreComplianceCase[] = [
  storeCase('has what was put', async (bench) => {
    const { id } = await bench.put([BOB], {}, String.fromCharCode(...pattern(1000, 1)));
    const before = await bench.shown(id);
    await bench.crash();
    bench.equal('it is the same', await bench.shown(id), before);
    bench.expect('and so is its body', await isBody(bench.store.body(id), pattern(1000, 1)));
  }),

  storeCase('gives at once what was claimed', async (bench) => {
    const { id } = await bench.put([BOB]);
    const old = await bench.claim();
    await bench.crash();
    bench.equal('it waits, and nothing was tried', await stateOf(bench, id), ['waiting', 0, undefined]);
    const claim = await bench.claim();
    bench.expect('the new number is higher', claim.fence > old.fence);
    await bench.rejects('settle', bench.store.settle(old, [finished(0)]), 'StaleClaimError');
  }),

  storeCase('records as unknown what was committing', async (bench) => {
    const { id } = await bench.put([BOB]);
    await bench.store.committing(await bench.claim(), NOW);
    for (let crash = 0; crash < 3; crash++) {
      await bench.crash();
      bench.equal('once', await stateOf(bench, id), ['waiting', 1, 'unknown']);
    }
    bench.equal('it is due at once', (await bench.claim()).message.recipients[0]?.last?.verdict, 'unknown');
  }),

  storeCase('records as unknown those alone to whom the message may have gone', async (bench) => {
    const { id } = await bench.put([BOB, 'eve@example.com', 'joe@example.com']);
    const claim = await bench.claim();
    const committing = await bench.store.committing(claim, NOW, [0, 2]);
    await bench.store.settle(committing, [deferred(0, NOW + MINUTE)]);
    await bench.rejects('a place settled', bench.store.committing(committing, NOW, [0]), 'RangeError');
    await bench.crash();
    const { recipients } = await bench.shown(id);
    const verdicts = recipients.map(({ last }) => last?.verdict);
    bench.equal('the third, which was not settled', verdicts, ['deferred', undefined, 'unknown']);
    bench.equal('the second was not tried', recipients[1]?.attempts, 0);
  }),

  storeCase('has what was settled', async (bench) => {
    const { id } = await bench.put([BOB]);
    const claim = await bench.claim();
    await bench.store.committing(claim, NOW);
    await bench.store.settle(claim, [deferred(0, NOW + MINUTE)]);
    await bench.crash();
    bench.equal('it was deferred', await stateOf(bench, id), ['waiting', 1, 'deferred']);
    bench.equal('until then', await bench.claims(NOW + MINUTE - 1), []);
    await bench.store.settle(await bench.claim(NOW + MINUTE), [finished(0)]);
    await bench.crash();
    bench.equal('in the end it is gone', await bench.listed(), []);
  }),

  storeCase('gives higher numbers after each crash, though nothing was stored', async (bench) => {
    await bench.put([BOB]);
    let highest = 0;
    for (let crash = 0; crash < 4; crash++) {
      const { fence } = await bench.claim();
      bench.expect('the number rises', fence > highest);
      highest = fence;
      await bench.crash();
    }
  }),

  atEachStep,
];
