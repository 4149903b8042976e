import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** One part of one folder, as `run.mjs` sets it. */
const { SANSMTP_MUTATED_FILES: files, SANSMTP_MUTATION_REPORT: report } = process.env;

/**
 * What a chart cites of the RFCs is on the pictures, and a test of `charts` holds these to it. Here no test reads it.
 */
const isCitation = ({ node }) =>
  (node.type === 'ObjectProperty' && node.key.name === 'description') ||
  (node.type === 'StringLiteral' && /^RFC \d/.test(node.value));

/** Of `namesOf({ … })` only the keys are looked at. */
const isValueInNames = ({ node, parentPath }) =>
  node.type === 'BooleanLiteral' && parentPath?.parentPath?.parent.callee?.name === 'namesOf';

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'what changes nothing', {
    shouldIgnore: (path) =>
      isCitation(path) ? 'a citation' : isValueInNames(path) ? 'a value that nothing reads' : undefined,
  }),
];

export default {
  mutate: files.split(','),
  plugins: [
    '@stryker-mutator/vitest-runner',
    './mutation/sampled-runner.mjs',
    './mutation/survivor-reporter.mjs',
    './mutation/stryker.config.mjs',
  ],
  ignorers: ['what changes nothing'],
  testRunner: 'sampled',
  vitest: { configFile: 'mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // What is loaded once, such as the charts, is mutated as well: each such mutant runs all tests of its folder.
  ignoreStatic: false,
  incremental: true,
  incrementalFile: report,
  reporters: ['progress-append-only', 'survivors'],
  concurrency: Number(process.env.SANSMTP_MUTATION_CONCURRENCY ?? 2),
  // What does not end is mostly found by how often it was run; a busy machine is not to make a fault look found.
  timeoutMS: 60_000,
  // The run of all tests before, on a machine that is busy with something else.
  dryRunTimeoutMinutes: 60,
  // As far from the pages of `docs` as the folder that is copied: a test reads one.
  tempDirName: '../../.stryker-tmp',
  // The copy that is mutated stands elsewhere than its tsconfig.json supposes; without it, the next one above is taken.
  ignorePatterns: ['dist', 'tsconfig.json', 'mutation/reports'],
  tsconfigFile: 'none',
  allowConsoleColors: false,
};
