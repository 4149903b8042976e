import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ServerSessionInformation, withoutSession } from '@sansmtp/transport';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as fileCalls from './file-calls.js';
import { type Maildir, openMaildir, type StorableMessage } from './maildir.js';
import { writeMessageFile } from './message-file.js';

/** What was done to files and folders, in order; the step named by `failing` throws instead. */
const calls: string[] = [];
let failing: string | undefined;

function called(step: string): void {
  calls.push(step);
  if (step === failing) throw Object.assign(new Error(`${step} failed`), { code: 'EIO' });
}

/** The last two parts of a path; message files are called `*`. */
function placeOf(path: string): string {
  return path
    .split('/')
    .slice(-2)
    .join('/')
    .replace(/\/\d+\.M.*/, '/*');
}

vi.mock('./file-calls.js', async (importOriginal) => {
  const actual = await importOriginal<typeof fileCalls>();
  const places = new Map<number, string>();
  const opening = async (how: string, path: string, open: (path: string) => Promise<number>) => {
    called(`${how} ${placeOf(path)}`);
    const descriptor = await open(path);
    places.set(descriptor, placeOf(path));
    return descriptor;
  };
  return {
    ...actual,
    createSynced: (path: string) => opening('create', path, actual.createSynced),
    open: (path: string) => opening('reopen', path, actual.open),
    openFolder: (path: string) => opening('open', path, actual.openFolder),
    async write(descriptor: number, octets: Uint8Array) {
      called(`write ${places.get(descriptor)}`);
      await actual.write(descriptor, octets);
    },
    async sync(descriptor: number) {
      called(`sync ${places.get(descriptor)}`);
      await actual.sync(descriptor);
    },
    close(descriptor: number) {
      actual.close(descriptor);
      called(`close ${places.get(descriptor)}`);
    },
  };
});

vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof fs>();
  return {
    ...actual,
    async rename(from: string, to: string) {
      called(`rename ${placeOf(from)} ${placeOf(to)}`);
      await actual.rename(from, to);
    },
  };
});

let root: string;
let maildir: Maildir;

beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'maildir-'));
  maildir = await openMaildir(join(root, 'mail'), { hostname: 'mx.example' });
  calls.length = 0;
  failing = undefined;
});

afterEach(async () => {
  await fs.rm(root, { recursive: true });
});

const session: ServerSessionInformation = {
  ...withoutSession({ id: 'a-1', peer: { address: '192.0.2.1', port: 1 } }),
  hello: { verb: 'EHLO', name: 'client.example' },
};

async function* chunksOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function message(...chunks: (Uint8Array | string)[]): StorableMessage {
  return {
    envelope: {
      reversePath: { localPart: 'joe', domain: 'example.com' },
      parameters: {},
      recipients: [{ forwardPath: { localPart: 'ann', domain: 'example.org' }, parameters: {} }],
    },
    body: chunksOf(chunks.map((chunk) => Buffer.from(chunk))),
  };
}

/** What stands behind the trace header. */
async function storedBody(path: string): Promise<Buffer> {
  const content = await fs.readFile(path);
  const header = /^Return-Path: .*\r\n(?:Delivered-To: .*\r\n)+Received: .*\r\n(?:\t.*\r\n)+/.exec(
    content.toString('latin1'),
  );
  return content.subarray(header?.[0].length);
}

async function filesIn(directory: string): Promise<string[]> {
  const folders = ['tmp', 'new', 'cur'];
  const names = await Promise.all(folders.map((folder) => fs.readdir(join(directory, folder))));
  return names.flatMap((files, i) => files.map((file) => `${folders[i]}/${file}`));
}

describe('opening a Maildir', () => {
  it('makes tmp, new and cur, for this user only, also below folders that are missing', async () => {
    const deep = join(root, 'a', 'b', 'mail');
    const { directory } = await openMaildir(deep);
    expect(directory).toBe(deep);
    for (const folder of ['a', 'a/b', 'a/b/mail', 'a/b/mail/tmp', 'a/b/mail/new', 'a/b/mail/cur']) {
      expect((await fs.stat(join(root, folder))).mode & 0o7777).toBe(0o700);
    }
  });

  it('syncs each folder that got a new one', async () => {
    await openMaildir(join(root, 'a', 'b'));
    const synced = calls.filter((call) => call.startsWith('sync '));
    expect(synced).toEqual([
      `sync ${placeOf(root)}`,
      `sync ${basename(root)}/a`,
      'sync a/b',
      'sync a/b',
      'sync a/b',
    ]);
  });

  it('keeps the mail that is there', async () => {
    await maildir.deliver(message('a\r\n'), session);
    await openMaildir(maildir.directory);
    expect(await filesIn(maildir.directory)).toHaveLength(1);
  });

  it.each(['', 'mx example', 'mx.example\r\nX: y', '192.0.2.1]', 'm\u00fcller.example'])(
    'rejects the hostname %j before it makes anything',
    async (hostname) => {
      const path = join(root, 'other');
      await expect(openMaildir(path, { hostname })).rejects.toThrow(RangeError);
      await expect(openMaildir(path, { hostname })).rejects.toThrow(
        `hostname is ${JSON.stringify(hostname)}: give a domain, or an address literal`,
      );
      await expect(fs.stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('takes an address literal for the hostname', async () => {
    const literal = await openMaildir(join(root, 'other'), { hostname: '[IPv6:2001:db8::1]' });
    const { path } = await literal.deliver(message('a\r\n'), session);
    expect(await fs.readFile(path, 'latin1')).toContain('\r\n\tby [IPv6:2001:db8::1] with ESMTP id ');
  });

  it('fails when a file stands in the way', async () => {
    await fs.writeFile(join(root, 'file'), '');
    await expect(openMaildir(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(openMaildir(join(root, 'file', 'mail'))).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

describe('a delivery', () => {
  it('gives one file in new/, for this user only: the trace header, then the message to the octet', async () => {
    const body = Buffer.from('Subject: a\r\n\r\n.\r\n..\r\n\r\n\xe4\xf6\r\nno line end', 'latin1');
    const { id, path, size } = await maildir.deliver(message(body), session);

    expect(await filesIn(maildir.directory)).toEqual([`new/${basename(path)}`]);
    expect((await fs.stat(path)).mode & 0o7777).toBe(0o600);
    expect(size).toBe(body.length);
    const content = await fs.readFile(path, 'latin1');
    expect(content).toMatch(
      /^Return-Path: <joe@example\.com>\r\nDelivered-To: ann@example\.org\r\nReceived: /,
    );
    expect(content).toContain(` id ${id};`);
    expect(content.endsWith(body.toString('latin1'))).toBe(true);
    expect(await storedBody(path)).toEqual(body);
  });

  it('stores an empty message', async () => {
    const { path, size } = await maildir.deliver(message(), session);
    expect(size).toBe(0);
    expect(await storedBody(path)).toHaveLength(0);
  });

  it('stores the same whatever the chunks', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lengths, async (lengths) => {
        const chunks = lengths.map((length) => randomBytes(length));
        const { path } = await maildir.deliver(message(...chunks), session);
        expect((await storedBody(path)).equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('writes a message of many small chunks in few calls', async () => {
    const lines = Array.from({ length: 100_000 }, () => 'a line\r\n');
    const { path, size } = await maildir.deliver(message(...lines), session);
    expect(size).toBe(800_000);
    expect((await fs.stat(path)).size).toBeGreaterThan(size);
    expect(calls.filter((call) => call.startsWith('write')).length).toBeLessThanOrEqual(800_000 / 65_536 + 1);
  });

  it('stores 16 MiB to the octet', async () => {
    const chunk = randomBytes(65_536);
    const expected = createHash('sha256');
    function* body() {
      for (let i = 0; i < 256; i++) {
        expected.update(chunk);
        yield chunk;
      }
    }
    const { path, size } = await maildir.deliver({ ...message(), body: chunksOf(body()) }, session);
    expect(size).toBe(16 * 1024 * 1024);
    const stored = createHash('sha256').update(await storedBody(path));
    expect(stored.digest('hex')).toBe(expected.digest('hex'));
  });

  it('gives a hundred at a time a hundred files', async () => {
    const stored = await Promise.all(
      Array.from({ length: 100 }, (_, i) => maildir.deliver(message(`${i}`, '\r\n'), session)),
    );
    expect(new Set(stored.map(({ id }) => id)).size).toBe(100);
    expect(await filesIn(maildir.directory)).toHaveLength(100);
    // One sync of the folder serves all that wait for it.
    expect(calls.filter((call) => call === 'sync mail/new').length).toBeLessThan(100);
    for (const [i, { path }] of stored.entries()) expect(`${await storedBody(path)}`).toBe(`${i}\r\n`);
  });
});

const PLACED = ['rename tmp/* new/*', 'open mail/new', 'sync mail/new', 'close mail/new'];

/** Where a write to a file may take the sync with it. */
const isLinux = process.platform === 'linux';

/** Every step of a delivery of one write. */
const STEPS = ['create tmp/*', 'write tmp/*', ...(isLinux ? [] : ['sync tmp/*']), 'close tmp/*', ...PLACED];

/** And of one of two. */
const STEPS_OF_LARGE = [
  'create tmp/*',
  'reopen tmp/*',
  'close tmp/*',
  'write tmp/*',
  'write tmp/*',
  'sync tmp/*',
  'close tmp/*',
  ...PLACED,
];

const large = () => message(Buffer.alloc(70_000), 'a\r\n');

describe('the order of a delivery', () => {
  it('is: write, sync the file, give it its place in new/, sync that folder', async () => {
    await maildir.deliver(message('a\r\n'), session);
    expect(calls).toEqual(STEPS);
    calls.length = 0;
    await maildir.deliver(large(), session);
    expect(calls).toEqual(STEPS_OF_LARGE);
  });

  it.each(STEPS)('leaves no file when it fails at: %s', async (step) => {
    failing = step;
    await expect(maildir.deliver(message('a\r\n'), session)).rejects.toMatchObject({ code: 'EIO' });
    expect(await filesIn(maildir.directory)).toEqual([]);
  });

  it.each([...new Set(STEPS_OF_LARGE)])(
    'leaves no file of a large message when it fails at: %s',
    async (step) => {
      failing = step;
      await expect(maildir.deliver(large(), session)).rejects.toMatchObject({ code: 'EIO' });
      expect(await filesIn(maildir.directory)).toEqual([]);
    },
  );

  it("deletes nobody else's file when its own gets no place", async () => {
    const first = await maildir.deliver(message('a\r\n'), session);
    failing = 'rename tmp/* new/*';
    await expect(maildir.deliver(message('b\r\n'), session)).rejects.toMatchObject({ code: 'EIO' });
    expect(await filesIn(maildir.directory)).toEqual([`new/${basename(first.path)}`]);
  });

  it('takes no name that stands in tmp/ already', async () => {
    const path = join(maildir.directory, 'tmp', 'taken');
    await fs.writeFile(path, "somebody else's");
    const write = writeMessageFile(path, Buffer.from('a\r\n'), chunksOf([]));
    await expect(write).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await fs.readFile(path, 'latin1')).toBe("somebody else's");
  });

  it('begins with the file, while the message is still to come', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      await vi.waitFor(() => expect(calls).toEqual(['create tmp/*']));
      yield Buffer.from('a\r\n');
    }
    const { path } = await maildir.deliver({ ...message(), body: body() }, session);
    expect(`${await storedBody(path)}`).toBe('a\r\n');
  });

  it('leaves no file when the body fails before the file is made', async () => {
    const abandoned = new Error('the client went away');
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(abandoned) }),
    };
    await expect(maildir.deliver({ ...message(), body }, session)).rejects.toBe(abandoned);
    expect(calls).toEqual(['create tmp/*', 'close tmp/*']);
    expect(await filesIn(maildir.directory)).toEqual([]);
  });

  it('leaves no file when the body is abandoned, and throws what the body threw', async () => {
    const abandoned = new Error('the client went away');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000);
      expect(await filesIn(maildir.directory)).toEqual([expect.stringMatching(/^tmp\//)]);
      throw abandoned;
    }
    await expect(maildir.deliver({ ...message(), body: body() }, session)).rejects.toBe(abandoned);
    expect(await filesIn(maildir.directory)).toEqual([]);
  });

  it('reads no further when a write fails', async () => {
    failing = 'write tmp/*';
    let left = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        left = true;
      }
    }
    await expect(maildir.deliver({ ...message(), body: body() }, session)).rejects.toThrow('failed');
    expect(left).toBe(true);
  });

  it('goes on after a failure', async () => {
    await fs.rm(join(maildir.directory, 'new'), { recursive: true });
    await fs.writeFile(join(maildir.directory, 'new'), '');
    await expect(maildir.deliver(message('a\r\n'), session)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await fs.unlink(join(maildir.directory, 'new'));
    await fs.mkdir(join(maildir.directory, 'new'));
    const { path } = await maildir.deliver(message('a\r\n'), session);
    expect(await filesIn(maildir.directory)).toEqual([`new/${basename(path)}`]);
  });
});

describe('what a crash left in tmp/', () => {
  const HOUR = 3_600_000;

  async function leave(name: string, age: number): Promise<void> {
    const path = join(maildir.directory, 'tmp', name);
    await fs.writeFile(path, 'half a mess');
    await fs.utimes(path, new Date(), new Date(Date.now() - age));
  }

  it('is swept after 36 hours when the Maildir is opened', async () => {
    await leave('old', 36.1 * HOUR);
    await leave('young', 35.9 * HOUR);
    await fs.mkdir(join(maildir.directory, 'tmp', 'folder'));
    await openMaildir(maildir.directory);
    expect(await fs.readdir(join(maildir.directory, 'tmp'))).toEqual(['folder', 'young']);
  });

  it('is swept while mail is delivered, now and then', async () => {
    await leave('old', 36.1 * HOUR);
    await maildir.deliver(message('a\r\n'), session);
    expect(await fs.readdir(join(maildir.directory, 'tmp'))).toEqual(['old']);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1.1 * HOUR });
    try {
      await maildir.deliver(message('a\r\n'), session);
    } finally {
      vi.useRealTimers();
    }
    await vi.waitFor(async () => expect(await fs.readdir(join(maildir.directory, 'tmp'))).toEqual([]));
  });
});
