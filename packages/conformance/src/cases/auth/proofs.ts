/**
 * Mechanisms that send no password: CRAM-MD5 (RFC 2195), SCRAM-SHA-256 (RFC 5802, RFC 7677), EXTERNAL (RFC 4422 §A). A server
 * that offers SCRAM-SHA-256-PLUS is asked whether it notices that somebody has hidden it.
 */
import type { ConformanceCase } from '../../contract/case.js';
import type { Credentials } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import type { SeenReply } from '../../dialogue/seen-reply.js';
import {
  digestOf,
  finalOf,
  firstBareOf,
  MSG_ID,
  NONCE,
  readServerFirst,
  SERVER_FIRST,
  type ServerFirst,
} from '../../running/proofs.js';
import { authCase, base64, mechanismsOf, offering, respond } from './offering.js';

const challengeOf = ({ lines }: SeenReply): string =>
  Buffer.from(lines[0] ?? '', 'base64').toString('latin1');

// CRAM-MD5

const cramMd5: readonly ConformanceCase[] = [
  authCase(
    ['cram-md5', 'RFC 2195 §2', 'MUST'],
    'The digest of the challenge under the password lets the user in.',
    'CRAM-MD5',
    async (dialogue, credentials) => {
      const challenge = challengeOf(await dialogue.ask('AUTH CRAM-MD5', '334'));
      await respond(dialogue, digestOf(challenge, credentials), '235');
    },
  ),
  authCase(
    ['cram-md5-challenge', 'RFC 2195 §2', 'SECURITY'],
    'Each challenge is a msg-id of its own: a digest that was heard is of no use.',
    'CRAM-MD5',
    async (dialogue, _, target) => {
      const [other] = await offering(target, 'CRAM-MD5');
      const challenges: string[] = [];
      for (const each of [dialogue, other])
        challenges.push(challengeOf(await each.ask('AUTH CRAM-MD5', '334')));
      const [first = '', second = ''] = challenges;
      if (first === second) throw new Deviation(`the challenge ${first} came twice`);
      if (!MSG_ID.test(first)) throw new Deviation(`the challenge ${first} is no msg-id`);
    },
  ),
  authCase(
    ['cram-md5-wrong-digest', 'RFC 2195 §2', 'SECURITY'],
    'The digest under another password lets nobody in.',
    'CRAM-MD5',
    async (dialogue, { user, password }, target) => {
      const challenge = challengeOf(await dialogue.need('AUTH CRAM-MD5', '334'));
      await target.turnToFailLogin();
      await respond(dialogue, digestOf(challenge, { user, password: `${password}x` }), '4yz or 5yz');
    },
  ),
  authCase(
    ['cram-md5-empty-digest', 'RFC 2195 §2', 'SECURITY'],
    'A name without a digest lets nobody in.',
    'CRAM-MD5',
    async (dialogue, { user }, target) => {
      await dialogue.need('AUTH CRAM-MD5', '334');
      await target.turnToFailLogin();
      await respond(dialogue, `${user} `, '4yz or 5yz');
    },
  ),
  authCase(
    ['cram-md5-server-begins', 'RFC 4954 §4', 'MUST'],
    'Where the server begins, an initial response gets 501.',
    'CRAM-MD5',
    async (dialogue, { user }, target) => {
      await target.turnToFailLogin();
      await dialogue.ask(`AUTH CRAM-MD5 ${base64(`${user} 0`)}`, '501');
    },
  ),
];

// SCRAM-SHA-256

const firstLineOf = (credentials: Credentials, gs2 = 'n,,'): string =>
  `AUTH SCRAM-SHA-256 ${base64(`${gs2}${firstBareOf(credentials)}`)}`;

/** Says the first message, and reads the server's, where something else is to be shown. */
async function beginScram(dialogue: Dialogue, credentials: Credentials): Promise<ServerFirst> {
  return readServerFirst(challengeOf(await dialogue.need(firstLineOf(credentials), '334')));
}

/** Likewise, where the server has to go on. */
async function askForFirst(dialogue: Dialogue, credentials: Credentials): Promise<ServerFirst> {
  return readServerFirst(challengeOf(await dialogue.ask(firstLineOf(credentials), '334')));
}

/** name, section, why, and the final message that has to fail */
type WrongFinal = (credentials: Credentials, first: ServerFirst) => { readonly message: string };
const WRONG_FINALS: readonly (readonly [string, string, string, WrongFinal])[] = [
  [
    'scram-wrong-proof',
    'RFC 5802 §3',
    'The proof of another password lets nobody in',
    ({ user, password }, first) => finalOf({ user, password: `${password}x` }, first),
  ],
  [
    'scram-other-nonce',
    'RFC 5802 §5.1',
    "The final message has the server's part of the nonce; without it nobody is let in",
    (credentials, first) => finalOf(credentials, first, { sentNonce: NONCE }),
  ],
  [
    'scram-other-binding',
    'RFC 5802 §6',
    'The final message repeats the header of the first one; another header lets nobody in',
    (credentials, first) => finalOf(credentials, first, { gs2: 'y,,' }),
  ],
];

const scram: readonly ConformanceCase[] = [
  authCase(
    ['scram-sha-256', 'RFC 5802 §3', 'MUST'],
    'The proof lets the user in, after the server has shown by its signature that it knows the keys.',
    'SCRAM-SHA-256',
    async (dialogue, credentials) => {
      const first = await askForFirst(dialogue, credentials);
      const { message, signature } = finalOf(credentials, first);
      const shown = challengeOf(await respond(dialogue, message, '334'));
      if (shown !== signature) throw new Deviation(`the signature is ${shown}`);
      await respond(dialogue, '', '235');
    },
  ),
  authCase(
    ['scram-first-message', 'RFC 5802 §5.1', 'MUST'],
    "The server's first message has our nonce with more after it, a salt, and an iteration count.",
    'SCRAM-SHA-256',
    async (dialogue, credentials) => {
      const { text, nonce } = await askForFirst(dialogue, credentials);
      if (!SERVER_FIRST.test(text)) throw new Deviation(`the first message is ${text}`);
      if (!nonce.startsWith(NONCE) || nonce === NONCE) throw new Deviation(`the nonce is ${nonce}`);
    },
  ),
  authCase(
    ['scram-iterations', 'RFC 7677 §4', 'SHOULD'],
    'Keys are derived by 4096 iterations at least.',
    'SCRAM-SHA-256',
    async (dialogue, credentials) => {
      const { iterations } = await beginScram(dialogue, credentials);
      if (iterations < 4096) throw new Deviation(`there are ${iterations} iterations`);
    },
  ),
  authCase(
    ['scram-nonce', 'RFC 5802 §5.1', 'SECURITY'],
    "The server's part of the nonce is another one each time.",
    'SCRAM-SHA-256',
    async (dialogue, credentials, target) => {
      const [other] = await offering(target, 'SCRAM-SHA-256');
      const one = await beginScram(dialogue, credentials);
      const two = await beginScram(other, credentials);
      if (one.nonce === two.nonce) throw new Deviation(`the nonce ${one.nonce} came twice`);
    },
  ),
  authCase(
    ['scram-salt', 'RFC 5802 §5.1', 'INTEROP'],
    'The salt of a user stays the same: clients may keep what they have derived from it.',
    'SCRAM-SHA-256',
    async (dialogue, credentials, target) => {
      const [other] = await offering(target, 'SCRAM-SHA-256');
      const one = await beginScram(dialogue, credentials);
      const two = await beginScram(other, credentials);
      if (!one.salt.equals(two.salt)) throw new Deviation('the salt of the user changes');
    },
  ),
  ...WRONG_FINALS.map(([name, section, why, wrongFinal]) =>
    authCase(
      [name, section, 'SECURITY'],
      `${why}.`,
      'SCRAM-SHA-256',
      async (dialogue, credentials, target) => {
        const { message } = wrongFinal(credentials, await beginScram(dialogue, credentials));
        await target.turnToFailLogin();
        await respond(dialogue, message, '4yz or 5yz');
      },
    ),
  ),
  authCase(
    ['scram-malformed', 'RFC 5802 §7', 'MUST'],
    'A first message that is none is refused.',
    'SCRAM-SHA-256',
    async (dialogue, _, target) => {
      await target.turnToFailLogin();
      await dialogue.ask(`AUTH SCRAM-SHA-256 ${base64('n,,x=1')}`, '4yz or 5yz');
    },
  ),
  authCase(
    ['scram-unknown-user', 'RFC 5802 §9', 'INTEROP'],
    'Who is no user is not told by the first reply: it has a salt for everybody.',
    'SCRAM-SHA-256',
    async (dialogue, { password }, target) => {
      await target.turnToFailLogin();
      await askForFirst(dialogue, { user: 'nobody-known', password });
    },
  ),
  authCase(
    ['scram-hidden-plus', 'RFC 5802 §6', 'SECURITY'],
    'A client that could bind to the channel, and was not offered it, says so; a server that has offered it fails the exchange.',
    'SCRAM-SHA-256-PLUS',
    async (dialogue, credentials, target) => {
      if (!mechanismsOf(dialogue).includes('SCRAM-SHA-256'))
        throw new CannotJudge('SCRAM-SHA-256 is not offered');
      await target.turnToFailLogin();
      const reply = await dialogue.ask(firstLineOf(credentials, 'y,,'), '334 or 4yz or 5yz');
      if (reply.code !== 334) return;
      const { message } = finalOf(credentials, readServerFirst(challengeOf(reply)), { gs2: 'y,,' });
      await respond(dialogue, message, '4yz or 5yz');
    },
  ),
];

// EXTERNAL

const external: readonly ConformanceCase[] = ['AUTH EXTERNAL =', `AUTH EXTERNAL ${base64('postmaster')}`].map(
  (line, index) => ({
    id: `auth/external-${index === 0 ? 'without-a-certificate' : 'for-somebody'}`,
    section: 'RFC 4422 §A',
    level: 'SECURITY',
    rationale: `EXTERNAL lets nobody in who has shown no certificate${index === 0 ? '' : ', whoever they say they are'}.`,
    needs: ['credentials'],
    async run(target) {
      const [dialogue] = await offering(target, 'PLAIN');
      await target.turnToFailLogin();
      await dialogue.ask(line, '4yz or 5yz');
    },
  }),
);

export const proofs: readonly ConformanceCase[] = [...cramMd5, ...scram, ...external];
