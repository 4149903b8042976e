/** The whole page. */
import type { Rung, StateRung } from '@sansmtp/charts/trace';
import { describeChart } from '@sansmtp/core';
import { useMemo, useState } from 'preact/hooks';
import { coverageOf } from '../coverage/coverage.js';
import { forkFor, type OpenChoice } from '../legal/legal.js';
import type { WireItem, WireLine } from '../recording/recording.js';
import { eventWords } from '../recording/words.js';
import { scenarios } from '../scenarios/index.js';
import { WHOLE } from '../simulation/choices.js';
import { type End, otherEnd } from '../simulation/ends.js';
import { run } from '../simulation/run.js';
import { isSameSession } from '../simulation/same.js';
import { ChartMap } from './chart-map.js';
import { Controls } from './controls.js';
import { Faults } from './faults.js';
import { Header } from './header.js';
import { LegalNow } from './legal-now.js';
import { Octets } from './octets.js';
import { Segments } from './segments.js';
import { Sessions, useSources } from './sources.js';
import { Transcript } from './transcript.js';
import { type Shown, useWatching } from './watching.js';
import { WholeChart } from './whole-chart.js';
import { Why } from './why.js';
import { Wire } from './wire.js';

const charts = { client: describeChart('client'), server: describeChart('server') } as const;

/** @param properties.token with which the server that serves the page shows what is somebody's */
export function Page({ token }: { readonly token: string | undefined }) {
  const shown = useWatching();
  const { watching, scenario, recording, position, act } = shown;
  const { moments, wire } = recording;
  const sources = useSources(token, act);
  const moment = moments[position];
  const line = lineToShow(wire, position, watching.selected);
  const select = (item: WireItem): void => {
    const at = item.kind === 'note' ? item.moment : (item.arrived ?? item.sent);
    act({ type: 'select', key: item.key, at });
  };
  return (
    <>
      <Header shown={shown} scenarios={scenarios} sources={sources} />
      <main>
        {sources.message !== undefined && (
          <p class="message" role="status">
            {sources.message}
          </p>
        )}
        <Sessions sources={sources} shown={watching.foreign?.name} />
        <Controls
          position={position}
          last={moments.length - 1}
          time={moment?.time ?? 0}
          title={moment?.title ?? ''}
          isPlaying={watching.isPlaying}
          act={act}
        />
        <div class="columns">
          <EndColumn end="client" shown={shown} />
          <section class="middle" aria-labelledby="wire-heading">
            <h2 id="wire-heading">
              The wire <span class="subtitle">{watching.foreign?.name ?? scenario.about}</span>
            </h2>
            <Wire
              items={wire}
              times={moments.map(({ time }) => time)}
              position={position}
              selected={line?.key}
              onSelect={select}
            />
            <Simulated shown={shown} line={line} />
            <h3>The octets</h3>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard as well */}
            <section class="octets" tabIndex={0} aria-label="The octets of this line">
              <Octets line={line} />
            </section>
          </section>
          <EndColumn end="server" shown={shown} />
        </div>
        <Transcript items={wire} position={position} />
      </main>
    </>
  );
}

/** What only a simulation has: faults and segments. */
function Simulated({ shown, line }: { readonly shown: Shown; readonly line: WireLine | undefined }) {
  const { watching, scenario, steps, position, act } = shown;
  const { choices, segmentation } = watching;
  const step = steps[position];
  const isSame = useMemo(
    () => segmentation === WHOLE || isSameSession(steps, run(scenario, choices)),
    [steps, scenario, choices, segmentation],
  );
  if (step === undefined) return null;
  const fork = forkAfter(shown);
  return (
    <>
      <Faults
        standing={step.standing}
        choices={choices}
        onFork={fork}
        onUndo={(choice) => act({ type: 'undo', choice })}
      />
      {line !== undefined && (
        <Segments
          line={line}
          segmentation={segmentation}
          isSame={isSame}
          onChange={(changed) => {
            const turns = run(scenario, choices, changed).map(({ turn }) => turn);
            act({ type: 'segments', segmentation: changed, at: turns.lastIndexOf(step.turn) });
          }}
        />
      )}
    </>
  );
}

/** Forks the session: the choice takes the next turn, and is shown at once. */
function forkAfter({ steps, position, act }: Shown): (choice: OpenChoice) => void {
  return (choice) => {
    const turn = (steps[position]?.turn ?? 0) + 1;
    const at = steps.findLastIndex((step) => step.turn < turn) + 1;
    act({ type: 'fork', choice, turn, at });
  };
}

const SUBTITLES: Readonly<Record<End, string>> = { client: 'what it believes', server: 'what it knows' };

function EndColumn({ end, shown }: { readonly end: End; readonly shown: Shown }) {
  const { recording, steps, position } = shown;
  const [pointed, point] = useState<string>();
  const [isTested, setTested] = useState(false);
  const coverage = useMemo(() => (isTested ? coverageOf(charts[end], end) : undefined), [isTested, end]);
  const path = useMemo(
    () => recording.moments.slice(0, position + 1).flatMap(({ rungs }) => rungs[end].filter(isState)),
    [recording, position, end],
  );
  const moment = recording.moments[position];
  const state = moment?.states[end];
  if (!recording.ends.includes(end)) {
    return (
      <section class={`end ${end} absent`}>
        <h2>
          The {end} <span class="subtitle">was not recorded</span>
        </h2>
        <p class="empty">A trace is written at one end. Of the other there is what it said: see the wire.</p>
      </section>
    );
  }
  const rungs = moment?.rungs[end] ?? [];
  const taken = rungs.filter(isState);
  const standing = steps[position]?.standing;
  return (
    <section class={`end ${end}`} aria-labelledby={`${end}-heading`}>
      <h2 id={`${end}-heading`}>
        The {end} <span class="subtitle">{SUBTITLES[end]}</span>
      </h2>
      <Legend end={end} />
      <ChartMap
        end={end}
        chart={charts[end]}
        active={state}
        taken={taken.map((rung) => ({ rung, label: labelOf(rung, rungs) }))}
        path={path}
        unreached={coverage?.unreached}
        pointed={pointed}
      />
      <div class="map-foot">
        <WholeChart end={end} chart={charts[end]} active={state} taken={taken} />
        <button type="button" aria-pressed={isTested} onClick={() => setTested(!isTested)}>
          Tested
        </button>
        {coverage && (
          <span>
            the tests take {coverage.taken} of {coverage.all} transitions; the others cannot be taken
          </span>
        )}
      </div>
      <h3>Why</h3>
      <Why taken={taken} reasons={rungs.flatMap((rung) => (rung.kind === 'line' && rung.reason) || [])} />
      <h3>Legal now</h3>
      {state !== undefined && (
        <LegalNow
          chart={charts[end]}
          state={state}
          untaken={coverage?.untaken}
          {...(standing && { forkFor: (event: string) => forkFor(end, event, standing) })}
          onFork={forkAfter(shown)}
          onPoint={point}
        />
      )}
    </section>
  );
}

/** What the two columns and their shapes mean. */
function Legend({ end }: { readonly end: End }) {
  const peer = (
    <span class={`legend-item ${otherEnd(end)}`}>
      <svg viewBox="0 0 26 14" aria-hidden="true">
        <rect x="1" y="1" width="24" height="12" rx="4" />
      </svg>
      waits for the {otherEnd(end)}
    </span>
  );
  const own = (
    <span class={`legend-item ${end}`}>
      <svg viewBox="0 0 26 14" aria-hidden="true">
        <path d="M1 7l6-6h12l6 6-6 6H7z" />
      </svg>
      its own side decides
    </span>
  );
  return <p class="legend">{end === 'client' ? [own, peer] : [peer, own]}</p>;
}

function isState(rung: Rung): rung is StateRung {
  return rung.kind === 'state';
}

/** What led to a step: the verb or the code that was read, or else the event. */
function labelOf({ event, cause }: StateRung, rungs: readonly Rung[]): string {
  const line = rungs.find(({ seq }) => seq === cause);
  if (line?.kind !== 'line') return eventWords(event);
  return line.code === undefined ? (line.verb ?? eventWords(event)) : String(line.code);
}

/** The line that was chosen, or that was read or said last. */
function lineToShow(
  wire: readonly WireItem[],
  position: number,
  selected: string | undefined,
): WireLine | undefined {
  const lines = wire.filter((item): item is WireLine => item.kind === 'line' && item.sent <= position);
  const chosen = lines.find(({ key }) => key === selected);
  return (
    chosen ??
    lines.find(({ arrived }) => arrived === position) ??
    lines.find(({ sent }) => sent === position) ??
    lines.findLast(({ arrived }) => arrived !== undefined && arrived <= position)
  );
}
