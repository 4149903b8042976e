import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueueInUseError } from '../contract/errors.js';
import { openQueue } from './open-queue.js';
import { takeOwnership } from './ownership.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'owner-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('the ownership of a directory', () => {
  it('is had by one at a time', async () => {
    const { epoch, release } = await takeOwnership(directory);
    await expect(takeOwnership(directory)).rejects.toThrow(QueueInUseError);
    await release();
    const next = await takeOwnership(directory);
    expect(next.epoch).toBeGreaterThanOrEqual(epoch);
    await next.release();
  });

  it('is had by one at most, however many try at once', async () => {
    for (let round = 0; round < 10; round++) {
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => takeOwnership(directory)));
      const owners = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(owners.length).toBeLessThanOrEqual(1);
      for (const { release } of owners) await release();
    }
  });

  it('passes on from what died without a word', async () => {
    // A name of a socket that nobody listens on: connecting to a plain file is refused likewise.
    await writeFile(join(directory, 'owner-7'), '');
    const { epoch, release } = await takeOwnership(directory);
    expect(epoch).toBe(8);
    expect(await readdir(directory)).toEqual(['owner-8']);
    await release();
  });

  it('begins after all epochs of which there are segments', async () => {
    await writeFile(join(directory, 'journal-0000000012-0000000003'), '');
    const { epoch, release } = await takeOwnership(directory);
    expect(epoch).toBe(13);
    await release();
  });

  it('needs a path that fits a socket', async () => {
    const long = join(directory, 'a'.repeat(100));
    await expect(openQueue(long)).rejects.toThrow(
      /octets long, and the path of a Unix socket 103 octets? at most|103 at most/,
    );
  });
});

/** Too long for the journal. */
async function* longBody() {
  yield new Uint8Array(100_000);
}

describe('opening a queue', () => {
  it('makes the folders that are missing', async () => {
    const queue = await openQueue(join(directory, 'a', 'b'));
    expect(await readdir(join(directory, 'a', 'b'))).toEqual([
      'bodies',
      'journal-0000000001-0000000001',
      'owner-1',
    ]);
    await expect(openQueue(join(directory, 'a', 'b'))).rejects.toThrow(QueueInUseError);
    await queue.close();
    await (await openQueue(join(directory, 'a', 'b'))).close();
  });

  it('is for this user only, in all that it makes, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const path = join(directory, 'queue');
      const queue = await openQueue(path);
      const envelope = { reversePath: null, recipients: [{ localPart: 'a', domain: 'b.example' }] };
      await queue.put({ envelope, now: 0 }, longBody());
      const made = ['.', ...(await readdir(path, { recursive: true }))];
      const modes = await Promise.all(made.map((name) => stat(join(path, name))));
      const shown = modes.map(
        (each, i) => `${made[i]} ${each.isDirectory()} ${(each.mode & 0o777).toString(8)}`,
      );
      expect(shown.map((each) => each.replace(/bodies\/\w+/, 'bodies/ID')).sort()).toEqual([
        '. true 700',
        'bodies true 700',
        'bodies/ID false 600',
        'journal-0000000001-0000000001 false 600',
        'owner-1 false 600',
      ]);
      await queue.close();
    } finally {
      process.umask(before);
    }
  });

  it('refuses what it cannot take', async () => {
    await expect(openQueue('')).rejects.toThrow('The path of the queue is ""; it takes the name of a folder');
    await expect(openQueue(directory, { reserve: -1 })).rejects.toThrow(RangeError);
    await expect(openQueue(directory, { reserv: 1 } as object)).rejects.toThrow(TypeError);
  });
});
