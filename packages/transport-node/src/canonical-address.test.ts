import { describe, expect, it } from 'vitest';
import { canonicalAddress } from './canonical-address.js';

describe('canonicalAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:c000:0201', '192.0.2.1'],
    ['::ffff:0:1', '0.0.0.1'],
    ['::ffff:1:2:3', '::ffff:1:2:3'],
    ['64:ff9b::c000:201', '64:ff9b::c000:201'],
    ['fe80::1%lo', 'fe80::1'],
    ['mail.example.com', 'mail.example.com'],
    ['', ''],
  ])('writes %j as %j', (address, canonical) => {
    expect(canonicalAddress(address)).toBe(canonical);
  });
});
