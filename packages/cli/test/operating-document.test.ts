/** docs/operating.md: its unit is one that systemd takes, and its options and figures are those that there are. */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMetrics } from '../src/metrics/metrics.js';
import { relayMetrics } from '../src/metrics/relay-metrics.js';

const script = fileURLToPath(new URL('../bin/sansmtp.js', import.meta.url));
const text = await readFile(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
const unit = /<!-- file: sansmtp-relay\.service -->\n```ini\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
const [, commandLine = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-unit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const hasSystemd = await promisify(execFile)('systemd-analyze', ['--version']).then(
  () => true,
  () => false,
);

/** Whom only root may become, and who has to be able to read this checkout; undefined: that is not so here. */
async function somebodyElse(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const nobody = { uid: 65_534, gid: 65_534 };
  const reading = ['-e', `require('node:fs').readFileSync(${JSON.stringify(script)})`];
  const canRead = await promisify(execFile)(process.execPath, reading, { ...nobody, cwd: '/' }).then(
    () => true,
    () => false,
  );
  return canRead ? nobody : undefined;
}

describe('the unit', () => {
  it.skipIf(!hasSystemd && process.env.CI !== 'true')('is one that systemd takes', async () => {
    const file = join(await scratchFolder(), 'sansmtp-relay.service');
    const here = unit.replace(
      '/usr/bin/node /opt/sansmtp/node_modules/sansmtp/bin/sansmtp.js',
      `${process.execPath} ${script}`,
    );
    await writeFile(file, here);
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', file]);
    const about = (stdout + stderr).split('\n').filter((line) => line.includes('sansmtp-relay'));
    expect(about).toEqual([]);
  });

  it('has a command line that listens, as a user who may do nothing', async () => {
    const folder = await scratchFolder();
    const nobody = await somebodyElse();
    if (nobody !== undefined) await chown(folder, nobody.uid, nobody.gid);
    const [, , ...words] = commandLine.split(' ');
    const free = words.map((word, i) => (['--port', '--metrics'].includes(words[i - 1] ?? '') ? '0' : word));
    const child = spawn(process.execPath, [script, ...free], { cwd: folder, ...nobody });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let printed = '';
    for await (const piece of child.stdout) {
      printed += piece;
      if (printed.includes('listening metrics')) break;
    }
    expect(printed).toMatch(/^listening smtp 0\.0\.0\.0:\d+\nlistening metrics 127\.0\.0\.1:\d+\n$/);
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});

it('has a first message arrive, as it tells', async () => {
  const folder = await scratchFolder();
  const blockOf = (name: string) =>
    new RegExp(`<!-- example: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
  const inFolder = (block: string) => block.replaceAll('npx sansmtp', `${process.execPath} ${script}`);
  // On any free port.
  const server = spawn('bash', ['-c', `exec ${inFolder(blockOf('try-relay')).trim()} --port 0`], {
    cwd: folder,
  });
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  let printed = '';
  for await (const piece of server.stdout) {
    printed += piece;
    if (printed.includes('\n')) break;
  }
  const port = /:(\d+)\n/.exec(printed)?.[1] ?? '';
  const [send = '', list = '', show = ''] = blockOf('try-send')
    .replace('--port 2525', `--port ${port}`)
    .split(/\n(?=\S)/);
  const bash = async (line: string) =>
    (await promisify(execFile)('bash', ['-c', inFolder(line)], { cwd: folder })).stdout;
  expect(await bash(send)).toMatch(/^delivered bob@example\.com 250 /);
  await expect.poll(() => bash(list), { timeout: 60_000 }).toBe('');
  expect(await bash(show)).toMatch(/^Subject: Hello\r\n(?:.+\r\n)*\r\nIt works\.\r\n$/m);
}, 120_000);

it('names options that there are', async () => {
  const helps = await Promise.all(
    [['relay'], ['send'], ['queue', 'list'], ['queue', 'retry']].map((words) =>
      promisify(execFile)(process.execPath, [script, ...words, '--help']),
    ),
  );
  const known = new Set(helps.flatMap(({ stdout }) => stdout.match(/--[a-z-]+/g) ?? []));
  // Of other programs.
  const others = ['--system', '--group', '--prefix', '--global', '--init', '--workspace'];
  const named = (text.match(/(?<=[\s`"])--[a-z-]+/g) ?? []).filter((option) => !others.includes(option));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((option) => !known.has(option))).toEqual([]);
}, 120_000);

it('names each figure that there is, and no other', async () => {
  const metrics = await startMetrics(0);
  onTestFinished(() => metrics.close());
  const count = async () => ({ waiting: 0, held: 0, delivering: 0, octets: 0, oldest: {} });
  await relayMetrics(metrics.registry, { count }, []);
  const names = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
  const told = [...text.matchAll(/^\| `(sansmtp_\w+)` \|/gm)].map(([, name = '']) => name);
  expect(told.sort()).toEqual(names.filter((name) => name.startsWith('sansmtp_')).sort());
});
