import { describeChart } from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChart, chart, effect, on, state } from '../descriptions.test-support.js';
import { renderMermaid } from './mermaid.js';
import { type Box, drawPicture } from './picture.js';

/** What Mermaid reads: a composite's title, first state, boxes with their lines, and edges. */
interface Composite {
  readonly title: string;
  initial: string | undefined;
  readonly boxes: (Composite | Leaf)[];
  readonly edges: { from: string; to: string; lines: string[] }[];
}

interface Leaf {
  readonly id: string;
  readonly lines: string[];
  final: boolean;
}

/** Reads the part of Mermaid's grammar that is written here; throws on anything else. */
function read(mermaid: string): Composite {
  const [last, ...lines] = mermaid.split('\n').reverse();
  expect(last).toBe('');
  const root: Composite = { title: '', initial: undefined, boxes: [], edges: [] };
  const open = [root];
  for (const line of lines.reverse().filter((text) => !/^(%%\{.*\}%%|stateDiagram-v2)$/.test(text))) {
    const inside = open.at(-1);
    const text = /^ *(.*)$/.exec(line)?.[1] ?? '';
    expect(line.length - text.length).toBe(2 * (text === '}' ? open.length - 1 : open.length));
    if (inside === undefined) throw new Error('a brace too many');
    const composite = /^state "([^"]*)" as \w+ \{$/.exec(text);
    const edge = /^(\w+|\[\*\]) --> (\w+|\[\*\])(?: : (.*))?$/.exec(text);
    const told = /^(\w+) : (.*)$/.exec(text);
    if (composite !== null) {
      const next: Composite = { title: unescaped(composite[1]), initial: undefined, boxes: [], edges: [] };
      inside.boxes.push(next);
      open.push(next);
    } else if (text === '}') {
      open.pop();
    } else if (edge !== null) {
      const [, from = '', to = '', label] = edge;
      const leaf = inside.boxes.find((box): box is Leaf => 'id' in box && box.id === from);
      if (from === '[*]') inside.initial = to;
      else if (to === '[*]' && leaf !== undefined) leaf.final = true;
      else inside.edges.push({ from, to, lines: label?.split('<br/>').map(unescaped) ?? [] });
    } else if (told !== null) {
      const [, id = '', words] = told;
      const leaf = inside.boxes.find((box): box is Leaf => 'id' in box && box.id === id);
      if (leaf !== undefined) leaf.lines.push(unescaped(words));
      else inside.boxes.push({ id, lines: [unescaped(words)], final: false });
    } else {
      throw new Error(`Mermaid would not read: ${line}`);
    }
  }
  expect(open).toEqual([root]);
  return root;
}

/** Fails on what Mermaid, Markdown or HTML would read as more than text. */
function unescaped(text = ''): string {
  expect(text.replaceAll(/#\d+;/g, '')).not.toMatch(/[:;#"'`<>{}()&*_~^$%+\\-]/);
  return text.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

/** What `read` should give for a box. */
function expected(box: Box, title = box.title): Composite {
  const id = (dotted: string) => dotted.replaceAll(/\W/g, '_');
  return {
    title,
    initial: box.initial && id(box.initial),
    boxes: box.boxes.map((inner) =>
      inner.boxes.length > 0
        ? expected(inner)
        : { id: id(inner.id), lines: [inner.title, ...inner.lines], final: inner.final },
    ),
    edges: box.edges.map(({ from, to, lines }) => ({ from: id(from), to: id(to), lines: [...lines] })),
  };
}

describe('a chart in Mermaid', () => {
  const door = chart([
    state('shut', {
      states: [
        state('shut.quiet', {
          transitions: [
            on('knock', { guard: 'patient', actions: [effect('say', { words: 'later; #1' })] }),
            on('knock', { target: 'shut.waking' }),
          ],
        }),
        state('shut.waking', {
          entry: [effect('ring')],
          transitions: [on('after patience', { target: 'open' })],
        }),
      ],
      transitions: [on('key.*', { target: 'open' })],
    }),
    state('open', { transitions: [on('fall', { target: 'gone', actions: [effect('bang')] })] }),
    state('gone', { kind: 'final' }),
  ]);

  it('tells in full what each state does', () => {
    expect(renderMermaid(door)).toBe(
      `%%{init: {"state": {"rankSpacing": 70}}}%%
stateDiagram-v2
  [*] --> chart_shut
  state "shut" as chart_shut {
    [*] --> chart_shut_quiet
    chart_shut_quiet : quiet
    chart_shut_quiet : knock [patient] / say later#59; #35;1
    chart_shut_waking : waking
    chart_shut_waking : entry / ring
    chart_shut_waking : after patience → open
    chart_shut_quiet --> chart_shut_waking : knock
  }
  chart_open : open
  chart_gone : gone
  chart_gone --> [*]
  chart_shut --> chart_open : key.#42;<br/>from inside
  chart_open --> chart_gone : fall / bang
`,
    );
  });

  it('gives in outline the shape alone', () => {
    expect(renderMermaid(door, { detail: 'outline' })).toBe(
      `stateDiagram-v2
  [*] --> chart_shut
  state "shut" as chart_shut {
    [*] --> chart_shut_quiet
    chart_shut_quiet : quiet
    chart_shut_waking : waking
    chart_shut_quiet --> chart_shut_waking : knock
  }
  chart_open : open
  chart_gone : gone
  chart_gone --> [*]
  chart_shut --> chart_open : key.#42;<br/>after patience
  chart_open --> chart_gone : fall
`,
    );
  });

  it('reads back as the picture, whatever events, guards and effects are named', () => {
    fc.assert(
      fc.property(anyChart, fc.constantFrom('full', 'outline'), (description, detail) => {
        const picture = drawPicture(description, detail);
        expect(read(renderMermaid(description, { detail }))).toEqual(expected(picture, ''));
      }),
    );
  });

  it.each(['server', 'client'] as const)('draws the chart of the %s', (end) => {
    const description = describeChart(end);
    for (const detail of ['full', 'outline'] as const) {
      const picture = read(renderMermaid(description, { detail }));
      expect(picture).toEqual(expected(drawPicture(description, detail), ''));
      expect(picture.edges.length).toBeGreaterThan(2);
    }
  });
});
