/**
 * DANE for SMTP (RFC 7672, RFC 6698): a domain's TLSA records say which certificates its mail exchangers have,
 * and DNSSEC proves that they do.
 *
 * It fails closed: what DNSSEC should prove and does not, because a look-up fails or a certificate does not match,
 * ends the use of that host, with a reason. Only a proof that there are no records, or that the zone is not signed,
 * leaves TLS opportunistic.
 *
 * Not looked at: CNAME records of an exchanger, after which a second set of TLSA records may be (RFC 7672 §2.2.2);
 * path length, name constraints and key usage of the authorities below a DANE-TA record. Node does not tell them, and
 * the domain has chosen the authority itself: what that lets another issue is between the two.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { checkAnswer } from '../routing/checked-answer.js';
import type { DnsAnswer } from '../routing/mail-resolver.js';
import type { Attempt } from '../routing/routing.js';

/** A TLSA record (RFC 6698 §2.1). */
export interface TlsaRecord {
  /** 2: DANE-TA, an authority that issued the certificate. 3: DANE-EE, the certificate itself. */
  readonly usage: number;
  /** 0: the whole certificate. 1: its public key (SubjectPublicKeyInfo). */
  readonly selector: number;
  /** 0: as it is. 1: its SHA-256. 2: its SHA-512. */
  readonly matchingType: number;
  readonly data: Uint8Array;
}

/** A resolver that validates DNSSEC: its answers are `secure` when they are proven. Bogus ones are `temporary`. */
export interface TlsaResolver {
  resolveTlsa(name: string, signal?: AbortSignal): Promise<DnsAnswer<TlsaRecord>>;
}

export type DaneOutcome =
  /** No TLSA records that are proven: TLS where it is offered. */
  | { readonly kind: 'opportunistic' }
  /** There are records, none of which can be used: TLS, with any certificate (RFC 7672 §2.2). */
  | { readonly kind: 'encrypted' }
  /** TLS with a certificate that one of the records matches. */
  | { readonly kind: 'authenticated'; readonly records: readonly TlsaRecord[] }
  /** The host must not be used now (RFC 7672 §2.1.2); mail for it is deferred. */
  | { readonly kind: 'unavailable'; readonly problem: string };

const DANE_TA = 2;
const DANE_EE = 3;

const DIGESTS: Readonly<Record<number, { readonly name: string; readonly octets: number }>> = {
  1: { name: 'sha256', octets: 32 },
  2: { name: 'sha512', octets: 64 },
};

/** The most certificates of a chain that are looked at. */
const MAXIMUM_CHAIN = 10;

function holdsCertificateOrKey({ selector, data }: TlsaRecord): boolean {
  try {
    if (selector === 0) new X509Certificate(data);
    else createPublicKey({ key: Buffer.from(data), format: 'der', type: 'spki' });
    return true;
  } catch {
    return false;
  }
}

/** Whether it is one at all: data in hexadecimal, say, could be matched by no certificate, and any would do. */
function isTlsa(record: TlsaRecord): boolean {
  if (typeof record !== 'object' || record === null) return false;
  const { usage, selector, matchingType, data } = record;
  return [usage, selector, matchingType].every(Number.isInteger) && data instanceof Uint8Array;
}

/**
 * Whether a record can be matched by anything. The usages 0 and 1 are not used with SMTP: which authorities the
 * sender trusts beyond DNSSEC, the receiver cannot know (RFC 7672 §3.1.3).
 */
export function isUsableTlsa(record: TlsaRecord): boolean {
  const { usage, selector, matchingType, data } = record;
  if (usage !== DANE_TA && usage !== DANE_EE) return false;
  if (selector !== 0 && selector !== 1) return false;
  if (matchingType === 0) return holdsCertificateOrKey(record);
  return DIGESTS[matchingType]?.octets === data.length;
}

/**
 * Where records with the same usage and selector have different digests, the strongest alone counts: else breaking
 * the weakest would be enough (RFC 7671 §9).
 */
function withStrongestDigest(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter(
    ({ usage, selector, matchingType }) =>
      matchingType !== 1 ||
      !records.some(
        (other) => other.usage === usage && other.selector === selector && other.matchingType === 2,
      ),
  );
}

/**
 * What DANE demands for one attempt of a route.
 *
 * @throws {RangeError} `port` is none
 * @throws {TypeError} `secure` is neither true nor false, or the resolver's answer is none
 * @throws the signal's reason once it is aborted
 */
export async function findDane(
  { host, port, secure }: Pick<Attempt, 'host' | 'port' | 'secure'>,
  resolver: TlsaResolver,
  signal?: AbortSignal,
): Promise<DaneOutcome> {
  // Whoever can forge the addresses of a host can forge that it has no TLSA records (RFC 7672 §2.2). Asking all the
  // same would bring failures only: servers of unsigned zones often fail for types that they do not know.
  if (typeof secure !== 'boolean') throw new TypeError(`secure is ${secure}; it takes true or false`);
  if (!secure) return { kind: 'opportunistic' };
  if (!(Number.isSafeInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`port is ${port}; it takes an integer of 1 to 65535`);
  }
  const answer = checkAnswer(
    'resolveTlsa()',
    await resolver.resolveTlsa(`_${port}._tcp.${host}`, signal),
    isTlsa,
    'records of the numbers usage, selector and matchingType, and data as a Uint8Array',
  );
  if (answer.kind === 'temporary') {
    return {
      kind: 'unavailable',
      problem: `The TLSA records of ${host} could not be looked up: ${answer.problem}`,
    };
  }
  if (answer.kind !== 'found' || answer.secure !== true) return { kind: 'opportunistic' };
  const records = withStrongestDigest(answer.records.filter(isUsableTlsa));
  return records.length === 0 ? { kind: 'encrypted' } : { kind: 'authenticated', records };
}

function matchesCertificate(
  { selector, matchingType, data }: TlsaRecord,
  certificate: X509Certificate,
): boolean {
  const selected =
    selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  const digest = DIGESTS[matchingType];
  const presented = digest === undefined ? selected : createHash(digest.name).update(selected).digest();
  return presented.equals(data);
}

function parseChain(chain: readonly Uint8Array[]): X509Certificate[] {
  return chain.slice(0, MAXIMUM_CHAIN).map((octets) => new X509Certificate(octets));
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const ANY_PURPOSE = '2.5.29.37.0';

/** Whether its extended key usage, if it has any, lets it be shown by TLS servers (RFC 5280 §4.2.1.12). */
function isForServers({ keyUsage }: X509Certificate): boolean {
  return keyUsage?.some((usage) => usage === SERVER_AUTHENTICATION || usage === ANY_PURPOSE) ?? true;
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** Whether the record holds the whole authority or its key, and the certificate is issued by that. */
function isIssuedByRecord(
  certificate: X509Certificate,
  { selector, matchingType, data }: TlsaRecord,
): boolean {
  if (matchingType !== 0) return false;
  if (selector === 0) {
    const authority = new X509Certificate(data);
    return !authority.raw.equals(certificate.raw) && isIssuedBy(certificate, authority);
  }
  const key = createPublicKey({ key: Buffer.from(data), format: 'der', type: 'spki' });
  return !certificate.publicKey.equals(key) && certificate.verify(key);
}

/**
 * The record whose authority issued the server's certificate, directly or by others that are valid now. Of the
 * authority itself neither dates nor purposes matter: it is trusted for its key and name (RFC 5280 §6.1).
 */
function recordOfIssuer(
  own: X509Certificate,
  others: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  now: number,
): TlsaRecord | undefined {
  const between = others.filter((other) => isValidAt(other, now) && isForServers(other));
  // A set grows while it is walked: what issued an issuer is looked for in turn, and each once.
  const path = new Set([own]);
  for (const certificate of path) {
    const issuers = others.filter((other) => other !== own && isIssuedBy(certificate, other));
    const record = records.find(
      (record) =>
        issuers.some((issuer) => matchesCertificate(record, issuer)) || isIssuedByRecord(certificate, record),
    );
    if (record !== undefined) return record;
    for (const issuer of issuers) if (between.includes(issuer)) path.add(issuer);
  }
  return undefined;
}

export type DaneVerdict =
  | { readonly kind: 'matched'; readonly record: TlsaRecord }
  /** Deliver nothing over this connection. */
  | { readonly kind: 'failed'; readonly problem: string };

const failed = (problem: string): DaneVerdict => ({ kind: 'failed', problem });

/**
 * Whether the certificates that a server presented are those that its TLSA records demand. One record that matches
 * is enough.
 *
 * - DANE-EE: the server's certificate is the one; neither names nor dates matter (RFC 7672 §3.1.1).
 * - DANE-TA: the server's certificate bears one of the names, is one for servers, and was issued by the record's
 *   authority, which is in the chain or, whole or as its key, in the record; all between are valid now and for servers,
 *   too (RFC 7672 §3.1.2, §3.2). The authority's own dates do not matter.
 *
 * @param options.names the host's, and that of the domain whose mail it takes (RFC 7672 §3.2.2)
 * @param options.now milliseconds since 1970
 * @throws {RangeError} `now` is no time
 * @throws {TypeError} `records` are none
 */
export function verifyDane(
  records: readonly TlsaRecord[],
  chain: readonly Uint8Array[],
  { names, now }: { readonly names: readonly string[]; readonly now: number },
): DaneVerdict {
  if (!Number.isFinite(now)) throw new RangeError(`now is ${now}; it takes milliseconds since 1970`);
  if (!Array.isArray(records) || !records.every(isTlsa)) {
    throw new TypeError('records are no list of TLSA records: numbers, and data as a Uint8Array');
  }
  let certificates: X509Certificate[];
  try {
    certificates = parseChain(chain);
  } catch {
    return failed('The server presented what is no certificate');
  }
  const [own, ...others] = certificates;
  if (own === undefined) return failed('The server presented no certificate');

  try {
    const exact = records.find((record) => record.usage === DANE_EE && matchesCertificate(record, own));
    if (exact !== undefined) return { kind: 'matched', record: exact };

    const authorities = records.filter(({ usage }) => usage === DANE_TA);
    if (authorities.length === 0)
      return failed('The certificate of the server matches none of its TLSA records');
    const record = recordOfIssuer(own, others, authorities, now);
    if (record === undefined) {
      return failed('No TLSA record matches the certificate of the server, or a valid one that issued it');
    }
    if (!isValidAt(own, now)) return failed('The certificate of the server is not valid now');
    if (!isForServers(own)) return failed('The certificate of the server is not one for TLS servers');
    if (!names.some((name) => own.checkHost(name, { partialWildcards: false }) !== undefined)) {
      return failed(`The certificate of the server is for none of ${names.join(', ')}`);
    }
    return { kind: 'matched', record };
  } catch (error) {
    // OpenSSL parses keys when they are used, and throws for those it does not know.
    return failed(
      `A certificate could not be checked: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
