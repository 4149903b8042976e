/**
 * The computations that sessions ask for, by `node:crypto`. What takes microseconds is done at once; the
 * derivation of keys, which is made to take long, in the thread pool.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Cryptography } from '@sansmtp/transport';

const derive = promisify(pbkdf2);

const ALGORITHMS = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256' };
const HASH_OCTETS = { 'SHA-1': 20, 'SHA-256': 32 };

/** A copy: a Buffer is not what it seems to be, for its `slice` shares the octets. */
function octetsOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

/**
 * The `Cryptography` of Node, for the drivers: what `startMailServer` takes unless told otherwise, and the option
 * `cryptography` of `openSession` and `serveSession`. It has MD5, which `webCryptography()` has not: CRAM-MD5
 * (RFC 2195) needs it.
 */
export const nodeCryptography: Cryptography = {
  compute(computation) {
    switch (computation.kind) {
      case 'random':
        return octetsOf(randomBytes(computation.octets));
      case 'hash': {
        const { hash, data } = computation;
        return octetsOf(createHash(ALGORITHMS[hash]).update(data.reveal()).digest());
      }
      case 'hmac': {
        const { hash, key, data } = computation;
        return octetsOf(createHmac(ALGORITHMS[hash], key.reveal()).update(data).digest());
      }
      case 'pbkdf2': {
        const { hash, password, salt, iterations } = computation;
        const octets = derive(password.reveal(), salt, iterations, HASH_OCTETS[hash], ALGORITHMS[hash]);
        return octets.then(octetsOf);
      }
    }
  },
};
