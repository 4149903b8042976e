import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitingLine } from './waiting-line.js';

interface Member {
  waiting: boolean;
  readonly number: number;
}

it('serves in the order of coming, whoever leaves from wherever', () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.constant('join' as const) },
    { weight: 2, arbitrary: fc.constant('serve' as const) },
    { weight: 1, arbitrary: fc.nat(20) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const line = new WaitingLine<Member>();
      const model: Member[] = [];
      for (const [number, what] of acts.entries()) {
        if (what === 'join') {
          const member = { waiting: true, number };
          line.join(member);
          model.push(member);
        } else {
          const [leaving] = model.splice(what === 'serve' ? 0 : what, 1);
          if (leaving !== undefined) leaving.waiting = false;
        }
        expect(line.first()).toBe(model[0]);
      }
    }),
  );
});

it('serves a hundred thousand without moving all of them each time', () => {
  const line = new WaitingLine<Member>();
  for (let number = 0; number < 100_000; number++) line.join({ waiting: true, number });
  for (let number = 0; number < 100_000; number++) {
    const member = line.first();
    if (member?.number !== number) throw new Error(`${member?.number} instead of ${number}`);
    member.waiting = false;
  }
  expect(line.first()).toBeUndefined();
});
