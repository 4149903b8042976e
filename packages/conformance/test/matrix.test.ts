/**
 * docs/conformance.md is made of the stored results. `npm run conformance` writes both;
 * `UPDATE_DOCS=1 npx vitest run packages/conformance/test/matrix.test.ts` makes the page anew from what is stored.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { clientCases, serverGroups } from '../src/index.js';
import { DOCUMENT, documentOfResults, readClients, writeDocuments } from '../src/matrix/documents.js';
import { matrixHtml } from '../src/matrix/matrix-html.js';
import { merged, readResults } from '../src/matrix/results.js';
import { reviewOf, reviewsOf } from '../src/matrix/reviews/review.js';

const servers = readResults();
const serious = servers.map(({ name, findings }) => ({
  name,
  ids: findings.filter(({ level }) => level === 'MUST' || level === 'SECURITY').map(({ id }) => id),
}));
const clients = readClients().map(({ name, findings }) => ({
  name,
  ids: findings.filter(({ level }) => level === 'MUST' || level === 'SECURITY').map(({ id }) => id),
}));
const OWN = 'sansmtp serve';

describe('the matrix of servers', () => {
  it('is what docs/conformance.md says', () => {
    if (process.env.UPDATE_DOCS === '1') writeDocuments(new Map());
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(documentOfResults());
  });

  it('has nothing of level MUST or SECURITY of ours that docs/decisions.md does not argue', () => {
    expect(serious.map(({ name }) => name)).toContain(OWN);
    const decisions = readFileSync(
      join(fileURLToPath(new URL('../../..', import.meta.url)), 'docs/decisions.md'),
      'utf8',
    );
    const own = serious.find(({ name }) => name === OWN)?.ids ?? [];
    expect(own.filter((id) => !decisions.includes(id))).toEqual([]);
  });

  it.each(serious.filter(({ name }) => name !== OWN))(
    'has each finding of $name read again',
    ({ name, ids }) => {
      expect(ids.filter((id) => reviewOf(name, id) === undefined)).toEqual([]);
    },
  );

  it.each([...serious, ...clients])(
    'has no review of $name that no finding has any more',
    ({ name, ids }) => {
      const unused = reviewsOf(name).filter((review) => !ids.some((id) => reviewOf(name, id) === review));
      expect(unused.map(({ ids: pattern }) => pattern)).toEqual([]);
    },
  );

  it('has true findings of at least five other servers', () => {
    const found = serious.filter(({ name, ids }) =>
      ids.some((id) => reviewOf(name, id)?.judgement === 'true'),
    );
    expect(found.length).toBeGreaterThanOrEqual(5);
  });

  it('judges every server by nearly all cases', () => {
    const count = serverGroups.flatMap(({ cases }) => cases).length;
    for (const { name, notRun, passed, findings } of servers)
      if (notRun === undefined)
        expect([name, passed.length + findings.length > count / 2]).toEqual([name, true]);
  });
});

describe('some cases that are judged anew', () => {
  it('take the place of what was seen of them, and leave the others', () => {
    const about = { name: 'Some server', configuration: '', version: '1', seconds: 60 };
    const finding = (id: string) => ({ id, section: '', level: 'MUST', seen: 'no', dialogue: [] }) as const;
    const before = {
      ...about,
      passed: ['sequence/a', 'syntax/a'],
      skipped: { 'too late': ['size/a', 'size/b'] },
      findings: [finding('syntax/b'), finding('stored/a')],
    };
    const now = {
      ...about,
      seconds: 2,
      passed: ['syntax/b', 'size/a'],
      skipped: { 'too late': ['syntax/a'] },
      findings: [finding('size/b')],
    };
    expect(merged(before, now)).toEqual({
      ...about,
      passed: ['sequence/a', 'syntax/b', 'size/a'],
      skipped: { 'too late': ['syntax/a'] },
      findings: [finding('stored/a'), finding('size/b')],
    });
  });
});

describe('the matrix of clients', () => {
  it.each(clients)('has each finding of $name read again, and none of ours', ({ name, ids }) => {
    expect(ids.filter((id) => reviewOf(name, id) === undefined)).toEqual([]);
    if (name === 'sansmtp send') expect(ids).toEqual([]);
  });

  it('judges every client by nearly all cases', () => {
    for (const { name, passed, findings } of readClients())
      expect([name, passed + findings.length > clientCases.length / 2]).toEqual([name, true]);
  });
});

describe('the matrix in HTML', () => {
  it('has a cell for each case, with its dialogue, and takes nothing that a server said for markup', () => {
    const [group] = serverGroups;
    const [first] = group?.cases ?? [];
    if (group === undefined || first === undefined) throw new Error('there are no cases');
    const outcome = { result: 'failed', seen: 'it said </script><b>' } as const;
    const verdict = { ...first, outcome, dialogue: ['S: 220 </script>'], milliseconds: 1 };
    const page = matrixHtml([group], new Map([['Some server', [verdict]]]));
    expect(page).toContain(`data-server="Some server" data-id="${first.id}"`);
    expect(page.match(/<\/script>/g)?.length).toBe(2);
    expect(page).not.toMatch(/<link|<img|src=/);
  });
});
