import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { resolveServerOptions } from './options.js';

const source = await readFile(new URL('options.ts', import.meta.url), 'utf8');

/** The `@default`s of an interface that are values, and not words. */
function documentedDefaults(interfaceName: string): ReadonlyMap<string, unknown> {
  const begin = source.indexOf(`export interface ${interfaceName} {`);
  const body = source.slice(begin, source.indexOf('\n}', begin));
  const found = body.matchAll(
    /@default (true|false|'\w+'|[\d_]+|\{[^}]*\})\n? *(?:\* )?\*\/\n\s+readonly (\w+)/g,
  );
  return new Map(
    [...found].map(([, value = '', name = '']) => [
      name,
      JSON.parse(
        value
          .replace(/(?<=\d)_/g, '')
          .replace(/'/g, '"')
          .replace(/(\w+):/g, '"$1":'),
      ),
    ]),
  );
}

it('has the defaults that it documents', () => {
  const documented = documentedDefaults('ServerSessionOptions');
  expect(documented.size).toBeGreaterThan(12);
  const { observe, ...defaults } = resolveServerOptions({});
  expect({ ...defaults, observe: observe.size > 0 }).toMatchObject(Object.fromEntries(documented));
  const authentication = documentedDefaults('ServerAuthenticationOptions');
  expect(authentication.size).toBe(4);
  expect(resolveServerOptions({ authentication: {} })).toMatchObject({
    authentication: Object.fromEntries(authentication),
  });
});
