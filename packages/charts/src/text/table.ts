/** A chart as tables in Markdown, a row a transition, in order of trial. */
import type { ChartDescription, StateDescription } from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';
import { effectsOf } from '../form/wording.js';
import { codesOf, triggerName } from '../form/words.js';
import { storyOf } from '../stories/stories.js';
import { type Level, partsOf } from './parts.js';

export interface TableOptions {
  /**
   * `overview`: only what leads somewhere else. `phases`: under a heading for each part of the dialogue. `full`: every
   * transition, state by state.
   * @default 'full'
   */
  readonly level?: Level;
}

/** Writes the transitions of a chart as Markdown tables, with guards, effects, replies and the sections of the RFCs. */
export function renderTable(chart: ChartDescription, { level = 'full' }: TableOptions = {}): string {
  const heading = `# The ${chart.id}'s transitions`;
  if (level === 'phases') {
    const parts = partsOf(chart, storyOf(chart));
    const text = parts.flatMap(({ title, states }) => [
      `## ${title}`,
      ...states.flatMap((state) => table(chart, state, '###', level)),
    ]);
    return `${[heading, ...text].join('\n\n')}\n`;
  }
  return `${[heading, ...formOf(chart).states.flatMap((state) => table(chart, state, '##', level))].join('\n\n')}\n`;
}

function table(chart: ChartDescription, state: StateDescription, level: string, detail: Level): string[] {
  const rows = state.transitions.filter(
    ({ target }) => detail !== 'overview' || (target !== undefined && target !== state.path),
  );
  if (rows.length === 0 && (detail === 'overview' || state.states.length > 0)) return [];
  const name =
    state.path === ''
      ? `Any state of ${chart.id}`
      : state.states.length > 0
        ? `Any state of ${state.path}`
        : state.path;
  const entry = effectsOf(state.entry);
  const about = [state.description, entry === '' ? undefined : `On entry: ${code(entry)}.`]
    .filter((each) => each !== undefined)
    .join(' ');
  const lines = rows.map((transition) => {
    const { guard, target, actions, description = '' } = transition;
    const effects = effectsOf(actions);
    return `| ${[
      code(triggerName(transition)),
      guard === undefined ? '' : code(guard),
      effects === '' ? '' : code(effects),
      codesOf(transition).join(' '),
      target === undefined ? '' : target === state.path ? '↻' : code(target === '' ? chart.id : target),
      escaped(description),
    ].join(' | ')} |`;
  });
  const head = ['| on | only if | effects | reply | then | why |', '|---|---|---|---|---|---|'];
  return [
    `${level} ${name}`,
    ...(about === '' ? [] : [about]),
    ...(rows.length === 0 ? [] : [[...head, ...lines].join('\n')]),
  ];
}

const escaped = (text: string): string => text.replaceAll(/[|*_<>\\`[\]]/g, '\\$&').replaceAll('\n', ' ');

/** Markdown's code spans take bars for the end of a cell even so. */
const code = (text: string): string =>
  `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replaceAll('\n', ' ')}\``;
