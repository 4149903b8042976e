/** All groups, in the order in which they are run and reported. */
import type { CaseGroup } from '../contract/case.js';
import { sequence } from './sequence.js';

export const serverGroups: readonly CaseGroup[] = [sequence];
