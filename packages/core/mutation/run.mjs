/**
 * `npm run mutation -- [--share S] [--from F] [FOLDER…]`: how many of the faults that Stryker plants the tests find.
 *
 * A folder of `src` is judged by the tests beside it. It is done in parts, each some of its files, and what is measured is
 * stored in `reports/FOLDER.json` after each: the next run measures only what it lacks, or what has changed since. In
 * the end it says for each folder what share of the mutants was found, and writes what was not to `reports/FOLDER.txt`.
 * S is the share of all mutants that is measured: a few hundred of them say much, and all take hours. F, from 0 to 1, is where
 * that share begins: tests that were written for the survivors of one sample are judged by another.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isInSample, NOT_LOADED } from './sample.mjs';

/** Each part begins with a run of all tests of its folder. */
const MUTATED_LINES_IN_PART = 300;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    summary: { type: 'boolean', default: false },
  },
});
const share = Number(values.share);
const sample = { from: Number(values.from), share };
const folders = positionals.length > 0 ? positionals : ['chart', 'wire', 'client', 'server'];
const core = fileURLToPath(new URL('..', import.meta.url));
const reports = `${core}mutation/reports`;

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Each sample has its own. */
const reportOf = (folder) => `${reports}/${folder}${sample.from > 0 ? `-from-${sample.from}` : ''}.json`;

function partsOf(folder) {
  const parts = [];
  let lines = Number.POSITIVE_INFINITY;
  for (const name of readdirSync(`${core}src/${folder}`, { recursive: true }).sort()) {
    if (!name.endsWith('.ts') || /\.test(-support)?\.ts$/.test(name)) continue;
    if (lines * share >= MUTATED_LINES_IN_PART) {
      parts.push([]);
      lines = 0;
    }
    parts.at(-1).push(`src/${folder}/${name}`);
    lines += readFileSync(`${core}src/${folder}/${name}`, 'utf8').split('\n').length;
  }
  return parts;
}

function measure(folder, files) {
  const report = reportOf(folder);
  const { status } = spawnSync('npx', ['stryker', 'run', 'mutation/stryker.config.mjs'], {
    cwd: core,
    stdio: 'inherit',
    env: {
      ...process.env,
      SANSMTP_MUTATED_FOLDER: folder,
      SANSMTP_MUTATED_FILES: files.join(','),
      SANSMTP_MUTATION_REPORT: report,
      SANSMTP_MUTATION_FROM: String(sample.from),
      SANSMTP_MUTATION_SHARE: String(share),
    },
  });
  if (status !== 0) process.exitCode = 1;
  if (existsSync(report)) storeSample(report);
}

/** What is not in the sample was not measured, and is not to be taken for a result the next time. */
function storeSample(report) {
  const { files, ...rest } = read(report);
  for (const [file, measured] of Object.entries(files)) {
    measured.mutants = measured.mutants.filter(
      ({ statusReason, status, location, replacement }) =>
        statusReason !== 'not in the sample' &&
        (status !== 'NoCoverage' || isInSample(file, location.start, replacement, sample)),
    );
  }
  writeFileSync(report, JSON.stringify({ files, ...rest }));
}

function tell(folder) {
  const report = reportOf(folder);
  if (!existsSync(report)) return;
  const count = { Killed: 0, Timeout: 0, Survived: 0, NoCoverage: 0 };
  const left = [];
  let notLoaded = 0;
  for (const [file, { source, mutants }] of Object.entries(read(report).files)) {
    for (const { status, statusReason, location, replacement } of mutants) {
      if (!(status in count)) continue;
      count[status]++;
      if (status === 'Killed' && statusReason?.startsWith(NOT_LOADED)) notLoaded++;
      if (status === 'Killed' || status === 'Timeout') continue;
      const { line, column } = location.start;
      const instead = replacement.replace(/\s+/g, ' ').slice(0, 120);
      left.push(
        `${file}:${line}:${column} ${status}\n    ${source.split('\n')[line - 1].trim()}\n    ${instead}\n`,
      );
    }
  }
  const found = count.Killed + count.Timeout;
  const all = found + count.Survived + count.NoCoverage;
  console.log(`${folder}: ${found} of ${all} mutants found, ${((100 * found) / all).toFixed(1)} %`, count, {
    notLoaded,
  });
  writeFileSync(reportOf(folder).replace(/json$/, 'txt'), left.join('\n'));
}

mkdirSync(reports, { recursive: true });
if (!values.summary)
  for (const folder of folders) for (const files of partsOf(folder)) measure(folder, files);
for (const folder of folders) tell(folder);
