/** What `npm install sansmtp` brings: the bundle of `bundle.js`, the page, and the packages that the bundle imports. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const manifestOf = (path: string) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
const manifest = manifestOf(folder);
const built = readdirSync(join(folder, 'dist'));
const scripts = built.filter((name) => name.endsWith('.js'));
const read = (name: string) => readFileSync(join(folder, 'dist', name), 'utf8');

/** The packages that the bundle leaves to npm. */
function imported(): string[] {
  const specifiers = scripts.flatMap((name) =>
    [
      ...read(name).matchAll(
        /^(?:import|export)\b[^'"\n]*["']([^'"]+)["'];$|\b(?:import|createRequire\(import\.meta\.url\))\(["']([^'"]+)["']\)/gm,
      ),
    ].map(([, fixed, late]) => fixed ?? late ?? ''),
  );
  const packages = specifiers
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) => (/^(?:@[^/]+\/)?[^/]+/.exec(name) ?? [''])[0]);
  return [...new Set(packages)].sort();
}

it('depends on what the bundle imports, and on nothing else', () => {
  expect(imported()).toEqual(Object.keys(manifest.dependencies).sort());
});

it('asks for the versions that our packages are written for', () => {
  const packages = join(folder, '..');
  for (const name of readdirSync(packages)) {
    const { dependencies = {}, private: isPrivate } = manifestOf(join(packages, name));
    if (isPrivate) continue;
    for (const [dependency, version] of Object.entries(dependencies)) {
      expect([dependency, manifest.dependencies[dependency] ?? version]).toEqual([dependency, version]);
    }
  }
});

it('has the licences of what of others is in the bundle', () => {
  const licences = read('licences-of-bundled-packages.txt');
  const maps = built.filter((name) => name.endsWith('.js.map'));
  const sources = maps.flatMap((name) => JSON.parse(read(name)).sources as string[]);
  const bundled = sources.flatMap((source) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
  expect(new Set(bundled)).toContain('commander');
  for (const name of new Set(bundled)) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
});

it('is the bundle, its source maps and the page, without sources and tests', () => {
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: folder,
      encoding: 'utf8',
    }),
  ) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['bin/sansmtp.js', 'dist/main.js', 'dist/page/index.html', 'LICENSE']),
  );
  expect(paths).toContain('dist/licences-of-bundled-packages.txt');
  const known =
    /^(?:bin\/(?:sansmtp\.js|package\.json)|dist\/[\w-]+\.js(?:\.map)?|dist\/[\w-]+\.txt|dist\/page\/.*|LICENSE|README\.md|package\.json)$/;
  expect(paths.filter((path) => !known.test(path))).toEqual([]);
});

it('runs where nothing else is installed, as far as it needs nothing else', async () => {
  const place = await temporaryFolder();
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(folder, part), join(place, part), { recursive: true });
  }
  const said = spawnSync(process.execPath, ['bin/sansmtp.js', '--version'], { cwd: place, encoding: 'utf8' });
  expect(said.stdout).toBe(`${manifest.version}\n`);
});

it('names functions, files and lines of the sources in a stack trace', async () => {
  const place = await temporaryFolder();
  cpSync(join(folder, 'dist'), join(place, 'dist'), { recursive: true });
  writeFileSync(join(place, 'dist/package.json'), '{ "type": "module" }');
  // Where it would read its version there is no file.
  const failed = (...options: string[]) =>
    spawnSync(process.execPath, [...options, 'dist/main.js', '--version'], { cwd: place, encoding: 'utf8' })
      .stderr;
  expect(failed()).toMatch(/ENOENT[\s\S]* at version \(.*dist\/main\.js:\d+/);
  expect(failed('--enable-source-maps')).toMatch(/ENOENT[\s\S]* at version \(.*src\/program\.ts:\d+/);
});
