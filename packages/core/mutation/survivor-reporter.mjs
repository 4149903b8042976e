/** Stryker's reporter of each mutant in the sample that survives, as soon as it has. */
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';

class SurvivorReporter {
  onMutantTested({ status, fileName, location, replacement }) {
    if (status === 'Survived') {
      const { line, column } = location.start;
      console.log(
        `Survived: ${fileName}:${line}:${column}  ${replacement.replace(/\s+/g, ' ').slice(0, 120)}`,
      );
    }
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Reporter, 'survivors', SurvivorReporter)];
