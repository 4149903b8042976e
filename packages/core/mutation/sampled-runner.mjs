/**
 * Stryker's test runner for vitest, which runs a sample of the mutants. The others count as errors, and in no score.
 *
 * A file of tests that cannot even be loaded has failed as well. Stryker sees no test in it, and would say that the mutant
 * survived: so it was with most faults in a chart that makes a table as it is loaded.
 */
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { strykerPlugins as plugins } from '@stryker-mutator/vitest-runner';
import { isInSample } from './sample.mjs';

const share = Number(process.env.SANSMTP_MUTATION_SHARE ?? 1);

function sampledRunner(injector) {
  const runner = injector.injectFunction(plugins[0].factory);
  const run = runner.mutantRun.bind(runner);
  runner.mutantRun = async (options) => {
    const { fileName, location, replacement } = options.activeMutant;
    const start = { line: location.start.line + 1, column: location.start.column + 1 };
    if (!isInSample(fileName, start, replacement, share))
      return { status: 'error', errorMessage: 'not in the sample' };
    const result = await run(options);
    if (result.status !== 'survived') return result;
    const unloaded = runner.ctx.state.getFiles().find((file) => file.result?.state === 'fail');
    if (unloaded === undefined) return result;
    const failureMessage = unloaded.result.errors?.[0]?.message ?? 'a file of tests could not be loaded';
    return { status: 'killed', killedBy: [], failureMessage, nrOfTests: result.nrOfTests };
  };
  return runner;
}
sampledRunner.inject = ['$injector'];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'sampled', sampledRunner)];
