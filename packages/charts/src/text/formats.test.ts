import { describeChart } from '@sansmtp/core';
import {
  type ChartDescription,
  describe as describeMachine,
  type StateDescription,
} from '@sansmtp/core/chart';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as xstate from 'xstate';
import { anyChart, chart, effect, on, state } from '../descriptions.test-support.js';
import { formOf } from '../form/chart.js';
import { storyOf } from '../stories/stories.js';
import { renderDot } from './dot.js';
import { renderJson } from './json.js';
import { renderOutline } from './outline.js';
import { inParts, partsOf } from './parts.js';
import { renderTable } from './table.js';
import { renderXState } from './xstate.js';

const ends = ['server', 'client'] as const;

const door = chart([
  state('shut', {
    description: 'Nobody gets in.',
    states: [
      state('shut.quiet', {
        transitions: [
          on('knock', {
            guard: 'patient',
            actions: [effect('say', { words: 'later' })],
            description: 'RFC 1',
          }),
          on('knock', { target: 'shut.waking' }),
        ],
      }),
      state('shut.waking', {
        entry: [effect('ring')],
        transitions: [on('after patience', { target: 'open' })],
      }),
    ],
    transitions: [on('key.*', { target: 'open' })],
  }),
  state('open', { transitions: [on('fall', { target: 'gone' })] }),
  state('gone', { kind: 'final' }),
]);

describe('a chart as an outline', () => {
  it('indents states as they stand in states, with all that they do', () => {
    expect(renderOutline(door)).toBe(`chart
  shut: Nobody gets in.
    key.* → open
    quiet
      knock [patient] / say later
      knock → waking
    waking
      entry / ring
      after patience → open
  open
    fall → gone
  gone (end)
`);
  });

  it('gives as an overview only where each state leads', () => {
    expect(renderOutline(door, { level: 'overview' })).toContain('    quiet\n      → waking: knock\n');
  });
});

describe('a chart as tables', () => {
  it('has a row for each transition, with what Markdown would take for more escaped', () => {
    expect(renderTable(door)).toContain(
      '## shut.quiet\n\n| on | only if | effects | reply | then | why |\n|---|---|---|---|---|---|\n' +
        '| `knock` | `patient` | `say later` |  |  | RFC 1 |\n| `knock` |  |  |  | `shut.waking` |  |\n',
    );
  });

  it.each(ends)('has every transition of the %s once', (end) => {
    const description = describeChart(end);
    for (const level of ['phases', 'full'] as const) {
      const rows = renderTable(description, { level }).match(/^\| `/gm) ?? [];
      expect(rows).toHaveLength(formOf(description).arrows.length);
    }
  });
});

describe('a chart in DOT', () => {
  it('has clusters for composites, and edges that end at their borders', () => {
    expect(renderDot(door, { detail: 'outline' })).toBe(`digraph "chart" {
  graph [compound=true, newrank=true, fontname="Helvetica", fontsize=13, nodesep=0.4, ranksep=0.5];
  node [shape=box, style=rounded, fontname="Helvetica", fontsize=12];
  edge [fontname="Helvetica", fontsize=11];
  "chart start" [shape=point, width=0.12];
  "chart start" -> "chart.shut.quiet" [lhead="cluster chart.shut"];
  subgraph "cluster chart.shut" {
    label="shut"; style=rounded;
    "chart.shut start" [shape=point, width=0.12];
    "chart.shut start" -> "chart.shut.quiet";
    "chart.shut.quiet" [label="quiet"];
    "chart.shut.waking" [label="waking"];
    "chart.shut.quiet" -> "chart.shut.waking" [label="knock"];
  }
  "chart.open" [label="open"];
  "chart.gone" [label="gone", peripheries=2];
  "chart.shut.quiet" -> "chart.open" [label="key.*\\nafter patience", ltail="cluster chart.shut"];
  "chart.open" -> "chart.gone" [label="fall"];
}
`);
  });

  it('closes what it opens, whatever is named how', () => {
    fc.assert(
      fc.property(anyChart, (description) => {
        const bare = renderDot(description).replaceAll(/"(?:[^"\\]|\\.)*"/g, 'q');
        expect(bare).not.toContain('"');
        expect(bare.split('{').length).toBe(bare.split('}').length);
      }),
    );
  });
});

describe('a chart as JSON', () => {
  it.each(ends)('is the description of the %s', (end) => {
    expect(JSON.parse(renderJson(describeChart(end)))).toEqual(describeChart(end));
  });
});

describe('a chart in parts', () => {
  it.each(ends)('has each state of the %s in one', (end) => {
    const description = describeChart(end);
    const inside = partsOf(description, storyOf(description)).flatMap(({ states }) =>
      states.map(({ path }) => path),
    );
    expect(inside).toEqual([...new Set(inside)]);
    const leaves = formOf(description).leaves.map(({ path }) => path);
    expect(leaves.filter((path) => !inside.includes(path))).toEqual([]);
    expect(formOf(inParts(description)).arrows).toHaveLength(formOf(description).arrows.length);
  });
});

/** Runs the source with XState, and gives back the machine. */
function machineOf(source: string): xstate.AnyStateMachine {
  const body = source
    .replace(/^import \{(.*)\} from 'xstate';$/m, 'const {$1} = xstate;')
    .replace('export const machine =', 'return');
  return new Function('xstate', body)(xstate);
}

/** What a machine holds of a description: not what goes over the wire, which its owner adds. */
function ofMachine(description: ChartDescription): unknown {
  const bare = ({ commands: _, meta: __, ...whole }: StateDescription): unknown => ({
    ...whole,
    transitions: whole.transitions.map(
      ({ commands: ___, replies: ____, meta: _____, ...transition }) => transition,
    ),
    states: whole.states.map(bare),
  });
  return { ...description, root: bare(description.root) };
}

describe('a chart as the source of a machine', () => {
  it.each(ends)('describes the %s again, but for what functions compute', (end) => {
    const description = describeChart(end);
    expect(ofMachine(describeMachine(machineOf(renderXState(description))))).toEqual(ofMachine(description));
  });

  it('writes combined guards as XState has them', () => {
    const machine = xstate
      .setup({ guards: { late: () => true, known: () => true } })
      .createMachine({ id: 'bar', on: { enter: { guard: xstate.and(['known', xstate.not('late')]) } } });
    const source = renderXState(describeMachine(machine));
    expect(source).toContain("import { and, not, setup } from 'xstate';");
    expect(source).toContain("guard: and(['known', not('late')])");
    expect(describeMachine(machineOf(source))).toEqual(describeMachine(machine));
  });
});
