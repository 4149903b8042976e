import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Computation, type HashName, Secret } from '@sansmtp/core';
import { webCryptography } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCryptography } from './node-cryptography.js';

const octets = (text: string) => new Uint8Array(Buffer.from(text));
const hex = (result: Uint8Array) => Buffer.from(result).toString('hex');

async function compute(computation: Computation): Promise<string> {
  return hex(await nodeCryptography.compute(computation));
}

describe('nodeCryptography', () => {
  it.each<[HashName, string]>([
    ['MD5', '900150983cd24fb0d6963f7d28e17f72'],
    ['SHA-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['SHA-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('hashes with %s (RFC 1321 §A.5, FIPS 180-2 §A.1 and §B.1)', async (hash, digest) => {
    expect(await compute({ kind: 'hash', hash, data: new Secret('abc') })).toBe(digest);
  });

  describe.each<[string, HashName, [key: string | Uint8Array, data: string | Uint8Array, digest: string][]]>([
    [
      'RFC 2202 §2',
      'MD5',
      [
        [new Uint8Array(16).fill(0x0b), 'Hi There', '9294727a3638bb1c13f48ef8158bfc9d'],
        ['Jefe', 'what do ya want for nothing?', '750c783e6ab0b503eaa86e310a5db738'],
        [
          new Uint8Array(80).fill(0xaa),
          'Test Using Larger Than Block-Size Key - Hash Key First',
          '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd',
        ],
      ],
    ],
    [
      'RFC 2202 §3',
      'SHA-1',
      [
        [new Uint8Array(20).fill(0x0b), 'Hi There', 'b617318655057264e28bc0b6fb378c8ef146be00'],
        ['Jefe', 'what do ya want for nothing?', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
        [
          new Uint8Array(80).fill(0xaa),
          'Test Using Larger Than Block-Size Key - Hash Key First',
          'aa4ae5e15272d00e95705637ce8a3b55ed402112',
        ],
      ],
    ],
    [
      'RFC 4231 §4',
      'SHA-256',
      [
        [
          new Uint8Array(20).fill(0x0b),
          'Hi There',
          'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
        ],
        [
          'Jefe',
          'what do ya want for nothing?',
          '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
        ],
        [
          new Uint8Array(20).fill(0xaa),
          new Uint8Array(50).fill(0xdd),
          '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
        ],
        [
          new Uint8Array(131).fill(0xaa),
          'Test Using Larger Than Block-Size Key - Hash Key First',
          '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
        ],
      ],
    ],
  ])('computes the vectors of %s (HMAC-%s)', (_, hash, vectors) => {
    it.each(vectors)('%#', async (key, data, digest) => {
      const bytes = typeof data === 'string' ? octets(data) : data;
      expect(await compute({ kind: 'hmac', hash, key: new Secret(key), data: bytes })).toBe(digest);
    });
  });

  it.each([
    [1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'],
    [2, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'],
    [4096, '4b007901b765489abead49d926f721d065a429c1'],
  ])('derives keys with PBKDF2 and SHA-1, %i iterations (RFC 6070)', async (iterations, key) => {
    const password = new Secret('password');
    expect(await compute({ kind: 'pbkdf2', hash: 'SHA-1', password, salt: octets('salt'), iterations })).toBe(
      key,
    );
  });

  it.each([
    ['passwd', 'salt', 1, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc'],
    ['Password', 'NaCl', 80000, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56'],
  ])('derives keys with PBKDF2 and SHA-256 (RFC 7914 §11, the first 32 octets): %s', async (...vector) => {
    const [password, salt, iterations, key] = vector;
    expect(
      await compute({
        kind: 'pbkdf2',
        hash: 'SHA-256',
        password: new Secret(password),
        salt: octets(salt),
        iterations,
      }),
    ).toBe(key);
  });

  it('computes at once what does not take long, and copies it', () => {
    const data = new Secret('abc');
    for (const result of [
      nodeCryptography.compute({ kind: 'random', octets: 18 }),
      nodeCryptography.compute({ kind: 'hash', hash: 'SHA-256', data }),
      nodeCryptography.compute({ kind: 'hmac', hash: 'SHA-256', key: data, data: octets('') }),
    ]) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
    }
  });

  it('gives as many random octets as are asked for, and others each time', async () => {
    const first = await compute({ kind: 'random', octets: 18 });
    expect(first).toHaveLength(36);
    expect(await compute({ kind: 'random', octets: 18 })).not.toBe(first);
  });

  it('lets the event loop go on while it derives a key', async () => {
    const derived = compute({
      kind: 'pbkdf2',
      hash: 'SHA-256',
      password: new Secret('password'),
      salt: octets('salt'),
      iterations: 500_000,
    });
    const first = await Promise.race([derived.then(() => 'key'), nextTurn('the next turn')]);
    expect(first).toBe('the next turn');
    expect(await derived).toHaveLength(64);
  });

  it('rejects when a key cannot be derived', async () => {
    const failing = async () =>
      compute({
        kind: 'pbkdf2',
        hash: 'SHA-1',
        password: new Secret(''),
        salt: octets(''),
        iterations: 0,
      });
    await expect(failing).rejects.toThrow(RangeError);
  });

  it('agrees with Web Crypto on everything that both have', async () => {
    const hash = fc.constantFrom('SHA-1' as const, 'SHA-256' as const);
    const bytes = fc.uint8Array({ maxLength: 200 });
    const secret = bytes.map((value) => new Secret(value));
    const computation: fc.Arbitrary<Computation> = fc.oneof(
      fc.record({ kind: fc.constant('hash' as const), hash, data: secret }),
      fc.record({ kind: fc.constant('hmac' as const), hash, key: secret, data: bytes }),
      fc.record({
        kind: fc.constant('pbkdf2' as const),
        hash,
        password: secret,
        salt: bytes,
        iterations: fc.integer({ min: 1, max: 20 }),
      }),
    );
    const web = webCryptography();
    await fc.assert(
      fc.asyncProperty(computation, async (asked) => {
        expect(await compute(asked)).toBe(hex(await web.compute(asked)));
      }),
      { numRuns: 200 },
    );
  });
});
