/** The documents as a whole: they name every public export, their links lead somewhere, and their examples are run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const packages = readdirSync(join(top, 'packages'));

const documents = [
  'README.md',
  ...readdirSync(join(top, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'docs/charts/README.md',
  ...packages.map((name) => `packages/${name}/README.md`).filter((path) => existsSync(join(top, path))),
].map((path) => ({ path, text: readFileSync(join(top, path), 'utf8') }));

/** The names that a module exports, those of what it passes on included. */
function exportsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const fileOf = (module: string) => join(dirname(file), module.replace(/\.js$/, '.ts'));
  return [
    ...[...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
      list
        .split(',')
        .map((each) => each.trim().replace(/^type |^.* as /g, ''))
        .filter((name) => name !== ''),
    ),
    ...[...text.matchAll(/^export (?:type )?\* from '(\.[^']+)'/gm)].flatMap(([, module = '']) =>
      exportsOf(fileOf(module)),
    ),
    ...[
      ...text.matchAll(
        /^export (?:declare |abstract |async )*(?:class|function\*?|const|let|interface|type|enum) (\w+)/gm,
      ),
    ].map(([, name = '']) => name),
  ];
}

interface PackageFile {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Each published package with the names that its entry points export. */
const published = packages.flatMap((folder) => {
  const path = join(top, 'packages', folder, 'package.json');
  if (!existsSync(path)) return [];
  const { name, private: isPrivate, exports } = JSON.parse(readFileSync(path, 'utf8')) as PackageFile;
  if (isPrivate || exports === undefined) return [];
  const sources = Object.values(exports).map((entry) => entry['@sansmtp/source'] ?? '');
  const names = sources.flatMap((source) => exportsOf(join(top, 'packages', folder, source)));
  return [{ name, names: new Set(names) }];
});

/** The words that stand in code, be it a span or a block. */
const inCode = new Set(
  documents.flatMap(({ text }) =>
    [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].flatMap(
      ([, block = '', span = '']) => `${block} ${span}`.match(/\w+/g) ?? [],
    ),
  ),
);

describe('public exports', () => {
  it.each(published)('of $name all stand in a document', ({ names }) => {
    expect(names.size).toBeGreaterThan(1);
    expect([...names].filter((name) => !inCode.has(name))).toEqual([]);
  });

  const reference = documents.find(({ path }) => path === 'docs/reference.md')?.text ?? '';
  const sections = reference
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ name: section.slice(0, section.indexOf('\n')), section }));

  it.each(sections)('that the reference lists for $name are there', ({ name, section }) => {
    const names = published.find((each) => each.name === name)?.names ?? new Set();
    const listed = [...section.matchAll(/^\| (`[^|]*)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, listedName = '']) => listedName),
    );
    expect(listed.length).toBeGreaterThan(1);
    expect(listed.filter((each) => !names.has(each))).toEqual([]);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links', () => {
  it.each(documents)('of $path lead to files and headings', ({ path, text }) => {
    const dead = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : join(dirname(path), file);
        if (!existsSync(join(top, target))) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(join(top, target), 'utf8')).includes(anchor);
      });
    expect(dead).toEqual([]);
  });
});

describe('examples', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const tests = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const examples = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/^<!-- example: (\w+) -->$/gm)].map(([, name = '']) => ({ path, name })),
  );

  it('are twelve programs and more', () => {
    expect(examples.length).toBeGreaterThan(12);
  });

  it.each(examples)('$name of $path is run by a test', ({ path, name }) => {
    expect(tests).toContain(path);
    expect(tests).toMatch(new RegExp(`(?:run|listen)\\w*\\('${name}'|example: ${name} `));
  });
});
