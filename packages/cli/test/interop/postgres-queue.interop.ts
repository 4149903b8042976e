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
  // One story, for each of its processes takes a second or two to start.
  it(
    'relays share it; without it mail is refused for now; and who was killed goes on with what it had in hand',
    async () => {
      const postgres = await database();
      let isStuck = false;
      let stuck = 0;
      const hop = await nextHop({
        async onMessage({ envelope, body }) {
          for await (const _ of body);
          arrived.push(envelope.recipients[0]?.forwardPath.localPart ?? '');
          if (!isStuck) return;
          stuck += 1;
          if (stuck === 1) await new Promise(() => {});
        },
      });
      const arrived: string[] = [];
      const words = ['--relay-from', '127.0.0.1', '--route', `routed.example=127.0.0.1:${hop.port}`];
      const named = [...words, '--worker', 'mx1'];
      const [first, second] = await Promise.all([
        relay([...named, '--metrics', '0'], { queue: postgres.url }),
        relay(words, { queue: postgres.url }),
      ]);

      // Mail waits there, whichever relay took it, and can be looked after.
      expect(await submit(first, 'bob@routed.example')).toMatch(/^250 /);
      await expect.poll(() => arrived, TIMES).toEqual(['bob']);
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

      // The database is away, and comes back.
      await postgres.halt();
      expect(await submit(first, 'bob@routed.example')).toMatch(/^4\d\d /);
      const { exit, stderr } = await first.queue('list');
      expect(exit).toBe(75);
      const ready = async () => (await fetch(`http://127.0.0.1:${first.portOf('metrics')}/readyz`)).status;
      expect(await ready()).toBe(503);
      await postgres.start();
      await expect
        .poll(async () => (await first.queue('retry', '--all')).stdout, TIMES)
        .toBe('1 message due now\n');
      await expect.poll(ready, TIMES).toBe(200);
      await expect.poll(() => arrived, TIMES).toEqual(['bob', 'eve']);

      // The only relay left is killed amid a delivery.
      second.child.kill('SIGTERM');
      expect(await second.exit).toBe(0);
      isStuck = true;
      await submit(first, 'sue@routed.example');
      await expect.poll(() => stuck, TIMES).toBe(1);
      first.child.kill('SIGKILL');
      await first.exit;
      const third = await relay(named, { queue: postgres.url });
      await expect.poll(() => third.stderr, TIMES).toMatch(/delivered .*sue@routed\.example/);
      expect(arrived).toEqual(['bob', 'eve', 'sue', 'sue']);
      expect(third.stderr).toContain('unknown: the message may have arrived');
      for (const said of [stderr, first.stderr, third.stderr]) {
        expect(said).not.toContain(encodeURIComponent(PASSWORD));
      }
    },
    LONGEST,
  );
});
