import { encodeText } from '@sansmtp/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { link, mailbox, message } from '../arbitraries/index.js';
import type { History } from './history.js';
import {
  backpressureIsHeeded,
  checkInvariants,
  deliveredIsStored,
  everythingEnds,
  type Invariant,
  InvariantError,
  nothingAfterClose,
  repliesMatchCommands,
  storedIsNotRefused,
  storedIsWhatWasSent,
  tlsBeginsAnew,
} from './invariants.js';
import { type Decision, runPair } from './run-pair.js';

const text = (content: string) => encodeText(`${content}\r\n`);

const toBob = (content: string) => ({
  from: 'ann@example.org',
  to: ['bob@example.com'],
  body: text(content),
});

describe('a pair', () => {
  it('tells all that happened', async () => {
    const history = await runPair({ messages: [toBob('1'), toBob('2')], startTls: true });
    checkInvariants(history);
    expect(history.sent.map(({ verdicts }) => verdicts?.map(({ verdict }) => verdict))).toEqual([
      ['delivered'],
      ['delivered'],
    ]);
    expect(history.stored.map((each) => [each.text, each.secure])).toEqual([
      ['1\r\n', true],
      ['2\r\n', true],
    ]);
  });

  it('waits for a slow application as long as the client does', async () => {
    const slow = { verdict: 'accept', after: 599_000 } as const;
    const history = await runPair({
      messages: [toBob('1')],
      decisions: [...Array(4).fill({ verdict: 'accept' }), slow],
    });
    checkInvariants(history);
    expect(history.duration).toBeGreaterThan(280_000);
  });

  it('tells of no handler that throws when its session is over', async () => {
    const late = { verdict: 'throw', after: 300_000 } as const;
    checkInvariants(await runPair({ messages: [], decisions: [late] }));
  });

  const decision: fc.Arbitrary<Decision> = fc.record({
    verdict: fc.oneof(
      { weight: 6, arbitrary: fc.constant('accept' as const) },
      { weight: 2, arbitrary: fc.constantFrom('reject' as const, 'defer' as const, 'throw' as const) },
    ),
    after: fc.oneof(fc.constant(0), fc.nat(900_000)),
  });
  /** No two of one content: what is stored is told by it. */
  const messages = fc
    .array(fc.tuple(fc.array(mailbox(), { minLength: 1, maxLength: 3 }), message()), { maxLength: 3 })
    .map((all) =>
      all.map(([to, octets], index) => ({
        from: null,
        to,
        body: Uint8Array.from([...text(String(index)), ...octets]),
      })),
    );

  it('keeps every invariant, whatever the network and the application do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          messages,
          link: link(),
          startTls: fc.boolean(),
          decisions: fc.array(decision, { maxLength: 8 }),
          jumps: fc.array(fc.nat(400_000), { maxLength: 5 }),
        }),
        async (options) => checkInvariants(await runPair(options)),
      ),
      { numRuns: 60 },
    );
  });

  it('keeps them in every order of decisions', async () => {
    await fc.assert(
      fc.asyncProperty(messages, link(), fc.scheduler(), async (all, wire, scheduler) => {
        const history = await runPair({
          messages: all,
          link: wire,
          schedule: (task) => scheduler.schedule(task),
          onTurn: () => scheduler.waitIdle(),
        });
        checkInvariants(history);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the invariants find', () => {
  /** A history that is as it should be, and what is wrong in it. */
  async function broken(wrong: (history: History) => Partial<History>): Promise<History> {
    const history = await runPair({ messages: [toBob('1'), toBob('2')], startTls: true });
    return { ...history, ...wrong(history) };
  }

  it.each<[string, Invariant, (history: History) => Partial<History>]>([
    ['a session that does not end', everythingEnds, () => ({ ended: false })],
    ['an error that nobody foresaw', everythingEnds, () => ({ faults: [new Error('x')] })],
    [
      'a verdict that is missing',
      everythingEnds,
      ({ sent }) => ({ sent: sent.map((each) => ({ ...each, verdicts: [] })) }),
    ],
    ['replies in the wrong order', repliesMatchCommands, ({ server }) => ({ server: [...server].reverse() })],
    [
      'a message that was stored twice',
      storedIsWhatWasSent,
      ({ stored }) => ({ stored: [...stored, ...stored] }),
    ],
    [
      'a message that was changed',
      storedIsWhatWasSent,
      ({ stored }) => ({ stored: stored.map((each) => ({ ...each, raw: text('3') })) }),
    ],
    ['a delivered message that nobody has', deliveredIsStored, ({ stored }) => ({ stored: stored.slice(1) })],
    [
      'a stored message that would be sent again',
      storedIsNotRefused,
      ({ sent }) => ({
        sent: sent.map((each) => ({
          ...each,
          verdicts: each.verdicts?.map((verdict) => ({ ...verdict, verdict: 'deferred' })) as never,
        })),
      }),
    ],
    [
      'what was said before TLS, and counts after it',
      tlsBeginsAnew,
      ({ client }) => ({
        client: client.filter((event) => event.type !== 'command' || event.verb !== 'EHLO'),
      }),
    ],
    ['a question after the end', nothingAfterClose, () => ({ askedAfterClose: ['mail'] })],
    ['an event after the end', nothingAfterClose, ({ server }) => ({ server: [...server, ...server] })],
    [
      'an end that does not wait',
      backpressureIsHeeded,
      ({ streams }) => ({
        streams: { ...streams, server: { mostWhileFull: 1_000_000 } },
      }),
    ],
  ])('%s', async (_, invariant, wrong) => {
    const history = await broken(wrong);
    expect(() => invariant(history)).toThrow(InvariantError);
  });
});
