import { describe, expect, it } from 'vitest';
import { nextHopOf, routes } from './routes.js';

describe('--route', () => {
  it.each([
    { text: 'example.org=mx.example:25', domain: 'example.org', hop: ['smtp', 'mx.example', 25] },
    {
      text: 'Bücher.Example.=lmtp://127.0.0.1:24',
      domain: 'xn--bcher-kva.example',
      hop: ['lmtp', '127.0.0.1', 24],
    },
    { text: '*=[::1]:2525', domain: '*', hop: ['smtp', '::1', 2525] },
    { text: '[192.0.2.1]=h:1', domain: '[192.0.2.1]', hop: ['smtp', 'h', 1] },
  ])('$text', ({ text, domain, hop: [protocol, host, port] }) => {
    expect([...routes(text)]).toEqual([[domain, { protocol, host, port }]]);
  });

  it.each([
    ...['', '=h:25', 'example.org', 'example.org=', 'example.org=h', 'example.org=h:', 'example.org=h:0'],
    ...[
      'example.org=h:65536',
      'example.org=::1:25',
      'example.org=[h]:25',
      'example.org=smtp://h:25',
      'a b=h:25',
    ],
    ...['example.org=h:25 ', 'example.org=lmtp:h:24', '**=h:25', '*.org=h:25', 'example.org=h:25\n'],
  ])('is not %j', (text) => {
    expect(() => routes(text)).toThrow(/Give|from 1 to/);
  });

  it('names each domain once, however it is written', () => {
    expect(() => routes('EXAMPLE.org=b:25', routes('example.org=a:25'))).toThrow('has a route already');
  });

  it('for * is for every domain that has no other', () => {
    const all = routes('*=rest:25', routes('example.org=one:25'));
    expect([nextHopOf(all, 'example.org')?.host, nextHopOf(all, 'sub.example.org')?.host]).toEqual([
      'one',
      'rest',
    ]);
    expect(nextHopOf(routes('example.org=one:25'), 'example.net')).toBeUndefined();
  });
});
