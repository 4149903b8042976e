import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clientOfCommands } from './client-command.js';
import { CLIENT_CASES, judgeClient } from './judge-client.js';

const node = `"${process.execPath}" -e`;
/** Milliseconds for one process, and for a test: on a busy machine a process takes long to start. */
const PATIENCE = 60_000;
const TEST_PATIENCE = 4 * PATIENCE;
const only = (id: string) => CLIENT_CASES.filter((each) => each.id === id);
const oneOf = async (program: string, id = 'client-data/message-250') => {
  const client = clientOfCommands({
    commands: { plain: `${node} '${program}' {host} {port} {file} {from} {to}` },
  });
  const [verdict] = await judgeClient(client, { cases: only(id), limit: PATIENCE });
  return verdict?.outcome;
};

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** Says its lines one after the other, each after a reply to the one before. */
const SPEAKER = `
const [host, port, file, from, to] = process.argv.slice(1);
const lines = ["EHLO client.example.org", "MAIL FROM:<" + from + ">", "RCPT TO:<" + to + ">", "DATA",
  require("fs").readFileSync(file, "latin1").replace(/^[.]/gm, "..") + ".", "QUIT"];
const socket = require("net").connect(port, host);
socket.on("data", (reply) => {
  if (!/^[23]/.test(reply) || lines.length === 0) return socket.end();
  const line = lines.shift();
  if (lines.length === 0) process.exitCode = 0;
  socket.write(line + "\\r\\n", "latin1");
});
process.exitCode = 1;`;

describe('a client that is a command', { timeout: TEST_PATIENCE }, () => {
  it('is run without a shell, and judged by its exit code', async () => {
    expect(await oneOf(SPEAKER)).toEqual({ result: 'passed' });
    expect(
      await oneOf(`${SPEAKER} process.exitCode = 0;`, 'client-data/message-554-not-delivered'),
    ).toMatchObject({
      result: 'failed',
    });
  });

  it('that does not connect is not judged, and says why', async () => {
    expect(await oneOf('console.error("no route"); process.exit(1)')).toEqual({
      result: 'skipped',
      reason: 'the client did not connect: no route',
    });
    const client = clientOfCommands({ commands: { plain: 'no-such-command-at-all {port}' } });
    const [verdict] = await judgeClient(client, { cases: only('client-data/message-250') });
    expect(verdict?.outcome).toMatchObject({ result: 'skipped', reason: expect.stringContaining('ENOENT') });
  });

  it('that does not connect is not judged by what it did not do', async () => {
    for (const setup of ['startTls', 'login'] as const) {
      const client = clientOfCommands({ commands: { [setup]: 'false {port}' } });
      const cases = CLIENT_CASES.filter((each) => each.setup === setup && each.stranger === true);
      const verdicts = await judgeClient(client, { cases });
      expect(verdicts.filter(({ outcome }) => outcome.result !== 'skipped').map(({ id }) => id)).toEqual([]);
    }
  });

  it('is over when it exits, and takes with it what it has started', async () => {
    const start =
      'const { pid } = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });';
    const outcome = await oneOf(`${start} console.log("started", pid); process.exit(1)`);
    expect(outcome).toMatchObject({ result: 'skipped', reason: expect.stringContaining('started') });
    const pid = Number(/started (\d+)/.exec(JSON.stringify(outcome))?.[1]);
    await expect.poll(() => isRunning(pid), { timeout: PATIENCE }).toBe(false);
  });

  it('is ended when its time is up', async () => {
    const client = clientOfCommands({
      commands: { plain: `${node} 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)' {port}` },
      replyTimeout: 100,
    });
    const begin = performance.now();
    await judgeClient(client, { cases: only('client-silence/greeting') });
    expect(performance.now() - begin).toBeGreaterThan(2000);
  });
});
