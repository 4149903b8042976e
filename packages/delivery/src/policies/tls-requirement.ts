/**
 * What a connection to one host must prove before mail goes over it: DANE and MTA-STS joined.
 *
 * DANE takes precedence: where it demands a certificate, a policy neither lifts that nor adds to it (RFC 8461 §2).
 */
import type { DaneOutcome, TlsaRecord } from './dane.js';
import type { StsOutcome } from './mta-sts.js';
import { isPolicyExchanger } from './sts-policy.js';

export type TlsRequirement =
  /** TLS where it is offered, with any certificate. */
  | { readonly kind: 'opportunistic' }
  /** TLS, with any certificate. */
  | { readonly kind: 'encrypted' }
  /** TLS with a certificate that `verifyDane` accepts. */
  | { readonly kind: 'dane'; readonly records: readonly TlsaRecord[] }
  /** TLS with a certificate for the host's name from an authority that is trusted (RFC 8461 §4.1, §4.2). */
  | { readonly kind: 'verified' }
  /**
   * As opportunistic; whether `verified` would have been met is to be reported (RFC 8461 §5). `problem`: it would
   * not, whatever the certificate.
   */
  | { readonly kind: 'reported'; readonly problem?: string }
  /** Not this host: mail is deferred if there is no other. */
  | { readonly kind: 'refused'; readonly problem: string };

/** @param host the exchanger's name */
export function tlsRequirement(host: string, dane: DaneOutcome, sts: StsOutcome): TlsRequirement {
  if (dane.kind === 'unavailable') return { kind: 'refused', problem: dane.problem };
  if (dane.kind === 'authenticated') return { kind: 'dane', records: dane.records };

  // DANE records that cannot be used authenticate nothing, so a policy that does is not overridden by them.
  const listed = sts.kind === 'policy' && isPolicyExchanger(sts.policy, host);
  const problem = `The MTA-STS policy of the domain does not name ${host} as a mail exchanger`;
  if (sts.kind === 'policy' && sts.policy.mode === 'enforce') {
    return listed ? { kind: 'verified' } : { kind: 'refused', problem };
  }
  if (dane.kind === 'encrypted' || sts.kind === 'none') return { kind: dane.kind };
  return listed ? { kind: 'reported' } : { kind: 'reported', problem };
}
