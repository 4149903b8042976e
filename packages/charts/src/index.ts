/** `@sansmtp/charts`: pictures of the charts that `describeChart` of `@sansmtp/core` describes. */
export { type MermaidOptions, renderMermaid } from './text/mermaid.js';
