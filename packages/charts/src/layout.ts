/** `@sansmtp/charts/layout`: where the marks of any chart are to stand. Needs elkjs, an optional peer dependency. */
export { type Layout, layOut } from './whole/layout.js';
