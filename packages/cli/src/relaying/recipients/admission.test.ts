import { trustedPeers } from '@sansmtp/transport-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Admission, admit, relayPermission } from './admission.js';

const RULES = {
  local: new Set(['local.example', 'xn--bcher-kva.example']),
  isRouted: (domain: string) => domain === 'routed.example',
};

function admissionOf(localPart: string, domain: string, mayRelay: boolean): Admission['kind'] {
  return admit({ localPart, domain }, RULES, mayRelay).kind;
}

describe('a recipient', () => {
  // What strangers get, and what those who may relay get.
  it.each([
    ['Postmaster', '', 'local', 'local'],
    ['postmaster', 'local.example', 'local', 'local'],
    ['joe', 'local.example', 'local', 'local'],
    ['joe', 'LOCAL.Example', 'local', 'local'],
    ['joe', 'local.example.', 'local', 'local'],
    ['joe', 'BÜCHER.example', 'local', 'local'],
    ['joe', 'xn--BCHER-kva.example', 'local', 'local'],
    ['joe', 'Routed.Example', 'routed', 'routed'],
    ['joe', 'sub.local.example', 'refused', 'relayed'],
    ['joe', 'sub.routed.example', 'refused', 'relayed'],
    ['joe', 'example', 'refused', 'relayed'],
    ['joe', 'notlocal.example', 'refused', 'relayed'],
    ['joe', 'local.example.evil.example', 'refused', 'relayed'],
    ['joe%evil.example', 'local.example', 'local', 'local'],
    ['evil.example!joe', 'local.example', 'local', 'local'],
    ['joe@evil.example', 'local.example', 'local', 'local'],
    ['joe%evil.example', 'routed.example', 'refused', 'routed'],
    ['evil.example!joe', 'routed.example', 'refused', 'routed'],
    ['joe@evil.example', 'routed.example', 'refused', 'routed'],
    ['joe%local.example', 'evil.example', 'refused', 'relayed'],
    ['joe@local.example', 'evil.example', 'refused', 'relayed'],
    ['local.example!joe', 'evil.example', 'refused', 'relayed'],
    ['joe', '[127.0.0.1]', 'refused', 'refused'],
    ['joe', '[IPv6:::1]', 'refused', 'refused'],
    ['joe', 'xn--\u0000.example', 'refused', 'refused'],
  ] as const)('%s at %s: %s; from who may relay: %s', (localPart, domain, stranger, trusted) => {
    expect([admissionOf(localPart, domain, false), admissionOf(localPart, domain, true)]).toEqual([
      stranger,
      trusted,
    ]);
  });

  it('at an address literal that an option names is taken as that says', () => {
    const rules = { local: new Set(['[192.0.2.1]']), isRouted: () => false };
    expect(admit({ localPart: 'joe', domain: '[192.0.2.1]' }, rules, false).kind).toBe('local');
  });

  it('goes on from a stranger only if its domain is routed, and the next hop cannot read a way onward in it', () => {
    const word = fc.stringMatching(/^[a-z%!@."]{1,8}$/);
    const label = fc.constantFrom(
      'local',
      'routed',
      'example',
      'evil',
      'LOCAL',
      'Routed',
      '[127',
      '1]',
      'bücher',
      '',
    );
    const domain = fc.array(label, { maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(word, domain, (localPart, given) => {
        const { kind } = admit({ localPart, domain: given }, RULES, false);
        if (kind === 'relayed') return false;
        if (kind === 'routed') return /^routed\.example\.?$/i.test(given) && !/[%!@]/.test(localPart);
        if (kind === 'local') return given === '' || /^(?:local|bücher)\.example\.?$/i.test(given);
        return true;
      }),
      { numRuns: 1000 },
    );
  });

  it('is taken from who may relay whenever it is from a stranger, and to the same end', () => {
    const text = fc.stringMatching(/^[a-zA-Z.%!@[\]]{0,12}$/);
    fc.assert(
      fc.property(
        text,
        fc.oneof(text, fc.constantFrom('local.example', 'routed.example')),
        (localPart, domain) => {
          const stranger = admit({ localPart, domain }, RULES, false);
          if (stranger.kind !== 'refused')
            expect(admit({ localPart, domain }, RULES, true)).toEqual(stranger);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('who may relay', () => {
  const from = trustedPeers(['192.0.2.0/24', '127.0.0.1']);
  const nobody = () => false;

  it.each([
    { client: { peer: { address: '192.0.2.7' } }, may: true },
    { client: { peer: { address: '::ffff:192.0.2.7' } }, may: true },
    { client: { peer: { address: '198.51.100.1' } }, may: false },
    { client: { peer: { address: '198.51.100.1' }, identity: { username: 'ann' } }, may: true },
    { client: { peer: {} }, may: false },
    { client: { peer: {}, identity: { username: 'ann' } }, may: true },
  ])('$client: $may', ({ client, may }) => {
    expect(relayPermission(from, nobody)(client)).toBe(may);
  });

  it('are Unix peers only where unix is given, for they have no address', () => {
    expect(relayPermission(trustedPeers(['unix']), nobody)({ peer: {} })).toBe(true);
    expect(relayPermission(trustedPeers(['0.0.0.0/0', '::/0']), nobody)({ peer: {} })).toBe(false);
  });

  it('is never a peer that may send PROXY: its header said nothing of the client', () => {
    const proxies = trustedPeers(['127.0.0.0/8', 'unix']);
    const may = relayPermission(trustedPeers(['127.0.0.1', '192.0.2.0/24', 'unix']), proxies);
    expect([may({ peer: { address: '127.0.0.1' } }), may({ peer: {} })]).toEqual([false, false]);
    expect(may({ peer: { address: '192.0.2.1' } })).toBe(true);
  });
});
