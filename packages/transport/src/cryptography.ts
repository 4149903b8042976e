/**
 * Who does the computations that a session asks for: digests, key derivation, unpredictable octets. The core has
 * none of them; every runtime has them already, and faster.
 */
import type { Computation } from '@sansmtp/core';

/** Give one where `webCryptography` is not enough: it has no MD5, which CRAM-MD5 needs (RFC 2195). */
export interface Cryptography {
  /**
   * The result's octets: at once, or later if it takes long. Nothing that takes long may be done at once: all
   * the other sessions would wait.
   * @throws {UnsupportedComputationError} (or rejects with it) this runtime cannot do it
   */
  compute(computation: Computation): Uint8Array | Promise<Uint8Array>;
}

/** Something was asked for that the runtime does not have, such as MD5 of Web Crypto. */
export class UnsupportedComputationError extends Error {
  override readonly name = 'UnsupportedComputationError';
}

type WebCryptoKey = object;

type WebCryptoAlgorithm =
  | string
  | {
      readonly name: string;
      readonly hash: string;
      readonly salt?: Uint8Array;
      readonly iterations?: number;
    };

/** What is used of the Web Cryptography API: `globalThis.crypto` of browsers, Deno, Bun, Workers and Node. */
export interface WebCrypto {
  getRandomValues(array: Uint8Array): unknown;
  readonly subtle: {
    digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer>;
    importKey(
      format: 'raw',
      keyData: Uint8Array,
      algorithm: WebCryptoAlgorithm,
      extractable: boolean,
      keyUsages: ('sign' | 'deriveBits')[],
    ): Promise<WebCryptoKey>;
    sign(algorithm: string, key: WebCryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    deriveBits(algorithm: WebCryptoAlgorithm, baseKey: WebCryptoKey, length: number): Promise<ArrayBuffer>;
  };
}

const HASH_BITS = { 'SHA-1': 160, 'SHA-256': 256 };

function knownHash(hash: string): string {
  if (Object.hasOwn(HASH_BITS, hash)) return hash;
  throw new UnsupportedComputationError(
    `Web Crypto has no ${hash}: do without what needs it (CRAM-MD5), or use the cryptography of the runtime`,
  );
}

async function compute(crypto: WebCrypto, computation: Computation): Promise<ArrayBuffer> {
  const { subtle } = crypto;
  switch (computation.kind) {
    case 'random': {
      const octets = new Uint8Array(computation.octets);
      crypto.getRandomValues(octets);
      return octets.buffer;
    }
    case 'hash':
      return subtle.digest(knownHash(computation.hash), computation.data.reveal());
    case 'hmac': {
      const algorithm = { name: 'HMAC', hash: knownHash(computation.hash) };
      const octets = computation.key.reveal();
      // Web Crypto refuses an empty key. HMAC fills keys up with zeros (RFC 2104 §2), so this is the same one.
      const keyData = octets.length === 0 ? Uint8Array.of(0) : octets;
      const key = await subtle.importKey('raw', keyData, algorithm, false, ['sign']);
      return subtle.sign('HMAC', key, computation.data);
    }
    case 'pbkdf2': {
      const { hash, password, salt, iterations } = computation;
      const key = await subtle.importKey('raw', password.reveal(), 'PBKDF2', false, ['deriveBits']);
      return subtle.deriveBits({ name: 'PBKDF2', hash, salt, iterations }, key, HASH_BITS[hash]);
    }
  }
}

/**
 * Computes with Web Crypto, always later. It has no MD5, and gives at most 65536 random octets at a time.
 * @param crypto
 * @default globalThis.crypto
 * @throws {UnsupportedComputationError} no `crypto` is given, and the runtime has none
 */
export function webCryptography(crypto?: WebCrypto): Cryptography {
  const given = crypto ?? (globalThis as { readonly crypto?: WebCrypto }).crypto;
  if (given === undefined) {
    throw new UnsupportedComputationError(
      'This runtime has no globalThis.crypto: give one, or another Cryptography',
    );
  }
  return { compute: async (computation) => new Uint8Array(await compute(given, computation)) };
}
