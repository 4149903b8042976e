import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEverywhere, startTwin, stepTwin } from '../chart/equality.test-support.js';
import type { ChartEvent } from '../chart/machine-shape.js';
import type { ClientChartEvent, ClientChartInput, ClientState } from './chart.js';
import { clientMachine } from './chart.js';
import { clientTable } from './session.js';

const input: ClientChartInput = {
  timeouts: {
    greeting: 1,
    hello: 2,
    mail: 3,
    rcpt: 4,
    dataInitiation: 5,
    dataBlock: 6,
    dataTermination: 7,
    reset: 8,
    quit: 9,
    linger: 10,
  },
};

const replies = [
  ['reply.success', 250],
  ['reply.intermediate', 354],
  ['reply.421', 421],
  ['reply.transient', 450],
  ['reply.permanent', 550],
  ['reply.permanent', 500],
] as const;

const events: readonly ClientChartEvent[] = [
  ...replies.flatMap(([type, code]) => [
    { type, code, writtenAhead: false },
    { type, code, writtenAhead: true },
  ]),
  { type: 'send', recipients: 1 },
  { type: 'send', recipients: 2 },
  { type: 'endOfMailData' },
  { type: 'abandon' },
  { type: 'quit' },
  { type: 'peerClosed' },
  { type: 'connectionLost' },
  { type: 'protocolError' },
];

/** Fails to compile unless it names every `ClientState`, and nothing else. */
const states: Readonly<Record<ClientState, true>> = {
  'session.greeting': true,
  'session.identifying': true,
  'session.fallingBack': true,
  'session.ready': true,
  'session.transaction.mailing': true,
  'session.transaction.addressing': true,
  'session.transaction.initiating': true,
  'session.transaction.sending': true,
  'session.transaction.abandoned': true,
  'session.transaction.terminating': true,
  'session.resetting': true,
  'session.quitting': true,
  refused: true,
  closing: true,
  closed: true,
};

describe('the client chart', () => {
  it('has the leaf states that ClientState names', () => {
    expect([...clientTable.leaves].sort()).toEqual(Object.keys(states).sort());
  });

  it('is the same compiled as stepped by XState, on every reachable state and event', () => {
    const { leaves, compared } = compareEverywhere(clientMachine, clientTable, input, events);
    expect([...leaves].sort()).toEqual([...clientTable.leaves].sort());
    expect(compared).toBeGreaterThan(clientTable.leaves.length * events.length);
  });

  it('is the same on long random walks that rarely end', () => {
    const rarelyEnding = events.filter(
      ({ type }) => type.startsWith('reply.') || ['send', 'endOfMailData'].includes(type),
    );
    const event: fc.Arbitrary<ChartEvent> = fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom<ChartEvent>(...rarelyEnding) },
      { weight: 1, arbitrary: fc.constantFrom<ChartEvent>(...events, { type: 'unheard-of' }) },
      {
        weight: 10,
        arbitrary: fc.integer({ min: 1, max: 1000 }).map((recipients) => ({ type: 'send', recipients })),
      },
    );
    fc.assert(
      fc.property(fc.array(event, { minLength: 100, maxLength: 300 }), (steps) => {
        let twin = startTwin(clientMachine, clientTable, input);
        for (const step of steps) {
          // What would end the walk at once is passed over: the test above takes every such step.
          const next = stepTwin(clientMachine, clientTable, twin, step);
          if (next.specified.status !== 'done' && next.compiled.value.startsWith('session')) twin = next;
        }
      }),
      { numRuns: 15 },
    );
  });
});
