/** The page of a group in the documents: each case with its clause, a dialogue that conforms, and the remedy. */
import type { CaseGroupText } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import { clauseUrl } from './pages.js';

/** What Markdown would take for markup stands as it is. */
function markdown(text: string): string {
  return text.replace(/[\\<>*_`[\]|#~]/g, (character) => `\\${character}`);
}

type CaseText = CaseGroupText['cases'][number];

function section({ section }: CaseText): string {
  const url = clauseUrl(section);
  return url === undefined ? section : `[${section}](${url})`;
}

/** Without the greeting and EHLO, which all dialogues have in common, unless there is nothing else. */
function essence(dialogue: readonly string[]): readonly string[] {
  if (!/^C: [EL]HLO /.test(dialogue[1] ?? '')) return dialogue;
  const end = dialogue.findIndex((line, index) => index > 1 && /^S: 250(?: |$)/.test(line));
  const rest = dialogue.slice(end + 1);
  return end < 0 || rest.length === 0 ? dialogue : ['(greeting and EHLO)', ...rest];
}

function caseSection(each: CaseText, group: CaseGroupText, verdict: Verdict | undefined): string {
  const name = each.id.slice(group.name.length + 1);
  const needs =
    each.needs === undefined || each.needs.length === 0
      ? ''
      : ` · needs ${[...new Set(each.needs)].join(', ')}`;
  const dialogue = verdict?.outcome.result === 'passed' ? verdict.dialogue : [];
  return [
    `## ${name}`,
    '',
    `${each.level} · ${section(each)}${needs}`,
    '',
    markdown(each.rationale),
    '',
    ...(dialogue.length === 0 ? [] : ['```text', ...essence(dialogue), '```', '']),
    ...(each.remedy === undefined ? [] : [`Remedy: ${markdown(each.remedy)}`, '']),
  ].join('\n');
}

/**
 * @param verdicts of our own server: its dialogues are the examples; none for what judges clients
 */
export function groupDocument(
  group: CaseGroupText,
  verdicts: ReadonlyMap<string, Verdict> | undefined,
): string {
  const note = verdicts === undefined ? ' for clients' : '; the dialogues are those of our own server';
  return [
    `# Conformance: ${group.title}`,
    '',
    `${markdown(group.introduction)} ${group.cases.length} cases${note}.`,
    '',
    `Remedy, where a case has none of its own: ${markdown(group.remedy)}`,
    '',
    ...group.cases.map((each) => caseSection(each, group, verdicts?.get(each.id))),
  ].join('\n');
}
