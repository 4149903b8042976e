/**
 * Records as the inspection events of `@statelyai/inspect`, so that Stately's own tools can watch our sessions: each is an
 * actor, whose definition is our chart. Events and types are those of its version 0.7.
 */
import type { StateDescription, TransitionDescription } from '@sansmtp/core';
import { chartOf } from './chart-states.js';
import type { End, StateUpdated, TraceRecord } from './records.js';

interface InspectionBase {
  /** The session. */
  readonly sessionId: string;
  readonly rootId: string;
  readonly id: string;
  /** Milliseconds since 1970, as text. */
  readonly createdAt: string;
  readonly _version: string;
}

interface InspectionSnapshot {
  readonly status: 'active' | 'done';
  /** Where the session stands, such as `{ session: 'ready' }`. */
  readonly value: InspectionValue;
  /** What the chart remembers, as far as it has changed. */
  readonly context: Readonly<Record<string, string | number | boolean>>;
  readonly output: undefined;
  readonly error: undefined;
}

type InspectionValue = string | { readonly [state: string]: InspectionValue };

interface EventObject {
  readonly type: string;
  /** The line on the wire that it stands for. */
  readonly line?: string;
}

/** What `adapter.send` of an inspector takes. */
export type InspectionEvent = InspectionBase &
  (
    | {
        readonly type: '@xstate.actor';
        readonly name: string;
        readonly snapshot: InspectionSnapshot;
        /** The configuration of the chart, as JSON. */
        readonly definition: string;
        readonly parentId: undefined;
      }
    | { readonly type: '@xstate.event'; readonly event: EventObject; readonly sourceId: undefined }
    | {
        readonly type: '@xstate.snapshot';
        readonly event: EventObject;
        readonly snapshot: InspectionSnapshot;
      }
  );

const VERSION = '0.7.2';

/** A session that is watched. */
interface Watched {
  readonly context: Record<string, string | number | boolean>;
  /** Added to a record's time: the wall clock's. */
  readonly origin: number;
  value: InspectionValue;
  /** The last line on the wire, and its `seq`. */
  line: { readonly seq: number; readonly text: string } | undefined;
}

/**
 * Makes a function that takes the records of sessions, such as the `write` of a tracer, and sends what an inspector is to
 * know: `createTracer({ end: 'server', write: toInspector('server', (event) => inspector.adapter.send(event)) })`.
 */
export function toInspector(end: End, send: (event: InspectionEvent) => void): (record: TraceRecord) => void {
  const { id, root } = chartOf(end);
  const definition = JSON.stringify({ id, ...configOf(root, id) });
  const sessions = new Map<string, Watched>();
  return (record) => {
    const { group_id: sessionId, seq, name } = record;
    if (name === 'smtp:closed') {
      sessions.delete(sessionId);
      return;
    }
    const watched = sessions.get(sessionId) ?? watch(record);
    sessions.set(sessionId, watched);
    if (name === 'smtp:command_received' || name === 'smtp:reply_received') {
      watched.line = { seq, text: 'line' in record.data ? record.data.line : record.data.lines.join(' ') };
    }
    if (name !== 'smtp:state_updated') return;

    const { data, cause, time } = record;
    const base = (kind: string): InspectionBase => ({
      sessionId,
      rootId: sessionId,
      id: `${sessionId}-${seq}-${kind}`,
      createdAt: `${Math.round(watched.origin + time)}`,
      _version: VERSION,
    });
    remember(watched, data);
    const snapshot = snapshotOf(watched, data.new);
    if (data.old === undefined) {
      const actor = { name: `${end} ${sessionId}`, snapshot, definition, parentId: undefined };
      send({ ...base('actor'), type: '@xstate.actor', ...actor });
      return;
    }
    const line = cause !== undefined && watched.line?.seq === cause ? { line: watched.line.text } : {};
    const event: EventObject = { type: data.event, ...line };
    send({ ...base('event'), type: '@xstate.event', event, sourceId: undefined });
    send({ ...base('snapshot'), type: '@xstate.snapshot', event, snapshot });
  };
}

function watch({ time, reference_time: reference }: TraceRecord): Watched {
  const wallClock = Date.parse(reference?.wall_clock_time ?? '');
  return { context: {}, origin: Number.isNaN(wallClock) ? 0 : wallClock - time, value: '', line: undefined };
}

function remember(watched: Watched, { new: state, changes }: StateUpdated): void {
  for (const { name, after } of changes) watched.context[name] = after;
  watched.value = nestedValue(state.split('.'));
}

function snapshotOf({ value, context }: Watched, state: string): InspectionSnapshot {
  const status = state === 'closed' ? 'done' : 'active';
  return { status, value, context: { ...context }, output: undefined, error: undefined };
}

function nestedValue([state = '', ...inner]: readonly string[]): InspectionValue {
  return inner.length === 0 ? state : { [state]: nestedValue(inner) };
}

type Config = Readonly<Record<string, unknown>>;

/** A state as XState's configuration has it, without code. Targets are given by their ids. */
function configOf(
  { initial, kind, description, entry, exit, transitions, states }: StateDescription,
  machine: string,
): Config {
  return {
    ...(initial !== undefined && { initial: initial.split('.').at(-1) }),
    ...(kind === 'final' && { type: 'final' }),
    ...(description !== undefined && { description }),
    ...(entry.length > 0 && { entry: entry.map(actionOf) }),
    ...(exit.length > 0 && { exit: exit.map(actionOf) }),
    on: transitionsBy('event', transitions, machine),
    after: transitionsBy('deadline', transitions, machine),
    states: Object.fromEntries(states.map((state) => [state.key, configOf(state, machine)])),
  };
}

function actionOf({ name, params }: StateDescription['entry'][number]): Config {
  return { type: name, ...(params && { params }) };
}

function transitionsBy(
  kind: 'event' | 'deadline',
  transitions: readonly TransitionDescription[],
  machine: string,
): Readonly<Record<string, readonly Config[]>> {
  const byTrigger: Record<string, Config[]> = {};
  for (const { trigger, guard, target, reenter, actions, description } of transitions) {
    if (trigger.kind !== kind) continue;
    const name = trigger.kind === 'event' ? trigger.type : trigger.delay;
    byTrigger[name] = [
      ...(byTrigger[name] ?? []),
      {
        ...(target !== undefined && { target: `#${machine}.${target}` }),
        ...(guard !== undefined && { guard }),
        ...(reenter && { reenter }),
        ...(actions.length > 0 && { actions: actions.map(actionOf) }),
        ...(description !== undefined && { description }),
      },
    ];
  }
  return byTrigger;
}
