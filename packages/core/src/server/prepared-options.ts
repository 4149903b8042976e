/**
 * What all sessions of a listener have in common: options that were checked and filled in, and where the chart begins with
 * them. Whoever serves many makes one, and each session costs only what is its own.
 */
import type { ChartState } from '../chart/compile.js';
import type { Effect } from '../chart/operations.js';
import type { ServerContext } from './chart-context.js';
import {
  chartInput,
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerSessionOptions,
} from './options.js';
import { serverTable } from './server-table.js';

/** Where the chart begins, and what it asks for then. */
interface Beginning {
  readonly position: ChartState<ServerContext>;
  readonly effects: readonly Effect[];
}

/** Options of server sessions, checked once for many: `new ServerSession({ prepared, now })`. */
export class PreparedServerOptions {
  /** @internal */
  readonly resolved: ResolvedServerOptions;
  /** @internal */
  readonly beginning: Beginning;

  /**
   * @throws {RangeError} an option is out of its range; the message names both
   * @throws {TypeError} an option is not known
   */
  constructor(options: ServerSessionOptions) {
    this.resolved = resolveServerOptions(options);
    const effects: Effect[] = [];
    this.beginning = { position: serverTable.start(chartInput(this.resolved), effects), effects };
  }
}
