/** Sessions that were recorded elsewhere, as a list to choose from. */
import { readTrace, type TraceRecord } from '@sansmtp/charts/trace';
import type { Recording } from '../recording/recording.js';
import { TracedRecording } from '../recording/traced.js';
import type { End } from '../simulation/ends.js';

/** A session as the list shows it; the same as the live server tells. */
export interface ListedSession {
  readonly id: string;
  readonly end: End;
  readonly peer?: string;
  readonly state?: string;
  readonly began?: string;
  readonly records: number;
}

/** What was read of a trace file. */
export interface ReadFile {
  readonly name: string;
  readonly sessions: readonly (ListedSession & { readonly recording: () => Recording })[];
  /** Lines that are no records. */
  readonly skipped: number;
}

export function readFile(name: string, text: string): ReadFile {
  const { sessions, skipped } = readTrace(text);
  return {
    name,
    skipped: skipped.length,
    sessions: sessions.map(({ id, end, records }) => ({
      id,
      end,
      records: records.length,
      ...told(records),
      recording: () => recordingOf(id, end, records),
    })),
  };
}

function recordingOf(id: string, end: End, records: readonly TraceRecord[]): Recording {
  const traced = new TracedRecording(id, end);
  for (const record of records) traced.take(record);
  return traced.recording;
}

function told(records: readonly TraceRecord[]): Pick<ListedSession, 'peer' | 'state' | 'began'> {
  const [first] = records;
  const peer = first?.name === 'smtp:state_updated' ? first.data.connection?.peer?.address : undefined;
  const last = records.findLast(({ name }) => name === 'smtp:state_updated');
  const state = last?.name === 'smtp:state_updated' ? last.data.new : undefined;
  const began = first?.reference_time?.wall_clock_time;
  return {
    ...(peer !== undefined && { peer }),
    ...(state !== undefined && { state }),
    ...(began !== undefined && { began }),
  };
}
