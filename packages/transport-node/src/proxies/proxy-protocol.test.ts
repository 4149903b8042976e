import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_BLOCK, IPV6_BLOCK, SIGNATURE, tlv, version2 } from '../proxy-header.test-support.js';
import { parseProxyHeader } from './proxy-protocol.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** The header's fields and how many octets it took, or the verdict itself. */
function parse(octets: Uint8Array, maximumOctets?: number): unknown {
  const verdict = parseProxyHeader(octets, maximumOctets);
  return verdict.type === 'header' ? { ...verdict.header, consumed: verdict.consumed } : verdict;
}

const MALFORMED = { type: 'malformed', reason: expect.stringMatching(/^[a-z].*[^.]$/) };

function addressV6(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail ?? '').length;
  const all = [
    ...groups(head),
    ...(tail === undefined ? [] : Array(missing).fill('0')),
    ...groups(tail ?? ''),
  ];
  return Buffer.from(all.map((group: string) => group.padStart(4, '0')).join(''), 'hex');
}

function addressOctets(address: string): Buffer {
  return address.includes(':') ? addressV6(address) : Buffer.from(address.split('.').map(Number));
}

/** Every form that a valid header takes, by name. */
const valid: Record<string, Buffer> = {
  'the example of section 2.1': latin1('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'),
  'the longest line of TCP4': latin1('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'),
  'the longest line of TCP6': latin1(
    `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
  ),
  'UNKNOWN, short': latin1('PROXY UNKNOWN\r\n'),
  'UNKNOWN, the longest line': latin1(
    `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
  ),
  'TCP over IPv4': version2(0x21, 0x11, IPV4_BLOCK),
  'TCP over IPv6': version2(0x21, 0x21, IPV6_BLOCK),
  'a UNIX stream': version2(0x21, 0x31, Buffer.alloc(216, '/run/socket\0')),
  UNSPEC: version2(0x21, 0x00),
  LOCAL: version2(0x20, 0x00),
  'LOCAL with an address': version2(0x20, 0x11, IPV4_BLOCK),
  'with vectors': version2(0x21, 0x11, IPV4_BLOCK, tlv(2, 'mail.example.com'), tlv(4, 'pad')),
};
const validHeader = fc.constantFrom(...Object.values(valid));

describe('version 1 (section 2.1)', () => {
  it('reads the example of the specification, and nothing behind the CRLF', () => {
    const octets = latin1('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n');
    expect(parse(octets)).toEqual({
      version: 1,
      command: 'proxy',
      family: 'tcp4',
      source: { address: '192.168.0.1', port: 56324 },
      destination: { address: '192.168.0.11', port: 443 },
      tlvs: [],
      consumed: 47,
    });
  });

  it('reads the longest lines of TCP4 (56 octets) and TCP6 (104)', () => {
    expect(parse(valid['the longest line of TCP4'] ?? latin1(''))).toMatchObject({
      source: { address: '255.255.255.255', port: 65535 },
      consumed: 56,
    });
    expect(parse(valid['the longest line of TCP6'] ?? latin1(''))).toMatchObject({
      family: 'tcp6',
      source: { address: `${'ffff:'.repeat(7)}ffff`, port: 65535 },
      consumed: 104,
    });
  });

  it('ignores what stands behind UNKNOWN, up to 107 octets in all', () => {
    const unknown = { version: 1, command: 'proxy', family: 'unknown' };
    expect(parse(latin1('PROXY UNKNOWN\r\n'))).toEqual({ ...unknown, consumed: 15 });
    expect(parse(latin1('PROXY UNKNOWN \0\xff  nothing\r\n'))).toEqual({ ...unknown, consumed: 27 });
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}`;
    expect(parse(latin1(`${longest}\r\n`))).toEqual({ ...unknown, consumed: 107 });
    expect(parse(latin1(`${longest}x\r\n`))).toEqual(MALFORMED);
  });

  it('waits for no more than 107 octets', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(100)}`;
    expect(parse(latin1(line.slice(0, 105)))).toEqual({ type: 'more' });
    expect(parse(latin1(`${line.slice(0, 105)}\r`))).toEqual({ type: 'more' });
    expect(parse(latin1(line.slice(0, 106)))).toEqual(MALFORMED);
  });

  it('gives one spelling of an IPv6 address', () => {
    for (const address of ['2001:DB8::1', '2001:db8:0:0:0:0:0:1', '2001:0db8::0:1']) {
      expect(parse(latin1(`PROXY TCP6 ${address} :: 1 0\r\n`))).toMatchObject({
        source: { address: '2001:db8::1', port: 1 },
        destination: { address: '::', port: 0 },
      });
    }
  });

  it('gives an IPv4-mapped address as the IPv4 address', () => {
    expect(parse(latin1('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 1 2\r\n'))).toMatchObject({
      source: { address: '192.0.2.1' },
      destination: { address: '192.0.2.2' },
    });
  });

  it.each([
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rE',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2\n1 2\r\n',
    'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n',
    'PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2\r\n',
    'PROXY TCP4 192.0.2.1\r\n',
    'PROXY TCP4\r\n',
    'PROXY \r\n',
    'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY unknown\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2.3 1 2\r\n',
    'PROXY TCP4 0xc0.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 localhost 192.0.2.2 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n',
    'PROXY TCP6 1::2::3 :: 1 2\r\n',
    'PROXY TCP6 1:2:3:4:5:6:7 :: 1 2\r\n',
    'PROXY TCP6 1:2:3:4:5:6:7:8:9 :: 1 2\r\n',
    'PROXY TCP6 12345:: :: 1 2\r\n',
    'PROXY TCP6 [::1] :: 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 00 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1e3 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n',
    'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'EHLO client.example.com\r\n',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ' ',
    '\n',
  ])('refuses %j', (text) => {
    expect(parse(latin1(text))).toEqual(MALFORMED);
  });

  it('takes ports from 0 to 65535', () => {
    expect(parse(latin1('PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\n'))).toMatchObject({
      source: { port: 0 },
      destination: { port: 65535 },
    });
  });
});

describe('version 2 (section 2.2)', () => {
  const common = { version: 2, command: 'proxy' };

  it('reads TCP over IPv4', () => {
    expect(parse(Buffer.concat([version2(0x21, 0x11, IPV4_BLOCK), latin1('EHLO x\r\n')]))).toEqual({
      ...common,
      family: 'tcp4',
      source: { address: '192.0.2.1', port: 56324 },
      destination: { address: '198.51.100.2', port: 25 },
      tlvs: [],
      consumed: 28,
    });
  });

  it('reads TCP over IPv6', () => {
    expect(parse(version2(0x21, 0x21, IPV6_BLOCK))).toEqual({
      ...common,
      family: 'tcp6',
      source: { address: '2001:db8::1', port: 56324 },
      destination: { address: '2001:db8::2', port: 25 },
      tlvs: [],
      consumed: 52,
    });
  });

  it('gives an IPv4-mapped address as the IPv4 address', () => {
    const mapped = Buffer.from('00000000000000000000ffffc0000201', 'hex');
    expect(parse(version2(0x21, 0x21, mapped, mapped, Buffer.of(0, 1, 0, 2)))).toMatchObject({
      family: 'tcp6',
      source: { address: '192.0.2.1', port: 1 },
    });
  });

  it('reads the paths of Unix sockets: in the file system, abstract, none, and the longest', () => {
    const block = (source: string, destination: string) => {
      const octets = Buffer.alloc(216);
      octets.write(source, 0, 'latin1');
      octets.write(destination, 108, 'latin1');
      return octets;
    };
    expect(parse(version2(0x21, 0x31, block('/run/client', '\0abstract')))).toEqual({
      ...common,
      family: 'unix',
      source: { path: '/run/client' },
      destination: { path: '\0abstract' },
      tlvs: [],
      consumed: 232,
    });
    expect(parse(version2(0x21, 0x31, block('', 'x'.repeat(108))))).toMatchObject({
      source: { path: '' },
      destination: { path: 'x'.repeat(108) },
    });
  });

  it('ignores the whole block with LOCAL, whatever it says', () => {
    const local = { version: 2, command: 'local', family: 'unknown' };
    expect(parse(version2(0x20, 0x00))).toEqual({ ...local, consumed: 16 });
    expect(parse(version2(0x20, 0x11, IPV4_BLOCK))).toEqual({ ...local, consumed: 28 });
    expect(parse(version2(0x20, 0x12, latin1('?')))).toEqual({ ...local, consumed: 17 });
    expect(parse(version2(0x20, 0xff, latin1('?')))).toEqual({ ...local, consumed: 17 });
  });

  it('names nobody where the family or the protocol is not specified', () => {
    for (const familyAndProtocol of [0x00, 0x01, 0x10, 0x20, 0x30]) {
      expect(parse(version2(0x21, familyAndProtocol, latin1('anything')))).toEqual({
        ...common,
        family: 'unknown',
        consumed: 24,
      });
    }
  });

  it('gives the vectors in order, without padding', () => {
    const ssl = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), tlv(0x21, 'TLSv1.3'), tlv(0x23, '')]);
    const parts = [
      tlv(1, 'smtp'),
      tlv(4, 'padding'),
      tlv(2, 'mail.example.com'),
      tlv(0x20, ssl),
      tlv(0xe0, ''),
    ];
    expect(parse(version2(0x21, 0x11, IPV4_BLOCK, ...parts))).toMatchObject({
      tlvs: [
        { type: 1, value: new Uint8Array(latin1('smtp')) },
        { type: 2, value: new Uint8Array(latin1('mail.example.com')) },
        { type: 0x20, value: new Uint8Array(ssl) },
        { type: 0xe0, value: new Uint8Array(0) },
      ],
    });
  });

  it('verifies the checksum (section 2.2.3)', () => {
    // CRC-32C of this very header with zeros in the checksum's place, computed by another program.
    const header = version2(0x21, 0x11, IPV4_BLOCK, tlv(4, 'x'), tlv(3, Buffer.from('82f035f5', 'hex')));
    expect(parse(header)).toMatchObject({ family: 'tcp4' });
    const typeOfChecksum = header.length - 7;
    for (let at = 16; at < header.length; at++) {
      if (at === typeOfChecksum) continue;
      const damaged = Buffer.from(header);
      damaged[at] = (header[at] ?? 0) ^ 1;
      expect(parse(damaged)).toEqual(MALFORMED);
    }
    expect(parse(version2(0x21, 0x11, IPV4_BLOCK, tlv(3, 'abc')))).toEqual(MALFORMED);
  });

  it.each<[string, Buffer]>([
    ['version 1', version2(0x11, 0x11, IPV4_BLOCK)],
    ['version 3', version2(0x31, 0x11, IPV4_BLOCK)],
    ['command 2', version2(0x22, 0x11, IPV4_BLOCK)],
    ['family 4', version2(0x21, 0x41, IPV4_BLOCK)],
    ['protocol 3', version2(0x21, 0x13, IPV4_BLOCK)],
    ['UDP over IPv4', version2(0x21, 0x12, IPV4_BLOCK)],
    ['UDP over IPv6', version2(0x21, 0x22, IPV6_BLOCK)],
    ['a Unix datagram', version2(0x21, 0x32, Buffer.alloc(216))],
    ['a block too short for IPv4', version2(0x21, 0x11, IPV4_BLOCK.subarray(1))],
    ['a block too short for IPv6', version2(0x21, 0x21, IPV6_BLOCK.subarray(1))],
    ['a block too short for Unix', version2(0x21, 0x31, Buffer.alloc(215))],
    ['no block', version2(0x21, 0x11)],
    ['half a vector', version2(0x21, 0x11, IPV4_BLOCK, Buffer.of(1, 0))],
    ['a vector that is too long', version2(0x21, 0x11, IPV4_BLOCK, Buffer.of(1, 0, 2, 0))],
    ['a short PP2_TYPE_SSL', version2(0x21, 0x11, IPV4_BLOCK, tlv(0x20, 'abcd'))],
    ['half a vector in PP2_TYPE_SSL', version2(0x21, 0x11, IPV4_BLOCK, tlv(0x20, 'abcdefg'))],
    ['another signature', latin1('\r\n\r\n\0\r\nQUIT\r')],
    ['an empty line', latin1('\r\nEHLO')],
  ])('refuses %s', (_, octets) => {
    expect(parse(octets)).toEqual(MALFORMED);
  });

  it('takes 536 octets by default, and not one more', () => {
    const longest = version2(0x21, 0x11, IPV4_BLOCK, tlv(4, Buffer.alloc(505)));
    expect(longest).toHaveLength(536);
    expect(parse(longest)).toMatchObject({ consumed: 536 });
    const tooLong = version2(0x21, 0x11, IPV4_BLOCK, tlv(4, Buffer.alloc(506)));
    expect(parse(tooLong)).toEqual({ type: 'malformed', reason: expect.stringContaining('537 octets') });
    expect(parse(tooLong, 537)).toMatchObject({ consumed: 537 });
  });

  it('refuses what would be too long as soon as its length is there, with LOCAL too', () => {
    for (const command of [0x20, 0x21]) {
      const start = Buffer.concat([SIGNATURE, Buffer.of(command, 0x11, 0xff, 0xff)]);
      expect(parse(start.subarray(0, 15))).toEqual({ type: 'more' });
      expect(parse(start)).toEqual(MALFORMED);
    }
  });
});

describe('any header', () => {
  it('gives its verdict at its last octet, and keeps it whatever follows', () => {
    fc.assert(
      fc.property(validHeader, fc.uint8Array({ maxLength: 20 }), (header, behind) => {
        for (let length = 0; length < header.length; length++) {
          expect(parse(header.subarray(0, length))).toEqual({ type: 'more' });
        }
        expect(parse(header)).toMatchObject({ consumed: header.length });
        expect(parse(Buffer.concat([header, behind]))).toEqual(parse(header));
      }),
    );
  });

  /** Headers with some octets replaced, taken out or put in; and octets that never were one. */
  const damaged = fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map((octets) => Buffer.from(octets)) },
    {
      weight: 9,
      arbitrary: fc
        .tuple(
          validHeader,
          fc.array(
            fc.tuple(
              fc.nat(250),
              fc.nat(2),
              fc.oneof(fc.nat(255), fc.constantFrom(...latin1('0129afF.: \r\n'))),
            ),
            { minLength: 1, maxLength: 4 },
          ),
        )
        .map(([header, damages]) => {
          const octets = [...header];
          for (const [at, removed, octet] of damages) octets.splice(at % octets.length, removed, octet);
          return Buffer.from(octets);
        }),
    },
  );

  it('never gives an address that is not the one on the wire, however it is damaged', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(damaged, (octets) => {
        const verdict = parseProxyHeader(octets);
        seen.add(verdict.type);
        if (verdict.type !== 'header' || !verdict.header.family.startsWith('tcp')) return;
        const { header, consumed } = verdict;
        if (header.family === 'unknown' || header.family === 'unix') return;
        const { source, destination } = header;
        if (header.version === 1) {
          const [, , from = '', to = '', ...ports] = octets.toString('latin1', 0, consumed - 2).split(' ');
          expect(ports).toEqual([String(source.port), String(destination.port)]);
          expect(addressOctets(from)).toEqual(addressOctets(source.address));
          expect(addressOctets(to)).toEqual(addressOctets(destination.address));
        } else {
          const size = header.family === 'tcp4' ? 4 : 16;
          const block = octets.subarray(16);
          expect(addressOctets(source.address)).toEqual(block.subarray(0, size));
          expect(addressOctets(destination.address)).toEqual(block.subarray(size, 2 * size));
          expect(block.readUInt16BE(2 * size)).toBe(source.port);
          expect(block.readUInt16BE(2 * size + 2)).toBe(destination.port);
        }
      }),
      { numRuns: 3000 },
    );
    expect([...seen].sort()).toEqual(['header', 'malformed', 'more']);
  });

  it('judges the same octets alike, however many of them have come: a verdict is final', () => {
    fc.assert(
      fc.property(damaged, (octets) => {
        let decided: unknown;
        for (let length = 0; length <= octets.length; length++) {
          const verdict = parseProxyHeader(octets.subarray(0, length));
          if (decided === undefined && verdict.type !== 'more') decided = verdict;
          if (decided !== undefined) expect(verdict).toEqual(decided);
        }
        if (octets.length >= 536) expect(decided).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
