/**
 * Stryker's test runner for vitest, which runs a sample of the mutants. The others count as errors, and in no score.
 *
 * A file of tests that cannot even be loaded has failed as well. Stryker sees no test in it, and would say that the mutant
 * survived: so it was with most faults in a chart that makes a table as it is loaded.
 */
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { strykerPlugins as plugins } from '@stryker-mutator/vitest-runner';
import { isInSample, NOT_LOADED } from './sample.mjs';

const { SANSMTP_MUTATION_FROM: from = 0, SANSMTP_MUTATION_SHARE: share = 1 } = process.env;
const sample = { from: Number(from), share: Number(share) };

const reasonOf = (file) => file.result.errors?.[0]?.message;

function sampledRunner(injector) {
  const runner = injector.injectFunction(plugins[0].factory);
  const dryRun = runner.dryRun.bind(runner);
  const run = runner.mutantRun.bind(runner);
  const unloadedFile = () => runner.ctx.state.getFiles().find((file) => file.result?.state === 'fail');

  // Without this, a file that can never be loaded would find every mutant.
  runner.dryRun = async (options) => {
    const result = await dryRun(options);
    const unloaded = result.status === 'complete' && unloadedFile();
    return unloaded ? { status: 'error', errorMessage: `${unloaded.name}: ${reasonOf(unloaded)}` } : result;
  };
  runner.mutantRun = async (options) => {
    const { fileName, location, replacement } = options.activeMutant;
    const start = { line: location.start.line + 1, column: location.start.column + 1 };
    if (!isInSample(fileName, start, replacement, sample))
      return { status: 'error', errorMessage: 'not in the sample' };
    const result = await run(options);
    if (result.status !== 'survived') return result;
    const unloaded = unloadedFile();
    if (unloaded === undefined) return result;
    const failureMessage = `${NOT_LOADED}: ${reasonOf(unloaded)}`;
    return { status: 'killed', killedBy: [], failureMessage, nrOfTests: result.nrOfTests };
  };
  return runner;
}
sampledRunner.inject = ['$injector'];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'sampled', sampledRunner)];
