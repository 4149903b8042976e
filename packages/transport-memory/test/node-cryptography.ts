/** A cryptography by `node:crypto` that computes at once, so that nothing in a test waits for anything but its clock. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Computation } from '@sansmtp/core';
import type { Cryptography } from '@sansmtp/transport';

const NAMES = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256' } as const;
const DIGEST_OCTETS = { 'SHA-1': 20, 'SHA-256': 32 } as const;

function compute(computation: Computation): Buffer {
  switch (computation.kind) {
    case 'random':
      return randomBytes(computation.octets);
    case 'hash':
      return createHash(NAMES[computation.hash]).update(computation.data.reveal()).digest();
    case 'hmac':
      return createHmac(NAMES[computation.hash], computation.key.reveal()).update(computation.data).digest();
    case 'pbkdf2': {
      const { hash, password, salt, iterations } = computation;
      return pbkdf2Sync(password.reveal(), salt, iterations, DIGEST_OCTETS[hash], NAMES[hash]);
    }
  }
}

export const nodeCryptography: Cryptography = {
  compute: (computation) => new Uint8Array(compute(computation)),
};

/** Drives a generator of the core that yields computations, such as `scramKeys`. */
export async function computed<Result>(
  steps: Generator<{ readonly computation: Computation }, Result, Uint8Array>,
  cryptography = nodeCryptography,
): Promise<Result> {
  let step = steps.next();
  while (!step.done) step = steps.next(await cryptography.compute(step.value.computation));
  return step.value;
}
