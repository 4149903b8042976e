/** What this is, in two sentences, and what to watch. */
import type { Scenario } from '../simulation/scenario.js';
import type { Shown } from './watching.js';

export interface HeaderProperties {
  readonly shown: Shown;
  readonly scenarios: readonly Scenario[];
}

export function Header({ shown, scenarios }: HeaderProperties) {
  const { scenario, watching, act } = shown;
  return (
    <header>
      <div class="title">
        <h1>sansmtp</h1>
        <p class="intro">
          An e-mail is handed over in a conversation: the <b class="client">client</b> asks, the{' '}
          <b class="server">server</b> replies, and every octet that passes between them stands in the middle.
          Each box is a state in which an end can be, the filled one is where it stands now: press{' '}
          <kbd>→</kbd> for the next step, or choose what happens instead.
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
      </div>
    </header>
  );
}
