/** The look of the report: light and dark, as the reader's system has it. */
export const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1c1e21, #e6e7e9); --ground: light-dark(#fff, #16181b);
  --soft: light-dark(#f3f4f6, #22252a); --line: light-dark(#d5d8dc, #3a3f46); --faint: light-dark(#5d636b, #a0a6ae);
  --bad: light-dark(#a8071a, #ff7b7b); --good: light-dark(#136c2e, #6fd58b); --client: light-dark(#0b5cad, #7cb7f5);
  --server: light-dark(#7a3e00, #e5a868); }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text);
  background: var(--ground); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
a { color: var(--client); }
.counts { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
.level { font-size: .75rem; font-weight: 700; padding: .1rem .45rem; border-radius: .25rem; border: 1px solid currentColor; }
.security, .must, .bad { color: var(--bad); } .should { color: var(--server); } .interop { color: var(--faint); }
.good { color: var(--good); }
table { border-collapse: collapse; } td, th { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; font-weight: normal; }
details { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem; margin: .5rem 0; }
summary { cursor: pointer; } .seen { display: block; margin-top: .25rem; }
.ladder { list-style: none; margin: .5rem 0; padding: .5rem; background: var(--soft); border-radius: .3rem; }
.ladder li { display: flex; gap: .5rem; max-width: 80%; }
.ladder .server { margin-left: 20%; color: var(--server); } .ladder .client { color: var(--client); }
.ladder .between { max-width: 100%; color: var(--faint); }
.who { flex: none; width: 1ch; font-weight: 700; font-family: ui-monospace, monospace; }
.ids code { margin-right: .5rem; } .page, footer { color: var(--faint); font-size: .85rem; }
`;
