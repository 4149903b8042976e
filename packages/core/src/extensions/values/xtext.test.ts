import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated } from '../parameters.test-support.js';
import { decodeXtext, encodeXtext } from './xtext.js';

const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    fc.constantFrom('é', '€', '😀', '\u0080', '\uffff'),
  ),
});

describe('xtext (RFC 3461 §4)', () => {
  it.each([
    ['', ''],
    ['abc!~<>*,', 'abc!~<>*,'],
    ['e=mc2@example.com', 'e+3Dmc2@example.com'],
    ['1+1', '1+2B1'],
    ['a b', 'a+20b'],
    ['é€😀', '+C3+A9+E2+82+AC+F0+9F+98+80'],
  ])('of %j is %j', (text, xtext) => {
    expect(encodeXtext(text)).toBe(xtext);
    expect(decodeXtext(xtext)).toBe(text);
  });

  it('may encode what could stand for itself', () => {
    expect(decodeXtext('+61+62c')).toBe('abc');
  });

  it.each([
    ['+3d+c3+A9', '=é'],
    ['a=b==', 'a=b=='],
    // Octets that are no UTF-8 are taken for Latin-1, so that nothing is lost.
    ['j+FCrgen', 'jürgen'],
    ['+C3', '\u00c3'],
    ['+ED+A0+80', 'í\u00a0\u0080'],
  ])('is read as stock software writes it: %s', (xtext, text) => {
    expect(decodeXtext(xtext)).toBe(text);
    expect(decodeXtext(encodeXtext(text))).toBe(text);
  });

  it.each([
    '+',
    '+4',
    '+4g',
    'a+zz',
    'a b',
    'a\tb',
    'é',
    '\u007f',
    '+00',
    '+09',
    '+0A',
    '+0d',
    '+1F',
    '+7F',
    'a+C3+0A',
  ])('is malformed: %j', (xtext) => {
    expect(decodeXtext(xtext)).toBeUndefined();
  });

  it('is a value of a parameter (RFC 5321 §4.1.2), and spells the text again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const xtext = encodeXtext(text);
        expect(xtext).toMatch(/^[!-<>-~]*$/);
        expect(decodeXtext(xtext)).toBe(text);
      }),
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(mutated(anyText.map(encodeXtext)), (xtext) => {
        const text = decodeXtext(xtext);
        if (text !== undefined) expect(decodeXtext(encodeXtext(text))).toBe(text);
      }),
    );
  });
});
