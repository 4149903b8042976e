/** What becomes of the command when what it prints cannot be kept: on a full disk, which `/dev/full` is for good. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run, sansmtp } from './processes.js';
import { serve } from './serving.js';

const into = (redirection: string) => ['sh', '-c', `exec "$@" ${redirection}`, 'sh'] as const;
const ENVELOPE = ['--from', 'a@example.com', '--to', 'b@example.org'];

function runInto(redirection: string, ...words: string[]) {
  const [shell, ...rest] = into(redirection);
  const [program, script] = sansmtp(...words);
  return run(shell, [...rest, program, ...script], 'Subject: a\n\nb\n');
}

describe.runIf(existsSync('/dev/full'))('where the disk is full', () => {
  it('serve goes on without its log', async () => {
    const server = await serve(['--json'], into('2>/dev/full'));
    for (let count = 1; count <= 3; count += 1) {
      expect(await runInto('', 'send', ...ENVELOPE, '--unix', server.unix)).toMatchObject({ exit: 0 });
      expect(await server.messages()).toHaveLength(count);
    }
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
  });

  it('send delivers without its dialogue', async () => {
    const server = await serve();
    const words = ['send', ...ENVELOPE, '--unix', server.unix, '--verbose'];
    expect(await runInto('2>/dev/full', ...words)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^delivered b@example\.org 250 /),
    });
    expect(await server.messages()).toHaveLength(1);
  });

  it('send says in one line that its results are lost, and exits 74: the message is delivered', async () => {
    const server = await serve();
    expect(await runInto('>/dev/full', 'send', ...ENVELOPE, '--unix', server.unix)).toEqual({
      exit: 74,
      stdout: '',
      stderr: expect.stringMatching(/^error: The results cannot be written: ENOSPC.*\n$/),
    });
    expect(await server.messages()).toHaveLength(1);
  });

  it('send keeps the code that says more', async () => {
    const server = await serve(['--domain', 'elsewhere.example']);
    expect(await runInto('>/dev/full', 'send', ...ENVELOPE, '--unix', server.unix)).toMatchObject({
      exit: 69,
    });
  });

  it('chart says so too', async () => {
    expect(await runInto('>/dev/full', 'chart', 'client')).toMatchObject({
      exit: 74,
      stderr: expect.stringMatching(/^error: .*\n$/),
    });
  });
});

it('nobody who has read enough is told anything', async () => {
  const [program, words] = sansmtp('chart', 'client');
  expect(await run('sh', ['-c', '"$@" | head -1', 'sh', program, ...words])).toMatchObject({
    exit: 0,
    stderr: '',
  });
});
