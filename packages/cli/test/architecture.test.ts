/** docs/architecture.md says which package imports which, and that no arrow leads upward; so does this. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const packages = readdirSync(join(top, 'packages'));

/** What each source file of a package imports of the others. */
function importsOf(name: string, { types }: { readonly types: boolean }): Map<string, string[]> {
  const source = join(top, 'packages', name, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.tsx?$/.test(file) && !/\.(?:test|test-support|d)\.ts$/.test(file),
  );
  return new Map(
    files.map((file) => {
      const whole = readFileSync(join(source, file), 'utf8');
      const text = types ? whole : whole.replace(/^(?:import|export) type [^;]*;/gm, '');
      const imports = [...text.matchAll(/(?:\bfrom|\bimport) ?\(?'(\.[^']+)\.js'/g)];
      // Imports name what a file becomes, whether or not it holds JSX.
      return [file.replace(/x$/, ''), imports.map(([, path = '']) => join(file, '..', `${path}.ts`))];
    }),
  );
}

const roomOf = (file: string): string => file.split(sep)[0] ?? '';

/** A folder is a room; files at the top stand in none. */
function roomsOf(files: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const rooms = new Map<string, string[]>();
  for (const [file, imports] of files) {
    if (!file.includes(sep)) continue;
    const others = imports.filter((other) => other.includes(sep)).map(roomOf);
    const known = rooms.get(roomOf(file)) ?? [];
    rooms.set(roomOf(file), [...known, ...others.filter((other) => other !== roomOf(file))]);
  }
  return rooms;
}

/** A file's path as its room sees it. Other rooms' files stand in none, its own on top of its rooms in one by themselves. */
function inside(room: string, file: string): string {
  if (roomOf(file) !== room) return 'elsewhere.ts';
  const rest = file.slice(room.length + 1);
  return rest.includes(sep) ? rest : join('(on top)', rest);
}

/** The first circle that is found, as a path; none: an empty one. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): readonly string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return [];
    done.add(node);
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...path, node]);
      if (circle.length > 0) return circle;
    }
    return [];
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

describe.each(packages)('the imports in packages/%s', (name) => {
  const files = importsOf(name, { types: true });

  it('are found', () => {
    expect(files.size).toBeGreaterThan(0);
  });

  it('form no circle of files when they run', () => {
    expect(circleIn(importsOf(name, { types: false }))).toEqual([]);
  });

  it('form no circle of rooms', () => {
    expect(circleIn(roomsOf(files))).toEqual([]);
  });
});

it.each(['core', 'transport', 'delivery'])(
  'the imports in packages/%s form no circle of files, types included',
  (name) => {
    expect(circleIn(importsOf(name, { types: true }))).toEqual([]);
  },
);

/** Rooms within a room. The files beside them stand on top of them: as one room, which no other imports from. */
describe.each([
  ['core', 'chart'],
  ['core', 'client'],
  ['core', 'extensions'],
  ['core', 'server'],
  ['queue', 'relay'],
  ['cli', 'relaying'],
])('the rooms in packages/%s/src/%s', (name, room) => {
  const within = new Map(
    [...importsOf(name, { types: true })]
      .filter(([file]) => roomOf(file) === room)
      .map(([file, imports]) => [inside(room, file), imports.map((other) => inside(room, other))]),
  );

  it('form no circle, and no arrow leads upward', () => {
    const rooms = roomsOf(within);
    expect(rooms.size).toBeGreaterThan(1);
    expect(circleIn(rooms)).toEqual([]);
  });
});

describe('the packages', () => {
  const document = readFileSync(join(top, 'docs/architecture.md'), 'utf8');
  const rows = [...document.matchAll(/^\| (\d) \| (.*?) \|/gm)];
  const floors = new Map(
    rows.flatMap(([, floor, names = '']) =>
      [...names.matchAll(/`([\w-]+)`/g)].map(([, name = '']): [string, number] => [name, Number(floor)]),
    ),
  );

  it.each(packages)('of which %s is one import from floors below only', (name) => {
    const manifest = JSON.parse(readFileSync(join(top, 'packages', name, 'package.json'), 'utf8'));
    if (manifest.private === true) return;
    const short = (full: string): string => full.replace(/^@sansmtp\//, '');
    const floor = floors.get(short(manifest.name));
    expect(floor, `the floor of ${manifest.name} in docs/architecture.md`).toBeDefined();
    const upward = Object.keys(manifest.dependencies ?? {}).filter(
      (other) => (floors.get(short(other)) ?? 0) >= (floor ?? 0),
    );
    expect(upward).toEqual([]);
  });
});
