/** One picture a phase: the bands of its states. */
import type { ChartDescription } from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';
import { wayOf } from '../overview/way.js';
import type { PhaseStory, Story } from '../stories/story.js';
import type { Mark, Scene } from '../svg/scene.js';
import { bandsOf } from './bands.js';

export function phaseOf(chart: ChartDescription, story: Story, phase: PhaseStory): Scene {
  const form = formOf(chart);
  const { column, hub, loop } = wayOf(form, story);
  const states = phase.states.map((key) => {
    const state = form.states.find((each) => each.key === key);
    if (state === undefined) throw new RangeError(`The phase "${phase.id}" has no state "${key}"`);
    return state;
  });
  const way = phase.id === 'opening' ? [...column, hub] : [hub, ...loop];
  return bandsOf({
    form,
    story,
    title: phase.title,
    subtitle: phase.subtitle,
    states,
    way,
    ...(phase.only && { only: phase.only }),
  });
}

/** All phases, one below the other; the ids of each begin with its name. */
export function stacked(
  scenes: readonly { readonly name: string; readonly scene: Scene }[],
  title: string,
): Scene {
  let top = 0;
  const marks: Mark[] = [];
  for (const { name, scene } of scenes) {
    marks.push(...scene.marks.map((mark) => moved(mark, top, `${name}-`)));
    top += scene.height;
  }
  return {
    width: Math.max(...scenes.map(({ scene }) => scene.width)),
    height: top,
    title,
    description: scenes.map(({ scene }) => scene.title).join(', '),
    marks,
  };
}

function moved(mark: Mark, by: number, prefix: string): Mark {
  switch (mark.kind) {
    case 'label':
      return { ...mark, y: mark.y + by, owner: prefix + mark.owner };
    case 'edge':
      return {
        ...mark,
        id: prefix + mark.id,
        ends: mark.ends.map((end) => prefix + end),
        points: mark.points.map(({ x, y }) => ({ x, y: y + by })),
      };
    default:
      return { ...mark, id: prefix + mark.id, rect: { ...mark.rect, y: mark.rect.y + by } };
  }
}
