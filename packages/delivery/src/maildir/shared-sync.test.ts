import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sharedSync } from './shared-sync.js';

/** A sync that ends when it is told to, and notes how many things had been done when it began. */
function watched() {
  const begun: number[] = [];
  const running: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  let done = 0;
  const wait = sharedSync(() => {
    begun.push(done);
    return new Promise((resolve, reject) => {
      running.push({ resolve, reject });
    });
  });
  return {
    begun,
    running,
    /** Does something, and waits for it to be durable; gives its number. */
    doOne() {
      done += 1;
      return { number: done, durable: wait() };
    },
  };
}

const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await undefined;
};

it('begins at once where none is under way, and else once for all who came meanwhile', async () => {
  const { begun, running, doOne } = watched();
  const first = doOne();
  const others = [doOne(), doOne(), doOne()];
  expect(begun).toEqual([1]);
  running[0]?.resolve();
  await first.durable;
  await settled();
  expect(begun).toEqual([1, 4]);
  running[1]?.resolve();
  await Promise.all(others.map(({ durable }) => durable));
  void doOne();
  expect(begun).toEqual([1, 4, 5]);
});

it('one that fails says so to those who waited for it, and to nobody else', async () => {
  const { running, doOne } = watched();
  const first = doOne();
  const second = doOne();
  running[0]?.reject(new Error('the disk has failed'));
  await expect(first.durable).rejects.toThrow('the disk has failed');
  await settled();
  running[1]?.resolve();
  await expect(second.durable).resolves.toBeUndefined();
});

it('nobody is told before a sync has ended that began after what they did, and one is under way at most', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('do', 'end', 'wait'), { maxLength: 60 }), async (steps) => {
      const { begun, running, doOne } = watched();
      let ended = 0;
      const durable: number[] = [];
      const all: Promise<void>[] = [];
      const take = async (step: string) => {
        if (step === 'do') {
          const { number, durable: wait } = doOne();
          all.push(wait.then(() => void durable.push(number)));
        } else if (step === 'wait') await settled();
        else if (ended < running.length) running[ended++]?.resolve();
        expect(running.length - ended).toBeLessThanOrEqual(1);
        const covered = Math.max(0, ...begun.slice(0, ended));
        for (const number of durable) expect(number).toBeLessThanOrEqual(covered);
      };
      for (const step of steps) await take(step);
      for (let rest = 0; rest < 3; rest += 1) {
        await settled();
        await take('end');
      }
      await Promise.all(all);
      expect(durable.length).toBe(all.length);
    }),
    { numRuns: 200 },
  ));
