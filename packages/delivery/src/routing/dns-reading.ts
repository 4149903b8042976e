/**
 * What the answer of a DNS server says about one name and type. Pure.
 *
 * Two things only are statements: that there are records, and that there are none. The latter must come with NXDOMAIN,
 * or with NOERROR from a server that knows: one that is authoritative or recursive, and does not point elsewhere
 * (RFC 2308 §2.2). Anything else is no answer: mail waits.
 */
import type { Answer, DecodedPacket } from 'dns-packet';
import type { DnsQuestion } from './dns-exchange.js';

export type DnsReading =
  | { readonly kind: 'found'; readonly records: readonly Answer[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'noSuchDomain' }
  /** The name is an alias for this one, of which the answer says nothing. */
  | { readonly kind: 'alias'; readonly name: string }
  /** Another server may know more. */
  | { readonly kind: 'nothing'; readonly problem: string };

/** CNAME records that are followed for one look-up. */
export const MAXIMUM_ALIASES = 10;

const nothing = (problem: string): DnsReading => ({ kind: 'nothing', problem });

const canonical = (name: string): string => name.toLowerCase().replace(/\.$/, '');

export function readAnswer(packet: DecodedPacket, { name, type }: DnsQuestion): DnsReading {
  const rcode = Reflect.get(packet, 'rcode');
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return nothing(`the server answered ${rcode}`);
  const answers = packet.answers ?? [];
  let current = canonical(name);
  for (let aliases = 0; ; aliases++) {
    const own = answers.filter((answer) => canonical(answer.name) === current);
    const records = own.filter((answer) => answer.type === type);
    if (records.length > 0) return { kind: 'found', records };
    const alias = own.find((answer) => answer.type === 'CNAME');
    if (alias?.type !== 'CNAME') break;
    if (aliases === MAXIMUM_ALIASES) return nothing('too many CNAME records in a row, or in a circle');
    current = canonical(alias.data);
  }
  if (rcode === 'NXDOMAIN') return { kind: 'noSuchDomain' };

  const authorities = packet.authorities ?? [];
  if (authorities.some((record) => record.type === 'SOA')) return { kind: 'none' };
  if (current !== canonical(name)) return { kind: 'alias', name: current };
  if (answers.length > 0 && answers.every((answer) => canonical(answer.name) !== current)) {
    return nothing('the server answered for another name');
  }
  if (authorities.some((record) => record.type === 'NS')) {
    return nothing('the server refers to others instead of answering');
  }
  return packet.flag_aa || packet.flag_ra
    ? { kind: 'none' }
    : nothing('the server is neither authoritative nor recursive');
}
