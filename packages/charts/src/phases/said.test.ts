import { describeChart } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { formOf } from '../form/chart.js';
import { codesOf } from '../form/words.js';
import { phaseScene, phases } from '../render.js';
import type { EdgeMark, Label } from '../svg/scene.js';

const ends = ['server', 'client'] as const;

interface Spoken {
  readonly label: Label;
  readonly edge: EdgeMark;
  readonly all: readonly EdgeMark[];
}

function spokenIn(end: (typeof ends)[number], phase: (typeof phases)[number]): readonly Spoken[] {
  const { marks } = phaseScene(describeChart(end), phase);
  const all = marks.filter((mark) => mark.kind === 'edge');
  return marks.flatMap((mark) => {
    const edge = mark.kind === 'label' ? all.find(({ id }) => id === mark.owner) : undefined;
    return mark.kind === 'label' && edge !== undefined ? [{ label: mark, edge, all }] : [];
  });
}

const textOf = ({ runs }: Label) => runs.map(({ text }) => text).join('');

/** The heights at which an edge runs past the middle of a label. */
function heightsAt({ points }: EdgeMark, { x, width }: Label): number[] {
  return points.slice(1).flatMap((to, index) => {
    const from = points[index] ?? to;
    const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
    return from.y === to.y && left <= x + width / 2 && right >= x + width / 2 ? [to.y] : [];
  });
}

describe.each(ends.flatMap((end) => phases.map((phase) => ({ end, phase }))))(
  'the words at the lines: $end, $phase',
  ({ end, phase }) => {
    const spoken = spokenIn(end, phase);

    it('stand nearest to the line that they belong to', () => {
      for (const { label, edge, all } of spoken.filter((each) => each.edge.points.length > 2)) {
        const distance = (each: EdgeMark) =>
          Math.min(...heightsAt(each, label).map((y) => Math.abs(label.y - 4 - y)));
        expect(distance(edge), textOf(label)).toBe(Math.min(...all.map(distance)));
      }
    });

    it('are said by a transition of that line, or in it', () => {
      const { arrows } = formOf(describeChart(end));
      for (const { label, edge } of spoken) {
        const own = arrows.filter(({ transition }) => edge.transitions.includes(transition.id));
        const known = own.flatMap(({ transition, target }) => [
          ...codesOf(transition),
          ...(transition.commands ?? []).flatMap((command) => command.split(' ')),
          ...(target?.commands ?? []),
        ]);
        const words = label.runs.filter(({ mono }) => mono).flatMap(({ text }) => text.trim().split(' '));
        for (const word of words) expect(known, textOf(label)).toContain(word);
      }
    });

    it('name all that turns a line back', () => {
      const { arrows } = formOf(describeChart(end));
      for (const { label, edge } of spoken.filter((each) => each.edge.weight === 'refusal')) {
        const own = arrows.filter(({ transition }) => edge.transitions.includes(transition.id));
        const refusals = own
          .flatMap(({ transition }) => codesOf(transition))
          .filter((code) => /^[45]/.test(code));
        const command = own.some(({ target }) => end === 'client' && target?.commands?.[0] !== undefined);
        if (!command) for (const code of refusals) expect(textOf(label)).toContain(code);
      }
    });
  },
);
