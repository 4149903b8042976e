import { spawn } from 'node:child_process';
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ladder } from '@sansmtp/charts/trace';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sansmtp } from '../running.test-support.js';
import { LadderText } from './ladder-text.js';

const traces = fileURLToPath(new URL('../../test/traces/', import.meta.url));
const trace = (name: string) => join(traces, `${name}.trace`);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sansmtp-replay-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('replay', () => {
  it.each(['refused', 'secured', 'timed-out', 'delivered'])(
    'shows %s as a ladder that fits 80 columns',
    async (name) => {
      const { stdout, stderr, exitCode } = await sansmtp(['replay', trace(name)]);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      expect(stdout).not.toContain('\u001b');
      await expect(stdout).toMatchFileSnapshot(`../../test/traces/${name}.ladder`);
    },
  );

  it('says why the server answered 503, and which commands it took', async () => {
    const { stdout } = await sansmtp(['replay', trace('refused')]);
    expect(stdout.replace(/\s+│?\s*/g, ' ')).toContain(
      '503 because no recipient was accepted: session.transaction.opened takes RCPT, RSET, ',
    );
  });

  it('shows each session, or the one that is asked for', async () => {
    const path = join(await folder(), 'both.trace');
    await writeFile(
      path,
      (await readFile(trace('refused'), 'utf8')) + (await readFile(trace('delivered'), 'utf8')),
    );
    const all = await sansmtp(['replay', path]);
    expect(all.stdout).toContain('session s1: server');
    expect(all.stdout).toContain('session c: client');
    const one = await sansmtp(['replay', path, '--connection', 'c']);
    expect(one.stdout).not.toContain('session s1');
    expect(one.stdout).toContain('session c: client');
  });

  it.each([
    [[trace('refused'), '--connection', 'nobody'], 'has no session nobody'],
    [['/no/such.trace'], '/no/such.trace cannot be read: ENOENT'],
    [[traces], 'cannot be read: EISDIR'],
    [[fileURLToPath(import.meta.url)], 'has no record of a session'],
  ])('of %j says what is missing, and exits 64', async (words, problem) => {
    const { stderr, exitCode } = await sansmtp(['replay', ...words]);
    expect(stderr).toContain(problem);
    expect(exitCode).toBe(64);
  });

  it('shows what there is of a torn trace, and says what it left out', async () => {
    const path = join(await folder(), 'torn.trace');
    const text = await readFile(trace('refused'), 'utf8');
    await writeFile(path, text.slice(0, -100));
    const { stdout, stderr, exitCode } = await sansmtp(['replay', path]);
    expect(stdout).toContain('S: 221 2.0.0 Closing the session');
    expect(stdout).not.toContain('closed: QUIT');
    expect(stderr).toBe(`left out: line ${text.split('\n').length - 1}: it is no JSON, or torn\n`);
    expect(exitCode).toBe(0);
  });

  it('lets nothing in a trace steer the terminal', async () => {
    const path = join(await folder(), 'odd.trace');
    const text = await readFile(trace('refused'), 'utf8');
    await writeFile(
      path,
      text.replaceAll('c.example', 'c\\u001b[2J\\u009b2J\\u2028\\u202e').replaceAll('s1', '\\u001b[31m'),
    );
    const { stdout } = await sansmtp(['replay', path]);
    expect(stdout).toMatch(/^(?:\n|[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}])*$/u);
  });

  it('shows a session of very many records as far as it has come: time and memory do not run away', async () => {
    const path = join(await folder(), 'long.trace');
    const lines = (await readFile(trace('refused'), 'utf8')).split('\n');
    const from = lines.findIndex((line) => line.includes('"verb":"MAIL"'));
    const noop = [
      '"smtp:command_received","data":{"line":"NOOP","verb":"NOOP","state":"session.ready","raw":{},"spans":[]}',
      '"smtp:reply_sent","data":{"code":250,"lines":["OK"],"state":"session.ready","raw":{},"spans":[]}',
    ];
    const pairs = Array.from({ length: 12_000 }, (_, pair) =>
      noop
        .map(
          (rest, at) =>
            `{"time":${pair},"seq":${1000 + pair * 2 + at},"group_id":"s1","cause":${50_000 + Math.trunc(pair / 2)},"name":${rest}}`,
        )
        .join('\n'),
    );
    await writeFile(path, [...lines.slice(0, from), ...pairs].join('\n'));
    const { stdout, exitCode } = await sansmtp(['replay', path]);
    expect(exitCode).toBe(0);
    expect(stdout.match(/^session s1/gm)).toHaveLength(1);
    expect(stdout.match(/ C: NOOP/g)).toHaveLength(12_000);
    expect(stdout.match(/ S: 250 OK/g)).toHaveLength(12_000);
    expect(stdout.match(/┌ C: NOOP/g)?.length).toBeGreaterThan(5_990);
  }, 60_000);

  it('follows a trace that grows, and ends with the connection that was asked for', async () => {
    const path = join(await folder(), 'growing.trace');
    const text = await readFile(trace('timed-out'), 'utf8');
    const half = text.indexOf('"command.MAIL"');
    await writeFile(path, text.slice(0, half));
    const replay = sansmtp(['replay', path, '--follow', '--connection', 's1']);
    for (let at = half; at < text.length; at += 500) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await appendFile(path, text.slice(at, at + 500));
    }
    const whole = await sansmtp(['replay', path]);
    const without = (stdout: string) =>
      stdout.replace(/[┌│└]/g, ' ').replaceAll(' →', '\n ·').replaceAll(/ +/g, ' ');
    expect(without((await replay).stdout)).toBe(without(whole.stdout));
  });

  it('follows a trace that goes on in a new file', async () => {
    const path = join(await folder(), 'rotated.trace');
    await copyFile(trace('refused'), path);
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('../../bin/sansmtp.js', import.meta.url)),
      'replay',
      path,
      '--follow',
    ]);
    onTestFinished(() => void child.kill());
    let shown = '';
    child.stdout.on('data', (chunk) => {
      shown += chunk;
    });
    const until = async (words: string) => {
      while (!shown.includes(words)) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await until('session s1');
    await rm(path);
    await copyFile(trace('delivered'), path);
    await until('session c: client');
    await until('closing → closed');
  });
});

describe('a ladder in colours', () => {
  it('has them for the terminal only', () => {
    const ladder = new Ladder('a', 'server');
    expect(new LadderText(ladder, true).heading()).toBe(
      '\u001b[1msession a: server, from somebody\u001b[0m\n',
    );
    expect(new LadderText(ladder, false).heading()).toBe('session a: server, from somebody\n');
  });
});
