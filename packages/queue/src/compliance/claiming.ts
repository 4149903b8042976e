/** Who may deliver what, and for how long. */
import { COMMITTING_LEASE, mayWriteFinalDot } from '../contract/lease.js';
import type { Claim } from '../contract/messages.js';
import { deferred, envelopeTo, finished, MINUTE, NOW, storeCase } from './bench.js';

const BOB = 'bob@example.com';
const EVE = 'eve@example.net';

export const claimingCases = [
  storeCase('gives what is due, and says when more will be', async (bench) => {
    bench.equal('nothing is due in an empty queue', await bench.store.nextDue(), undefined);
    await bench.put([BOB], { due: NOW + MINUTE });
    bench.equal('nothing is due yet', await bench.claims(), []);
    bench.equal('it knows when', await bench.store.nextDue(), NOW + MINUTE);
    const claim = await bench.claim(NOW + MINUTE);
    bench.equal('the lease begins', claim.leaseUntil, NOW + 2 * MINUTE);
    bench.equal('the message is being delivered', (await bench.shown(claim.message.id)).state, 'delivering');
    bench.equal('then the lease is what comes next', await bench.store.nextDue(), NOW + 2 * MINUTE);
  }),

  storeCase('gives the recipients of one domain in one claim', async (bench) => {
    const { id } = await bench.put([BOB, EVE, 'joe@EXAMPLE.com']);
    const claims = await bench.claims();
    bench.equal(
      'there are two claims',
      claims.map(({ domain, places, message }) => [message.id, domain, places]),
      [
        [id, 'example.com', [0, 2]],
        [id, 'example.net', [1]],
      ],
    );
    bench.expect('with numbers that rise', (claims[0]?.fence ?? 0) < (claims[1]?.fence ?? 0));
  }),

  storeCase('gives the recipients in domains that go to one place in one claim', async (bench) => {
    const destinationOf = (domain: string) => (domain === 'example.org' ? 'its own' : 'a smart host');
    const claim = (request: { domain?: string; except?: readonly string[] } = {}, now = NOW) =>
      bench.store.claim({ now, lease: MINUTE, limit: 100, destinationOf, ...request });
    const placesOf = (claims: readonly Claim[]) =>
      claims.map(({ places }) => places).toSorted(([one = 0], [other = 0]) => one - other);
    const { id } = await bench.put([BOB, 'ann@example.org', EVE, 'joe@example.com']);
    const claims = await claim();
    bench.equal('there are two claims', placesOf(claims), [[0, 2, 3], [1]]);
    bench.equal('nothing is left', await claim(), []);
    for (const each of claims) await bench.store.giveBack(each);
    bench.equal('also of one of the domains', placesOf(await claim({ domain: 'example.net' })), [[0, 2, 3]]);
    const [own] = await claim({ except: ['example.com', 'example.net'] });
    bench.equal('the rest is not of them', own?.places, [1]);
    await bench.crash();
    const [shared] = await claim({ except: ['example.org'] });
    if (shared === undefined) return;
    const { store } = bench;
    await store.committing(shared, NOW);
    await store.settle(shared, [finished(2), deferred(0, NOW + MINUTE), deferred(3, NOW + 2 * MINUTE)]);
    bench.equal('what is due later is given later', placesOf(await claim({ domain: 'example.com' })), []);
    bench.equal('each', placesOf(await claim({ domain: 'example.com' }, NOW + MINUTE)), [[0]]);
    const later = placesOf(await claim({ domain: 'example.com' }, NOW + 2 * MINUTE));
    bench.equal('and with what was taken back', later, [[0, 3]]);
    bench.equal('of the same message', (await bench.listed())[0]?.id, id);
  }),

  storeCase('gives each recipient once, however many ask', async (bench) => {
    await Promise.all(Array.from({ length: 20 }, () => bench.put([BOB, EVE])));
    const asked = await Promise.all(Array.from({ length: 10 }, () => bench.claims(NOW, 7)));
    const claims = [...asked.flat(), ...(await bench.claims())];
    const given = claims.flatMap(({ message, places }) => places.map((place) => `${message.id} ${place}`));
    bench.equal('all are given', given.length, 40);
    bench.equal('each once', new Set(given).size, 40);
    bench.equal('each claim has its number', new Set(claims.map(({ fence }) => fence)).size, 40);
  }),

  storeCase('heeds limit, domain and except', async (bench) => {
    for (let i = 0; i < 3; i++) await bench.put([BOB, EVE]);
    const domains = async (request: { limit?: number; domain?: string; except?: readonly string[] }) =>
      (await bench.store.claim({ now: NOW, lease: MINUTE, ...request })).map(({ domain }) => domain);
    bench.equal('one, if nothing is said', (await domains({})).length, 1);
    bench.equal('of one domain', await domains({ domain: 'example.net', limit: 2 }), [
      'example.net',
      'example.net',
    ]);
    bench.equal('not of others', await domains({ except: ['example.net', 'example.com'], limit: 9 }), []);
    const rest = await domains({ except: ['example.net'], limit: 9 });
    bench.expect('of others only', rest.length > 0 && rest.every((domain) => domain === 'example.com'));
  }),

  storeCase('lets no domain wait for the mail of another', async (bench) => {
    for (let i = 0; i < 20; i++) await bench.put([BOB], { due: NOW - MINUTE });
    await bench.put([EVE]);
    const domains = (await bench.claims(NOW, 2)).map(({ domain }) => domain);
    bench.equal('both have their turn', domains.toSorted(), ['example.com', 'example.net']);
  }),

  storeCase('lets no sender wait for the mail of another to the same domain', async (bench) => {
    for (let i = 0; i < 20; i++) await bench.put([BOB], { due: NOW - MINUTE });
    await bench.put([BOB], { sender: 'eve' });
    await bench.put([BOB], { sender: 'eve' });
    const senders = async (limit: number) =>
      (await bench.claims(NOW, limit)).map(({ message }) => message.sender);
    bench.equal('both have their turn', (await senders(2)).toSorted(), ['ann@example.org', 'eve']);
    const each = [await senders(1), await senders(1)].flat();
    bench.equal('also one at a time', each.toSorted(), ['ann@example.org', 'eve']);
    bench.equal('in the end all are given', (await senders(100)).length, 18);
  }),

  storeCase('gives the higher priority first, then what is due the longest', async (bench) => {
    const put = (from: string, mtPriority: number, due: number) =>
      bench.put([], {
        envelope: { ...envelopeTo([BOB], from), parameters: { mtPriority } },
        sender: 'one and the same',
        due,
      });
    await put('third', 0, NOW - 1);
    await put('first', 4, NOW);
    await put('second', 0, NOW - 2);
    await put('fourth', -1, NOW - 3);
    const senders = (await bench.claims()).map(({ message }) => message.envelope.reversePath?.localPart);
    bench.equal('in this order', senders, ['first', 'second', 'third', 'fourth']);
  }),

  storeCase(
    'takes a claim back when its lease is over, and the old number settles nothing',
    async (bench) => {
      const { id } = await bench.put([BOB]);
      const old = await bench.claim();
      bench.equal('not before', await bench.claims(NOW + MINUTE - 1), []);
      const claim = await bench.claim(NOW + MINUTE);
      bench.expect('the new number is higher', claim.fence > old.fence);
      const { store } = bench;
      await bench.rejects('settle', store.settle(old, [finished(0)]), 'StaleClaimError');
      await bench.rejects('renew', store.renew(old, { now: NOW, lease: MINUTE }), 'StaleClaimError');
      await bench.rejects('committing', store.committing(old, NOW), 'StaleClaimError');
      await bench.rejects('giveBack', store.giveBack(old), 'StaleClaimError');
      bench.equal('nothing was settled', (await bench.shown(id)).recipients[0]?.attempts, 0);
      await store.settle(claim, [finished(0)]);
      bench.equal('the new one settles', await store.show(id), undefined);
    },
  ),

  storeCase('lets a claim be settled whose lease is over, until it is taken back', async (bench) => {
    const { id } = await bench.put([BOB]);
    const claim = await bench.claim();
    await bench.store.settle(claim, [finished(0)]);
    bench.equal('it is settled', await bench.store.show(id), undefined);
  }),

  storeCase('renews a lease, and never shortens it', async (bench) => {
    await bench.put([BOB]);
    const claim = await bench.claim();
    const renewed = await bench.store.renew(claim, { now: NOW + 1000, lease: 2 * MINUTE });
    bench.equal('it runs from now on', renewed.leaseUntil, NOW + 1000 + 2 * MINUTE);
    const again = await bench.store.renew(renewed, { now: NOW + 1000, lease: 1 });
    bench.equal('not less', again.leaseUntil, renewed.leaseUntil);
    bench.equal('it is not taken back before', await bench.claims(renewed.leaseUntil - 1), []);
    bench.equal('but then', (await bench.claims(renewed.leaseUntil)).length, 1);
  }),

  storeCase('leaves room for the reply to the final dot on the lease', async (bench) => {
    await bench.put([BOB]);
    const claim = await bench.claim();
    bench.expect('the lease alone is too short', !mayWriteFinalDot(claim, NOW));
    const committing = await bench.store.committing(claim, NOW + 1000);
    bench.expect('it has enough', committing.leaseUntil >= NOW + 1000 + COMMITTING_LEASE);
    bench.expect('so the final dot may be written', mayWriteFinalDot(committing, NOW + 1000));
    bench.expect('for a minute', !mayWriteFinalDot(committing, NOW + 1000 + MINUTE + 1));
    bench.equal('nobody else gets it', await bench.claims(committing.leaseUntil - 1), []);
  }),

  storeCase('gives again what was given back', async (bench) => {
    const { id } = await bench.put([BOB]);
    const claim = await bench.claim();
    await bench.store.giveBack(claim);
    bench.equal('it waits', (await bench.shown(id)).state, 'waiting');
    const again = await bench.claim();
    await bench.store.committing(again, NOW);
    await bench.store.giveBack(again);
    await bench.crash();
    const { attempts, last } = (await bench.shown(id)).recipients[0] ?? {};
    bench.equal('it was no attempt, nor is it unknown', [attempts, last], [0, null]);
    bench.expect('it is due at once', (await bench.claim()).fence > again.fence);
  }),

  storeCase('tells whoever listens when something may be due, until told to stop', async (bench) => {
    const { store } = bench;
    let told = 0;
    const stop = store.subscribe(() => told++);
    const tells = async (what: string, change: Promise<unknown>) => {
      told = 0;
      await change;
      bench.expect(`${what} is told`, told > 0);
    };
    await tells('what is put', bench.put([BOB], { due: NOW + MINUTE }));
    const [{ id } = { id: '' }] = await bench.listed();
    await tells('what is made due', store.retry({ all: true }, NOW));
    await tells('what is given back', store.giveBack(await bench.claim()));
    await tells('what is deferred', store.settle(await bench.claim(), [deferred(0, NOW)]));
    await store.hold(id);
    await tells('what is released', store.release(id));
    stop();
    told = 0;
    await bench.put([BOB]);
    bench.equal('nothing more is told', told, 0);
  }),

  storeCase('goes on when a listener throws', async (bench) => {
    let told = 0;
    bench.store.subscribe(() => {
      throw new Error('of a listener, as the case wants it');
    });
    bench.store.subscribe(() => told++);
    await bench.put([BOB]);
    bench.expect('the others are told', told > 0);
  }),

  storeCase('gives what was deferred when that is due, others in the domain before', async (bench) => {
    const { id } = await bench.put([BOB, 'joe@example.com']);
    const claim = await bench.claim();
    await bench.store.settle(claim, [deferred(0, NOW + MINUTE), deferred(1, NOW + 1000)]);
    bench.equal('nothing is due', await bench.claims(NOW + 999), []);
    bench.equal('it knows when', await bench.store.nextDue(), NOW + 1000);
    bench.equal('then the one', (await bench.claim(NOW + 1000)).places, [1]);
    bench.equal('then the other', (await bench.claim(NOW + MINUTE)).places, [0]);
    bench.equal('of the same message', (await bench.listed())[0]?.id, id);
  }),
];
