/** docs/conformance.md: servers by groups in counts, then what deviates in each, with its clause and the shortest dialogue. */
import { serverGroups } from '../cases/index.js';
import { CLIENT_GROUPS } from '../clients/cases/index.js';
import { clauseUrl } from '../reports/pages.js';
import type { StoredFinding, StoredServer } from './results.js';
import { type Review, reviewOf, reviewsOf } from './reviews/review.js';

const GENERATED = 'generated/model';

export interface StoredClient {
  readonly name: string;
  readonly version: string;
  readonly passed: number;
  readonly skipped: number;
  readonly findings: readonly StoredFinding[];
}

/** What Markdown would take for markup stands as it is. */
const markdown = (text: string): string => text.replace(/[\\<>*_`[\]|#~]/g, (character) => `\\${character}`);

const isSerious = ({ level }: StoredFinding): boolean => level === 'MUST' || level === 'SECURITY';

/** Ids by their groups: each group leads to its page. */
function listed(findings: readonly StoredFinding[]): string {
  const byGroup = new Map<string, string[]>();
  for (const { id } of findings) {
    const [group = '', name = ''] = id.split('/');
    byGroup.set(group, [...(byGroup.get(group) ?? []), name]);
  }
  return [...byGroup]
    .map(([group, names]) => {
      const isPage = [...serverGroups, ...CLIENT_GROUPS].some(({ name }) => name === group);
      return `${isPage ? `[${group}](conformance/${group}.md)` : group}: ${names.join(', ')}`;
    })
    .join('; ');
}

function clause(section: string): string {
  const url = clauseUrl(section);
  return url === undefined ? section : `[${section}](${url})`;
}

/** Without the greeting and EHLO, and of a message its last lines only. */
function essence(dialogue: readonly string[]): readonly string[] {
  const end = dialogue.findIndex((line, index) => index > 1 && /^S: 250(?: |$)/.test(line));
  const isUsual = /^C: [EL]HLO /.test(dialogue[1] ?? '') && end > 0 && end < dialogue.length - 1;
  const rest = isUsual ? dialogue.slice(end + 1) : dialogue;
  const header = rest.findIndex((line) => line.startsWith('C: From: <'));
  const body = rest.findIndex((line, index) => index > header && line === 'C: ');
  return header < 0 || body < 0 ? rest : [...rest.slice(0, header), '(header section)', ...rest.slice(body)];
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

const skippedOf = ({ skipped }: StoredServer): readonly string[] => Object.values(skipped).flat();

/** All ids that were judged, or were to be. */
function idsOf(server: StoredServer): readonly string[] {
  return [...server.passed, ...server.findings.map(({ id }) => id), ...skippedOf(server)];
}

/** How many of a group passed, failed and were skipped, as `12 · **3** · 0`. */
function cell(server: StoredServer, group: string): string {
  if (server.notRun !== undefined) return '–';
  const count = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`${group}/`)).length;
  const failed = count(server.findings.map(({ id }) => id));
  return [count(server.passed), failed === 0 ? 0 : `**${failed}**`, count(skippedOf(server))].join(' · ');
}

function overview(servers: readonly StoredServer[]): string {
  const known = new Set(servers.flatMap(idsOf).map((id) => id.split('/')[0]));
  const row = (title: string, group: string) => [title, ...servers.map((server) => cell(server, group))];
  const rows = serverGroups
    .filter(({ name }) => known.has(name))
    .map(({ title, name }) => row(`[${title}](conformance/${name}.md)`, name));
  return table(
    ['Group', ...servers.map(({ name }) => name)],
    [...rows, row('Generated dialogues', 'generated')],
  );
}

/** How many of the serious ones are doubtful. */
const doubtfulOf = (name: string, findings: readonly StoredFinding[]): number =>
  findings.filter((each) => isSerious(each) && reviewOf(name, each.id)?.judgement === 'doubtful').length;

function levels(servers: readonly StoredServer[]): string {
  const rows = servers.map((server) => {
    const of = (...names: string[]) => server.findings.filter(({ level }) => names.includes(level)).length;
    const doubtful = doubtfulOf(server.name, server.findings);
    const version = `${server.name} ${server.version}`.trim();
    if (server.notRun !== undefined) return [version, '–', '–', '–', '–', '–', markdown(server.notRun)];
    const counts = [of('SECURITY'), of('MUST'), doubtful, of('SHOULD'), of('INTEROP')];
    return [version, ...counts, `${server.seconds} s`];
  });
  const head = ['Server', 'SECURITY', 'MUST', 'of these doubtful', 'SHOULD', 'INTEROP', 'time'];
  return table(head, rows);
}

/** One cause: its ids, and the shortest of their dialogues. */
function cause(review: Review, findings: readonly StoredFinding[]): string {
  const [shortest] = [...findings].sort((one, other) => one.dialogue.length - other.dialogue.length);
  if (shortest === undefined) return '';
  const levelsOf = [...new Set(findings.map(({ level }) => level))].sort().reverse().join(', ');
  const own = findings.filter(({ id }) => findings.length === 1 || id !== GENERATED);
  const sections =
    review.section === undefined ? [...new Set(own.map(({ section }) => section))] : [review.section];
  return [
    `**${markdown(review.cause)}** ${levelsOf} · ${sections.map(clause).join(', ')}${review.judgement === 'doubtful' ? ' · *doubtful*' : ''}`,
    '',
    ...(review.judgement === 'doubtful' || review.note !== undefined
      ? [markdown(review.note ?? ''), '']
      : []),
    '```text',
    ...essence(shortest.dialogue),
    '```',
    '',
    `Seen by ${listed(findings)}.`,
    '',
  ].join('\n');
}

function lesser(findings: readonly StoredFinding[], level: StoredFinding['level']): readonly string[] {
  const ids = findings.filter((each) => each.level === level);
  return ids.length === 0 ? [] : [`${level}: ${listed(ids)}.`, ''];
}

function serverSection(server: StoredServer): string {
  const { name, version, configuration, notRun, findings } = server;
  const head = [`## ${name}`, '', `${version === '' ? '' : `Version ${version}. `}${configuration}`, ''];
  if (notRun !== undefined) return [...head, `Not run: ${markdown(notRun)}.`, ''].join('\n');
  return [...head, ...findingsSection(name, findings)].join('\n');
}

/** By causes, as the reviews have them; then what has not been reviewed, and what matters less. */
function findingsSection(name: string, findings: readonly StoredFinding[]): readonly string[] {
  const serious = findings.filter(isSerious);
  const causes = reviewsOf(name)
    .map((review) =>
      cause(
        review,
        serious.filter(({ id }) => reviewOf(name, id) === review),
      ),
    )
    .filter((text) => text !== '');
  const unread = serious.filter(({ id }) => reviewOf(name, id) === undefined);
  return [
    ...(serious.length === 0 ? ['Nothing of level MUST or SECURITY deviates.', ''] : causes),
    ...(unread.length === 0 ? [] : [`Not reviewed: ${listed(unread)}.`, '']),
    ...lesser(findings, 'SHOULD'),
    ...lesser(findings, 'INTEROP'),
  ];
}

function clientSection({ name, version, findings }: StoredClient): string {
  return [`### ${name}`, '', `${markdown(version)}.`, '', ...findingsSection(name, findings)].join('\n');
}

function clientsSection(clients: readonly StoredClient[]): readonly string[] {
  if (clients.length === 0) return [];
  const rows = clients.map(({ name, version, passed, findings, skipped }) => {
    const of = (level: string) => findings.filter((each) => each.level === level).length;
    const counts = [of('SECURITY'), of('MUST'), doubtfulOf(name, findings), of('SHOULD'), of('INTEROP')];
    return [`${name} ${markdown(version)}`, passed, ...counts, skipped];
  });
  return [
    '## Clients',
    '',
    '`npm run conformance:clients` judges the commands that people send with by a server of 127.0.0.1 that does what servers do at',
    'worst: our own, nodemailer, curl, msmtp, swaks and smtplib.',
    '',
    table(
      ['Client', 'passed', 'SECURITY', 'MUST', 'of these doubtful', 'SHOULD', 'INTEROP', 'skipped'],
      rows,
    ),
    '',
    ...clients.map(clientSection),
  ];
}

export function matrixDocument(servers: readonly StoredServer[], clients: readonly StoredClient[]): string {
  const count = Math.max(
    0,
    ...servers.map((server) => idsOf(server).filter((id) => id !== GENERATED).length),
  );
  const minutes = Math.ceil(servers.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  const page = [
    '# Conformance of servers and clients',
    '',
    'This page is written by `npm run conformance`. It starts eight servers on 127.0.0.1, one after the other,',
    `and judges each by the cases of [@sansmtp/conformance](../packages/conformance/README.md), ${count} now, and by 60 generated`,
    `dialogues of a fixed seed. It took ${minutes} minutes, and takes root for Postfix, Exim and OpenSMTPD; Exim and OpenSMTPD come from`,
    'Debian packages that are unpacked into a folder, Haraka from npm. A server that cannot be started is *not run*, with the reason.',
    'A column has the cases that there were when its server was judged last, and its configuration then;',
    '`npm run conformance -- NAME --only PATTERN` judges some cases of one server anew.',
    'The results are stored in `packages/conformance/results/servers.json`. A run also writes `results/matrix.html` beside them: cases',
    'by servers, where each cell opens the case with what was expected and the dialogue that was observed. It is too large to be stored here.',
    '',
    'Every finding of level MUST or SECURITY has been looked at by itself. Where its clause can be read otherwise, or a policy',
    'may be the reason, it is marked *doubtful*. A setting may mend a finding: the configurations are those that people start with.',
    '',
    levels(servers),
    '',
    'Cases that passed · failed · were skipped, by group:',
    '',
    overview(servers),
    '',
    ...servers.map(serverSection),
    ...clientsSection(clients),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
  return `${page.trimEnd()}\n`;
}
