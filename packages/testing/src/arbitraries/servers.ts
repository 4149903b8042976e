/** What a server may do to a client, and a network to both: scripts, and links that are slow, cut and lose. */
import type { MemoryPairOptions } from '@sansmtp/transport-memory';
import * as fc from 'fast-check';
import type { Moment, Script, Step, StepDetails } from '../script/script.js';
import { printedAs } from './printing.js';
import { reply } from './replies.js';

const REPLIES: Readonly<Partial<Record<Moment, readonly number[]>>> = {
  greeting: [220, 554, 421],
  EHLO: [250, 502, 421],
  HELO: [250, 550],
  MAIL: [250, 451, 552, 421],
  RCPT: [250, 251, 450, 452, 550, 421],
  DATA: [354, 451, 554, 421],
  message: [250, 451, 452, 554, 421],
  STARTTLS: [220, 454, 501],
  AUTH: [235, 334, 454, 535, 504],
  QUIT: [221, 250],
};

/** The moments in which it counts what a server does. */
const TELLING: readonly Moment[] = [
  'greeting',
  'EHLO',
  'MAIL',
  'RCPT',
  'DATA',
  'BDAT',
  'message',
  'RSET',
  'QUIT',
];

const KEYWORDS = [
  'PIPELINING',
  'SIZE 1000000',
  '8BITMIME',
  'SMTPUTF8',
  'CHUNKING',
  'DSN',
  'ENHANCEDSTATUSCODES',
  'XYZZY a=b',
];

/**
 * A server for `openScriptedServer`: a few moments in which it refuses, stalls, drops or says what is no reply; else it
 * takes everything. It shrinks towards a server that takes everything, and prints as a script.
 */
export function serverBehaviour(): fc.Arbitrary<Script> {
  const parts = TELLING.map((moment): [Moment, fc.Arbitrary<readonly Step[] | undefined>] => [
    moment,
    fc.option(fc.array(stepAt(moment), { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
  ]);
  return fc.record({ offers: fc.subarray(KEYWORDS), ...Object.fromEntries(parts) }).map((script) => {
    const given = Object.fromEntries(
      Object.entries(script).filter(([, value]) => value !== undefined),
    ) as Script;
    return printedAs(given, () => JSON.stringify(given));
  });
}

function stepAt(moment: Moment): fc.Arbitrary<Step> {
  const codes = REPLIES[moment] ?? [250, 451, 500];
  const text = reply({ code: fc.constantFrom(...codes) }).map(({ code, enhancedCode, lines }) =>
    lines
      .map(
        (line, index) =>
          `${code}${index === lines.length - 1 ? ' ' : '-'}${enhancedCode ? `${enhancedCode} ` : ''}${line}`,
      )
      .join('\n'),
  );
  const details: fc.Arbitrary<StepDetails> = fc.oneof(
    fc.record({ reply: text, wait: fc.nat(700_000) }),
    fc.record({ reply: text, stall: fc.record({ after: fc.nat(30), for: fc.nat(700_000) }) }),
    fc.record({ reply: text, ending: fc.constantFrom('drop' as const, 'end' as const, 'stay' as const) }),
    fc
      .constantFrom('25', '250-', '\n', '\0\0', '250-a\r\n350 b\r\n', 'x'.repeat(5000))
      .map((octets) => ({ octets })),
  );
  return fc.oneof<fc.Arbitrary<Step>[]>(
    { weight: 6, arbitrary: text } as never,
    { weight: 2, arbitrary: details } as never,
    { weight: 1, arbitrary: fc.constantFrom('drop', 'end') } as never,
  );
}

/** Everything a link may do, without the clock: latency needs one. */
export type Link = Omit<MemoryPairOptions, 'clock' | 'tls'>;

export interface LinkOptions {
  /**
   * Now and then the connection is lost after so many octets, in either direction.
   * @default true
   */
  readonly drops?: boolean;
}

/**
 * How a connection in memory behaves: chunks, latency in milliseconds, buffers, and losses. It shrinks towards one that
 * is as good as can be.
 */
export function link({ drops = true }: LinkOptions = {}): fc.Arbitrary<Link> {
  const octets = fc.oneof({ weight: 3, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(100_000) });
  const dropAfter = fc.oneof(
    octets.map((first) => ({ first })),
    octets.map((second) => ({ second })),
  );
  return fc
    .record({
      chunkSize: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      latency: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }),
      bufferSize: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
      dropAfter: drops ? fc.option(dropAfter, { nil: undefined, freq: 2 }) : fc.constant(undefined),
    })
    .map((all) => {
      const given = Object.fromEntries(
        Object.entries(all).filter(([, value]) => value !== undefined),
      ) as Link;
      return printedAs(given, () => JSON.stringify(given));
    });
}
