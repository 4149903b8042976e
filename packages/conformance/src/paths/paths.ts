/**
 * The server's chart, walked against any server: from each state in which it waits for the client, each word that a client
 * may say, also after what was refused. The reference model judges each reply.
 */
import { encodeText } from '@sansmtp/core';
import type { ServerFacts } from '@sansmtp/testing/model';
import type { CaseGroup, ConformanceCase } from '../contract/case.js';
import { testMessage } from '../contract/message.js';
import type { Target } from '../contract/target.js';
import { Deviation } from '../dialogue/findings.js';
import { WHOLE } from '../generated/dialogues.js';
import { factsOf } from '../generated/generation.js';
import { ModelDeviation, play } from '../generated/player.js';
import type { GeneratedStep } from '../generated/steps.js';
import { shortestPaths } from './skeleton.js';
import { commandFor, loginLine, type Speaker, type Word, words } from './words.js';

/** The states in which the client may say anything, by their names in the paths' ids. */
const WAITING = {
  greeted: 'session.greeted',
  ready: 'session.ready',
  opened: 'session.transaction.opened',
  addressed: 'session.transaction.addressed',
  chunked: 'session.transaction.chunked',
} as const;

type Waiting = keyof typeof WAITING;

/** What is refused first: what was pipelined after it is no further error (RFC 2920 §3.1). */
const REFUSED: Readonly<Partial<Record<Waiting, string>>> = {
  greeted: 'MAIL FROM:<a@>',
  ready: 'MAIL FROM:<a@>',
  opened: 'RCPT TO:<a@>',
};
const AFTER_REFUSED = /^(?:mail|rcpt|data|bdat-last|bdat-empty)$/;

export interface PathOptions {
  /** What is known of the server, beside what the target tells. @default nothing */
  readonly facts?: ServerFacts;
  /** The client never says EHLO; only lenient servers take mail then. @default false */
  readonly withoutHello?: boolean;
  /** The client goes on in the clear and without AUTH, even where the server wants these before mail. @default false */
  readonly uninvited?: boolean;
}

/** All paths, as cases: `paths/STATE-WORD`. */
export function pathGroupOf(options: PathOptions = {}): CaseGroup {
  return {
    name: 'paths',
    title: 'Paths of the chart',
    introduction:
      "The ways through the server's chart: from each state in which the server waits for the client, each command, right and in the ways it can be wrong. A model written from the RFCs says which replies are allowed.",
    remedy: 'The finding names the clause; the dialogue ends with the reply that is against it.',
    cases: (Object.keys(WAITING) as Waiting[]).flatMap((state) => pathsFrom(state, options)),
  };
}

function pathsFrom(state: Waiting, options: PathOptions): ConformanceCase[] {
  return words
    .filter((word) => word.state === undefined || word.state === state)
    .flatMap((word) => {
      const refused = REFUSED[state];
      const plain = pathCase(state, word, [], options);
      if (refused === undefined || !AFTER_REFUSED.test(word.name)) return [plain];
      return [plain, pathCase(state, word, [refused], options)];
    });
}

function pathCase(
  state: Waiting,
  word: Word,
  refused: readonly string[],
  options: PathOptions,
): ConformanceCase {
  const needsMail = state !== 'greeted' && state !== 'ready';
  const needs = [
    ...(needsMail ? (['mail'] as const) : []),
    ...(state === 'chunked' ? (['CHUNKING'] as const) : []),
    ...(word.needs ?? []),
  ];
  return {
    id: `paths/${state}-${refused.length > 0 ? 'refused-' : ''}${word.name}`,
    section: 'RFC 5321 §4.1.4',
    level: 'MUST',
    rationale: `Each reply is one that the RFCs allow, up to ${word.name} where the chart stands in ${state}.`,
    ...(needs.length > 0 && { needs: [...new Set(needs)] }),
    async run(target) {
      const speaker = speakerOf(target);
      const before = refused.map((line): GeneratedStep => ({ kind: 'lines', lines: [line] }));
      const steps = [...wayInto(state, speaker, target, options), ...before, ...word.steps(speaker)];
      try {
        await play(target, { steps, chunks: WHOLE }, { ...factsOf(target), ...options.facts });
      } catch (error) {
        if (!(error instanceof ModelDeviation)) throw error;
        throw new Deviation(`${error.message} (${error.clause})`);
      }
    },
  };
}

/** The steps that lead to a state, with TLS and a login after EHLO where the server wants them. */
function wayInto(
  state: Waiting,
  speaker: Speaker,
  { survey: { entry } }: Target,
  { withoutHello = false, uninvited = false }: PathOptions,
): readonly GeneratedStep[] {
  const path = shortestPaths(withoutHello ? 'without EHLO' : 'with EHLO').get(WAITING[state]) ?? [];
  return path.flatMap((transition) => {
    const step = commandFor(transition, speaker);
    if (step === undefined) return [];
    if (uninvited || transition.event !== 'command.EHLO') return [step];
    return [
      step,
      ...(entry.startTls ? [{ kind: 'lines', lines: ['STARTTLS'] } as const, step] : []),
      ...(entry.authenticate ? [{ kind: 'lines', lines: [loginLine(speaker)] } as const] : []),
    ];
  });
}

function speakerOf({ protocol, from, to, helloLine, credentials, survey }: Target): Speaker {
  return {
    protocol,
    from,
    to,
    credentials,
    hostname: helloLine.split(' ')[1] ?? 'probe.invalid',
    preface: encodeText(testMessage({ from, to })),
    sizeLimit: Number(survey.offers.get('SIZE') || 0),
  };
}

/** What `describeSmtpServer` and the probe walk. */
export const paths: CaseGroup = pathGroupOf();
