import { describeChart } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { formOf } from './form/chart.js';
import { sentenceOf } from './form/words.js';
import {
  overviewScene,
  phaseScene,
  phases,
  renderOverview,
  renderPhases,
  renderSvg,
  wholeScene,
} from './render.js';
import { faultsOf } from './svg/geometry.test-support.js';
import type { Scene } from './svg/scene.js';

const ends = ['server', 'client'] as const;

/** The ids of the transitions that a scene draws, bundles or tells in a row. */
function transitionsIn({ marks }: Scene): Set<string> {
  return new Set(
    marks.flatMap((mark) => (mark.kind === 'edge' || mark.kind === 'row' ? mark.transitions : [])),
  );
}

function statesIn({ marks }: Scene): Set<string> {
  return new Set(marks.flatMap((mark) => (mark.kind === 'node' ? mark.states : [])));
}

/** What the overview leaves to the other pictures, and why. */
const omissions: Readonly<
  Record<(typeof ends)[number], readonly { readonly reason: string; readonly omits: RegExp }[]>
> = {
  server: [{ reason: 'lenient mode alone takes it there', omits: /^session\.greeted: command\.MAIL → / }],
  client: [
    { reason: 'EHLO and HELO share a mark', omits: /→ session\.fallingBack/ },
    {
      reason: 'a refused STARTTLS goes on as after EHLO',
      omits: /^session\.startingTls: reply\.(?:transient|permanent)/,
    },
    { reason: 'nothing is sent', omits: /^session\.ready: send \/ settle/ },
    { reason: 'pipelined after a refusal: the replies are awaited', omits: /RFC 2920 §3\.1$/ },
  ],
};

describe.each(ends)('the pictures of the %s', (end) => {
  const chart = describeChart(end);
  const form = formOf(chart);
  const missing = (scenes: readonly Scene[]) => {
    const drawn = new Set(scenes.flatMap((scene) => [...transitionsIn(scene)]));
    return form.arrows.filter(({ transition }) => !drawn.has(transition.id)).map(sentenceOf);
  };

  it('show every transition in the overview: drawn, bundled, in a box, or on the list of omissions', () => {
    const left = missing([overviewScene(chart)]);
    const listed = (sentence: string) => omissions[end].some(({ omits }) => omits.test(sentence));
    expect(left.filter((sentence) => !listed(sentence))).toEqual([]);
    for (const { omits } of omissions[end])
      expect(
        left.some((sentence) => omits.test(sentence)),
        String(omits),
      ).toBe(true);
  });

  it('show every transition in one of the phases, and every one in the whole', () => {
    expect(missing(phases.map((phase) => phaseScene(chart, phase)))).toEqual([]);
    expect(missing([wholeScene(chart)])).toEqual([]);
  });

  it('have a mark for every leaf state, in the overview, in a phase, in the whole', () => {
    const leaves = form.leaves.map(({ path }) => path);
    const { marks } = overviewScene(chart);
    expect(leaves.filter((path) => !statesIn({ marks } as Scene).has(path))).toEqual([]);
    const inPhases = new Set(phases.flatMap((phase) => [...statesIn(phaseScene(chart, phase))]));
    expect(leaves.filter((path) => !inPhases.has(path))).toEqual([]);
    expect(leaves.filter((path) => !statesIn(wholeScene(chart)).has(path))).toEqual([]);
  });

  it('fit a slide: the overview has 1000 × 700 pixels at most', () => {
    const { width, height } = overviewScene(chart);
    expect([width <= 1000, height <= 700]).toEqual([true, true]);
  });

  it.each(['overview', ...phases, 'whole'] as const)(
    'can be read: in the %s no label lies on another, on a state or on a line',
    (name) => {
      const scene =
        name === 'overview'
          ? overviewScene(chart)
          : name === 'whole'
            ? wholeScene(chart)
            : phaseScene(chart, name);
      expect(faultsOf(scene)).toEqual([]);
    },
  );

  it('have ids of their own, for states and edges, also with all phases in one', () => {
    for (const svg of [renderOverview(chart), renderPhases(chart), renderSvg(chart)]) {
      const ids = [...svg.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      expect(ids.length).toBeGreaterThan(30);
      expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    }
  });
});
