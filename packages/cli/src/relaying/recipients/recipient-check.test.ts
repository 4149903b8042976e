import { describe, expect, it } from 'vitest';
import { type RecipientAnswer, RecipientCheck } from './recipient-check.js';

const HOP = { protocol: 'smtp', host: 'mx.example', port: 25 } as const;
const EXISTS: RecipientAnswer = { kind: 'exists' };
const UNKNOWN: RecipientAnswer = { kind: 'unknown', words: '550 5.1.1 Nobody' };
const UNDECIDED: RecipientAnswer = { kind: 'undecided', words: 'no connection' };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function checking() {
  let now = 0;
  let answer = EXISTS;
  const asked: string[] = [];
  const check = new RecipientCheck(
    async (_, { localPart }) => {
      asked.push(localPart);
      return answer;
    },
    () => now,
  );
  return {
    asked,
    of: (localPart: string) => check.check(HOP, { localPart, domain: 'Example.org' }, 'example.org'),
    answer(given: RecipientAnswer) {
      answer = given;
    },
    pass(time: number) {
      now += time;
    },
  };
}

describe('an answer', () => {
  it('that somebody exists is believed for an hour, that nobody does for five minutes', async () => {
    const c = checking();
    expect(await c.of('ann')).toBe(EXISTS);
    c.answer(UNKNOWN);
    expect([await c.of('eve'), await c.of('ann')]).toEqual([UNKNOWN, EXISTS]);
    c.pass(5 * MINUTE - 1);
    await c.of('eve');
    expect(c.asked).toEqual(['ann', 'eve']);
    c.pass(1);
    await c.of('eve');
    c.pass(55 * MINUTE);
    expect(await c.of('ann')).toBe(UNKNOWN);
    expect(c.asked).toEqual(['ann', 'eve', 'eve', 'ann']);
  });

  it('is missing while the next hop does not answer; who existed in the last week is taken', async () => {
    const c = checking();
    await c.of('ann');
    c.answer(UNKNOWN);
    await c.of('eve');
    c.answer(UNDECIDED);
    c.pass(7 * 24 * HOUR - 1);
    expect([await c.of('ann'), await c.of('eve'), await c.of('new')]).toEqual([EXISTS, UNDECIDED, UNDECIDED]);
    c.pass(1);
    expect(await c.of('ann')).toBe(UNDECIDED);
    c.answer(EXISTS);
    expect(await c.of('new')).toBe(EXISTS);
  });

  it('is forgotten, the one looked up the longest ago first, when there are 10,000', async () => {
    const c = checking();
    for (let i = 0; i < 10_000; i++) await c.of(`user${i}`);
    await c.of('user0');
    await c.of('one more');
    expect(c.asked).toHaveLength(10_001);
    await c.of('user0');
    expect(c.asked).toHaveLength(10_001);
    await c.of('user1');
    expect(c.asked).toHaveLength(10_002);
  });
});

describe('questions', () => {
  function held() {
    const waiting: (() => void)[] = [];
    const check = new RecipientCheck(
      () => new Promise((resolve) => waiting.push(() => resolve(EXISTS))),
      () => 0,
    );
    const of = (localPart: string) => check.check(HOP, { localPart, domain: 'example.org' }, 'example.org');
    return { waiting, of };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('about one recipient are one', async () => {
    const { waiting, of } = held();
    const both = [of('ann'), of('ann')];
    await settled();
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    expect(await Promise.all(both)).toEqual([EXISTS, EXISTS]);
  });

  it('are five at a time to one next hop, 200 wait, and those beyond have no answer', async () => {
    const { waiting, of } = held();
    const all = Array.from({ length: 205 }, (_, i) => of(`user${i}`));
    await settled();
    expect(waiting).toHaveLength(5);
    expect(await of('too many')).toMatchObject({ kind: 'undecided' });
    for (let answered = 0; answered < 205; answered++) {
      waiting[answered]?.();
      await settled();
    }
    expect(await Promise.all(all)).toEqual(Array(205).fill(EXISTS));
  });
});
