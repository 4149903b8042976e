/** `npm run chaos -- --minutes N [--seed N]`: the chaos for longer than every commit has it. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '2' }, seed: { type: 'string' } },
});
if (!(Number(values.minutes) > 0))
  throw new RangeError(`--minutes ${values.minutes}: it takes a number of more than 0`);
const env = {
  ...process.env,
  CHAOS_MINUTES: values.minutes,
  ...(values.seed && { CHAOS_SEED: values.seed }),
};
const words = ['vitest', 'run', '--config', 'test/interop/vitest.config.ts', 'chaos/'];
process.exitCode = spawnSync('npx', words, { stdio: 'inherit', env }).status ?? 1;
