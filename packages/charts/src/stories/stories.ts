/** The stories of our own charts. */
import type { ChartDescription } from '@sansmtp/core/chart';
import { clientStory } from './client.js';
import { serverStory } from './server.js';
import type { Story } from './story.js';

/** Undefined for a chart that is none of ours, whatever its id. */
export function storyOf({ id, root }: ChartDescription): Story | undefined {
  const isOurs = root.states.some(
    ({ key, states }) => key === 'session' && states.some((state) => state.key === 'transaction'),
  );
  if (!isOurs) return undefined;
  if (id === 'server') return serverStory;
  return id === 'client' ? clientStory : undefined;
}
