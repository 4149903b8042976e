/** What is put is there, to the octet, until it leaves. */
import type { NewMessage } from '../contract/messages.js';
import {
  type Bench,
  chunksOf,
  collect,
  envelopeTo,
  finished,
  isBody,
  NOW,
  pattern,
  storeCase,
} from './bench.js';

const SIZES = [0, 1, 65_535, 65_536, 65_537, 1_000_000];

async function putSized(bench: Bench, size: number): Promise<string> {
  const envelope = envelopeTo(['bob@example.com']);
  const { id } = await bench.store.put({ envelope, now: NOW }, chunksOf(pattern(size, size), 10_000));
  return id;
}

export const storingCases = [
  storeCase('shows what was put', async (bench) => {
    const { id } = await bench.put(['bob@Example.COM', 'eve@example.net', 'Postmaster@'], { due: NOW + 5 });
    const message = await bench.shown(id);
    bench.equal('the arrival is stored', message.arrived, NOW);
    bench.equal('the size is that of the body', message.size, 14);
    bench.equal('the state is waiting', message.state, 'waiting');
    bench.equal('recipients are in the order of the envelope, domains comparable', message.recipients, [
      ...['example.com', 'example.net', ''].map((domain, place) => ({
        recipient: message.envelope.recipients[place],
        domain,
        attempts: 0,
        last: null,
        marks: {},
        state: 'waiting',
        next: NOW + 5,
      })),
    ]);
    bench.equal('the list has it', await bench.listed(), [message]);
    bench.equal('it counts', await bench.store.count(), {
      waiting: 1,
      held: 0,
      delivering: 0,
      octets: 14,
      oldest: { waiting: NOW },
    });
  }),

  storeCase('gives back bodies of any size to the octet, in chunks of 64 KiB at most', async (bench) => {
    for (const size of SIZES) {
      const id = await putSized(bench, size);
      bench.expect(`${size} octets are the same`, await isBody(bench.store.body(id), pattern(size, size)));
      const lengths = (await collect(bench.store.body(id))).map((chunk) => chunk.length);
      bench.expect('no chunk is larger', Math.max(0, ...lengths) <= 65_536);
    }
  }),

  storeCase('takes chunks whose array the caller uses again', async (bench) => {
    const array = new Uint8Array(1000);
    async function* body() {
      for (let i = 0; i < 100; i++) yield array.fill(i);
    }
    const { id } = await bench.store.put({ envelope: envelopeTo(['bob@example.com']), now: NOW }, body());
    const expected = Uint8Array.from({ length: 100_000 }, (_, i) => Math.floor(i / 1000));
    bench.expect('the body is as it was yielded', await isBody(bench.store.body(id), expected));
  }),

  storeCase('takes the reverse-path for the sender, unless one is given', async (bench) => {
    const put = async (more: Partial<NewMessage>) => (await bench.put(['bob@example.com'], more)).sender;
    bench.equal('the reverse-path', await put({}), 'ann@example.org');
    const envelope = { ...envelopeTo(['bob@example.com']), reversePath: null };
    bench.equal('the null one', await put({ envelope }), '');
    bench.equal('what was given', await put({ envelope, sender: 'customer 7' }), 'customer 7');
    await bench.reopen();
    const senders = (await bench.listed()).map(({ sender }) => sender);
    bench.equal('they stay', senders.toSorted(), ['', 'ann@example.org', 'customer 7']);
  }),

  storeCase('keeps envelope, parameters and states when it is closed and opened', async (bench) => {
    const envelope = {
      ...envelopeTo(['bob@example.com']),
      reversePath: null,
      parameters: { envid: 'é \u{1f4ee}', ret: 'HDRS', mtPriority: -3 },
    } as const;
    const { id } = await bench.store.put({ envelope, now: NOW, held: true }, chunksOf(pattern(70_000, 1)));
    const before = await bench.shown(id);
    bench.equal('the envelope is as it was given', before.envelope, envelope);
    await bench.reopen();
    bench.equal('all of it is the same', await bench.shown(id), before);
    bench.expect('so is the body', await isBody(bench.store.body(id), pattern(70_000, 1)));
  }),

  storeCase('puts many at a time, each with an ID of its own', async (bench) => {
    const ids = await Promise.all(Array.from({ length: 100 }, (_, i) => putSized(bench, i * 700)));
    bench.equal('the IDs differ', new Set(ids).size, 100);
    for (const [i, id] of ids.entries()) {
      bench.expect('each has its body', await isBody(bench.store.body(id), pattern(i * 700, i * 700)));
    }
    bench.equal('all are listed', (await bench.listed()).length, 100);
  }),

  storeCase('puts nothing when the body throws, and throws that', async (bench) => {
    for (const size of [0, 100_000]) {
      let isClosed = false;
      class Abandoned extends Error {
        override readonly name = 'Abandoned';
      }
      async function* body() {
        try {
          yield new Uint8Array(size);
          throw new Abandoned();
        } finally {
          isClosed = true;
        }
      }
      const putting = bench.store.put({ envelope: envelopeTo(['bob@example.com']), now: NOW }, body());
      await bench.rejects('put', putting, 'Abandoned');
      bench.expect('the body is closed', isClosed);
    }
    bench.equal('nothing is listed', await bench.listed(), []);
    await bench.reopen();
    bench.equal('nor after opening it anew', await bench.listed(), []);
  }),

  storeCase('takes no envelope without recipients', async (bench) => {
    await bench.rejects('put', bench.put([]), 'RangeError');
    let isClosed = false;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true, value: undefined }) as const,
        return: async () => {
          isClosed = true;
          return { done: true, value: undefined } as const;
        },
      }),
    };
    await bench.rejects('put', bench.store.put({ envelope: envelopeTo([]), now: NOW }, body), 'RangeError');
    bench.expect('the body is closed unread', isClosed);
  }),

  storeCase('takes no more than its limits, and says so before it reads', async (bench) => {
    const [first] = [await putSized(bench, 100), await putSized(bench, 100)];
    await bench.reopen({ maximumMessages: 2 });
    let isRead = false;
    async function* unread() {
      isRead = true;
      yield new Uint8Array(1);
    }
    const envelope = envelopeTo(['bob@example.com']);
    await bench.rejects('a third', bench.store.put({ envelope, now: NOW }, unread()), 'QueueFullError');
    bench.expect('the body is not read', !isRead);
    await bench.store.drop(first);
    await putSized(bench, 100);
    await bench.reopen({ maximumOctets: 300 });
    await bench.rejects('101 octets more', putSized(bench, 101), 'QueueFullError');
    await putSized(bench, 100);
    await bench.rejects('an octet more', putSized(bench, 1), 'QueueFullError');
    bench.equal('what was taken is there', (await bench.store.count()).octets, 300);
    await bench.reopen();
    await putSized(bench, 101);
  }),

  storeCase('has no body for an ID that is not there', async (bench) => {
    await bench.rejects('body', collect(bench.store.body('nothing')), 'NotInQueueError');
    const id = await putSized(bench, 10);
    await bench.store.settle(await bench.claim(), [finished(0)]);
    await bench.rejects('body of what has left', collect(bench.store.body(id)), 'NotInQueueError');
    bench.equal('show() finds nothing', await bench.store.show(id), undefined);
  }),

  storeCase('lets a reader end that has begun', async (bench) => {
    for (const size of [1000, 500_000]) {
      const id = await putSized(bench, size);
      const body = bench.store.body(id)[Symbol.asyncIterator]();
      const first = await body.next();
      let octets = first.done === true ? 0 : first.value.length;
      await bench.store.settle(await bench.claim(), [finished(0)]);
      for (let next = await body.next(); next.done !== true; next = await body.next())
        octets += next.value.length;
      bench.equal('all octets came', octets, size);
    }
  }),

  storeCase('refuses what is called after close()', async (bench) => {
    await bench.store.close();
    await bench.rejects('put', bench.put(['bob@example.com']), 'QueueClosedError');
    await bench.rejects('claim', bench.claims(), 'QueueClosedError');
  }),
];
