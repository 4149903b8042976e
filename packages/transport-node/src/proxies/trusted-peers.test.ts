import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trustedPeers } from './trusted-peers.js';

function trusts(list: readonly string[], address: string | undefined): boolean {
  return trustedPeers(list)(address === undefined ? {} : { address, port: 1024 });
}

/** An address as a number, to count its bits by. */
function numberOf(octets: Uint8Array): bigint {
  return octets.reduce((number, octet) => (number << 8n) | BigInt(octet), 0n);
}

function ipv6(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('hex')
    .replace(/....(?=.)/g, '$&:');
}

describe('trustedPeers', () => {
  it('trusts nobody with an empty list', () => {
    for (const address of ['127.0.0.1', '::1', undefined]) expect(trusts([], address)).toBe(false);
  });

  it('trusts the addresses on the list, and no other', () => {
    const list = ['192.0.2.1', '2001:DB8::1'];
    expect(trusts(list, '192.0.2.1')).toBe(true);
    expect(trusts(list, '192.0.2.2')).toBe(false);
    expect(trusts(list, '2001:db8::1')).toBe(true);
    expect(trusts(list, '2001:db8:0:0:0:0:0:1')).toBe(true);
    expect(trusts(list, '2001:db8::2')).toBe(false);
    expect(trusts(list, undefined)).toBe(false);
  });

  it.each([
    ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
    ['192.0.2.128/25', '192.0.2.128', '192.0.2.127'],
    ['192.0.2.1/32', '192.0.2.1', '192.0.2.0'],
    ['2001:db8::/32', '2001:db8:ffff::', '2001:db9::'],
    ['2001:db8::1/128', '2001:db8::1', '2001:db8::'],
    ['0.0.0.0/0', '255.255.255.255', '2001:db8::1'],
    ['::/0', '2001:db8::1', '192.0.2.1'],
    ['::ffff:192.0.2.0/120', '192.0.2.255', '192.0.3.0'],
    ['::ffff:0:0/96', '255.255.255.255', '2001:db8::1'],
    ['10.1.2.3/8', '10.0.0.0', '9.255.255.255'],
  ])('%s holds %s and not %s', (block, inside, outside) => {
    expect(trusts([block], inside)).toBe(true);
    expect(trusts([block], outside)).toBe(false);
  });

  it('knows IPv4 peers however they connected (RFC 4291 §2.5.5.2)', () => {
    for (const entry of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '192.0.2.0/24']) {
      for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:0201']) {
        expect(trusts([entry], address), `${entry}, ${address}`).toBe(true);
      }
    }
  });

  it('knows link-local peers without their zone', () => {
    expect(trusts(['fe80::/10'], 'fe80::1%eth0')).toBe(true);
  });

  it('trusts peers without an address only as unix', () => {
    expect(trusts(['unix'], undefined)).toBe(true);
    expect(trusts(['0.0.0.0/0', '::/0'], undefined)).toBe(false);
    expect(trusts(['unix'], '127.0.0.1')).toBe(false);
  });

  it('trusts no peer whose address is none', () => {
    for (const address of ['', 'unix', 'localhost', '127.0.0.1 ', '/run/socket']) {
      expect(trusts(['unix', '0.0.0.0/0', '::/0'], address)).toBe(false);
    }
  });

  it.each([
    '',
    ' ',
    'localhost',
    'UNIX',
    'unix/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '010.0.0.1',
    '10.0.0.1 ',
    '*',
    '2001:db8::/129',
    '[2001:db8::1]',
    'fe80::1%eth0',
    '::ffff:10.0.0.0/95',
  ])('refuses %j', (entry) => {
    expect(() => trustedPeers(['127.0.0.1', entry])).toThrow(RangeError);
    expect(() => trustedPeers([entry])).toThrow(JSON.stringify(entry));
  });

  it.each([
    ['IPv4', 4, (octets: Uint8Array) => octets.join('.')],
    ['IPv6', 16, ipv6],
  ])('counts the bits of any prefix (%s)', (_, length, format) => {
    const bits = length * 8;
    const octets = fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(octets, fc.nat(bits), fc.nat(bits - 1), (network, prefix, flipped) => {
        // One bit is another one: inside when that bit is behind the prefix.
        const peer = network.slice();
        const at = flipped >> 3;
        peer[at] = (peer[at] ?? 0) ^ (0x80 >> (flipped & 7));
        const shift = BigInt(bits - prefix);
        const inside = numberOf(network) >> shift === numberOf(peer) >> shift;
        expect(inside).toBe(flipped >= prefix);
        expect(trusts([`${format(network)}/${prefix}`], format(peer))).toBe(inside);
      }),
    );
  });
});
