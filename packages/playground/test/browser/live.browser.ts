/** The page as `sansmtp` serves it: sessions that go on, and a trace file. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage, press, seriousViolations, stepOf, textIn, textOf } from './browser.js';

const COMMAND = join(import.meta.dirname, '../../../cli/bin/sansmtp.js');

/** Runs the command until the tests are over. @returns what it listens on, by kind */
async function listening(
  words: readonly string[],
  kinds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const found = new Map<string, string>();
  let output = '';
  for await (const piece of child.stdout) {
    output += piece;
    for (const [, kind = '', where = ''] of output.matchAll(/^listening (\w+) (\S+)$/gm))
      found.set(kind, where);
    if (kinds.every((kind) => found.has(kind))) break;
  }
  return found;
}

const children: ChildProcess[] = [];
let folder: string;
let trace: string;
let port: number;
let inspect: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sansmtp-live-'));
  trace = join(folder, 'trace.ndjson');
  const words = [
    'serve',
    '--port',
    '0',
    '--discard',
    '--hostname',
    'mx.example',
    '--inspect',
    '0',
    '--trace',
    trace,
  ];
  const found = await listening(words, ['smtp', 'inspect']);
  port = Number(found.get('smtp')?.split(':').at(-1));
  inspect = found.get('inspect') ?? '';
});

afterAll(async () => {
  for (const child of children) child.kill();
  await rm(folder, { recursive: true, force: true });
});

/** A client that says what it is told to. */
async function client(): Promise<{ readonly say: (line: string) => Promise<void>; readonly socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  const reply = (): Promise<void> => new Promise((resolve) => socket.once('data', () => resolve()));
  await reply();
  const say = async (line: string): Promise<void> => {
    const answered = reply();
    socket.write(`${line}\r\n`);
    await answered;
  };
  return { say, socket };
}

describe('sansmtp serve --inspect', () => {
  it('shows a session while swaks delivers, and takes the token out of the address', async () => {
    const { page, errors } = await openPage('', { url: inspect });
    expect(inspect).toContain('#token=');
    await page.locator('.sessions').waitFor();
    expect(page.url()).not.toContain('token');
    const swaks = promisify(execFile)('swaks', [
      '--server',
      `127.0.0.1:${port}`,
      '--from',
      'ann@example.org',
      '--to',
      'bob@example.com',
      '--ehlo',
      'swaks.example.org',
    ]);
    await page.locator('.sessions button').first().click();
    await swaks;
    await page.locator('.map-server .place.active', { hasText: 'closed' }).waitFor();
    const text = await textOf(page);
    for (const said of ['EHLO swaks.example.org', 'MAIL FROM:<ann@example.org>', 'QUIT'])
      expect(text).toContain(said);
    await press(page, 'Home', 1);
    expect((await stepOf(page))[0]).toBe(1);
    expect(errors).toEqual([]);
  });

  it('follows a session that goes on; whoever steps back stays there, and misses nothing', async () => {
    const { page, errors } = await openPage('', { url: inspect });
    const { say, socket } = await client();
    const nasty = '<img src=x onerror=document.title="owned">';
    await say(`EHLO ${nasty}`);
    await page.locator('.sessions button', { hasText: 'ready' }).first().click();
    await page.locator('.map-server .place.active', { hasText: 'ready' }).waitFor();
    await press(page, 'Home', 1);
    await say('MAIL FROM:<ann@example.org>');
    await page.locator('.wire', { hasText: 'MAIL FROM' }).waitFor();
    expect((await stepOf(page))[0]).toBe(1);
    await press(page, 'End', 1);
    expect(await textIn(page, '.map-server .place.active text')).toBe('opened');
    await say('RCPT TO:<bob@example.com>');
    await page.locator('.map-server .place.active', { hasText: 'addressed' }).waitFor();
    expect(await textOf(page)).toContain(nasty);
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    socket.destroy();
  });
});

describe('sansmtp play', () => {
  it('shows the page', async () => {
    const url = (await listening(['play', '--port', '0'], ['play'])).get('play') ?? '';
    const { page, errors } = await openPage('s=happy&at=3', { url });
    expect((await stepOf(page))[0]).toBe(4);
    expect(errors).toEqual([]);
  });

  it('shows a trace file', async () => {
    const { say, socket } = await client();
    await say('DATA');
    socket.destroy();
    await expect.poll(() => readFile(trace, 'utf8'), { timeout: 20_000 }).toContain('smtp:closed');
    const url = (await listening(['play', '--port', '0', '--trace', trace], ['play'])).get('play') ?? '';
    const { page, errors } = await openPage('', { url });
    await page.locator('.sessions button').last().click();
    await press(page, 'End', 1);
    expect(await page.locator('.wire').innerText()).toContain('503 5.5.1');
    expect(errors).toEqual([]);
  });
});
