/**
 * The hash of a server's certificate that `tls-server-end-point` binds to (RFC 5929 §4.1): made by the hash
 * function of the certificate's own signature, SHA-256 in place of MD5 and SHA-1.
 *
 * The function has to be read from the certificate, for Node does not tell it in all versions. Of the DER only as
 * much is read as leads there; a certificate of another kind (RSASSA-PSS, Ed25519) has no such hash here.
 */
import { createHash } from 'node:crypto';

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;

/** The contents of object identifiers, in hexadecimal digits, and the hash functions of these signatures. */
const HASH_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  // RFC 8017 §A.2.4: md5, sha1, sha256, sha384, sha512 and sha224 WithRSAEncryption
  ['2a864886f70d010104', 'sha256'],
  ['2a864886f70d010105', 'sha256'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a864886f70d01010e', 'sha224'],
  // RFC 5758 §3.2 and RFC 3279 §2.2.3: ecdsa-with-SHA1, SHA224, SHA256, SHA384 and SHA512
  ['2a8648ce3d0401', 'sha256'],
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
]);

interface Element {
  readonly contents: Buffer;
  readonly rest: Buffer;
}

/** The first element, if it is of this type (X.690 §8.1, §10.1); undefined also when it is cut off. */
function readElement(der: Buffer, type: number): Element | undefined {
  if (der[0] !== type) return undefined;
  const first = der[1];
  if (first === undefined) return undefined;
  let start = 2;
  let length = first;
  if (first >= 0x80) {
    const lengthOctets = first - 0x80;
    // None: of indefinite length, which DER does not know. More than 4: nobody has so large a certificate.
    if (lengthOctets < 1 || lengthOctets > 4 || der.length < 2 + lengthOctets) return undefined;
    length = der.readUIntBE(2, lengthOctets);
    start += lengthOctets;
  }
  if (der.length < start + length) return undefined;
  return { contents: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { algorithm, … }, … } (RFC 5280 §4.1) */
function signatureAlgorithm(der: Buffer): string | undefined {
  const certificate = readElement(der, SEQUENCE);
  const toBeSigned = certificate && readElement(certificate.contents, SEQUENCE);
  const identifier = toBeSigned && readElement(toBeSigned.rest, SEQUENCE);
  return identifier && readElement(identifier.contents, OBJECT_IDENTIFIER)?.contents.toString('hex');
}

/** Undefined when the certificate's signature has no hash function that is known here. */
export function certificateHash(der: Buffer): Uint8Array | undefined {
  const algorithm = signatureAlgorithm(der);
  const hashFunction = algorithm && HASH_FUNCTIONS.get(algorithm);
  return hashFunction ? new Uint8Array(createHash(hashFunction).update(der).digest()) : undefined;
}
