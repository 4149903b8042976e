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
  /** Whether what is found is made as small as can be. @default true */
  readonly shrink?: boolean;
}

export interface GeneratedForClient {
  readonly runs: number;
  /** Undefined: nothing was found. */
  readonly finding: Verdict | undefined;
  /** The server of the finding. */
  readonly script: Scene['script'] | undefined;
}

/** Milliseconds that a client may take. */
const LIMIT = 10_000;

interface Broken {
  readonly rule: Rule;
  readonly words: string;
  readonly seen: Seen;
}

function brokenRule(seen: Seen): Broken | undefined {
  for (const rule of RULES) {
    try {
      const words = rule.judge(seen);
      if (words !== undefined) return { rule, words, seen };
    } catch (error) {
      if (!(error instanceof CannotJudge)) throw error;
    }
  }
  return undefined;
}

/** Tries a client on generated servers until a rule is broken. */
export async function generateForClient(
  client: SmtpClient,
  { runs = 200, seed = 1, shrink = true }: ClientGenerationOptions = {},
): Promise<GeneratedForClient> {
  const begin = performance.now();
  let tried = 0;
  let isFound = false;
  let last: (Broken & { readonly script: Scene['script'] }) | undefined;
  const property = fc.asyncProperty(scene(client.setups ?? ['plain']), async (each) => {
    if (!isFound) tried++;
    const seen = await observe(client, { ...each, limit: LIMIT });
    const broken = brokenRule(seen);
    if (broken === undefined) return;
    isFound = true;
    last = { ...broken, script: each.script };
    throw new Error(broken.words);
  });
  await fc.check(property, { numRuns: runs, seed, endOnFailure: !shrink });
  if (last === undefined) return { runs: tried, finding: undefined, script: undefined };
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
  return { runs: tried, finding, script };
}
