import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TraceFile } from './trace-file.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sansmtp-trace-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

const events = () => ({ onEnd: vi.fn(), onOverflow: vi.fn() });

/** A disk with so little room, as far as this system lets us make one. */
async function smallDisk(): Promise<string | undefined> {
  const path = await folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
  });
  return path;
}

describe('the file of a trace', () => {
  it('has the header, then the lines in their order, for its owner only', async () => {
    const path = join(await folder(), 'trace');
    const file = await TraceFile.open(path, 'header\n', events());
    for (let line = 0; line < 1000; line += 1) file.write(`${line}\n`);
    await file.end();
    const lines = Array.from({ length: 1000 }, (_, line) => `${line}\n`);
    expect(await readFile(path, 'utf8')).toBe(`header\n${lines.join('')}`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is appended to', async () => {
    const path = join(await folder(), 'trace');
    for (const line of ['a\n', 'b\n']) {
      const file = await TraceFile.open(path, 'header\n', events());
      file.write(line);
      await file.end();
    }
    expect(await readFile(path, 'utf8')).toBe('header\na\nheader\nb\n');
  });

  it('begins in a line of its own where the last one was torn', async () => {
    const path = join(await folder(), 'trace');
    await writeFile(path, 'header\n{"torn');
    const file = await TraceFile.open(path, 'header\n', events());
    await appendFile(path, '{"torn');
    await file.reopen();
    await file.end();
    expect(await readFile(path, 'utf8')).toMatch(/^header\n\{"torn\n(?:header\n)?\{"torn\n(?:header\n)+$/);
  });

  it('that cannot be opened is an error', async () => {
    await expect(TraceFile.open(join(await folder(), 'none', 'trace'), '', events())).rejects.toThrow(
      'ENOENT',
    );
  });

  it('goes on under its name when it was moved away', async () => {
    const path = join(await folder(), 'trace');
    const file = await TraceFile.open(path, 'header\n', events());
    file.write('a\n');
    await rename(path, `${path}.1`);
    const reopened = file.reopen();
    file.write('b\n');
    await reopened;
    file.write('c\n');
    await file.end();
    const [old, current] = [await readFile(`${path}.1`, 'utf8'), await readFile(path, 'utf8')];
    expect(old.startsWith('header\na\n')).toBe(true);
    expect(current.endsWith('c\n')).toBe(true);
    expect(current.startsWith('header\n')).toBe(true);
    expect((old + current).replaceAll('header\n', '')).toBe('a\nb\nc\n');
  });

  it('stays where it is when it cannot be opened again', async () => {
    const path = join(await folder(), 'trace');
    const file = await TraceFile.open(path, 'header\n', events());
    await rename(path, `${path}.1`);
    await mkdir(path);
    await expect(file.reopen()).rejects.toThrow('EISDIR');
    file.write('a\n');
    await file.end();
    expect(await readFile(`${path}.1`, 'utf8')).toBe('header\na\n');
  });

  it.each([
    ['/dev/full', async () => '/dev/full'],
    ['a full disk', async () => (await smallDisk())?.concat('/trace')],
  ])('on %s ends, with one word of it; what is written then is lost', async (_, placed) => {
    const path = await placed();
    if (path === undefined) return;
    const told = events();
    const file = await TraceFile.open(path, 'header\n', told);
    for (let line = 0; line < 100; line += 1) file.write(`${'x'.repeat(1023)}\n`);
    await vi.waitFor(() => expect(told.onEnd).toHaveBeenCalled(), 10_000);
    file.write('more\n');
    await file.end();
    expect(told.onEnd.mock.calls.map(([error]) => error.code)).toEqual(['ENOSPC']);
    expect(told.onOverflow).not.toHaveBeenCalled();
  });

  it('that has ended goes on once it is opened again', async () => {
    const path = join(await folder(), 'trace');
    await symlink('/dev/full', path);
    const told = events();
    const file = await TraceFile.open(path, 'header\n', told);
    await vi.waitFor(() => expect(told.onEnd).toHaveBeenCalled(), 10_000);
    file.write('lost\n');
    await rm(path);
    await file.reopen();
    file.write('a\n');
    await file.end();
    expect(await readFile(path, 'utf8')).toBe('header\na\n');
  });

  it('holds no more than so much while the disk is slow: the rest is left out', async () => {
    const path = join(await folder(), 'trace');
    const told = events();
    const file = await TraceFile.open(path, '', told);
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    // All within one turn of the event loop: nothing can be written meanwhile.
    for (let lines = 0; lines < 20; lines += 1) file.write(line);
    await file.end();
    expect((await stat(path)).size).toBe(8 * 1024 * 1024);
    expect(told.onOverflow).toHaveBeenCalledTimes(1);
  });
});
