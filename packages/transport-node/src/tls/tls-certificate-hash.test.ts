import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { certificateHash } from './tls-certificate-hash.js';

async function derOf(options: Parameters<typeof generateCertificate>[1]): Promise<Buffer> {
  return new X509Certificate((await generateCertificate('mail.example.com', options)).cert).raw;
}

const der = await derOf({});

describe('the hash of a certificate (RFC 5929 §4.1)', () => {
  it.each([
    ['ec', 'sha256', 'sha256'],
    ['ec', 'sha384', 'sha384'],
    ['ec', 'sha512', 'sha512'],
    ['ec', 'sha1', 'sha256'],
    ['rsa', 'sha256', 'sha256'],
    ['rsa', 'sha512', 'sha512'],
    ['rsa', 'sha1', 'sha256'],
  ] as const)('of an %s key signed with %s is made by %s', async (keyType, algorithm, hash) => {
    const certificate = await derOf({ keyType, algorithm });
    expect(certificateHash(certificate)).toEqual(
      new Uint8Array(createHash(hash).update(certificate).digest()),
    );
  });

  it('is not there for what is cut off, or no certificate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: der.length - 1 }), (length) => {
        expect(certificateHash(der.subarray(0, length))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (octets) => {
        expect(certificateHash(Buffer.from(octets))).toBeUndefined();
      }),
    );
  });

  it('is not there for a signature of another kind (Ed25519)', () => {
    const place = der.lastIndexOf(Buffer.from('06082a8648ce3d040302', 'hex'));
    const changed = Buffer.from(der);
    changed.writeUInt8(0x7f, place + 9);
    expect(certificateHash(changed)).toBeUndefined();
  });
});
