/** What a look at a finding has shown: which findings share a cause, and for which the clause can be read otherwise. */
import { isSelected } from '../../running/selection.js';
import { CLIENT_REVIEWS } from './clients.js';
import { SERVER_REVIEWS } from './servers/index.js';

export interface Review {
  /** The server or client. */
  readonly of: string;
  /** The findings that share this cause, as `--only` names cases. */
  readonly ids: string;
  readonly judgement: 'true' | 'doubtful';
  /** What it does, in a sentence. */
  readonly cause: string;
  /** The clause that says so, where it is not that of the case. */
  readonly section?: string;
  /** Why it is doubtful, or what mends it. */
  readonly note?: string;
}

const REVIEWS: readonly Review[] = [...SERVER_REVIEWS, ...CLIENT_REVIEWS];

export const reviewsOf = (name: string): readonly Review[] => REVIEWS.filter(({ of }) => of === name);

export function reviewOf(name: string, id: string): Review | undefined {
  return reviewsOf(name).find(({ ids }) => isSelected(id, ids));
}
