/**
 * The words of the wire at the lines of the lanes. Each stands beside a line that it belongs to: above the lines that meet
 * a mark at a side if its own is the highest of them, below them if it is the lowest.
 *
 * - Lines of a lane that say the same say it once, where the lane ends; others where each begins.
 * - A line alone in its lane says it where it begins, or where it ends if other words stand there.
 */
import { muted, type Run, runsWidth } from '../svg/scene.js';
import { type Lane, type Line, portsOf } from './lines.js';
import { SIZE } from './measures.js';

export interface Said {
  readonly band: number;
  readonly place: 'above' | 'below';
  readonly runs: readonly Run[];
  /** One that says this. */
  readonly line: Line;
}

/** @param isTaken above a band there is something else */
export function saidAt(lanes: readonly Lane[], isTaken: (band: number) => boolean): readonly Said[] {
  const ports = portsOf(lanes);
  const places = new Map<string, Said[]>();
  const put = (said: Said): void => {
    const key = `${said.band} ${said.place}`;
    const known = places.get(key) ?? [];
    if (!known.some(({ runs }) => textOf(runs) === textOf(said.runs))) places.set(key, [...known, said]);
  };
  const say = (lane: Lane, line: Line, bands: readonly number[]): void => {
    const isFree = ({ band, place }: Said): boolean =>
      (places.get(`${band} ${place}`) ?? []).every(({ runs }) => textOf(runs) === textOf(line.runs));
    const around = bands.flatMap((band) => {
      const known = ports.get(band) ?? [];
      const below: Said = { band, place: 'below', runs: line.runs, line };
      const above: Said = { ...below, place: 'above' };
      const possible = isTaken(band) ? [below] : [above, below];
      const isBeside = ({ place }: Said) => known.at(place === 'above' ? 0 : -1) === lane || isTaken(band);
      return possible.map((said) => ({ said, isBeside: isBeside(said) }));
    });
    const free = around.filter(({ said }) => isFree(said));
    const best = free.find(({ isBeside }) => isBeside) ?? free[0] ?? around[0];
    if (best !== undefined) put(best.said);
  };
  const spoken = lanes
    .map((lane) => ({ lane, lines: lane.lines.filter(({ runs }) => runs.length > 0) }))
    .filter(({ lines }) => lines.length > 0);
  const isAlike = (lines: readonly Line[]) => new Set(lines.map(({ runs }) => textOf(runs))).size === 1;
  const several = spoken.filter(({ lines }) => lines.length > 1);
  for (const { lane, lines } of several) {
    if (isAlike(lines)) for (const line of lines.slice(0, 1)) say(lane, line, [line.to]);
  }
  for (const { lane, lines } of several) {
    if (!isAlike(lines)) for (const line of lines) say(lane, line, [line.from]);
  }
  for (const { lane, lines } of spoken) {
    if (lines.length === 1) for (const line of lines) say(lane, line, [line.from, line.to]);
  }
  return [...places.values()].flatMap(joined);
}

/** Room between the marks and the first lane, for the longest of what is said there. */
export function saidWidth(said: readonly Said[]): number {
  return Math.max(40, ...said.map(({ runs }) => runsWidth(runs, SIZE) + 16));
}

/** Words that no place of their own is left for. */
function joined(all: readonly Said[]): Said[] {
  const [first] = all;
  if (first === undefined) return [];
  return [
    { ...first, runs: all.flatMap(({ runs }, index) => (index === 0 ? runs : [muted(' or '), ...runs])) },
  ];
}

const textOf = (runs: readonly Run[]): string => runs.map(({ text }) => text).join('');
