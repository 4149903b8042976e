import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientNetwork } from './client-network.js';

describe('clientNetwork', () => {
  it.each([
    ['an IPv4 address', '192.0.2.1', '192.0.2.1'],
    ['an IPv4 address that is mapped', '::ffff:192.0.2.1', '192.0.2.1'],
    ['one that is mapped, in hexadecimal', '0:0:0:0:0:FFFF:c000:0201', '192.0.2.1'],
    ['an IPv6 address, by its /64', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['its neighbour', '2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['one with zeros in front', '2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['one with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['one with IPv4 at its end (RFC 6052)', '64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['what is no address, as it is', 'worker-7', 'worker-7'],
    ['what is nearly an address, as it is', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7'],
    ['two gaps, as it is', '1::2::3', '1::2::3'],
  ])('counts %s', (_, address, key) => {
    expect(clientNetwork({ address })).toBe(key);
  });

  it.each(['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
    'counts nothing for loopback: %s',
    (address) => expect(clientNetwork({ address })).toBeUndefined(),
  );

  it('counts nothing without an address, as on Unix sockets', () => {
    expect(clientNetwork({})).toBeUndefined();
  });

  it('is one for all addresses of a /64, and another for those of the next', () => {
    const host = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const write = (groups: number[]) => groups.map((group) => group.toString(16)).join(':');
    fc.assert(
      fc.property(host, host, (one, other) => {
        const key = clientNetwork({ address: `2001:db8:0:1:${write(one)}` });
        expect(clientNetwork({ address: `2001:db8:0:1:${write(other)}` })).toBe(key);
        expect(clientNetwork({ address: `2001:db8:0:2:${write(other)}` })).not.toBe(key);
      }),
    );
  });
});
