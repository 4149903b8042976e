/**
 * How pictures look. Colours are CSS variables, so that a page may set its own; they follow light and dark by themselves.
 * Contrast: all text has 4.5:1 or more on its ground.
 */
export const SANS = `'DejaVu Sans',Verdana,Geneva,sans-serif`;
export const MONO = `'DejaVu Sans Mono',Menlo,Consolas,monospace`;

/** The variables by name, light and dark. */
export const colours = {
  paper: ['#ffffff', '#0d1117'],
  panel: ['#f3f6fb', '#171d27'],
  note: ['#fafbfd', '#141a23'],
  rim: ['#cfd9e6', '#303b4a'],
  ink: ['#16202c', '#eef2f7'],
  muted: ['#56606d', '#a7b0bc'],
  quiet: ['#7d8998', '#848f9d'],
  client: ['#0b5394', '#7cc0f8'],
  'client-fill': ['#dcebfa', '#17324d'],
  server: ['#a03f00', '#ffb361'],
  'server-fill': ['#ffe4c4', '#4a2c0c'],
  active: ['#0a7d33', '#56d364'],
  'active-fill': ['#c9f2d3', '#12401f'],
} as const satisfies Record<string, readonly [string, string]>;

const variables = (scheme: 0 | 1): string =>
  Object.entries(colours)
    .map(([name, values]) => `--${name}:${values[scheme]}`)
    .join(';');

export const STYLE = [
  `.sansmtp{${variables(0)};font-family:${SANS}}`,
  `@media(prefers-color-scheme:dark){.sansmtp{${variables(1)}}}`,
  '.sansmtp .paper{fill:var(--paper)}',
  '.sansmtp .composite{fill:var(--panel);stroke:var(--rim)}',
  '.sansmtp .band{fill:var(--panel)}',
  '.sansmtp .note{fill:var(--note);stroke:var(--rim)}',
  '.sansmtp .shape{stroke-width:1.5;fill:var(--paper);stroke:var(--ink)}',
  '.sansmtp .client .shape{fill:var(--client-fill);stroke:var(--client)}',
  '.sansmtp .server .shape{fill:var(--server-fill);stroke:var(--server)}',
  '.sansmtp .dot{fill:var(--ink);stroke:none}',
  '.sansmtp .edge path{fill:none;stroke:var(--ink);stroke-width:1.5}',
  '.sansmtp .edge .tip{fill:var(--ink);stroke:none}',
  '.sansmtp .main path{stroke-width:3}',
  '.sansmtp .refusal path{stroke:var(--quiet)}',
  '.sansmtp .refusal .tip{fill:var(--quiet)}',
  '.sansmtp text{fill:var(--ink)}',
  `.sansmtp .m{font-family:${MONO}}`,
  '.sansmtp .b{font-weight:bold}',
  '.sansmtp .muted{fill:var(--muted)}',
  '.sansmtp .quiet{fill:var(--muted)}',
  '.sansmtp text.client,.sansmtp tspan.client{fill:var(--client)}',
  '.sansmtp text.server,.sansmtp tspan.server{fill:var(--server)}',
  '.sansmtp .row rect{fill:transparent}',
  '.sansmtp .state.active .shape{fill:var(--active-fill);stroke:var(--active);stroke-width:3}',
  '.sansmtp .edge.taken path{stroke:var(--active);stroke-width:4}',
  '.sansmtp .edge.taken .tip{fill:var(--active)}',
  '.sansmtp .row.taken rect{fill:var(--active-fill)}',
].join('\n');
