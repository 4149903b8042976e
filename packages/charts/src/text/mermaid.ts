/**
 * Pictures as Mermaid text, which GitHub draws wherever a fenced block is marked `mermaid`. What a picture shows is
 * settled in `picture.ts`; here it is only written down.
 *
 * Mermaid has its part in that picture: it moves a state into whichever composite mentions it, so that an edge may
 * name only what stands in the same composite; it cannot draw an edge from a composite to a state inside of it; and
 * its labels drift from the loops and long ways round that they belong to.
 */
import type { ChartDescription } from '@sansmtp/core';
import { type Box, type Detail, drawPicture } from './picture.js';

export interface MermaidOptions {
  /**
   * `full`: every transition, in the words of its state where it is no edge. `outline`: the edges and their
   * triggers only, which fits beside a text.
   * @default 'full'
   */
  readonly detail?: Detail;
}

/**
 * Draws a chart as a Mermaid `stateDiagram-v2`, for Mermaid 10 and later.
 *
 * Left out even in full: what the chart only counts for its guards (assigns), descriptions, and whether a
 * transition re-enters its state. What leads to a final state is told in words, not drawn, except from a state
 * beside it that leads nowhere else.
 */
export function renderMermaid(chart: ChartDescription, { detail = 'full' }: MermaidOptions = {}): string {
  const heading = detail === 'full' ? [MORE_SPACE, 'stateDiagram-v2'] : ['stateDiagram-v2'];
  return [...heading, ...contentsOf(drawPicture(chart, detail)), ''].join('\n');
}

/** Between rows, in pixels. By the default of 50, labels of three lines and more slip under boxes. */
const MORE_SPACE = '%%{init: {"state": {"rankSpacing": 70}}}%%';

/** What stands between the braces of a composite. */
function contentsOf({ initial, boxes, edges }: Box): string[] {
  return [
    ...(initial === undefined ? [] : [`[*] --> ${identifier(initial)}`]),
    ...boxes.flatMap(linesOf),
    ...edges.map(({ from, to, lines }) => {
      const label = lines.length === 0 ? '' : ` : ${lines.map(escaped).join('<br/>')}`;
      return `${identifier(from)} --> ${identifier(to)}${label}`;
    }),
  ].map((line) => `  ${line}`);
}

function linesOf(box: Box): string[] {
  const id = identifier(box.id);
  if (box.boxes.length > 0) return [`state "${escaped(box.title)}" as ${id} {`, ...contentsOf(box), '}'];
  const lines = [box.title, ...box.lines].map((line) => `${id} : ${escaped(line)}`);
  return box.final ? [...lines, `${id} --> [*]`] : lines;
}

/** The chart's id stands first, so no state can be named like one of Mermaid's words, such as `end` or `note`. */
function identifier(id: string): string {
  return id.replaceAll(/[^\p{L}\p{N}]/gu, '_');
}

/** Whatever might mean something to Mermaid, or to the Markdown and HTML in its labels, as a character reference. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,/|[\]→]/gu, (character) => `#${character.codePointAt(0)};`);
}
