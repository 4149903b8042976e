/** For a configuration of vitest: watches both charts wherever a test loads the sessions, and nothing where none does. */
import type { Plugin } from 'vitest/config';

const TABLES: Readonly<Record<string, string>> = {
  'core/src/server/server-table.ts': `noteTransitions('server', serverTable);`,
  'core/src/client/client-table.ts': `noteTransitions('client', clientTable);`,
};

export function watchCharts(): Plugin {
  return {
    name: 'watch-charts',
    transform(code, id) {
      const call = Object.entries(TABLES).find(([file]) => id.endsWith(file))?.[1];
      if (call === undefined) return undefined;
      const note = JSON.stringify(`${import.meta.dirname}/note-transitions.ts`);
      // Behind the last line: all others stay where they are.
      return { code: `${code}\nimport { noteTransitions } from ${note};\n${call}\n`, map: null };
    },
  };
}
