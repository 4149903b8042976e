/** One relay over a queue in a directory. */
import { join } from 'node:path';
import { it } from 'vitest';
import { scratchFolder } from '../processes.js';
import { LIMIT, survive } from './chaos.js';

it('a relay over a directory loses nothing, and explains each duplicate, whatever befalls it', {
  timeout: LIMIT,
}, async () => {
  const folder = await scratchFolder();
  const queue = ['--queue', join(folder, 'queue'), '--maildir', join(folder, 'mail')];
  await survive({ queues: [queue], disasters: {} });
});
