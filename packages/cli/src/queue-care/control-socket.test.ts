import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue, type QueueStore } from '@sansmtp/queue';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askRelay, NoRelayError, serveControl } from './control-socket.js';
import type { QueueAnswer, QueueRequest } from './requests.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sansmtp-control-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function opened(): Promise<{ directory: string; store: QueueStore }> {
  const directory = await folder();
  const store = await openQueue(directory);
  const control = await serveControl(directory, store);
  onTestFinished(async () => {
    await control.close();
    await store.close();
  });
  return { directory, store };
}

async function ask(directory: string, request: QueueRequest): Promise<QueueAnswer[]> {
  const answers: QueueAnswer[] = [];
  for await (const answer of askRelay(directory, request)) answers.push(answer);
  return answers;
}

async function* body() {
  yield new TextEncoder().encode('Subject: a\r\n\r\n');
}

function put(store: QueueStore, localPart = 'bob') {
  const envelope = { reversePath: null, recipients: [{ localPart, domain: 'example.org' }] };
  return store.put({ envelope, now: 0, due: 86_400_000 }, body());
}

describe('the control socket', () => {
  it('is its owner’s alone', async () => {
    const { directory } = await opened();
    expect((await stat(join(directory, 'control'))).mode & 0o777).toBe(0o600);
  });

  it('answers for each message, and at last how many', async () => {
    const { directory, store } = await opened();
    const [first, second] = [await put(store), await put(store, 'eve')];
    const answers = await ask(directory, { command: 'list' });
    expect(answers).toEqual([
      {
        message: expect.objectContaining({
          id: first.id,
          from: '',
          size: 14,
          arrived: '1970-01-01T00:00:00.000Z',
        }),
      },
      { message: expect.objectContaining({ id: second.id, state: 'waiting' }) },
      { done: 2, missing: [] },
    ]);
    expect(answers[0]).toMatchObject({
      message: {
        recipients: [
          {
            address: 'bob@example.org',
            state: 'waiting',
            attempts: 0,
            next: '1970-01-02T00:00:00.000Z',
            last: null,
          },
        ],
      },
    });
  });

  it('holds, releases, retries and drops, and names the IDs that there are none of', async () => {
    const { directory, store } = await opened();
    const { id } = await put(store);
    expect(await ask(directory, { command: 'hold', ids: [id, 'none'] })).toEqual([
      { done: 1, missing: ['none'] },
    ]);
    expect((await store.show(id))?.state).toBe('held');
    await ask(directory, { command: 'release', ids: [id] });
    expect((await store.show(id))?.state).toBe('waiting');
    expect(await ask(directory, { command: 'retry', ids: ['none', id] })).toEqual([
      { done: 1, missing: ['none'] },
    ]);
    expect(await ask(directory, { command: 'retry', domain: 'EXAMPLE.org' })).toEqual([
      { done: expect.any(Number), missing: [] },
    ]);
    expect(await ask(directory, { command: 'retry', all: true })).toHaveLength(1);
    expect(await ask(directory, { command: 'show', ids: [id, 'none'] })).toMatchObject([
      { message: { id } },
      { done: 1, missing: ['none'] },
    ]);
    expect(await ask(directory, { command: 'drop', ids: [id] })).toEqual([{ done: 1, missing: [] }]);
    expect(await store.show(id)).toBeUndefined();
  });

  it('tells what the store says where it fails', async () => {
    const { directory, store } = await opened();
    const failing = {
      ...store,
      list(): never {
        throw new Error('the disk is gone');
      },
    };
    const control = await serveControl(directory, failing);
    onTestFinished(() => control.close());
    expect(await ask(directory, { command: 'list' })).toEqual([{ failed: 'the disk is gone' }]);
  });

  it.each([
    '{}',
    'null',
    '[',
    '{"command":"drop"}',
    '{"command":"put","ids":[]}',
    '{"command":"drop","ids":[1]}',
  ])('does nothing for %s', async (line) => {
    const { directory } = await opened();
    const socket = connect(join(directory, 'control'));
    socket.write(`${line}\n`);
    let answer = '';
    for await (const piece of socket) answer += piece;
    expect(JSON.parse(answer)).toEqual({ failed: 'that is no request of sansmtp queue' });
  });

  it('takes the place of one that a dead relay left', async () => {
    const { directory, store } = await opened();
    const again = await serveControl(directory, store);
    onTestFinished(() => again.close());
    expect(await ask(directory, { command: 'list' })).toEqual([{ done: 0, missing: [] }]);
  });
});

describe('whoever asks', () => {
  it('is told that there is no relay where there is no socket, or one that nobody listens on', async () => {
    const directory = await folder();
    await expect(ask(directory, { command: 'list' })).rejects.toThrow(NoRelayError);
    const store = await openQueue(directory);
    await (await serveControl(directory, store)).close();
    await store.close();
    await expect(ask(directory, { command: 'list' })).rejects.toThrow(NoRelayError);
  });

  it('is told the system’s error otherwise', async () => {
    const directory = await folder();
    await writeFile(join(directory, 'control'), '');
    await chmod(join(directory, 'control'), 0o600);
    await expect(ask(directory, { command: 'list' })).rejects.toThrow();
  });
});
