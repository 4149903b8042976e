import { Secret } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { UnsupportedComputationError, type WebCrypto, webCryptography } from './cryptography.js';

const ASCII = (text: string) => new TextEncoder().encode(text);
const HEX = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

describe('webCryptography', () => {
  const { compute } = webCryptography();

  it('hashes with SHA-1 and SHA-256 (FIPS 180-2, appendices A.1 and B.1)', async () => {
    const data = new Secret('abc');
    expect(HEX(await compute({ kind: 'hash', hash: 'SHA-1', data }))).toBe(
      'a9993e364706816aba3e25717850c26c9cd0d89d',
    );
    expect(HEX(await compute({ kind: 'hash', hash: 'SHA-256', data }))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('computes HMAC (RFC 2202 §3 and RFC 4231 §4.3, test case 2)', async () => {
    const key = new Secret('Jefe');
    const data = ASCII('what do ya want for nothing?');
    expect(HEX(await compute({ kind: 'hmac', hash: 'SHA-1', key, data }))).toBe(
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    );
    expect(HEX(await compute({ kind: 'hmac', hash: 'SHA-256', key, data }))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('computes HMAC with an empty key, which Web Crypto itself refuses', async () => {
    const computation = { kind: 'hmac', hash: 'SHA-256', key: new Secret(''), data: ASCII('') } as const;
    expect(HEX(await compute(computation))).toBe(
      'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad',
    );
  });

  it('derives keys with PBKDF2 (RFC 6070, RFC 7914 §11)', async () => {
    expect(
      HEX(
        await compute({
          kind: 'pbkdf2',
          hash: 'SHA-1',
          password: new Secret('password'),
          salt: ASCII('salt'),
          iterations: 4096,
        }),
      ),
    ).toBe('4b007901b765489abead49d926f721d065a429c1');
    expect(
      HEX(
        await compute({
          kind: 'pbkdf2',
          hash: 'SHA-256',
          password: new Secret('passwd'),
          salt: ASCII('salt'),
          iterations: 1,
        }),
      ),
    ).toBe('55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc');
  });

  it('gives as many random octets as are asked for, and others each time', async () => {
    const first = await compute({ kind: 'random', octets: 18 });
    expect(first).toHaveLength(18);
    expect(await compute({ kind: 'random', octets: 18 })).not.toEqual(first);
  });

  it('says that there is no MD5', async () => {
    const data = new Secret('abc');
    for (const computation of [
      { kind: 'hash', hash: 'MD5', data },
      { kind: 'hmac', hash: 'MD5', key: data, data: ASCII('') },
    ] as const) {
      const computed = compute(computation);
      await expect(computed).rejects.toThrow(UnsupportedComputationError);
      await expect(computed).rejects.toThrow(/Web Crypto has no MD5.*CRAM-MD5/);
    }
  });

  it('uses the Web Crypto it is given', async () => {
    const fixed: WebCrypto = {
      getRandomValues: (array) => array.fill(7),
      subtle: globalThis.crypto.subtle,
    };
    expect(await webCryptography(fixed).compute({ kind: 'random', octets: 3 })).toEqual(
      Uint8Array.of(7, 7, 7),
    );
  });

  it('says so where there is no Web Crypto', () => {
    const present = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      expect(() => webCryptography()).toThrow(UnsupportedComputationError);
    } finally {
      if (present !== undefined) Object.defineProperty(globalThis, 'crypto', present);
    }
  });
});
