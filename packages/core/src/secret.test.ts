import { format, inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.js';

const HIDDEN = 'hunter2';
/** Its octets, as a dump of them would show them. */
const DUMPED = '104';

const secret = new Secret(HIDDEN);

describe('a secret', () => {
  it('is had by asking for it', () => {
    expect(secret.revealText()).toBe(HIDDEN);
    expect(new Secret(Uint8Array.of(1, 255)).reveal()).toEqual(Uint8Array.of(1, 255));
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(new Secret(text).revealText()).toBe(text);
      }),
    );
  });

  it('is no text where its octets are not UTF-8, and the error does not show them', () => {
    const reveal = () => new Secret(Uint8Array.of(104, 0xff)).revealText();
    expect(reveal).toThrow(RangeError);
    expect(reveal).not.toThrow(/104|255|68|ff/);
  });

  const nested = { a: { b: { c: { d: [secret] } } } };
  it.each<[string, () => string]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => `x${[secret].join()}`],
    ['JSON', () => JSON.stringify(nested)],
    ['its keys', () => JSON.stringify([Reflect.ownKeys(secret), Object.entries(secret), { ...secret }])],
    ['util.inspect', () => inspect(secret)],
    [
      'util.inspect of all there is',
      () => inspect(nested, { showHidden: true, depth: Infinity, getters: true }),
    ],
    [
      'util.inspect without its stand-in',
      () => inspect(secret, { customInspect: false, showHidden: true, depth: 9 }),
    ],
    [
      'util.inspect through a proxy',
      () => inspect(new Proxy(secret, {}), { showProxy: true, showHidden: true }),
    ],
    ['an error message', () => new Error(`No entry for ${secret}`).message],
    ['an error cause', () => inspect(new Error('No entry', { cause: secret }), { depth: Infinity })],
    ['an error with properties', () => inspect(Object.assign(new Error('No entry'), { secret }))],
    ['console.log', () => format(secret, nested)],
    [
      'the formats of console.log',
      () => format('%s %o %O %j %d %i', secret, secret, secret, secret, secret, secret),
    ],
    ['a structured clone', () => inspect(structuredClone(nested), { depth: Infinity, showHidden: true })],
  ])('does not show in %s', (_, show) => {
    const shown = show();
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).not.toContain(HIDDEN);
    expect(shown).not.toContain(DUMPED);
  });

  it('says that it is one where it stands in for itself', () => {
    for (const shown of [`${secret}`, inspect(secret), JSON.parse(JSON.stringify(secret))]) {
      expect(shown).toBe('[secret]');
    }
  });
});
