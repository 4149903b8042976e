/**
 * The pages of docs/conformance are generated from the cases, with the dialogues of our own server:
 * `UPDATE_DOCS=1 npx vitest run packages/conformance/test/documents.test.ts` writes them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { clientGroups, examine, judgeAll, pageOf, paths, serverGroups, type Verdict } from '../src/index.js';
import { groupDocument } from '../src/reports/document.js';
import { ownServer } from '../src/running/own-server.test-support.js';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(top, 'docs/conformance');
const judged = [...serverGroups, paths];
const groups = [...judged, ...clientGroups];
const verdicts = new Map<string, Verdict>();

beforeAll(async () => {
  const examination = await examine(ownServer());
  for await (const verdict of judgeAll(examination, judged, { atOnce: 1 })) verdicts.set(verdict.id, verdict);
}, 120_000);

describe('docs/conformance', () => {
  it.each(groups.map((group) => ({ name: group.name, group })))(
    '$name.md is up to date',
    ({ name, group }) => {
      const path = join(folder, `${name}.md`);
      const document = groupDocument(group, name.startsWith('client-') ? undefined : verdicts);
      if (process.env.UPDATE_DOCS === '1') writeFileSync(path, document);
      expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(document);
    },
  );

  it('has a page for each group, and no other', () => {
    expect(readdirSync(folder).sort()).toEqual(groups.map(({ name }) => `${name}.md`).sort());
  });

  it('has a heading for each case, where the report says that it is', () => {
    for (const { name, cases } of groups) {
      const headings = readFileSync(join(folder, `${name}.md`), 'utf8').match(/^## .*$/gm) ?? [];
      const anchors = headings.map((heading) => `docs/conformance/${name}.md#${heading.slice('## '.length)}`);
      expect(anchors).toEqual(cases.map(({ id }) => pageOf(id)));
    }
  });
});
