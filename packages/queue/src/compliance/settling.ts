/** What became of recipients is stored once, and never undone. */
import type { Marks } from '../contract/messages.js';
import {
  attemptOf,
  chunksOf,
  deferred,
  envelopeTo,
  finished,
  isBody,
  MINUTE,
  NOW,
  pattern,
  storeCase,
} from './bench.js';

const BOB = 'bob@example.com';
const JOE = 'joe@example.com';

const NOTIFICATION = { ...envelopeTo(['ann@example.org']), reversePath: null };

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

  storeCase('remembers marks of recipients, and adds to them', async (bench) => {
    const { id } = await bench.put([BOB, JOE]);
    const settle = async (first: Marks, second: Marks) => {
      const claim = await bench.claim();
      await bench.store.settle(claim, [
        { ...deferred(0, NOW), marks: first },
        { ...deferred(1, NOW), marks: second },
      ]);
    };
    const marks = async () => (await bench.shown(id)).recipients.map((each) => each.marks);
    bench.equal('none at first', await marks(), [{}, {}]);
    await settle({ tried: NOW - 2 }, {});
    await settle({ tried: NOW - 1, told: NOW }, { told: NOW });
    const expected = [{ tried: NOW - 1, told: NOW }, { told: NOW }];
    bench.equal('each has its own', await marks(), expected);
    await bench.crash();
    bench.equal('also after a crash', await marks(), expected);
    const { message } = await bench.claim();
    bench.equal(
      'a claim shows them',
      message.recipients.map((each) => each.marks),
      expected,
    );
  }),

  storeCase('settles for later without an attempt', async (bench) => {
    const { id } = await bench.put([BOB]);
    await bench.store.settle(await bench.claim(), [deferred(0, NOW)]);
    const settlement = { place: 0, state: 'waiting', next: NOW + MINUTE } as const;
    await bench.store.settle(await bench.claim(), [settlement]);
    await bench.crash();
    const { attempts, last } = (await bench.shown(id)).recipients[0] ?? {};
    bench.equal('what was tried stays', [attempts, last?.verdict], [1, 'deferred']);
    bench.equal('until then', await bench.claims(NOW + MINUTE - 1), []);
    await bench.claim(NOW + MINUTE);
  }),

  storeCase('puts a notification with the settlements', async (bench) => {
    await bench.put([BOB, JOE]);
    const claim = await bench.claim();
    const put = { message: { envelope: NOTIFICATION, now: NOW }, body: chunksOf(pattern(100_000, 1)) };
    const notification = await bench.store.settle(claim, [finished(0, 'bounced'), finished(1)], put);
    const check = async () => {
      bench.equal(
        'it is alone in the queue',
        (await bench.listed()).map(({ id }) => id),
        [notification?.id],
      );
      bench.expect(
        'with its body',
        await isBody(bench.store.body(notification?.id ?? ''), pattern(100_000, 1)),
      );
    };
    await check();
    await bench.crash();
    await check();
    bench.equal('it is due', (await bench.claim()).message.id, notification?.id);
  }),

  storeCase(
    'puts no notification if nothing is settled, and settles nothing if none is put',
    async (bench) => {
      const { id } = await bench.put([BOB, JOE]);
      const claim = await bench.claim();
      const { store } = bench;
      const message = { envelope: NOTIFICATION, now: NOW };
      const put = () => ({ message, body: chunksOf(pattern(10, 1)) });
      async function* torn(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(100_000);
        throw new TypeError();
      }
      await bench.rejects('a wrong place', store.settle(claim, [finished(2)], put()), 'RangeError');
      await bench.rejects(
        'a torn body',
        store.settle(claim, [finished(0)], { message, body: torn() }),
        'TypeError',
      );
      const nobody = { ...message, envelope: { ...NOTIFICATION, recipients: [] } };
      await bench.rejects(
        'no recipient',
        store.settle(claim, [finished(0)], { message: nobody, body: chunksOf(pattern(10, 1)) }),
        'RangeError',
      );
      bench.equal(
        'nothing came of it',
        (await bench.listed()).map((each) => [each.id, each.recipients.map(({ state }) => state)]),
        [[id, ['waiting', 'waiting']]],
      );
      await store.settle(claim, [finished(0), finished(1)]);
      await bench.rejects('a stale claim', store.settle(claim, [], put()), 'StaleClaimError');
      bench.equal('nothing is left', await bench.listed(), []);
    },
  ),

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
