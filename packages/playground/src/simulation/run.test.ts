import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../scenarios/index.js';
import type { Choice, Segmentation } from './choices.js';
import { run } from './run.js';
import { turnsOf } from './same.js';
import type { Scenario } from './scenario.js';
import type { Step } from './step.js';
import { textOf } from './text.js';

const byId = (id: string): Scenario => scenarios.find((each) => each.id === id) as Scenario;

// Of the 65,536 octets of a chunk only the examples make use: to compare them takes long.
const scenario = fc.constantFrom(...scenarios.map(({ id }) => id).filter((id) => id !== 'chunks')).map(byId);
const offsets = fc.array(fc.nat(400), { maxLength: 12 });
const segmentation: fc.Arbitrary<Segmentation> = fc.record({
  mode: fc.constantFrom('whole' as const, 'octets' as const),
  cuts: fc.record({ client: offsets, server: offsets }),
});
const turn = fc.integer({ min: 1, max: 24 });
const end = fc.constantFrom('client' as const, 'server' as const);
const choice: fc.Arbitrary<Choice> = fc.oneof(
  fc.record({
    turn,
    kind: fc.constant('say' as const),
    from: end,
    text: fc.constantFrom(
      'NOOP\r\n',
      'RSET\r\n',
      '250 Yes\r\n',
      '421 No\r\n',
      'EHLO \n',
      '\0',
      'QUIT\r\nMAIL',
    ),
  }),
  fc.record({
    turn,
    kind: fc.constant('answer' as const),
    decision: fc.constantFrom('accept' as const, 'reject' as const),
    code: fc.constantFrom(421, 450, 550),
  }),
  fc.record({ turn, kind: fc.constant('wait' as const), end }),
  fc.record({ turn, kind: fc.constant('delay' as const), from: end, milliseconds: fc.nat(400_000) }),
  fc.record({ turn, kind: fc.constant('close' as const), from: end }),
  fc.record({ turn, kind: fc.constantFrom('drop' as const, 'shutdown' as const, 'failTls' as const) }),
  fc.record({
    turn,
    kind: fc.constant('act' as const),
    act: fc.constantFrom('send' as const, 'quit' as const, 'noop' as const, 'vrfy' as const),
  }),
);

function lastOf(given: Scenario, choices?: readonly Choice[]) {
  const { now, standing } = run(given, choices).at(-1) as Step;
  return { now, ...standing.states };
}

describe('a simulated session', () => {
  it.each(scenarios)('$id ends: both ends are closed', (given) => {
    expect(lastOf(given)).toMatchObject({ client: 'closed', server: 'closed' });
  });

  it('is the same whenever it is had', () => {
    fc.assert(
      fc.property(scenario, fc.array(choice, { maxLength: 3 }), segmentation, (given, choices, segments) => {
        expect(run(given, choices, segments)).toEqual(run(given, choices, segments));
      }),
      { numRuns: 40 },
    );
  });

  it('is the same in whatever segments the octets arrive', () => {
    fc.assert(
      fc.property(scenario, fc.array(choice, { maxLength: 2 }), segmentation, (given, choices, segments) => {
        expect(turnsOf(run(given, choices, segments))).toEqual(turnsOf(run(given, choices)));
      }),
      { numRuns: 60 },
    );
  });

  it('with a message in chunks, too', () => {
    const cuts = { client: [83, 90, 20_000], server: [] };
    expect(turnsOf(run(byId('chunks'), [], { mode: 'octets', cuts }))).toEqual(turnsOf(run(byId('chunks'))));
  });

  it('is as it was up to the turn in which something else is chosen', () => {
    fc.assert(
      fc.property(scenario, choice, (given, chosen) => {
        const before = (steps: readonly Step[]) => steps.filter((step) => step.turn < chosen.turn);
        expect(before(run(given, [chosen]))).toEqual(before(run(given)));
      }),
      // The envelope, to which a recipient is added only later.
      { numRuns: 60, examples: [[byId('recipients'), { turn: 12, kind: 'close', from: 'client' }]] },
    );
  });

  it('comes to an end whatever is chosen', () => {
    fc.assert(
      fc.property(scenario, fc.array(choice, { maxLength: 6 }), (given, choices) => {
        expect(lastOf(given, choices)).toMatchObject({ client: 'closed', server: 'closed' });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a choice', () => {
  const happy = byId('happy');
  const texts = (steps: readonly Step[]) =>
    steps.flatMap(({ sent }) => sent.map(({ octets }) => textOf(octets)));

  it('refuses what the application would have accepted', () => {
    const steps = run(happy, [{ turn: 11, kind: 'answer', decision: 'reject' }]);
    expect(texts(steps)).toContain('550 5.7.1 Recipient refused\r\n');
    expect(texts(steps)).toContain('RSET\r\n');
  });

  it('says something else than the client did, and the two ends no longer agree', () => {
    const steps = run(happy, [{ turn: 10, kind: 'say', from: 'client', text: 'RSET\r\n' }]);
    const apart = steps.find(({ standing }) => standing.states.client === 'session.transaction.initiating');
    expect(apart?.standing.states.server).toBe('session.ready');
  });

  it('waits until a deadline has passed', () => {
    const steps = run(happy, [{ turn: 7, kind: 'wait', end: 'server' }]);
    expect(texts(steps)).toContainEqual(expect.stringMatching(/^421 4\.4\.2 /));
  });

  it('loses the connection at both ends', () => {
    const steps = run(happy, [{ turn: 13, kind: 'drop' }]);
    expect(steps.at(-1)).toMatchObject({
      turn: 13,
      happening: { kind: 'lost' },
      standing: { states: { client: 'closed', server: 'closed' } },
    });
  });

  it('that cannot be had where it stands changes nothing', () => {
    expect(run(happy, [{ turn: 3, kind: 'failTls' }]).map(({ standing }) => standing)).toEqual(
      run(happy).map(({ standing }) => standing),
    );
  });
});
