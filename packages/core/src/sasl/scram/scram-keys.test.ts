import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import { base64, finish, octets } from '../running.test-support.js';
import { type ScramKeysOptions, scramKeys } from './scram-keys.js';

const keysOf = (options: Partial<ScramKeysOptions>) =>
  finish(
    scramKeys({
      hash: 'SHA-256',
      password: new Secret('pencil'),
      salt: octets('salt'),
      iterations: 4096,
      ...options,
    }),
  );

describe('scramKeys', () => {
  it.each([
    {
      rfc: 'RFC 5802 §5',
      hash: 'SHA-1',
      digest: 'sha1',
      salt: 'QSXCR+Q6sek8bf92',
      nonces: ['fyko+d2lbbFgONRv9qkxdawL', '3rfcNHYJY1ZVvWVs7j'],
      proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      rfc: 'RFC 7677 §3',
      hash: 'SHA-256',
      digest: 'sha256',
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      nonces: ['rOprNGfwEbeRWgbNEkqO', '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'],
      proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ] as const)('makes the keys that the proof and the signature of $rfc are made with', (example) => {
    const { hash, digest, salt, nonces, proof, signature } = example;
    const keys = keysOf({ hash, salt: base64(salt) });
    const nonce = nonces.join('');
    const message = `n=user,r=${nonces[0]},r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
    const sign = (key: Secret) => createHmac(digest, key.reveal()).update(message).digest();
    expect(sign(keys.serverKey).toString('base64')).toBe(signature);
    const clientSignature = sign(keys.storedKey);
    const clientKey = base64(proof).map((octet, index) => octet ^ (clientSignature[index] ?? 0));
    expect(createHash(digest).update(clientKey).digest()).toEqual(Buffer.from(keys.storedKey.reveal()));
  });

  it("agrees with Node's digests on any password of ASCII, salt and iterations", () => {
    const password = fc.string({ unit: 'grapheme-ascii', minLength: 1 });
    const salt = fc.uint8Array({ minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(password, salt, fc.integer({ min: 4096, max: 4200 }), (password, salt, iterations) => {
        const keys = keysOf({ password: new Secret(password), salt, iterations });
        const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
        const clientKey = createHmac('sha256', salted).update('Client Key').digest();
        expect({ ...keys, storedKey: undefined, serverKey: undefined }).toEqual({
          kind: 'scram',
          hash: 'SHA-256',
          salt,
          iterations,
        });
        expect(Buffer.from(keys.storedKey.reveal())).toEqual(createHash('sha256').update(clientKey).digest());
        expect(Buffer.from(keys.serverKey.reveal())).toEqual(
          createHmac('sha256', salted).update('Server Key').digest(),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('makes the same keys of passwords that SASLprep makes the same', () => {
    const revealed = (password: string) => keysOf({ password: new Secret(password) }).storedKey.reveal();
    expect(revealed('I\u00adX')).toEqual(revealed('\u2168'));
    expect(revealed('I\u00adX')).toEqual(revealed('IX'));
    expect(revealed('IX')).not.toEqual(revealed('ix'));
  });

  it('does not show keys', () => {
    expect(JSON.parse(JSON.stringify(keysOf({})))).toMatchObject({
      storedKey: '[secret]',
      serverKey: '[secret]',
    });
  });

  it.each([
    ['an empty salt', { salt: octets('') }, /salt/],
    ['4095 iterations', { iterations: 4095 }, /4095.*4096/],
    ['too many iterations', { iterations: 100_000_001 }, /100000001.*100000000/],
    ['half an iteration', { iterations: 5000.5 }, /5000\.5/],
    ['an empty password', { password: new Secret('') }, /empty/],
    ['a password that becomes empty', { password: new Secret('\u00ad') }, /empty/],
    ['a prohibited character in the password', { password: new Secret('p\u0007') }, /SASLprep/],
    ['a password that is not UTF-8', { password: new Secret(Uint8Array.of(0xff)) }, /UTF-8/],
  ])('throws at once for %s', (_, options, message) => {
    expect(() => keysOf(options)).toThrow(RangeError);
    expect(() => keysOf(options)).toThrow(message);
  });

  it('takes 4096 iterations and 100,000,000', () => {
    const options = { hash: 'SHA-1', password: new Secret('p'), salt: octets('s') } as const;
    expect(() => scramKeys({ ...options, iterations: 4096 })).not.toThrow();
    expect(() => scramKeys({ ...options, iterations: 100_000_000 })).not.toThrow();
  });
});
