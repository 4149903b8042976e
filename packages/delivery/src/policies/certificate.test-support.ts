/** X.509 certificates for tests (RFC 5280), as the test wants them: expired, wrongly issued, for any names. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface Issued {
  readonly der: Uint8Array;
  readonly name: string;
  readonly keys: KeyPair;
}

export interface CertificateRequest {
  /** Common name of the subject. */
  readonly name: string;
  /** @default itself */
  readonly issuer?: { readonly name: string; readonly keys: KeyPair };
  /** @default new ones */
  readonly keys?: KeyPair;
  /** @default false */
  readonly ca?: boolean;
  readonly dnsNames?: readonly string[];
  /** Extended key usages. @default none are named */
  readonly purposes?: readonly ('server' | 'client' | 'any')[];
  /** @default the year 2020 */
  readonly notBefore?: Date;
  /** @default the year 2040 */
  readonly notAfter?: Date;
}

export function keyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...contents: Uint8Array[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const TRUE = der(0x01, Buffer.from([0xff]));
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/\.\d+|[-:T]/g, '')}`));
}

const PURPOSES = { server: '2b06010505070301', client: '2b06010505070302', any: '551d2500' } as const;

let serial = 0;

export function certificate(request: CertificateRequest): Issued {
  const { name, keys = keyPair(), ca = false, dnsNames = [], purposes = [] } = request;
  const issuer = request.issuer ?? { name, keys };
  const extensions = [sequence(oid('551d13'), TRUE, der(0x04, sequence(...(ca ? [TRUE] : []))))];
  if (dnsNames.length > 0) {
    const names = dnsNames.map((dnsName) => der(0x82, Buffer.from(dnsName)));
    extensions.push(sequence(oid('551d11'), der(0x04, sequence(...names))));
  }
  if (purposes.length > 0) {
    const usages = sequence(...purposes.map((purpose) => oid(PURPOSES[purpose])));
    extensions.push(sequence(oid('551d25'), der(0x04, usages)));
  }
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ++serial])),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.name),
    sequence(
      time(request.notBefore ?? new Date('2020-01-01')),
      time(request.notAfter ?? new Date('2040-01-01')),
    ),
    distinguishedName(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.keys.privateKey);
  const octets = sequence(toBeSigned, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  return { der: octets, name, keys };
}
