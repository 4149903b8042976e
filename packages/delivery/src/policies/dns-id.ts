/** Names in certificates, as MTA-STS wants them (RFC 8461 §4.2). */
import { X509Certificate } from 'node:crypto';

/**
 * Whether a certificate has the host among the DNS-IDs of its subjectAltName (RFC 6125 §6.4). Its common name does not
 * count, which OpenSSL falls back to. "*" stands for one whole label, the first.
 */
export function hasDnsId(certificate: Uint8Array, host: string): boolean {
  const names = { subject: 'never', partialWildcards: false } as const;
  return new X509Certificate(certificate).checkHost(host, names) !== undefined;
}
