import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xstateMachineOf } from '../chart/machine/definition.test-support.js';
import type { ChartEvent } from '../chart/machine/machine-shape.js';
import { compareEverywhere, startTwin, stepTwin } from '../chart/table/equality.test-support.js';
import type { Effect } from '../chart/table/operations.js';
import type { ClientChartInput } from './chart/chart-context.js';
import type { ClientChartEvent, ClientState, Finding, Negotiable } from './chart/chart-events.js';
import { clientMachine } from './chart.js';
import { clientTable } from './client-table.js';

const input: ClientChartInput = {
  protocol: 'smtp',
  startTls: 'opportunistic',
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
    startTls: 11,
    handshake: 12,
    authentication: 13,
    computation: 14,
    proxying: 15,
    inquiry: 16,
    chunk: 17,
  },
};

const inputs = (['smtp', 'lmtp'] as const).flatMap((protocol) =>
  (['never', 'opportunistic', 'required'] as const).map((startTls) => ({ ...input, protocol, startTls })),
);

const nothing: Negotiable = {
  tls: 'notOffered',
  authentication: 'unwanted',
  xclient: 'unwanted',
  xforward: 'unwanted',
};
const negotiables: readonly Negotiable[] = [
  nothing,
  { ...nothing, tls: 'established' },
  { tls: 'offered', authentication: 'possible', xclient: 'possible', xforward: 'possible' },
  { tls: 'established', authentication: 'possible', xclient: 'possible', xforward: 'possible' },
  { ...nothing, authentication: 'withheld' },
  { ...nothing, authentication: 'notOffered' },
  { ...nothing, xclient: 'notOffered', xforward: 'notOffered' },
];
const findings: readonly Finding[] = [
  'plaintextBehind',
  'initialResponseAwaited',
  'malformedChallenge',
  'unproven',
];

const replies = [
  ['reply.success', 250],
  ['reply.intermediate', 354],
  ['reply.221', 221],
  ['reply.421', 421],
  ['reply.transient', 450],
  ['reply.permanent', 550],
  ['reply.permanent', 500],
] as const;

const plain = { writtenAhead: false } as const;

/** All that happens on the way to `ready`. */
const negotiation: readonly ClientChartEvent[] = [
  ...replies.map(([type, code]) => ({ type, code, ...plain, negotiable: nothing })),
  ...negotiables.flatMap((negotiable) => [
    { type: 'reply.success', code: 250, ...plain, negotiable } as const,
    { type: 'reply.permanent', code: 502, ...plain, negotiable } as const,
  ]),
  ...findings.flatMap((finding) => [
    { type: 'reply.success', code: 220, ...plain, finding } as const,
    { type: 'reply.intermediate', code: 334, ...plain, finding } as const,
  ]),
  { type: 'tlsEstablished' },
  { type: 'tlsFailed' },
  { type: 'computed' },
  { type: 'respond' },
  { type: 'cancel', begun: false },
  { type: 'cancel', begun: true },
  { type: 'peerClosed' },
  { type: 'connectionLost' },
  { type: 'protocolError' },
];

/** All that happens from `ready` on; with nothing negotiable, nothing is negotiated. */
const conversation: readonly ClientChartEvent[] = [
  ...replies.flatMap(([type, code]) => [
    { type, code, ...plain },
    { type, code, writtenAhead: true },
  ]),
  { type: 'send', recipients: 0, chunks: 0 },
  { type: 'send', recipients: 2, chunks: 0 },
  { type: 'send', recipients: 1, chunks: 1 },
  { type: 'send', recipients: 2, chunks: 2 },
  { type: 'chunk' },
  { type: 'endOfMailData' },
  { type: 'abandon' },
  { type: 'inquire' },
  { type: 'quit' },
  { type: 'peerClosed' },
  { type: 'connectionLost' },
  { type: 'protocolError' },
];

const events = [...negotiation, ...conversation];

/** Fails to compile unless it names every `ClientState`, and nothing else. */
const states: Readonly<Record<ClientState, true>> = {
  'session.greeting': true,
  'session.identifying': true,
  'session.fallingBack': true,
  'session.startingTls': true,
  'session.securing': true,
  'session.authentication.preparing': true,
  'session.authentication.responding': true,
  'session.substituting': true,
  'session.forwarding': true,
  'session.ready': true,
  'session.inquiring': true,
  'session.transaction.mailing': true,
  'session.transaction.addressing': true,
  'session.transaction.initiating': true,
  'session.transaction.sending': true,
  'session.transaction.chunking': true,
  'session.transaction.holding': true,
  'session.transaction.concluding': true,
  'session.transaction.draining': true,
  'session.transaction.abandoned': true,
  'session.transaction.terminating': true,
  'session.transaction.delivering': true,
  'session.resetting': true,
  'session.quitting': true,
  refused: true,
  cancelled: true,
  closing: true,
  closed: true,
};

const specification = xstateMachineOf(clientMachine);

describe('the client chart', () => {
  it('has the leaf states that ClientState names', () => {
    expect([...clientTable.leaves].sort()).toEqual(Object.keys(states).sort());
  });

  it('is the same compiled as stepped by XState, on every reachable state and event', () => {
    const reached = new Set<string>();
    const compare = (each: ClientChartInput, steps: readonly ClientChartEvent[]) => {
      const { leaves, compared } = compareEverywhere(specification, clientTable, each, steps);
      for (const leaf of leaves) reached.add(leaf);
      expect(compared).toBeGreaterThan(leaves.size * steps.length);
    };
    compare(input, negotiation);
    compare({ ...input, protocol: 'lmtp', startTls: 'required' }, negotiation);
    compare({ ...input, startTls: 'never' }, conversation);
    compare({ ...input, protocol: 'lmtp' }, conversation);
    expect([...reached].sort()).toEqual([...clientTable.leaves].sort());
  }, 120_000);

  it('is the same on long random walks that rarely end', () => {
    const rarelyEnding = events.filter(
      ({ type }) => type.startsWith('reply.') || ['send', 'chunk', 'endOfMailData'].includes(type),
    );
    const event: fc.Arbitrary<ChartEvent> = fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom<ChartEvent>(...rarelyEnding) },
      { weight: 1, arbitrary: fc.constantFrom<ChartEvent>(...events, { type: 'unheard-of' }) },
      {
        weight: 10,
        arbitrary: fc
          .record({ recipients: fc.nat({ max: 1000 }), chunks: fc.nat({ max: 100 }) })
          .map((counts) => ({ type: 'send', ...counts })),
      },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...inputs),
        fc.array(event, { minLength: 100, maxLength: 300 }),
        (each, steps) => {
          let twin = startTwin(specification, clientTable, each);
          for (const step of steps) {
            // What would end the walk at once is passed over: the test above takes every such step.
            const next = stepTwin(specification, clientTable, twin, step);
            if (next.specified.status !== 'done' && next.compiled.value.startsWith('session')) twin = next;
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('sends STARTTLS, AUTH and XCLIENT once at most, and nothing in the clear where TLS is required', () => {
    const walk = fc.array(fc.constantFrom<ClientChartEvent>(...events), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.constantFrom(...inputs), walk, (each, steps) => {
        const effects: Effect[] = [];
        let state = clientTable.start(each, effects);
        let secured = false;
        let effectsBefore = 0;
        for (const step of steps) {
          // What would end the walk at once is passed over.
          const taken: Effect[] = [];
          const next = clientTable.step(state, step, taken);
          if (next === undefined || !next.value.startsWith('session')) continue;
          state = next;
          effects.push(...taken);
          secured ||=
            step.type === 'tlsEstablished' ||
            ('negotiable' in step && step.negotiable?.tls === 'established');
          if (each.startTls !== 'required' || secured) continue;
          const sent = effects
            .slice(effectsBefore)
            .filter(({ type }) => /^(?:write|proceed|introduce)/.test(type));
          for (const { type, params } of sent) {
            expect(type).toBe('write');
            expect(['hello', 'HELO', 'STARTTLS', 'QUIT']).toContain((params as { command: string }).command);
          }
          effectsBefore = effects.length;
        }
        const count = (wanted: string) =>
          effects.filter(
            ({ type, params }) =>
              type === wanted || (type === 'write' && (params as { command: string }).command === wanted),
          ).length;
        expect(count('STARTTLS')).toBeLessThanOrEqual(1);
        expect(count('acknowledge')).toBeLessThanOrEqual(1);
        expect(count('writeXclient')).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });
});
