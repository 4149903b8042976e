/** Another commit of this repository, built in a worktree of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Revision {
  /** Its top folder. */
  readonly folder: string;
  remove(): Promise<void>;
}

const HERE = fileURLToPath(new URL('../../../..', import.meta.url));

/**
 * Checks the commit out, installs what its lock file says and builds the command.
 * @throws {Error} there is no such commit, or a step fails; what it printed has gone to stderr
 */
export async function buildRevision(commit: string): Promise<Revision> {
  const parent = await mkdtemp(join(tmpdir(), 'sansmtp-bench-'));
  const folder = join(parent, 'worktree');
  const remove = async () => {
    await run(HERE, 'git', ['worktree', 'remove', '--force', folder]).catch(() => {});
    await rm(parent, { recursive: true, force: true });
  };
  try {
    await run(HERE, 'git', ['worktree', 'add', '--quiet', '--detach', folder, commit]);
    await run(folder, 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']);
    await run(folder, 'npm', ['run', '--silent', 'build', '--', '--filter=sansmtp']);
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function run(cwd: string, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', process.stderr, process.stderr] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
}
