/**
 * The mechanisms as smtp-server has them: `onAuth` gets what the client showed, and judges it. Ours want stored passwords
 * for CRAM-MD5, where its applications check a response; and PLAIN without an authentication identity is none
 * (RFC 4616 §2), which some clients send all the same.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type {
  AuthenticationAttempt,
  Judgement,
  ServerExchange,
  ServerMechanism,
  ServerStep,
} from '@sansmtp/core';
import type { SMTPServerAuthentication } from '../types.js';

/** What a client showed. A token that is refused may bring what to tell the client about it. */
export interface Shown {
  readonly auth: SMTPServerAuthentication;
  data?: object | undefined;
}

type Given = Parameters<ServerExchange['next']>[0];

const MALFORMED = { type: 'failure', reason: 'malformed' } as const;
const REFUSED = { type: 'failure', reason: 'refused' } as const;
const SUCCESS = { type: 'success' } as const;

/** Asks the client, and gives back what it responded as text. */
function* ask(text: string): Generator<ServerStep, string, Given> {
  const response = yield { type: 'challenge', data: Buffer.from(text) };
  return Buffer.from(response as Uint8Array).toString();
}

/** What the client showed goes along as a function: nothing that prints an attempt prints a password. */
function* judge(shown: Shown): Generator<ServerStep, boolean, Given> {
  const { method: name, username = '' } = shown.auth;
  const attempt: AuthenticationAttempt = { mechanism: 'own', name, username, shown: () => shown };
  return ((yield { type: 'verify', attempt }) as Judgement).accepted;
}

const validatePassword = () => false;

/** It would go into logs and trace headers. */
const isUnsafe = (text: string) => /\p{Cc}/u.test(text);

const plain: ServerMechanism = {
  name: 'PLAIN',
  clientFirst: true,
  *begin() {
    const [authzid = '', authcid = '', password, ...more] = (yield* ask('')).split('\0');
    if (password === undefined || more.length > 0 || isUnsafe(authzid + authcid)) return MALFORMED;
    const username = authcid || authzid;
    const auth = { method: 'PLAIN', username, authcid, authzid, password, validatePassword } as const;
    return (yield* judge({ auth })) ? SUCCESS : REFUSED;
  },
};

const login: ServerMechanism = {
  name: 'LOGIN',
  clientFirst: true,
  *begin() {
    const username = yield* ask('Username:');
    if (username === '' || isUnsafe(username)) return MALFORMED;
    const password = yield* ask('Password:');
    return (yield* judge({ auth: { method: 'LOGIN', username, password, validatePassword } }))
      ? SUCCESS
      : REFUSED;
  },
};

const xoauth2: ServerMechanism = {
  name: 'XOAUTH2',
  clientFirst: true,
  *begin() {
    const fields = (yield* ask('')).split('\x01');
    const field = (start: RegExp) =>
      fields
        .find((one) => start.test(one))
        ?.replace(start, '')
        .trim();
    const username = field(/^user=/i);
    const accessToken = field(/^auth=bearer +/i);
    if (!username || !accessToken || isUnsafe(username)) return MALFORMED;
    const shown: Shown = { auth: { method: 'XOAUTH2', username, accessToken, validatePassword } };
    if (yield* judge(shown)) return SUCCESS;
    yield* ask(JSON.stringify(shown.data ?? {})); // the client's response says nothing
    return REFUSED;
  },
};

const cramMd5: ServerMechanism = {
  name: 'CRAM-MD5',
  clientFirst: false,
  *begin({ hostname }) {
    const random = (yield { type: 'compute', computation: { kind: 'random', octets: 16 } }) as Uint8Array;
    const challenge = `<${Buffer.from(random).toString('hex')}@${hostname}>`;
    const response = yield* ask(challenge);
    const space = response.lastIndexOf(' ');
    const username = response.slice(0, Math.max(space, 0));
    const challengeResponse = response.slice(space + 1).toLowerCase();
    if (username === '' || isUnsafe(username)) return MALFORMED;
    const auth: SMTPServerAuthentication = {
      method: 'CRAM-MD5',
      username,
      challenge,
      challengeResponse,
      validatePassword(password) {
        const expected = Buffer.from(createHmac('md5', password).update(challenge).digest('hex'));
        const received = Buffer.from(challengeResponse);
        return expected.length === received.length && timingSafeEqual(expected, received);
      },
    };
    return (yield* judge({ auth })) ? SUCCESS : REFUSED;
  },
};

const MECHANISMS = [plain, login, xoauth2, cramMd5];

/** Those of the option `authMethods`, in its order; a name that smtp-server does not know is passed over, as there. */
export function mechanismsOf(methods: readonly string[]): readonly ServerMechanism[] {
  return methods.flatMap((method) => MECHANISMS.filter(({ name }) => name === method));
}
