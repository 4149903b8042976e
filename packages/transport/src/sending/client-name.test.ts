import { describe, expect, it } from 'vitest';
import { clientName } from './client-name.js';

describe('the name of a client that has none', () => {
  it.each([
    ['192.0.2.7', '[192.0.2.7]'],
    ['2001:db8::7', '[IPv6:2001:db8::7]'],
    [undefined, 'localhost'],
  ])('at the address %s is %s (RFC 5321 §4.1.3, §4.1.4)', (address, name) => {
    expect(clientName(address === undefined ? {} : { address, port: 1 })).toBe(name);
  });
});
