/** `--trace FILE`: records go into a file, and what is said if they cannot. */
import { type End, type TraceRecord, traceHeader, traceLine } from '@sansmtp/charts/trace';
import { TraceFile } from './trace-file.js';

export interface Tracing {
  readonly take: (record: TraceRecord) => void;
  /** Goes on in a new file of the same name. */
  reopen(): Promise<void>;
  /** Writes what waits, and closes the file. */
  end(): Promise<void>;
}

export interface TracingOptions {
  readonly end: End;
  /** Whose trace it is, such as the host's name. */
  readonly name?: string;
  /** Says for people what keeps the trace from being whole. The mail goes on. */
  readonly warn: (problem: string) => void;
}

/** @throws what the system says, if the file cannot be opened */
export async function startTracing(path: string, { end, name, warn }: TracingOptions): Promise<Tracing> {
  const header = traceLine(traceHeader(end, name === undefined ? {} : { name }));
  const file = await TraceFile.open(path, header, {
    onEnd: (error) => warn(`the trace ends here: ${error.message}`),
    onOverflow: () => warn('the trace has gaps: it is written more slowly than it is made'),
  });
  return {
    take: (record) => file.write(traceLine(record)),
    reopen: () => file.reopen(),
    end: () => file.end(),
  };
}
