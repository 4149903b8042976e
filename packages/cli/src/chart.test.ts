import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sansmtp } from './running.test-support.js';

describe('sansmtp chart', () => {
  it.each(['server', 'client'])('draws the %s in Mermaid on stdout', async (end) => {
    const { stdout, stderr, exitCode } = await sansmtp(['chart', end]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toContain('stateDiagram-v2\n');
    expect(stdout).toContain(`${end}_closed`);
  });

  it('writes to a file with -o', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chart-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'chart.mmd');
    const drawn = await sansmtp(['chart', 'server']);
    expect(await sansmtp(['chart', 'server', '--format', 'mermaid', '-o', file])).toMatchObject({
      stdout: '',
      exitCode: 0,
    });
    expect(await readFile(file, 'utf8')).toBe(drawn.stdout);
  });

  it('exits 73 when the file cannot be written', async () => {
    const { stderr, exitCode } = await sansmtp(['chart', 'server', '-o', '/no/such/folder/file']);
    expect(exitCode).toBe(73);
    expect(stderr).toMatch(/^error: cannot write \/no\/such\/folder\/file: .*\n$/);
  });
});
