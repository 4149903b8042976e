/** `sansmtp relay` and `sansmtp queue` over PostgreSQL: shared, without the database, and after kill -9. */
import { expect, it, onTestFinished } from 'vitest';
import { PASSWORD, startPostgres } from '../../../queue-postgres/src/postgres-server.test-support.js';
import { describeWith } from './peers.js';
import { nextHop, relay, submit } from './relaying.js';

const LONGEST = 240_000;
const TIMES = { timeout: 90_000 };

async function database() {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  return postgres;
}

describeWith('PostgreSQL', () => {
  it(
    'mail waits there, whichever relay took it, and can be looked after',
    async () => {
      const postgres = await database();
      const hop = await nextHop();
      const words = ['--relay-from', '127.0.0.1', '--route', `routed.example=127.0.0.1:${hop.port}`];
      const first = await relay(words, { queue: postgres.url });
      const second = await relay(words, { queue: postgres.url });
      expect(await submit(first, 'bob@routed.example')).toMatch(/^250 /);
      await expect.poll(() => hop.messages.length, TIMES).toBe(1);
      expect(await submit(first, 'eve@routed.example', undefined, ' HOLDFOR=3600')).toMatch(/^250 /);
      expect(await submit(second, 'joe@routed.example', undefined, ' HOLDFOR=3600')).toMatch(/^250 /);
      const [eves, joes] = await first.listed();
      expect([eves, joes]).toMatchObject(
        ['eve', 'joe'].map((name) => ({ recipients: [{ address: `${name}@routed.example` }] })),
      );
      expect(await second.queue('drop', joes?.id ?? '')).toMatchObject({
        exit: 0,
        stdout: '1 message dropped\n',
      });
    },
    LONGEST,
  );

  it(
    'without the database mail is refused for now, and what was taken goes on when it is back',
    async () => {
      const postgres = await database();
      const hop = await nextHop();
      const words = ['--relay-from', '127.0.0.1', '--route', `routed.example=127.0.0.1:${hop.port}`];
      const server = await relay(words, { queue: postgres.url });
      expect(await submit(server, 'eve@routed.example', undefined, ' HOLDFOR=3600')).toMatch(/^250 /);
      await postgres.halt();
      expect(await submit(server, 'bob@routed.example')).toMatch(/^4\d\d /);
      const { exit, stderr } = await server.queue('list');
      expect(exit).toBe(75);
      await postgres.start();
      await expect
        .poll(async () => (await server.queue('retry', '--all')).stdout, TIMES)
        .toBe('1 message due now\n');
      await expect.poll(() => hop.messages.map(({ to }) => to[0]), TIMES).toEqual(['eve']);
      for (const said of [stderr, server.stderr]) expect(said).not.toContain(encodeURIComponent(PASSWORD));
    },
    LONGEST,
  );

  it(
    'a relay that was killed amid a delivery goes on with it when it is started again, and says that it may come twice',
    async () => {
      const postgres = await database();
      let received = 0;
      const hop = await nextHop({
        async onMessage({ body }) {
          for await (const _ of body);
          received += 1;
          if (received === 1) await new Promise(() => {});
        },
      });
      const words = ['--relay-from', '127.0.0.1', '--route', `routed.example=127.0.0.1:${hop.port}`];
      const named = [...words, '--worker', 'mx1'];
      const first = await relay(named, { queue: postgres.url });
      await submit(first, 'bob@routed.example');
      await expect.poll(() => received, TIMES).toBe(1);
      first.child.kill('SIGKILL');
      await first.exit;
      const second = await relay(named, { queue: postgres.url });
      await expect.poll(() => received, TIMES).toBe(2);
      await expect.poll(() => second.listed(), TIMES).toEqual([]);
      expect(second.stderr).toContain('unknown: the message may have arrived');
    },
    LONGEST,
  );
});
