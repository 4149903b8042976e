/**
 * Where the records of `serve`'s sessions go: into the file of `--trace`, and to the page of `--inspect`. What makes them is
 * loaded only where somebody wants them: a start without is a tenth shorter.
 */
import type { TraceRecord } from '@sansmtp/charts/trace';
import type { ServerObserver } from '@sansmtp/transport';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import type { Logger } from '../log.js';
import type { Tracing } from '../tracing/tracing.js';

export interface RecordingOptions {
  readonly trace?: string;
  readonly inspect?: number;
}

export interface Recording {
  /** None where nobody wants records: then none are made. */
  readonly observers: readonly ServerObserver[];
  /** Takes a record that another process has made; undefined where nobody wants records. */
  readonly take: ((record: TraceRecord) => void) | undefined;
  /** Says where the page is, for scripts; empty: nowhere. */
  readonly listening: string;
  /** Goes on in a new file, and says so; absent where there is no trace. */
  readonly reopen?: () => Promise<void>;
  /** Closes what is open, once nothing more will come. */
  end(): Promise<void>;
}

export async function startRecording(
  command: Command,
  options: RecordingOptions,
  hostname: string,
  log: Logger,
): Promise<Recording> {
  const tracing = await openTrace(command, options, hostname, log);
  const inspector = await openInspector(command, options);
  const takers = [tracing, inspector].flatMap((each) => (each === undefined ? [] : [each.take]));
  const write = (record: TraceRecord) => {
    for (const take of takers) take(record);
  };
  return {
    observers: takers.length === 0 ? [] : [await traced(write)],
    take: takers.length === 0 ? undefined : write,
    listening: inspector === undefined ? '' : `listening inspect ${inspector.page.url}\n`,
    ...(tracing && { reopen: () => reopen(tracing, log) }),
    async end() {
      await tracing?.end();
      await inspector?.page.close();
    },
  };
}

async function traced(write: (record: TraceRecord) => void): Promise<ServerObserver> {
  const { createTracer } = await import('@sansmtp/charts/trace');
  return createTracer({ end: 'server', write });
}

/** Undefined where no trace is wanted. */
async function openTrace(
  command: Command,
  { trace }: RecordingOptions,
  name: string,
  log: Logger,
): Promise<Tracing | undefined> {
  if (trace === undefined) return undefined;
  const { startTracing } = await import('../tracing/tracing.js');
  try {
    return await startTracing(trace, { end: 'server', name, warn: (problem) => log.warn(problem) });
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, `cannot write the trace ${trace}`, error);
  }
}

/** The live page, and what takes records for it; undefined where nobody wants to look. */
async function openInspector(command: Command, { inspect }: RecordingOptions) {
  if (inspect === undefined) return undefined;
  const [{ LiveSessions }, { servePage }] = await Promise.all([
    import('../inspect/live-sessions.js'),
    import('../inspect/page-server.js'),
  ]);
  const sessions = new LiveSessions();
  try {
    const page = await servePage(inspect, { mode: 'inspect', sessions });
    return { page, take: (record: TraceRecord) => sessions.take(record) };
  } catch (error) {
    return fail(command, exitCodes.system, 'cannot listen for --inspect', error);
  }
}

function reopen(tracing: Tracing, log: Logger): Promise<void> {
  return tracing.reopen().then(
    () => log.info('SIGHUP: the trace goes on in a new file'),
    (error: Error) => log.error({ reason: error.message }, 'SIGHUP: the trace stays where it is'),
  );
}
