/** Stryker's test runner for vitest, which runs a sample of the mutants. The others count as errors, and in no score. */
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { strykerPlugins as plugins } from '@stryker-mutator/vitest-runner';
import { isInSample } from './sample.mjs';

const share = Number(process.env.SANSMTP_MUTATION_SHARE ?? 1);

function sampledRunner(injector) {
  const runner = injector.injectFunction(plugins[0].factory);
  const run = runner.mutantRun.bind(runner);
  runner.mutantRun = (options) => {
    const { fileName, location, replacement } = options.activeMutant;
    const start = { line: location.start.line + 1, column: location.start.column + 1 };
    return isInSample(fileName, start, replacement, share)
      ? run(options)
      : Promise.resolve({ status: 'error', errorMessage: 'not in the sample' });
  };
  return runner;
}
sampledRunner.inject = ['$injector'];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'sampled', sampledRunner)];
