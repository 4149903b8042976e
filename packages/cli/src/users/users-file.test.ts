import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseUsers, readUsersFile } from './users-file.js';

const parse = (text: string) => parseUsers(Buffer.from(text));
const KEY = Buffer.alloc(32, 7).toString('base64');
const keys = (count: number | string = 4096, salt = 'c2FsdA==', stored = KEY, server = KEY) =>
  `SCRAM-SHA-256$${count}:${salt}$${stored}:${server}`;

describe('a users file', () => {
  it('has a user a line: the name to the first colon, then a password or keys; others are skipped', () => {
    const users = parse(`# ours\n\n  \nann:one\r\nbob:two:#three\neve:${keys(1_000_000)}\njo\u0308rg:\u00fc`);
    expect([...users.keys()]).toEqual(['ann', 'bob', 'eve', 'j\u00f6rg']);
    const shown = [...users.values()].map((each) => each.kind === 'password' && each.password.revealText());
    expect(shown).toEqual(['one', 'two:#three', false, '\u00fc']);
    expect(users.get('eve')).toMatchObject({
      kind: 'scram',
      hash: 'SHA-256',
      iterations: 1_000_000,
      salt: new Uint8Array(Buffer.from('salt')),
    });
  });

  it.each([
    ['no colon', 'hunter2'],
    ['no name', ':hunter2'],
    ['no password', 'ann:'],
    ['a control character in the name', 'an\u0007n:hunter2'],
    ['a control character in the password', 'ann:hunter2\u0007'],
    ['a name twice', 'bob:hunter2'],
    ['too few iterations', `ann:${keys(4095)}`],
    ['more than 1,000,000 iterations', `ann:${keys(1_000_001)}`],
    ['another hash', `ann:${keys().replace('256', '512')}`],
    ['a short key', `ann:${keys(4096, 'c2FsdA==', 'aHVudGVyMg==')}`],
    ['no salt', `ann:${keys(4096, '')}`],
    ['keys that are no base64', `ann:${keys(4096, 'c2FsdA==', KEY, 'hunter2!')}`],
  ])('is refused whole for %s, by the line and without its text', (_, line) => {
    const read = () => parse(`bob:fine\n# comment\n${line}\n`);
    expect(read).toThrow(/^line 3 /);
    expect(read).not.toThrow(/hunter2|ann|aHVudGVyMg|fine/);
  });

  it('is refused for octets that are no UTF-8', () => {
    expect(() => parseUsers(Buffer.from('ann:one\nbob:\xff', 'latin1'))).toThrow(/^line 2 is not UTF-8$/);
  });

  it('is named with its option when it cannot be read or is malformed, and others may be able to read it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sansmtp-users-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'users');
    await expect(readUsersFile(file)).rejects.toThrow(/--users-file: .*users cannot be read/);
    await writeFile(file, 'ann');
    await expect(readUsersFile(file)).rejects.toThrow(/--users-file: .*users: line 1 is not NAME:PASSWORD/);
    await writeFile(file, 'ann:one\n');
    for (const [mode, exposed] of [
      [0o644, true],
      [0o600, false],
      [0o640, false],
    ] as const) {
      await chmod(file, mode);
      expect(await readUsersFile(file)).toMatchObject({ exposed });
    }
  });
});
