import { describe, expect, it } from 'vitest';
import { isKnown, parseRecipients } from './recipients-file.js';

const parse = (text: string) => parseRecipients(new TextEncoder().encode(text));

describe('the file of --recipients', () => {
  const known = parse(
    '# who is there\n\nAnn@Example.org\r\n  bob@bücher.example\n@all.example.\n"a b"@example.org\n',
  );

  it.each([
    ['ann', 'example.org', true],
    ['ANN', 'example.org', true],
    ['bob', 'xn--bcher-kva.example', true],
    ['anybody', 'all.example', true],
    ['a b', 'example.org', true],
    ['eve', 'example.org', false],
    ['ann', 'example.net', false],
    ['anybody', 'sub.all.example', false],
  ])('%s at %s: %s', (localPart, domain, there) => {
    expect(isKnown(known, { localPart, domain }, domain)).toBe(there);
  });

  it.each([
    ['ann@example.org\nann', 'line 2'],
    ['ann@', 'line 1'],
    ['@', 'line 1'],
    ['ann@example.org eve@example.org', 'line 1'],
  ])('is not %j, and says which line', (text, named) => {
    expect(() => parse(text)).toThrow(named);
  });

  it('is UTF-8', () => {
    expect(() => parseRecipients(new Uint8Array([0xff]))).toThrow('UTF-8');
  });
});
