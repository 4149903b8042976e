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

  it.each([
    ['svg', 'overview', /^<svg [\s\S]*An SMTP session, as the server sees it/],
    ['svg', 'phases', /^<svg [\s\S]*One mail transaction/],
    ['svg', 'full', /^<svg [\s\S]*any state of session/],
    ['mermaid', 'overview', /^stateDiagram-v2\n/],
    ['mermaid', 'phases', /state "transaction" as server_transaction \{/],
    ['dot', 'overview', /^digraph "server" \{\n[\s\S]*\}\n$/],
    ['dot', 'phases', /subgraph "cluster server\.transaction"/],
    ['json', 'full', /^\{\n {2}"id": "server",/],
    ['outline', 'overview', /→ addressing: command\.RCPT/],
    ['outline', 'full', /command\.RCPT \[recipientLimitReached\] \/ reply tooManyRecipients \(452\)/],
    ['table', 'phases', /\n## One mail transaction/],
    ['table', 'full', /\| `command\.NOOP` \| {2}\| `reply ok` \| 250 \|/],
    ['xstate', 'full', /\}\)\.createMachine\(\{\n {2}id: 'server',/],
  ])('draws as %s at the level %s', async (format, level, expected) => {
    const { stdout, stderr, exitCode } = await sansmtp([
      'chart',
      'server',
      '--format',
      format,
      '--level',
      level,
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(expected);
  });

  it.each([
    ['--format', 'png'],
    ['--level', 'half'],
  ])('exits 64 for %s %s', async (option, value) => {
    const { stderr, exitCode } = await sansmtp(['chart', 'client', option, value]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(value);
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
