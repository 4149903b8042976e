import type * as fs from 'node:fs/promises';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { authenticationSecret } from './authentication-secret.js';

/** What was done to files and folders, in order. */
const calls: string[] = [];
/** What linking throws. */
let linkFails: string | undefined;

const nameOf = (path: string): string => basename(path).replace(/\.[0-9a-f]{16}$/, '.draft');

vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof fs>();
  return {
    ...actual,
    async open(path: string, flags: string, mode?: number) {
      const handle = await actual.open(path, flags, mode);
      const { sync, writeFile } = handle;
      return Object.assign(handle, {
        async writeFile(data: Uint8Array) {
          calls.push(`write ${nameOf(path)}`);
          await writeFile.call(handle, data);
        },
        async sync() {
          calls.push(`sync ${nameOf(path)}`);
          await sync.call(handle);
        },
      });
    },
    async link(from: string, to: string) {
      calls.push(`link ${nameOf(from)} ${nameOf(to)}`);
      if (linkFails !== undefined) throw Object.assign(new Error('no links'), { code: linkFails });
      await actual.link(from, to);
    },
    async rename(from: string, to: string) {
      calls.push(`rename ${nameOf(from)} ${nameOf(to)}`);
      await actual.rename(from, to);
    },
  };
});

beforeEach(() => {
  calls.length = 0;
  linkFails = undefined;
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sansmtp-secret-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

it('is one for all processes and after a restart, in a file for its owner alone', async () => {
  const directory = await folder();
  const secrets = await Promise.all(Array.from({ length: 8 }, () => authenticationSecret(directory)));
  const [first] = secrets.map((secret) => Buffer.from(secret.reveal()).toString('hex'));
  expect(first).toHaveLength(64);
  for (const secret of [...secrets, await authenticationSecret(directory)]) {
    expect(Buffer.from(secret.reveal()).toString('hex')).toBe(first);
  }
  const [file = '', ...more] = await readdir(directory);
  expect(more).toEqual([]);
  expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
});

it('is on the disk, and its folder too, before anybody works with it', async () => {
  const directory = await folder();
  await authenticationSecret(directory);
  const [draft, file] = ['sansmtp-authentication-secret.draft', 'sansmtp-authentication-secret'];
  expect(calls).toEqual([
    `write ${draft}`,
    `sync ${draft}`,
    `link ${draft} ${file}`,
    `sync ${basename(directory)}`,
  ]);
});

it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('is renamed where links are not to be had (%s)', async (code) => {
  linkFails = code;
  const directory = await folder();
  const secret = await authenticationSecret(directory);
  expect(calls).toContain('rename sansmtp-authentication-secret.draft sansmtp-authentication-secret');
  expect(await readdir(directory)).toEqual(['sansmtp-authentication-secret']);
  expect((await authenticationSecret(directory)).reveal()).toEqual(secret.reveal());
});

it('leaves nothing where it cannot be stored', async () => {
  linkFails = 'EIO';
  const directory = await folder();
  await expect(authenticationSecret(directory)).rejects.toMatchObject({ code: 'EIO' });
  expect(await readdir(directory)).toEqual([]);
});

it.each(['short', ''])('is refused where its file was cut short (%j)', async (left) => {
  const directory = await folder();
  await authenticationSecret(directory);
  const [file = ''] = await readdir(directory);
  await writeFile(join(directory, file), left);
  await expect(authenticationSecret(directory)).rejects.toThrow(/fewer than 32 octets/);
});

it('lasts as long as the process where nothing is stored', async () => {
  const [one, other] = [await authenticationSecret(undefined), await authenticationSecret(undefined)];
  expect(one.reveal()).not.toEqual(other.reveal());
});
