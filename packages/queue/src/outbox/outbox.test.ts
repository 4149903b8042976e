/** An outbox: stored, delivered; or the application is told, as often as it takes. */
import { expect, it } from 'vitest';
import { queuedTransport } from '../nodemailer/queued-transport.js';
import {
  DELIVERED,
  listed,
  openDisk,
  replied,
  SECOND,
  settle,
  World,
} from '../relay/relaying.test-support.js';
import type { Bounce } from '../relay/telling/relay-events.js';
import { createOutbox, type OutboxBody, type OutboxOptions } from './outbox.js';

async function sending(options: Partial<OutboxOptions> = {}) {
  const world = new World((address) => (address.startsWith('eve@') ? replied(550, '5.1.1') : DELIVERED));
  const store = await openDisk();
  const outbox = createOutbox({
    store,
    mailer: world.mailer,
    hostname: 'shop.example',
    clock: world.clock,
    now: world.now,
    ...options,
  });
  const close = async () => {
    await outbox.close();
    await store.close();
  };
  return { world, store, outbox, close };
}

const TO_BOB = { from: 'shop@example.org', to: 'bob@example.com' };
const TO_BOTH = { from: 'shop@example.org', to: ['bob@example.com', 'eve@example.com'] };

async function* piecewise() {
  yield Buffer.from('Subject: a\n');
  yield Buffer.from('\nb\n');
}

it.each<[string, () => OutboxBody]>([
  ['text', () => 'Subject: a\n\nb\n'],
  ['octets', () => Buffer.from('Subject: a\n\nb\n')],
  ['a stream', piecewise],
])('delivers %s', async (_, body) => {
  const { world, outbox, store, close } = await sending();
  await outbox.send(TO_BOB, body());
  await settle();
  expect(world.sent.map(({ text }) => text)).toEqual(['Subject: a\n\nb\n']);
  expect(await listed(store)).toEqual([]);
  await close();
});

it('tells the application of each bounce until it takes it, before it is stored, and sends no notification', async () => {
  const bounces: Bounce[] = [];
  const errors: unknown[] = [];
  const { world, outbox, store, close } = await sending({
    onBounce(bounce) {
      bounces.push(bounce);
      if (bounces.length < 3) throw new Error('The database is gone');
    },
    onError: (error) => errors.push(error),
  });
  const { id } = await outbox.send(TO_BOTH, 'Subject: a\n\nb\n');
  await settle();
  const [message] = await listed(store);
  expect(message?.recipients.map(({ state }) => state)).toEqual(['delivered', 'waiting']);
  await world.clock.advanceAsync(5 * SECOND);
  expect(bounces).toHaveLength(3);
  expect(bounces[2]).toMatchObject({
    message: { id },
    recipient: { localPart: 'eve' },
    enhancedCode: '5.1.1',
    reply: '550 5.1.1 So it is',
    host: 'mx.example',
  });
  expect(errors).toHaveLength(2);
  expect(world.sent).toHaveLength(1);
  expect(await listed(store)).toEqual([]);
  await close();
});

it('sends no sooner than it is due', async () => {
  const { world, outbox, close } = await sending();
  await outbox.send(TO_BOB, 'Subject: a\n\nb\n', { due: world.now() + 60 * SECOND });
  await world.clock.advanceAsync(59 * SECOND);
  expect(world.sent).toEqual([]);
  await world.clock.advanceAsync(2 * SECOND);
  expect(world.triesOf('bob@example.com')).toEqual([60 * SECOND]);
  await close();
});

it('stores nothing of what is no message', async () => {
  const { outbox, store, close } = await sending();
  await expect(outbox.send(TO_BOB, 1 as unknown as string)).rejects.toThrow('The message is a number');
  await expect(outbox.send({ from: 'a@b', to: [] }, '')).rejects.toThrow('has no recipient');
  expect(await listed(store)).toEqual([]);
  await close();
});

it('is a transport for nodemailer, which resolves once the message is safe', async () => {
  const { default: nodemailer } = await import('nodemailer');
  const { world, outbox, close } = await sending();
  const transporter = nodemailer.createTransport(queuedTransport(outbox) as never);
  const sent = (await transporter.sendMail({
    from: 'shop@example.org',
    to: 'bob@example.com',
    subject: 'a',
    text: 'b',
  })) as {
    queueId?: string;
    accepted?: string[];
  };
  expect(sent).toMatchObject({
    accepted: ['bob@example.com'],
    queueId: expect.stringMatching(/^\w+$/),
  });
  await settle();
  expect(world.sent[0]?.text).toContain('Subject: a');
  await expect(transporter.sendMail({ from: 'shop@example.org', subject: 'a', text: 'b' })).rejects.toThrow(
    'No recipients',
  );
  await close();
});
