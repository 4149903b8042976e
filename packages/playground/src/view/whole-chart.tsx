/** The drawings of `@sansmtp/charts`, at the size at which they were made: the overview, and one picture a phase. */

import { phases, renderOverview, renderPhase } from '@sansmtp/charts';
import type { StateRung } from '@sansmtp/charts/trace';
import type { ChartDescription } from '@sansmtp/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { End } from '../simulation/ends.js';

export interface WholeChartProperties {
  readonly end: End;
  readonly chart: ChartDescription;
  readonly active: string | undefined;
  readonly taken: readonly StateRung[];
}

type Picture = 'overview' | (typeof phases)[number];

export function WholeChart({ end, chart, active, taken }: WholeChartProperties) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [picture, setPicture] = useState<Picture>();
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setPicture('overview');
          dialog.current?.showModal();
        }}
      >
        Whole chart
      </button>
      <dialog
        ref={dialog}
        class="whole"
        aria-label={`The ${end}’s chart`}
        onClose={() => setPicture(undefined)}
      >
        <div class="whole-head">
          {(['overview', ...phases] as const).map((each) => (
            <button key={each} type="button" aria-pressed={each === picture} onClick={() => setPicture(each)}>
              {each}
            </button>
          ))}
          <button type="button" class="close" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
        {picture && <Drawing end={end} chart={chart} picture={picture} active={active} taken={taken} />}
      </dialog>
    </>
  );
}

/** The drawing brings a style sheet, which no policy of ours lets stand in the page: it is adopted. */
let style: CSSStyleSheet | undefined;

function Drawing({
  end,
  chart,
  picture,
  active,
  taken,
}: WholeChartProperties & { readonly picture: Picture }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    const options = { idPrefix: `${end}-`, active: active === undefined ? [] : [active] };
    const text =
      picture === 'overview' ? renderOverview(chart, options) : renderPhase(chart, picture, options);
    const [, sheet = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? [];
    if (style === undefined) {
      style = new CSSStyleSheet();
      style.replaceSync(sheet);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
    }
    const drawn = new DOMParser().parseFromString(
      text.replace(/<style>[\s\S]*?<\/style>/, ''),
      'image/svg+xml',
    );
    const ids = new Set(taken.map(({ transition }) => transition));
    for (const edge of drawn.querySelectorAll<SVGElement>('[data-transitions]')) {
      const transitions = edge.dataset.transitions?.split('\n') ?? [];
      if (transitions.some((id) => ids.has(id))) edge.classList.add('taken');
    }
    place.current?.replaceChildren(document.importNode(drawn.documentElement, true));
  }, [end, chart, picture, active, taken]);
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard as well
  return <section class="drawing" ref={place} tabIndex={0} aria-label={`The ${end}’s chart, ${picture}`} />;
}
