import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BindingFlag, decodeSaslName, encodeSaslName, formatGs2Header, parseGs2Header } from './gs2.js';

const NAME = fc.oneof(fc.string({ minLength: 1, unit: 'grapheme' }), fc.stringMatching(/^[a=,23CD]{1,9}$/));
const FLAG = fc.constantFrom<BindingFlag>('n', 'y', { type: 'tls-exporter' });

describe('names in a GS2 header', () => {
  it('come back from their encoding, which has no comma', () => {
    fc.assert(
      fc.property(NAME, (name) => {
        const encoded = encodeSaslName(name);
        expect(encoded).not.toContain(',');
        expect(decodeSaslName(encoded)).toBe(name);
      }),
    );
  });

  it.each(['=', 'a=', '=2c', '=3d', '=20', '==2C'])('refuses %j (RFC 5802 §5.1)', (name) => {
    expect(decodeSaslName(name)).toBeUndefined();
  });
});

describe('a GS2 header', () => {
  it('comes back from its text, with what follows it', () => {
    fc.assert(
      fc.property(FLAG, fc.option(NAME, { nil: undefined }), fc.string(), (flag, name, rest) => {
        const header = formatGs2Header(flag, name);
        const parsed = parseGs2Header(header + rest);
        expect(parsed).toEqual({ flag, authorizationIdentity: name, header, rest });
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['one comma', 'n,'],
    ['another flag', 'x,,'],
    ['a flag in upper case', 'N,,'],
    ['the flag of other mechanisms (RFC 5801 §4)', 'F,n,,'],
    ['a type that is empty', 'p=,,'],
    ['a name that is empty', 'n,a=,'],
    ['a name that is none', 'n,a=x=1,'],
    ['a name without a=', 'n,x,'],
    ['white space', ' n,,'],
  ])('is not %s', (_, message) => {
    expect(parseGs2Header(message)).toBeUndefined();
  });
});
