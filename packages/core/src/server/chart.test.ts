import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xstateMachineOf } from '../chart/machine/definition.test-support.js';
import type { ChartEvent } from '../chart/machine/machine-shape.js';
import { compareEverywhere, startTwin, stepTwin } from '../chart/table/equality.test-support.js';
import type { Command } from '../wire/commands/command.js';
import type { ServerChartInput } from './chart/chart-context.js';
import type { AuthenticationNext, ServerChartEvent } from './chart/chart-events.js';
import { serverMachine } from './chart.js';
import { serverTable } from './server-table.js';

const input: ServerChartInput = {
  timeouts: { idle: 1, mailData: 2, decision: 3, handshake: 4, linger: 5, session: 6 },
  lmtp: false,
  lenient: false,
  maximumRecipients: 1,
  maximumErrors: 1,
  maximumAuthenticationFailures: 1,
  secured: false,
  tlsRequired: false,
  authenticationRequired: false,
};

const refusal = { code: 501, enhancedCode: '5.5.4', lines: ['No'] };
const verbs = [
  ...(['EHLO', 'HELO', 'LHLO', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'RSET', 'QUIT', 'NOOP', 'HELP'] as const),
  ...(['VRFY', 'EXPN', 'STARTTLS', 'AUTH', 'ETRN', 'XCLIENT', 'XFORWARD', 'extension'] as const),
] satisfies Command['verb'][];
const wishes = [
  ...(['challenge', 'computation', 'credentials', 'decision', 'success'] as const),
  ...(['malformed', 'unavailable', 'refused'] as const),
] satisfies AuthenticationNext[];
const events: readonly ServerChartEvent[] = [
  ...verbs.map((verb) => ({ type: `command.${verb}` }) as const),
  ...(['MAIL', 'RCPT', 'DATA', 'AUTH', 'XCLIENT', 'XFORWARD'] as const).map(
    (verb) => ({ type: `command.${verb}`, refusal }) as const,
  ),
  { type: 'command.MAIL', refusal: { ...refusal, code: 552 } },
  { type: 'command.XCLIENT', next: 'success' },
  { type: 'badCommand', refusal },
  { type: 'badCommand', refusal, fatal: true },
  { type: 'accepted' },
  { type: 'accepted', plaintextFollows: true },
  { type: 'rejected', code: 550 },
  { type: 'rejected', code: 421 },
  ...wishes.flatMap((next): ServerChartEvent[] => [
    { type: 'command.AUTH', next },
    { type: 'accepted', next },
  ]),
  { type: 'rejected', code: 535, next: 'refused' },
  { type: 'rejected', code: 454, next: 'unavailable' },
  { type: 'response', next: 'challenge' },
  { type: 'response', next: 'malformed' },
  { type: 'computed', next: 'computation' },
  { type: 'computed', next: 'refused' },
  { type: 'cancel' },
  { type: 'badResponse', refusal },
  { type: 'tlsEstablished' },
  { type: 'tlsFailed' },
  { type: 'plaintext' },
  { type: 'endOfMailData' },
  { type: 'endOfMailData', flaw: 'malformed' },
  { type: 'endOfMailData', flaw: 'tooLarge' },
  { type: 'endOfChunk', last: false },
  { type: 'endOfChunk', last: true },
  { type: 'endOfChunk', last: false, flaw: 'malformed' },
  { type: 'endOfChunk', last: true, flaw: 'tooLarge' },
  { type: 'peerClosed' },
  { type: 'connectionLost' },
  { type: 'cutOff', refusal },
  { type: 'shutdown' },
];

const specification = xstateMachineOf(serverMachine);

describe('the server chart', () => {
  it('is the same compiled as stepped by XState, on every reachable state and event', () => {
    // Not all that may hold at once is tried with all else, or this would take minutes: the walks below mix it.
    const slices: [Partial<ServerChartInput>, without: RegExp][] = [
      [{ maximumErrors: 2 }, /^command\.(?:AUTH|STARTTLS|XCLIENT|LHLO|EXPN|HELP|ETRN|extension)$/],
      [
        { maximumErrors: 2, maximumAuthenticationFailures: 2 },
        /^command\.(?:MAIL|LHLO|HELO|VRFY|EXPN|HELP|ETRN|extension|XCLIENT)$/,
      ],
      [{ tlsRequired: true, authenticationRequired: true }, /^command\.RCPT$/],
      [
        { lmtp: true, maximumErrors: 2 },
        /^command\.(?:EHLO|HELO|AUTH|STARTTLS|X|VRFY|EXPN|HELP|ETRN|extension)/,
      ],
      [{ lenient: true, maximumErrors: 2 }, /^command\.(?:HELO|LHLO|XCLIENT|EXPN|HELP|ETRN|extension)$/],
    ];
    const reached = new Set<string>();
    for (const [more, without] of slices) {
      const some = events.filter(({ type }) => !without.test(type));
      const { leaves } = compareEverywhere(specification, serverTable, { ...input, ...more }, some);
      for (const leaf of leaves) reached.add(leaf);
    }
    expect([...reached].sort()).toEqual([...serverTable.leaves].sort());
  }, 120_000);

  it('is the same on long random walks that reach the limits of real sessions and rarely end', () => {
    const limits: ServerChartInput = {
      ...input,
      maximumRecipients: 100,
      maximumErrors: 10,
      maximumAuthenticationFailures: 5,
    };
    const deadlines = serverTable.eventTypes
      .filter((type) => type.startsWith('xstate.after.'))
      .map((type) => ({ type }));
    const accepted = { type: 'accepted' };
    const rcpt = [{ type: 'command.RCPT' }, accepted];
    const [hello, mail] = [
      [{ type: 'command.EHLO' }, accepted],
      [{ type: 'command.MAIL' }, accepted],
    ];
    const chunk = (last: boolean): ChartEvent[] => [
      { type: 'command.BDAT' },
      { type: 'endOfChunk', last } as ChartEvent,
    ];
    const exchange = (...steps: AuthenticationNext[]): ChartEvent[] => [
      { type: 'command.RSET' },
      ...steps.map((next, index): ChartEvent => {
        const answered = steps[index - 1] === 'credentials' || steps[index - 1] === 'decision';
        const computed = steps[index - 1] === 'computation' ? 'computed' : 'response';
        return { type: index === 0 ? 'command.AUTH' : answered ? 'accepted' : computed, next } as ChartEvent;
      }),
    ];
    const negotiations: ChartEvent[][] = [
      [{ type: 'command.STARTTLS' }, accepted, { type: 'tlsEstablished' }, ...hello],
      [
        { type: 'command.BDAT' },
        accepted,
        ...chunk(false).slice(1),
        ...chunk(false),
        ...chunk(true),
        accepted,
      ],
      exchange('challenge', 'challenge', 'decision', 'success'),
      exchange('credentials', 'computation', 'computation', 'challenge', 'decision', 'refused'),
      [...exchange('challenge'), { type: 'cancel' }],
      [{ type: 'command.XCLIENT' }, accepted, ...hello],
      [{ type: 'command.XCLIENT', next: 'success' } as ChartEvent, accepted, ...hello],
    ];
    const stretch = fc.oneof(
      {
        weight: 60,
        arbitrary: fc
          .constantFrom<ChartEvent>(...events, ...deadlines, { type: 'command.UNHEARD-OF' })
          .map((event) => [event]),
      },
      { weight: 90, arbitrary: fc.constantFrom(mail, rcpt, rcpt, [{ type: 'command.DATA' }, accepted]) },
      { weight: 10, arbitrary: fc.constantFrom(...negotiations) },
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
      fc.property(
        fc.boolean(),
        fc.array(stretch, { minLength: 150, maxLength: 300 }),
        (lenient, stretches) => {
          let twin = startTwin(specification, serverTable, { ...limits, lenient });
          let taken = 0;
          for (const step of stretches.flat()) {
            // What would end the walk is compared and passed over: the test above goes on from there.
            const next = stepTwin(specification, serverTable, twin, step);
            if (!/^(?:connecting|session)/.test(next.compiled.value)) continue;
            if (next.compiled !== twin.compiled) taken += 1;
            twin = next;
            mostRecipients = Math.max(mostRecipients, twin.compiled.context.recipients);
            mostErrors = Math.max(mostErrors, twin.compiled.context.errors);
          }
          lengths.push(taken);
        },
      ),
      { numRuns: 20 },
    );
    lengths.sort((one, other) => one - other);
    expect(lengths[lengths.length / 2]).toBeGreaterThanOrEqual(100);
    expect(mostRecipients).toBe(limits.maximumRecipients);
    expect(mostErrors).toBe(limits.maximumErrors - 1);
  });
});
