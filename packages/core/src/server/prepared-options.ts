/**
 * What all sessions of a listener have in common: options that were checked and filled in, where the chart begins with
 * them, and what the server says of itself. Whoever serves many makes one, and each session costs only what is its own.
 */
import type { ChartState } from '../chart/table/compile.js';
import type { Effect } from '../chart/table/operations.js';
import type { ServerContext } from './chart/chart-context.js';
import { type CommandRules, commandRules } from './commands/command-reading.js';
import {
  chartInput,
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerSessionOptions,
} from './contract/options.js';
import { Introductions } from './replying/introductions.js';
import { serverTable } from './server-table.js';

/** Where the chart begins, and what it asks for then. */
interface Beginning {
  readonly position: ChartState<ServerContext>;
  readonly effects: readonly Effect[];
}

function beginningWith(options: ResolvedServerOptions): Beginning {
  const effects: Effect[] = [];
  return { position: serverTable.start(chartInput(options), effects), effects };
}

type Common = Pick<PreparedServerOptions, 'resolved' | 'beginning' | 'introductions' | 'commandRules'>;

/** Options of server sessions, checked once for many: `new ServerSession({ prepared, now })`. */
export class PreparedServerOptions {
  /** @internal */
  readonly resolved: ResolvedServerOptions;
  /** @internal */
  readonly beginning: Beginning;
  /** @internal */
  readonly introductions: Introductions;
  /** @internal */
  readonly commandRules: CommandRules;
  /** Of those that have TLS from the start. */
  #underTls: Beginning | undefined;

  /**
   * @param common what `for()` takes over from others
   * @throws {RangeError} an option is out of its range; the message names both
   * @throws {TypeError} an option is not known
   */
  constructor(options: ServerSessionOptions, common?: Common) {
    this.resolved = common?.resolved ?? resolveServerOptions(options);
    this.beginning = common?.beginning ?? beginningWith(this.resolved);
    this.introductions = common?.introductions ?? new Introductions(this.resolved);
    this.commandRules = common?.commandRules ?? commandRules(this.resolved);
  }

  /** The same for one session, whose connection has TLS from the start, or whose replies are put in words of its own. */
  for(own: Pick<ServerSessionOptions, 'tls' | 'rephrase'>): PreparedServerOptions {
    const { tls = this.resolved.tls, rephrase = this.resolved.rephrase } = own;
    const resolved = { ...this.resolved, tls, rephrase };
    if (tls !== undefined) this.#underTls ??= beginningWith(resolved);
    const { introductions, commandRules } = this;
    return new PreparedServerOptions(own, {
      resolved,
      beginning: (tls && this.#underTls) ?? this.beginning,
      introductions,
      commandRules,
    });
  }
}
