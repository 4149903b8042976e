/** Time leaps where nothing happens, and stands still while something is computed. */
import { expect, it } from 'vitest';
import { createIdleClock } from './idle-clock.js';

it('leaps to the next deadline', async () => {
  const clock = createIdleClock();
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    clock.set(3_600_000, resolve);
    clock.set(20, () => order.push(clock.now()));
  });
  expect([...order, clock.now()]).toEqual([20, 3_600_000]);
});

it('does not leap while a computation is under way, however long that takes', async () => {
  const clock = createIdleClock();
  let done = () => {};
  const { compute } = clock.pausedBy({
    compute: () =>
      new Promise((resolve) => {
        done = () => resolve(new Uint8Array());
      }),
  });
  const result = compute({ kind: 'random', octets: 1 });
  let hasLeapt = false;
  const leap = new Promise<void>((resolve) => {
    clock.set(20_000, () => {
      hasLeapt = true;
      resolve();
    });
  });
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect({ hasLeapt, now: clock.now() }).toEqual({ hasLeapt: false, now: 0 });
  done();
  await result;
  await leap;
  expect(clock.now()).toBe(20_000);
});
