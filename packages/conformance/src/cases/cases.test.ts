/** All cases against our own server in memory, and what holds of the cases as a whole. */
import { describe, expect, it } from 'vitest';
import { describeSmtpServer, serverGroups } from '../index.js';
import { ownServer } from '../running/own-server.test-support.js';

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

describeSmtpServer({ ...ownServer(), runner: { describe, it } });
