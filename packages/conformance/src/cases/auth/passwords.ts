/** Mechanisms that send the password: PLAIN (RFC 4616), and LOGIN, which no RFC has. */
import type { ConformanceCase } from '../../contract/case.js';
import type { Credentials } from '../../contract/target.js';
import { Deviation } from '../../dialogue/findings.js';
import { authCase, base64, respond } from './offering.js';

/** name, section, what PLAIN says, why it is refused */
const WRONG: readonly (readonly [string, string, (credentials: Credentials) => string, string])[] = [
  [
    'wrong-password',
    'RFC 4954 §4',
    ({ user, password }) => `\0${user}\0${password}x`,
    'A password that is not theirs lets nobody in',
  ],
  [
    'half-a-password',
    'RFC 4954 §4',
    ({ user, password }) => `\0${user}\0${password.slice(0, -1)}`,
    'The first letters of a password let nobody in',
  ],
  ['empty-password', 'RFC 4616 §2', ({ user }) => `\0${user}\0`, 'An empty password lets nobody in'],
  [
    'for-somebody-else',
    'RFC 4616 §2',
    ({ user, password }) => `somebody-else\0${user}\0${password}`,
    'Nobody acts for somebody else without leave',
  ],
  [
    'unknown-user',
    'RFC 4954 §4',
    ({ password }) => `\0nobody-known\0${password}`,
    'A name that nobody has lets nobody in',
  ],
  ['plain-without-nul', 'RFC 4616 §2', ({ user }) => user, 'A name alone, without a NUL, lets nobody in'],
  [
    'plain-with-more',
    'RFC 4616 §2',
    ({ user, password }) => `\0${user}\0${password}\0x`,
    'A password with a NUL and more after it is another one, and lets nobody in',
  ],
];

const wrong = WRONG.map(([name, section, response, why]) =>
  authCase([name, section, 'SECURITY'], `${why}.`, 'PLAIN', async (dialogue, credentials, target) => {
    await target.turnToFailLogin();
    dialogue.saySecretly(`AUTH PLAIN ${base64(response(credentials))}`);
    await dialogue.reply('4yz or 5yz');
  }),
);

export const passwords: readonly ConformanceCase[] = [
  authCase(
    ['success-is-235', 'RFC 4954 §6', 'MUST'],
    'Who has the password is let in, by 235.',
    'PLAIN',
    async (dialogue, { user, password }) => {
      dialogue.saySecretly(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
      await dialogue.reply('235');
    },
  ),
  authCase(
    ['plain-in-two-steps', 'RFC 4954 §4', 'MUST'],
    'PLAIN may come without an initial response, and then answers the empty challenge.',
    'PLAIN',
    async (dialogue, { user, password }) => {
      await dialogue.ask('AUTH PLAIN', '334');
      await respond(dialogue, `\0${user}\0${password}`, '235');
    },
  ),
  ...wrong,
  authCase(
    ['wrong-password-is-535', 'RFC 4954 §4', 'SHOULD'],
    'A wrong password gets 535, and the session goes on: three attempts are due before a server hangs up (§9).',
    'PLAIN',
    async (dialogue, { user, password }, target) => {
      await target.turnToFailLogin();
      dialogue.saySecretly(`AUTH PLAIN ${base64(`\0${user}\0${password}x`)}`);
      await dialogue.reply('535');
      await dialogue.ask('NOOP', '250');
    },
  ),
  authCase(
    ['login', 'RFC 4954 §4', 'INTEROP'],
    'LOGIN asks for the name, then for the password.',
    'LOGIN',
    async (dialogue, { user, password }) => {
      await dialogue.ask('AUTH LOGIN', '334');
      await respond(dialogue, user, '334');
      await respond(dialogue, password, '235');
    },
  ),
  authCase(
    ['login-name-at-once', 'RFC 4954 §4', 'INTEROP'],
    'Clients send the name of LOGIN as an initial response, and are asked for the password then.',
    'LOGIN',
    async (dialogue, { user, password }) => {
      await dialogue.ask(`AUTH LOGIN ${base64(user)}`, '334');
      await respond(dialogue, password, '235');
    },
  ),
  authCase(
    ['login-challenges', 'RFC 4954 §4', 'INTEROP'],
    'The challenges of LOGIN are "Username:" and "Password:": clients wait for these very words.',
    'LOGIN',
    async (dialogue, { user }) => {
      const first = await dialogue.ask('AUTH LOGIN', '334');
      const second = await respond(dialogue, user, '334');
      const words = [first, second].map(({ lines }) => Buffer.from(lines[0] ?? '', 'base64').toString());
      if (!/^user ?name:?\0?$/i.test(words[0] ?? '') || !/^password:?\0?$/i.test(words[1] ?? ''))
        throw new Deviation(`the challenges are "${words.join('" and "')}"`);
    },
  ),
  authCase(
    ['login-cancelled', 'RFC 4954 §4', 'MUST'],
    'LOGIN is cancelled by * in the place of the password, too, and gets 501.',
    'LOGIN',
    async (dialogue, { user }, target) => {
      await dialogue.need('AUTH LOGIN', '334');
      dialogue.saySecretly(base64(user));
      await dialogue.needReply('334');
      await target.turnToFailLogin();
      await dialogue.ask('*', '501');
      await dialogue.ask('NOOP', '250');
    },
  ),
  authCase(
    ['login-wrong-password', 'RFC 4954 §4', 'SECURITY'],
    'LOGIN with a password that is not theirs lets nobody in.',
    'LOGIN',
    async (dialogue, { user, password }, target) => {
      await dialogue.need('AUTH LOGIN', '334');
      dialogue.saySecretly(base64(user));
      await dialogue.needReply('334');
      await target.turnToFailLogin();
      await respond(dialogue, `${password}x`, '4yz or 5yz');
    },
  ),
  authCase(
    ['login-without-a-name', 'RFC 4954 §4', 'SECURITY'],
    'LOGIN with an empty name and an empty password lets nobody in.',
    'LOGIN',
    async (dialogue, _, target) => {
      await dialogue.need('AUTH LOGIN', '334');
      await target.turnToFailLogin();
      const { code } = await respond(dialogue, '', '334 or 4yz or 5yz');
      if (code === 334) await respond(dialogue, '', '4yz or 5yz');
    },
  ),
];
