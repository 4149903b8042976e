/**
 * `results.json`: what was measured last, part by part, which docs/performance.md shows. A part that is measured again
 * takes the place of its own figures only, so that parts can be run alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../results.json', import.meta.url));

/** One figure, and what it is to be. */
export interface Measurement {
  /** What was measured, as a row of the table says it. */
  readonly measure: string;
  readonly value: number;
  /** `×` for a ratio. */
  readonly unit: '×' | 'ms' | 'ns' | 'KiB' | 'MiB' | 'a second';
  /** The same as processor time has it, where that was measured: it knows nothing of who else used the machine. */
  readonly processor?: number;
  readonly bar?: number;
  readonly goal?: number;
  /** Whether the bar is the most that the value may be, or the least. @default 'most' */
  readonly limit?: 'most' | 'least';
}

export interface Part {
  readonly node: string;
  readonly processors: number;
  /** How many programs wanted a processor in the minute before the end: more than there are, and seconds say little. */
  readonly load: number;
  /** With what it was compared. */
  readonly peers: Readonly<Record<string, string>>;
  readonly measurements: readonly Measurement[];
}

export function readResults(): Readonly<Record<string, Part>> {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Part>;
}

/** Prints the figures and stores them. @returns whether each bar was met */
export function report(
  part: string,
  measurements: readonly Measurement[],
  peers: Part['peers'] = {},
): boolean {
  const rounded = measurements.map((each) => ({
    ...each,
    value: Number(each.value.toPrecision(3)),
    ...(each.processor !== undefined && { processor: Number(each.processor.toPrecision(3)) }),
  }));
  const load = Number((loadavg()[0] ?? 0).toFixed(1));
  const measured: Part = {
    ...{ node: process.version, processors: availableParallelism(), load },
    ...{ peers, measurements: rounded },
  };
  console.log(circumstancesOf(measured));
  for (const measurement of measurements) console.log(lineOf(measurement));
  const all = Object.entries({ ...readResults(), [part]: measured }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  return measurements.every(isMet);
}

/** Where and with what a part was measured, in one line. */
export function circumstancesOf({ node, processors, load, peers }: Part): string {
  const versions = Object.entries(peers).map(([peer, version]) => `, ${peer} ${version}`);
  return `Node ${node.slice(1)}, ${processors} processors, load ${load}${versions.join('')}.`;
}

export function isMet({ value, bar, limit = 'most' }: Measurement): boolean {
  return bar === undefined || (limit === 'most' ? value <= bar : value >= bar);
}

function lineOf(measurement: Measurement): string {
  const { measure, value, unit, processor, bar } = measurement;
  const ofProcessor = processor === undefined ? '' : `, processor ${processor.toPrecision(3)} ${unit}`;
  const verdict = bar === undefined ? '' : `  bar ${bar}: ${isMet(measurement) ? 'met' : 'missed'}`;
  return `  ${measure}: ${value.toPrecision(3)} ${unit}${ofProcessor}${verdict}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (below + above) / 2;
}

/** Of a package that stands beside ours. */
export function versionOf(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return manifest.version;
}
