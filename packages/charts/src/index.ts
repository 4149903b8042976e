/**
 * `@sansmtp/charts`: pictures and texts of the charts that `describeChart` of `@sansmtp/core`, and `describe` of
 * `@sansmtp/core/chart`, describe.
 */
export { phases, renderOverview, renderPhase, renderPhases, renderSvg } from './render.js';
export type { PhaseName } from './stories/story.js';
export type { SvgOptions } from './svg/serialize.js';
export { type DotOptions, renderDot } from './text/dot.js';
export { renderJson } from './text/json.js';
export { type MermaidOptions, renderMermaid } from './text/mermaid.js';
export { type OutlineOptions, renderOutline } from './text/outline.js';
export { inParts, type Level } from './text/parts.js';
export { renderTable, type TableOptions } from './text/table.js';
export { renderXState } from './text/xstate.js';
export type { Layout } from './whole/layout.js';
