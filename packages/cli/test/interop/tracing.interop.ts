/**
 * Traces of other people's clients: they replay to the same states, hold no secrets, and never stand in the way of the
 * mail.
 */
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { describeWith } from './peers.js';
import { checkout, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { type Serving, serve } from './serving.js';

// Each starts several processes, vitest among them, which take their time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const SECRET = 'open sesame';

function swaks(server: Serving, ...more: string[]) {
  return run('swaks', [
    ...['--server', '127.0.0.1', '--port', `${server.port}`, '--timeout', '50s'],
    ...['--from', 'ann@example.com', '--to', 'joe@example.org', '--body', 'A body', ...more],
  ]);
}

function send(server: Serving, ...more: string[]) {
  const words = [
    '--unix',
    server.unix,
    '--from',
    'a@example.com',
    '--to',
    'b@example.org',
    '--timeout',
    '30',
  ];
  return run(...sansmtp('send', ...words, ...more), 'Subject: a\n\nA body\n');
}

/** Lets the server end, so that all of its trace is written. */
async function ended(server: Serving): Promise<void> {
  server.child.kill('SIGTERM');
  await server.exit;
}

/** Runs a test that was written, where it finds the packages of this checkout. */
async function vitest(text: string) {
  const folder = await mkdtemp(join(checkout, 'packages/cli/.replayed-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'session.test.js'), text);
  await writeFile(join(folder, 'vitest.config.js'), "export default { test: { include: ['*.test.js'] } };\n");
  const program = join(checkout, 'node_modules/vitest/vitest.mjs');
  return run(process.execPath, [program, 'run', '--root', folder, '--reporter', 'default']);
}

describeWith('swaks', () => {
  it('has a trace that replays to the same states, as a test that passes', async () => {
    const trace = join(await scratchFolder(), 'trace');
    const server = await serve(['--trace', trace, '--tls-self-signed', '--user', `ann:${SECRET}`]);
    const login = ['--auth', 'LOGIN', '--auth-user', 'ann', '--auth-password', SECRET];
    expect(await swaks(server, '--tls', ...login)).toMatchObject({ exit: 0 });
    await ended(server);

    const text = await readFile(trace, 'utf8');
    for (const secret of [SECRET, Buffer.from(SECRET).toString('base64'), 'A body']) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('hex'));
    }
    const ladder = await run(...sansmtp('replay', trace));
    expect(ladder).toMatchObject({ exit: 0, stderr: '' });
    for (const line of [
      'TLS established: TLSv1.3, TLS_AES_256_GCM_SHA384',
      'C: AUTH LOGIN',
      'AUTH LOGIN: accepted, ann',
      '· session.transaction.committing → session.ready',
      'S: 221 2.0.0 Closing the session',
    ]) {
      expect(ladder.stdout).toContain(line);
    }

    const test = await run(...sansmtp('replay', trace, '--as-test'));
    expect(test).toMatchObject({ exit: 0, stderr: '' });
    const { exit, stdout } = await vitest(test.stdout);
    expect({ exit, stdout }).toMatchObject({ exit: 0, stdout: expect.stringMatching(/Tests .*1 passed/) });
    const states = [...text.matchAll(/"old":"[^"]*","new":"([^"]*)"/g)].map(([, state]) => state);
    const replayed = [...test.stdout.matchAll(/state: "([^"]*)"/g)].map(([, state]) => state);
    expect(states).toEqual(expect.arrayContaining(replayed));
    expect(replayed.at(-1)).toBe('closed');
  });

  it('is followed live, from the first record to the last', async () => {
    const server = await serve(['--inspect', '0']);
    await until(() => server.stdout.includes('listening inspect'));
    const url = new URL(/^listening inspect (\S+)$/m.exec(server.stdout)?.[1] ?? '');
    expect(url.host).toMatch(/^127\.0\.0\.1:\d+$/);
    const token = url.hash.slice('#token='.length);
    const entered = await fetch(new URL('/token', url), { method: 'POST', body: JSON.stringify({ token }) });
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    const ask = (path: string) => fetch(new URL(path, url), { headers: { cookie } });
    expect(await (await ask('/mode')).json()).toEqual({ mode: 'inspect' });
    expect(await (await ask('/')).text()).toContain('<script');

    const delivery = swaks(server);
    let id = '';
    await until(async () => {
      const [session] = (await (await ask('/sessions')).json()) as { id: string }[];
      id = session?.id ?? '';
      return id !== '';
    });
    const events = await (await ask(`/sessions/${id}/events`)).text();
    expect(await delivery).toMatchObject({ exit: 0 });
    const records = [...events.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
    expect(records[0]).toMatchObject({ group_id: id, data: { event: 'opened' } });
    expect(records.at(-1)).toMatchObject({ name: 'smtp:closed', data: { ending: 'quit' } });
    expect(await (await ask('/sessions')).json()).toMatchObject([
      { id, state: 'closed', records: records.length },
    ]);
  });
});

describe('a trace', () => {
  it.each(['/dev/full', 'a full disk'])(
    'that cannot go on for %s ends with one warning; the mail goes on',
    async (place) => {
      const folder = await scratchFolder();
      const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'none', folder]);
      if (mounted.exit === 0) onTestFinished(async () => void (await run('umount', ['-l', folder])));
      else if (place !== '/dev/full') return;
      const server = await serve(['--trace', place === '/dev/full' ? place : join(folder, 'trace')]);
      for (let message = 0; message < 3; message += 1) expect(await send(server)).toMatchObject({ exit: 0 });
      expect(await server.messages()).toHaveLength(3);
      await ended(server);
      expect(await server.exit).toBe(0);
      expect(server.stderr.match(/WARN.*the trace ends here: ENOSPC/g)).toHaveLength(1);
      expect(server.stderr).not.toContain('ERROR');
    },
  );

  it('that cannot be begun ends serve and send: 73', async () => {
    const path = join(await scratchFolder(), 'none', 'trace');
    const served = await run(...sansmtp('serve', '--port', '0', '--discard', '--trace', path));
    expect(served).toMatchObject({
      exit: 73,
      stderr: expect.stringContaining(`cannot write the trace ${path}`),
    });
    const server = await serve();
    expect(await send(server, '--trace', path)).toMatchObject({ exit: 73, stdout: '' });
    expect(await server.messages()).toEqual([]);
  });

  it('goes on in a new file at SIGHUP, so that it can be rotated', async () => {
    const trace = join(await scratchFolder(), 'trace');
    const server = await serve(['--trace', trace]);
    await send(server);
    await rename(trace, `${trace}.1`);
    server.child.kill('SIGHUP');
    await until(() => server.stderr.includes('SIGHUP: the trace goes on in a new file'));
    await send(server);
    await ended(server);
    for (const path of [`${trace}.1`, trace]) {
      const { stdout } = await run(...sansmtp('replay', path));
      expect(stdout.match(/^session /gm)).toHaveLength(1);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });

  it('of send tells the other end’s story', async () => {
    const trace = join(await scratchFolder(), 'trace');
    const server = await serve();
    expect(await send(server, '--trace', trace)).toMatchObject({ exit: 0, stderr: '' });
    const { stdout } = await run(...sansmtp('replay', trace));
    expect(stdout).toContain(': client, to ');
    expect(stdout).toContain('b@example.org delivered');
    const test = await run(...sansmtp('replay', trace, '--as-test'));
    expect(await vitest(test.stdout)).toMatchObject({ exit: 0 });
  });

  it('on a full disk costs send one warning, and no message', async () => {
    const server = await serve();
    const { exit, stdout, stderr } = await send(server, '--trace', '/dev/full');
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringMatching(/^delivered /) });
    expect(stderr).toMatch(/^warning: the trace ends here: ENOSPC[^\n]*\n$/);
  });
});

describe('play', () => {
  it('serves the page, without a token; with --trace, to who has it', async () => {
    const page = start(...sansmtp('play', '--port', '0'));
    await until(() => page.stdout.includes('\n'));
    const [, url = ''] = /^listening play (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(page.stdout) ?? [];
    expect(await (await fetch(url)).text()).toContain('<script');
    page.child.kill('SIGTERM');
    expect(await page.exit).toBe(0);

    const trace = join(await scratchFolder(), 'trace');
    await writeFile(trace, 'a trace\n');
    const shown = start(...sansmtp('play', '--port', '0', '--trace', trace));
    await until(() => shown.stdout.includes('\n'));
    const [, address = '', token = ''] = /^listening play (\S+)#token=([\w-]+)\n$/.exec(shown.stdout) ?? [];
    expect((await fetch(`${address}trace`)).status).toBe(401);
    const entered = await fetch(`${address}token`, { method: 'POST', body: JSON.stringify({ token }) });
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(await (await fetch(`${address}trace`, { headers: { cookie } })).text()).toBe('a trace\n');
  });
});
