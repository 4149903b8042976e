import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { eventually, expectNothingLeftOpen, hear, listening, portOf } from '../listening.test-support.js';
import { ConnectError, connect } from './connect.js';

expectNothingLeftOpen();

const host = '127.0.0.1';

describe('connect', () => {
  it('says whom it could not connect to, and why', async () => {
    const { listener } = await listening({ port: 0 });
    const port = portOf(listener);
    await listener.close();
    const attempt = connect({ host, port });
    await expect(attempt).rejects.toBeInstanceOf(ConnectError);
    await expect(attempt).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: `Cannot connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
      cause: expect.objectContaining({ syscall: 'connect' }),
    });
    await expect(connect({ host: '::1', port })).rejects.toThrow(
      `Cannot connect to [::1]:${port}: connect E`,
    );
  });

  it('says so of every address of a host', async () => {
    const { listener } = await listening({ port: 0 });
    const port = portOf(listener);
    await listener.close();
    await expect(connect({ host: 'localhost', port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringMatching(/^Cannot connect to localhost:\d+: connect .*ECONNREFUSED 127\.0\.0\.1/),
    });
  });

  it('says so of a Unix socket', async () => {
    const path = join(tmpdir(), 'sansmtp-nobody-listens-here');
    await expect(connect({ path })).rejects.toMatchObject({
      code: 'ENOENT',
      message: `Cannot connect to ${path}: connect ENOENT ${path}`,
    });
  });

  it.each([
    [10, { timeout: 10 }],
    [30_000, {}],
  ])('gives up when the connection does not stand in %s ms, with %j', async (timeout, options) => {
    const { listener, abortStreams } = await listening({ port: 0 });
    const port = portOf(listener);
    // With the immediates, too: the clock looks at the sockets once more, and this one would stand by then.
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
    });
    const attempt = connect({ host, port, ...options });
    attempt.catch(() => {}); // it fails while time is advanced
    vi.advanceTimersByTime(timeout - 1);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    await expect(attempt).rejects.toMatchObject({
      name: 'ConnectError',
      code: 'ETIMEDOUT',
      message: `Cannot connect to 127.0.0.1:${port}: no answer in ${timeout} ms`,
    });
    abortStreams();
    await listener.close();
  });

  it('leaves no timer behind, whatever comes of it', async () => {
    const { listener, abortStreams } = await listening({ port: 0 });
    const port = portOf(listener);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const client = await connect({ host, port });
    expect(vi.getTimerCount()).toBe(0);
    const controller = new AbortController();
    const attempt = connect({ host, port, signal: controller.signal });
    controller.abort();
    await expect(attempt).rejects.toThrow();
    await listener.close();
    await expect(connect({ host, port })).rejects.toThrow(ConnectError);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    client.abort();
    abortStreams();
  });

  it('gives up when told to, with the reason it is told', async () => {
    const { listener, abortStreams, open } = await listening({ port: 0 });
    const reason = new Error('Not needed any more');
    const controller = new AbortController();
    const attempt = connect({ host, port: portOf(listener), signal: controller.signal });
    controller.abort(reason);
    await expect(attempt).rejects.toBe(reason);
    await expect(connect({ host, port: portOf(listener), signal: controller.signal })).rejects.toBe(reason);
    await eventually(() => expect(open()).toBe(0));
    abortStreams();
    await listener.close();
  });

  it('is not troubled by the signal or the timeout once connected', async () => {
    const { listener, heard, open } = await listening({ port: 0 });
    const controller = new AbortController();
    const { signal } = controller;
    const client = await connect({ host, port: portOf(listener), timeout: 1000, signal });
    controller.abort();
    await sleep(1010);
    client.write(new TextEncoder().encode('NOOP\r\n'));
    await eventually(() => expect(heard).toEqual([['NOOP\r\n']]));
    client.abort();
    await eventually(() => expect(open()).toBe(0));
    await listener.close();
  });

  it('keeps what the peer says first until open()', async () => {
    const { listener, streams } = await listening({ port: 0 });
    const client = await connect({ host, port: portOf(listener) });
    await eventually(() => expect(streams).toHaveLength(1));
    streams[0]?.write(new TextEncoder().encode('220 ready\r\n'));
    streams[0]?.end();
    await sleep(10);
    const heard = hear(client);
    client.end();
    await eventually(() => expect(heard).toEqual(['220 ready\r\n', 'end', 'close']));
    await listener.close();
  });
});
