/**
 * Where each state of a chart stands on its map, from the description alone.
 *
 * A map is narrow and tall, so that both fit beside the wire and can be read. What holds here
 * - Two columns. Beside the wire stand the states that wait for the other end; away from it those that wait for their
 *   own side, which decides, computes or hands something in. So a dialogue is seen to go to and fro.
 * - The rows are in document order. Two states share a row where the columns allow it.
 * - States that do the same, and differ only in what they ask, share a place.
 * - Not every edge is drawn: a session may end anywhere, so edges to the end are told in words.
 */
import type { ChartDescription, StateDescription } from '@sansmtp/core';
import { leafOf } from '@sansmtp/core/chart';

/** Whose turn it is: the peer's, one's own side's, or nobody's any more. */
export type Turn = 'peer' | 'own' | 'end';

export interface Place {
  /** The paths of the states that share it. */
  readonly paths: readonly string[];
  readonly names: readonly string[];
  readonly turn: Turn;
  readonly row: number;
  /** What is told about it: the state's description. */
  readonly about: string;
}

/** A composite, and the rows that it spans. */
export interface Frame {
  readonly path: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

/** Between two places, by their first paths. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface ChartMap {
  readonly rows: number;
  readonly places: readonly Place[];
  readonly frames: readonly Frame[];
  readonly edges: readonly Edge[];
}

/** The deadlines of states that wait for their own side. */
const OWN_DEADLINES: ReadonlySet<string> = new Set(['decision', 'handshake', 'dataBlock', 'computation']);

export function mapOf({ root }: ChartDescription): ChartMap {
  const places: Place[] = [];
  const frames: Frame[] = [];
  let row = -1;
  let taken = new Set<Turn>(['peer', 'own', 'end']);

  const nextRow = () => {
    row += 1;
    taken = new Set();
  };
  const visit = (state: StateDescription, depth: number): void => {
    if (state.kind === 'compound') {
      const from = row + 1;
      taken = new Set<Turn>(['peer', 'own', 'end']);
      for (const children of alike(state.states)) place(children, depth + 1);
      taken = new Set<Turn>(['peer', 'own', 'end']);
      if (depth > 0) frames.push({ path: state.path, name: state.key, from, to: row, depth });
    }
  };
  const place = (states: readonly StateDescription[], depth: number): void => {
    const [state] = states;
    if (state === undefined) return;
    if (state.kind === 'compound') {
      visit(state, depth);
      return;
    }
    const turn = turnOf(state);
    const column = turn === 'end' ? 'own' : turn;
    if (taken.has(column)) nextRow();
    taken.add(column);
    const about = states.map(({ description }) => description ?? '').find((text) => text !== '') ?? '';
    places.push({
      paths: states.map(({ path }) => path),
      names: states.map(({ key }) => key),
      turn,
      row,
      about,
    });
  };
  visit(root, 0);
  const placed = placesByPath(places);
  return { rows: row + 1, places, frames, edges: edgesOf(root, placed) };
}

/** The first path of the place of each state. */
export function placesByPath(places: readonly Place[]): ReadonlyMap<string, string> {
  return new Map(places.flatMap(({ paths }) => paths.map((path) => [path, paths[0] ?? path] as const)));
}

function turnOf({ kind, entry, deadlines, transitions }: StateDescription): Turn {
  if (kind === 'final') return 'end';
  const asksOwnSide = entry.some(({ name }) => name === 'ask' || name === 'compute');
  if (asksOwnSide || deadlines.some((name) => OWN_DEADLINES.has(name))) return 'own';
  // Nothing is waited for but what the application wants: only a client is ever so.
  return deadlines.length === 0 && transitions.length > 0 ? 'own' : 'peer';
}

/** The states, those together that differ only in what they do on entry. */
function alike(states: readonly StateDescription[]): StateDescription[][] {
  const groups = new Map<string, StateDescription[]>();
  for (const state of states) {
    const { path, kind, exit, transitions } = state;
    const behaviour =
      kind === 'atomic' && state.entry.some(({ name }) => name === 'ask')
        ? JSON.stringify([
            exit,
            transitions.map(({ trigger, guard, target, actions }) => [trigger, guard, target, actions]),
          ])
        : path;
    groups.set(behaviour, [...(groups.get(behaviour) ?? []), state]);
  }
  return [...groups.values()];
}

function edgesOf(root: StateDescription, places: ReadonlyMap<string, string>): readonly Edge[] {
  const found = new Map<string, Edge>();
  const over = new Set(root.states.filter(isOver).map(({ path }) => path));
  const walk = (state: StateDescription): void => {
    for (const child of state.states) walk(child);
    const from = places.get(state.path);
    if (from === undefined) return;
    for (const { target } of state.transitions) {
      const to = target === undefined ? undefined : places.get(leafOf({ root }, target));
      if (to === undefined || to === from || over.has(to)) continue;
      found.set(`${from} ${to}`, { from, to });
    }
  };
  walk(root);
  return [...found.values()];
}

/** Nothing is left but to close the connection. */
function isOver({ kind, deadlines }: StateDescription): boolean {
  return kind === 'final' || deadlines.includes('linger');
}
