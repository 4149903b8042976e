import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { authenticationSecret } from './authentication-secret.js';

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

it('is refused where its file was cut short', async () => {
  const directory = await folder();
  await authenticationSecret(directory);
  const [file = ''] = await readdir(directory);
  await writeFile(join(directory, file), 'short');
  await expect(authenticationSecret(directory)).rejects.toThrow(/fewer than 32 octets/);
});

it('lasts as long as the process where nothing is stored', async () => {
  const [one, other] = [await authenticationSecret(undefined), await authenticationSecret(undefined)];
  expect(one.reveal()).not.toEqual(other.reveal());
});
