/** Whole dialogues: walks of the server's chart, and the stretches in which servers err, one after the other. */
import { type Chunking, chunking, clientDialogue, type DialogueStep } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import { type GeneratedStep, mailDataOf } from './steps.js';
import { helloOf, type Surroundings, stretches } from './stretches/index.js';

export interface GeneratedDialogue {
  readonly steps: readonly GeneratedStep[];
  /** Where the client's octets are cut into writes. */
  readonly chunks: Chunking;
}

export interface DialogueChoice {
  /** Envelopes may have any address, and messages may be anything: the server keeps what it takes to itself. */
  readonly anything: boolean;
  /** @default 4 */
  readonly maximumStretches?: number;
}

export function generatedDialogue(
  around: Surroundings,
  { anything, maximumStretches = 4 }: DialogueChoice,
): fc.Arbitrary<GeneratedDialogue> {
  const piece = anything
    ? fc.oneof({ weight: 4, arbitrary: stretches(around) }, { weight: 1, arbitrary: walk(around) })
    : stretches(around);
  const hello = fc.oneof(
    { weight: 12, arbitrary: fc.constant<GeneratedStep[]>([{ kind: 'lines', lines: [helloOf(around)] }]) },
    { weight: 1, arbitrary: fc.constant<GeneratedStep[]>([]) },
  );
  const pieces = fc.array(piece, { minLength: 1, maxLength: maximumStretches });
  const cuts = fc.oneof({ weight: 3, arbitrary: fc.constant(WHOLE) }, { weight: 1, arbitrary: chunking() });
  return fc
    .tuple(hello, pieces, cuts)
    .map(([first, rest, chunks]) => ({ steps: [...first, ...rest.flat()], chunks }));
}

/** Each write as it is. */
export const WHOLE: Chunking = { sizes: [Number.MAX_SAFE_INTEGER], cut: (octets) => [octets] };

/** A walk of the chart (RFC 5321 §4.1.4): most steps bring the session on, some are malformed or come at the wrong time. */
function walk(around: Surroundings): fc.Arbitrary<readonly GeneratedStep[]> {
  const offers = [...around.offers.keys()].filter((keyword) => keyword !== 'AUTH');
  return clientDialogue({ offers, maximumSteps: 10 }).map(({ steps }) =>
    steps.flatMap((step) => taken(step, around)),
  );
}

function taken(step: DialogueStep, around: Surroundings): GeneratedStep[] {
  switch (step.kind) {
    case 'command': {
      const line = around.protocol === 'lmtp' ? step.line.replace(/^EHLO/i, 'LHLO') : step.line;
      return [{ kind: 'lines', lines: [line], ...(step.responses && { responses: step.responses }) }];
    }
    case 'data':
      return [{ kind: 'lines', lines: ['DATA'], message: mailDataOf(step.message) }];
    case 'chunk':
      return [step];
    case 'startTls':
      return [{ kind: 'lines', lines: ['STARTTLS'] }];
  }
}
