/** Extensions that are a parameter of MAIL: REQUIRETLS, MT-PRIORITY, FUTURERELEASE, DELIVERBY. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { refuses, understands } from '../judging.js';

type Row = readonly [
  name: string,
  keyword: Uppercase<string>,
  section: string,
  parameter: string,
  valid: boolean,
  what: string,
];

const ROWS: readonly Row[] = [
  ['requiretls-value', 'REQUIRETLS', 'RFC 8689 §2', 'REQUIRETLS=yes', false, 'REQUIRETLS has a value'],
  ['mt-priority', 'MT-PRIORITY', 'RFC 6710 §3', 'MT-PRIORITY=3', true, 'MT-PRIORITY'],
  ['mt-priority-negative', 'MT-PRIORITY', 'RFC 6710 §3', 'MT-PRIORITY=-6', true, 'a negative MT-PRIORITY'],
  ['mt-priority-beyond', 'MT-PRIORITY', 'RFC 6710 §3', 'MT-PRIORITY=10', false, 'MT-PRIORITY is beyond 9'],
  ['holdfor', 'FUTURERELEASE', 'RFC 4865 §4', 'HOLDFOR=60', true, 'HOLDFOR'],
  ['holdfor-letters', 'FUTURERELEASE', 'RFC 4865 §4', 'HOLDFOR=soon', false, 'HOLDFOR is no number'],
  [
    'holdfor-and-holduntil',
    'FUTURERELEASE',
    'RFC 4865 §4',
    'HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z',
    false,
    'HOLDFOR and HOLDUNTIL stand together',
  ],
  ['by-notify', 'DELIVERBY', 'RFC 2852 §4', 'BY=3600;N', true, 'BY with N'],
  ['by-return', 'DELIVERBY', 'RFC 2852 §4', 'BY=3600;R', true, 'BY with R'],
  ['by-return-in-the-past', 'DELIVERBY', 'RFC 2852 §4', 'BY=-1;R', false, 'BY returns before it begins'],
  ['by-without-mode', 'DELIVERBY', 'RFC 2852 §4', 'BY=3600', false, 'BY has no mode'],
];

function caseOf([name, keyword, section, parameter, valid, what]: Row): ConformanceCase {
  return {
    id: `parameters/${name}`,
    section,
    level: valid ? 'MUST' : 'INTEROP',
    rationale: valid ? `MAIL takes ${what}.` : `MAIL is refused where ${what}.`,
    needs: [keyword, 'mail'],
    run: async (target) => (valid ? understands : refuses)(await target.ready(), target.mail(parameter)),
  };
}

export const parameters: CaseGroup = {
  name: 'parameters',
  title: 'Parameters of MAIL',
  introduction: 'REQUIRETLS, MT-PRIORITY, FUTURERELEASE and DELIVERBY, where they are offered.',
  remedy: 'Read each parameter by the grammar of its extension, and refuse by 501 what does not have it.',
  cases: ROWS.map(caseOf),
};
