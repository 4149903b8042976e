import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Choice } from '../simulation/choices.js';
import { formatHash, parseHash, type Watched } from './hash.js';

const turn = fc.nat(999);
const end = fc.constantFrom('client' as const, 'server' as const);
const wireText = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 80 })
  .map((octets) => String.fromCharCode(...octets));

const choice: fc.Arbitrary<Choice> = fc.oneof(
  fc.record({ turn, kind: fc.constant('say' as const), from: end, text: wireText }),
  fc.record({ turn, kind: fc.constant('answer' as const), decision: fc.constant('accept' as const) }),
  fc.record({
    turn,
    kind: fc.constant('answer' as const),
    decision: fc.constant('reject' as const),
    code: fc.constantFrom(421, 450, 550),
  }),
  fc.record({ turn, kind: fc.constant('wait' as const), end }),
  fc.record({ turn, kind: fc.constant('delay' as const), from: end, milliseconds: fc.nat(9_999_999) }),
  fc.record({ turn, kind: fc.constant('close' as const), from: end }),
  fc.record({
    turn,
    kind: fc.constant('act' as const),
    act: fc.constantFrom('send' as const, 'quit' as const, 'noop' as const, 'vrfy' as const),
  }),
  fc.record({ turn, kind: fc.constantFrom('drop' as const, 'shutdown' as const, 'failTls' as const) }),
);

const offsets = fc.array(fc.nat(99_999), { maxLength: 5 });

const watched: fc.Arbitrary<Watched> = fc.record({
  scenario: fc.option(fc.stringMatching(/^[a-z-]{1,20}$/), { nil: undefined }),
  step: fc.nat(9999),
  segmentation: fc.record({
    mode: fc.constantFrom('whole' as const, 'octets' as const),
    cuts: fc.record({ client: offsets, server: offsets }),
  }),
  choices: fc.array(choice, { maxLength: 8 }),
});

describe('the hash of a link', () => {
  it('shows what was watched when the link was made', () => {
    fc.assert(
      fc.property(watched, (given) => {
        expect(parseHash(formatHash(given))).toEqual(given);
      }),
    );
  });

  it('is short and can be read', () => {
    const cuts = { client: [57], server: [] };
    const choices: Choice[] = [{ turn: 7, kind: 'answer', decision: 'reject', code: 450 }];
    expect(formatHash({ scenario: 'happy', step: 12, segmentation: { mode: 'whole', cuts }, choices })).toBe(
      '#s=happy&at=12&cut=c57&do=7.reject.450',
    );
  });

  it('is nothing where nothing was chosen', () => {
    expect(formatHash(parseHash(''))).toBe('');
  });

  it('may be anything: what cannot be read is left out', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const read = parseHash(`#${text}`);
        expect(parseHash(formatHash(read))).toEqual(read);
      }),
    );
    expect(parseHash('#s=happy&at=-1&cut=x9.c1&do=x&do=3.say.nobody.x&do=4.drop')).toEqual({
      scenario: 'happy',
      step: 0,
      segmentation: { mode: 'whole', cuts: { client: [1], server: [] } },
      choices: [{ turn: 4, kind: 'drop' }],
    });
  });
});
