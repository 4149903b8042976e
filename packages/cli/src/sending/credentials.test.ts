import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCredentials } from './credentials.js';

const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
afterAll(() => rm(folder, { recursive: true }));

async function passwordFile(content: string | Uint8Array): Promise<string> {
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

  it('are the octets of the file also where they are not UTF-8', async () => {
    const file = await passwordFile(Buffer.from('gr\xfc\xdfe\r\n', 'latin1'));
    const credentials = await readCredentials({ user: 'ann', passwordFile: file }, undefined);
    const octets = credentials?.kind === 'password' ? credentials.password.reveal() : [];
    expect(Buffer.from(octets).toString('latin1')).toBe('gr\xfc\xdfe');
  });

  it.each(['', '\n', '\r\n', 'sec\0ret', '\0\n'])(
    'hold a password that is not empty, and has no NUL (RFC 4616 §2): not %j',
    async (content) => {
      const file = await passwordFile(content);
      const read = readCredentials({ user: 'ann', passwordFile: file }, 'from the environment');
      await expect(read).rejects.toThrow(RangeError);
      await expect(read).rejects.toThrow(`--password-file ${file}`);
      await expect(read).rejects.not.toThrow('ret');
    },
  );

  it('hold none that is empty in the environment either', async () => {
    await expect(readCredentials({ user: 'ann' }, '')).rejects.toThrow(/is empty: SANSMTP_PASSWORD/);
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
    const names = { user: '--via-user', passwordFile: '--via-password-file' };
    await expect(readCredentials({ user: 'ann' }, undefined, names)).rejects.toThrow(
      '--via-user needs a password: give --via-password-file or SANSMTP_PASSWORD',
    );
    await expect(readCredentials({ passwordFile: 'any' }, undefined)).rejects.toThrow(/needs --user/);
  });

  it('need a file that can be read', async () => {
    const missing = join(folder, 'missing');
    await expect(readCredentials({ user: 'ann', passwordFile: missing }, 'x')).rejects.toThrow(
      `--password-file: ${missing} cannot be read: ENOENT`,
    );
  });
});
