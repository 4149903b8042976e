/** The map of one end's chart: the active state filled, the edge just taken bold, where one may go next lighter. */
import type { StateRung } from '@sansmtp/charts/trace';
import type { ChartDescription } from '@sansmtp/core';
import { useMemo } from 'preact/hooks';
import { type DrawnPlace, drawMap, NODE, type Way, WIDTH, wayOf } from '../map/geometry.js';
import { mapOf, placesByPath } from '../map/places.js';
import type { End } from '../simulation/ends.js';

/** So tall that both ends fit on a screen beside the wire. */
const HEIGHT = 560;

/** Edges that reach over more rows are drawn only where they lead on from here, or were taken. */
const NEAR_ROWS = 2;

export interface TakenStep {
  readonly rung: StateRung;
  /** What led to it, such as `250`. */
  readonly label: string;
}

export interface ChartMapProperties {
  readonly end: End;
  readonly chart: ChartDescription;
  readonly active: string | undefined;
  /** In this step, in order. */
  readonly taken: readonly TakenStep[];
  /** All steps up to here. */
  readonly path: readonly StateRung[];
  /** States that no test reaches; undefined: that is not asked. */
  readonly unreached: ReadonlySet<string> | undefined;
  /** A state that is pointed at elsewhere. */
  readonly pointed: string | undefined;
}

export function ChartMap({ end, chart, active, taken, path, unreached, pointed }: ChartMapProperties) {
  const { map, drawing, byPath } = useMemo(() => {
    const map = mapOf(chart);
    const drawing = drawMap(map, end, HEIGHT);
    const first = placesByPath(map.places);
    const drawn = new Map(drawing.places.map((place) => [place.paths[0], place]));
    const byPath = (path: string | undefined): DrawnPlace | undefined =>
      path === undefined ? undefined : drawn.get(first.get(path) ?? path);
    return { map, drawing, byPath };
  }, [chart, end]);

  const activePlace = byPath(active);
  const steps = taken.flatMap(({ rung, label }) => {
    const [from, to] = [byPath(rung.from), byPath(rung.to)];
    return from && to ? [{ label, way: wayOf(from, to) }] : [];
  });
  const visited = new Set(path.map(({ to }) => byPath(to)));
  const travelled = new Map<string, Way>();
  for (const { from, to } of path) {
    const [a, b] = [byPath(from), byPath(to)];
    if (a && b && a !== b) travelled.set(`${from} ${to}`, wayOf(a, b));
  }
  return (
    <svg
      class={`map map-${end}`}
      viewBox={`0 0 ${WIDTH} ${Math.ceil(drawing.height)}`}
      role="img"
      aria-label={`The ${end}’s chart. It stands in ${active ?? 'no state yet'}.`}
    >
      <defs>
        <marker
          id={`arrow-${end}`}
          viewBox="0 0 10 10"
          refX="8"
          refY="5"
          markerWidth="6"
          markerHeight="6"
          orient="auto"
        >
          <path class="arrow-head" d="M0 0L10 5L0 10z" />
        </marker>
        <marker
          id={`next-${end}`}
          viewBox="0 0 10 10"
          refX="8"
          refY="5"
          markerWidth="7"
          markerHeight="7"
          orient="auto"
        >
          <path class="next-head" d="M0 1L9 5L0 9z" />
        </marker>
      </defs>
      {drawing.frames.map(({ path, name, x, y, width, height }) => (
        <g key={path} class={`frame ${active?.startsWith(`${path}.`) ? 'active' : ''}`}>
          <rect x={x} y={y} width={width} height={height} rx="9" />
          <text x={x + 10} y={y + 12}>
            {name}
          </text>
        </g>
      ))}
      {map.edges.map(({ from, to }) => {
        const [a, b] = [byPath(from), byPath(to)];
        const isNext = a !== undefined && a === activePlace;
        return a && b && (isNext || Math.abs(a.row - b.row) <= NEAR_ROWS) ? (
          <path
            key={`${from} ${to}`}
            class={`edge ${isNext ? 'next' : ''}`}
            d={wayOf(a, b).path}
            marker-end={isNext ? `url(#next-${end})` : undefined}
          />
        ) : null;
      })}
      {[...travelled].map(([key, way]) => (
        <path key={`travelled ${key}`} class="edge travelled" d={way.path} />
      ))}
      {steps.map(({ way }, index) => (
        <path
          key={`taken-${index}`}
          class={`edge taken ${index === steps.length - 1 ? 'last' : ''}`}
          d={way.path}
          marker-end={`url(#arrow-${end})`}
        />
      ))}
      {drawing.places.map((place) => (
        <PlaceMark
          key={place.paths[0]}
          place={place}
          active={place === activePlace ? active : undefined}
          isVisited={visited.has(place)}
          isPointed={place === byPath(pointed)}
          covered={unreached && !place.paths.every((path) => unreached.has(path))}
        />
      ))}
      {labelsOf(steps).map(({ text, x, y }) => (
        <EdgeLabel key={`${text} ${y}`} text={text} x={x} y={y} />
      ))}
    </svg>
  );
}

interface PlaceMarkProperties {
  readonly place: DrawnPlace;
  /** The path of the state in it that is active. */
  readonly active: string | undefined;
  readonly isVisited: boolean;
  readonly isPointed: boolean;
  readonly covered: boolean | undefined;
}

function PlaceMark({ place, active, isVisited, isPointed, covered }: PlaceMarkProperties) {
  const { x, y, turn, paths, names, about } = place;
  const name = names[paths.indexOf(active ?? '')] ?? (names.length > 1 ? `${names[0]} …` : names[0]);
  const classes = [
    'place',
    turn,
    active === undefined ? '' : 'active',
    isVisited ? 'visited' : '',
    isPointed ? 'pointed' : '',
    covered === undefined ? '' : covered ? 'covered' : 'uncovered',
  ];
  const { width, height } = NODE;
  const tip = height / 2;
  return (
    <g class={classes.filter(Boolean).join(' ')} data-states={paths.join(' ')}>
      <title>{`${names.join(', ')}${about === '' ? '' : `: ${about}`}`}</title>
      {turn === 'own' ? (
        <path
          d={`M${x} ${y + tip}l${tip} -${tip}h${width - 2 * tip}l${tip} ${tip}l-${tip} ${tip}h-${width - 2 * tip}z`}
        />
      ) : (
        <rect x={x} y={y} width={width} height={height} rx={turn === 'end' ? tip : 6} />
      )}
      <text x={x + width / 2} y={y + height / 2 + 4.2}>
        {name}
      </text>
    </g>
  );
}

/** A label in the channel between the columns, where no state stands. */
function EdgeLabel({ text, x, y }: { readonly text: string; readonly x: number; readonly y: number }) {
  const width = Math.min(NODE.width, text.length * 7.4 + 14);
  return (
    <g class="edge-label">
      <rect x={x - width / 2} y={y - 9} width={width} height="18" rx="9" />
      <text x={x} y={y + 4}>
        {text}
      </text>
    </g>
  );
}

/** One label for each place where labels would stand upon each other. */
function labelsOf(steps: readonly { readonly label: string; readonly way: Way }[]) {
  const labels: { text: string; x: number; y: number }[] = [];
  for (const { label, way } of steps) {
    const { x, y } = way.label;
    const near = labels.find((other) => Math.abs(other.y - y) < 19);
    if (near === undefined) labels.push({ text: shortened(label), x, y });
    else if (!near.text.split(', ').includes(label)) near.text = shortened(`${near.text}, ${label}`);
  }
  return labels;
}

function shortened(text: string): string {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
