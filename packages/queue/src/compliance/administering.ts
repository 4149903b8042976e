/** What the operator does to messages, whatever workers do meanwhile. */
import { collect, deferred, finished, MINUTE, NOW, storeCase } from './bench.js';

const BOB = 'bob@example.com';

export const administeringCases = [
  storeCase('holds a message until it is released', async (bench) => {
    const { id } = await bench.put([BOB]);
    bench.equal('hold() finds it', await bench.store.hold(id), true);
    bench.equal('it is held', (await bench.shown(id)).state, 'held');
    bench.equal('nobody gets it', await bench.claims(), []);
    await bench.crash();
    bench.equal('not after a crash', await bench.claims(), []);
    bench.equal('release() finds it', await bench.store.release(id), true);
    await bench.crash();
    bench.equal('then it is due', (await bench.claim()).message.id, id);
  }),

  storeCase('puts a message that is held at once', async (bench) => {
    const { id } = await bench.put([BOB], { held: true });
    bench.equal('nobody gets it', await bench.claims(), []);
    bench.equal('it counts as held', (await bench.store.count()).held, 1);
    await bench.store.release(id);
    await bench.claim();
  }),

  storeCase('holds after the attempt under way', async (bench) => {
    const { id } = await bench.put([BOB]);
    const claim = await bench.claim();
    await bench.store.hold(id);
    bench.equal('it is being delivered', (await bench.shown(id)).state, 'delivering');
    await bench.store.settle(claim, [deferred(0, NOW)]);
    bench.equal('then it is held', (await bench.shown(id)).state, 'held');
    bench.equal('nobody gets it', await bench.claims(), []);
  }),

  storeCase('drops a message', async (bench) => {
    const { id } = await bench.put([BOB]);
    await bench.put([BOB]);
    bench.equal('drop() finds it', await bench.store.drop(id), true);
    bench.equal('it is gone', await bench.store.show(id), undefined);
    await bench.crash();
    bench.equal('it does not come back', (await bench.listed()).length, 1);
  }),

  storeCase('drops after the attempt under way, a crash included', async (bench) => {
    for (const end of ['settle', 'giveBack', 'lease', 'crash'] as const) {
      const { id } = await bench.put([BOB]);
      const claim = await bench.claim();
      await bench.store.drop(id);
      bench.equal('it is being delivered', (await bench.shown(id)).state, 'delivering');
      if (end === 'settle') await bench.store.settle(claim, [deferred(0, NOW)]);
      else if (end === 'giveBack') await bench.store.giveBack(claim);
      else if (end === 'crash') await bench.crash();
      else bench.equal('nobody gets it', await bench.claims(NOW + MINUTE), []);
      bench.equal(`it is gone after ${end}`, await bench.store.show(id), undefined);
    }
  }),

  storeCase('makes messages due now, and says how many', async (bench) => {
    const later = { due: NOW + 60 * MINUTE };
    const one = await bench.put([BOB, 'eve@example.net'], later);
    const two = await bench.put([BOB], later);
    const held = await bench.put([BOB], { ...later, held: true });
    const retry = (selection: Parameters<typeof bench.store.retry>[0]) => bench.store.retry(selection, NOW);
    bench.equal('by ID', await retry({ ids: [two.id, 'nothing'] }), 1);
    const claim = await bench.claim();
    bench.equal('this one', claim.message.id, two.id);
    bench.equal('by domain', await retry({ domain: 'example.net' }), 1);
    bench.equal('only there', (await bench.claim()).domain, 'example.net');
    bench.equal('all but what is claimed', await retry({ all: true }), 2);
    bench.equal('what is held stays held', (await bench.claim()).message.id, one.id);
    bench.equal('to the end', (await bench.shown(held.id)).state, 'held');
    await bench.store.settle(claim, [finished(0)]);
  }),

  storeCase('knows no ID that is not there', async (bench) => {
    const { store } = bench;
    const found = await Promise.all([store.hold('nothing'), store.release('nothing'), store.drop('nothing')]);
    bench.equal('it says so', found, [false, false, false]);
  }),

  storeCase('lists the oldest first, and counts by state', async (bench) => {
    const put = (now: number) => bench.put(['bob@example.com'], { now });
    const messages = [await put(NOW - 1), await put(NOW - 3), await put(NOW - 2)];
    bench.equal(
      'in the order of arrival',
      (await bench.listed()).map(({ arrived }) => arrived),
      [NOW - 3, NOW - 2, NOW - 1],
    );
    await bench.store.hold(messages[0]?.id ?? '');
    await bench.claims(NOW, 1);
    const size = messages[0]?.size ?? 0;
    bench.equal('by state', await bench.store.count(), {
      waiting: 1,
      held: 1,
      delivering: 1,
      octets: 3 * size,
      oldest: { waiting: NOW - 2, held: NOW - 1, delivering: NOW - 3 },
    });
  }),

  storeCase('counts what waits for each domain', async (bench) => {
    await bench.put([BOB, 'joe@example.com', 'eve@example.net'], { held: true });
    await bench.put([BOB, 'eve@EXAMPLE.net']);
    await bench.put([BOB], { due: NOW + MINUTE });
    const domains = async () => {
      const counts = await collect(bench.store.domains());
      return counts.map(({ domain, messages }) => `${domain} ${messages}`).toSorted();
    };
    bench.equal('messages, not recipients', await domains(), ['example.com 3', 'example.net 2']);
    for (const claim of await bench.claims()) {
      bench.equal('also while it is delivered', (await domains()).length, 2);
      await bench.store.settle(claim, [finished(claim.places[0] as number)]);
    }
    bench.equal('not what is delivered', await domains(), ['example.com 2', 'example.net 1']);
    await bench.crash();
    bench.equal('nor after a crash', await domains(), ['example.com 2', 'example.net 1']);
  }),
];
