/** Why an end is where it is: the transitions that this step took, with the guards that were asked, true and false. */
import type { Reason, StateRung } from '@sansmtp/charts/trace';
import { eventWords, stateName } from '../recording/words.js';

export interface WhyProperties {
  readonly taken: readonly StateRung[];
  /** Why the server gave the replies of this step. */
  readonly reasons: readonly Reason[];
}

export function Why({ taken, reasons }: WhyProperties) {
  if (taken.length === 0) return <p class="empty">Nothing changed at this end.</p>;
  return (
    <>
      <ol class="why">
        {taken.map((rung) => (
          <Transition key={rung.seq} rung={rung} />
        ))}
      </ol>
      {reasons.map(({ sentence }) => (
        <p class="reason" key={sentence}>
          {sentence}.
        </p>
      ))}
    </>
  );
}

function Transition({ rung }: { readonly rung: StateRung }) {
  const { event, from, to, guards, effects, changes, description } = rung;
  return (
    <li>
      <p class="transition">
        <b>{event === 'opened' ? 'the session begins' : eventWords(event)}</b>{' '}
        {from === undefined ? (
          <>
            in <code>{stateName(to)}</code>
          </>
        ) : from === to ? (
          <>
            stays in <code title={to}>{stateName(to)}</code>
          </>
        ) : (
          <>
            <code title={from}>{stateName(from)}</code> → <code title={to}>{stateName(to)}</code>
          </>
        )}
      </p>
      <dl>
        {guards.length > 0 && (
          <>
            <dt>asked</dt>
            <dd class="guards">
              {guards.map(({ guard, passed }) => (
                <span key={guard} class={passed ? 'true' : 'false'}>
                  {guard} <span aria-hidden="true">{passed ? '✓' : '✗'}</span>
                  <span class="for-readers">{passed ? 'is true' : 'is false'}</span>
                </span>
              ))}
            </dd>
          </>
        )}
        {effects.length > 0 && (
          <>
            <dt>does</dt>
            <dd>{effects.join(', ')}</dd>
          </>
        )}
        {changes.length > 0 && (
          <>
            <dt>remembers</dt>
            <dd>
              {changes.map(({ name, before, after }) => (
                <span key={name} class="change">
                  {name}: {String(before)} → {String(after)}
                </span>
              ))}
            </dd>
          </>
        )}
        {description !== undefined && (
          <>
            <dt>rule</dt>
            <dd>{description}</dd>
          </>
        )}
      </dl>
    </li>
  );
}
