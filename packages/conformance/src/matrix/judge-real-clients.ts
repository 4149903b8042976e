/**
 * `npm run conformance:clients -- [NAME …]`: judges the clients that are installed, and writes what they do otherwise to
 * `results/clients.json`: for each the version, how many cases, and each finding with its clause and its dialogue.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandFailed, runCommand } from '../clients/client-command.js';
import { wordsOf } from '../clients/command-words.js';
import type { ClientVerdict, RunResult, Setup, SmtpClient, Task } from '../clients/contract.js';
import { judgeClient } from '../clients/judge-client.js';
import type { Verdict } from '../contract/outcome.js';
import { REAL_CLIENTS, type RealClient, versionOf } from './real-clients.js';

/** What is written of one client. */
interface Row {
  readonly name: string;
  readonly version: string;
  readonly passed: number;
  readonly skipped: number;
  readonly findings: readonly Omit<Verdict, 'outcome' | 'milliseconds'>[];
}

/** Milliseconds for a case: the machine may be busy, and most of the commands take a second to start. */
const PATIENCE = 90_000;

const RESULTS = fileURLToPath(new URL('../../results/clients.json', import.meta.url));

function clientOf(real: RealClient): SmtpClient {
  return { setups: Object.keys(real.commands) as Setup[], run: (task) => run(real, task) };
}

async function run(real: RealClient, task: Task): Promise<RunResult> {
  const { nullPath = '', printsVerdicts = false } = real;
  const given = {
    ...task,
    message: fileFor(real, task.message),
    from: task.from === '' ? nullPath : task.from,
  };
  const words = wordsOf(real.commands[task.setup] ?? '');
  try {
    const output = await runCommand(words, given);
    return printsVerdicts ? verdictsIn(output, task) : undefined;
  } catch (error) {
    const verdicts =
      printsVerdicts && error instanceof CommandFailed ? verdictsIn(error.output, task) : undefined;
    if (verdicts === undefined || verdicts.every((verdict) => verdict === 'failed')) throw error;
    return verdicts;
  }
}

/** The message as the client expects it in its file. */
function fileFor({ lineEnds, addsLastLineEnd }: RealClient, message: Uint8Array): Uint8Array {
  let text = Buffer.from(message).toString('latin1');
  if (addsLastLineEnd === true && text.endsWith('\r\n')) text = text.slice(0, -2);
  if (lineEnds === 'lf') text = text.replaceAll('\r\n', '\n');
  return Buffer.from(text, 'latin1');
}

/** Lines such as `rejected bob@example.com 550 5.1.1 No such user`. */
function verdictsIn(output: string, task: Task): readonly ClientVerdict[] {
  return task.to.map((address) => {
    const line = output.split('\n').find((each) => each.split(' ')[1] === address);
    const [, verdict = 'failed'] = /^(delivered|rejected|deferred|unknown) /.exec(line ?? '') ?? [];
    return verdict as ClientVerdict;
  });
}

async function judged(real: RealClient, version: string): Promise<Row> {
  let count = 0;
  const verdicts = await judgeClient(clientOf(real), {
    concurrency: 3,
    limit: PATIENCE,
    onVerdict: ({ outcome, id }, total) => {
      if (++count % 50 === 0) console.log(`  ${count} of ${total}`);
      if (outcome.result === 'failed') console.log(`  ${id}: ${outcome.seen}`);
    },
  });
  const of = (result: string) => verdicts.filter(({ outcome }) => outcome.result === result);
  const findings = of('failed').map(({ outcome, milliseconds: _, ...rest }) => ({
    ...rest,
    seen: outcome.result === 'failed' ? outcome.seen : '',
  }));
  return { name: real.name, version, passed: of('passed').length, skipped: of('skipped').length, findings };
}

function known(): readonly Row[] {
  try {
    return (JSON.parse(readFileSync(RESULTS, 'utf8')) as { readonly clients: readonly Row[] }).clients;
  } catch {
    return [];
  }
}

const wanted = process.argv.slice(2);
for (const real of REAL_CLIENTS) {
  if (wanted.length > 0 && !wanted.some((name) => real.name.includes(name))) continue;
  const version = versionOf(real);
  if (version === undefined) {
    console.log(`${real.name}: not run, it is not installed`);
    continue;
  }
  const row = await judged(real, version);
  console.log(
    `${row.name} (${version}): ${row.passed} passed, ${row.findings.length} failed, ${row.skipped} skipped`,
  );
  const others = known().filter(({ name }) => name !== row.name);
  const order = REAL_CLIENTS.map(({ name }) => name);
  const clients = [...others, row].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  mkdirSync(fileURLToPath(new URL('.', `file://${RESULTS}`)), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify({ clients }, undefined, 2)}\n`);
}
