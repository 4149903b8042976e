/** SCRAM-SHA-256 of the planted server (RFC 5802, RFC 7677): both ends show that they know the password's keys. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Mechanism, MechanismContext } from './authentication.js';

const NOBODY = 'nobody at all';

const hmac = (key: Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'latin1').digest();

export function scram({ users, has }: MechanismContext): Mechanism {
  const nonce = has('scram-nonce-lacks-ours')
    ? ''
    : has('scram-nonce-repeats')
      ? '3rfcNHYJY1ZVvWVs7j'
      : randomBytes(18).toString('base64');
  const iterations = has('scram-few-iterations') ? 1000 : 4096;
  /** A salt for everybody, known or not (RFC 5802 §9). */
  const saltOf = (name: string): Buffer =>
    has('scram-salt-changes') ? randomBytes(16) : createHash('sha256').update(`salt of ${name}`).digest();
  let salt: Buffer = Buffer.alloc(0);
  return {
    next([clientFirst = '', clientFinal, last]) {
      if (last !== undefined) return 'right';
      const begun = readFirst(clientFirst);
      const isLoose = begun === undefined && has('scram-malformed-taken');
      const { gs2, bare, name, clientNonce } = begun ?? { gs2: 'n,,', bare: '', name: '', clientNonce: '' };
      if (begun === undefined && !isLoose) return 'wrong';
      // A client that could bind, and believes that we cannot, was deceived: PLUS is offered (RFC 5802 §6).
      if (gs2.startsWith('p=') || (gs2.startsWith('y') && !has('scram-hidden-plus-ignored'))) return 'wrong';
      if (!Object.hasOwn(users, name) && has('scram-unknown-user-told')) return 'wrong';
      if (clientFinal === undefined) salt = saltOf(name);
      const serverFirst = `r=${clientNonce}${nonce},s=${salt.toString('base64')},i=${iterations}`;
      if (clientFinal === undefined) return { say: serverFirst };

      const [, binding = '', sentNonce = '', proof = ''] =
        /^c=([^,]*),r=([^,]*),p=(.*)$/.exec(clientFinal) ?? [];
      if (sentNonce !== clientNonce + nonce && !has('scram-other-nonce-taken')) return 'wrong';
      const header = Buffer.from(gs2, 'latin1').toString('base64');
      if (binding !== header && !has('scram-other-binding-taken')) return 'wrong';
      const password = Object.hasOwn(users, name) ? (users[name] ?? NOBODY) : NOBODY;
      const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
      const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
      const signed = `${bare},${serverFirst},c=${binding},r=${sentNonce}`;
      const mask = hmac(storedKey, signed);
      const clientKey = Buffer.from(proof, 'base64').map((octet, index) => octet ^ (mask[index] ?? 0));
      const shows = createHash('sha256').update(clientKey).digest().equals(storedKey);
      if (!(shows && Object.hasOwn(users, name)) && !has('scram-any-proof-taken')) return 'wrong';
      if (has('scram-signature-missing')) return 'right';
      const over = has('scram-signature-of-nothing') ? '' : signed;
      return { say: `v=${hmac(hmac(salted, 'Server Key'), over).toString('base64')}` };
    },
  };
}

interface ClientFirst {
  /** The header, which the final message repeats. */
  readonly gs2: string;
  readonly bare: string;
  readonly name: string;
  readonly clientNonce: string;
}

function readFirst(message: string): ClientFirst | undefined {
  const [, gs2 = '', bare = '', saslName = '', clientNonce = ''] =
    /^((?:[ny]|p=[\w.-]+),(?:a=[^,]*)?,)(n=([^,]+),r=([!-+\--~]+))$/.exec(message) ?? [];
  if (bare === '') return undefined;
  return { gs2, bare, name: saslName.replaceAll('=2C', ',').replaceAll('=3D', '='), clientNonce };
}
