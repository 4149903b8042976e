/** All cases against our own server in memory, and what holds of the cases as a whole. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeSmtpServer, examine, serverGroups } from '../index.js';
import { KNOWN_DEVIATIONS, ownServer } from '../running/own-server.test-support.js';

const cases = serverGroups.flatMap((group) => group.cases);

describe('the cases', () => {
  it('have ids of their own, which begin with their group', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const { name, cases: own } of serverGroups) {
      for (const { id } of own) expect(id).toMatch(new RegExp(`^${name}/[a-z0-9-]+$`));
    }
  });

  it('say where the demand stands, and why it is made', () => {
    for (const { section, rationale } of cases) {
      expect(section).toMatch(/^(?:RFC \d+ §[\dA-Z.]+|CVE-\d+-\d+)/);
      expect(rationale).toMatch(/^[A-Z\d].*\.$/);
      expect(rationale).not.toContain('\n');
    }
  });
});

describe('the known deviations of our own server', () => {
  it('are there, of level INTEROP, and argued in docs/decisions.md', async () => {
    const decisions = readFileSync(new URL('../../../../docs/decisions.md', import.meta.url), 'utf8');
    const examination = await examine(ownServer());
    for (const id of KNOWN_DEVIATIONS) {
      const known = cases.find((each) => each.id === id);
      expect({ id, level: known?.level }).toEqual({ id, level: 'INTEROP' });
      expect(decisions).toContain(
        id.replace(/^syntax\/(?:mail|rcpt)/, 'syntax/*').replace(/^dsn\/(?:envid|orcpt)/, 'dsn/*'),
      );
      if (known !== undefined) {
        expect((await examination.judge(known)).outcome, id).toMatchObject({ result: 'failed' });
      }
    }
  });
});

describe('auth/submission-needs-it', () => {
  it('is judged where mail is taken after AUTH only', async () => {
    const examination = await examine(ownServer({ authentication: { required: true } }));
    const known = cases.find(({ id }) => id === 'auth/submission-needs-it');
    expect(known && (await examination.judge(known)).outcome).toEqual({ result: 'passed' });
  });
});

describeSmtpServer({ ...ownServer(), knownDeviations: KNOWN_DEVIATIONS, runner: { describe, it } });
