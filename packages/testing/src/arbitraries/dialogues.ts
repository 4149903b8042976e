/**
 * Whole dialogues of a client, weighted by the server's chart: most steps bring the session on, some come at the wrong
 * time, some are malformed. They shrink step by step, and print as `C:` lines.
 */
import { concatenate, encodeText } from '@sansmtp/core';
import * as fc from 'fast-check';
import { walkChart } from './chart-walk.js';
import { command, DEFAULT_OFFERS, mailCommand, nearCommand, rcptCommand } from './commands.js';
import { domain } from './mailboxes.js';
import { message } from './messages.js';
import { escaped, printedAs } from './printing.js';

/** What a client does next. */
export type DialogueStep =
  /** Sends a line. `responses` are its further lines in an AUTH exchange, one for each 334. */
  | { readonly kind: 'command'; readonly line: string; readonly responses?: readonly string[] }
  /** Sends DATA, and after a 354 the message with its final dot. */
  | { readonly kind: 'data'; readonly message: Uint8Array }
  /** Sends BDAT with its octets, whatever the reply will be (RFC 3030 §2). */
  | { readonly kind: 'chunk'; readonly octets: Uint8Array; readonly last: boolean }
  /** Sends STARTTLS, and begins the handshake after a 220. */
  | { readonly kind: 'startTls' };

export interface ClientDialogue {
  readonly steps: readonly DialogueStep[];
}

export interface DialogueOptions {
  /**
   * The EHLO keywords that the client relies on: CHUNKING, STARTTLS and AUTH add steps of their own, the others
   * parameters.
   * @default SIZE, 8BITMIME, PIPELINING and DSN
   */
  readonly offers?: readonly string[];
  /**
   * Steps at most.
   * @default 16
   */
  readonly maximumSteps?: number;
  /**
   * Steps in a hundred that come at the wrong time or are malformed.
   * @default 20
   */
  readonly wildness?: number;
}

/** Name and password of the AUTH commands: `ann` and `pencil`, or a wrong one. */
const AUTHENTICATIONS: readonly DialogueStep[] = [
  { kind: 'command', line: 'AUTH PLAIN AGFubgBwZW5jaWw=' },
  { kind: 'command', line: 'AUTH LOGIN', responses: ['YW5u', 'cGVuY2ls'] },
  { kind: 'command', line: 'AUTH PLAIN', responses: ['AGFubgBwZW4='] },
  { kind: 'command', line: 'AUTH PLAIN', responses: ['*'] },
  { kind: 'command', line: 'AUTH XYZZY' },
];

/** The words of a transaction come up more often than those that leave it. */
const WEIGHTS: Readonly<Record<string, number>> = { MAIL: 12, RCPT: 8, DATA: 8, BDAT: 6 };

const weightOf = (word: string): number => WEIGHTS[word] ?? 1;

/** What a step is made of; which of it is used is for the chart to say. */
interface Ingredients {
  readonly pick: number;
  readonly wild: number;
  readonly name: string;
  readonly mail: string;
  readonly rcpt: string;
  readonly other: string;
  readonly near: string;
  readonly octets: Uint8Array;
  readonly authentication: DialogueStep;
}

export function clientDialogue(options: DialogueOptions = {}): fc.Arbitrary<ClientDialogue> {
  const { offers = DEFAULT_OFFERS, maximumSteps = 16, wildness = 20 } = options;
  const ingredients: fc.Arbitrary<Ingredients> = fc.record({
    pick: fc.nat(999),
    wild: fc.nat(99),
    name: domain(),
    mail: mailCommand({ offers }),
    rcpt: rcptCommand({ offers }),
    other: command({ offers }),
    near: nearCommand({ offers }).map(({ text }) => text),
    octets: message(),
    authentication: fc.constantFrom(...AUTHENTICATIONS),
  });
  return fc.array(ingredients, { minLength: 1, maxLength: maximumSteps, size: 'max' }).map((all) => {
    const walk = walkChart();
    const steps = all.map((each) => stepOf(each, walk, { offers, wildness }));
    return printedAs({ steps }, () => `\n${linesOf(steps).join('\n')}`);
  });
}

function stepOf(
  each: Ingredients,
  walk: ReturnType<typeof walkChart>,
  { offers, wildness }: { readonly offers: readonly string[]; readonly wildness: number },
): DialogueStep {
  if (99 - each.wild < wildness) {
    const line = each.pick % 2 === 0 ? each.other : each.near;
    // Whoever says DATA has to be ready for a 354.
    return /^data$/i.test(line) ? { kind: 'data', message: each.octets } : { kind: 'command', line };
  }
  const needed: Readonly<Record<string, string>> = { BDAT: 'CHUNKING', STARTTLS: 'STARTTLS' };
  // Nothing else makes sense before it.
  const legal =
    walk.state === 'session.greeted'
      ? ['EHLO']
      : walk.legal.filter(
          (word) => USUAL.has(word) && (needed[word] === undefined || offers.includes(needed[word])),
        );
  if (offers.includes('AUTH') && legal.includes('MAIL') && each.pick % 7 === 6) return each.authentication;
  const word = weighted(legal, each.pick) ?? 'NOOP';
  const step = stepFor(word, each);
  walk.take(word);
  if (word === 'DATA') walk.take('message');
  return step;
}

/** What a client says of itself in the course of a session; the rest comes in as wild steps. */
const USUAL = new Set(['EHLO', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'RSET', 'STARTTLS', 'QUIT']);

/** The more likely ones first, so that a step shrinks to what brings the session on. */
function weighted(words: readonly string[], pick: number): string | undefined {
  const ordered = [...words].sort((one, other) => weightOf(other) - weightOf(one));
  const total = ordered.reduce((sum, word) => sum + weightOf(word), 0);
  let left = (pick * total) / 1000;
  return ordered.find((word) => {
    left -= weightOf(word);
    return left < 0;
  });
}

function stepFor(word: string, { name, mail, rcpt, octets, pick }: Ingredients): DialogueStep {
  switch (word) {
    case 'EHLO':
      return { kind: 'command', line: `EHLO ${name}` };
    case 'MAIL':
      return { kind: 'command', line: mail };
    case 'RCPT':
      return { kind: 'command', line: rcpt };
    case 'DATA':
      return { kind: 'data', message: octets };
    case 'BDAT':
      return { kind: 'chunk', octets, last: pick % 2 === 0 };
    case 'STARTTLS':
      return { kind: 'startTls' };
    default:
      return { kind: 'command', line: word };
  }
}

/** A dialogue as it is printed. */
function linesOf(steps: readonly DialogueStep[]): string[] {
  return steps.flatMap(linesOfStep);
}

function linesOfStep(step: DialogueStep): string[] {
  switch (step.kind) {
    case 'command':
      return [step.line, ...(step.responses ?? [])].map((line) => `C: ${printable(line)}`);
    case 'data':
      return ['C: DATA', `C: ${escaped(step.message)} and the final dot`];
    case 'chunk':
      return [`C: ${chunkLine(step)}`, `C: ${escaped(step.octets)}`];
    case 'startTls':
      return ['C: STARTTLS', 'C: (handshake)'];
  }
}

const printable = (line: string): string => escaped(encodeText(line)).slice(1, -1);

const chunkLine = ({ octets, last }: { readonly octets: Uint8Array; readonly last: boolean }): string =>
  `BDAT ${octets.length}${last ? ' LAST' : ''}`;

/** The line of a step, with its CRLF; of a chunk, with its octets. */
export function octetsOfStep(step: DialogueStep): Uint8Array {
  switch (step.kind) {
    case 'command':
      return encodeText(`${step.line}\r\n`);
    case 'data':
      return encodeText('DATA\r\n');
    case 'chunk':
      return concatenate([encodeText(`${chunkLine(step)}\r\n`), step.octets]);
    case 'startTls':
      return encodeText('STARTTLS\r\n');
  }
}

/** A message made transparent, with its final dot (RFC 5321 §4.5.2). */
export function octetsOfMessage(octets: Uint8Array): Uint8Array {
  const DOT = 0x2e;
  const LF = 0x0a;
  const CR = 0x0d;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = octets.indexOf(DOT); at >= 0; at = octets.indexOf(DOT, at + 1)) {
    if (at > 0 && !(octets[at - 1] === LF && octets[at - 2] === CR)) continue;
    parts.push(octets.subarray(from, at), Uint8Array.of(DOT));
    from = at;
  }
  parts.push(octets.subarray(from));
  const ended = octets.length === 0 || (octets.at(-1) === LF && octets.at(-2) === CR);
  return concatenate([...parts, encodeText(ended ? '.\r\n' : '\r\n.\r\n')]);
}
