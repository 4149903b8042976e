import { describe, expect, it } from 'vitest';
import type { DaneOutcome, TlsaRecord } from './dane.js';
import type { StsOutcome } from './mta-sts.js';
import { type TlsRequirement, tlsRequirement } from './tls-requirement.js';

const records: readonly TlsaRecord[] = [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) }];

const authenticated: DaneOutcome = { kind: 'authenticated', records };
const encrypted: DaneOutcome = { kind: 'encrypted' };
const opportunistic: DaneOutcome = { kind: 'opportunistic' };
const unavailable: DaneOutcome = { kind: 'unavailable', problem: 'SERVFAIL' };

function policy(mode: 'enforce' | 'testing', mx: string): StsOutcome {
  return { kind: 'policy', policy: { mode, mx: [mx], maxAge: 1 } };
}
const none: StsOutcome = { kind: 'none' };
const enforced = policy('enforce', 'mx.example');
const elsewhere = policy('enforce', 'other.example');
const tested = policy('testing', '*.example');
const testedElsewhere = policy('testing', 'other.example');

const problem = 'The MTA-STS policy of the domain does not name mx.example as a mail exchanger';

describe('what TLS has to prove', () => {
  it.each<[string, DaneOutcome, StsOutcome, TlsRequirement]>([
    ['nothing without DANE and policy', opportunistic, none, { kind: 'opportunistic' }],
    ['a verified name under an enforced policy', opportunistic, enforced, { kind: 'verified' }],
    [
      'that no host does which an enforced policy leaves out',
      opportunistic,
      elsewhere,
      { kind: 'refused', problem },
    ],
    ['nothing under a tested policy, but it is reported', opportunistic, tested, { kind: 'reported' }],
    ['nothing for a host that it leaves out', opportunistic, testedElsewhere, { kind: 'reported', problem }],
    ['its own existence for unusable TLSA records', encrypted, none, { kind: 'encrypted' }],
    ['a verified name where those meet an enforced policy', encrypted, enforced, { kind: 'verified' }],
    ['its own existence where those meet a tested policy', encrypted, tested, { kind: 'encrypted' }],
    ['what TLSA records say', authenticated, none, { kind: 'dane', records }],
    [
      'what they say and no more under a policy (RFC 8461 §2)',
      authenticated,
      enforced,
      { kind: 'dane', records },
    ],
    [
      'what they say even for a host that the policy leaves out',
      authenticated,
      elsewhere,
      { kind: 'dane', records },
    ],
    ['that it may not be used when DANE fails', unavailable, none, { kind: 'refused', problem: 'SERVFAIL' }],
    [
      'the same whatever the policy (RFC 8461 §2)',
      unavailable,
      enforced,
      { kind: 'refused', problem: 'SERVFAIL' },
    ],
  ])('is %s', (_, dane, sts, requirement) => {
    expect(tlsRequirement('mx.example', dane, sts)).toEqual(requirement);
  });
});
