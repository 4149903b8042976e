/** Forward and back: buttons, keys, a slider, and play. */
import { useEffect } from 'preact/hooks';
import { duration } from '../recording/words.js';
import type { Action } from './watching.js';

/** Milliseconds between two steps that are played. */
const PACE = 900;

export interface ControlsProperties {
  readonly position: number;
  readonly last: number;
  readonly time: number;
  readonly title: string;
  readonly isPlaying: boolean;
  readonly act: (action: Action) => void;
}

export function Controls({ position, last, time, title, isPlaying, act }: ControlsProperties) {
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setInterval(() => act({ type: 'move', by: 1 }), PACE);
    return () => clearInterval(timer);
  }, [isPlaying, last]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const action = actionOf(event, last, isPlaying);
      if (action === undefined) return;
      event.preventDefault();
      act(action);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [last, isPlaying]);
  return (
    <nav class="controls" aria-label="Steps">
      <div class="buttons">
        <button
          type="button"
          title="To the beginning (Home)"
          aria-label="To the beginning"
          onClick={() => act({ type: 'go', to: 0 })}
          disabled={position === 0}
        >
          |◀
        </button>
        <button
          type="button"
          title="One step back (←)"
          aria-label="One step back"
          onClick={() => act({ type: 'move', by: -1 })}
          disabled={position === 0}
        >
          ◀ back
        </button>
        <button
          type="button"
          class="primary"
          title="One step on (→)"
          aria-label="One step on"
          onClick={() => act({ type: 'move', by: 1 })}
          disabled={position >= last}
        >
          step ▶
        </button>
        <button
          type="button"
          title="Play (space)"
          aria-label={isPlaying ? 'Stop' : 'Play'}
          onClick={() => act({ type: 'play', on: !isPlaying })}
        >
          {isPlaying ? 'stop' : 'play'}
        </button>
        <button
          type="button"
          title="To the end (End)"
          aria-label="To the end"
          onClick={() => act({ type: 'go', to: last })}
          disabled={position >= last}
        >
          ▶|
        </button>
      </div>
      <input
        type="range"
        min="0"
        max={last}
        value={position}
        aria-label="Step"
        aria-valuetext={`Step ${position + 1} of ${last + 1}: ${title}`}
        onInput={(event) => act({ type: 'go', to: Number(event.currentTarget.value) })}
      />
      <p class="standing">
        <span class="count">
          step {position + 1} of {last + 1}
        </span>
        <span class="clock">{duration(time)}</span>
        <output aria-live="polite">{title}</output>
      </p>
    </nav>
  );
}

function actionOf(event: KeyboardEvent, last: number, isPlaying: boolean): Action | undefined {
  if (event.altKey || event.ctrlKey || event.metaKey) return undefined;
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  if (target?.matches('input:not([type=checkbox]), select, textarea, [role=slider], [role=dialog] *'))
    return undefined;
  switch (event.key) {
    case 'ArrowRight':
      return { type: 'move', by: 1 };
    case 'ArrowLeft':
      return { type: 'move', by: -1 };
    case 'Home':
      return { type: 'go', to: 0 };
    case 'End':
      return { type: 'go', to: last };
    case ' ':
      // On a button the space bar presses it.
      return target?.matches('button, summary, input') ? undefined : { type: 'play', on: !isPlaying };
    default:
      return undefined;
  }
}
