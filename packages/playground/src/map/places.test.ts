import { describeChart, type StateDescription } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { type DrawnPlace, drawMap, NODE, WIDTH } from './geometry.js';
import { mapOf, placesByPath } from './places.js';

const leavesOf = (state: StateDescription): string[] =>
  state.states.length === 0 ? [state.path] : state.states.flatMap(leavesOf);

describe.each(['client', 'server'] as const)('the map of the %s', (end) => {
  const chart = describeChart(end);
  const map = mapOf(chart);
  const drawing = drawMap(map, end, 560);

  it('has a place for each state in which a session can stand', () => {
    const places = placesByPath(map.places);
    expect(leavesOf(chart.root).filter((path) => !places.has(path))).toEqual([]);
  });

  it('has no two states that lie upon each other, and none beside the drawing', () => {
    const overlaps = (a: DrawnPlace, b: DrawnPlace): boolean =>
      Math.abs(a.x - b.x) < NODE.width && Math.abs(a.y - b.y) < NODE.height;
    const { places, height } = drawing;
    const found = places.flatMap((a, index) => places.slice(index + 1).filter((b) => overlaps(a, b)));
    expect(found).toEqual([]);
    for (const { x, y } of places) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + NODE.width).toBeLessThanOrEqual(WIDTH);
      expect(y + NODE.height).toBeLessThanOrEqual(height);
    }
  });

  it('has each state within the frames of those that it stands in', () => {
    for (const { paths, x, y } of drawing.places) {
      for (const frame of drawing.frames.filter(({ path }) => paths[0]?.startsWith(`${path}.`))) {
        expect([x >= frame.x, x + NODE.width <= frame.x + frame.width]).toEqual([true, true]);
        expect([y >= frame.y, y + NODE.height <= frame.y + frame.height]).toEqual([true, true]);
      }
    }
  });

  it('has edges between its places, and none to the end', () => {
    const firsts = new Set(map.places.map(({ paths }) => paths[0]));
    expect(map.edges.every(({ from, to }) => firsts.has(from) && firsts.has(to))).toBe(true);
    expect(map.edges.some(({ to }) => to === 'closed')).toBe(false);
  });
});

describe('whose turn it is', () => {
  const turnOf = (end: 'client' | 'server', path: string) =>
    mapOf(describeChart(end)).places.find(({ paths }) => paths.includes(path))?.turn;

  it.each([
    ['server', 'session.ready', 'peer'],
    ['server', 'session.transaction.addressing', 'own'],
    ['server', 'session.securing', 'own'],
    ['server', 'session.transaction.receiving', 'peer'],
    ['client', 'session.ready', 'own'],
    ['client', 'session.transaction.addressing', 'peer'],
    ['client', 'session.transaction.sending', 'own'],
    ['client', 'closed', 'end'],
  ] as const)('at the %s in %s: %s', (end, path, turn) => {
    expect(turnOf(end, path)).toBe(turn);
  });
});
