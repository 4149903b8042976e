/**
 * `@sansmtp/charts/trace`: the trace of sessions. `createTracer` makes records of what observers are told, `readTrace` and
 * `TraceReader` read them back, and `ladderOf` tells a session's story from them.
 *
 * It needs no host: it runs in browsers as well.
 */
export { testFileOf } from './as-test/test-file.js';
export type { TraceableEvent, TraceableSession } from './events.js';
export { chartHash, EVENT_SCHEMA, traceHeader } from './header.js';
export { type InspectionEvent, toInspector } from './inspection.js';
export { Ladder, ladderOf, pipelinedFlights } from './ladder/ladder.js';
export type {
  BytesRung,
  ClosedRung,
  DecisionRung,
  ErrorRung,
  GapRung,
  LineRung,
  MailDataRung,
  Reason,
  Rung,
  StateRung,
  TimerRung,
  TlsRung,
} from './ladder/rungs.js';
export {
  type ReadRecord,
  readTrace,
  type SessionTrace,
  type SkippedLine,
  sessionsOf,
  type Trace,
  TraceReader,
  traceLine,
} from './reading.js';
export type * from './records.js';
export { createTracer, type TracerOptions } from './tracer/tracer.js';
