/** What this is, in two sentences, and what to watch. */
import type { Scenario } from '../simulation/scenario.js';
import type { Sources } from './sources.js';
import type { Shown } from './watching.js';

export interface HeaderProperties {
  readonly shown: Shown;
  readonly scenarios: readonly Scenario[];
  readonly sources: Sources;
}

export function Header({ shown, scenarios, sources }: HeaderProperties) {
  const { scenario, watching, act } = shown;
  return (
    <header>
      <div class="title">
        <h1>sansmtp</h1>
        <p class="intro">
          An e-mail is handed over in a conversation: the <b class="client">client</b> asks, the{' '}
          <b class="server">server</b> replies, and every octet between them stands in the middle. Each box is
          a state that an end can be in, the filled one is where it stands now: press <kbd>→</kbd> for the
          next step, or choose what happens instead.
        </p>
      </div>
      <div class="choose">
        <label for="scenario">Watch</label>
        <select
          id="scenario"
          value={watching.foreign === undefined ? scenario.id : ''}
          onChange={(event) => act({ type: 'scenario', id: event.currentTarget.value })}
        >
          {watching.foreign !== undefined && <option value="">{watching.foreign.name}</option>}
          {scenarios.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
        <label class="button">
          Open a trace…
          <input
            type="file"
            class="for-readers"
            accept=".ndjson,.jsonl,.qlog,.sqlog,.json,.txt"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file !== undefined) void sources.open(file);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <ThemeButton />
      </div>
    </header>
  );
}

/** Light or dark, whatever the system prefers. */
function ThemeButton() {
  const { dataset } = document.documentElement;
  const isDark = (): boolean =>
    dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : dataset.theme === 'dark';
  return (
    <button
      type="button"
      title="Light or dark"
      aria-label="Light or dark"
      onClick={() => {
        dataset.theme = isDark() ? 'light' : 'dark';
      }}
    >
      ◐
    </button>
  );
}
