import { describe, expect, it } from 'vitest';
import { certificate } from './certificate.test-support.js';
import { hasDnsId } from './dns-id.js';

describe('a DNS-ID for a host (RFC 8461 §4.2)', () => {
  it.each<[boolean, readonly string[], string]>([
    [true, ['mx.example'], 'mx.example'],
    [true, ['other.example', 'MX.example'], 'mx.example'],
    [true, ['*.mx.example'], 'a.mx.example'],
    [false, ['*.mx.example'], 'a.b.mx.example'],
    [false, ['m*.example'], 'mx.example'],
    [false, ['other.example'], 'mx.example'],
    // The common name, which is mx.example in each, does not count.
    [false, [], 'mx.example'],
  ])('is %s of %j: %s', (expected, dnsNames, host) => {
    expect(hasDnsId(certificate({ name: 'mx.example', dnsNames }).der, host)).toBe(expected);
  });
});
