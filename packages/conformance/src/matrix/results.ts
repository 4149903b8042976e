/** What came of judging servers, as it is stored: `results/servers.json`, from which the documents are made. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { serverGroups } from '../cases/index.js';
import type { Demand, Verdict } from '../contract/outcome.js';
import type { Cell } from './matrix-html.js';

/** A deviation; those of level MUST and SECURITY with their dialogue. */
export interface StoredFinding extends Pick<Demand, 'id' | 'section' | 'level'> {
  readonly seen: string;
  readonly dialogue: readonly string[];
}

export interface StoredServer {
  readonly name: string;
  readonly configuration: string;
  readonly version: string;
  /** Why it was not judged; the lists are empty then. */
  readonly notRun?: string;
  readonly seconds: number;
  /** Ids. */
  readonly passed: readonly string[];
  /** Ids by the reason. */
  readonly skipped: Readonly<Record<string, readonly string[]>>;
  readonly findings: readonly StoredFinding[];
}

const FILE = fileURLToPath(new URL('../../results/servers.json', import.meta.url));

export function readResults(): readonly StoredServer[] {
  try {
    return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly servers: readonly StoredServer[] }).servers;
  } catch {
    return [];
  }
}

export function writeResults(servers: readonly StoredServer[]): void {
  mkdirSync(fileURLToPath(new URL('../../results', import.meta.url)), { recursive: true });
  writeFileSync(FILE, `${JSON.stringify({ servers }, undefined, 2)}\n`);
}

/** Longer lines of a dialogue say no more. */
const LONGEST_LINE = 160;

/** A server that greets by the name of the machine says no more by it. */
const MACHINE = hostname();

function shortened(given: string): string {
  const line = given
    .split(/\b/)
    .map((word) => (word === MACHINE ? 'localhost' : word))
    .join('');
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}… (${line.length} characters)`;
}

const LONGEST_DIALOGUE = 40;

/** A dialogue of many lines: its beginning and its end. */
export function shortenedDialogue(dialogue: readonly string[]): readonly string[] {
  const lines = dialogue.map(shortened);
  if (lines.length <= LONGEST_DIALOGUE) return lines;
  const half = LONGEST_DIALOGUE / 2;
  return [...lines.slice(0, half), `(${lines.length - 2 * half} lines more)`, ...lines.slice(-half)];
}

const PLACES = new Map(serverGroups.flatMap(({ cases }) => cases).map(({ id }, place) => [id, place]));

/** In the order of the cases; what is none comes last. */
const byPlace = (one: StoredFinding, other: StoredFinding): number =>
  (PLACES.get(one.id) ?? PLACES.size) - (PLACES.get(other.id) ?? PLACES.size);

/** What was judged before, with what was judged anew in its place. */
export function merged(before: StoredServer, now: StoredServer): StoredServer {
  if (now.notRun !== undefined || before.notRun !== undefined) return now;
  const judged = new Set([
    ...now.passed,
    ...now.findings.map(({ id }) => id),
    ...Object.values(now.skipped).flat(),
  ]);
  const others = (ids: readonly string[] = []) => ids.filter((id) => !judged.has(id));
  const reasons = [...new Set([...Object.keys(before.skipped), ...Object.keys(now.skipped)])];
  const skipped = reasons
    .map((reason) => [reason, [...others(before.skipped[reason]), ...(now.skipped[reason] ?? [])]] as const)
    .filter(([, ids]) => ids.length > 0);
  return {
    ...now,
    seconds: before.seconds,
    passed: [...others(before.passed), ...now.passed],
    skipped: Object.fromEntries(skipped),
    findings: [...before.findings.filter(({ id }) => !judged.has(id)), ...now.findings].sort(byPlace),
  };
}

/** What is stored of a server, as the matrix shows it: only findings of level MUST and SECURITY have their dialogue. */
export function cellsOf({ passed, skipped, findings }: StoredServer): readonly Cell[] {
  const skips = Object.entries(skipped).flatMap(([reason, ids]) => ids.map((id) => ({ id, reason })));
  return [
    ...passed.map((id) => ({ id, outcome: { result: 'passed' }, dialogue: [] }) as const),
    ...skips.map(({ id, reason }) => ({ id, outcome: { result: 'skipped', reason }, dialogue: [] }) as const),
    ...findings.map(
      ({ id, seen, dialogue }) => ({ id, outcome: { result: 'failed', seen }, dialogue }) as const,
    ),
  ];
}

export function storedOf(
  about: Pick<StoredServer, 'name' | 'configuration' | 'version' | 'seconds'>,
  verdicts: readonly Verdict[],
): StoredServer {
  const skipped: Record<string, string[]> = {};
  const passed: string[] = [];
  const findings: StoredFinding[] = [];
  for (const { outcome, dialogue, milliseconds: _, ...demand } of verdicts) {
    if (outcome.result === 'passed') passed.push(demand.id);
    else if (outcome.result === 'skipped') {
      skipped[outcome.reason] = [...(skipped[outcome.reason] ?? []), demand.id];
    } else {
      const { id, section, level } = demand;
      const isSerious = level === 'MUST' || level === 'SECURITY';
      findings.push({
        id,
        section,
        level,
        seen: shortened(outcome.seen),
        dialogue: isSerious ? shortenedDialogue(dialogue) : [],
      });
    }
  }
  return { ...about, passed, skipped, findings };
}
