/** The report for people: one file, without scripts and without anything to fetch. */
import type { CaseGroupText, Level } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import { STYLE } from './html-style.js';
import { judgementOf } from './known-deviations.js';
import { clauseUrl, pageOf } from './pages.js';

export interface HtmlOptions {
  /** What was judged: a host and a port. */
  readonly target: string;
  readonly groups: readonly CaseGroupText[];
  /** When, as people write it. */
  readonly date: string;
  readonly known?: ReadonlySet<string>;
}

const LEVELS: readonly Level[] = ['SECURITY', 'MUST', 'SHOULD', 'INTEROP'];

/** Text for HTML; nothing that a server said is markup. */
function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const groupOf = (id: string): string => id.split('/')[0] ?? '';

const badge = (level: Level): string => `<span class="level ${level.toLowerCase()}">${level}</span>`;

function clause(section: string): string {
  const url = clauseUrl(section);
  return url === undefined ? html(section) : `<a href="${url}">${html(section)}</a>`;
}

/** The dialogue as a ladder: the client's lines on the left, the server's on the right. */
function ladder(dialogue: readonly string[]): string {
  const rungs = dialogue.map((line) => {
    const [, by, text = line] = /^([CS]): ?(.*)$/s.exec(line) ?? [];
    const side = by === 'C' ? 'client' : by === 'S' ? 'server' : 'between';
    return `<li class="${side}"><span class="who">${by ?? ''}</span><code>${html(text)}</code></li>`;
  });
  return `<ol class="ladder">${rungs.join('')}</ol>`;
}

function finding(verdict: Verdict, groups: readonly CaseGroupText[], isKnown: boolean): string {
  const { id, level, section, rationale, outcome, dialogue } = verdict;
  const remedy = verdict.remedy ?? groups.find(({ name }) => name === groupOf(id))?.remedy;
  const seen = outcome.result === 'failed' ? outcome.seen : '';
  return `<details open class="finding" id="${html(id)}">
<summary>${badge(level)} <code>${html(id)}</code>${isKnown ? ' <em>known</em>' : ''}<span class="seen">${html(seen)}</span></summary>
<p>${html(rationale)} ${clause(section)}</p>
${ladder(dialogue)}
${remedy === undefined ? '' : `<p class="remedy"><b>Remedy</b> ${html(remedy)}</p>`}
<p class="page">${html(pageOf(id))}</p>
</details>`;
}

/** Skipped cases by their reason: most share one. */
function skippedByReason(verdicts: readonly Verdict[]): string {
  const reasons = new Map<string, string[]>();
  for (const { id, outcome } of verdicts) {
    if (outcome.result !== 'skipped') continue;
    reasons.set(outcome.reason, [...(reasons.get(outcome.reason) ?? []), id]);
  }
  const rows = [...reasons].map(
    ([reason, ids]) =>
      `<details><summary>${ids.length} × ${html(reason)}</summary><p class="ids">${ids.map((id) => `<code>${html(id)}</code>`).join(' ')}</p></details>`,
  );
  return rows.join('\n');
}

function overview(verdicts: readonly Verdict[], groups: readonly CaseGroupText[]): string {
  const titles = new Map(groups.map(({ name, title }) => [name, title]));
  const names = [...new Set(verdicts.map(({ id }) => groupOf(id)))];
  const rows = names.map((name) => {
    const own = verdicts.filter(({ id }) => groupOf(id) === name);
    const { passed, failed, skipped } = judgementOf(own);
    return `<tr><th scope="row">${html(titles.get(name) ?? name)}</th><td>${passed}</td><td class="${failed > 0 ? 'bad' : ''}">${failed}</td><td>${skipped}</td></tr>`;
  });
  return `<table><thead><tr><th scope="col">Group</th><th scope="col">passed</th><th scope="col">failed</th><th scope="col">skipped</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

export function htmlReport(verdicts: readonly Verdict[], options: HtmlOptions): string {
  const { target, groups, date, known = new Set<string>() } = options;
  const { passed, failed, skipped, serious, healed } = judgementOf(verdicts, known);
  const failures = verdicts
    .filter(({ outcome }) => outcome.result === 'failed')
    .sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  const counts = LEVELS.map((level) => {
    const count = failures.filter((each) => each.level === level).length;
    return `<li>${badge(level)} ${count}</li>`;
  });
  const conforms =
    serious.length === 0
      ? 'Nothing of level MUST or SECURITY failed.'
      : `${serious.length} of level MUST or SECURITY failed.`;
  const passes = verdicts.filter(({ outcome }) => outcome.result === 'passed');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SMTP conformance of ${html(target)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>SMTP conformance of <code>${html(target)}</code></h1>
<p>${html(date)} · ${passed} passed, ${failed} failed, ${skipped} skipped. <strong class="${serious.length === 0 ? 'good' : 'bad'}">${conforms}</strong></p>
<ul class="counts">${counts.join('')}</ul>
${healed.length === 0 ? '' : `<p>Healed, and still listed as known: ${healed.map((id) => `<code>${html(id)}</code>`).join(', ')}</p>`}
</header>
<main>
<section><h2>By group</h2>${overview(verdicts, groups)}</section>
<section><h2>Findings</h2>${failures.length === 0 ? '<p>None.</p>' : failures.map((each) => finding(each, groups, known.has(each.id))).join('\n')}</section>
<section><h2>Skipped</h2>${skipped === 0 ? '<p>None.</p>' : skippedByReason(verdicts)}</section>
<section><h2>Passed</h2><details><summary>${passes.length} cases</summary><p class="ids">${passes.map(({ id }) => `<code>${html(id)}</code>`).join(' ')}</p></details></section>
</main>
<footer><p>sansmtp probe. MUST and SECURITY are violations; SHOULD is advice of an RFC; INTEROP is what peers may suffer from.</p></footer>
</body>
</html>
`;
}
