/** What was seen to find each fault: for the tests, which need not look for it again. */
import { readFileSync } from 'node:fs';
import type { ServerFault } from '../planted/server/faults.js';

export interface Finder {
  /** Id of a case. */
  readonly case?: string;
  /** A generated dialogue. */
  readonly seed?: number;
  readonly path?: string;
}

/** In the sources, wherever this is run from. */
export const findersFile = new URL('../../src/power/finders.json', import.meta.url);

export const readFinders = (): Readonly<Partial<Record<ServerFault, Finder>>> =>
  JSON.parse(readFileSync(findersFile, 'utf8'));
