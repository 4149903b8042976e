import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCredentials } from './credentials.js';

const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
afterAll(() => rm(folder, { recursive: true }));

async function passwordFile(content: string): Promise<string> {
  const file = join(folder, 'password');
  await writeFile(file, content);
  return file;
}

async function passwordOf(...parameters: Parameters<typeof readCredentials>): Promise<string | undefined> {
  const credentials = await readCredentials(...parameters);
  return credentials?.kind === 'password' ? credentials.password.revealText() : undefined;
}

describe('the credentials of send', () => {
  it('are none where no user is named, whatever the environment holds', async () => {
    expect(await readCredentials({}, 'from the environment')).toBeUndefined();
  });

  it.each([
    { content: 'secret', password: 'secret' },
    { content: 'secret\n', password: 'secret' },
    { content: 'secret\r\n', password: 'secret' },
    { content: 'secret\n\n', password: 'secret\n' },
    { content: ' grüße: \t\n', password: ' grüße: \t' },
  ])('are the file $content without its last line end', async ({ content, password }) => {
    expect(await passwordOf({ user: 'ann', passwordFile: await passwordFile(content) }, undefined)).toBe(
      password,
    );
  });

  it('are what SANSMTP_PASSWORD says, but --password-file goes before it', async () => {
    expect(await passwordOf({ user: 'ann' }, 'from the environment\n')).toBe('from the environment\n');
    const file = await passwordFile('from the file\n');
    expect(await passwordOf({ user: 'ann', passwordFile: file }, 'from the environment')).toBe(
      'from the file',
    );
  });

  it('go with the name of the user', async () => {
    expect(await readCredentials({ user: 'ann' }, 'x')).toMatchObject({ kind: 'password', username: 'ann' });
  });

  it('need both a user and a password', async () => {
    await expect(readCredentials({ user: 'ann' }, undefined)).rejects.toThrow(
      /--password-file or SANSMTP_PASSWORD/,
    );
    await expect(readCredentials({ passwordFile: 'any' }, undefined)).rejects.toThrow(/needs --user/);
  });

  it('need a file that can be read', async () => {
    const missing = join(folder, 'missing');
    await expect(readCredentials({ user: 'ann', passwordFile: missing }, 'x')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
