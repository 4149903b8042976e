/** Verdicts as JUnit XML, which CI systems show. A test fails where the exit code does: at MUST and SECURITY, unless known. */
import type { Verdict } from '../contract/outcome.js';
import { judgementOf } from './known-deviations.js';
import { findingLine } from './lines.js';

/** Text for an attribute or an element: what XML 1.0 cannot hold becomes `?`. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface JunitOptions {
  /** What was judged: a host and a port. */
  readonly target: string;
  readonly known?: ReadonlySet<string>;
}

function testCase(verdict: Verdict, isFailure: boolean): string {
  const { id, level, section, rationale, outcome, dialogue, milliseconds } = verdict;
  const [group = ''] = id.split('/');
  const head = `    <testcase classname="${xml(group)}" name="${xml(id)}" time="${(milliseconds / 1000).toFixed(3)}"`;
  const text = xml([`${level}, ${section}: ${rationale}`, ...dialogue].join('\n'));
  if (outcome.result === 'skipped') return `${head}><skipped message="${xml(outcome.reason)}"/></testcase>`;
  if (outcome.result === 'passed') return `${head}/>`;
  if (isFailure) {
    return `${head}><failure type="${level}" message="${xml(outcome.seen)}">${text}</failure></testcase>`;
  }
  return `${head}><system-out>${xml(findingLine(verdict))}\n${text}</system-out></testcase>`;
}

export function junitXml(verdicts: readonly Verdict[], { target, known = new Set() }: JunitOptions): string {
  const { skipped, serious } = judgementOf(verdicts, known);
  const seconds = verdicts.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="sansmtp probe ${xml(target)}" tests="${verdicts.length}" failures="${serious.length}" errors="0" skipped="${skipped}" time="${seconds.toFixed(3)}">`,
    ...verdicts.map((verdict) => testCase(verdict, serious.includes(verdict))),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
