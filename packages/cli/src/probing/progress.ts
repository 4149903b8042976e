/** How far a long run is: one line that is written over, where somebody looks at a terminal. */
import type { Terminal } from '../terminal.js';

export interface Progress {
  tell(done: number, of: string): void;
  clear(): void;
}

const SILENT: Progress = { tell: () => {}, clear: () => {} };
const LONGEST = 78;

export function progressOn({ stderr }: Terminal): Progress {
  if (!('isTTY' in stderr) || stderr.isTTY !== true) return SILENT;
  let isShown = false;
  return {
    tell(done, of) {
      stderr.write(`\r\x1b[K${`${done} ${of}`.slice(0, LONGEST)}`);
      isShown = true;
    },
    clear() {
      if (isShown) stderr.write('\r\x1b[K');
      isShown = false;
    },
  };
}
