/** In which order commands may come (RFC 5321 §3, §4.1.1, §4.1.4). */
import type { CaseGroup } from '../../contract/case.js';
import { beginning } from './beginning.js';
import { others } from './others.js';
import { resets } from './resets.js';
import { transactions } from './transactions.js';

export const sequence: CaseGroup = {
  name: 'sequence',
  title: 'The order of commands',
  introduction: 'Which command may come when, and what each leaves of the session (RFC 5321 §3, §4.1.4).',
  remedy:
    'Keep the state of the session explicitly, answer a command that is out of order by 503, and leave the state as it is.',
  cases: [...beginning, ...transactions, ...resets, ...others],
};
