import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressLiteralEnd,
  afterFinalDot,
  domainEnd,
  isAddressLiteral,
  isDomain,
  isHostName,
} from './domain.js';

const label63 = 'a'.repeat(63);
/** 255 octets: three labels of 63, one of 61, a last one of one, and the dots. */
const domain255 = [label63, label63, label63, 'a'.repeat(61), 'b'].join('.');

describe('isDomain', () => {
  it.each([
    'localhost',
    'a',
    '1',
    'b.example',
    'B.Example',
    'a-b.c--d.e',
    '3com.com',
    '192.0.2.1',
    'xn--bcher-kva.ch',
    // No host name of RFC 952, but a name in DNS, and in use.
    'my_host.example',
    '_dmarc.example',
    'a_.b',
  ])('takes %s (RFC 5321 §4.1.2 Domain)', (text) => {
    expect(isDomain(text)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a.-b',
    'a-.b',
    '-',
    'a b',
    'a/b',
    'a@b',
    '[192.0.2.1]',
    'é.ch',
  ])('does not take %j (RFC 5321 §4.1.2 Domain)', (text) => {
    expect(isDomain(text)).toBe(false);
  });

  it('takes labels of 63 octets and no longer (RFC 1035 §2.3.4)', () => {
    expect(isDomain(`${label63}.example`)).toBe(true);
    expect(isDomain(`${label63}a.example`)).toBe(false);
  });

  it('takes 255 octets and no more (RFC 5321 §4.5.3.1.2)', () => {
    expect(domain255).toHaveLength(255);
    expect(isDomain(domain255)).toBe(true);
    expect(isDomain(`${domain255}b`)).toBe(false);
  });

  it('agrees with the grammar as RFC 5321 §4.1.2 writes it, the underscore being a letter, on any text', () => {
    const letDig = '[0-9A-Za-z_]';
    const subDomain = `${letDig}(?:[0-9A-Za-z_-]*${letDig})?`;
    const grammar = new RegExp(`^${subDomain}(?:\\.${subDomain})*$`);
    const text = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_'), maxLength: 12 });
    fc.assert(
      fc.property(text, (any) => {
        expect(isDomain(any)).toBe(grammar.test(any));
      }),
    );
  });
});

describe('domainEnd', () => {
  it('reads as far as a domain goes', () => {
    expect(domainEnd('<a@b.example>', 3, false)).toBe(12);
    expect(domainEnd('b.example SIZE=1', 0, false)).toBe(9);
  });

  it('leaves a final dot to be read by itself', () => {
    expect(domainEnd('b.example.>', 0, false)).toBe(9);
    expect(afterFinalDot('b.example.>', 9)).toBe(10);
    expect(afterFinalDot('b.example>', 9)).toBe(9);
    expect(domainEnd('b..c', 0, false)).toBe(1);
    expect(domainEnd('.', 0, false)).toBe(-1);
    expect(domainEnd('x.b', 1, false)).toBe(-1);
  });

  it('takes characters outside ASCII only when they are allowed (RFC 6531 §3.3)', () => {
    expect(domainEnd('bücher.example', 0, true)).toBe(14);
    expect(domainEnd('b\u00a0.example', 0, true)).toBe(10);
    expect(domainEnd('b\u009f.example', 0, true)).toBe(1); // RFC 5198 §2
    expect(domainEnd('bücher.example', 0, false)).toBe(1);
    expect(domainEnd('ü.example', 0, false)).toBe(-1);
  });
});

describe('isAddressLiteral', () => {
  it.each([
    '[192.0.2.1]',
    '[0.0.0.0]',
    '[255.255.255.255]',
    '[010.000.002.001]',
    '[IPv6:2001:db8::1]',
    '[ipv6:2001:DB8::1]',
    '[IPv6:1:2:3:4:5:6:7:8]',
    '[IPv6:::]',
    '[IPv6:::1]',
    '[IPv6:1::]',
    '[IPv6:1:2:3:4:5:6::]',
    '[IPv6:::1:2:3:4:5:6]',
    '[IPv6:1:2:3::4:5:6]',
    '[IPv6:1:2:3:4:5:6:192.0.2.1]',
    '[IPv6:::192.0.2.1]',
    '[IPv6:::ffff:192.0.2.1]',
    '[IPv6:1:2::3:4:192.0.2.1]',
    '[IPv6:1:2:3:4::192.0.2.1]',
    '[tag:content]',
    '[x-1:!"#$%&\'()*+,-./:;<=>?@^_`{|}~]',
    '[1:2]',
  ])('takes %s (RFC 5321 §4.1.3)', (text) => {
    expect(isAddressLiteral(text)).toBe(true);
  });

  it.each([
    '',
    '[]',
    '192.0.2.1',
    '[192.0.2.1',
    '192.0.2.1]',
    '[192.0.2.1] ',
    '[192.0.2]',
    '[192.0.2.1.1]',
    '[192.0.2.256]',
    '[192.0.2.0001]',
    '[192.0..1]',
    '[ 192.0.2.1]',
    '[2001:db8::1]x',
    '[IPv6:]',
    '[IPv6::]',
    '[IPv6:1]',
    '[IPv6:1:2:3:4:5:6:7]',
    '[IPv6:1:2:3:4:5:6:7:8:9]',
    '[IPv6:1:2:3:4:5:6:7:]',
    '[IPv6:::1::2]',
    '[IPv6:1:::2]',
    '[IPv6:::::]',
    '[IPv6:12345::]',
    '[IPv6:g::]',
    '[ipv6:g::]',
    '[IPv6:fe80::1%eth0]',
    '[IPv6:1:2:3:4:5:6:7:192.0.2.1]',
    '[IPv6:1:2:3:4:5:192.0.2.1]',
    '[IPv6:1:2:3::4:5:192.0.2.1]',
    '[IPv6:192.0.2.1::1]',
    '[IPv6:192.0.2.1]',
    '[IPv6:::192.0.2.256]',
    '[tag:]',
    '[:content]',
    '[tag-:content]',
    '[t_g:content]',
    '[tag:a b]',
    '[tag:a[b]',
    '[tag:a\\b]',
    '[tag:é]',
    '[content]',
  ])('does not take %j (RFC 5321 §4.1.3)', (text) => {
    expect(isAddressLiteral(text)).toBe(false);
  });

  it('has "::" stand for two groups at least, unlike RFC 4291 (RFC 5321 §4.1.3 IPv6-comp)', () => {
    expect(isAddressLiteral('[IPv6:1:2:3:4:5:6:7::]')).toBe(false);
    expect(isAddressLiteral('[IPv6:1:2:3:4:5::192.0.2.1]')).toBe(false);
  });

  it('takes an IPv6 address as the number of its groups says, for any split (RFC 5321 §4.1.3)', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const groups = fc.array(group, { maxLength: 8 });
    fc.assert(
      fc.property(groups, groups, fc.boolean(), fc.boolean(), (before, after, compressed, ipv4) => {
        const tail = ipv4 ? [...after, '192.0.2.1'] : after;
        const count = before.length + tail.length + (ipv4 ? 1 : 0);
        const text = compressed ? `${before.join(':')}::${tail.join(':')}` : [...before, ...tail].join(':');
        expect(isAddressLiteral(`[IPv6:${text}]`)).toBe(compressed ? count <= 6 : count === 8);
      }),
    );
  });

  it('takes no IPv6 address that is none elsewhere', () => {
    const text = fc.string({ unit: fc.constantFrom('1', 'f', ':', '::', '1.2.3.4'), maxLength: 12 });
    fc.assert(
      fc.property(text, (any) => {
        if (isAddressLiteral(`[IPv6:${any}]`)) expect(isIPv6(any)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes 255 octets and no more (RFC 5321 §4.5.3.1.2)', () => {
    expect(isAddressLiteral(`[tag:${'x'.repeat(249)}]`)).toBe(true);
    expect(isAddressLiteral(`[tag:${'x'.repeat(250)}]`)).toBe(false);
  });
});

describe('addressLiteralEnd', () => {
  it('reads up to the closing bracket, past what would end a path', () => {
    expect(addressLiteralEnd('<a@[tag:b>c]>', 3)).toBe(12);
  });

  it('reads nothing that does not start with a bracket', () => {
    expect(addressLiteralEnd('a[192.0.2.1]', 0)).toBe(-1);
  });
});

describe('the name of a host', () => {
  it('is a domain or an address literal, and nothing else (RFC 5321 §2.3.5, §4.1.3)', () => {
    expect(['mx.example', 'localhost', 'my_host', '[192.0.2.1]', '[IPv6:::1]'].every(isHostName)).toBe(true);
    expect(['', 'mx.example.', '192.0.2.1]', 'a b', 'a\r\nb'].some(isHostName)).toBe(false);
  });
});
