import { describe, expect, it } from 'vitest';
import { comparableDomain } from './comparable-domain.js';

describe('a domain as it is compared', () => {
  it.each([
    { text: 'example.org', is: 'example.org' },
    { text: 'EXAMPLE.Org', is: 'example.org' },
    { text: 'bücher.example', is: 'xn--bcher-kva.example' },
    { text: 'BÜCHER.example', is: 'xn--bcher-kva.example' },
    { text: 'XN--BCHER-KVA.example', is: 'xn--bcher-kva.example' },
    { text: '[IPv6:2001:DB8::1]', is: '[ipv6:2001:db8::1]' },
    { text: '[192.0.2.1]', is: '[192.0.2.1]' },
  ])('has one spelling: $text is $is', ({ text, is }) => {
    expect(comparableDomain(text)).toBe(is);
  });

  it.each(['', 'a b', '-a.example', '[192.0.2.300]', '[a', 'a..example', 'xn--a\u00fc.example'])(
    'is none where the text is no domain: %j',
    (text) => {
      expect(comparableDomain(text)).toBeUndefined();
    },
  );
});
