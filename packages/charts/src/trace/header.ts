/** The first line of a trace. */
import { encodeText } from '@sansmtp/core';
import { chartOf } from './chart-states.js';
import type { End, TraceHeader } from './records.js';
import { sha256 } from './sha256.js';

/** The first line of a trace; `name` says whose it is, such as the host's name. */
export function traceHeader(end: End, { name }: { readonly name?: string } = {}): TraceHeader {
  return {
    file_schema: 'urn:ietf:params:qlog:file:sequential',
    serialization_format: 'application/x-ndjson',
    title: 'sansmtp',
    trace: {
      vantage_point: { type: end, ...(name !== undefined && { name }) },
      event_schemas: [EVENT_SCHEMA],
      common_fields: {
        time_format: 'relative_to_epoch',
        reference_time: { clock_type: 'monotonic', epoch: 'unknown' },
      },
      machine: { id: end, hash: chartHash(end) },
    },
  };
}

/** Names the records of a trace in its header. */
export const EVENT_SCHEMA = 'urn:sansmtp:qlog:events:smtp';

const chartHashes = new Map<End, string>();

/** Of the chart's description: a trace that has another was made by another version of the chart. */
export function chartHash(end: End): string {
  const known = chartHashes.get(end) ?? `sha256:${sha256(encodeText(JSON.stringify(chartOf(end))))}`;
  chartHashes.set(end, known);
  return known;
}
