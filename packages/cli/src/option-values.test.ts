import { describe, expect, it } from 'vitest';
import { dnsServer } from './dns-server.js';
import { host } from './option-values.js';

describe('a host', () => {
  it.each([
    { text: 'mx.example', is: 'mx.example' },
    { text: 'my_host', is: 'my_host' },
    { text: '192.0.2.1', is: '192.0.2.1' },
    { text: '2001:db8::1', is: '2001:db8::1' },
    // As a listener is told, and as it stands in a URL (RFC 3986 §3.2.2).
    { text: '[2001:db8::1]', is: '2001:db8::1' },
    { text: '[fe80::1%lo]', is: 'fe80::1%lo' },
  ])('may be $text', ({ text, is }) => {
    expect(host(text)).toBe(is);
  });

  it.each(['', ' ', 'mx example', '[]', '[mx.example]', '[192.0.2.1]', '[::1', '[::1]:25'])(
    'is not %j',
    (text) => {
      expect(() => host(text)).toThrow('Give a host name or an IP address');
    },
  );
});

describe('a DNS server', () => {
  it.each(['192.0.2.1', '192.0.2.1:53', '::1', '[::1]', '[::1]:5353'])('may be %s', (text) => {
    expect(dnsServer(text)).toBe(text);
  });

  it.each(['', 'dns.example', '192.0.2.1:', '192.0.2.1:0', '[::1]:', '[::1]:65536', '[::1'])(
    'is not %j',
    (text) => {
      expect(() => dnsServer(text)).toThrow(/^Give /);
    },
  );
});
