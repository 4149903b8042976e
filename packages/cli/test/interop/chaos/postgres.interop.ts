/** Three relays that share a queue in PostgreSQL. */
import { join } from 'node:path';
import { it, onTestFinished } from 'vitest';
import { startPostgres } from '../../../../queue-postgres/src/postgres-server.test-support.js';
import { scratchFolder } from '../processes.js';
import { LIMIT, survive } from './chaos.js';

it('three relays over PostgreSQL lose nothing, and explain each duplicate, whatever befalls them', {
  timeout: LIMIT,
}, async () => {
  const folder = await scratchFolder();
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const queues = [0, 1, 2].map((index) => {
    const own = ['--maildir', join(folder, `mail${index}`), '--worker', `relay${index}`];
    return ['--queue', server.url, ...own];
  });
  await survive({
    queues,
    disasters: {
      async crashOfTheDatabase() {
        await server.halt();
        await server.start();
      },
    },
  });
});
