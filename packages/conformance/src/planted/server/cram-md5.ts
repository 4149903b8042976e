/** CRAM-MD5 of the planted server (RFC 2195): the client shows by a digest that it knows the password. */
import { createHmac, randomUUID } from 'node:crypto';
import type { Mechanism, MechanismContext } from './authentication.js';

export function cramMd5({ users, has }: MechanismContext): Mechanism {
  const own = has('cram-md5-challenge-repeats') ? '1896.697170952' : randomUUID();
  const challenge = has('cram-md5-challenge-is-no-msg-id') ? own : `<${own}@planted.test>`;
  return {
    first: challenge,
    next([response = '']) {
      const at = response.lastIndexOf(' ');
      const [name, given] = [response.slice(0, at), response.slice(at + 1)];
      const password = Object.hasOwn(users, name) ? users[name] : undefined;
      if (at < 0 || password === undefined) return 'wrong';
      if (given === '') return has('cram-md5-empty-digest-taken') ? 'right' : 'wrong';
      if (has('cram-md5-any-digest-taken')) return 'right';
      const digest = createHmac('md5', password).update(challenge, 'latin1').digest('hex');
      return given === (has('cram-md5-digest-needs-capitals') ? digest.toUpperCase() : digest)
        ? 'right'
        : 'wrong';
    },
  };
}
