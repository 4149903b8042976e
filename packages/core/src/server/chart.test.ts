import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEverywhere, startTwin, stepTwin } from '../chart/equality.test-support.js';
import type { ChartEvent } from '../chart/machine-shape.js';
import { type ServerChartEvent, type ServerChartInput, serverMachine } from './chart.js';
import { serverTable } from './session.js';

const input: ServerChartInput = {
  timeouts: { idle: 1, mailData: 2, decision: 3, linger: 4 },
  maximumRecipients: 2,
  maximumErrors: 2,
};

const refusal = { code: 501, enhancedCode: '5.5.4', lines: ['No'] };
const verbs = [
  'EHLO',
  'HELO',
  'MAIL',
  'RCPT',
  'DATA',
  'RSET',
  'QUIT',
  'NOOP',
  'HELP',
  'VRFY',
  'EXPN',
] as const;
const events: readonly ServerChartEvent[] = [
  ...verbs.map((verb) => ({ type: `command.${verb}` }) as const),
  { type: 'command.MAIL', refusal },
  { type: 'command.MAIL', refusal: { ...refusal, code: 552 } },
  { type: 'command.RCPT', refusal },
  { type: 'badCommand', refusal },
  { type: 'accepted' },
  { type: 'rejected', code: 550 },
  { type: 'rejected', code: 421 },
  { type: 'endOfMailData' },
  { type: 'endOfMailData', flaw: 'malformed' },
  { type: 'endOfMailData', flaw: 'tooLarge' },
  { type: 'peerClosed' },
  { type: 'connectionLost' },
  { type: 'shutdown' },
];

describe('the server chart', () => {
  it('is the same compiled as stepped by XState, on every reachable state and event', () => {
    const { leaves, compared } = compareEverywhere(serverMachine, serverTable, input, events);
    expect([...leaves].sort()).toEqual([...serverTable.leaves].sort());
    expect(compared).toBeGreaterThan(serverTable.leaves.length * events.length);
  });

  it('is the same on long random walks that reach the limits of real sessions and rarely end', () => {
    const limits = { ...input, maximumRecipients: 100, maximumErrors: 10 };
    const deadlines = serverTable.eventTypes
      .filter((type) => type.startsWith('xstate.after.'))
      .map((type) => ({ type }));
    const accepted = { type: 'accepted' };
    const rcpt = [{ type: 'command.RCPT' }, accepted];
    const [hello, mail] = [
      [{ type: 'command.EHLO' }, accepted],
      [{ type: 'command.MAIL' }, accepted],
    ];
    const stretch = fc.oneof(
      {
        weight: 60,
        arbitrary: fc
          .constantFrom<ChartEvent>(...events, ...deadlines, { type: 'command.UNHEARD-OF' })
          .map((event) => [event]),
      },
      { weight: 90, arbitrary: fc.constantFrom(mail, rcpt, rcpt, [{ type: 'command.DATA' }, accepted]) },
      // As many recipients as there may be and one more, and as many errors.
      {
        weight: 1,
        arbitrary: fc.constant([accepted, hello, mail, ...Array<ChartEvent[]>(101).fill(rcpt)].flat()),
      },
      {
        weight: 1,
        arbitrary: fc.constant(Array<ServerChartEvent>(10).fill({ type: 'badCommand', refusal })),
      },
    );
    const lengths: number[] = [];
    let mostRecipients = 0;
    let mostErrors = 0;
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 150, maxLength: 300 }), (stretches) => {
        let twin = startTwin(serverMachine, serverTable, limits);
        let taken = 0;
        for (const step of stretches.flat()) {
          // What would end the walk is compared and passed over: the test above goes on from there.
          const next = stepTwin(serverMachine, serverTable, twin, step);
          if (!/^(?:connecting|session)/.test(next.compiled.value)) continue;
          if (next.compiled !== twin.compiled) taken += 1;
          twin = next;
          mostRecipients = Math.max(mostRecipients, twin.compiled.context.recipients);
          mostErrors = Math.max(mostErrors, twin.compiled.context.errors);
        }
        lengths.push(taken);
      }),
      { numRuns: 20 },
    );
    lengths.sort((one, other) => one - other);
    expect(lengths[lengths.length / 2]).toBeGreaterThanOrEqual(100);
    expect(mostRecipients).toBe(limits.maximumRecipients);
    expect(mostErrors).toBe(limits.maximumErrors - 1);
  });
});
