import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChart, chart, effect, on, state, withDescendants } from '../descriptions.test-support.js';
import { effectsOf } from '../form/wording.js';
import { type Box, drawPicture } from './picture.js';

function boxesIn(box: Box): Box[] {
  return [box, ...box.boxes.flatMap(boxesIn)];
}

/** Edges as text, to compare them at a glance: `a -> b: label`. */
function edgesOf(box: Box | undefined): string[] {
  return (box?.edges ?? []).map(({ from, to, lines }) => `${from} -> ${to}: ${lines.join('; ')}`);
}

function boxNamed(picture: Box, title: string): Box {
  const box = boxesIn(picture).find((candidate) => candidate.title === title);
  if (box === undefined) throw new Error(`no box is named ${title}`);
  return box;
}

const idOf = (path: string) => (path === '' ? 'chart' : `chart.${path}`);
const keyOf = (path: string) => idOf(path).slice(idOf(path).lastIndexOf('.') + 1);
const effectIn = (line: string) => /\/ (effect\d+)( → \w+)?$/.exec(line)?.[1];

describe('a picture', () => {
  it('has a box for each state, nested like the states, and enters the initial ones', () => {
    const states = [state('a'), state('b', { states: [state('b.c'), state('b.d')], initial: 'b.d' })];
    const picture = drawPicture(chart(states), 'full');
    expect(boxesIn(picture).map(({ id }) => id)).toEqual([
      'chart',
      'chart.a',
      'chart.b',
      'chart.b.c',
      'chart.b.d',
    ]);
    expect(picture.initial).toBe('chart.a');
    expect(boxNamed(picture, 'b').initial).toBe('chart.b.d');
  });

  it('draws all transitions from one state to another as one edge', () => {
    const transitions = [
      on('go', { target: 'b' }),
      on('stay', { target: 'a' }),
      on('run', { target: 'b', guard: 'fit', actions: [effect('sweat')] }),
    ];
    const picture = drawPicture(chart([state('a', { transitions }), state('b')]), 'full');
    expect(edgesOf(picture)).toEqual([
      'chart.a -> chart.b: go; run [fit] / sweat',
      'chart.a -> chart.a: stay',
    ]);
  });

  it('tells a transition without a target in its state', () => {
    const a = state('a', {
      entry: [effect('in')],
      exit: [effect('out')],
      transitions: [on('no', { guard: 'g' })],
    });
    const picture = drawPicture(chart([a]), 'full');
    expect(boxNamed(picture, 'a').lines).toEqual(['entry / in', 'exit / out', 'no [g]']);
    expect(edgesOf(picture)).toEqual([]);
  });

  it('draws a transition that leaves a composite from its border, and tells it inside', () => {
    const inner = state('a.b', { transitions: [on('go', { target: 'c', actions: [effect('e')] })] });
    const a = state('a', { states: [inner], transitions: [on('stop', { target: 'c' })] });
    const picture = drawPicture(chart([a, state('c')]), 'full');
    expect(edgesOf(picture)).toEqual(['chart.a -> chart.c: stop; from inside']);
    expect(boxNamed(picture, 'b').lines).toEqual(['go / e → c']);
  });

  it('draws a transition into a composite to its border, and names the state inside on the edge', () => {
    const b = state('b', { states: [state('b.c')] });
    const transitions = [on('go', { target: 'b.c' }), on('enter', { target: 'b' })];
    const picture = drawPicture(chart([state('a', { transitions }), b]), 'full');
    expect(edgesOf(picture)).toEqual(['chart.a -> chart.b: go → c; enter']);
    expect(boxNamed(picture, 'a').lines).toEqual([]);
  });

  it('gives a composite a box for what it does in each of its states', () => {
    const transitions = [on('no', { actions: [effect('refuse')] }), on('go', { target: 'a.c' })];
    const a = state('a', { states: [state('a.b'), state('a.c')], entry: [effect('in')], transitions });
    const picture = drawPicture(chart([a]), 'full');
    expect(boxNamed(picture, 'in every state of a').lines).toEqual(['a: entry / in', 'no / refuse']);
    expect(edgesOf(boxNamed(picture, 'a'))).toEqual(['chart.a.* -> chart.a.c: go']);
  });

  it('tells a transition to a composite around its state', () => {
    const inner = state('a.b', { transitions: [on('again', { target: 'a' })] });
    const a = state('a', { states: [inner], transitions: [on('anew', { target: 'a', reenter: true })] });
    const picture = drawPicture(chart([a]), 'full');
    expect(boxNamed(picture, 'b').lines).toEqual(['again → a']);
    expect(boxNamed(picture, 'in every state of a').lines).toEqual(['anew → a']);
    expect(boxesIn(picture).flatMap(edgesOf)).toEqual([]);
  });

  it('draws edges to a final state only from those beside it that have no other way out', () => {
    const end = on('end', { target: 'end' });
    const states = [
      state('busy', { transitions: [on('done', { target: 'last' }), end] }),
      state('around', { transitions: [end], states: [state('around.inner', { transitions: [end] })] }),
      state('last', { transitions: [end, on('wait')] }),
      state('end', { kind: 'final' }),
    ];
    const picture = drawPicture(chart(states), 'full');
    expect(edgesOf(picture)).toEqual(['chart.busy -> chart.last: done', 'chart.last -> chart.end: end']);
    for (const title of ['busy', 'in every state of around', 'inner']) {
      expect(boxNamed(picture, title).lines).toEqual(['end → end']);
    }
    expect(boxNamed(picture, 'end').final).toBe(true);
  });

  it('puts states that differ only in what they do on entry into one box', () => {
    const transitions = [on('done', { target: 'a' })];
    const b = state('b', { transitions, entry: [effect('ask', { about: 'b' })] });
    const c = state('c', { transitions, entry: [effect('ask', { about: 'c' })] });
    const a = state('a', { transitions: [on('ask.b', { target: 'b' }), on('ask.c', { target: 'c' })] });
    const picture = drawPicture(chart([a, b, c]), 'full');
    expect(boxNamed(picture, 'b, c').lines).toEqual(['b: entry / ask b', 'c: entry / ask c']);
    expect(edgesOf(picture)).toEqual([
      'chart.a -> chart.b: ask.b → b; ask.c → c',
      'chart.b -> chart.a: done',
    ]);
  });

  it('keeps states apart that lead elsewhere, or leave otherwise, or end', () => {
    const to = (target: string) => ({ transitions: [on('go', { target })] });
    const states = [
      state('a', to('a')),
      state('b', to('b')),
      state('c', { ...to('b'), exit: [effect('out')] }),
      state('d', { kind: 'final' }),
      state('e', { kind: 'final' }),
    ];
    expect(drawPicture(chart(states), 'full').boxes.map(({ title }) => title)).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
  });

  it('in outline keeps the edges and their triggers, those from inside too, and nothing else', () => {
    const e = { actions: [effect('e')], guard: 'g' };
    const inner = state('a.b', {
      entry: [effect('in')],
      transitions: [on('x.1', { target: 'c', ...e }), on('no')],
    });
    const a = state('a', {
      states: [inner],
      transitions: [on('x.2', { target: 'c' }), on('y', { target: 'c' })],
    });
    const picture = drawPicture(chart([a, state('c')]), 'outline');
    expect(edgesOf(picture)).toEqual(['chart.a -> chart.c: x.2|1; y']);
    expect(boxesIn(picture).flatMap(({ lines }) => lines)).toEqual([]);
    expect(boxesIn(picture).map(({ title }) => title)).toEqual(['chart', 'a', 'b', 'c']);
  });
});

describe('a picture of any chart', () => {
  it('shows every state by its name', () => {
    fc.assert(
      fc.property(anyChart, (description) => {
        const titles = boxesIn(drawPicture(description, 'full')).flatMap(({ title }) => title.split(', '));
        const shown = titles.filter((title) => !title.startsWith('in every state of '));
        const keys = withDescendants(description.root).map(({ key }) => key);
        expect(shown.sort()).toEqual(keys.sort());
      }),
    );
  });

  it('shows every transition once: in the box of its state, or on an edge that begins there', () => {
    fc.assert(
      fc.property(anyChart, (description) => {
        const told = boxesIn(drawPicture(description, 'full')).flatMap(({ id, lines, edges }) => [
          ...lines.map((line) => ({ from: id, to: '', line })),
          ...edges.flatMap(({ from, to, lines }) => lines.map((line) => ({ from, to, line }))),
        ]);
        for (const { path, transitions } of withDescendants(description.root)) {
          const box = idOf(path);
          for (const { guard, target, actions } of transitions) {
            const found = told.filter(({ line }) => effectsOf(actions) === effectIn(line));
            expect(found).toHaveLength(1);
            const { from = '', to = '', line = '' } = found[0] ?? {};
            expect([box, `${box}.*`]).toContain(from);
            if (guard !== undefined) expect(line).toContain(` [${guard}] / `);
            if (target !== undefined && to !== idOf(target)) {
              expect(line.endsWith(` → ${keyOf(target)}`)).toBe(true);
            }
          }
        }
      }),
    );
  });

  it('draws edges only between boxes of one composite, and one at most for each pair', () => {
    fc.assert(
      fc.property(anyChart, fc.constantFrom('full', 'outline'), (description, detail) => {
        for (const { boxes, edges } of boxesIn(drawPicture(description, detail))) {
          const ids = boxes.map(({ id }) => id);
          for (const { from, to } of edges) {
            expect(ids).toContain(from);
            expect(ids).toContain(to);
          }
          expect(new Set(edges.map(({ from, to }) => `${from} ${to}`)).size).toBe(edges.length);
        }
      }),
    );
  });
});
