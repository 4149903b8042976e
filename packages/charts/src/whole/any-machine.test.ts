import { describe as describeMachine } from '@sansmtp/core/chart';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { anyChart } from '../descriptions.test-support.js';
import { formOf } from '../form/chart.js';
import { renderOverview, renderSvg, wholeScene } from '../render.js';
import { faultsOf } from '../svg/geometry.test-support.js';
import type { Scene } from '../svg/scene.js';
import { layOut } from './layout.js';

const light = describeMachine(
  setup({
    actions: { show: (_, _params: { readonly colour: string }) => {} },
    guards: { nightTime: () => false },
  }).createMachine({
    id: 'light',
    initial: 'red',
    on: { clock: { guard: 'nightTime', target: '.off' } },
    states: {
      red: { entry: { type: 'show', params: { colour: 'red' } }, after: { 30000: 'green' } },
      green: { entry: { type: 'show', params: { colour: 'green' } }, after: { 25000: 'amber' } },
      amber: { entry: { type: 'show', params: { colour: 'amber' } }, after: { 3000: 'red' } },
      off: { on: { clock: 'red' } },
    },
  }),
);

function transitionsIn({ marks }: Scene): string[] {
  return marks.flatMap((mark) => (mark.kind === 'edge' || mark.kind === 'row' ? mark.transitions : []));
}

describe('a traffic light', () => {
  it('is drawn without a layout', () => {
    const scene = wholeScene(light);
    expect(faultsOf(scene)).toEqual([]);
    expect(new Set(transitionsIn(scene))).toEqual(
      new Set(formOf(light).arrows.map(({ transition }) => transition.id)),
    );
  });

  it('is drawn with one of elkjs', async () => {
    const layout = await layOut(light);
    const scene = wholeScene(light, layout);
    expect(faultsOf(scene)).toEqual([]);
    expect(new Set(transitionsIn(scene))).toEqual(
      new Set(formOf(light).arrows.map(({ transition }) => transition.id)),
    );
    expect(renderSvg(light, layout)).toMatch(/ id="edge-red--green"/);
  });

  it('has no overview: what matters most in it nobody has told', () => {
    expect(() => renderOverview(light)).toThrow(RangeError);
  });

  it('takes no layout of another chart', async () => {
    const layout = await layOut(light);
    expect(() =>
      renderSvg(
        {
          ...light,
          root: {
            ...light.root,
            states: light.root.states.map((state) => ({ ...state, path: `x${state.path}` })),
          },
        },
        layout,
      ),
    ).toThrow(RangeError);
  });
});

it('draws any chart without a layout, with every transition and no word on another', () => {
  fc.assert(
    fc.property(anyChart, (chart) => {
      const scene = wholeScene(chart);
      const drawn = new Set(transitionsIn(scene));
      expect(formOf(chart).arrows.filter(({ transition }) => !drawn.has(transition.id))).toEqual([]);
      expect(faultsOf(scene)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
