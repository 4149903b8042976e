/**
 * Holds every regular expression of the packages to linear time: whoever sends us octets must not choose how long we
 * take. Reads the sources; what `recheck` cannot decide fails as well. `node .ci/expressions.mjs`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import { transformWithOxc } from 'vite';

process.env.RECHECK_BACKEND = 'pure'; // JavaScript: no Java, no program of its own
const { checkSync } = await import('recheck');

const PARAMETERS = { timeout: 60_000 };

/** Each regular expression literal of a program, and each `RegExp` that is made from anything else. */
function* expressionsIn(node) {
  if (Array.isArray(node)) {
    for (const each of node) yield* expressionsIn(each);
    return;
  }
  if (node === null || typeof node !== 'object' || typeof node.type !== 'string') return;
  if (node.type === 'Literal' && node.regex) yield { ...node.regex, line: node.loc.start.line };
  if (/^(?:New|Call)Expression$/.test(node.type) && makesExpression(node)) {
    yield { made: true, line: node.loc.start.line };
  }
  for (const child of Object.values(node)) yield* expressionsIn(child);
}

/** `RegExp` itself, wherever it is taken from, and the methods of texts that make one of what they are given. */
function makesExpression({ callee, arguments: [given] }) {
  const name = callee.name ?? callee.property?.name;
  if (name === 'RegExp') return true;
  const takesExpression = callee.type === 'MemberExpression' && /^(?:match|matchAll|search)$/.test(name);
  return takesExpression && (given?.type === 'TemplateLiteral' || typeof given?.value === 'string');
}

/** All of them. A page that is bundled reads nothing of others. */
function* sourceFiles() {
  for (const name of readdirSync('packages')) {
    const { scripts } = JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8'));
    if (!scripts.build.startsWith('tsc')) continue;
    const source = join('packages', name, 'src');
    for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ts') && !/\.(?:test|test-support|d)\.ts$/.test(file)) yield join(source, file);
    }
  }
}

let count = 0;
let found = 0;
for (const file of sourceFiles()) {
  const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file);
  const program = parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    locations: true,
  });
  for (const { pattern, flags, made, line } of expressionsIn(program)) {
    count += 1;
    const result = made ? { status: 'made' } : checkSync(pattern, flags, PARAMETERS);
    if (result.status === 'safe') continue;
    found += 1;
    const why =
      result.status === 'vulnerable'
        ? `takes ${result.complexity.summary} time, for example on ${result.attack.pattern}`
        : result.status === 'made'
          ? 'is made at run time, so that it cannot be checked'
          : `could not be decided: ${result.error?.kind}`;
    console.error(`${file}, about line ${line}: ${made ? 'a RegExp' : `/${pattern}/${flags}`} ${why}`);
  }
}
console.log(`${count} regular expressions, ${found} that may take more than linear time`);
if (count === 0 || found > 0) process.exitCode = 1;
