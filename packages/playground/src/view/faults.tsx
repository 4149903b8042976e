/** Have it otherwise: refuse, delay, drop, wait, lie. Each forks the session after this step. */
import { useState } from 'preact/hooks';
import type { OpenChoice } from '../legal/legal.js';
import type { Choice } from '../simulation/choices.js';
import { ENDS, type End } from '../simulation/ends.js';
import type { Standing } from '../simulation/step.js';

/** Longer than any end waits. */
const LATE = 700_000;

export interface FaultsProperties {
  readonly standing: Standing;
  readonly choices: readonly Choice[];
  readonly onFork: (choice: OpenChoice) => void;
  readonly onUndo: (choice: Choice) => void;
}

export function Faults({ standing, choices, onFork, onUndo }: FaultsProperties) {
  const [lie, setLie] = useState<{ readonly from: End; readonly text: string }>();
  const { question, underWay, states } = standing;
  const isOver = states.client === 'closed' && states.server === 'closed';
  const speaking = ENDS.find((end) => underWay[end] !== undefined);
  const fork = (choice: OpenChoice): void => {
    setLie(undefined);
    onFork(choice);
  };
  return (
    <div class="faults">
      <div class="fault-buttons">
        <span class="label">Have it otherwise:</span>
        <button
          type="button"
          disabled={question === undefined}
          title="The server’s application says no to what it is asked"
          onClick={() => fork({ kind: 'answer', decision: 'reject' })}
        >
          Refuse
        </button>
        <button
          type="button"
          disabled={question === undefined}
          title="It says: not now"
          onClick={() => fork({ kind: 'answer', decision: 'reject', code: 450 })}
        >
          Not now
        </button>
        <button
          type="button"
          disabled={speaking === undefined}
          title="What is on its way takes twelve minutes longer"
          onClick={() => speaking && fork({ kind: 'delay', from: speaking, milliseconds: LATE })}
        >
          Delay
        </button>
        <button
          type="button"
          disabled={isOver}
          title="The connection is lost, with all that is on its way"
          onClick={() => fork({ kind: 'drop' })}
        >
          Drop
        </button>
        <button
          type="button"
          disabled={isOver}
          aria-expanded={lie !== undefined}
          title="Somebody on the way says something else"
          onClick={() =>
            setLie(
              lie
                ? undefined
                : {
                    from: speaking ?? 'server',
                    text: shown(underWay[speaking ?? 'server'] ?? '250 Yes\r\n'),
                  },
            )
          }
        >
          Lie…
        </button>
      </div>
      {lie && (
        <form
          class="lie"
          onSubmit={(event) => {
            event.preventDefault();
            if (lie.text !== '') fork({ kind: 'say', from: lie.from, text: wire(lie.text) });
          }}
        >
          <label>
            In the name of{' '}
            <select
              value={lie.from}
              onChange={(event) => setLie({ ...lie, from: event.currentTarget.value as End })}
            >
              <option value="client">the client</option>
              <option value="server">the server</option>
            </select>
          </label>
          <textarea
            aria-label="What is said in its place"
            rows={2}
            maxLength={500}
            value={lie.text}
            onInput={(event) => setLie({ ...lie, text: event.currentTarget.value })}
          />
          <button type="submit">Have it said</button>
        </form>
      )}
      {choices.length > 0 && (
        <ul class="choices" aria-label="What was chosen otherwise">
          {choices.map((choice) => (
            <li key={choice.turn}>
              {wordsOf(choice)}{' '}
              <button type="button" aria-label={`Undo: ${wordsOf(choice)}`} onClick={() => onUndo(choice)}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** For a text field, whose lines end in LF. */
function shown(text: string): string {
  return text.slice(0, 400).replace(/\r\n/g, '\n').replace(/\n$/, '');
}

function wire(text: string): string {
  return `${text.replace(/\r?\n/g, '\r\n')}\r\n`;
}

function wordsOf(choice: Choice): string {
  switch (choice.kind) {
    case 'say':
      return `forged in the ${choice.from}’s name: ${choice.text.trim().slice(0, 40)}`;
    case 'answer':
      return choice.decision === 'accept'
        ? 'accepted'
        : `refused${choice.code === undefined ? '' : ` by ${choice.code}`}`;
    case 'wait':
      return `the ${choice.end}’s deadline passes`;
    case 'delay':
      return `the ${choice.from}’s words come late`;
    case 'drop':
      return 'the connection is lost';
    case 'close':
      return `the ${choice.from} closes`;
    case 'shutdown':
      return 'the server is shut down';
    case 'failTls':
      return 'TLS fails';
    case 'act':
      return `the client’s application: ${choice.act}`;
  }
}
