/** Looks for a server to which a client does what it must not: any scene, all rules; what is found is shrunk. */
import * as fc from 'fast-check';
import type { Verdict } from '../../contract/outcome.js';
import { CannotJudge } from '../../dialogue/findings.js';
import type { SmtpClient } from '../contract.js';
import { dialogueOf } from '../conversation.js';
import type { Seen } from '../judging.js';
import { observe, type Scene } from '../observe.js';
import { RULES, type Rule } from '../rules/index.js';
import { scene } from './scenes.js';

export interface ClientGenerationOptions {
  /** Servers that are tried. @default 200 */
  readonly runs?: number;
  /** What is generated depends on it alone. @default 1 */
  readonly seed?: number;
  /** Leads to one server of a seed. */
  readonly path?: string;
  /** Whether what is found is made as small as can be. @default true */
  readonly shrink?: boolean;
}

export interface GeneratedForClient {
  readonly runs: number;
  readonly seed: number;
  /** Of the server that was found, before it was made small; undefined: none was. */
  readonly path: string | undefined;
  /** Undefined: nothing was found. */
  readonly finding: Verdict | undefined;
  /** The server of the finding. */
  readonly script: Scene['script'] | undefined;
}

/** Milliseconds that a client may take. */
const LIMIT = 10_000;

/** Milliseconds: a client that waits no longer for a reply is met by silence as well. */
const LONGEST_SILENCE = 5000;

/** Only of a client whose time-outs are known can it be said that it does not come to an end. */
const NEEDS_SILENCE = 'client-rule/end';

interface Broken {
  readonly rule: Rule;
  readonly words: string;
  readonly seen: Seen;
}

function brokenRule(seen: Seen, rules: readonly Rule[]): Broken | undefined {
  for (const rule of rules) {
    try {
      const words = rule.judge(seen);
      if (words !== undefined) return { rule, words, seen };
    } catch (error) {
      if (!(error instanceof CannotJudge)) throw error;
    }
  }
  return undefined;
}

/**
 * Tries a client on generated servers until a rule is broken.
 *
 * A client whose `replyTimeout` is 5000 ms at most meets servers that say nothing more, too.
 */
export async function generateForClient(
  client: SmtpClient,
  { runs = 200, seed = 1, path, shrink = true }: ClientGenerationOptions = {},
): Promise<GeneratedForClient> {
  const begin = performance.now();
  const { setups = ['plain'], replyTimeout = Number.POSITIVE_INFINITY } = client;
  const silence = replyTimeout <= LONGEST_SILENCE ? replyTimeout : undefined;
  const rules = silence === undefined ? RULES.filter(({ id }) => id !== NEEDS_SILENCE) : RULES;
  let tried = 0;
  let isFound = false;
  let last: (Broken & { readonly script: Scene['script'] }) | undefined;
  const property = fc.asyncProperty(scene({ setups, silence }), async (each) => {
    if (!isFound) tried++;
    const limit = silence === undefined ? LIMIT : LIMIT + 2 * silence;
    const broken = brokenRule(await observe(client, { ...each, limit }), rules);
    if (broken === undefined) return;
    isFound = true;
    last = { ...broken, script: each.script };
    throw new Error(broken.words);
  });
  const details = await fc.check(property, {
    numRuns: runs,
    seed,
    endOnFailure: !shrink,
    ...(path !== undefined && { path }),
  });
  const found = { runs: tried, seed, path: details.counterexamplePath?.split(':')[0] };
  if (last === undefined) return { ...found, finding: undefined, script: undefined };
  const { rule, words, seen, script } = last;
  const { id, section, level, rationale } = rule;
  const finding: Verdict = {
    id: id.replace('client-rule/', 'client-generated/'),
    section,
    level,
    rationale,
    outcome: { result: 'failed', seen: words },
    dialogue: dialogueOf(seen.connections),
    milliseconds: performance.now() - begin,
  };
  return { ...found, finding, script };
}
