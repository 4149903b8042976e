/**
 * `npm run conformance -- [NAME …]`: starts each server on loopback, judges it by the fixed cases and by generated dialogues,
 * and ends it. Writes `results/servers.json`, `docs/conformance.md`, and the matrix with every dialogue,
 * `results/matrix.html`, which is not committed.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@sansmtp/transport-node';
import { serverGroups } from '../cases/index.js';
import type { Verdict } from '../contract/outcome.js';
import { generate } from '../generated/generation.js';
import { type Examination, examine } from '../running/examination.js';
import { judgeAll } from '../running/judge-all.js';
import { writeDocuments } from './documents.js';
import { readResults, type StoredServer, storedOf, writeResults } from './results.js';
import { MATRIX_SERVERS } from './servers/index.js';
import { freePort, output, start } from './servers/programs.js';
import { DOMAIN, type MatrixServer, NotRun, RECIPIENT, SENDER } from './servers/server.js';

/** Milliseconds for one server; the cases left are skipped then. */
const TIME_FOR_A_SERVER = 8 * 60_000;
/** Servers at a time: they mostly wait for silence. */
const AT_ONCE = 3;
const GENERATED_DIALOGUES = 60;
const SEED = 5321;

async function verdictsOf(port: number): Promise<readonly Verdict[]> {
  const examination = await examine({
    connect: () => connect({ host: '127.0.0.1', port, tls: { mode: 'startTls', verify: false } }),
    from: SENDER,
    to: RECIPIENT,
    hostname: 'client.matrix.example',
    replyTime: 15_000,
    connectionsPerSecond: 40,
  });
  const verdicts = new Map<string, Verdict>();
  const judging = judgeEverything(examination, verdicts);
  await Promise.race([judging, new Promise((resolve) => setTimeout(resolve, TIME_FOR_A_SERVER).unref())]);
  const left = serverGroups.flatMap(({ cases }) => cases).filter(({ id }) => !verdicts.has(id));
  return [
    ...verdicts.values(),
    ...left.map(({ id, section, level, rationale }) => ({
      ...{ id, section, level, rationale, dialogue: [], milliseconds: 0 },
      outcome: { result: 'skipped' as const, reason: 'the time for this server was over' },
    })),
  ];
}

async function judgeEverything(examination: Examination, into: Map<string, Verdict>): Promise<void> {
  for await (const verdict of judgeAll(examination, serverGroups)) into.set(verdict.id, verdict);
  if (examination.survey.noMail !== undefined) return;
  const generated = await generate(examination, { runs: GENERATED_DIALOGUES, seed: SEED });
  into.set(generated.id, generated);
}

/** A folder that every user may enter, with a certificate. */
async function placeFor(): Promise<{ folder: string; keyFile: string; certFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-matrix-'));
  await chmod(folder, 0o755);
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', `/CN=${DOMAIN}`, '-days', '2'];
  const files = ['-keyout', keyFile, '-out', certFile];
  await output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files]);
  return { folder, keyFile, certFile };
}

async function judged(server: MatrixServer): Promise<{ stored: StoredServer; verdicts: readonly Verdict[] }> {
  const { name, configuration } = server;
  const files = await placeFor();
  const place = { ...files, port: await freePort() };
  let version = '';
  try {
    version = await server.version(place);
    const { end } = await start(await server.prepare(place), place.port);
    try {
      const begin = performance.now();
      const verdicts = await verdictsOf(place.port);
      const seconds = Math.round((performance.now() - begin) / 1000);
      return { stored: storedOf({ name, configuration, version, seconds }, verdicts), verdicts };
    } finally {
      await end();
    }
  } catch (error) {
    if (!(error instanceof Error) || !(error instanceof NotRun || error.name === 'UnreachableError'))
      throw error;
    const nothing = { seconds: 0, passed: [], skipped: {}, findings: [] };
    return { stored: { name, configuration, version, notRun: error.message, ...nothing }, verdicts: [] };
  } finally {
    await rm(place.folder, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const waiting = MATRIX_SERVERS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((each) => name.toLowerCase().includes(each.toLowerCase())),
);
const columns = new Map<string, readonly Verdict[]>();

async function work(): Promise<void> {
  for (let server = waiting.shift(); server !== undefined; server = waiting.shift()) {
    const { stored, verdicts } = await judged(server);
    const { name, version, notRun, seconds, passed, findings } = stored;
    const counts = `${passed.length} passed, ${findings.length} failed, ${seconds} s`;
    console.log(`${name} ${version}: ${notRun === undefined ? counts : `not run, ${notRun}`}`);
    columns.set(name, verdicts);
    const order = MATRIX_SERVERS.map((each) => each.name);
    const results = [...readResults().filter((each) => each.name !== name), stored];
    writeResults(results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name)));
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
const inOrder = MATRIX_SERVERS.map(({ name }) => name).filter((name) => columns.has(name));
writeDocuments(new Map(inOrder.map((name) => [name, columns.get(name) ?? []])));
