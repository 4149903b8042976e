/** What became of recipients is stored once, and never undone. */
import { attemptOf, deferred, finished, MINUTE, NOW, storeCase } from './bench.js';

const BOB = 'bob@example.com';
const JOE = 'joe@example.com';

export const settlingCases = [
  storeCase('stores what became of each recipient', async (bench) => {
    const { id } = await bench.put([BOB, JOE, 'eve@example.com']);
    const claim = await bench.claim();
    await bench.store.settle(claim, [finished(0), finished(2, 'bounced'), deferred(1, NOW + MINUTE)]);
    const check = async () => {
      const { recipients, state } = await bench.shown(id);
      bench.equal('the message waits', state, 'waiting');
      bench.equal(
        'each has its state and its attempt',
        recipients.map((each) => [each.state, each.attempts, each.last]),
        (['delivered', 'waiting', 'bounced'] as const).map((each) => [each, 1, attemptOf(each)]),
      );
    };
    await check();
    await bench.crash();
    await check();
  }),

  storeCase('settles some now and some later', async (bench) => {
    const { id } = await bench.put([BOB, JOE]);
    const claim = await bench.claim();
    await bench.store.settle(claim, [finished(1)]);
    bench.equal('it is still being delivered', (await bench.shown(id)).state, 'delivering');
    await bench.store.settle(claim, []);
    await bench.store.settle(claim, [finished(0)]);
    bench.equal('then it leaves the queue', await bench.listed(), []);
    await bench.rejects('settle', bench.store.settle(claim, [finished(0)]), 'StaleClaimError');
    await bench.crash();
    bench.equal('it does not come back', await bench.listed(), []);
  }),

  storeCase('stores nothing of settlements of which one is wrong', async (bench) => {
    const { id } = await bench.put([BOB, 'eve@example.net']);
    const [claim] = await bench.claims();
    if (claim === undefined) return bench.expect('there is a claim', false);
    const { store } = bench;
    await bench.rejects(
      'a place of another claim',
      store.settle(claim, [finished(0), finished(1)]),
      'RangeError',
    );
    await bench.rejects('a place twice', store.settle(claim, [finished(0), finished(0)]), 'RangeError');
    await bench.rejects('a place of nobody', store.settle(claim, [finished(0), finished(7)]), 'RangeError');
    const states = (await bench.shown(id)).recipients.map(({ state }) => state);
    bench.equal('nobody is settled', states, ['waiting', 'waiting']);
  }),

  storeCase('settles once, when two say so at a time', async (bench) => {
    const { id } = await bench.put([BOB, JOE]);
    const claim = await bench.claim();
    const settling = [finished(0), finished(0, 'bounced')].map((each) => bench.store.settle(claim, [each]));
    const states = (await Promise.allSettled(settling)).map(({ status }) => status);
    bench.equal('one is told that it was', states.toSorted(), ['fulfilled', 'rejected']);
    bench.equal('it counts once', (await bench.shown(id)).recipients[0]?.attempts, 1);
  }),

  storeCase('settles, or takes back: never both', async (bench) => {
    const { id } = await bench.put([BOB]);
    const old = await bench.claim();
    const [settled, claims] = await Promise.allSettled([
      bench.store.settle(old, [finished(0)]),
      bench.claims(NOW + MINUTE),
    ]);
    const isClaimed = claims.status === 'fulfilled' && claims.value.length > 0;
    bench.expect('one of the two', (settled.status === 'fulfilled') !== isClaimed);
    bench.expect('as the queue shows', ((await bench.store.show(id)) === undefined) !== isClaimed);
  }),

  storeCase('records as unknown what was committing when the lease ended', async (bench) => {
    const { id } = await bench.put([BOB, JOE]);
    const claim = await bench.claim();
    await bench.store.settle(claim, [deferred(0, NOW)]);
    const committing = await bench.store.committing(claim, NOW + 5);
    const again = await bench.claims(committing.leaseUntil);
    bench.equal('both are given again', again.flatMap(({ places }) => places).toSorted(), [0, 1]);
    const [bob, joe] = (await bench.shown(id)).recipients;
    bench.equal('the one was deferred', bob?.last?.verdict, 'deferred');
    bench.equal(
      'the other is unknown',
      [joe?.attempts, joe?.last?.verdict, joe?.last?.at],
      [1, 'unknown', NOW + 5],
    );
    bench.expect('with a reason', (joe?.last?.reason ?? '') !== '');
    const last = again.find(({ places }) => places.includes(1))?.message.recipients[1]?.last;
    bench.equal('and the claim says so', last?.verdict, 'unknown');
    await bench.rejects('settle', bench.store.settle(committing, [finished(1)]), 'StaleClaimError');
  }),
];
