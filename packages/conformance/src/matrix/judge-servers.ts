/**
 * `npm run conformance -- [NAME …] [--only PATTERN]`: starts each server on loopback, judges it by the fixed cases and by
 * generated dialogues, and ends it. Writes `results/servers.json`, `docs/conformance.md`, and the matrix with every dialogue,
 * `results/matrix.html`, which is not committed. What is not judged now stays as it was judged last.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Verdict } from '../contract/outcome.js';
import { writeDocuments } from './documents.js';
import { verdictsOn } from './judge-one-server.js';
import { merged, readResults, type StoredServer, storedOf, writeResults } from './results.js';
import { MATRIX_SERVERS } from './servers/index.js';
import { freePort, output, start } from './servers/programs.js';
import { DOMAIN, type MatrixServer, NotRun } from './servers/server.js';

/** A folder that every user may enter, with a certificate. */
async function placeFor(): Promise<{ folder: string; keyFile: string; certFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-matrix-'));
  await chmod(folder, 0o755);
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', `/CN=${DOMAIN}`, '-days', '2'];
  const files = ['-keyout', keyFile, '-out', certFile];
  await output('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    ...subject,
    ...files,
  ]);
  return { folder, keyFile, certFile };
}

async function judged(server: MatrixServer): Promise<{ stored: StoredServer; verdicts: readonly Verdict[] }> {
  const { name, configuration } = server;
  const files = await placeFor();
  const [port, tlsPort, lmtpPort] = [await freePort(), await freePort(), await freePort()];
  const place = { ...files, port, tlsPort, lmtpPort };
  let version = '';
  try {
    version = await server.version(place);
    const launch = await server.prepare(place);
    const { end } = await start(launch, port);
    try {
      const begin = performance.now();
      const verdicts = await verdictsOn(place, launch, only);
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

const {
  positionals: wanted,
  values: { only },
} = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const waiting = MATRIX_SERVERS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((each) => name.toLowerCase().includes(each.toLowerCase())),
);
const columns = new Map<string, readonly Verdict[]>();

// One after the other: none is slower for the load that another one makes.
for (const server of waiting) {
  const { stored: judgedNow, verdicts } = await judged(server);
  const before = readResults().find(({ name }) => name === judgedNow.name);
  const stored = only === undefined || before === undefined ? judgedNow : merged(before, judgedNow);
  const { name, version, notRun, seconds, passed, findings } = stored;
  const counts = `${passed.length} passed, ${findings.length} failed, ${seconds} s`;
  console.log(`${name} ${version}: ${notRun === undefined ? counts : `not run, ${notRun}`}`);
  columns.set(name, verdicts);
  const order = MATRIX_SERVERS.map((each) => each.name);
  const results = [...readResults().filter((each) => each.name !== name), stored];
  writeResults(results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name)));
}
writeDocuments(columns);
