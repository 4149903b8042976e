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

  it('is the same on long random walks with the limits of real sessions', () => {
    const walk = fc.array(fc.constantFrom<ChartEvent>(...events, { type: 'command.UNHEARD-OF' }), {
      minLength: 100,
      maxLength: 300,
    });
    fc.assert(
      fc.property(walk, (steps) => {
        let twin = startTwin(serverMachine, serverTable, {
          ...input,
          maximumRecipients: 100,
          maximumErrors: 10,
        });
        for (const event of steps) {
          if (twin.specified.status === 'done') return;
          twin = stepTwin(serverMachine, serverTable, twin, event);
        }
      }),
      { numRuns: 60 },
    );
  });
});
