import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue, type QueueStore } from '@sansmtp/queue';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sansmtp } from '../running.test-support.js';
import { serveControl } from './control-socket.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sansmtp-queue-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A queue with two messages, the second of them held; nobody has it open. */
async function filled(first = 'bob'): Promise<{ place: string; ids: readonly string[] }> {
  const place = await folder();
  const store = await openQueue(place);
  const ids = [await put(store, first), await put(store, 'eve')].map(({ id }) => id);
  await store.hold(ids[1] ?? '');
  await store.close();
  return { place, ids };
}

function put(store: QueueStore, localPart: string) {
  async function* body() {
    yield new TextEncoder().encode('Subject: a\r\n\r\n');
  }
  const reversePath = { localPart: 'ann', domain: 'example.com' };
  return store.put(
    { envelope: { reversePath, recipients: [{ localPart, domain: 'example.org' }] }, now: 0 },
    body(),
  );
}

describe('sansmtp queue, where no relay runs', () => {
  it('says which message the disk has damaged, once, and lists the others', async () => {
    const { place, ids } = await filled();
    const [name = ''] = (await readdir(place)).filter((each) => each.startsWith('journal-'));
    const content = await readFile(join(place, name));
    content.write('B', content.indexOf('"bob"') + 1);
    await writeFile(join(place, name), content);
    const { stdout, stderr, exitCode } = await sansmtp(['queue', 'list', '--queue', place]);
    expect(stdout).toMatch(/^\S+ {2}held .* eve@example\.org\n$/);
    expect(stderr).toMatch(
      new RegExp(
        `^warning: .*journal-.* is damaged at octet .* Message ${ids[0]} is not delivered any more; .*\n$`,
      ),
    );
    expect(exitCode).toBe(0);
    expect(await readdir(join(place, 'damaged'))).toEqual([ids[0]]);
    expect((await sansmtp(['queue', 'list', '--queue', place])).stderr).toBe('');
  });

  it('makes no queue where there is none', async () => {
    const place = await folder();
    const { stderr, exitCode } = await sansmtp(['queue', 'list', '--queue', place]);
    expect(stderr).toBe(`error: the queue ${place} cannot be reached: no queue is in this directory\n`);
    expect(exitCode).toBe(75);
    expect(await readdir(place)).toEqual([]);
  });

  it.runIf(process.geteuid?.() === 0)('writes nothing that its owner could not open', async () => {
    const { place } = await filled();
    await chown(place, 12_345, 12_345);
    const before = await readdir(place);
    const { stderr, exitCode } = await sansmtp(['queue', 'list', '--queue', place]);
    expect(stderr).toMatch(/belongs to another user: say sudo -u '#12345' sansmtp queue …\n$/);
    expect(exitCode).toBe(75);
    expect(await readdir(place)).toEqual(before);
  });

  it('shows nothing that steers a terminal', async () => {
    const { place } = await filled('b\u2028o\u202eb');
    const { stdout } = await sansmtp(['queue', 'list', '--queue', place]);
    expect(stdout).toContain('b?o?b@example.org\n');
  });

  it('lists, a line a message; with --json, an object', async () => {
    const { place, ids } = await filled();
    const { stdout, stderr, exitCode } = await sansmtp(['queue', 'list', '--queue', place]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toBe(
      `${ids[0]}  waiting     1970-01-01T00:00:00.000Z  14  <ann@example.com>  bob@example.org\n` +
        `${ids[1]}  held        1970-01-01T00:00:00.000Z  14  <ann@example.com>  eve@example.org\n`,
    );
    const lines = (await sansmtp(['queue', 'list', '--queue', place, '--json'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        id: ids[0],
        from: 'ann@example.com',
        size: 14,
        arrived: '1970-01-01T00:00:00.000Z',
        state: 'waiting',
        recipients: [
          {
            address: 'bob@example.org',
            state: 'waiting',
            attempts: 0,
            next: '1970-01-01T00:00:00.000Z',
            last: null,
          },
        ],
      },
      expect.objectContaining({ id: ids[1], state: 'held' }),
    ]);
  });

  it('shows one, holds, releases, makes due and drops, and says how many', async () => {
    const { place, ids } = await filled();
    const [one = '', other = ''] = ids;
    const on = (...words: string[]) => sansmtp(['queue', ...words, '--queue', place]);
    expect((await on('show', one)).stdout).toMatch(
      / waiting, 14 octets from <ann@example\.com>.*\n {2}<bob@example\.org> {2}waiting, 0 attempts/,
    );
    expect((await on('release', other)).stdout).toBe('1 message released\n');
    expect((await on('hold', one, other)).stdout).toBe('2 messages held\n');
    expect((await on('release', one, other)).exitCode).toBe(0);
    expect((await on('retry', '--all')).stdout).toMatch(/^\d messages? due now\n$/);
    expect((await on('retry', '--domain', 'Example.ORG', '--json')).stdout).toMatch(/^\{"retry":\d\}\n$/);
    expect((await on('drop', one, other)).stdout).toBe('2 messages dropped\n');
    expect((await on('list')).stdout).toBe('');
  });

  it('exits 69 for an ID that there is none of, and does the rest', async () => {
    const { place, ids } = await filled();
    for (const command of ['show', 'retry', 'hold', 'release', 'drop']) {
      const { stderr, exitCode } = await sansmtp(['queue', command, 'none', ids[0] ?? '', '--queue', place]);
      expect([command, exitCode, stderr]).toEqual([command, 69, 'error: the queue has no message none\n']);
    }
    expect((await sansmtp(['queue', 'list', '--queue', place])).stdout).not.toContain(ids[0]);
  });

  it.each([
    ['a folder that is not there', async () => join(await folder(), 'none')],
    [
      'a file',
      async () => {
        const file = join(await folder(), 'file');
        await writeFile(file, '');
        return file;
      },
    ],
    [
      'a queue that another program has open',
      async () => {
        const place = await folder();
        const store = await openQueue(place);
        onTestFinished(() => store.close());
        return place;
      },
    ],
  ])('exits 75 for %s, and makes nothing', async (_, makePlace) => {
    const place = await makePlace();
    const { stdout, stderr, exitCode } = await sansmtp(['queue', 'list', '--queue', place]);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 75 });
    expect(stderr).toMatch(/^error: the queue .* cannot be reached: .*\n$/);
  });

  it.each([
    [['queue']],
    [['queue', 'list', 'more']],
    [['queue', 'show']],
    [['queue', 'drop']],
    [['queue', 'retry']],
    [['queue', 'retry', 'ID', '--all']],
    [['queue', 'retry', '--all', '--domain', 'example.org']],
    [['queue', 'purge']],
    [['queue', 'list', '--queue', '']],
    [['queue', 'list', '--verbose']],
  ])('exits 64 for %j', async (words) => {
    expect((await sansmtp(words)).exitCode).toBe(64);
  });
});

it('asks the relay that has the queue open', async () => {
  const { place, ids } = await filled();
  const store = await openQueue(place);
  const control = await serveControl(place, store);
  onTestFinished(async () => {
    await control.close();
    await store.close();
  });
  expect((await sansmtp(['queue', 'drop', ids[0] ?? '', '--queue', place])).stdout).toBe(
    '1 message dropped\n',
  );
  expect(await store.show(ids[0] ?? '')).toBeUndefined();
});
