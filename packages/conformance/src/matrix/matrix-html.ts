/** The matrix as a page: cases by servers; each cell opens the case, with what is expected and what was said. */
import type { CaseGroup } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import { STYLE } from '../reports/html-style.js';
import { clauseUrl } from '../reports/pages.js';
import { shortenedDialogue } from './results.js';

/** Text for HTML; nothing that a server said is markup. */
const html = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const OWN_STYLE = `
body { max-width: none; } td, th { text-align: left; padding: .1rem .5rem; } thead th { position: sticky; top: 0; background: var(--ground); }
button { font: inherit; border: 0; background: none; cursor: pointer; width: 100%; color: inherit; }
.passed { color: var(--good); } .failed { color: var(--bad); font-weight: 700; } .skipped { color: var(--faint); }
dialog { max-width: 60rem; width: 90vw; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: .4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .5rem; }
`;

const SCRIPT = `
const data = JSON.parse(document.getElementById('data').textContent);
const dialog = document.querySelector('dialog');
document.querySelector('table').addEventListener('click', ({ target }) => {
  const { server, id } = target.dataset;
  if (id === undefined) return;
  const verdict = data[server][id];
  dialog.querySelector('h2').textContent = server + ': ' + id;
  dialog.querySelector('.demand').textContent = target.closest('tr').dataset.rationale;
  dialog.querySelector('.seen').textContent = verdict.result + (verdict.text ? ': ' + verdict.text : '');
  dialog.querySelector('pre').textContent = verdict.dialogue.join('\\n');
  dialog.showModal();
});
`;

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/** What a cell shows. */
export type Cell = Pick<Verdict, 'id' | 'outcome' | 'dialogue'>;

function cellOf(server: string, verdict: Cell | undefined): string {
  if (verdict === undefined) return '<td></td>';
  const { result } = verdict.outcome;
  return `<td class="${result}"><button data-server="${html(server)}" data-id="${html(verdict.id)}" aria-label="${result}">${MARKS[result]}</button></td>`;
}

function dataOf(columns: ReadonlyMap<string, readonly Cell[]>): string {
  const data = Object.fromEntries(
    [...columns].map(([server, verdicts]) => [
      server,
      Object.fromEntries(
        verdicts.map(({ id, outcome, dialogue }) => {
          const text =
            outcome.result === 'failed' ? outcome.seen : outcome.result === 'skipped' ? outcome.reason : '';
          return [id, { result: outcome.result, text, dialogue: shortenedDialogue(dialogue) }];
        }),
      ),
    ]),
  );
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** @param columns each server's verdicts */
export function matrixHtml(
  groups: readonly CaseGroup[],
  columns: ReadonlyMap<string, readonly Cell[]>,
): string {
  const servers = [...columns].map(([name, verdicts]) => ({
    name,
    verdicts: new Map(verdicts.map((verdict) => [verdict.id, verdict])),
  }));
  const heads = servers.map(({ name }) => `<th scope="col">${html(name)}</th>`).join('');
  const rows = groups.flatMap(({ title, cases }) => [
    `<tr><th colspan="${servers.length + 3}"><b>${html(title)}</b></th></tr>`,
    ...cases.map(({ id, level, section, rationale }) => {
      const url = clauseUrl(section);
      const clause = url === undefined ? html(section) : `<a href="${url}">${html(section)}</a>`;
      const cells = servers.map(({ name, verdicts }) => cellOf(name, verdicts.get(id))).join('');
      return `<tr data-rationale="${html(`${level}, ${section}: ${rationale}`)}"><th scope="row"><code>${html(id)}</code></th><td><span class="level ${level.toLowerCase()}">${level}</span></td><td>${clause}</td>${cells}</tr>`;
    }),
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SMTP conformance: cases by servers</title>
<style>${STYLE}${OWN_STYLE}</style>
</head>
<body>
<h1>SMTP conformance: cases by servers</h1>
<p>✓ passed, ✗ failed, – skipped. Each cell opens what was expected, and the dialogue.</p>
<table><thead><tr><th scope="col">Case</th><th scope="col">Level</th><th scope="col">Clause</th>${heads}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
<dialog><h2></h2><p class="demand"></p><p class="seen"></p><pre></pre><form method="dialog"><button>Close</button></form></dialog>
<script type="application/json" id="data">${dataOf(columns)}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}
