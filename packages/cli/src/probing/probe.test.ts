import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeScriptedServer, openInbox, openScriptedServer } from '@sansmtp/testing/node';
import { afterEach, describe, expect, it } from 'vitest';
import { sansmtp } from '../running.test-support.js';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

async function conforming(): Promise<string> {
  const inbox = await openInbox();
  opened.push(inbox);
  return `127.0.0.1:${inbox.port}`;
}

/** A server that is made to answer NOOP wrongly. */
async function deviating(): Promise<string> {
  const server: NodeScriptedServer = await openScriptedServer({ NOOP: '550 5.5.1 No' });
  opened.push(server);
  return `127.0.0.1:${server.port}`;
}

async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-probe-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const NOOP = 'syntax/lower-case-noop';

describe('sansmtp probe', () => {
  it('says how many passed, and exits 0', async () => {
    const { stdout, stderr, exitCode } = await sansmtp([
      'probe',
      await conforming(),
      '--only',
      'sequence/quit-*',
    ]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: '4 passed, 0 failed, 0 skipped\n',
      stderr: '',
      exitCode: 0,
    });
  });

  it('prints a line a finding, and exits 1', async () => {
    const { stdout, exitCode } = await sansmtp(['probe', await deviating(), '--only', NOOP]);
    expect(stdout).toBe(
      `${NOOP} MUST RFC 5321 §2.4 2yz was due after noop; it said 550 5.5.1 No\n0 passed, 1 failed, 0 skipped\n`,
    );
    expect(exitCode).toBe(1);
  });

  it('--json prints each verdict with its dialogue', async () => {
    const { stdout } = await sansmtp([
      'probe',
      await deviating(),
      '--only',
      `${NOOP},size/keyword`,
      '--json',
    ]);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      expect.objectContaining({ id: NOOP, level: 'MUST', section: 'RFC 5321 §2.4', result: 'failed' }),
      expect.objectContaining({
        id: 'size/keyword',
        result: 'skipped',
        seen: 'SIZE is not offered',
        dialogue: [],
      }),
    ]);
    expect(lines[0].dialogue.slice(-2)).toEqual(['C: noop', 'S: 550 5.5.1 No']);
  });

  it('--expect lets known deviations count no more, and tells what is healed', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'known');
      await writeFile(file, `# ours\n${NOOP}\nsyntax/lower-case-rset\n`);
      const only = `${NOOP},syntax/lower-case-rset`;
      const { stdout, stderr, exitCode } = await sansmtp([
        'probe',
        await deviating(),
        '--only',
        only,
        '--expect',
        file,
      ]);
      expect(stdout).toContain('No (known)\n1 passed, 1 failed, 0 skipped\n');
      expect(stderr).toContain('healed: syntax/lower-case-rset');
      expect(exitCode).toBe(0);
    }));

  it('tells which ids of --expect no case has', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'known');
      await writeFile(file, `${NOOP}\nsyntax/lower-case-nop\ngenerated/model\n`);
      const words = ['--only', NOOP, '--expect', file];
      const { stderr } = await sansmtp(['probe', await deviating(), ...words]);
      expect(stderr).toBe(
        `unknown: syntax/lower-case-nop, in ${file}, is the id of no case; --list shows them all\n`,
      );
    }));

  it('tells on stderr why cases were skipped', async () => {
    const { stdout, stderr } = await sansmtp(['probe', await deviating(), '--only', `${NOOP},size,lmtp`]);
    expect(stdout).toMatch(/\n0 passed, 1 failed, \d+ skipped\n$/);
    expect(stderr).toMatch(/^skipped \d+: SIZE is not offered\nskipped 6: this is about LMTP\n$/);
  });

  it('--junit and --report write files', () =>
    inFolder(async (folder) => {
      const [junit, report] = [join(folder, 'j.xml'), join(folder, 'r.html')];
      await sansmtp(['probe', await deviating(), '--only', NOOP, '--junit', junit, '--report', report]);
      expect(await readFile(junit, 'utf8')).toContain(`<testcase classname="syntax" name="${NOOP}"`);
      expect(await readFile(report, 'utf8')).toContain('docs/conformance/syntax.md#lower-case-noop');
    }));

  it('says before the first case that a report cannot be written, and exits 73', async () => {
    const junit = '/no/such/folder/probe.xml';
    const { stdout, stderr, exitCode } = await sansmtp([
      'probe',
      await deviating(),
      '--only',
      NOOP,
      '--junit',
      junit,
    ]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: cannot write \/no\/such\/folder\/probe\.xml: ENOENT/);
    expect(exitCode).toBe(73);
  });

  it('--list names the cases with their pages, and needs no server', async () => {
    const { stdout, exitCode } = await sansmtp(['probe', '--list', '--only', 'sequence/rcpt-before-mail']);
    expect(stdout).toMatch(
      /^sequence\/rcpt-before-mail MUST RFC 5321 §3\.3 .* docs\/conformance\/sequence\.md#rcpt-before-mail\n$/,
    );
    expect(exitCode).toBe(0);
  });

  it('judges generated dialogues by the model, and again by the seed', async () => {
    const words = ['--only', 'generated', '--runs', '10', '--seed', '7', '--json'];
    const { stdout, exitCode } = await sansmtp(['probe', await conforming(), ...words]);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'generated/model', result: 'passed' });
    expect(exitCode).toBe(0);
    const [once, again] = [await deviating(), await deviating()].map((server) =>
      sansmtp(['probe', server, '--only', 'generated', '--seed', '7']),
    );
    expect((await once)?.stdout).toMatch(
      /^generated\/model MUST RFC 5321 .*\(seed 7, path .*\n0 passed, 1 failed/,
    );
    expect((await again)?.stdout).toBe((await once)?.stdout);
  });

  it('exits 75 where no server is, or none that can be judged', async () => {
    const port = Number((await conforming()).split(':')[1]);
    await opened.pop()?.close();
    const gone = await sansmtp(['probe', `127.0.0.1:${port}`]);
    expect(gone).toMatchObject({ exitCode: 75, stderr: expect.stringContaining('cannot be reached') });
    const unjudged = await sansmtp(['probe', await deviating(), '--only', 'size']);
    expect(unjudged).toMatchObject({
      exitCode: 75,
      stderr: 'error: no case could be judged: SIZE is not offered\n',
    });
  });

  it.each([
    [['192.0.2.1:25'], /neither on this machine nor in a private network; --yes-this-is-mine/],
    [['localhost'], /Give a host and a port/],
    [['::1:25'], /Give a host and a port/],
    [[], /name the server/],
    [['localhost:25', '--only', 'nonsense'], /selects no case/],
    [['localhost:25', '--only', 'sequence,smugling'], /--only smugling selects no case/],
    [['localhost:25', '--expect', '/no/such/file'], /cannot read --expect/],
    [['localhost:25', '--password-file', 'x'], /--password-file needs --user/],
  ])('%s is a mistake of usage: 64', async (words, problem) => {
    const { exitCode, stderr } = await sansmtp(['probe', ...words]);
    expect(stderr).toMatch(problem);
    expect(exitCode).toBe(64);
  });
});

/** A client that takes its leave at once, and says by its exit code that it has delivered. */
const CLIENT = `${JSON.stringify(process.execPath)} -e 'require("net").connect({port}, "{host}").on("data", function () { this.end("QUIT\\r\\n"); })'`;

describe('sansmtp probe --client', () => {
  it('judges a command by a server of its own, and exits 1', async () => {
    const only = 'client-closing/quit,client-data/message-250,client-data/message-299';
    const { stdout, exitCode } = await sansmtp(['probe', '--client', CLIENT, '--only', only]);
    expect(stdout).toContain('client-data/message-299 MUST RFC 5321 §4.2.1 ');
    expect(stdout).toMatch(/\d passed, \d failed, 0 skipped\n$/);
    expect(exitCode).toBe(1);
  });

  it('--list names the cases', async () => {
    const { stdout } = await sansmtp([
      'probe',
      '--client',
      'x {port}',
      '--list',
      '--only',
      'client-lmtp/lhlo',
    ]);
    expect(stdout).toContain(
      'client-lmtp/lhlo MUST RFC 2033 §4.1 LMTP begins by LHLO. docs/conformance/client-lmtp.md#lhlo',
    );
  });

  it.each([
    [['--client', 'send {host}'], /no \{port\}/],
    [['--client', 'send {port} {hots}'], /\{hots\} is no placeholder/],
    [['--client', 'send {port}', '127.0.0.1:25'], /not both/],
    [['--client', 'send {port}', '--only', 'nonsense'], /selects no case/],
  ])('%s is a mistake of usage: 64', async (words, problem) => {
    const { exitCode, stderr } = await sansmtp(['probe', ...words]);
    expect(stderr).toMatch(problem);
    expect(exitCode).toBe(64);
  });

  it('exits 75 where nothing connects', async () => {
    const client = 'no-such-command-at-all {port}';
    const { exitCode, stderr } = await sansmtp([
      'probe',
      '--client',
      client,
      '--only',
      'client-closing/quit',
    ]);
    expect(stderr).toMatch(/no case could be judged: the client did not connect/);
    expect(exitCode).toBe(75);
  });
});
