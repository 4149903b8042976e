/**
 * Which lines a picture in bands has, and in which lanes they run: straight down to the band below, or at a side, where
 * what leads to the same band shares a lane.
 */
import type { StateDescription } from '@sansmtp/core/chart';
import type { Arrow } from '../form/chart.js';
import { codesOf, triggerName } from '../form/words.js';
import type { Story } from '../stories/story.js';
import { client, muted, type Run, refusal, server, type Weight } from '../svg/scene.js';
import type { Bands } from './bands.js';
import { isEnding } from './rows.js';

/** Where the phase leads: states of the dialogue that stand in no band, and its first one if it comes back to that. */
export function exitsOf(
  { form, story, states, way, only }: Bands,
  groups: readonly (readonly StateDescription[])[],
): StateDescription[][] {
  const exits = new Set<StateDescription>();
  for (const [first] of groups) {
    if (first === undefined || first.states.length > 0) continue;
    const pattern = only?.[first.key];
    const leaving = form.arrows.filter(
      ({ source, target, transition }) =>
        source === first &&
        target !== undefined &&
        target !== source &&
        transition.trigger.kind === 'event' &&
        !isEnding(form, target.path) &&
        (pattern === undefined || pattern.test(triggerName(transition))),
    );
    const lost = scattered(story, leaving);
    for (const arrow of leaving) {
      const { target } = arrow;
      if (target === undefined || lost.includes(arrow)) continue;
      if (!states.includes(target) || (target === states[0] && target === way[0] && first !== target))
        exits.add(target);
    }
  }
  return [...exits].map((state) => [state]);
}

export interface Line {
  readonly arrows: readonly Arrow[];
  readonly from: number;
  readonly to: number;
  readonly weight: Weight;
  readonly runs: readonly Run[];
  /** Undefined: straight down. */
  readonly lane: 'left' | 'right' | undefined;
}

/** Which lines there are: one from each band to each other, for what turns back and for what leads on. */
export function linesOf(
  { form, story, states, way, only }: Bands,
  groups: readonly (readonly StateDescription[])[],
  exits: readonly (readonly StateDescription[])[],
): Line[] {
  const all = [...groups, ...exits];
  const bandOf = (state: StateDescription, from: number): number => {
    const exit = exits.findIndex((band) => band.includes(state));
    if (exit >= 0 && (from > 0 || !states.includes(state))) return groups.length + exit;
    return all.findIndex((band) => band.includes(state));
  };
  const found = new Map<string, { arrows: Arrow[]; from: number; to: number; no: boolean }>();
  groups.forEach((band, from) => {
    const [state] = band;
    if (state === undefined) return;
    const pattern = only?.[state.key];
    const leaving = form.arrows.filter(
      ({ source, target, transition }) =>
        band.includes(source) &&
        target !== undefined &&
        target !== state &&
        transition.trigger.kind === 'event' &&
        (pattern === undefined || pattern.test(triggerName(transition))),
    );
    const lost = scattered(story, leaving);
    for (const arrow of leaving) {
      if (lost.includes(arrow)) continue;
      const to = bandOf(arrow.target as StateDescription, from);
      // A composite has a line only to the band below it: it stands in many places.
      if (to < 0 || to === from || (state.states.length > 0 && to !== from + 1)) continue;
      const no = story?.foldsQuestions === true && isNo(story, arrow);
      const key = `${from} ${to} ${no}`;
      const line = found.get(key) ?? { arrows: [], from, to, no };
      line.arrows.push(arrow);
      found.set(key, line);
    }
  });
  return [...found.values()].map(({ arrows, from, to, no }) => {
    const isMain = !no && isOnWay(way, all[from] ?? [], all[to] ?? []);
    // A client goes by the reply, and what turns back may turn there by a success too.
    const turns = no || (!isMain && story !== undefined && arrows.some((arrow) => isNo(story, arrow)));
    const weight = turns ? ('refusal' as const) : isMain ? ('main' as const) : ('optional' as const);
    const straight = to === from + 1 && !turns;
    const lane = straight
      ? undefined
      : turns || (to >= groups.length && !isMain)
        ? ('left' as const)
        : ('right' as const);
    return { arrows, from, to, weight, runs: runsOf(story, arrows, turns), lane };
  });
}

/** Refusals that lead back to wherever the dialogue stood: four lines and more would say less than the rows do. */
function scattered(story: Story | undefined, leaving: readonly Arrow[]): readonly Arrow[] {
  if (!story?.foldsQuestions) return [];
  const alike = new Map<string, Arrow[]>();
  for (const arrow of leaving) {
    const key = `${triggerName(arrow.transition)} ${arrow.transition.description}`;
    alike.set(key, [...(alike.get(key) ?? []), arrow]);
  }
  return [...alike.values()].filter((all) => all.length > 3 && goesBack(all)).flat();
}

/** To states that wait, each of them another. */
const goesBack = (arrows: readonly Arrow[]): boolean =>
  new Set(arrows.map(({ target }) => target)).size === arrows.length;

function isNo(story: Story, { transition }: Arrow): boolean {
  const codes = codesOf(transition);
  return (
    story.refusals.includes(triggerName(transition)) ||
    (story.foldsQuestions && codes.length > 0 && codes.every((code) => /^[45]/.test(code)))
  );
}

function isOnWay(
  way: readonly StateDescription[],
  from: readonly StateDescription[],
  to: readonly StateDescription[],
): boolean {
  const [first, last] = [
    way.findIndex((state) => from.includes(state)),
    way.findIndex((state) => to.includes(state)),
  ];
  if (first < 0 || last < 0) return false;
  return last === first + 1 || (first === way.length - 1 && last < first);
}

/** At a line only the words of the wire: the table has the rest. */
function runsOf(story: Story | undefined, arrows: readonly Arrow[], no: boolean): Run[] {
  if (story === undefined) return [];
  const codes = [...new Set(arrows.flatMap(({ transition }) => codesOf(transition)))];
  if (!story.foldsQuestions) {
    const [command] = arrows.at(-1)?.target?.commands ?? [];
    // Alone it would look like a speck.
    if (command === '.') return [client('.'), muted(' the final dot')];
    if (command !== undefined) return [client(command)];
    // What turns back may do so after a success too.
    if (no) return codes.length === 0 ? [] : [refusal(codes.join(' '))];
    return codes.slice(0, 1).map(server);
  }
  const refusals = codes.filter((code) => /^[45]/.test(code));
  if (no) return codes.length === 0 ? [] : [refusal((refusals.length > 0 ? refusals : codes).join(' '))];
  const commands = [...new Set(arrows.flatMap(({ transition }) => transition.commands ?? []))];
  if (commands.length > 0) return [client(commands.join(' '))];
  return codes.slice(0, 1).map(server);
}

export interface Lane {
  readonly to: number;
  readonly weight: Weight;
  readonly lines: readonly Line[];
  readonly top: number;
  readonly bottom: number;
}

/** One lane for each target; short ones lie inside. */
export function lanesOf(lines: readonly Line[]): { left: readonly Lane[][]; right: readonly Lane[][] } {
  const sideOf = (side: 'left' | 'right'): Lane[][] => {
    const byTarget = new Map<string, Line[]>();
    for (const line of lines.filter(({ lane }) => lane === side)) {
      const key = `${line.to} ${line.weight}`;
      byTarget.set(key, [...(byTarget.get(key) ?? []), line]);
    }
    const lanes = [...byTarget.values()]
      .map((each): Lane => {
        const ends = each.flatMap(({ from, to }) => [from, to]);
        return {
          to: each[0]?.to ?? 0,
          weight: each[0]?.weight ?? 'optional',
          lines: each,
          top: Math.min(...ends),
          bottom: Math.max(...ends),
        };
      })
      .sort((a, b) => a.bottom - a.top - (b.bottom - b.top) || a.top - b.top);
    const columns: Lane[][] = [];
    for (const lane of lanes) {
      const free = columns.find((column) =>
        column.every(({ top, bottom }) => bottom < lane.top || top > lane.bottom),
      );
      if (free === undefined) columns.push([lane]);
      else free.push(lane);
    }
    return columns;
  };
  return { left: sideOf('left'), right: sideOf('right') };
}

/** Which lanes touch a band, from above to below, so that each has a place of its own at its side. */
export function portsOf(lanes: readonly Lane[]): ReadonlyMap<number, readonly Lane[]> {
  const ports = new Map<number, Lane[]>();
  const add = (band: number, lane: Lane) => {
    const known = ports.get(band) ?? [];
    if (!known.includes(lane)) ports.set(band, [...known, lane]);
  };
  for (const lane of lanes) {
    add(lane.to, lane);
    for (const { from } of lane.lines) add(from, lane);
  }
  for (const [band, known] of ports) {
    // Those that go up leave above those that go down.
    ports.set(
      band,
      [...known].sort((a, b) => a.top + a.bottom - (b.top + b.bottom)),
    );
  }
  return ports;
}
