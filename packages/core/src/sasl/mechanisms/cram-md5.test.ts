import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import {
  ClientHalf,
  finish,
  isPrepared,
  octets,
  passwordOf,
  run,
  ServerHalf,
  stored,
  text,
  tokenOf,
} from '../running.test-support.js';
import { scramKeys } from '../scram/scram-keys.js';
import { cramMd5Client, cramMd5Server } from './cram-md5.js';

const NAME = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isPrepared);

const MALFORMED = { type: 'failure', reason: 'malformed' };
const REFUSED = { type: 'failure', reason: 'refused' };
const accounts = new Map([['u', stored('p')]]);

describe('CRAM-MD5', () => {
  it('answers as in the example (RFC 2195 §2)', () => {
    const client = new ClientHalf(cramMd5Client, passwordOf('tim', 'tanstaaftanstaaf'));
    expect([client.response, client.mayEnd]).toEqual([undefined, false]);
    client.challenge('<1896.697170952@postoffice.reston.mci.net>');
    expect([client.said, client.mayEnd]).toEqual(['tim b913a602c7eda7a495b4e6e7334d3890', true]);
    expect(client.challenge('').ended).toMatch(/asked for more/);
  });

  it('lets in with the password, and not with another', () => {
    fc.assert(
      fc.property(NAME, NAME, NAME, (username, password, other) => {
        fc.pre(password !== other);
        const side = { accounts: new Map([[username, stored(password)]]) };
        const right = run(
          new ClientHalf(cramMd5Client, passwordOf(username, password)),
          new ServerHalf(cramMd5Server, side),
        );
        expect(right.agreed).toBe(true);
        expect(right.outcome).toEqual({
          type: 'success',
          identity: { mechanism: 'CRAM-MD5', authenticatedAs: username, username },
        });
        expect(right.attempts).toEqual([{ mechanism: 'CRAM-MD5', username }]);
        const wrong = run(
          new ClientHalf(cramMd5Client, passwordOf(username, other)),
          new ServerHalf(cramMd5Server, side),
        );
        expect(wrong.outcome).toEqual(REFUSED);
        expect(wrong.attempts).toEqual([]);
      }),
    );
  });

  it('challenges with digits that are drawn anew, and the name of the server', () => {
    expect(cramMd5Server.clientFirst).toBe(false);
    const challenges = [1, 2].map(() => text(new ServerHalf(cramMd5Server).challenge ?? octets('')));
    for (const challenge of challenges) expect(challenge).toMatch(/^<\d+\.\d+@s\.example>$/);
    expect(challenges[0]).not.toBe(challenges[1]);
  });

  it('refuses a proof that was made for another challenge', () => {
    const client = new ClientHalf(cramMd5Client, passwordOf('u', 'p'));
    client.challenge(new ServerHalf(cramMd5Server).challenge ?? octets(''));
    expect(new ServerHalf(cramMd5Server, { accounts }).respond(client.said ?? '').outcome).toEqual(REFUSED);
  });

  it('refuses nobody only after the same computations as somebody', () => {
    const response = `u ${'0'.repeat(32)}`;
    const nobody = new ServerHalf(cramMd5Server).respond(response);
    expect(nobody.outcome).toEqual(REFUSED);
    expect(nobody.computations.filter((kind) => kind === 'hmac')).toHaveLength(1);
  });

  it('refuses somebody of whom keys are stored, which are of no use to it', () => {
    const keys = finish(
      scramKeys({ hash: 'SHA-256', password: new Secret('p'), salt: octets('salt'), iterations: 4096 }),
    );
    const server = new ServerHalf(cramMd5Server, { accounts: new Map([['u', keys]]) });
    expect(run(new ClientHalf(cramMd5Client, passwordOf('u', 'p')), server).outcome).toEqual(REFUSED);
  });

  it('refuses somebody whose stored password is empty', () => {
    const server = new ServerHalf(cramMd5Server, { accounts: new Map([['u', stored('')]]) });
    expect(run(new ClientHalf(cramMd5Client, passwordOf('u', '')), server).outcome).toEqual(REFUSED);
  });

  it('is refused where the application says so', () => {
    const server = new ServerHalf(cramMd5Server, { accounts, verify: () => false });
    const { outcome, attempts } = run(new ClientHalf(cramMd5Client, passwordOf('u', 'p')), server);
    expect(outcome).toEqual(REFUSED);
    expect(attempts).toHaveLength(1);
  });

  it('takes the last space as the end of the name', () => {
    const server = new ServerHalf(cramMd5Server, { accounts: new Map([['a b', stored('p')]]) });
    expect(run(new ClientHalf(cramMd5Client, passwordOf('a b', 'p')), server).agreed).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no digest', 'u '],
    ['no name', ` ${'0'.repeat(32)}`],
    ['no space', `u${'0'.repeat(32)}`],
    ['a digest in upper case', `u ${'A'.repeat(32)}`],
    ['a digest that is too short', `u ${'0'.repeat(31)}`],
    ['something behind the digest', `u ${'0'.repeat(32)}\n`],
    ['NUL in the name', `u\0 ${'0'.repeat(32)}`],
    ['a name of 1025 octets', `${'u'.repeat(1025)} ${'0'.repeat(32)}`],
    ['a name that is not UTF-8', Uint8Array.of(0xff, 0x20, ...octets('0'.repeat(32)))],
  ])('is malformed with %s', (_, response) => {
    expect(new ServerHalf(cramMd5Server, { accounts }).respond(response).outcome).toEqual(MALFORMED);
  });

  it.each([
    ['a token', tokenOf('u', 't')],
    ['an authorization identity', { ...passwordOf('u', 'p'), authorizationIdentity: 'a' }],
  ])('is not begun by a client with %s', (_, credentials) => {
    expect(new ClientHalf(cramMd5Client, credentials).ended).toMatch(/CRAM-MD5/);
  });
});
