/** A scene in the making: stations with a place, edges that claim their transitions, words beside them. */
import type { StateDescription } from '@sansmtp/core/chart';
import type { Arrow, Form } from '../form/chart.js';
import { codesOf, sentenceOf, stateTitle } from '../form/words.js';
import { type Story, waitsForServer } from '../stories/story.js';
import {
  around,
  centre,
  client,
  edgeId,
  type LabelOptions,
  label,
  type Mark,
  muted,
  type Point,
  type Rect,
  type Run,
  refusal,
  runsWidth,
  type Shape,
  server,
  stateId,
  strong,
  type Weight,
} from '../svg/scene.js';
import { isRefusal } from './way.js';

/** A place for one state, or for several that are drawn as one. */
export interface Station {
  readonly id: string;
  readonly states: readonly StateDescription[];
  readonly shape: Shape;
  readonly width: number;
  readonly height: number;
}

export interface Placed extends Station {
  readonly rect: Rect;
  readonly x: number;
  readonly y: number;
}

export const DIAMOND = 28;
const NAME_SIZE = 14;
export const CAPTION_SIZE = 12;

export class Sketch {
  readonly marks: Mark[] = [];
  readonly #ids = new Set<string>();

  readonly form: Form;
  readonly story: Story;

  constructor(form: Form, story: Story) {
    this.form = form;
    this.story = story;
  }

  /** The station of a state: a diamond if it waits for the server and such are folded, else a pill with its name. */
  station(
    state: StateDescription,
    options: {
      readonly folded?: boolean;
      readonly twins?: readonly StateDescription[];
      readonly size?: number;
    } = {},
  ): Station {
    const folded = options.folded ?? (this.story.foldsQuestions && waitsForServer(this.story, state));
    const states = [state, ...(options.twins ?? [])];
    const id = stateId(state.path);
    if (folded)
      return {
        id,
        states,
        shape: 'diamond',
        width: options.size ?? DIAMOND,
        height: options.size ?? DIAMOND,
      };
    const width = Math.ceil(runsWidth([strong(state.key)], NAME_SIZE) + 28);
    return { id, states, shape: 'pill', width, height: 34 };
  }

  /** Puts a station down, with its name inside and its caption below, or beside it. */
  place(station: Station, x: number, y: number, lines: readonly (readonly Run[])[] = []): Placed {
    const { id, states, shape, width, height } = station;
    const rect = around({ x, y }, width, height);
    const [first] = states;
    this.marks.push({
      kind: 'node',
      id,
      shape,
      tone: first !== undefined && waitsForServer(this.story, first) ? 'server' : 'client',
      rect,
      states: states.map(({ path }) => path),
      title: states.map(stateTitle).join('\n'),
    });
    const words =
      lines.length > 0 || shape === 'diamond' || first === undefined ? lines : [[strong(first.key)]];
    const top = y - ((words.length - 1) * 18) / 2;
    words.forEach((runs, index) => {
      const size = index === 0 ? NAME_SIZE : CAPTION_SIZE;
      this.marks.push(label(id, runs, { x, y: top + index * 18 + size * 0.36 }, { size, anchor: 'middle' }));
    });
    return { ...station, rect, x, y };
  }

  words(owner: string, runs: readonly Run[], at: Point, options: LabelOptions = {}): void {
    if (runs.length > 0) this.marks.push(label(owner, runs, at, options));
  }

  /** An edge for all transitions from one station to another that do, or do not, turn the dialogue back. */
  edge(
    from: Station,
    to: Station,
    points: readonly Point[],
    { weight, arrow = true, also = [] }: { weight: Weight; arrow?: boolean; also?: readonly Arrow[] },
  ): string {
    return this.line(
      edgeId(from.states[0]?.path ?? from.id, to.states[0]?.path ?? to.id),
      [...this.arrowsBetween(from, to, weight === 'refusal'), ...also],
      points,
      { weight, arrow, ends: [from.id, to.id] },
    );
  }

  line(
    wanted: string,
    arrows: readonly Arrow[],
    points: readonly Point[],
    { weight, arrow, ends }: { weight: Weight; arrow: boolean; ends: readonly string[] },
  ): string {
    let id = wanted;
    for (let number = 2; this.#ids.has(id); number += 1) id = `${wanted}-${number}`;
    this.#ids.add(id);
    const taken = [...new Set(arrows)];
    this.marks.push({
      kind: 'edge',
      id,
      weight,
      points,
      arrow,
      transitions: taken.map(({ transition }) => transition.id),
      title: taken.map(sentenceOf).join('\n'),
      ends,
    });
    return id;
  }

  arrowsBetween(from: Station, to: Station, refusing: boolean): Arrow[] {
    const found = from.states.flatMap((state) =>
      this.form
        .arrowsFrom(state)
        .filter(({ target }) => target !== undefined && to.states.includes(target))
        .filter((arrow) => isRefusal(this.story, arrow) === refusing),
    );
    // What a composite does in all its states is told in a box, unless the states themselves say nothing.
    const own = found.filter(({ source }) => from.states.includes(source));
    return [...new Set(own.length > 0 ? own : found)];
  }

  /** What is said along an edge: at a server the command, then its reply; at a client the reply, then the command. */
  said(
    from: Station,
    to: Station,
    { refusing = false, word }: { refusing?: boolean; word?: string } = {},
  ): Run[] {
    const all = this.arrowsBetween(from, to, refusing);
    // The one without a guard, or the last, is the one that is told.
    const arrows = refusing ? all : all.slice(-1);
    const codes = [...new Set(arrows.flatMap(({ transition }) => codesOf(transition)))].filter(
      (code) => refusing || /^[23]/.test(code),
    );
    const tone = refusing ? refusal : server;
    const replies = codes.length === 0 ? [] : [tone(codes.join(' '))];
    const last = arrows.at(-1);
    const own = last?.transition.commands ?? [];
    const theirs = this.story.foldsQuestions ? own : (last?.target?.commands ?? []);
    const words = word === undefined ? theirs.slice(0, theirs.includes('.') ? 2 : 1) : [word];
    const commands = refusing && this.story.foldsQuestions ? [] : words.map(client);
    const spaced = commands.flatMap((run, index) => (index === 0 ? [run] : [muted(' '), run]));
    const [first, second] = this.story.foldsQuestions ? [spaced, replies] : [replies, spaced];
    return first.length > 0 && second.length > 0 ? [...first, muted(' '), ...second] : [...first, ...second];
  }

  caption(from: Station, to: Station): Run[] {
    const key = `${from.states[0]?.key} ${to.states[0]?.key}`;
    const text = this.story.edgeCaptions[key];
    return text === undefined ? [] : [muted(` ${text}`)];
  }
}

export const left = ({ rect }: Placed): Point => ({ x: rect.x, y: centre(rect).y });
export const right = ({ rect }: Placed): Point => ({ x: rect.x + rect.width, y: centre(rect).y });
