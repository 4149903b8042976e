/**
 * The core is ECMAScript and nothing else. What the type checker enforces on the sources is shown here of the built
 * package: bundled with what it imports, it runs in a realm whose globals are ECMAScript's own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import * as core from '../src/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The globals of ECMAScript 2023 (ECMA-262 §19). */
const ECMASCRIPT = new Set([
  ...['globalThis', 'Infinity', 'NaN', 'undefined'],
  ...['eval', 'isFinite', 'isNaN', 'parseFloat', 'parseInt'],
  ...['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'unescape'],
  ...['Object', 'Function', 'Boolean', 'Symbol', 'Number', 'BigInt', 'Math', 'String', 'RegExp', 'JSON'],
  ...[
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
  ],
  ...[
    'Array',
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'WeakRef',
    'FinalizationRegistry',
    'Promise',
    'Proxy',
    'Reflect',
  ],
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'],
  ...['Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
]);

/** The built package and all that it imports, as one script that leaves its exports in `core`. */
async function bundle(): Promise<string> {
  const entry = join(root, 'dist/index.js');
  if (!existsSync(entry)) throw new Error('The package is not built: run `npm run build` first');
  const outputs = await build({
    configFile: false,
    logLevel: 'silent',
    root,
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'core' } },
  });
  const [output] = outputs as Rolldown.RolldownOutput[];
  const [chunk] = output?.output ?? [];
  if (chunk?.type !== 'chunk') throw new Error('The bundler gave no script');
  return chunk.code;
}

/** A realm from which all but the globals of ECMAScript has been taken out, with the script run in it. */
function loadBare(script: string): typeof core {
  const realm = createContext({});
  const names = runInContext('Object.getOwnPropertyNames(globalThis)', realm) as string[];
  for (const name of names) {
    if (!ECMASCRIPT.has(name)) runInContext(`delete globalThis[${JSON.stringify(name)}]`, realm);
  }
  const left = runInContext('Object.getOwnPropertyNames(globalThis)', realm) as string[];
  expect(left.filter((name) => !ECMASCRIPT.has(name))).toEqual([]);
  return runInContext(`${script}; core`, realm) as typeof core;
}

const octetsOf = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A whole session from the greeting to its end, as the lines of an observer. */
function serve({ ServerSession }: typeof core): string[] {
  const observed: string[] = [];
  const session = new ServerSession({ hostname: 's.example', now: 0, observe: true });
  const drain = (now: number) => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'write' || output.type === 'mailData') {
        observed.push(`${output.type} ${Buffer.from(output.bytes).toString('latin1')}`);
      } else observed.push(JSON.stringify(output));
      if (output.type !== 'ask') continue;
      const decision = output.question.kind === 'expand' ? 'reject' : 'accept';
      session.handle({ type: 'answer', decision, now });
    }
  };
  const dialogue = [
    'EHLO c.example\r\nNOOP\r\nFOO\r\nVRFY x\r\nEXPN y\r\nHELP\r\n',
    'MAIL FROM:<a@c.example> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<"b c"@s.example>\r\nRCPT TO:<\xe9@s.example>\r\nDATA\r\n',
    `Subject: x\r\n\r\n..\r\n${'\xc3\xa9 '.repeat(100)}\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nx\ny\r\n`,
    'QUIT\r\n',
  ];
  drain(0);
  dialogue.forEach((text, index) => {
    session.handle({ type: 'bytes', bytes: octetsOf(text), now: index });
    drain(index);
  });
  session.handle({ type: 'timeout', now: session.nextDeadline() ?? 0 });
  drain(10_000);
  observed.push(session.state);
  return observed;
}

/** A whole session of the client, from the greeting to its end, as the lines of an observer. */
function deliver({ ClientSession }: typeof core): string[] {
  const observed: string[] = [];
  const session = new ClientSession({ hostname: 'c.example', now: 0, observe: true });
  const hear = (...lines: string[]) =>
    session.handle({ type: 'bytes', bytes: octetsOf(lines.map((line) => `${line}\r\n`).join('')), now: 0 });
  const drain = () => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'write') observed.push(`write ${Buffer.from(output.bytes).toString('latin1')}`);
      // `JSON.stringify` would show the keywords, a map, as nothing.
      else if (output.type === 'event' && output.event.type === 'ready')
        observed.push(`ready ${[...output.event.offer.keywords].join(' ')}`);
      else observed.push(JSON.stringify(output));
    }
  };
  const mailbox = (localPart: string) => ({ localPart, domain: 's.example' });
  const steps = [
    () => hear('220 s.example ESMTP'),
    () => hear('250-s.example', '250-PIPELINING', '250-8BITMIME', '250 SIZE 1000'),
    () =>
      session.handle({
        type: 'send',
        envelope: {
          reversePath: mailbox('a'),
          parameters: { size: 20, body: '8BITMIME' },
          recipients: [mailbox('b c'), mailbox('d')],
        },
        now: 1,
      }),
    () => hear('250 2.1.0 OK', '250 2.1.5 OK', '550-5.1.1 No', '550 5.1.1 such user', '354 Go on'),
    () => session.handle({ type: 'mailData', bytes: octetsOf('Subject: x\n\n..\n\xc3\xa9'), now: 2 }),
    () => session.handle({ type: 'endOfMailData', now: 3 }),
    () => hear('250 2.0.0 OK'),
    () =>
      session.handle({ type: 'send', envelope: { reversePath: null, recipients: [mailbox('e')] }, now: 4 }),
    () => hear('250 OK', '452 Later', '554 No valid recipients'),
    () => hear('250 OK'),
    () => hear('\xff'),
    () => session.handle({ type: 'timeout', now: session.nextDeadline() ?? 10_000 }),
  ];
  drain();
  for (const step of steps) {
    step();
    drain();
  }
  observed.push(session.state);
  return observed;
}

describe('the built package', () => {
  let script: Promise<string>;
  beforeAll(() => {
    script = bundle();
  });

  it.each([
    ['server', serve],
    ['client', deliver],
  ])(
    'runs a %s session as here where there is ECMAScript and nothing else',
    async (_, run) => {
      const bare = loadBare(await script);
      const expected = run(core);
      expect(expected.at(-1)).toBe('closed');
      expect(expected.filter((line) => line.startsWith('write '))).not.toHaveLength(0);
      expect(run(bare)).toEqual(expected);
    },
    30_000,
  );

  it('exports there what it exports here', async () => {
    expect(Object.keys(loadBare(await script)).sort()).toEqual(Object.keys(core).sort());
  }, 30_000);
});

/** The text of a file of declarations and of all those that it leads to, by path. */
function declarationsFrom(path: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(path)) return found;
  const text = readFileSync(path, 'utf8');
  found.set(path, text);
  for (const [, specifier = ''] of text.matchAll(/(?:\bfrom |\bimport\(|^import )["'](\.[^"']+)\.js["']/gm)) {
    declarationsFrom(join(dirname(path), `${specifier}.d.ts`), found);
  }
  return found;
}

describe('the package', () => {
  it('is declared without the types of xstate, which would be compiled with whatever imports it', () => {
    const declarations = declarationsFrom(join(root, 'dist/index.d.ts'));
    expect(declarations.size).toBeGreaterThan(30);
    const leading = [...declarations].filter(([, text]) => /["']xstate["']/.test(text));
    expect(leading.map(([path]) => relative(root, path))).toEqual([]);
  });

  it('depends on xstate alone', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(['xstate']);
    expect(Object.keys(manifest).filter((key) => /dependencies$/i.test(key))).toEqual(['dependencies']);
  });

  it('imports nothing but its own files and xstate', () => {
    const source = join(root, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !/\.test(-support)?\.ts$/.test(file),
    );
    expect(files).toContain('index.ts');
    const strangers = files.flatMap((file) => {
      const path = join(source, file);
      const imports = readFileSync(path, 'utf8').matchAll(/(?:\bfrom|\bimport\(|^import)\s*'([^']+)'/gm);
      return [...imports]
        .map(([, specifier = '']) => specifier)
        .filter((specifier) => {
          if (specifier === 'xstate') return false;
          const inside = !relative(source, join(dirname(path), specifier)).startsWith('..');
          return !(/^\.\.?\/.*\.js$/.test(specifier) && inside);
        })
        .map((specifier) => `${file} imports ${specifier}`);
    });
    expect(strangers).toEqual([]);
  });
});
