/** Keys that a session derives from a password that is stored: they take long, and the threads that files need. */
import { Secret } from '@sansmtp/core';
import { expect, it } from 'vitest';
import { nodeCryptography } from './node-cryptography.js';
import { settle } from './peer.js';
import { expectEverySessionToEnd, serve } from './serving.js';

expectEverySessionToEnd();

it('one is derived at a time, for all sessions together, and those who leave free their place', async () => {
  const left: (() => void)[] = [];
  const cryptography: typeof nodeCryptography = {
    compute: (computation) =>
      computation.kind === 'pbkdf2'
        ? new Promise((resolve) => left.push(() => resolve(nodeCryptography.compute(computation))))
        : nodeCryptography.compute(computation),
  };
  const stored = { kind: 'password', password: new Secret('pencil') } as const;
  const sessions = [];
  for (let count = 0; count < 3; count += 1) {
    const session = await serve(
      { onCredentials: () => stored, onAuth: () => true },
      { cryptography, authentication: { allowInsecure: true, mechanisms: ['SCRAM-SHA-256'] } },
    );
    const first = Buffer.from('n,,n=user,r=clientnonce').toString('base64');
    const [challenge = ''] = (await session.peer.say('EHLO c.example', `AUTH SCRAM-SHA-256 ${first}`)).slice(
      -1,
    );
    const nonce = /r=([^,]+)/.exec(Buffer.from(challenge.slice(4), 'base64').toString())?.[1];
    const proof = Buffer.alloc(32).toString('base64');
    void session.peer.say(Buffer.from(`c=biws,r=${nonce},p=${proof}`).toString('base64'));
    sessions.push(session);
  }
  for (let turn = 0; turn < 5; turn += 1) await settle();
  expect(left).toHaveLength(1);
  sessions[0]?.peer.stream.abort();
  for (let turn = 0; turn < 5; turn += 1) await settle();
  expect(left).toHaveLength(2);
  left[1]?.();
  for (let turn = 0; turn < 5; turn += 1) await settle();
  expect(left).toHaveLength(3);
  left[2]?.();
  left[0]?.();
});
