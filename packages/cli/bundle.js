/**
 * After the types are checked: puts the command and our packages together in `dist/`, so that it starts without resolving
 * hundreds of files. Each command is a file of its own there, with what only it needs; what is not ours stays a dependency,
 * unless BUNDLED names it.
 *
 * The code is not made smaller, and has source maps: a stack trace names functions as they are called in the sources, and
 * with `NODE_OPTIONS=--enable-source-maps` files and lines as well.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Of others, with all that these depend on: needed by each start. Their licences go into the file that LICENCES names. */
const BUNDLED = ['commander', 'pino', 'pino-pretty'];
const LICENCES = 'licences-of-bundled-packages.txt';

/** Of others: seldom needed, and slow to load. The first call of one of these functions loads the package. */
const LOADED_LATE = { tr46: ['toASCII', 'toUnicode'] };

await build({
  configFile: false,
  root: folder,
  logLevel: 'warn',
  ssr: {
    noExternal: [/^@sansmtp\//, ...withDependencies(BUNDLED)],
    resolve: { conditions: ['@sansmtp/source'] },
  },
  build: {
    ssr: join(folder, 'src/main.ts'),
    outDir: join(folder, 'dist'),
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      output: { entryFileNames: 'main.js', chunkFileNames: '[name]-[hash].js' },
    },
  },
  plugins: [
    {
      name: 'loaded late',
      enforce: 'pre',
      resolveId: {
        filter: { id: new RegExp(`^(?:${Object.keys(LOADED_LATE).join('|')})$`) },
        handler: (id) => `\0late:${id}`,
      },
      load(id) {
        if (!id.startsWith('\0late:')) return undefined;
        const name = id.slice('\0late:'.length);
        const functions = LOADED_LATE[name].map((each) => `${each}: (...given) => load().${each}(...given)`);
        return [
          "import { createRequire } from 'node:module';",
          `const load = () => createRequire(import.meta.url)('${name}');`,
          `export default { ${functions.join(', ')} };`,
        ].join('\n');
      },
    },
    {
      name: 'licences',
      generateBundle(_, output) {
        const modules = Object.values(output).flatMap((file) =>
          file.type === 'chunk' ? file.moduleIds : [],
        );
        const packages = new Set(
          modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []),
        );
        this.emitFile({ type: 'asset', fileName: LICENCES, source: licencesOf([...packages].sort()) });
      },
    },
  ],
});

/** @param {readonly string[]} names of packages: these, and what they depend on, however far */
function withDependencies(names) {
  const found = new Set(names);
  for (const name of found) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(folder, '../../node_modules', name, 'package.json'), 'utf8'),
    );
    for (const each of Object.keys(dependencies)) found.add(each);
  }
  return [...found];
}

/** @param {readonly string[]} packages their folders */
function licencesOf(packages) {
  const texts = packages.map((path) => {
    const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const licence = readdirSync(path).find((file) => /^licen[cs]e/i.test(file));
    if (licence === undefined) throw new Error(`${name} has no licence that could be shipped with its code`);
    return `${name} ${version}\n\n${readFileSync(join(path, licence), 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
