import { describe, expect, it } from 'vitest';
import { comparableDomain, sameMailbox } from './comparable-domain.js';

describe('a domain as it is compared', () => {
  it.each([
    { text: 'example.org', is: 'example.org' },
    { text: 'EXAMPLE.Org', is: 'example.org' },
    { text: 'bücher.example', is: 'xn--bcher-kva.example' },
    { text: 'BÜCHER.example', is: 'xn--bcher-kva.example' },
    { text: 'XN--BCHER-KVA.example', is: 'xn--bcher-kva.example' },
    { text: 'example.org.', is: 'example.org' },
    { text: 'Bücher.example.', is: 'xn--bcher-kva.example' },
    { text: 'My_Host.example', is: 'my_host.example' },
    { text: '[IPv6:2001:DB8::1]', is: '[ipv6:2001:db8::1]' },
    { text: '[192.0.2.1]', is: '[192.0.2.1]' },
  ])('has one spelling: $text is $is', ({ text, is }) => {
    expect(comparableDomain(text)).toBe(is);
  });

  it.each([
    '',
    'a b',
    '-a.example',
    '[192.0.2.300]',
    '[a',
    'a..example',
    'a.example..',
    '.',
    'xn--a\u00fc.example',
  ])('is none where the text is no domain: %j', (text) => {
    expect(comparableDomain(text)).toBeUndefined();
  });
});

describe('the same mailbox', () => {
  const bob = { localPart: 'bob', domain: 'example.org' };

  it.each(['example.org', 'EXAMPLE.org', 'example.org.'])('is at %s as at example.org', (domain) => {
    expect(sameMailbox(bob, { localPart: 'bob', domain })).toBe(true);
  });

  it('is written in Unicode or in ASCII', () => {
    const mailbox = (domain: string) => ({ localPart: 'bob', domain });
    expect(sameMailbox(mailbox('bücher.example'), mailbox('XN--BCHER-KVA.example'))).toBe(true);
  });

  it('has the same local-part, octet by octet: its host alone may say otherwise (RFC 5321 §2.4)', () => {
    expect(sameMailbox(bob, { ...bob, localPart: 'Bob' })).toBe(false);
    expect(sameMailbox(bob, { ...bob, localPart: 'bob+list' })).toBe(false);
    expect(sameMailbox(bob, { ...bob, domain: 'example.net' })).toBe(false);
  });

  it('may be the postmaster, who has no case, with a domain or without (RFC 5321 §4.5.1)', () => {
    expect(
      sameMailbox({ localPart: 'Postmaster', domain: '' }, { localPart: 'postmaster', domain: '' }),
    ).toBe(true);
    expect(
      sameMailbox(
        { localPart: 'POSTMASTER', domain: 'b.example' },
        { localPart: 'postmaster', domain: 'B.example' },
      ),
    ).toBe(true);
    expect(
      sameMailbox({ localPart: 'postmaster', domain: '' }, { localPart: 'postmaster', domain: 'b.example' }),
    ).toBe(false);
  });
});
